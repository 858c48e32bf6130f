"""A band around a share that may be drawn at every moment: it holds the true share at all of them.

An interval that is right once, at the end, leaves the true share out sooner or later when it is
drawn again after every request. This one is what a mixture martingale does not rule out (H.
Robbins, "Statistical Methods Related to the Law of the Iterated Logarithm", 1970; S. Howard, A.
Ramdas, J. McAuliffe and J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
sequences", Annals of Statistics 2021): with a Beta mixture of shares, the probability that it
*ever* leaves out the true share is at most the stated error. The mixture of a band around an
expected share is the watched test's, so that the band leaves that share when the test fails.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p

from gateway.verdict.question import USUAL, Unjudgeable, checked_count, checked_rate, checked_share
from gateway.verdict.sequential import mixture_weight


def confidence_sequence(
    count: int,
    total: int,
    error: float,
    *,
    expected: float | None = None,
    tolerance: float = USUAL.tolerance,
) -> tuple[float, float]:
    """The lowest and the highest share that could be behind a count, at any moment.

    Narrower bands of earlier moments hold as well: whoever draws may intersect them.

    Args:
        count: Requests of the version, 0 to `total`.
        total: Requests in all.
        error: The probability, at most, with which a band ever leaves out the true share; of
            several versions' bands at once, each gets its part.
        expected: The share around which the band is to be narrowest; `None` for nowhere.
        tolerance: The deviation from it that matters, as the watched test is asked.

    Raises:
        Unjudgeable: One of them is out of its range.
    """
    checked_count("total", total)
    if checked_count("count", count) > total:
        raise Unjudgeable("count", count, f"at most the total, {total}")
    checked_rate("error", error)
    prior = _prior(expected, checked_rate("tolerance", tolerance))
    ours, others = (count, prior[0]), (total - count, prior[1])
    return _lowest(ours, others, error), 1 - _lowest(others, ours, error)


def _prior(expected: float | None, tolerance: float) -> tuple[float, float]:
    """The mixture: the watched test's, or H. Jeffreys's where it has none to offer."""
    if expected is None or checked_share("expected", expected) in {0, 1}:
        return 0.5, 0.5
    weight = mixture_weight([expected, 1 - expected], tolerance)
    return weight * expected, weight * (1 - expected)


def _lowest(ours: tuple[int, float], others: tuple[int, float], error: float) -> float:
    """The share below which the evidence against it is 1 / error or more.

    The logarithm of the evidence falls and is convex in the logarithm of the share up to the
    observed one, and what is left of it without the others' part has its zero further down:
    from there Newton's method climbs to the true one and never beyond it.
    """
    (count, first), (rest, second) = ours, others
    if not count:
        return 0.0
    level = _log_beta(first + count, second + rest) - _log_beta(first, second) + log(error)
    height, step = level / count, inf
    while step > 1e-12 * max(1.0, -height):
        share = exp(height)
        gap = level - count * height - rest * log1p(-share)
        step = gap / (count - rest * share / (1 - share))
        height += step
    return exp(height)


def _log_beta(first: float, second: float) -> float:
    return lgamma(first) + lgamma(second) - lgamma(first + second)
