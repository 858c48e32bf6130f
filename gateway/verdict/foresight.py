"""How long a split will be watched, told beforehand: bounds that hold, from exact binomials.

A watched test that is looked at after every request has decided by some request at the latest if
the counts at that request alone decide it. What one version's count decides is a binomial tail,
whatever the other versions get, so that the numbers here are kept at least as often as they say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from math import exp, log

from gateway.verdict import binomial
from gateway.verdict.judge import checked_split
from gateway.verdict.question import USUAL, Question
from gateway.verdict.search import first, first_near
from gateway.verdict.sequential import evidence, ratio


@dataclass(frozen=True, slots=True)
class Foresight:
    """By how many requests a watched split is decided.

    Attributes:
        passing: A right split is decided by so many with probability 1 - miss or more.
        passing_half: By so many with probability 1/2 or more.
        failing: A split that is off by the tolerance, or by more, has failed by so many with
            probability 1 - miss or more.
        failing_half: By so many with probability 1/2 or more.
    """

    passing: int
    passing_half: int
    failing: int
    failing_half: int


def requests_to_watch(expected: Mapping[str, float], question: Question = USUAL) -> Foresight:
    """Tell by how many requests a split is decided that is looked at after every one.

    A split that is off may be called right before it fails: that happens with probability
    `question.miss` at most, and whoever goes on watching sees it fail all the same.

    Args:
        expected: Shares by version, which sum to 1.
        question: The tolerance and the error rates.

    Raises:
        Unjudgeable: A share is not within 0 and 1, or they do not sum to 1.
    """
    _, _, every = checked_split({}, expected)
    shares = [share for share in every if share]
    return Foresight(
        passing=_first(_undecided, shares, question, question.miss),
        passing_half=_first(_undecided, shares, question, 0.5),
        failing=_first(_overlooked, shares, question, question.miss),
        failing_half=_first(_overlooked, shares, question, 0.5),
    )


_Slow = Callable[[Sequence[float], Question, int], float]
"""The probability, at most, that so many requests are not enough."""


def _first(slow: _Slow, shares: Sequence[float], question: Question, rate: float) -> int:
    """A number of requests that are not enough with a probability of at most `rate`."""
    return first_near(64, 0, lambda n: slow(shares, question, n) <= rate)


def _undecided(shares: Sequence[float], question: Question, n: int) -> float:
    """The probability, at most, that so many requests of a right split decide nothing."""
    return sum(_unsettled(n, share, question) for share in shares)


def _unsettled(n: int, share: float, question: Question) -> float:
    """The probability that so many requests do not rule out that one version is off."""
    low = _lowest(n, share, share - question.tolerance, question)
    high = n - _lowest(n, 1 - share, 1 - share - question.tolerance, question)
    if low > high:
        return 1.0
    below, above = (
        binomial.log_at_most(low - 1, n, share),
        binomial.log_at_least(high + 1, n, share),
    )
    return exp(below) + exp(above)


def _lowest(n: int, share: float, bound: float, question: Question) -> int:
    """The lowest count that rules out a lower share; more than `n` where none does."""
    if bound < 0:
        return 0
    needed = -log(question.miss)
    return first(
        range(n + 1), lambda k: (share < 1 or k == n) and ratio(k, n, share, bound) >= needed
    )


def _overlooked(shares: Sequence[float], question: Question, n: int) -> float:
    """The probability, at most, that a split that is off has not failed by so many requests."""
    return max(_missed(n, shares, index, question) for index in range(len(shares)))


def _missed(n: int, shares: Sequence[float], index: int, question: Question) -> float:
    """The same for a split of which one version is off, up or down, whichever is worse."""
    share, limit = shares[index], -log(question.false_alarm)
    rest = [*shares[:index], *shares[index + 1 :]]

    def rejected(count: int) -> bool:
        if not rest:
            return count < n
        others = _least_telling(n - count, rest)
        return evidence([count, *others], [share, *rest], question.tolerance) >= limit

    mode = int(n * share)
    low = first(range(mode + 1), lambda count: not rejected(count))
    high = first(range(mode, n + 1), rejected) - 1
    more, less = share + question.tolerance, share - question.tolerance
    missed = [0.0]
    if more <= 1:
        missed.append(exp(binomial.log_at_most(high, n, more)))
    if less >= 0:
        missed.append(exp(binomial.log_at_least(low, n, less)))
    return max(missed)


def _least_telling(total: int, shares: Sequence[float]) -> list[int]:
    """The counts of other versions, which have a total, that make the evidence smallest.

    A further request of a version adds the logarithm of weight + count / share, which only grows,
    so that each goes where count / share is smallest: J. Q. Adams's method of apportionment.
    """
    whole, spare = sum(shares), total - len(shares)
    counts = [max(0, int(spare * share / whole)) for share in shares]  # nobody gets fewer
    heap = [
        (count / share, index)
        for index, (count, share) in enumerate(zip(counts, shares, strict=True))
    ]
    heapify(heap)
    for _ in range(total - sum(counts)):
        index = heap[0][1]
        counts[index] += 1
        heapreplace(heap, (counts[index] / shares[index], index))
    return counts
