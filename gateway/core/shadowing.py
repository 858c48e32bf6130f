"""Rules that can never be hit, because earlier rules of the list take every request they ask for.

Only what is certain is told: of rules about the same key, a value that hits the later one always
hits an earlier one. Regular expressions are compared with single values and with themselves, and
with nothing else; rules about different keys never shadow each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

from gateway.core.alias import Route
from gateway.core.methods import METHODS, Test, members_of, range_of
from gateway.core.rules import CONDITION, Rule


@dataclass(frozen=True, slots=True)
class Shadowed:
    """A rule that can never be hit.

    Attributes:
        number: The rule, counted from 1.
        when: Its condition.
        by: The earlier rules that take its requests, counted from 1.
    """

    number: int
    when: str
    by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Condition:
    """The values that a rule asks for."""

    number: int
    key: str
    method: str
    expression: str
    test: Test

    def values(self) -> Collection[str] | None:
        """Every value that hits, where they can be listed."""
        if self.method == "exact":
            return (self.expression,)
        return members_of(self.expression) if self.method == "in" else None


def shadowed(route: Route) -> tuple[Shadowed, ...]:
    """Every rule of a route that can never be hit, with the rules that take its requests."""
    found = []
    earlier: list[_Condition] = []
    for number, rule in enumerate(route.rules, start=1):
        condition = _condition(number, rule)
        by = _taken_by(condition, [other for other in earlier if other.key == condition.key])
        if by:
            found.append(Shadowed(number, rule.when, by))
        earlier.append(condition)
    return tuple(found)


def _condition(number: int, rule: Rule) -> _Condition:
    parts = CONDITION.fullmatch(rule.when)
    assert parts is not None  # noqa: S101 - a rule was parsed by the same expression
    expression = (parts["expression"] or "").strip()
    test = METHODS[parts["method"]](expression)
    return _Condition(number, parts["key"], parts["method"], expression, test)


def _taken_by(condition: _Condition, earlier: Sequence[_Condition]) -> tuple[int, ...]:
    """The earlier rules that take every value; none where a value may be left."""
    for other in earlier:
        if _same(condition, other) or _wider(condition, other):
            return (other.number,)
    values = condition.values()
    if values is not None:
        return _shared_out(values, earlier)
    return _bridged(condition, earlier) if condition.method == "range" else ()


def _same(condition: _Condition, other: _Condition) -> bool:
    return (other.method, other.expression) == (condition.method, condition.expression)


def _wider(condition: _Condition, other: _Condition) -> bool:
    """Whether one rule alone takes every value, whatever the values are."""
    if other.method == "prefix" and condition.method == "prefix":
        return condition.expression.startswith(other.expression)
    return other.method == "exists"


def _shared_out(values: Collection[str], earlier: Sequence[_Condition]) -> tuple[int, ...]:
    """The first earlier rule for each value; none if one of them is nobody's."""
    takers = {
        next((other.number for other in earlier if other.test(value)), None) for value in values
    }
    return () if None in takers else tuple(sorted(cast("set[int]", takers)))


def _bridged(condition: _Condition, earlier: Sequence[_Condition]) -> tuple[int, ...]:
    """The earlier ranges that leave no integer of a range; none if one is left."""
    low, high = range_of(condition.expression)
    ranges = [(*range_of(o.expression), o.number) for o in earlier if o.method == "range"]
    by: list[int] = []
    for first, last, number in sorted(ranges):
        if first > low:
            break
        if last >= low:
            by.append(number)
            low = last + 1
        if low > high:
            return tuple(sorted(by))
    return ()
