"""Reading raw tables, from TOML or JSON alike: every mistake is collected, none stops the reading.

A `Reader` hands out typed fields of one table and remembers what was wrong. `finish` adds the
unknown keys with the nearest known one, so a typo is never a silent default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf, isfinite
from typing import cast

from gateway.core.errors import Place, Problem, listed, nearest

_KINDS = (
    (bool, "a boolean"),
    (str, "a string"),
    (Mapping, "a table"),
    (Sequence, "a list"),
    (int | float | Decimal, "a number"),
)


def kind_of(value: object) -> str:
    """What a value is, in the words of TOML and JSON."""
    if value is None:
        return "null"
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a date or time")


def as_float(value: object) -> float | None:
    """A number of any type, infinite where it has no value; `None` where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer beyond all floats
        return inf
    return number if isfinite(number) else inf


class Reader:
    """Reads the fields of one raw table.

    Args:
        raw: The table; anything else is reported and read as an empty one.
        what: What the table describes, for messages: `"alias 'release'"`.
        at: Where the table sits in the whole input.
        problems: Where mistakes are collected; shared by all readers of one input.
    """

    def __init__(self, raw: object, what: str, problems: list[Problem], at: Place = ()) -> None:
        self.what = what
        self.at = at
        self.problems = problems
        self._asked: list[str] = []
        self._raw: Mapping[str, object] = {}
        if isinstance(raw, Mapping):
            self._raw = cast("Mapping[str, object]", raw)
        else:
            self.wrong("wrong-type", f"{what} must be a table, not {kind_of(raw)}")

    def wrong(self, code: str, message: str, *at: str | int, hint: str = "") -> None:
        """Record a mistake at a place below this table."""
        self.problems.append(Problem(code, message, (*self.at, *at), hint))

    def has(self, key: str) -> bool:
        """Whether the table names the key."""
        return key in self._raw

    def keys(self) -> list[str]:
        """The keys of a table whose keys are names chosen by the user."""
        self._asked.extend(self._raw)
        return list(self._raw)

    def get(self, key: str) -> object:
        """The raw value, or `None` where there is none."""
        self._asked.append(key)
        return self._raw.get(key)

    def text(self, key: str, default: str = "") -> str:
        """A string field."""
        value = self._typed(key, str, "a string")
        return default if value is None else cast("str", value)

    def required(self, key: str, example: str) -> str | None:
        """A string field that must be there; `None` after a mistake was recorded."""
        if self.has(key):
            value = self._typed(key, str, "a string")
            return cast("str | None", value)
        self.get(key)
        hint = f"for example: {key} = {example}"
        self.wrong("missing-key", f"{self.what} needs {key!r}", hint=hint)
        return None

    def flag(self, key: str, *, default: bool) -> bool:
        """A boolean field."""
        value = self._typed(key, bool, "true or false")
        return default if value is None else cast("bool", value)

    def mapping(self, key: str) -> Mapping[str, object]:
        """A table field; empty where it is missing."""
        return cast("Mapping[str, object]", self._typed(key, Mapping, "a table") or {})

    def sequence(self, key: str) -> Sequence[object]:
        """A list field; empty where it is missing."""
        return cast("Sequence[object]", self._typed(key, list, "a list") or ())

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        """A string field with a closed list of values."""
        value = self.text(key, default)
        if value in allowed:
            return value
        message = f"{key} of {self.what} is {value!r}; allowed: {listed(allowed)}"
        self.wrong("unknown-value", message, key, hint=nearest(value, allowed))
        return default

    def finish(self) -> None:
        """Report every key that nobody asked for."""
        for key in self._raw:
            if key not in self._asked:
                known = sorted(set(self._asked))
                message = f"{self.what} has no key {key!r}; allowed: {listed(known)}"
                problem = Problem(
                    "unknown-key", message, (*self.at, key), nearest(key, known), on_key=True
                )
                self.problems.append(problem)

    def _typed(self, key: str, kind: type, wanted: str) -> object:
        value = self.get(key)
        if value is None and not self.has(key):
            return None
        if isinstance(value, kind):
            return value
        message = f"{key} of {self.what} must be {wanted}, not {kind_of(value)}"
        self.wrong("wrong-type", message, key)
        return None
