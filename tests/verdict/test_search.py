"""Halving finds the one place where an answer changes, from wherever it starts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.verdict.search import first, first_near


@pytest.mark.parametrize(
    ("candidates", "threshold", "found"),
    [
        pytest.param(range(10), 4, 4, id="in-the-middle"),
        pytest.param(range(3, 10), 0, 3, id="the-first"),
        pytest.param(range(3, 10), 99, 10, id="none-is-the-stop"),
        pytest.param(range(5, 5), 0, 5, id="no-candidates"),
    ],
)
def test_first_candidate_that_holds(candidates: range, threshold: int, found: int) -> None:
    """The stop of the range says that none holds."""
    assert first(candidates, lambda number: number >= threshold) == found


@settings(deadline=None)
@given(threshold=st.integers(0, 5000), guess=st.integers(0, 10_000), above=st.integers(0, 10_000))
def test_any_guess_finds_the_first_number_beyond(threshold: int, guess: int, above: int) -> None:
    """A bad guess costs time, not truth."""
    found = first_near(guess, above, lambda number: number >= threshold)
    assert found == max(threshold, above + 1)


def test_a_good_guess_asks_little() -> None:
    """Twenty questions are enough near a million."""
    asked: list[int] = []

    def holds(number: int) -> bool:
        asked.append(number)
        return number >= 1_000_100

    assert first_near(1_000_000, 0, holds) == 1_000_100
    assert len(asked) < 20
