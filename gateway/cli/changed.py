"""What a change altered, in a line for each part: `orders/release  1 90 %, 2 10 %   (was 1)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from gateway.cli.picture import (
    alias_words,
    breaker_words,
    clean,
    columns,
    fault_words,
    in_line,
    percent,
)

Part = Any
"""A part of a snapshot as the API writes it; `None` where there is none."""

_SETTINGS: Final = (
    "description",
    "handler",
    "timeout",
    "memory",
    "concurrency",
    "isolation",
    "type",
)
_HOW: Final = ("split", "sticky_by", "description")


def change_words(done: Part) -> str:
    """A write answer in words: every part that it altered, then the revision."""
    revision = f"revision {done['revision']}"
    if not done["differences"]:
        return f"nothing changed   {revision}"
    return difference_words(done["differences"], revision)


def difference_words(differences: Iterable[Part], end: str = "") -> str:
    """Differences, a line for each part.

    Args:
        differences: Parts with what they were before and what they are after.
        end: Said last, on the same line when there is only one.
    """
    lines = columns(map(_row, differences)).splitlines()
    if not end:
        return "\n".join(lines)
    return f"{lines[0]}   {end}" if len(lines) == 1 else "\n".join([*lines, end])


def difference_lines(differences: Iterable[Part]) -> list[str]:
    """The same without alignment, for lines that do not stand below each other."""
    return ["  ".join(_row(difference)) for difference in differences]


def part_name(path: Iterable[str]) -> str:
    """The name of a part: `orders/release`, `orders version 4`, `stage dev`."""
    match tuple(path):
        case ("functions", function, "aliases", alias):
            return f"{function}/{alias}"
        case ("functions", function, "versions", version, *field):
            return " ".join((f"{function} version {version}", *field))
        case ("functions", function, "faults" | "breaker" as part, *version):
            whose = f"{part.removesuffix('s')} of {function}"
            return f"{whose} version {version[0]}" if version else whose
        case ("services", _, "stages", stage, *field):
            return " ".join((f"stage {stage}", *field))
        case ("services", service, part):
            return f"{part} of service {service}"
        case other:
            return "/".join(other).replace("resources/rollouts/", "rollout ")


def stage_words(stage: Part) -> str:
    """Where a stage leads, in one line: each function with its qualifier, then the variables."""
    leads = [
        f"{api['function']}@{api['qualifier']}" for api in stage["apis"] if api.get("function")
    ]
    variables = [clean(f"{name}={value}") for name, value in stage["variables"].items()]
    gate = [
        f"{key} {clean(str(stage[key]))}" for key in ("throttle", "allow", "deny") if key in stage
    ]
    if "overlays" in stage:
        gate.append(clean(f"overlays of {', '.join(stage['overlays'])}"))
    if "edition" in stage:
        gate.append(clean(f"edition {stage['edition']['version']}"))
    return ", ".join([*dict.fromkeys(leads), *variables, *gate]) or "no function"


def _row(difference: Part) -> tuple[str, str]:
    path, before, after = difference["path"], difference["before"], difference["after"]
    words = _WORDS.get((len(path), *path[2:3]), _value)
    if list(path[:2]) == ["resources", "rollouts"]:
        words = _rollout
    return clean(part_name(path)), words(before, after)


def _moved(words: Callable[[Part], str], before: Part, after: Part) -> str:
    if before is None:
        return f"{words(after)}   (new)"
    if after is None:
        return f"deleted   (was {words(before)})"
    return f"{words(after)}   (was {words(before)})"


def _value(before: Part, after: Part) -> str:
    return _moved(_said, before, after)


def _alias(before: Part, after: Part) -> str:
    if before and after:
        told = [f"{key} {_said(after[key])}" for key in _HOW if before[key] != after[key]]
        if alias_words(before) == alias_words(after):
            return f"{alias_words(after)}   ({', '.join(told)})"
    return _moved(alias_words, before, after)


def _version(before: Part, after: Part) -> str:
    if before is None:
        described = f"   ({_said(after['description'])})" if after["description"] else ""
        return ("created" if after["version"] == "$LATEST" else "published") + described
    if after is None:
        return "deleted"
    told = ["new code"] if before["code"] != after["code"] else []
    told += [
        f"{key} {_said(after[key])} (was {_said(before[key])})"
        for key in _SETTINGS
        if before[key] != after[key]
    ]
    told += _environment(before["environment"], after["environment"])
    return ", ".join(told)


def _environment(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Names only: values may be secrets, and a terminal is no place for them."""
    changed = [key for key in after if before.get(key) != after[key]]
    gone = [key for key in before if key not in after]
    return [
        *(f"environment {clean(key)} set" for key in changed),
        *(f"environment {clean(key)} removed" for key in gone),
    ]


def _said(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return clean(repr(value) if isinstance(value, str) else str(value))


def _fault(before: Part, after: Part) -> str:
    return _moved(fault_words, before, after)


def _breaker(before: Part, after: Part) -> str:
    return _moved(breaker_words, before, after)


def _stage(before: Part, after: Part) -> str:
    return _moved(stage_words, before, after)


def _apis(before: Part, after: Part) -> str:
    return _moved(lambda apis: "1 API" if len(apis) == 1 else f"{len(apis)} APIs", before, after)


def _rollout(before: Part, after: Part) -> str:
    """Where a rollout is, and why it has ended; `gateway rollout status` tells the rest."""
    if after is None:
        return "forgotten"
    plan, step = after["plan"], after["step"]
    share = percent(plan["steps"][step])
    told = f"{after['status']}, step {step + 1} of {len(plan['steps'])} ({share})"
    if before is None:
        return f"{told}   (new, {after['base']['version']} -> {plan['to']})"
    return f"{told}; {in_line(after['reason'])}" if after["reason"] else told


_WORDS: Final[Mapping[tuple[object, ...], Callable[[Part, Part], str]]] = {
    (4, "aliases"): _alias,
    (4, "versions"): _version,
    (4, "faults"): _fault,
    (4, "stages"): _stage,
    (3, "apis"): _apis,
    (3, "breaker"): _breaker,
}
"""How a part is told, by the length of its path and the kind that the path names."""
