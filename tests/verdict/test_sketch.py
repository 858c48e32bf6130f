"""Latency quantiles: within the stated error of the true ones, and lossless when merged."""

from __future__ import annotations

import json
from math import ceil, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.verdict.sketch import LARGEST, RELATIVE_ERROR, SMALLEST, Sketch

NUMBERS = st.floats(min_value=SMALLEST * 1.001, max_value=LARGEST)
SHARES = st.floats(min_value=0, max_value=1)


def sketch_of(numbers: list[float]) -> Sketch:
    """A sketch of these numbers."""
    sketch = Sketch()
    for number in numbers:
        sketch.add(number)
    return sketch


@given(st.lists(NUMBERS, min_size=1), SHARES)
def test_a_quantile_is_within_the_stated_error_of_the_number_of_its_rank(
    numbers: list[float], share: float
) -> None:
    """The number of that rank in the sorted list is the truth."""
    rank = max(1, ceil(share * len(numbers)))
    true = sorted(numbers)[rank - 1]
    told = sketch_of(numbers).quantile(share)
    assert told == pytest.approx(true, rel=RELATIVE_ERROR * 1.000001)


@given(st.lists(NUMBERS), st.lists(NUMBERS))
def test_merged_sketches_are_the_sketch_of_all_numbers(one: list[float], two: list[float]) -> None:
    """Adding up two sketches loses nothing."""
    merged = sketch_of(one)
    merged.merge(sketch_of(two))
    both = sketch_of(one + two)
    assert merged.to_plain()["counts"] == both.to_plain()["counts"]
    assert merged.total == len(one) + len(two)
    assert merged.largest == both.largest
    assert merged.sum == pytest.approx(both.sum)


@given(st.lists(st.floats(-1.0, LARGEST * 10)), st.lists(NUMBERS))
def test_many_numbers_at_once_are_counted_as_one_by_one(
    many: list[float], few: list[float]
) -> None:
    """Also those that are too small, too large, or no number of seconds at all."""
    at_once, expected = sketch_of(few), sketch_of(few + many)
    at_once.extend(many)
    assert at_once.counts == expected.counts
    assert at_once.largest == expected.largest
    assert at_once.sum == pytest.approx(expected.sum)


@given(st.lists(NUMBERS))
def test_plain_values_hold_everything(numbers: list[float]) -> None:
    """Through JSON and back, nothing changes."""
    sketch = sketch_of(numbers)
    again = Sketch.from_plain(json.loads(json.dumps(sketch.to_plain())))
    assert again.to_plain() == sketch.to_plain()
    assert again.quantiles([0, 0.5, 1]) == sketch.quantiles([0, 0.5, 1])


def test_nothing_has_no_quantile_and_no_mean() -> None:
    """There is no number to tell."""
    assert Sketch().quantile(0.5) is None
    assert Sketch().mean is None


def test_the_mean_and_the_largest_are_exact() -> None:
    """Both are kept beside the buckets."""
    sketch = Sketch()
    sketch.add(0.25, times=3)
    sketch.add(1.25)
    assert (sketch.mean, sketch.largest, sketch.total) == (0.5, 1.25, 4)
    assert sketch.quantile(1) == 1.25


@pytest.mark.parametrize("number", [0.0, -1.0, SMALLEST], ids=["zero", "negative", "smallest"])
def test_numbers_too_small_to_tell_are_told_as_zero(number: float) -> None:
    """Times that no clock tells apart are one."""
    sketch = sketch_of([number, 1.0])
    assert sketch.quantile(0.5) == 0


def test_numbers_beyond_the_largest_are_counted_as_the_largest() -> None:
    """They stay within the bounds of memory."""
    sketch = sketch_of([LARGEST * 1000, LARGEST * 1000])
    assert sketch.quantile(0.5) == pytest.approx(LARGEST, rel=RELATIVE_ERROR)


def test_memory_is_bounded() -> None:
    """Forty decades of numbers fit."""
    sketch = Sketch()
    for exponent in range(-200, 200):
        for step in range(1, 100):
            sketch.add(10 ** (exponent / 10) * (1 + step / 100))
    assert len(sketch.to_plain()["counts"]) < 1500


@pytest.mark.parametrize("share", [-0.1, 1.1, nan])
def test_a_share_is_within_0_and_1(share: float) -> None:
    """There is no other rank."""
    with pytest.raises(ValueError, match="is no share"):
        Sketch().quantile(share)


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"counts": [], "sum": 0, "largest": 0},
        {"counts": {"x": 1}, "sum": 0, "largest": 0},
        {"counts": {"1": 0}, "sum": 0, "largest": 0},
        {"counts": {"1": True}, "sum": 0, "largest": 0},
        {"counts": {"1": 1}, "sum": "a", "largest": 0},
        {"counts": {"1": 1}, "sum": inf, "largest": 0},
        {"counts": {"1": 1}, "sum": 0, "largest": -1},
    ],
)
def test_what_is_no_sketch_is_refused(plain: dict[str, object]) -> None:
    """Nothing is half read."""
    with pytest.raises(ValueError, match="this is no sketch"):
        Sketch.from_plain(plain)


@given(st.lists(NUMBERS), NUMBERS)
def test_counts_at_most_a_number_are_exact_but_for_its_neighbourhood(
    numbers: list[float], bound: float
) -> None:
    """Numbers within the stated error of the bound may be on either side."""
    told = sketch_of(numbers).at_most(bound)
    near = 1 + 3 * RELATIVE_ERROR
    assert (
        sum(n <= bound / near for n in numbers) <= told <= sum(n <= bound * near for n in numbers)
    )


@given(st.lists(NUMBERS), st.lists(NUMBERS))
def test_what_was_counted_since_is_told_apart(earlier: list[float], later: list[float]) -> None:
    """The sketch of the later numbers, but for the largest."""
    both = sketch_of(earlier + later)
    since = both.without(sketch_of(earlier))
    assert since.counts == sketch_of(later).counts
    assert since.largest == both.largest
