"""A question states its error rates before any request is counted.

What cannot be judged is refused by name, with its value and with what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar


class Unjudgeable(ValueError):
    """A question, a split or a count that no test can be asked about.

    Attributes:
        code: Stable name of the kind of mistake.
        field: What was given, for example `question.miss` or `counts["2"]`.
        value: The value it had.
        allowed: What it may be.
    """

    code: ClassVar[str] = "unjudgeable"

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(f"{field} is {value!r}; allowed is {allowed}")


def checked_rate(field: str, value: object) -> float:
    """Return `value` if it is a number above 0 and below 1.

    Raises:
        Unjudgeable: It is not, or it is NaN or no number at all.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise Unjudgeable(field, value, "a number above 0 and below 1")
    return value


def checked_share(field: str, value: object) -> float:
    """Return `value` if it is a number from 0 to 1.

    Raises:
        Unjudgeable: It is not, or it is NaN or no number at all.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Unjudgeable(field, value, "a number from 0 to 1")
    return value


def checked_count(field: str, value: object) -> int:
    """Return `value` if it is a whole number, 0 or more.

    Raises:
        Unjudgeable: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Unjudgeable(field, value, "a whole number, 0 or more")
    return value


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a split, and how often the answer may be wrong.

    Attributes:
        false_alarm: The greatest probability with which a correct split is called failed.
        miss: The greatest probability with which a split that is off by `tolerance` is called
            passed.
        tolerance: The deviation of a version's share that matters, as an absolute share:
            0.03 is three percentage points.

    Raises:
        Unjudgeable: One of them is not above 0 and below 1.
    """

    false_alarm: float = 1e-6
    miss: float = 0.01
    tolerance: float = 0.03

    def __post_init__(self) -> None:
        for field in fields(self):
            checked_rate(f"question.{field.name}", getattr(self, field.name))


USUAL = Question()
"""One false alarm in a million, one miss in a hundred, three percentage points."""
