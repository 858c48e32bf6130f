"""A question is complete and possible, or it is refused with a sentence."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from math import inf, nan

import pytest

from gateway.verdict import USUAL, Question, Unjudgeable
from gateway.verdict.question import checked_count, checked_rate, checked_share


def test_usual_rates_are_the_defaults() -> None:
    """The usual question needs no arguments."""
    assert Question() == USUAL == Question(false_alarm=1e-6, miss=0.01, tolerance=0.03)


def test_a_question_does_not_change() -> None:
    """Error rates are stated beforehand and stay."""
    with pytest.raises(FrozenInstanceError):
        USUAL.miss = 0.5  # type: ignore[misc]


@pytest.mark.parametrize("field", ["false_alarm", "miss", "tolerance"])
@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, nan, inf, True, "0.1", None])
def test_rates_outside_zero_and_one_are_refused(field: str, value: object) -> None:
    """The refusal names the field, its value and what is allowed."""
    with pytest.raises(Unjudgeable) as refusal:
        Question(**{field: value})  # type: ignore[arg-type]
    assert str(refusal.value) == (
        f"question.{field} is {value!r}; allowed is a number above 0 and below 1"
    )
    assert isinstance(refusal.value, ValueError)
    assert refusal.value.code == "unjudgeable"
    assert refusal.value.field == f"question.{field}"
    assert refusal.value.allowed == "a number above 0 and below 1"


@pytest.mark.parametrize("value", [-0.1, 1.1, nan, True, "1", None])
def test_shares_outside_zero_to_one_are_refused(value: object) -> None:
    """A share may be 0 or 1 and anything between."""
    with pytest.raises(Unjudgeable, match=r"share is .*; allowed is a number from 0 to 1"):
        checked_share("share", value)


@pytest.mark.parametrize("value", [-1, 1.0, True, "1", None])
def test_counts_are_whole_numbers(value: object) -> None:
    """Half a request was never sent."""
    with pytest.raises(Unjudgeable, match=r"n is .*; allowed is a whole number, 0 or more"):
        checked_count("n", value)


def test_what_is_allowed_is_returned() -> None:
    """A checked value comes back as it was."""
    assert checked_rate("rate", 0.5) == 0.5
    assert [checked_share("share", share) for share in (0, 0.5, 1)] == [0, 0.5, 1]
    assert checked_count("n", 0) == 0
