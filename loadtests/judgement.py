"""From counts to one exit code: splits with stated error rates, reasons without any; pure.

A version for a wrong reason is never chance, so one such answer fails the run; errors are measured
against a limit; and only what is neither wrong nor failing can be undecided.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil

from gateway.verdict import Look, Outcome, Question, Summary, Verdict, judge_all
from loadtests.exits import Exit
from loadtests.expectations import Expectation
from loadtests.tally import Cell, Tally

_WORST_FIRST = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.PASSED)
_CODES = {
    Outcome.PASSED: Exit.PASSED,
    Outcome.FAILED: Exit.FAILED,
    Outcome.UNDECIDED: Exit.UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run is judged by.

    Attributes:
        expectations: What each group should get.
        question: The error rates and the tolerance of the splits.
        max_errors: The greatest share of failed requests.
        until_decided: Whether the splits are watched while requests are sent, and the run ends
            as soon as they are decided.
    """

    expectations: tuple[Expectation, ...]
    question: Question
    max_errors: float
    until_decided: bool = False


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answer to everything that a run was asked.

    Attributes:
        code: The exit code: failed wins over too many errors, and these over undecided.
        summary: The verdicts by the expectations' names.
        misfits: Answers whose reason and version do not fit together, one sentence each.
        error_share: The share of requests that failed.
        errors_exceeded: Whether that is beyond the limit.
        requests_needed: About how many requests would decide it; `None` unless undecided.
        looks: Where the splits were watched: the last look at each, which decides in place of
            the verdict, because that one may only be asked once. Otherwise `None`.
    """

    code: Exit
    summary: Summary
    misfits: tuple[str, ...]
    error_share: float
    errors_exceeded: bool
    requests_needed: int | None
    looks: Mapping[str, Look] | None = None

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """What became of each split."""
        decided = self.summary.verdicts if self.looks is None else self.looks
        return {name: each.outcome for name, each in decided.items()}

    @property
    def outcome(self) -> Outcome:
        """What became of them all: the worst."""
        found = set(self.outcomes.values())
        return next(outcome for outcome in _WORST_FIRST if outcome in found)


def conclude(tally: Tally, terms: Terms, looks: Mapping[str, Look] | None = None) -> Conclusion:
    """Judge what came back.

    Args:
        tally: What came back.
        terms: What it is judged by.
        looks: The last look at each split, where they were watched.
    """
    groups = {each.name: each for each in terms.expectations}
    counts = {name: versions(cells_of(each, tally, terms)) for name, each in groups.items()}
    summary = judge_all(
        {name: (counts[name], groups[name].shares) for name in groups}, terms.question
    )
    misfits = (*_wrong_reasons(tally, terms), *_broken_laws(tally))
    share = tally.errors.total() / max(tally.requests, 1)
    exceeded = share > terms.max_errors
    found = Conclusion(Exit.PASSED, summary, misfits, share, exceeded, None, looks)
    code = _CODES[found.outcome]
    if misfits or code is Exit.FAILED:
        code = Exit.FAILED
    elif exceeded:
        code = Exit.ERRORS
    judged_once = code is Exit.UNDECIDED and looks is None
    needed = _needed(summary, tally.requests) if judged_once else None
    return replace(found, code=code, requests_needed=needed)


def cells_of(expectation: Expectation, tally: Tally, terms: Terms) -> Counter[Cell]:
    """The answers that an expectation is about."""
    named = {each.who for each in terms.expectations if each.stage == expectation.stage}
    return Counter(
        {
            cell: count
            for cell, count in tally.answers.items()
            if cell.stage == expectation.stage
            and (cell.who == expectation.who if expectation.who else cell.who not in named)
        }
    )


def versions(cells: Counter[Cell]) -> dict[str, int]:
    """Answers by version."""
    counts: Counter[str] = Counter()
    for cell, count in cells.items():
        counts[cell.version] += count
    return dict(counts)


def _wrong_reasons(tally: Tally, terms: Terms) -> Iterator[str]:
    """What gave another reason than the only one it may give."""
    for expectation in terms.expectations:
        wrong: Counter[tuple[str, str]] = Counter()
        for cell, count in cells_of(expectation, tally, terms).items():
            wanted = expectation.reasons.get(cell.version, cell.reason)
            if cell.reason != wanted:
                wrong[cell.version, cell.reason] += count
        for (version, reason), count in sorted(wrong.items()):
            yield (
                f"{expectation.name}: version {version} answered {count:,} times for the reason"
                f" {reason!r}; only {expectation.reasons[version]!r} is expected of it"
            )


def _broken_laws(tally: Tally) -> Iterator[str]:
    """What no configuration explains: one revision of a stage has one version per rule or main."""
    seen: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for cell in tally.answers:
        seen[cell.stage, cell.revision][cell.reason].add(cell.version)
    for (stage, revision), reasons in sorted(seen.items()):
        where = f"{stage} at revision {revision or '?'}"
        for reason, found in sorted(reasons.items()):
            if len(found) > 1 and (reason in {"main", "pinned"} or reason.startswith("rule:")):
                yield f"{where}: {' and '.join(sorted(found))} all claim the reason {reason!r}"
        for version in sorted(reasons["main"] & reasons["weight"]):
            yield f"{where}: version {version} claims to be the main version and to have a weight"


def _needed(summary: Summary, requests: int) -> int | None:
    """Requests of the whole run with which each undecided split would have enough."""
    factors = [
        verdict.requests_needed / verdict.total if verdict.total else None
        for verdict in undecided(summary).values()
    ]
    known = [factor for factor in factors if factor is not None]
    if len(known) < len(factors):
        return None  # nothing is known of how often such a caller comes
    return ceil(requests * max(known, default=0))


def undecided(summary: Summary) -> dict[str, Verdict]:
    """The verdicts that need more requests."""
    return {
        name: verdict
        for name, verdict in summary.verdicts.items()
        if verdict.outcome is Outcome.UNDECIDED
    }
