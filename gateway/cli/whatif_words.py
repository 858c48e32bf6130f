"""A comparison of two aliases over a recording, as JSON and as words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gateway.cli.picture import Json, alias_words, clean, columns, percent, table
from gateway.core import names

if TYPE_CHECKING:
    from gateway.traffic.whatif import Comparison


def told(comparison: Comparison) -> dict[str, Any]:
    """Everything that was counted, as JSON."""
    question = comparison.question
    now, then = comparison.shares(then=False), comparison.shares(then=True)
    return {
        "stage": question.stage,
        "function": question.target.function,
        "alias": question.target.qualifier,
        "revision": question.now.revision,
        "now": question.alias(then=False).route.to_dict(),
        "then": question.alias(then=True).route.to_dict() if question.hypothetical else None,
        "requests": {
            "total": comparison.requests,
            "decided": comparison.decided,
            "elsewhere": comparison.elsewhere,
            "unmatched": comparison.unmatched,
            "without_key": comparison.keyless,
        },
        "versions": [
            {"version": version, "now": now.get(version, 0), "then": then.get(version, 0)}
            for version in sorted({*now, *then}, key=names.version_order)
        ],
        "drawn": {"now": comparison.drawn(then=False), "then": comparison.drawn(then=True)},
        "moves": [
            {"from": pair[0], "to": pair[1], "requests": count}
            for pair, count in sorted(comparison.moves.items())
            if pair[0] != pair[1]
        ],
        "rules": [
            {
                "number": number,
                "when": rule.when,
                "version": rule.version,
                "requests": rule.requests,
                "users": len(rule.users),
            }
            for number, rule in enumerate(comparison.rules, start=1)
        ],
        "users": comparison.users(),
        "recorded": _recorded(comparison),
    }


def words(found: Json) -> str:
    """The same for people."""
    return "\n".join(filter(None, _paragraphs(found)))


def _recorded(comparison: Comparison) -> dict[str, Any]:
    agreement, first = comparison.agreement, comparison.agreement.first
    origin = None
    if first is not None:
        origin = {"method": first.method, "path": first.path, "at": round(first.at, 6)}
    return {
        "same": agreement.same,
        "other": agreement.other,
        "drawn": agreement.drawn,
        "first_other": origin,
    }


def _paragraphs(found: Json) -> Iterator[str]:
    alias = f"{found['function']}/{found['alias']}"
    yield clean(f"stage {found['stage']}  alias {alias}  revision {found['revision']}")
    rows = [("now", alias_words(found["now"]))]
    if found["then"] is not None:
        rows.append(("then", alias_words(found["then"])))
    yield columns(rows)
    yield _versions(found)
    yield _rules(found)
    yield from _sentences(found)


def _versions(found: Json) -> str:
    hypothetical = found["then"] is not None
    rows = []
    for each in found["versions"]:
        cells = [each["version"], _count(each["now"], found["drawn"]["now"])]
        if hypothetical:
            cells.append(_count(each["then"], found["drawn"]["then"]))
        rows.append(cells)
    return table(["VERSION", "NOW", "THEN"] if hypothetical else ["VERSION", "NOW"], rows)


def _count(requests: float, drawn: int) -> str:
    """Requests of a version; about so many where some are drawn."""
    return f"about {requests:,.0f}" if drawn and requests else f"{requests:,.0f}"


def _rules(found: Json) -> str:
    if not found["rules"]:
        return ""
    rows = [
        (
            str(rule["number"]),
            clean(f"{rule['when']} -> {rule['version']}"),
            f"{rule['requests']:,}",
            f"{rule['users']:,}",
        )
        for rule in found["rules"]
    ]
    return table(("RULE", "", "REQUESTS", "USERS"), rows)


def _sentences(found: Json) -> Iterator[str]:
    requests = found["requests"]
    yield f"{requests['decided']:,} of {requests['total']:,} requests are for the alias"
    if requests["unmatched"]:
        yield _many(requests["unmatched"], "fits", "fit") + " no api of the stage"
    if requests["elsewhere"]:
        yield _many(requests["elsewhere"], "is", "are") + " answered by others"
    if found["then"] is not None:
        yield from _moves(found)
    yield from _agreement(found["recorded"])


def _moves(found: Json) -> Iterator[str]:
    settled = [move for move in found["moves"] if "drawn" not in {move["from"], move["to"]}]
    for move in settled:
        many = _many(move["requests"], "request", "requests")
        yield f"{many} would move from {move['from']} to {move['to']}"
    drawn, users = found["drawn"], found["users"]
    if drawn["now"] or drawn["then"]:
        yield (
            f"{drawn['now']:,} requests are drawn now and {drawn['then']:,} then: "
            "of those only the shares are known"
        )
    if users["total"] > users["untold"]:
        share = percent(users["moved"] / users["total"])
        yield f"{users['moved']:,} of {users['total']:,} users would move ({share})"
    if users["untold"]:
        yield f"of {users['untold']:,} users it cannot be told whether they would move"
    if found["requests"]["without_key"]:
        key = found["then"]["sticky_by"]
        yield clean(
            f"{found['requests']['without_key']:,} requests have nothing at {key} and would be"
            " drawn; --set-header can give them a header"
        )


def _agreement(recorded: Json) -> Iterator[str]:
    settled = recorded["same"] + recorded["other"]
    if settled:
        yield f"{recorded['same']:,} of {settled:,} recorded answers agree with the alias as it is"
    if recorded["first_other"]:
        first = recorded["first_other"]
        yield clean(f"the first other one: {first['method']} {first['path']} at {first['at']} s")
    if recorded["drawn"]:
        yield _many(recorded["drawn"], "recorded answer was", "recorded answers were") + " drawn"


def _many(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"
