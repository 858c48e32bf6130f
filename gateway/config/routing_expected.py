"""What routing tests expect: of one request a version, a back end or an error; of many, shares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gateway.config.fields import number, whole, wrong_key
from gateway.config.routing_asked import MOST, Asked, Asking
from gateway.core import names
from gateway.core.errors import (
    ApiNotFound,
    FunctionNotFound,
    MethodNotSupported,
    Place,
    Problem,
    QualifierNotFound,
    listed,
    nearest,
)
from gateway.core.shapes import Reader
from gateway.verdict import USUAL, Question

BACKENDS: Final = ("function", "http", "mock")
ERRORS: Final = tuple(
    error.code for error in (ApiNotFound, MethodNotSupported, FunctionNotFound, QualifierNotFound)
)
"""How a request can end that no version answers."""

REASONS: Final = ("main", "weight", "sticky", "pinned", "rule:1")

_REASON = re.compile(r"main|weight|sticky|pinned|rule:[1-9][0-9]*")
_OUTCOMES: Final = ("version", "backend", "error")


@dataclass(frozen=True, slots=True)
class Case:
    """One request and what it must meet.

    Attributes:
        at: Where it stands in the file.
        name: What it is called.
        asked: The request.
        draw: What settles a weighted choice; `None` if every draw must lead there.
        version: The version that must answer.
        backend: The kind of back end that must answer.
        error: The error that must come instead.
        reason: Why that version.
    """

    at: Place
    name: str
    asked: Asked
    draw: float | None
    version: str
    backend: str
    error: str
    reason: str


@dataclass(frozen=True, slots=True)
class SplitTest:
    """Many requests of one kind, and the shares that versions must have of them.

    Attributes:
        at: Where it stands in the file.
        name: What it is called.
        asked: The request.
        expected: Shares by version; of versions that are not named, nothing is expected.
        draws: Through how many draws; 0 to compute the shares from the weights.
        question: The tolerance, and the error rates of draws.
    """

    at: Place
    name: str
    asked: Asked
    expected: Mapping[str, float]
    draws: int
    tolerance: float
    question: Question


@dataclass(frozen=True, slots=True)
class RuleTest:
    """A rule that must, or must not, be hit.

    Attributes:
        at: Where it stands in the file.
        name: What it is called.
        function: The function.
        alias: The alias.
        number: The rule, counted from 1.
        hit: Whether some request must hit it; else none may.
    """

    at: Place
    name: str
    function: str
    alias: str
    number: int
    hit: bool


def read_case(asking: Asking, reader: Reader) -> Case | None:
    """One of `[[cases]]`; `None` after a mistake was recorded."""
    before = len(reader.problems)
    asked = asking.request(reader)
    draw = _below_one(reader, "draw")
    found = {
        "version": _version(reader, "version"),
        "backend": reader.choice("backend", BACKENDS, "function"),
        "error": reader.choice("error", ERRORS, ERRORS[0]),
    }
    given = [key for key in _OUTCOMES if reader.has(key)]
    reason = _reason(reader)
    name = reader.text("name", str(asked))
    reader.finish()
    if len(given) != 1 and not (not given and reason):
        said = f"has {listed(given)}" if given else "has none of them"
        message = f"{reader.what} expects one of {listed(_OUTCOMES)}, and {said}"
        reader.wrong("missing-key" if not given else "contradiction", message)
    if reason and (reader.has("error") or found["backend"] != "function"):
        message = f"{reader.what} has a reason, and only functions answer for one"
        reader.wrong("contradiction", message, "reason")
    if asked is None or len(reader.problems) > before:
        return None
    expected = {key: found[key] if key in given else "" for key in _OUTCOMES}
    return Case(reader.at, name, asked, draw, reason=reason, **expected)


def read_split(asking: Asking, reader: Reader) -> SplitTest | None:
    """One of `[[splits]]`; `None` after a mistake was recorded."""
    before = len(reader.problems)
    asked = asking.request(reader)
    expected = _shares(reader)
    draws = whole(reader, "draws", 0, (range(MOST + 1), f"0 to {MOST:,}"))
    tolerance = _below_one(reader, "tolerance") or 0.0
    rates = {key: _rate(reader, key, draws) for key in ("false_alarm", "miss")}
    name = reader.text("name", str(asked))
    reader.finish()
    if draws and not tolerance and len(reader.problems) == before:
        message = f"{reader.what} is judged by draws and needs a 'tolerance' above 0"
        reader.wrong("missing-key", message, hint="for example: tolerance = 0.01")
    if asked is None or len(reader.problems) > before:
        return None
    question = Question(**rates, tolerance=tolerance or USUAL.tolerance)
    return SplitTest(reader.at, name, asked, expected, draws, tolerance, question)


def _version(reader: Reader, key: str) -> str:
    version = reader.text(key)
    if version and not names.is_version(version):
        message = f"{version!r} of {reader.what} is no version; allowed: {names.VERSION_RULE}"
        reader.wrong("bad-name", message, key)
    return version


def _reason(reader: Reader) -> str:
    reason = reader.text("reason")
    if reason and _REASON.fullmatch(reason) is None:
        message = f"{reason!r} of {reader.what} is no reason; allowed: {listed(REASONS)} ..."
        reader.wrong("unknown-value", message, "reason", hint=nearest(reason, REASONS))
    return reason


def _below_one(reader: Reader, key: str) -> float | None:
    value = number(reader, key)
    if value is None:
        return None
    if not 0 <= float(value) < 1:
        allowed = "a number from 0 up to, but not, 1"
        reader.wrong("out-of-range", f"{key} of {reader.what} is {value}; allowed: {allowed}", key)
    return float(value)


def _rate(reader: Reader, key: str, draws: int) -> float:
    usual: float = getattr(USUAL, key)
    value = number(reader, key)
    if value is None:
        return usual
    if not 0 < float(value) < 1:
        allowed = "a number above 0 and below 1"
        reader.wrong("out-of-range", f"{key} of {reader.what} is {value}; allowed: {allowed}", key)
        return usual
    if not draws:
        message = f"{key!r} has no effect on shares that are computed from the weights"
        reader.wrong("unused-key", message, key, hint="set draws = 100000")
    return float(value)


def _shares(reader: Reader) -> dict[str, float]:
    """`expect`: shares by version, which are at most 1 together."""
    if not reader.has("expect"):
        reader.get("expect")
        hint = 'for example: expect = { "1" = 0.9, "2" = 0.1 }'
        reader.wrong("missing-key", f"{reader.what} needs 'expect'", hint=hint)
        return {}
    shares, total = {}, Decimal()
    inner = Reader(reader.get("expect"), f"expect of {reader.what}", reader.problems, _at(reader))
    for version in inner.keys():  # noqa: SIM118 - a reader is no dictionary
        if not names.is_version(version):
            message = f"{version!r} is no version; allowed: {names.VERSION_RULE}"
            wrong_key(inner, Problem("bad-name", message, (version,)))
        value = number(inner, version)
        if value is not None and not 0 <= float(value) <= 1:
            message = f"the share of version {version!r} is {value}; allowed: 0 to 1"
            inner.wrong("out-of-range", message, version, hint="a share: 10 % is 0.1")
        elif value is not None:
            shares[version], total = float(value), total + value
    if total > 1:
        message = f"the shares of {inner.what} add up to {total}; allowed: at most 1"
        inner.wrong("out-of-range", message)
    if not shares and not any(problem.at[:3] == inner.at for problem in reader.problems):
        inner.wrong("missing-key", f"{inner.what} names no version")
    return shares


def _at(reader: Reader) -> Place:
    return (*reader.at, "expect")
