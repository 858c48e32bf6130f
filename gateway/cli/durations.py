"""Durations on the command line: one form everywhere, such as `30s`, `1.5h` or `3d`."""

from __future__ import annotations

import re
from typing import Final

import click

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)?")
_UNITS: Final = {"ms": 0.001, None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class Duration(click.ParamType[float]):
    """A time such as `30s`, `5m`, `1.5h`, `3d`, or a number of seconds.

    Args:
        bounds: The shortest and the longest that are allowed, written so; `None` for any.
    """

    name = "duration"

    def __init__(self, bounds: tuple[str, str] | None = None) -> None:
        self._bounds = bounds

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds."""
        text = str(value)
        try:
            seconds = _seconds(text)
        except ValueError:
            self.fail(f"{text!r} is no duration; for example: 30s, 5m, 1h", param, ctx)
        if self._bounds is not None:
            shortest, longest = self._bounds
            if not _seconds(shortest) <= seconds <= _seconds(longest):
                self.fail(f"{text!r} is not allowed; allowed: {shortest} to {longest}", param, ctx)
        return seconds


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * _UNITS[match[2]]
