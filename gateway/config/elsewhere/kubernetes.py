"""The Kubernetes Gateway API: one HTTPRoute for each API, which says nothing about their order.

The specification settles the order by kinds of match, and not by place: where two APIs of a stage
could take the same request, that is told as lacking.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from gateway.config.elsewhere.blocks import yaml
from gateway.config.elsewhere.conditions import Condition
from gateway.config.elsewhere.naming import OWN_HEADERS, Elsewhere, reaches, said, scaled
from gateway.config.elsewhere.ways import Choice, Lack, Outcome, Plan, Way, path_pattern
from gateway.core import names
from gateway.core.routes import Kind, Path

Table = dict[str, Any]

_API: Final = "gateway.networking.k8s.io/v1"


def gateway_api(wanted: Elsewhere) -> str:
    """A Gateway and its HTTPRoutes, as documents of one file."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in wanted.notes)
    documents = [_gateway(wanted.listen[1])]
    documents += [_route(way, number, wanted) for number, way in enumerate(wanted.plan.ways, 1)]
    return head + "---\n".join(map(yaml, documents))


def lacking_order(plan: Plan) -> list[Lack]:
    """APIs whose order would be up to the implementation."""
    return [
        Lack(
            f"apis {first.api.method} {first.api.path.text} and {second.api.method} "
            f"{second.api.path.text} of stage {first.stage!r} may take the same request, and their "
            "order is up to the implementation",
            "written in no order",
        )
        for first, second in combinations(plan.ways, 2)
        if first.stage == second.stage and _may_meet(first, second)
    ]


def _may_meet(first: Way, second: Way) -> bool:
    if first.api.path == second.api.path or Kind.EXACT in {
        first.api.path.kind,
        second.api.path.kind,
    }:
        return False  # an exact path goes first, and at one path a method does
    methods = {first.api.method, second.api.method}
    if len(methods) == 2 and "ANY" not in methods:
        return False
    begin, other = _literal(first.api.path), _literal(second.api.path)
    return begin.startswith(other) or other.startswith(begin)


def _literal(path: Path) -> str:
    """What every path that fits begins with."""
    return path.literal.partition("{")[0] if path.kind is Kind.PARAMETER else path.literal


def _gateway(port: int) -> Table:
    listener = {"name": "http", "protocol": "HTTP", "port": port}
    return {
        "apiVersion": _API,
        "kind": "Gateway",
        "metadata": {"name": "gateway"},
        "spec": {"gatewayClassName": "gateway", "listeners": [listener]},
    }


def _route(way: Way, number: int, wanted: Elsewhere) -> Table:
    assert way.choice is not None  # noqa: S101 - the engine has no fixed answers
    return {
        "apiVersion": _API,
        "kind": "HTTPRoute",
        "metadata": {"name": f"{way.stage}-{number}"},
        "spec": {
            "parentRefs": [{"name": "gateway"}],
            "rules": list(_rules(way, way.choice, wanted)),
        },
    }


def _rules(way: Way, choice: Choice, wanted: Elsewhere) -> Iterator[Table]:
    revision = wanted.plan.revision
    for found, outcome in choice.conditions:
        if reaches(way, found):
            yield {
                "matches": _matches(way, found),
                "filters": [_dropped(), _said(said(way, outcome, revision))],
                "backendRefs": [_backend(outcome, 1, wanted)],
            }
    shares, _ = scaled(choice)
    backends = [
        {**_backend(each, share, wanted), "filters": [_said(said(way, each, revision))]}
        for each, share in shares
    ]
    yield {"matches": _matches(way), "filters": [_dropped()], "backendRefs": backends}


def _matches(way: Way, found: Condition | None = None) -> list[Table]:
    rest: Table = {} if way.api.method == "ANY" else {"method": way.api.method}
    if found is not None:
        exact = found.value is not None
        kind = {"type": "Exact" if exact else "RegularExpression"}
        rest["headers"] = [{**kind, "name": found.name, "value": found.value or found.pattern}]
    return [{"path": path, **rest} for path in _paths(way)]


def _paths(way: Way) -> list[Table]:
    path = way.api.path
    if path.kind is Kind.EXACT and path.literal != "/":
        synonyms = [other for other, own in names.STAGE_SYNONYMS.items() if own == way.stage]
        return [
            {"type": "Exact", "value": f"/{stage}{path.literal}"}
            for stage in (way.stage, *synonyms)
        ]
    return [{"type": "RegularExpression", "value": path_pattern(way, coded=True)}]


def _dropped() -> Table:
    """What callers say under the gateway's names."""
    modifier = {"remove": list(OWN_HEADERS)}
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": modifier}


def _said(headers: dict[str, str]) -> Table:
    pairs = [{"name": name, "value": value} for name, value in headers.items()]
    return {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": pairs}}


def _backend(outcome: Outcome, weight: int, wanted: Elsewhere) -> Table:
    host, port = wanted.upstreams[outcome.function, outcome.version]
    name, _, namespace = host.partition(".")
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, "port": port, "weight": weight}
