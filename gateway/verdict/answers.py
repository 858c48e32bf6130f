"""A verdict carries its error rates, its evidence and one plain sentence, and never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import ceil, floor, log10
from typing import Any

from gateway.verdict.binomial import two_sided
from gateway.verdict.choice import Method
from gateway.verdict.question import Question


class Outcome(StrEnum):
    """The three answers to a question about a split."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Share:
    """What one version got.

    Attributes:
        version: The version.
        expected: Its expected share, 0 to 1; 0 for a version that nobody expected.
        count: Its requests.
        share: Its observed share, 0 to 1; 0 where there were no requests.
        low: Lower end of the exact (Clopper-Pearson) interval of its true share.
        high: Upper end.
        smallest_deviation: The smallest deviation from `expected` that the test would have seen,
            and every greater possible one, with probability 1 - miss or more; None if it would
            have seen none.
    """

    version: str
    expected: float
    count: int
    share: float
    low: float
    high: float
    smallest_deviation: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question about one split.

    Attributes:
        outcome: Failed if `p_value` is below the question's false-alarm rate; else passed if a
            deviation of the tolerance would have been seen; else undecided.
        method: The test behind `p_value`.
        p_value: The probability, were the split right, of a sample no likelier than this one.
        total: Requests counted.
        question: What was asked, with the error rates at which this answer was given.
        shares: Every version, the expected ones first.
        requests_needed: With how many requests the question is decided; at most `total` if it
            passed, more than `total` if it is undecided.
        confidence: The probability, at least, with which all intervals in `shares` hold at once.
    """

    outcome: Outcome
    method: Method
    p_value: float
    total: int
    question: Question
    shares: tuple[Share, ...]
    requests_needed: int
    confidence: float

    @property
    def sentence(self) -> str:
        """The verdict in one plain sentence, beginning with the outcome."""
        return f"{self.outcome}: {self.finding}"

    @property
    def finding(self) -> str:
        """What was found, without the outcome."""
        if self.outcome is Outcome.FAILED:
            return self._what_is_wrong()
        if self.outcome is Outcome.PASSED:
            return self._what_would_have_shown()
        return self._what_is_lacking()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON knows."""
        return {
            **asdict(self),
            "outcome": self.outcome.value,
            "method": self.method.value,
            "shares": [asdict(share) for share in self.shares],
            "sentence": self.sentence,
        }

    def _what_is_wrong(self) -> str:
        worst = min(self.shares, key=self._surprise)
        expected = f"{percent(worst.expected)} was" if worst.expected else "none was"
        return (
            f"version {worst.version} got {percent(worst.share)} of {requests(self.total)}"
            f" where {expected} expected"
            f" (p = {self.p_value:.3g} < {self.question.false_alarm:.3g})"
        )

    def _surprise(self, share: Share) -> tuple[float, float]:
        """Rank by the version's own p-value; of two that share one, the smaller share is named."""
        p_value = two_sided(share.count, self.total, share.expected)
        return float(f"{p_value:.6g}"), share.expected

    def _what_would_have_shown(self) -> str:
        return (
            f"{requests(self.total)} agree with the expected shares (p = {self.p_value:.3g});"
            f" a deviation of {points(self.question.tolerance)}"
            f" would have been seen with probability >= {1 - self.question.miss:.6g}"
        )

    def _what_is_lacking(self) -> str:
        need = f"{self.requests_needed:,} are needed to see {points(self.question.tolerance)}"
        if not self.total:
            return f"no requests were counted; {need}"
        deviations = [share.smallest_deviation for share in self.shares]
        seen = [deviation for deviation in deviations if deviation is not None]
        if len(seen) < len(deviations):
            return f"{requests(self.total)} could have missed even the greatest deviation; {need}"
        shown = f"could only have shown a deviation of {points(max(seen))}"
        return f"{requests(self.total)} {shown}; {need}"


@dataclass(frozen=True, slots=True)
class Summary:
    """The answers to several questions, with one false-alarm rate for all of them.

    Attributes:
        outcome: Failed if any failed, else undecided if any is undecided, else passed.
        question: What was asked of the whole; `false_alarm` is for any false alarm at all.
        verdicts: Each answer by its question's name, given at its corrected false-alarm rate.
    """

    outcome: Outcome
    question: Question
    verdicts: Mapping[str, Verdict]

    @property
    def sentence(self) -> str:
        """The answers in one plain sentence: how many came out so, and the clearest of them."""
        alike = {n: v for n, v in self.verdicts.items() if v.outcome is self.outcome}
        if self.outcome is Outcome.FAILED:
            name, verdict = min(alike.items(), key=lambda item: item[1].p_value)
        else:
            name, verdict = max(alike.items(), key=lambda item: item[1].requests_needed)
        share = f"{len(alike)} of {len(self.verdicts)} splits"
        return f"{self.outcome}: {share}; {name}: {verdict.finding}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON knows."""
        return {
            "outcome": self.outcome.value,
            "question": asdict(self.question),
            "verdicts": {name: verdict.to_dict() for name, verdict in self.verdicts.items()},
            "sentence": self.sentence,
        }


def percent(share: float) -> str:
    """Write a share for people: 0.131 is `13.1 %`."""
    return f"{100 * share:.4g} %"


def points(deviation: float) -> str:
    """Write a deviation for people, rounded up to three digits: 0.03 is `3 points`."""
    value = 100 * deviation
    scale = 10.0 ** (2 - floor(log10(value)))
    value = ceil(value * scale * (1 - 1e-12)) / scale
    return f"{value:.10g} point{'' if value == 1 else 's'}"


def requests(total: int) -> str:
    """Write a number of requests for people: 1234 is `1,234 requests`."""
    return f"{total:,} request{'' if total == 1 else 's'}"
