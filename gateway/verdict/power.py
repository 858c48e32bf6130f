"""What a sample could have shown follows from the counts its test accepts, exactly.

The count of one version is binomial whatever the others do, so a deviation is seen with the
probability of the binomial tail outside the accepted counts. No normal curve decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, log, log1p, nextafter, sqrt
from statistics import NormalDist

from gateway.verdict import binomial, choice
from gateway.verdict.choice import Accepted
from gateway.verdict.intervals import lower_limit, upper_limit
from gateway.verdict.question import (
    Question,
    checked_count,
    checked_rate,
    checked_share,
)
from gateway.verdict.search import first_near

EXACT_UP_TO = 20_000_000
"""Requests beyond which the number needed is the normal approximation's.

It is right to two percent there for any version that expects thousands of requests.
"""


def deviation_seen(n: int, share: float, accepted: Accepted, miss: float) -> float | None:
    """Return the smallest deviation from `share` that a test seldom misses.

    It and every greater deviation that is possible, upwards or downwards, puts the count outside
    `accepted` with probability 1 - `miss` or more. Where one direction is never seen (no count is
    low enough to be rejected, say), that is any deviation too great for this direction.

    Returns:
        An absolute share, or None if no deviation would be seen.
    """
    low, high = accepted
    up = upper_limit(high, n, miss) - share if high < n else nextafter(1 - share, 2)
    down = share - lower_limit(low, n, miss) if low > 0 else nextafter(share, 2)
    worse = max(up, down)
    return worse if worse <= max(share, 1 - share) else None


def smallest_deviation(n: int, share: float, question: Question) -> float | None:
    """Return the smallest deviation that `n` requests could have shown of a version's share.

    The exact binomial test at the question's false-alarm rate rejects it, upwards or downwards,
    whichever is harder to see, with probability 1 - `question.miss` or more, and every greater
    possible one too. A version that may get 10 % cannot deviate by more than 10 points downwards;
    where the test cannot reject even 0 requests, only greater deviations, upwards, are seen.

    Args:
        n: Requests in all, 0 or more.
        share: Expected share of the version, 0 to 1.
        question: Its `tolerance` plays no part.

    Returns:
        An absolute share (0.03 is three percentage points), or None if so few requests show none.

    Raises:
        Unjudgeable: `n` or `share` is out of its range.
    """
    checked_count("n", n)
    checked_share("share", share)
    accepted = binomial.accepted(n, share, question.false_alarm)
    return deviation_seen(n, share, accepted, question.miss)


def requests_needed(share: float, deviation: float, question: Question) -> int:
    """Return how many requests show a `deviation` from `share` in the exact binomial test.

    Power is a saw-tooth over the number of requests, because the rejected counts move in steps:
    somewhat more requests can show somewhat less. The number returned keeps one count in reserve
    on each side, which clears the teeth: at it and above it the deviation is seen, and it is at
    most 4 / `deviation` above the first number at which it is. Beyond `EXACT_UP_TO` it is the
    normal approximation's. A deviation that is not possible needs as many requests as show any.

    Args:
        share: Expected share of the version, 0 to 1.
        deviation: Absolute share, above 0 and below 1; 0.03 is three percentage points.
        question: Gives the false-alarm and miss rates; its `tolerance` plays no part.

    Raises:
        Unjudgeable: `share` or `deviation` is out of its range.
    """
    checked_share("share", share)
    asked = replace(question, tolerance=checked_rate("deviation", deviation))
    return requests_to_decide([share], asked)


def requests_to_decide(shares: Sequence[float], question: Question, above: int = 0) -> int:
    """Return how many requests, more than `above`, decide a question about a whole split.

    As `requests_needed`, with the question's tolerance for every version and with the method that
    judges a split of so many versions by so many requests.
    """
    versions = sum(share > 0 for share in shares)
    level = question.false_alarm / (versions if versions > 2 else 1)
    guess = max(_normal_guess(share, level, question) for share in shares)
    if guess > EXACT_UP_TO:
        return max(guess, above + 1)

    def decided(n: int) -> bool:
        ranges = choice.accepted(n, shares, question.false_alarm)
        return all(
            shows(question, deviation_seen(n, share, _in_reserve(n, share, counts), question.miss))
            for share, counts in zip(shares, ranges, strict=True)
        )

    return first_near(guess, above, decided)


def shows(question: Question, deviation: float | None) -> bool:
    """Tell whether a sample that could show `deviation` could show the question's tolerance."""
    return deviation is not None and deviation <= question.tolerance


def _in_reserve(n: int, share: float, accepted: Accepted) -> Accepted:
    """Widen accepted counts by one on each side, unless all or nothing is expected: no teeth."""
    if share in {0, 1}:
        return accepted
    low, high = accepted
    return max(0, low - 1), min(n, high + 1)


def _normal_guess(share: float, level: float, question: Question) -> int:
    """Return about how many requests show the tolerance, by the usual normal approximation.

    J. L. Fleiss et al., Statistical Methods for Rates and Proportions (2003), 2.2; the harder of
    the directions that are possible. Where all or nothing is expected, one stray request fails the
    split, and (1 - leak)^n <= miss needs no approximation.
    """
    normal, shift = NormalDist(), question.tolerance
    if share in {0, 1}:
        return ceil(log(question.miss) / log1p(-shift))
    alarm, miss = -normal.inv_cdf(max(level / 2, 1e-300)), -normal.inv_cdf(question.miss)
    spread = alarm * sqrt(share * (1 - share))
    others = [other for other in (share - shift, share + shift) if 0 <= other <= 1]
    roots = [(spread + miss * sqrt(other * (1 - other))) / shift for other in others]
    return ceil(max((root * root for root in roots), default=1))
