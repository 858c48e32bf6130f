"""Is a new version worse than it may be? Tests that may be looked at after every request.

Both give evidence against "it is not": a supermartingale as long as that is true, so that it ever
exceeds 1 / error with a probability of at most error (J. Ville, 1939). Each is a mixture of
likelihood ratios (A. Wald, 1945; H. Robbins, 1970) over alternatives that are so and so many times
as bad, because nobody knows beforehand how bad a bad version is.

`evidence_above` asks about a rate by itself. `evidence_worse` compares two versions that get their
requests by a draw: given that a request fails, the draw alone decides whose failure it is, so the
failures are like tosses of a coin whose bias is known (J. Przyborowski and H. Wilenski, Biometrika,
1940; watched all the time as in M. Lindon and A. Malek, NeurIPS 2022). What makes both versions
fail, such as a slow database, is no evidence against either.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, inf, log, log1p
from typing import Final

from gateway.verdict.anytime import confidence_sequence
from gateway.verdict.question import Unjudgeable, checked_count, checked_rate, checked_share

TIMES: Final = tuple(1.25 * 1.5**power for power in range(14))
"""How many times as bad the alternatives are, in odds: from a quarter more to two hundred times."""


def evidence_above(count: int, total: int, limit: float) -> float:
    """The logarithm of the evidence that a rate is above a limit.

    Args:
        count: Requests that were bad.
        total: Requests in all.
        limit: The highest rate that is allowed.

    Returns:
        Infinity for a bad request where none is allowed.

    Raises:
        Unjudgeable: An argument is out of its range.
    """
    checked_count("total", total)
    if checked_count("count", count) > total:
        raise Unjudgeable("count", count, f"at most the total, {total}")
    checked_share("limit", limit)
    if limit == 1:
        return 0.0
    return _mixture(count, total - count, limit)


def evidence_worse(new: int, old: int, share: float, ratio: float = 1.0) -> float:
    """The logarithm of the evidence that failures of a new version are more frequent than allowed.

    Args:
        new: Failures of the new version.
        old: Failures of the old version in the same time.
        share: The share of requests that the draw gives to the new version.
        ratio: How many times as often the new version may fail.

    Returns:
        0 where there is nothing to compare with, because one version gets everything.

    Raises:
        Unjudgeable: An argument is out of its range.
    """
    checked_count("new", new)
    checked_count("old", old)
    if not ratio > 0 or ratio == inf:
        raise Unjudgeable("ratio", ratio, "a number above 0")
    if checked_share("share", share) in {0, 1}:
        return 0.0
    return _mixture(new, old, share * ratio / (share * ratio + 1 - share))


def highest(count: int, total: int, error: float) -> float:
    """The highest rate that is not ruled out, at any moment; 1 before the first request."""
    return confidence_sequence(count, total, checked_rate("error", error))[1] if total else 1.0


def lowest(count: int, total: int, error: float) -> float:
    """The lowest rate that is not ruled out, at any moment; 0 before the first request."""
    return confidence_sequence(count, total, checked_rate("error", error))[0] if total else 0.0


def _mixture(bad: int, good: int, limit: float) -> float:
    if not limit:
        return inf if bad else 0.0
    return _log_mean(
        bad * (log(odds * times) - log1p(odds * times)) + good * -log1p(odds * times) - at_limit
        for odds, at_limit in [(limit / (1 - limit), bad * log(limit) + good * log1p(-limit))]
        for times in TIMES
    )


def _log_mean(logs: Iterable[float]) -> float:
    """The logarithm of the mean of numbers that are given by their logarithms."""
    every = list(logs)
    highest_log = max(every)
    return highest_log + log(sum(exp(each - highest_log) for each in every) / len(every))
