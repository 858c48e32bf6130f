"""Fields that only the file has: numbers within limits, and tables of strings under free names."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from decimal import Decimal
from typing import Any, Final

from gateway.core.errors import Problem
from gateway.core.shapes import Reader, kind_of

LONGEST: Final = 900
"""Most seconds that anything may take: the cloud's limit for a function."""

_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def number(reader: Reader, key: str) -> int | Decimal | None:
    """A number field; `None` where it is missing or was reported as something else."""
    value = reader.get(key)
    if value is None:
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value
    hint = ""
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value):
        hint = f"write it without quotes: {key} = {value}"
    message = f"{key} of {reader.what} must be a number, not {kind_of(value)}"
    reader.wrong("wrong-type", message, key, hint=hint)
    return None


def seconds(reader: Reader, key: str, default: float) -> float:
    """A time above 0, at most `LONGEST`."""
    value = number(reader, key)
    if value is None:
        return default
    if 0 < (time := float(value)) <= LONGEST:
        return time
    allowed = f"seconds, more than 0 and at most {LONGEST}"
    hint = (
        "the file counts in seconds, not in milliseconds" if 1000 <= time <= LONGEST * 1000 else ""
    )
    message = f"{key} of {reader.what} is {value}; allowed: {allowed}"
    reader.wrong("out-of-range", message, key, hint=hint)
    return default


def whole(reader: Reader, key: str, default: int, allowed: tuple[Container[int], str]) -> int:
    """An integer out of those allowed, which come with their description for the message."""
    value = number(reader, key)
    if value is None:
        return default
    if isinstance(value, int) and value in allowed[0]:
        return value
    message = f"{key} of {reader.what} is {value}; allowed: {allowed[1]}"
    reader.wrong("out-of-range", message, key)
    return default


def variables(reader: Reader, key: str) -> Mapping[str, str]:
    """A table of strings under names that can be environment variables."""
    found = strings(reader, key)
    for name in found:
        if _VARIABLE.fullmatch(name) is None:
            allowed = "letters, digits and '_', not starting with a digit"
            message = f"{name!r} cannot name a variable; allowed: {allowed}"
            wrong_key(reader, Problem("bad-name", message, (key, name)))
    return found


def strings(reader: Reader, key: str) -> Mapping[str, str]:
    """A table of strings; other values are reported and left out."""
    found = {}
    for name, value in reader.mapping(key).items():
        if isinstance(value, str):
            found[name] = value
            continue
        message = f"{name} in {key} of {reader.what} must be a string, not {kind_of(value)}"
        reader.wrong("wrong-type", message, key, name)
    return found


def as_written(value: Any) -> Any:  # noqa: ANN401 - numbers, wherever they are
    """Numbers as people write them: without a fraction that is none."""
    if isinstance(value, dict):
        return {key: as_written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_written(inner) for inner in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else Decimal(repr(value))
    return value


def wrong_key(reader: Reader, problem: Problem) -> None:
    """Record a mistake that is the key at a place, and not the value behind it."""
    place = problem.under(*reader.at)
    reader.problems.append(Problem(place.code, place.message, place.at, place.hint, on_key=True))
