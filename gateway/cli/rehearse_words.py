"""The report of a rehearsal in words and tables, for the terminal and for the page alike."""

from __future__ import annotations

from typing import Final

from gateway.cli.picture import Json, clean, fault_words, percent, table

HEADINGS: Final = ("", "GUARDS", "FIXED LIMIT")


def report_words(told: Json) -> str:
    """All of it."""
    parts = ["\n".join(clean(line) for line in about(told))]
    if told["faulty"] is not None:
        parts.append(table(("WITH THE FAULT", *HEADINGS[1:]), faulty_rows(told)))
    parts.append(table(("LIKE THE OLD ONE", *HEADINGS[1:]), equal_rows(told)))
    parts.append(clean(first_words(told)))
    return "\n\n".join(parts)


def about(told: Json) -> list[str]:
    """What was rehearsed, line by line."""
    plan, traffic, fixed = told["plan"], told["traffic"], told["fixed"]
    steps = ", ".join(percent(share) for share in plan["steps"])
    users = f" of {traffic['users']:,} users" if traffic["users"] else ""
    whose = f"{plan['function']}/{plan['alias']}  {plan['from']} -> {plan['to']}"
    rate = f"{traffic['rate']:,.4g} a second, again and again; {traffic['before']:g} s before"
    lines = [
        f"{whose}  on {told['recording']}, {told['runs']:,} runs, seed {told['seed']}",
        f"traffic  {traffic['requests']:,} requests{users}, {rate}",
        f"steps    {steps}   each {plan['every']:g} s at least",
        f"guards   {', '.join(plan['guards'])}",
        f"fixed    more than {percent(fixed['errors'])} errors in {fixed['window']:g} s",
        f"old      {fault_words(told['old']) or 'no errors, no latency'}",
    ]
    if told["fault"] is not None:
        lines.append(f"fault    {fault_words(told['fault'])}")
    return lines


def faulty_rows(told: Json) -> list[tuple[str, ...]]:
    """What became of the runs with the fault, by both rules."""
    rows = [
        ("rolled back", "rolled-back"),
        ("missed", "finished"),
        ("given up", "running"),
    ]
    return [
        *_shares(told, "faulty", rows),
        _spread(told, "faulty", "hurt", "requests hurt"),
        *(
            [_spread(told, "faulty", "hurt_users", "users hurt")]
            if told["traffic"]["users"]
            else []
        ),
        _spread(told, "faulty", "seconds", "seconds"),
    ]


def equal_rows(told: Json) -> list[tuple[str, ...]]:
    """What became of the runs of equal versions, by both rules."""
    stated = f"rolled back wrongly (stated: {percent(told['plan']['false_rollback'])} at most)"
    rows = [(stated, "rolled-back"), ("finished", "finished"), ("given up", "running")]
    return [*_shares(told, "equal", rows), _spread(told, "equal", "seconds", "seconds")]


def first_words(told: Json) -> str:
    """The first run in one line."""
    first = told["first"]
    share = percent(told["plan"]["steps"][first["step"]])
    words = f"run 1: {first['status']} at {share} after {first['seconds']:g} s"
    if told["faulty"] is not None:
        words += f", {first['hurt']:,} of {first['given']:,} requests hurt"
    return f"{words}; {first['reason']}" if first["reason"] else words


def _shares(told: Json, case: str, rows: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    """A row for each end that a run can have; without those that no run had."""
    rules = (told[case]["guards"], told[case]["fixed"])
    return [
        (name, *(_share(rule[end], rule["runs"]) for rule in rules))
        for name, end in rows
        if end != "running" or any(rule[end]["runs"] for rule in rules)
    ]


def _share(found: Json, runs: int) -> str:
    low, high = (f"{share * 100:.3g}" for share in (found["low"], found["high"]))
    return f"{found['runs']:,} of {runs:,}  ({low} to {high} %)"


def _spread(told: Json, case: str, key: str, name: str) -> tuple[str, ...]:
    rules = (told[case][rule][key] for rule in ("guards", "fixed"))
    cells = (f"median {rule['p50']:,.6g}, 95 % {rule['p95']:,.6g}" for rule in rules)
    return (name, *cells)
