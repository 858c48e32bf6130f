"""The exact multinomial test agrees with an enumeration that is written another way."""

from __future__ import annotations

from itertools import product
from math import comb
from random import Random

import pytest
from scipy import stats

from gateway.verdict.multinomial import ENUMERABLE, accepted, enumerable, p_value


def _reference(counts: tuple[int, ...], shares: tuple[float, ...]) -> float:
    """Return SciPy's probabilities, summed over all tuples that add up and are as unlikely."""
    n = sum(counts)
    law = stats.multinomial(n, list(shares))
    seen = law.pmf(list(counts))
    outcomes = [x for x in product(range(n + 1), repeat=len(shares)) if sum(x) == n]
    likelihoods = law.pmf(outcomes)
    return float(likelihoods[likelihoods <= seen * (1 + 1e-7)].sum())


def _random_case(dice: Random) -> tuple[tuple[int, ...], tuple[float, ...]]:
    versions = dice.choice([3, 3, 4])
    parts = [dice.choice([1, 1, 2, 5, 10]) for _ in range(versions)]
    counts = tuple(dice.randint(0, 20 // versions) for _ in range(versions))
    return counts, tuple(part / sum(parts) for part in parts)


def test_p_values_agree_with_an_enumeration_by_scipy() -> None:
    """All tuples that add up, weighed by SciPy, give the same sum."""
    dice = Random(4)
    for _ in range(60):
        counts, shares = _random_case(dice)
        assert p_value(counts, shares) == pytest.approx(min(1.0, _reference(counts, shares)))


@pytest.mark.parametrize(
    ("counts", "shares", "expected"),
    [
        pytest.param((0, 0, 0), (0.2, 0.3, 0.5), 1.0, id="no-requests"),
        pytest.param((1, 0, 0), (0.2, 0.3, 0.5), 0.2, id="one-request"),
        pytest.param((1, 0, 0), (0.25, 0.25, 0.5), 0.5, id="a-tie-counts"),
        pytest.param((3, 0, 0), (1 / 3, 1 / 3, 1 / 3), 1 / 9, id="three-ties"),
    ],
)
def test_p_values_by_hand(
    counts: tuple[int, ...], shares: tuple[float, ...], expected: float
) -> None:
    """Small cases that a reader can check."""
    assert p_value(counts, shares) == pytest.approx(expected)


@pytest.mark.parametrize("level", [0.999, 0.3, 0.05, 1e-3, 1e-6])
def test_accepted_ranges_are_those_of_the_accepted_outcomes(level: float) -> None:
    """The ranges are what asking every outcome would give."""
    n, shares = 12, (0.2, 0.3, 0.5)
    taken = [
        x for x in product(range(n + 1), repeat=3) if sum(x) == n and p_value(x, shares) >= level
    ]
    assert accepted(n, shares, level) == [
        (min(x[i] for x in taken), max(x[i] for x in taken)) for i in range(3)
    ]


def test_the_likeliest_outcome_is_always_accepted() -> None:
    """Rounding of the total cannot empty the accepted outcomes."""
    assert accepted(3, (0.2, 0.3, 0.5), 1 - 1e-16) == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("n", "versions", "small"),
    [
        pytest.param(61, 3, True, id="three-versions"),
        pytest.param(62, 3, False, id="one-request-too-many"),
        pytest.param(4, 10, True, id="ten-versions"),
        pytest.param(5, 10, False, id="ten-versions-one-too-many"),
    ],
)
def test_the_bound_is_a_number_of_outcomes(n: int, versions: int, small: bool) -> None:
    """Requests and versions count together."""
    assert enumerable(n, versions) is small
    assert (comb(n + versions - 1, versions - 1) <= ENUMERABLE) is small
