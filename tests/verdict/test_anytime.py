"""Bands that hold at every moment: exact ends, and an error that is kept over whole runs."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special, stats

from gateway.verdict import Outcome, Question, Unjudgeable, Watch, confidence_sequence
from gateway.verdict.intervals import clopper_pearson


def evidence_against(share: float, count: int, total: int, prior: tuple[float, float]) -> float:
    """The logarithm of the mixture's likelihood over the share's, by SciPy."""
    mixed = special.betaln(prior[0] + count, prior[1] + total - count) - special.betaln(*prior)
    found = special.xlogy(count, share) + special.xlog1py(total - count, -share)
    return float(mixed - found)


@pytest.mark.parametrize("error", [0.3, 0.01, 1e-6])
@pytest.mark.parametrize(
    ("count", "total"), [(1, 2), (1, 1000), (999, 1000), (500, 1000), (123_456, 1_000_000)]
)
def test_the_evidence_at_both_ends_is_the_stated_one(count: int, total: int, error: float) -> None:
    """That is what the ends are."""
    low, high = confidence_sequence(count, total, error)
    for end in (low, high):
        found = evidence_against(end, count, total, (0.5, 0.5))
        assert found == pytest.approx(-special.log1p(error - 1), rel=1e-5)


@pytest.mark.parametrize(
    ("count", "total", "band"),
    [
        pytest.param(0, 0, (0, 1), id="nothing"),
        pytest.param(0, 10, (0, 0.46960), id="none of ten"),
        pytest.param(10, 10, (0.53040, 1), id="all of ten"),
    ],
)
def test_none_and_all_have_one_end(count: int, total: int, band: tuple[float, float]) -> None:
    """A share of 0 or 1 cannot be ruled out by what it makes certain."""
    assert confidence_sequence(count, total, 0.01) == pytest.approx(band, abs=1e-5)


@given(st.integers(0, 2000), st.integers(0, 2000), st.floats(1e-9, 0.5))
def test_a_band_holds_what_was_seen_and_more_than_one_look_needs(
    ours: int, others: int, error: float
) -> None:
    """The price of looking at every moment: wider than the exact interval of one look."""
    total = ours + others
    assume(total)
    low, high = confidence_sequence(ours, total, error)
    assert 0 <= low <= ours / total <= high <= 1
    once = clopper_pearson(ours, total, 1 - error)
    assert low <= once[0] + 1e-9
    assert high >= once[1] - 1e-9


@given(st.integers(0, 300), st.integers(0, 300), st.floats(0.001, 0.999), st.floats(0.005, 0.3))
def test_a_band_leaves_the_expected_share_when_the_watched_test_fails(
    first: int, second: int, share: float, tolerance: float
) -> None:
    """At the same error, tolerance and look."""
    error = 0.02
    question = Question(false_alarm=error, tolerance=tolerance)
    look = Watch({"1": share, "2": 1 - share}, question).look({"1": first, "2": second})
    assume(abs(look.p_value - error) > 1e-6 * error)
    low, high = confidence_sequence(
        first, first + second, error, expected=share, tolerance=tolerance
    )
    assert (low <= share <= high) is (look.outcome is not Outcome.FAILED)


@pytest.mark.parametrize("around", [{}, {"expected": 0.1, "tolerance": 0.05}, {"expected": 1}])
def test_a_band_leaves_out_the_true_share_no_oftener_than_stated(around: Mapping[str, Any]) -> None:
    """At any moment of a whole run; the band of one look would leave it out in half of them."""
    runs, error, share, dice = 300, 0.05, 0.1, Random(3)
    missed, once, usual = 0, 0, 1.96 * (share * (1 - share)) ** 0.5
    for _ in range(runs):
        count, left_out, left_once = 0, False, False
        for total in range(1, 301):
            count += dice.random() < share
            if total % 10 == 0:
                low, high = confidence_sequence(count, total, error, **around)
                left_out = left_out or not low <= share <= high
                left_once = left_once or abs(count / total - share) > usual * total**-0.5
        missed += left_out
        once += left_once
    assert missed <= stats.binom.ppf(0.999, runs, error)
    assert once > 3 * runs * error


def test_more_requests_narrow_a_band() -> None:
    """And a band around the expected share is narrower than one around nowhere."""
    widths = []
    for total in (100, 1_000, 10_000, 10_000_000):
        low, high = confidence_sequence(total // 10, total, 0.01, expected=0.1, tolerance=0.03)
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.002
    plain = confidence_sequence(100, 1000, 0.01)
    around = confidence_sequence(100, 1000, 0.01, expected=0.1, tolerance=0.03)
    assert plain[0] < around[0] < 0.1 < around[1] < plain[1]


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        pytest.param({"count": 11}, "count is 11; allowed is at most the total, 10", id="count"),
        pytest.param({"count": -1}, "count is -1; allowed is a whole number", id="below nothing"),
        pytest.param({"total": 1.5}, "total is 1.5; allowed is a whole number", id="total"),
        pytest.param({"error": 0}, "error is 0; allowed is a number above 0", id="error"),
        pytest.param({"expected": 2}, "expected is 2; allowed is a number from 0", id="expected"),
        pytest.param({"tolerance": 1}, "tolerance is 1; allowed is a number above", id="tolerance"),
    ],
)
def test_what_is_no_band_is_refused(given_: Mapping[str, Any], sentence: str) -> None:
    """By name, with what is allowed."""
    with pytest.raises(Unjudgeable) as refusal:
        confidence_sequence(**{"count": 1, "total": 10, "error": 0.1, **given_})
    assert str(refusal.value).startswith(sentence)
