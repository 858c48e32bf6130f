"""A rollout in words: one line for lists, one for those who follow, and all of it."""

from __future__ import annotations

from gateway.cli.picture import Json, clean, in_line, percent

_MARKS = {"passed": "ok", "failed": "FAILED", "undecided": "..."}


def line_of(rollout: Json) -> tuple[str, ...]:
    """One row of the list."""
    step = f"{rollout['step'] + 1} of {len(rollout['steps'])}"
    share = percent(rollout["share"])
    versions = (rollout["from"], rollout["to"])
    reason = in_line(rollout["reason"])
    return (clean(rollout["id"]), rollout["status"], *versions, share, step, reason)


def status_words(rollout: Json) -> str:
    """The state of a rollout in one line."""
    new = rollout["seen"]["new"]
    parts = [
        clean(rollout["id"]),
        rollout["status"],
        f"step {rollout['step'] + 1} of {len(rollout['steps'])}",
        f"version {rollout['to']} {percent(rollout['share'])}",
    ]
    if rollout["status"] == "running":
        parts += [f"{new['requests']:,} answers", f"{new['errors']:,} errors"]
        parts += [f"{each['guard']} {_MARKS[each['outcome']]}" for each in rollout["findings"]]
    return "  ".join(parts)


def rollout_words(rollout: Json) -> str:
    """Everything about a rollout."""
    steps = ", ".join(
        f"[{percent(share)}]" if place == rollout["step"] else percent(share)
        for place, share in enumerate(rollout["steps"])
    )
    whose = f"{rollout['function']}/{rollout['alias']}  {rollout['from']} -> {rollout['to']}"
    lines = [
        f"{clean(rollout['id'])}  {rollout['status']}   {whose}",
        f"steps   {steps}   each {rollout['every']:g} s at least",
    ]
    if rollout["reason"]:
        lines.append(f"reason  {clean(rollout['reason'])}")
    if rollout["status"] in {"running", "paused"}:
        lines.append(f"held    {rollout['held']:.0f} s")
        lines += [_version(name, rollout) for name in ("old", "new")]
        lines += [
            f"guard   {each['guard']}  {_MARKS[each['outcome']]}  {clean(each['sentence'])}"
            for each in rollout["findings"]
        ]
    return "\n".join(lines)


def _version(name: str, rollout: Json) -> str:
    seen = rollout["seen"][name]
    version = rollout["from"] if name == "old" else rollout["to"]
    p99 = "-" if seen["p99"] is None else f"{seen['p99'] * 1000:.1f} ms"
    return (
        f"{name:6}  version {version}: {seen['requests']:,} answers, {seen['errors']:,} errors,"
        f" p99 {p99}"
    )
