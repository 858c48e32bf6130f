"""Faults on purpose: what a version is told to get wrong, and how the dice settle it.

A fault is declared for a version and never there by itself. Every draw takes the same number of
dice whatever they show, so that a run with the same seed goes wrong at the same requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, log1p, pi, sqrt
from typing import Final, NamedTuple, cast

from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.shapes import Reader, as_float, kind_of

LONGEST: Final = 900
"""Most seconds of a latency: the cloud's limit for a function."""

STATUSES: Final = range(430, 600)
"""What an injected error may answer with: all that counts as an error of the version."""

KINDS: Final = ("uniform", "exponential", "normal")
"""How a latency may be spread."""

_FIXED: Final = "fixed"
_FORMS: Final = {
    "uniform": ("two numbers, the shortest and the longest", "[0.1, 0.5]"),
    "exponential": ("a number, the mean", "0.2"),
    "normal": ("two numbers, the mean and the standard deviation", "[0.2, 0.05]"),
}
_ALLOWED: Final = f"seconds, more than 0 and at most {LONGEST}"

Dice = Callable[[], float]
"""Gives a number in [0, 1) at each call."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a version is made to wait.

    Attributes:
        kind: `fixed`, or one of `KINDS`.
        values: Seconds: the time itself, shortest and longest, the mean, or the mean and the
            standard deviation.
    """

    kind: str
    values: tuple[float, ...]

    def draw(self, dice: Dice) -> float:
        """Seconds to wait; never negative."""
        first, last = self.values[0], self.values[-1]
        if self.kind == "uniform":
            return first + (last - first) * dice()
        if self.kind == "exponential":
            return -first * log1p(-dice())
        if self.kind == "normal":  # Box and Muller 1958; the second of the pair is not used
            spread = sqrt(-2 * log1p(-dice())) * cos(2 * pi * dice())
            return max(0.0, first + last * spread)
        return first

    def to_plain(self) -> float | dict[str, object]:
        """As stages.toml and the API write it."""
        if self.kind == _FIXED:
            return self.values[0]
        return {self.kind: list(self.values) if len(self.values) > 1 else self.values[0]}


class Drawn(NamedTuple):
    """What a fault does to one request.

    Attributes:
        status: The status of the error that takes the handler's place; 0 for none.
        latency: Seconds to wait before.
    """

    status: int
    latency: float


@dataclass(frozen=True, slots=True)
class Fault:
    """What a version is told to get wrong.

    Attributes:
        errors: The share of requests that fail, 0 to 1.
        status: What they are answered with.
        latency: How long requests wait before the handler runs; `None` for not at all.
    """

    errors: float = 0.0
    status: int = STATUSES[0]
    latency: Latency | None = None

    def draw(self, dice: Dice) -> Drawn:
        """What becomes of one request."""
        status = self.status if dice() < self.errors else 0
        return Drawn(status, self.latency.draw(dice) if self.latency else 0.0)

    def to_dict(self) -> dict[str, object]:
        """As stages.toml and the API write it."""
        latency = self.latency.to_plain() if self.latency else None
        return {"errors": self.errors, "status": self.status, "latency": latency}


def parse_fault(raw: object, what: str) -> Fault:
    """Read `{errors, status, latency}`.

    Args:
        raw: The table as TOML or JSON gave it; numbers may be of any type.
        what: What it belongs to, for messages: `"the fault of version '2'"`.

    Raises:
        Refused: With every mistake found.
    """
    problems: list[Problem] = []
    reader = Reader(raw, what, problems)
    errors = _read_errors(reader)
    status = _read_status(reader)
    latency = _read_latency(reader)
    reader.finish()
    if not problems and not errors and latency is None:
        message = f"{what} does nothing; it needs a share of errors, a latency, or both"
        problems.append(Problem("empty-fault", message, hint="for example: errors = 0.05"))
    if problems:
        raise Refused(problems)
    return Fault(errors, status, latency)


def _read_errors(reader: Reader) -> float:
    value = reader.get("errors")
    if value is None:
        return 0.0
    errors = as_float(value)
    if errors is None:
        message = f"errors of {reader.what} must be a number, not {kind_of(value)}"
        reader.wrong("wrong-type", message, "errors")
    elif not 0 <= errors <= 1:
        message = f"errors of {reader.what} is {value}; allowed: 0 to 1"
        reader.wrong("out-of-range", message, "errors", hint="a share: 10 % is 0.1")
    else:
        return errors
    return 0.0


def _read_status(reader: Reader) -> int:
    value = reader.get("status")
    if value is None:
        return STATUSES[0]
    if not isinstance(value, bool) and isinstance(value, int) and value in STATUSES:
        return value
    said = value if as_float(value) is not None else kind_of(value)
    message = f"status of {reader.what} is {said}; allowed: {STATUSES[0]} to {STATUSES[-1]}"
    reader.wrong("out-of-range", message, "status")
    return STATUSES[0]


def _read_latency(reader: Reader) -> Latency | None:
    value = reader.get("latency")
    if value is None:
        return None
    if isinstance(value, Mapping):
        return _read_spread(reader, cast("Mapping[str, object]", value))
    seconds = as_float(value)
    if seconds is None:
        message = f"latency of {reader.what} must be a number or a table, not {kind_of(value)}"
        reader.wrong("wrong-type", message, "latency")
    elif not 0 < seconds <= LONGEST:
        message = f"latency of {reader.what} is {value}; allowed: {_ALLOWED}"
        reader.wrong("out-of-range", message, "latency", hint=_milliseconds(seconds))
    else:
        return Latency(_FIXED, (seconds,))
    return None


def _read_spread(reader: Reader, table: Mapping[str, object]) -> Latency | None:
    what = f"latency of {reader.what}"
    if len(table) != 1:
        message = f"{what} has {listed(table)}; it needs exactly one of {listed(KINDS)}"
        reader.wrong("wrong-latency", message, "latency")
        return None
    [(kind, value)] = table.items()
    if kind not in KINDS:
        message = f"{what} has no key {kind!r}; allowed: {listed(KINDS)}"
        problem = Problem(
            "unknown-key",
            message,
            (*reader.at, "latency", kind),
            nearest(kind, KINDS),
            on_key=True,
        )
        reader.problems.append(problem)
        return None
    values = _seconds(kind, value)
    if values is not None:
        return Latency(kind, values)
    form, example = _FORMS[kind]
    message = f"the {kind} {what} must be {form}, in seconds from 0 to {LONGEST}"
    reader.wrong("wrong-latency", message, "latency", kind, hint=f"for example: {example}")
    return None


def _seconds(kind: str, raw: object) -> tuple[float, ...] | None:
    """The numbers of a spread, if they are as many as it needs and in their places."""
    single = kind == "exponential"
    given = raw if isinstance(raw, list) else [raw]
    found = tuple(number for number in map(as_float, given) if number is not None)
    fits = (
        isinstance(raw, list) != single
        and len(found) == len(given) == (1 if single else 2)
        and all(0 <= number <= LONGEST for number in found)
        and any(found)
        and (kind != "uniform" or found[0] <= found[1])
    )
    return found if fits else None


def _milliseconds(seconds: float) -> str:
    return "a latency is in seconds, not in milliseconds" if seconds > LONGEST else ""
