"""A test that may be looked at as often as one likes: its error rates hold for the first decision.

A fixed test that is asked again after every request fails a correct split sooner or later. Here
the evidence is a martingale while the split is right, so that the probability that it *ever*
exceeds 1 / false_alarm is at most false_alarm (Ville's inequality).

Failing: the evidence is the Dirichlet mixture of M. Lindon and A. Malek, "Anytime-Valid Inference
for Multinomial Count Data" (NeurIPS 2022). Passing: for each version, A. Wald's sequential
probability ratio ("Sequential Tests of Statistical Hypotheses", 1945) of the expected share
against the nearest shares that are off by the tolerance; a split that is off has one version whose
ratio ever exceeds 1 / miss with a probability of at most miss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log

from gateway.verdict.answers import Outcome
from gateway.verdict.judge import checked_split
from gateway.verdict.question import USUAL, Question, Unjudgeable


@dataclass(frozen=True, slots=True)
class Look:
    """What is known after some requests.

    Attributes:
        outcome: The decision; once made, it stands, but that a passed split may still fail.
        p_value: The smallest probability, were the split right, with which evidence as strong as
            the strongest so far would ever be seen; valid at every look.
        total: Requests counted.
        decided_at: How many requests there were at the decision; `None` before it.
    """

    outcome: Outcome
    p_value: float
    total: int
    decided_at: int | None


class Watch:
    """Watches one split.

    Args:
        expected: Shares by version, which sum to 1.
        question: The tolerance and the error rates.

    Raises:
        Unjudgeable: A share is not within 0 and 1, or they do not sum to 1.
    """

    def __init__(self, expected: Mapping[str, float], question: Question = USUAL) -> None:
        checked_split({}, expected)
        self._expected = dict(expected)
        self._question = question
        self._strongest = 0.0
        self._total = 0
        self._outcome = Outcome.UNDECIDED
        self._decided_at: int | None = None

    def look(self, counts: Mapping[str, int]) -> Look:
        """Look at everything that was counted so far.

        Args:
            counts: Requests by version since the beginning; a version that is not named got none.

        Raises:
            Unjudgeable: A count is no whole number, or there are fewer requests than at the last
                look: then it is another sample.
        """
        _, seen, shares = checked_split(counts, self._expected)
        total = sum(seen)
        if total < self._total:
            raise Unjudgeable("counts", total, f"at least the {self._total} of the last look")
        self._total = total
        self._strongest = max(self._strongest, evidence(seen, shares, self._question.tolerance))
        if self._strongest >= -log(self._question.false_alarm):
            self._decide(Outcome.FAILED)
        elif self._outcome is Outcome.UNDECIDED and _within(seen, shares, self._question):
            self._decide(Outcome.PASSED)
        return Look(self._outcome, exp(-self._strongest), total, self._decided_at)

    def _decide(self, outcome: Outcome) -> None:
        if self._outcome is not outcome:
            self._outcome, self._decided_at = outcome, self._total


def evidence(counts: Sequence[int], shares: Sequence[float], tolerance: float) -> float:
    """The logarithm of the evidence against a split: a martingale's, while the split is right.

    Args:
        counts: Requests of each version.
        shares: The expected share of each version; they sum to 1.
        tolerance: The size of deviation that the mixture expects, as an absolute share.

    Returns:
        Minus infinity never; infinity when a version was seen that has a share of 0.
    """
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return inf
    pairs = [(count, share) for count, share in zip(counts, shares, strict=True) if share]
    weight = mixture_weight(shares, tolerance)
    total = sum(counts)
    found = lgamma(weight) - lgamma(weight + total)
    for count, share in pairs:
        prior = weight * share
        found += lgamma(prior + count) - lgamma(prior) - count * log(share)
    return found


def mixture_weight(shares: Sequence[float], tolerance: float) -> float:
    """The weight of the mixture: it spreads about as far as the tolerance around the shares."""
    return max(1.0, max(share * (1 - share) for share in shares) / tolerance**2 - 1)


def _within(counts: Sequence[int], shares: Sequence[float], question: Question) -> bool:
    """Whether no version can be off by the tolerance, at the question's miss rate."""
    total, needed = sum(counts), -log(question.miss)
    return all(
        ratio(count, total, share, bound) >= needed
        for count, share in zip(counts, shares, strict=True)
        for bound in (share - question.tolerance, share + question.tolerance)
        if 0 <= bound <= 1
    )


def ratio(count: int, total: int, share: float, bound: float) -> float:
    """The logarithm of how much likelier the expected share makes the counts than another one.

    What the expected share rules out has failed before anybody asks.
    """
    rest = total - count
    seen = [n for n in ((count, share, bound), (rest, 1 - share, 1 - bound)) if n[0]]
    if any(not other for _, _, other in seen):
        return inf
    return sum(number * (log(expected) - log(other)) for number, expected, other in seen)
