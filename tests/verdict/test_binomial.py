"""Binomial probabilities agree with SciPy's and with arithmetic in whole fractions."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb, exp, inf, log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gateway.verdict.binomial import (
    accepted,
    log_at_least,
    log_at_most,
    log_probability,
    two_sided,
)

SHARES = st.one_of(st.floats(1e-6, 1 - 1e-6), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))


def _cases(seed: int, number: int, most: float) -> list[tuple[int, int, float]]:
    """Return random (count, n, share), half of them within a few standard deviations."""
    dice = Random(seed)
    cases = []
    for _ in range(number):
        n = int(10 ** dice.uniform(0, most))
        share = dice.choice([dice.random(), 10 ** dice.uniform(-5, 0)])
        near = n * share + dice.gauss(0, 4) * (n * share * (1 - share)) ** 0.5
        count = dice.choice([dice.randint(0, n), round(near)])
        cases.append((min(n, max(0, count)), n, share))
    return cases


def _exactly(count: int, n: int, share: float) -> Fraction:
    part = Fraction(share)
    return comb(n, count) * part**count * (1 - part) ** (n - count)


@settings(deadline=None)
@given(n=st.integers(0, 60), share=SHARES, data=st.data())
def test_probability_is_that_of_whole_fractions(n: int, share: float, data: st.DataObject) -> None:
    """Up to 60 requests every digit can be checked with fractions."""
    count = data.draw(st.integers(0, n))
    exact = _exactly(count, n, share)
    assert exp(log_probability(count, n, share)) == pytest.approx(float(exact), rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("count", "n", "share"),
    [
        pytest.param(5_000_000, 10_000_000, 0.5, id="centre"),
        pytest.param(1_010_000, 10_000_000, 0.1, id="ten-sigma"),
        pytest.param(100, 100_000, 0.125, id="far-below"),
    ],
)
def test_probability_keeps_its_digits_in_millions(count: int, n: int, share: float) -> None:
    """Log-factorials with fifty digits leave the same logarithm."""
    exact = (
        _log_factorial(n)
        - _log_factorial(count)
        - _log_factorial(n - count)
        + count * Decimal(share).ln()
        + (n - count) * (1 - Decimal(share)).ln()
    )
    assert log_probability(count, n, share) == pytest.approx(float(exact), rel=1e-14, abs=1e-12)


def _log_factorial(n: int) -> Decimal:
    """Return log n! to some twenty places (Stirling's series, for n of 100 or more)."""
    with localcontext(prec=50):
        whole, two_pi = Decimal(n), Decimal("6.283185307179586476925286766559005768394")
        series = 1 / (12 * whole) - 1 / (360 * whole**3) + 1 / (1260 * whole**5)
        return (whole + Decimal("0.5")) * whole.ln() - whole + two_pi.ln() / 2 + series


@settings(deadline=None)
@given(n=st.integers(0, 60), share=SHARES, data=st.data())
def test_tails_are_sums_of_whole_fractions(n: int, share: float, data: st.DataObject) -> None:
    """Both tails include the count itself."""
    count = data.draw(st.integers(0, n))
    above = float(sum(_exactly(k, n, share) for k in range(count, n + 1)))
    below = float(sum(_exactly(k, n, share) for k in range(count + 1)))
    assert exp(log_at_least(count, n, share)) == pytest.approx(above, rel=1e-9, abs=0)
    assert exp(log_at_most(count, n, share)) == pytest.approx(below, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("count", "n", "share", "log_tail"),
    [
        pytest.param(0, 5, 0.3, 0.0, id="at-least-none"),
        pytest.param(-1, 5, 0.3, 0.0, id="at-least-less-than-none"),
        pytest.param(6, 5, 0.3, -inf, id="more-than-all"),
        pytest.param(6, 5, 1.0, -inf, id="more-than-all-when-all-is-sure"),
        pytest.param(1, 5, 0.0, -inf, id="something-of-nothing"),
        pytest.param(5, 5, 1.0, 0.0, id="all-of-all"),
        pytest.param(0, 0, 0.5, 0.0, id="no-requests"),
        pytest.param(1000, 1000, 0.01, 1000 * log(0.01), id="far-beyond-the-smallest-float"),
    ],
)
def test_tails_at_the_edges(count: int, n: int, share: float, log_tail: float) -> None:
    """Nothing, everything and the impossible have no special answer."""
    assert log_at_least(count, n, share) == pytest.approx(log_tail)


def test_tails_agree_with_scipy_from_one_to_ten_million_requests() -> None:
    """Tails near and far agree to eight digits."""
    for count, n, share in _cases(seed=1, number=300, most=7):
        tail = float(stats.binom.sf(count - 1, n, share))
        if tail > 1e-290:
            assert exp(log_at_least(count, n, share)) == pytest.approx(tail, rel=1e-8)


def test_p_values_agree_with_scipy_from_one_to_ten_million_requests() -> None:
    """Two-sided p-values are those of binomtest."""
    for count, n, share in _cases(seed=2, number=400, most=7):
        p_value = float(stats.binomtest(count, n, share).pvalue)
        if p_value > 1e-290:
            assert two_sided(count, n, share) == pytest.approx(p_value, rel=1e-7)


@pytest.mark.parametrize(
    ("count", "n", "share", "p_value"),
    [
        pytest.param(0, 0, 0.3, 1.0, id="no-requests"),
        pytest.param(0, 9, 0.0, 1.0, id="nothing-of-nothing"),
        pytest.param(1, 9, 0.0, 0.0, id="something-of-nothing"),
        pytest.param(9, 9, 1.0, 1.0, id="all-of-all"),
        pytest.param(8, 9, 1.0, 0.0, id="not-all-of-all"),
        pytest.param(2, 5, 0.5, 1.0, id="the-other-of-two-modes"),
        pytest.param(0, 2, 0.5, 0.5, id="a-tie-counts"),
        pytest.param(0, 10, 0.5, 2**-9, id="both-tails"),
        pytest.param(3, 3, 0.1, 0.001, id="no-tail-as-far-below"),
    ],
)
def test_p_values_by_hand(count: int, n: int, share: float, p_value: float) -> None:
    """Small cases that a reader can check."""
    assert two_sided(count, n, share) == pytest.approx(p_value)


@settings(deadline=None)
@given(n=st.integers(1, 300), share=SHARES, data=st.data())
def test_p_value_is_the_same_from_the_other_side(n: int, share: float, data: st.DataObject) -> None:
    """It does not matter which of two versions is counted."""
    count = data.draw(st.integers(0, n))
    here, there = two_sided(count, n, share), two_sided(n - count, n, 1 - share)
    assert here == pytest.approx(there, rel=1e-6)
    assert 0 <= here <= 1


@settings(deadline=None)
@given(
    n=st.integers(0, 80),
    share=SHARES,
    level=st.one_of(st.floats(1e-12, 0.999), st.sampled_from([1e-6, 0.01, 0.5])),
)
def test_accepted_are_all_counts_not_below_the_level(n: int, share: float, level: float) -> None:
    """The range is what asking every count would give."""
    low, high = accepted(n, share, level)
    assert list(range(low, high + 1)) == [
        count for count in range(n + 1) if two_sided(count, n, share) >= level
    ]


@settings(deadline=None)
@given(n=st.integers(1, 500), share=st.floats(0.001, 0.999), level=st.floats(1e-9, 0.5))
def test_a_correct_share_is_rejected_no_oftener_than_the_level(
    n: int, share: float, level: float
) -> None:
    """The false-alarm promise, computed exactly, up to the rounding of the sum itself."""
    low, high = accepted(n, share, level)
    rejected = exp(log_at_most(low - 1, n, share)) + exp(log_at_least(high + 1, n, share))
    assert rejected <= level * (1 + 1e-12)


@pytest.mark.parametrize("share", [0.5, 0.1, 1e-4])
def test_accepted_are_right_for_ten_million_requests(share: float) -> None:
    """One count further out is rejected, by SciPy too."""
    n, level = 10_000_000, 1e-6
    low, high = accepted(n, share, level)
    outside = [stats.binomtest(count, n, share).pvalue for count in (low - 1, high + 1)]
    inside = [stats.binomtest(count, n, share).pvalue for count in (low, high)]
    assert max(outside) < level <= min(inside)
