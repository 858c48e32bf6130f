"""Few requests over several versions are judged by counting out everything that could have come."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, combinations, pairwise
from math import comb, exp, lgamma, log

from gateway.verdict.binomial import TIE
from gateway.verdict.search import first

ENUMERABLE = 2_000
"""The most outcomes that are counted out; 61 requests over three versions have 1,953."""


def enumerable(n: int, versions: int) -> bool:
    """Tell whether `n` requests over so many versions have at most `ENUMERABLE` outcomes."""
    return comb(n + versions - 1, versions - 1) <= ENUMERABLE


def p_value(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the exact p-value of `counts` where `shares` (all above 0) were expected.

    Method of small p-values, as in the binomial test: the probability of all outcomes that are no
    more likely than the one seen.
    """
    logs, below, _ = _counted_out(sum(counts), shares)
    seen = _log_probability(counts, [log(share) for share in shares])
    return min(1.0, below[bisect_right(logs, seen + TIE) - 1])


def accepted(n: int, shares: Sequence[float], level: float) -> list[tuple[int, int]]:
    """Return for each version the lowest and the highest count in any outcome that is accepted.

    An outcome is accepted whose p-value is not below `level`. A count outside the range is
    rejected whatever the other versions got.
    """
    logs, below, outcomes = _counted_out(n, shares)
    likeliest = len(logs) - 1
    start = first(range(likeliest), lambda i: below[bisect_right(logs, logs[i] + TIE) - 1] >= level)
    return [(min(column), max(column)) for column in zip(*outcomes[start:], strict=True)]


def _counted_out(
    n: int, shares: Sequence[float]
) -> tuple[list[float], list[float], list[tuple[int, ...]]]:
    """Return all outcomes from the least likely up: log-probability, running total, counts."""
    log_shares = [log(share) for share in shares]
    ranked = sorted((_log_probability(x, log_shares), x) for x in _outcomes(n, len(shares)))
    logs = [likelihood for likelihood, _ in ranked]
    return logs, list(accumulate(map(exp, logs))), [outcome for _, outcome in ranked]


def _outcomes(n: int, versions: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to spread `n` requests: bars between stars (Feller, Probability, II.5)."""
    places = n + versions - 1
    for bars in combinations(range(places), versions - 1):
        yield tuple(after - before - 1 for before, after in pairwise((-1, *bars, places)))


def _log_probability(counts: Sequence[int], log_shares: Sequence[float]) -> float:
    """Return the logarithm of the multinomial probability of `counts`."""
    return lgamma(sum(counts) + 1) + sum(
        count * log_share - lgamma(count + 1)
        for count, log_share in zip(counts, log_shares, strict=True)
    )
