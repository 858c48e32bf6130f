"""Only records that were asked for count: those whose fields have given values, within a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from gateway.traffic.observed_fields import Sighting
from gateway.traffic.observed_records import Record, getter

_CONDITION: Final = re.compile(r"([^=!^]+)(=|!=|\^=)(.*)", re.DOTALL)

Accepts = Callable[[Record], bool]
"""Whether a record is one of those that were asked for."""


class UnreadableCondition(ValueError):
    """A condition that says of no field what it should be."""


def condition(text: str) -> Accepts:
    """Read `FIELD=VALUE`, `FIELD!=VALUE`, or `FIELD^=VALUE` for a value that begins so.

    A field that a record does not have is the empty text.

    Raises:
        UnreadableCondition: It reads otherwise.
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UnreadableCondition(
            f"{text!r} is no condition; it is written FIELD=VALUE, FIELD!=VALUE or, for a value"
            " that begins so, FIELD^=VALUE"
        )
    name, operator, wanted = match.groups()
    get = getter(name.strip())
    match operator:
        case "=":
            return lambda record: (get(record) or "") == wanted
        case "!=":
            return lambda record: (get(record) or "") != wanted
        case _:
            return lambda record: (get(record) or "").startswith(wanted)


def every(conditions: Iterable[Accepts]) -> Accepts | None:
    """All conditions at once; `None` where there is none."""
    held = tuple(conditions)
    return (lambda record: all(accepts(record) for accepts in held)) if held else None


def within(sighting: Sighting, since: float | None, until: float | None) -> bool:
    """Whether something was seen at or after one moment and before another.

    What has no time is in no window.
    """
    if since is None and until is None:
        return True
    if sighting.at is None:
        return False
    return (since is None or sighting.at >= since) and (until is None or sighting.at < until)
