"""An interval holds the true share with at least the confidence it states, at any sample size."""

from __future__ import annotations

from math import exp, inf, log

from gateway.verdict.binomial import log_at_least, log_probability


def lower_limit(count: int, n: int, error: float) -> float:
    """Return the share at which `count` or more of `n` requests have the probability `error`.

    One-sided Clopper-Pearson limit: a greater true share makes such a count likelier. It is the
    `error` quantile of Beta(count, n - count + 1); DLMF 8.17.5 ties the two. The logarithm of the
    tail is concave in the logarithm of the share, so Newton's method cannot leave the interval,
    and its first step can overshoot towards 0 only, whence it climbs.

    Args:
        count: Requests of the version, 0 to `n`; of 0 the limit is 0.
        n: Requests in all.
        error: A probability above 0 and below 1.
    """
    if count == 0:
        return 0.0
    share, gap, step = count / (n + 1), inf, inf
    while abs(gap) > 1e-12 and abs(step) > 1e-9:
        tail = log_at_least(count, n, share)
        elasticity = share * n * exp(log_probability(count - 1, n - 1, share) - tail)
        gap = tail - log(error)
        step = min(gap / elasticity, 14.0)
        share = min(1.0, share * exp(-step))
    return share


def upper_limit(count: int, n: int, error: float) -> float:
    """Return the share at which `count` or fewer of `n` requests have the probability `error`."""
    return 1 - lower_limit(n - count, n, error)


def clopper_pearson(count: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the exact interval of the share behind `count` of `n` requests.

    C. J. Clopper and E. S. Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the
    Case of the Binomial" (1934). Of no requests it is (0, 1).
    """
    error = (1 - confidence) / 2
    return lower_limit(count, n, error), upper_limit(count, n, error)
