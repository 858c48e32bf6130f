"""From what was counted to one answer, with error rates that hold for all its questions together.

A wrong split or a rule's answer by another version is worse than errors, errors are worse than too
few requests: the worst is what is answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from gateway.traffic.observed import Expected, Observed, Split
from gateway.verdict import (
    CONFIDENCE,
    Look,
    Outcome,
    Question,
    Share,
    StickyVerdict,
    Verdict,
    Watch,
    confidence_sequence,
    judge,
    judge_sticky,
)
from gateway.verdict.answers import percent


class Word(StrEnum):
    """The answer to everything that was asked, in a word."""

    FAILED = "failed"
    ERRORS = "errors"
    UNDECIDED = "undecided"
    PASSED = "passed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer about one split.

    Attributes:
        name: What the split is called.
        stage: Its stage.
        outcome: Passed, failed or undecided.
        finding: What was found, in a sentence without the outcome.
        unit: What was counted: `requests` or `keys`.
        total: How many.
        shares: What each version got.
        details: The whole verdict, as values that JSON knows.
        part: Whether it is about a part of a split that is judged as a whole as well: such an
            answer can be wrong, but it is not asked to be decided.
    """

    name: str
    stage: str
    outcome: Outcome
    finding: str
    unit: str
    total: int
    shares: tuple[Share, ...]
    details: Mapping[str, Any]
    part: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may go wrong beside the split.

    Attributes:
        errors: The greatest share of errors among what was counted; `None` for any.
        unusable: The greatest share of records that could not be used.
    """

    errors: float | None = None
    unusable: float = 0.01


class Watches:
    """Looks at splits while records come in, as often as one likes.

    Args:
        expected: What should happen, by keys nowhere.
        question: The error rates, of all splits together.
    """

    def __init__(self, expected: Sequence[Expected], question: Question) -> None:
        wanted = {split: shares for each in expected for split, shares in _questions(each).items()}
        each = replace(question, false_alarm=question.false_alarm / len(wanted))
        self._watches = {split: Watch(shares, each) for split, shares in wanted.items()}
        self.looks: dict[Split, Look] = {}

    def look(self, observed: Observed) -> bool:
        """Look at all counts; whether it is decided: one split failed, or all passed.

        A rule that nobody hit yet is not waited for.
        """
        for split, watch in self._watches.items():
            counts = observed.counts.get(split)
            if counts is not None or not split.rule:
                self.looks[split] = watch.look(counts or {})
        outcomes = {look.outcome for look in self.looks.values()}
        return Outcome.FAILED in outcomes or outcomes == {Outcome.PASSED}


def _questions(expected: Expected) -> dict[Split, Mapping[str, float]]:
    """The shares of every split of a stage, and of the answers of each rule."""
    rules = {Split(expected.stage, rule): {v: 1.0} for rule, v in expected.rules.items()}
    return {Split(expected.stage): expected.shares, **rules}


def judged(
    observed: Observed, question: Question, by: Sequence[str] = (), watches: Watches | None = None
) -> tuple[Judged, ...]:
    """Answer about every split.

    Args:
        observed: What was counted.
        question: The tolerance, and the error rates of all answers together.
        by: The fields by which splits are told apart.
        watches: Who looked while records came in: then the last looks decide, because the test
            that they make place for may only be asked once.
    """
    splits = [
        *(Split(stage) for stage in observed.expected if not _seen(observed, stage)),
        *sorted(observed.counts),
    ]
    asked = len(splits) if watches is None else sum(map(len, map(_questions, _all(observed))))
    keys = {split: [place for place in observed.keys if place[0] == split] for split in splits}
    asked += sum(max(0, len(places) - 1) for places in keys.values())
    each = replace(question, false_alarm=question.false_alarm / asked)
    found: list[Judged] = []
    for split in sorted(splits):
        if observed.expected[split.stage].sticky and not split.rule:
            found += _by_keys(observed, split, each, by)
            continue
        shares = _questions(observed.expected[split.stage])[split._replace(by=())]
        verdict = judge(observed.counts.get(split, {}), shares, question=each)
        look = None if watches is None else watches.looks[split]
        found.append(_by_requests(split.name(by), split.stage, verdict, look))
    return tuple(found)


def _all(observed: Observed) -> Sequence[Expected]:
    return tuple(observed.expected.values())


def _seen(observed: Observed, stage: str) -> bool:
    return any(split.stage == stage and not split.rule for split in observed.counts)


def _by_requests(name: str, stage: str, verdict: Verdict, look: Look | None) -> Judged:
    details, shares = verdict.to_dict(), verdict.shares
    outcome, finding = verdict.outcome, verdict.finding
    if look is not None:
        shares = watched_shares(shares, look.total, verdict.question.tolerance)
        outcome, finding = look.outcome, looked(look, shares)
        details["watched"] = asdict(look)
    return Judged(name, stage, outcome, finding, "requests", verdict.total, shares, details)


def watched_shares(shares: Sequence[Share], total: int, tolerance: float) -> tuple[Share, ...]:
    """The same with intervals that hold although somebody looked, and stopped when it suited."""
    found = []
    for share in shares:
        low, high = confidence_sequence(
            share.count,
            total,
            (1 - CONFIDENCE) / len(shares),
            expected=share.expected,
            tolerance=tolerance,
        )
        found.append(replace(share, low=low, high=high, smallest_deviation=None))
    return tuple(found)


def looked(look: Look, shares: Sequence[Share], unit: str = "requests") -> str:
    """What was found by looking all the time."""
    when = "" if look.decided_at is None else f"decided after {look.decided_at:,} {unit}; "
    worst = max(shares, key=lambda share: (abs(share.share - share.expected), -share.expected))
    seen = f"version {worst.version} got {percent(worst.share)} of {look.total:,} {unit}"
    wanted = f"{percent(worst.expected)} expected" if worst.expected else "none expected"
    return f"{when}{seen}, {wanted} (p = {look.p_value:.3g}, valid at every look)"


def _by_keys(
    observed: Observed, split: Split, question: Question, by: Sequence[str]
) -> list[Judged]:
    """One answer for each revision: when the weights move, keys may move."""
    expected = observed.expected[split.stage]
    places = sorted(place for place in observed.keys if place[0] == split)
    found = []
    for place in places or [(split, "")]:
        kept = observed.keys.get(place)
        sightings = {} if kept is None else kept.sightings
        verdict = judge_sticky(sightings, expected.shares, question=question)
        at = f" at revision {place[1]}" if len(places) > 1 and place[1] else ""
        found.append(_of_keys(f"{split.name(by)} by keys{at}", split.stage, verdict))
    return found


def _of_keys(name: str, stage: str, verdict: StickyVerdict) -> Judged:
    return Judged(
        name,
        stage,
        verdict.outcome,
        verdict.finding,
        "keys",
        verdict.keys,
        verdict.shares.shares,
        verdict.to_dict(),
    )


def word(answers: Sequence[Judged], observed: Observed, limits: Limits) -> Word:
    """The worst of everything."""
    outcomes = {answer.outcome for answer in answers}
    if Outcome.FAILED in outcomes or observed.misfits:
        return Word.FAILED
    if complaints(observed, limits):
        return Word.ERRORS
    return Word.UNDECIDED if Outcome.UNDECIDED in outcomes else Word.PASSED


def complaints(observed: Observed, limits: Limits) -> list[str]:
    """What there is too much of, one sentence each."""
    found = []
    errors, left = observed.errors, observed.leavings.total
    share = errors / max(observed.total, 1)
    if limits.errors is not None and share > limits.errors:
        found.append(
            f"{errors:,} of {observed.total:,} requests were errors ({share:.3g} of them, more than"
            f" the {limits.errors:.3g} that --max-errors allows)"
        )
    share = left / max(left + observed.total, 1)
    if share > limits.unusable:
        found.append(
            f"{left:,} of {left + observed.total:,} records could not be used ({share:.3g} of"
            f" them, more than the {limits.unusable:.3g} that --max-unusable allows)"
        )
    return found
