"""Circuit breakers: when a version that fails is left alone for a while. Declared, never implied.

A breaker belongs to a function and holds for each of its versions by itself: what one version does
tells nothing of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.core.errors import Problem, Refused
from gateway.core.shapes import Reader, as_float, kind_of

LONGEST: Final = 900
"""Most seconds of a window or a pause."""

REQUESTS: Final = range(1, 10_001)
"""How many requests may be needed before a share of errors means anything."""

TRIALS: Final = range(1, 101)
"""How many requests may try a version after a pause."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a version is left alone, and for how long.

    Attributes:
        errors: The share of errors from which on it is, above 0 and at most 1.
        requests: How many requests it must have answered lately for the share to count.
        window: How many seconds are lately.
        pause: Seconds for which it is left alone.
        trials: How many requests then try whether it works again.
    """

    errors: float
    requests: int = 20
    window: float = 10.0
    pause: float = 5.0
    trials: int = 3

    def to_dict(self) -> dict[str, object]:
        """As stages.toml and the API write it."""
        return {
            "errors": self.errors,
            "requests": self.requests,
            "window": self.window,
            "pause": self.pause,
            "trials": self.trials,
        }


USUAL: Final = Breaker(0.5)
"""What is meant where only the share of errors is said."""


def parse_breaker(raw: object, what: str) -> Breaker:
    """Read `{errors, requests, window, pause, trials}`.

    Args:
        raw: The table as TOML or JSON gave it; numbers may be of any type.
        what: What it belongs to, for messages: `"the breaker of function 'orders'"`.

    Raises:
        Refused: With every mistake found.
    """
    problems: list[Problem] = []
    reader = Reader(raw, what, problems)
    found = Breaker(
        _read_errors(reader),
        _read_whole(reader, "requests", REQUESTS, USUAL.requests),
        _read_seconds(reader, "window", USUAL.window),
        _read_seconds(reader, "pause", USUAL.pause),
        _read_whole(reader, "trials", TRIALS, USUAL.trials),
    )
    reader.finish()
    if problems:
        raise Refused(problems)
    return found


def _read_errors(reader: Reader) -> float:
    if not reader.has("errors"):
        reader.get("errors")
        message = f"{reader.what} needs 'errors', the share from which on a version is left alone"
        reader.wrong("missing-key", message, hint="for example: errors = 0.5")
        return USUAL.errors
    errors = _number(reader, "errors", USUAL.errors)
    if 0 < errors <= 1:
        return errors
    message = f"errors of {reader.what} is {errors:g}; allowed: more than 0, at most 1"
    reader.wrong("out-of-range", message, "errors", hint="a share: 10 % is 0.1")
    return USUAL.errors


def _read_seconds(reader: Reader, key: str, usual: float) -> float:
    seconds = _number(reader, key, usual)
    if 0 < seconds <= LONGEST:
        return seconds
    allowed = f"seconds, more than 0 and at most {LONGEST}"
    message = f"{key} of {reader.what} is {seconds:g}; allowed: {allowed}"
    reader.wrong("out-of-range", message, key)
    return usual


def _read_whole(reader: Reader, key: str, allowed: range, usual: int) -> int:
    number = _number(reader, key, usual)
    if number in allowed:
        return int(number)
    message = f"{key} of {reader.what} is {number:g}; allowed: {allowed[0]} to {allowed[-1]}"
    reader.wrong("out-of-range", message, key)
    return usual


def _number(reader: Reader, key: str, usual: float) -> float:
    """A number that may be missing; the usual one after a mistake was recorded."""
    value = reader.get(key)
    if value is None and not reader.has(key):
        return usual
    number = as_float(value)
    if number is not None:
        return number
    hint = ""
    if isinstance(value, str) and value.removesuffix("s").replace(".", "", 1).isdigit():
        hint = f"write it as a number: {key} = {value.removesuffix('s')}"
    message = f"{key} of {reader.what} must be a number, not {kind_of(value)}"
    reader.wrong("wrong-type", message, key, hint=hint)
    return usual
