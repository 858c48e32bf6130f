"""Probabilities of a binomial count are exact, to rounding, for any share and millions of requests.

Everything is kept as a logarithm and every tail is a sum of positive terms, so that a p-value of
1e-300 is as right as one of 0.3.
"""

from __future__ import annotations

from math import exp, expm1, inf, lgamma, log, log1p, pi

from gateway.verdict.search import first

TIE = 1e-7
"""Outcomes whose log-probabilities differ by no more than this are equally likely.

Rounding must not split a tie; counting a near tie as one only makes the test more careful.
"""


def log_probability(count: int, n: int, share: float) -> float:
    """Return the logarithm of P(X = `count`) for X ~ Binomial(`n`, `share`).

    Saddle-point form of C. Loader, "Fast and Accurate Computation of Binomial Probabilities"
    (2000): Stirling's error terms and two deviances take the place of log-factorials, whose
    cancellation would cost eight digits at ten million requests.
    """
    if share in {0, 1}:
        return 0.0 if count == n * share else -inf
    if count == 0:
        return n * log1p(-share)
    if count == n:
        return n * log(share)
    rest = n - count
    stirling = _stirling_error(n) - _stirling_error(count) - _stirling_error(rest)
    deviance = _deviance(count, n * share) + _deviance(rest, n * (1 - share))
    return stirling - deviance + 0.5 * log(n / (2 * pi * count * rest))


def _stirling_error(n: int) -> float:
    """Return log n! less Stirling's formula (DLMF 5.11.1 beyond 15, directly up to there)."""
    if n <= 15:
        return lgamma(n + 1) - (n + 0.5) * log(n) + n - 0.5 * log(2 * pi)
    square = 1.0 / (n * n)
    series = 1 / 1260 - square * (1 / 1680 - square / 1188)
    return (1 / 12 - square * (1 / 360 - square * series)) / n


def _deviance(seen: float, mean: float) -> float:
    """Return seen log(seen / mean) + mean - seen, without cancellation where they are close."""
    gap = seen - mean
    if abs(gap) >= 0.1 * (seen + mean):
        return seen * (log(seen) - log(mean)) - gap
    ratio = gap / (seen + mean)
    total, power, divisor = gap * ratio, 2 * seen * ratio, 1
    while True:
        power *= ratio * ratio
        divisor += 2
        longer = total + power / divisor
        if longer == total:
            return total
        total = longer


def log_at_least(count: int, n: int, share: float) -> float:
    """Return the logarithm of P(X >= `count`) for X ~ Binomial(`n`, `share`)."""
    if count <= 0:
        return 0.0
    if count > n * share:
        return _log_far_tail(count, n, share)
    below = _log_far_tail(n - count + 1, n, 1 - share)
    return log(-expm1(below))


def log_at_most(count: int, n: int, share: float) -> float:
    """Return the logarithm of P(X <= `count`): the upper tail of the others."""
    return log_at_least(n - count, n, 1 - share)


def _log_far_tail(count: int, n: int, share: float) -> float:
    """Sum the tail from a `count` above the mean outwards, until a term no longer matters.

    Successive probabilities differ by the factor (n - j) / (j + 1) x odds, which only falls, so
    some six standard deviations of terms are left: time grows with the square root of `n`.
    """
    if count > n or share <= 0:
        return -inf
    odds = share / (1 - share)
    total = term = 1.0
    for j in range(count, n):
        term *= (n - j) * odds / (j + 1)
        total += term
        if term < total * 1e-17:
            break
    return log_probability(count, n, share) + log(total)


def two_sided(count: int, n: int, share: float) -> float:
    """Return the exact two-sided p-value of `count` of `n` requests where `share` was expected.

    Method of small p-values: the probability of all outcomes that are no more likely than the one
    seen (as R's `binom.test` and SciPy's `binomtest`). A p-value below a level has at most the
    probability of that level when the split is right.
    """
    mode = _mode(n, share)
    if count > mode:
        return two_sided(n - count, n, 1 - share)
    if count == mode:
        return 1.0
    seen = log_probability(count, n, share)
    as_far = first(range(mode, n + 1), lambda k: log_probability(k, n, share) <= seen + TIE)
    return min(1.0, exp(log_at_most(count, n, share)) + exp(log_at_least(as_far, n, share)))


def accepted(n: int, share: float, level: float) -> tuple[int, int]:
    """Return the lowest and the highest count whose two-sided p-value is not below `level`.

    The p-value falls on both sides of the mode. An outcome of probability `level` or more has no
    smaller p-value, and one below `level` / (n + 1) a smaller one (it is a sum of at most n + 1
    such terms); only between those two are tails summed, to halve the distance.
    """
    mode = _mode(n, share)
    low = _first_accepted(range(mode + 1), n, share, level)
    return low, n - _first_accepted(range(n - mode + 1), n, 1 - share, level)


def _first_accepted(counts: range, n: int, share: float, level: float) -> int:
    """Return the lowest of `counts`, which end at the mode, with a p-value of `level` or more."""
    likely, hopeless = log(level), log(level) - log(n + 1) - TIE
    end = first(counts[:-1], lambda k: log_probability(k, n, share) >= likely)
    start = first(counts[:end], lambda k: log_probability(k, n, share) >= hopeless)
    return first(counts[start:end], lambda k: two_sided(k, n, share) >= level)


def _mode(n: int, share: float) -> int:
    """Return a most likely count (the higher one of two)."""
    return min(n, int((n + 1) * share))
