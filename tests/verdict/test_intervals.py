"""Clopper-Pearson limits are the quantiles they should be, and hold what they say they hold."""

from __future__ import annotations

from math import exp, log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gateway.verdict.binomial import log_at_least, log_at_most, log_probability
from gateway.verdict.intervals import clopper_pearson, lower_limit, upper_limit


def test_limits_are_beta_quantiles_from_one_to_ten_million_requests() -> None:
    """The lower limit is a quantile of the beta distribution."""
    dice = Random(3)
    for _ in range(300):
        n = int(10 ** dice.uniform(0, 7))
        count = dice.choice([dice.randint(1, n), min(n, dice.randint(1, 20))])
        error = dice.choice([0.4, 0.05, 0.005, 1e-6, 1e-12])
        quantile = float(stats.beta.ppf(error, count, n - count + 1))
        assert lower_limit(count, n, error) == pytest.approx(quantile, rel=1e-8)


@settings(deadline=None)
@given(
    n=st.integers(1, 3000),
    error=st.one_of(st.floats(1e-300, 0.99), st.floats(0.99, 1 - 1e-15)),
    data=st.data(),
)
def test_at_the_limit_the_tail_has_the_error(n: int, error: float, data: st.DataObject) -> None:
    """Newton ends where the tail is the error, for any error."""
    count = data.draw(st.integers(1, n))
    share = lower_limit(count, n, error)
    assert 0 < share <= 1
    assert log_at_least(count, n, share) == pytest.approx(log(error), rel=1e-6, abs=1e-11)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"),
    [
        pytest.param(0, 0, 0.0, 1.0, id="no-requests"),
        pytest.param(0, 10, 0.0, 1 - 0.005**0.1, id="none"),
        pytest.param(10, 10, 0.005**0.1, 1.0, id="all"),
        pytest.param(1, 1, 0.005, 1.0, id="the-only-one"),
    ],
)
def test_intervals_by_hand(count: int, n: int, low: float, high: float) -> None:
    """Closed forms at none, all and nothing counted."""
    assert clopper_pearson(count, n, 0.99) == pytest.approx((low, high))


@settings(deadline=None)
@given(n=st.integers(1, 2000), error=st.floats(1e-6, 0.5), data=st.data())
def test_upper_limit_is_the_lower_one_of_the_others(
    n: int, error: float, data: st.DataObject
) -> None:
    """At the upper limit so few requests have the probability of the error."""
    count = data.draw(st.integers(0, n - 1))
    share = upper_limit(count, n, error)
    assert exp(log_at_most(count, n, share)) == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.37, 0.5, 0.98])
@pytest.mark.parametrize("n", [1, 30, 200])
def test_intervals_hold_the_share_as_often_as_they_say(n: int, share: float) -> None:
    """Exactly, over all counts that can come: no simulation."""
    held = 0.0
    for count in range(n + 1):
        low, high = clopper_pearson(count, n, 0.95)
        held += exp(log_probability(count, n, share)) * (low <= share <= high)
    assert held >= 0.95
