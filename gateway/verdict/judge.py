"""The outcome follows from two numbers: how likely the sample was, and what it could have shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import fsum
from types import MappingProxyType

from gateway.verdict import choice
from gateway.verdict.answers import Outcome, Share, Summary, Verdict
from gateway.verdict.intervals import clopper_pearson
from gateway.verdict.power import deviation_seen, requests_to_decide, shows
from gateway.verdict.question import USUAL, Question, Unjudgeable, checked_count, checked_share

CONFIDENCE = 0.99
"""The probability with which all intervals of a verdict hold the true shares at once."""

ROUNDING = 1e-9
"""By how much expected shares may miss 1, their sum: they are decimals, added in binary."""

Split = tuple[Mapping[str, int], Mapping[str, float]]
"""What came and what was expected, by version."""


def judge(
    counts: Mapping[str, int], expected: Mapping[str, float], *, question: Question = USUAL
) -> Verdict:
    """Answer whether `counts` came from a split with the `expected` shares.

    Failed: the p-value is below `question.false_alarm`, which happens to a correct split with at
    most that probability. Passed: it is not, and had any version's true share been off by
    `question.tolerance`, that would have failed with probability 1 - `question.miss` or more,
    wherever the other requests went. Undecided: too few requests to say.

    Args:
        counts: Requests by version; a version that is not named got none.
        expected: Shares by version, which sum to 1. Requests of a version that is not named, or
            with a share of 0, fail the split.
        question: The tolerance and the error rates.

    Raises:
        Unjudgeable: A count is no whole number of requests, a share is not within 0 and 1, or the
            shares do not sum to 1.
    """
    versions, seen, shares = checked_split(counts, expected)
    total = sum(seen)
    p_value = choice.p_value(seen, shares)
    ranges = choice.accepted(total, shares, question.false_alarm)
    deviations = [
        deviation_seen(total, share, accepted, question.miss)
        for share, accepted in zip(shares, ranges, strict=True)
    ]
    outcome = _outcome(p_value, deviations, question)
    needed = requests_to_decide(shares, question, total if outcome is Outcome.UNDECIDED else 0)
    rows = zip(versions, seen, _intervals(seen, total), deviations, strict=True)
    return Verdict(
        outcome=outcome,
        method=choice.method_for(total, shares),
        p_value=p_value,
        total=total,
        question=question,
        shares=tuple(
            Share(version, expected.get(version, 0.0), n, n / max(total, 1), *interval, deviation)
            for version, n, interval, deviation in rows
        ),
        requests_needed=min(needed, total) if outcome is Outcome.PASSED else needed,
        confidence=CONFIDENCE,
    )


def judge_all(questions: Mapping[str, Split], question: Question = USUAL) -> Summary:
    """Answer several questions with one false-alarm rate for all of them.

    Bonferroni: each is judged at `question.false_alarm` divided by their number, so that correct
    splits see any failure at all with at most `question.false_alarm`, however the samples hang
    together. Holm's procedure would find a little more, but at levels that depend on the data, and
    what a sample could have shown must be known at a level that was fixed beforehand. The miss
    rate is each question's own.

    Args:
        questions: Counts and expected shares by the question's name.
        question: The tolerance of each, its miss rate, and the false-alarm rate of all.

    Raises:
        Unjudgeable: There is no question, or one of them cannot be judged; `field` names it.
    """
    if not questions:
        raise Unjudgeable("questions", dict(questions), "at least one")
    each = replace(question, false_alarm=question.false_alarm / len(questions))
    verdicts = {}
    for name, (counts, expected) in questions.items():
        try:
            verdicts[name] = judge(counts, expected, question=each)
        except Unjudgeable as error:
            raise Unjudgeable(f"{name}: {error.field}", error.value, error.allowed) from error
    outcomes = {verdict.outcome for verdict in verdicts.values()}
    worst = next(
        outcome
        for outcome in (Outcome.FAILED, Outcome.UNDECIDED, Outcome.PASSED)
        if outcome in outcomes
    )
    return Summary(worst, question, MappingProxyType(verdicts))


def checked_split(
    counts: Mapping[str, int], expected: Mapping[str, float]
) -> tuple[list[str], list[int], list[float]]:
    """Return versions, their counts and their shares, made to sum to 1 exactly as can be.

    Raises:
        Unjudgeable: A count is no whole number of requests, a share is not within 0 and 1, or the
            shares do not sum to 1.
    """
    for version, share in expected.items():
        checked_share(f'expected["{version}"]', share)
    for version, count in counts.items():
        checked_count(f'counts["{version}"]', count)
    whole = fsum(expected.values())
    if abs(whole - 1) > ROUNDING:
        raise Unjudgeable("expected", dict(expected), f"shares that sum to 1, not to {whole:.10g}")
    strangers = [version for version in counts if counts[version] and version not in expected]
    versions = [*expected, *strangers]
    return (
        versions,
        [counts.get(version, 0) for version in versions],
        [expected.get(version, 0.0) / whole for version in versions],
    )


def _outcome(p_value: float, deviations: list[float | None], question: Question) -> Outcome:
    if p_value < question.false_alarm:
        return Outcome.FAILED
    if all(shows(question, deviation) for deviation in deviations):
        return Outcome.PASSED
    return Outcome.UNDECIDED


def _intervals(counts: list[int], total: int) -> list[tuple[float, float]]:
    """Return each version's interval; two versions share one, more share the error (Bonferroni)."""
    parts = len(counts) if len(counts) > 2 else 1
    confidence = 1 - (1 - CONFIDENCE) / parts
    return [clopper_pearson(count, total, confidence) for count in counts]
