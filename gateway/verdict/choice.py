"""Only tests that keep both promises at any sample size may judge a split.

A test promises that a correct split fails with at most the false-alarm probability, and it names
for each version the counts that it could accept, so that what it would have missed is a binomial
tail: whatever the other versions get, one version's count is binomial. The G-test is not among
them: where versions expect as few as 5 requests it fails up to 1.4 times as many correct splits as
stated, and by its own accepted counts it needs 4 % more requests than exact binomials to see one
of three versions deviate, 40 % more for one of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from gateway.verdict import binomial, multinomial

Accepted = tuple[int, int]
"""The lowest and the highest count of a version that a test could accept."""


class Method(StrEnum):
    """How the p-value of a split is computed."""

    EXACT_BINOMIAL = "exact binomial"
    EXACT_MULTINOMIAL = "exact multinomial"
    PER_VERSION = "exact binomial per version, Bonferroni"


def method_for(n: int, shares: Sequence[float]) -> Method:
    """Choose the method for `n` requests over versions with these expected shares.

    Two versions: exact binomial. More: exact multinomial where the outcomes can be counted out,
    else the exact binomial of each version at an equal part of the level. A version that expects
    nothing takes no part: it cannot alarm falsely.
    """
    versions = sum(share > 0 for share in shares)
    if versions <= 2:
        return Method.EXACT_BINOMIAL
    if multinomial.enumerable(n, versions):
        return Method.EXACT_MULTINOMIAL
    return Method.PER_VERSION


def p_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p-value of `counts`; 0 if a version that expects nothing got something."""
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return 0.0
    pairs = [(count, share) for count, share in zip(counts, shares, strict=True) if share]
    n = sum(counts)
    method = method_for(n, shares)
    if method is Method.EXACT_MULTINOMIAL:
        return multinomial.p_value(*zip(*pairs, strict=True))
    if method is Method.EXACT_BINOMIAL:
        return binomial.two_sided(pairs[0][0], n, pairs[0][1])
    least = min(binomial.two_sided(count, n, share) for count, share in pairs)
    return min(1.0, least * len(pairs))


def accepted(n: int, shares: Sequence[float], level: float) -> list[Accepted]:
    """Return for each version the counts that the method for `n` requests could accept.

    Args:
        n: Requests in all.
        shares: Expected shares; one of 0 accepts no request at all.
        level: P-values below it are rejected.
    """
    positive = [share for share in shares if share]
    method = method_for(n, shares)
    if method is Method.EXACT_MULTINOMIAL:
        ranges = iter(multinomial.accepted(n, positive, level))
        return [next(ranges) if share else (0, 0) for share in shares]
    if method is Method.PER_VERSION:
        level /= len(positive)
    known = {share: binomial.accepted(n, share, level) for share in set(shares)}
    return [known[share] for share in shares]
