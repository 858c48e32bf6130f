"""Guards: stated error rates hold when one looks after every request; bad versions are found."""

from __future__ import annotations

from math import exp, inf, log, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gateway.verdict.guarding import TIMES, evidence_above, evidence_worse, highest, lowest
from gateway.verdict.question import Unjudgeable

ALPHA = 0.01


def likelihood(bad: int, good: int, rate: float) -> float:
    """How likely this very sequence is."""
    return float(bad * log(rate) + good * log(1 - rate))


@given(bad=st.integers(0, 300), good=st.integers(0, 300), limit=st.floats(0.001, 0.9))
def test_the_evidence_is_the_mean_of_likelihood_ratios(bad: int, good: int, limit: float) -> None:
    """Computed here the long way: an alternative is so many times the odds of the limit."""
    ratios = []
    for times in TIMES:
        odds = times * limit / (1 - limit)
        ratios.append(likelihood(bad, good, odds / (1 + odds)) - likelihood(bad, good, limit))
    highest_one = max(ratios)
    mean = highest_one + log(sum(exp(each - highest_one) for each in ratios) / len(ratios))
    assert evidence_above(bad, bad + good, limit) == pytest.approx(mean, rel=1e-9, abs=1e-9)


@given(
    limit=st.floats(0.001, 0.9),
    rate=st.floats(0, 1),
    bad=st.integers(0, 50),
    good=st.integers(0, 50),
)
def test_while_a_rate_is_allowed_the_next_request_adds_no_evidence_on_average(
    limit: float, rate: float, bad: int, good: int
) -> None:
    """That is what a supermartingale is, and all that Ville's inequality asks for."""
    rate *= limit
    now = evidence_above(bad, bad + good, limit)
    worse = evidence_above(bad + 1, bad + good + 1, limit)
    better = evidence_above(bad, bad + good + 1, limit)
    assert rate * exp(worse - now) + (1 - rate) * exp(better - now) <= 1 + 1e-9


def ever(dice: Random, rate: float, limit: float, requests: int) -> bool:
    """Whether the evidence ever reaches the level, looked at after every request."""
    bad = 0
    for total in range(1, requests + 1):
        bad += dice.random() < rate
        if evidence_above(bad, total, limit) >= -log(ALPHA):
            return True
    return False


def test_a_rate_at_its_limit_fails_as_rarely_as_stated() -> None:
    """Within the upper 99.9 % bound of the stated rate, over 400 watched runs."""
    dice = Random(5)
    failed = sum(ever(dice, 0.05, 0.05, 300) for _ in range(400))
    assert failed <= stats.binom.ppf(0.999, 400, ALPHA)


def test_a_rate_far_above_its_limit_is_found() -> None:
    """Five times the limit, within 600 requests."""
    dice = Random(6)
    assert sum(ever(dice, 0.05, 0.01, 600) for _ in range(50)) >= 49


def test_a_comparison_is_a_coin_whose_bias_is_the_share() -> None:
    """Twice as often allowed, and the coin falls on the new side accordingly."""
    assert evidence_worse(7, 20, 0.1) == evidence_above(7, 27, 0.1)
    share = 0.1 * 2 / (0.1 * 2 + 0.9)
    assert evidence_worse(7, 20, 0.1, 2) == pytest.approx(evidence_above(7, 27, share))


@pytest.mark.parametrize("share", [0, 1])
def test_nothing_is_compared_where_one_version_gets_everything(share: float) -> None:
    """There is nothing to compare with."""
    assert evidence_worse(50, 0, share) == 0


def test_one_bad_request_is_enough_where_none_is_allowed() -> None:
    """And where all may be bad, none is."""
    assert evidence_above(0, 100, 0) == 0
    assert evidence_above(1, 100, 0) == inf
    assert evidence_above(100, 100, 1) == 0


def test_three_failures_of_a_tenth_beside_none_of_the_rest_are_enough() -> None:
    """The reason why a broken version at 10 % is found so early."""
    assert evidence_worse(2, 0, 0.1) < -log(ALPHA)
    assert evidence_worse(4, 0, 0.1) >= -log(ALPHA)


def test_bounds_hold_everything_before_the_first_request() -> None:
    """And the true rate afterwards."""
    assert (lowest(0, 0, 0.05), highest(0, 0, 0.05)) == (0, 1)
    assert lowest(50, 1000, 0.05) < 0.05 < highest(50, 1000, 0.05)
    assert highest(0, 1000, 0.05) < 0.01


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (evidence_above, (2, 1, 0.1)),
        (evidence_above, (-1, 1, 0.1)),
        (evidence_above, (0, 1, 1.5)),
        (evidence_worse, (1, 1, 0.1, 0)),
        (evidence_worse, (1, 1, 0.1, inf)),
        (evidence_worse, (1, 1, 0.1, nan)),
        (evidence_worse, (1, 1, -0.1)),
        (evidence_worse, (1, -1, 0.1)),
        (highest, (1, 10, 0)),
        (lowest, (1, 10, 1)),
    ],
)
def test_what_cannot_be_judged_is_refused(function: object, arguments: tuple[float, ...]) -> None:
    """With the argument and what is allowed."""
    with pytest.raises(Unjudgeable):
        function(*arguments)  # type: ignore[operator]
