"""From counts to one exit code: splits with stated error rates, reasons without any; pure.

A version for a wrong reason is never chance, so one such answer fails the run; errors are measured
against a limit; and only what is neither wrong nor failing can be undecided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil

from gateway.verdict import Look, Outcome, Question, Summary, Verdict, judge_all
from gateway.verdict.sticky import StickyVerdict, judge_sticky
from loadtests.exits import Exit
from loadtests.expectations import Expectation
from loadtests.misfits import misfits
from loadtests.samples import cells_of, counted, keys_of, questions
from loadtests.tally import Tally
from loadtests.terms import Terms

__all__ = ["Conclusion", "Terms", "cells_of", "conclude", "undecided"]

_WORST_FIRST = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.PASSED)
_CODES = {
    Outcome.PASSED: Exit.PASSED,
    Outcome.FAILED: Exit.FAILED,
    Outcome.UNDECIDED: Exit.UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answer to everything that a run was asked.

    Attributes:
        code: The exit code: failed wins over too many errors, and these over undecided.
        asked: What each split was expected to be, in the order of the report.
        summary: The verdicts by the expectations' names.
        misfits: Answers that no chance explains, one sentence for each kind.
        error_share: The share of requests that failed.
        errors_exceeded: Whether that is beyond the limit.
        requests_needed: About how many requests would decide it; `None` unless undecided.
        looks: Where the splits were watched: the last look at each, which decides in place of
            the verdict, because that one may only be asked once. Otherwise `None`.
        sticky: Where keys must stay: whether they did, and how they are shared out, by name.
        parts: The verdicts on the same splits by reason, by worker, and so on.
    """

    code: Exit
    asked: tuple[Expectation, ...]
    summary: Summary
    misfits: tuple[str, ...]
    error_share: float
    errors_exceeded: bool
    requests_needed: int | None
    looks: Mapping[str, Look] | None = None
    sticky: Mapping[str, StickyVerdict] = field(default_factory=dict)
    parts: Mapping[str, Summary] = field(default_factory=dict)

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """What became of each split."""
        decided = self.summary.verdicts if self.looks is None else self.looks
        return {
            name: _worst(each.outcome, *_stayed(self.sticky.get(name)))
            for name, each in decided.items()
        }

    @property
    def outcome(self) -> Outcome:
        """What became of them all: the worst."""
        return _worst(*self.outcomes.values())

    @property
    def failed_parts(self) -> bool:
        """Whether a part of a split is wrong, though the whole may not be."""
        return any(part.outcome is Outcome.FAILED for part in self.parts.values())


def conclude(
    tally: Tally,
    terms: Terms,
    looks: Mapping[str, Look] | None = None,
    parts: Mapping[str, Summary] | None = None,
) -> Conclusion:
    """Judge what came back.

    Args:
        tally: What came back.
        terms: What it is judged by.
        looks: The last look at each split, where they were watched.
        parts: The verdicts on parts of the splits, where they were asked for.
    """
    asked = questions(tally, terms)
    counts = {each.name: (counted(each, tally, terms), each.shares) for each in asked}
    summary = judge_all(counts, terms.main_question)
    share = tally.errors.total() / max(tally.requests, 1)
    found = Conclusion(
        code=Exit.PASSED,
        asked=asked,
        summary=summary,
        misfits=misfits(tally, terms, asked),
        error_share=share,
        errors_exceeded=share > terms.max_errors,
        requests_needed=None,
        looks=looks,
        sticky=_sticky(tally, terms, asked),
        parts=parts or {},
    )
    code = _code(found)
    judged_once = code is Exit.UNDECIDED and looks is None
    needed = _needed(found, tally.requests) if judged_once else None
    return replace(found, code=code, requests_needed=needed)


def _code(found: Conclusion) -> Exit:
    code = _CODES[found.outcome]
    if found.misfits or found.failed_parts or code is Exit.FAILED:
        return Exit.FAILED
    return Exit.ERRORS if found.errors_exceeded else code


def _sticky(tally: Tally, terms: Terms, asked: tuple[Expectation, ...]) -> dict[str, StickyVerdict]:
    """Whether keys stayed, where they must."""
    if not terms.by_keys:
        return {}
    each = _corrected(terms.main_question, len(asked))
    return {
        one.name: judge_sticky(keys_of(one, tally).sightings, one.shares, question=each)
        for one in asked
    }


def _corrected(question: Question, questions: int) -> Question:
    return replace(question, false_alarm=question.false_alarm / questions)


def _stayed(sticky: StickyVerdict | None) -> tuple[Outcome, ...]:
    return () if sticky is None else (sticky.consistency.outcome,)


def _worst(*outcomes: Outcome) -> Outcome:
    return min(outcomes, key=_WORST_FIRST.index)


def _needed(found: Conclusion, requests: int) -> int | None:
    """Requests of the whole run with which each undecided split would have enough.

    Of keys it is not known how many requests bring more of them.
    """
    factors = [
        verdict.requests_needed / verdict.total if verdict.total else None
        for verdict in undecided(found.summary).values()
    ]
    known = [factor for factor in factors if factor is not None]
    if found.sticky or len(known) < len(factors):
        return None
    return ceil(requests * max(known, default=0))


def undecided(summary: Summary) -> dict[str, Verdict]:
    """The verdicts that need more requests."""
    return {
        name: verdict
        for name, verdict in summary.verdicts.items()
        if verdict.outcome is Outcome.UNDECIDED
    }
