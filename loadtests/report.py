"""One conclusion told twice, with the same figures: a table for people, JSON for programs; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.verdict import Look, Outcome, Share, Verdict
from loadtests.exits import Exit
from loadtests.figures import percent, points
from loadtests.judgement import Conclusion, undecided
from loadtests.samples import cells_of
from loadtests.tally import Cell, Tally
from loadtests.terms import Terms

HEADINGS: Final = (
    "STAGE", "WHO", "VERSION", "EXPECTED", "ANSWERS", "SHARE", "INTERVAL", "WOULD SHOW", "FAILED",
    "VERDICT",
)  # fmt: skip
_LEFT: Final = frozenset({"STAGE", "WHO", "VERSION", "VERDICT"})
_KINDS_TOLD: Final = 10
_WORDS: Final = {
    Exit.PASSED: "passed",
    Exit.FAILED: "failed",
    Exit.ERRORS: "errors",
    Exit.UNDECIDED: "undecided",
    Exit.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run was, apart from what it found.

    Attributes:
        host: The gateway's address.
        wanted: Requests that were to be sent; `None` where something else ended the run.
        seconds: How long it took.
        finished: Whether every request was sent and settled.
        interrupted: Whether it was ended from outside before that.
        about: Whatever else is worth keeping: the log, the command line, versions.
        users: Who asked, in a few words.
    """

    host: str
    wanted: int | None
    seconds: float
    finished: bool = True
    interrupted: bool = False
    about: dict[str, Any] = field(default_factory=dict)
    users: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything there is to tell of a run."""

    facts: Facts
    terms: Terms
    tally: Tally
    conclusion: Conclusion

    @property
    def code(self) -> Exit:
        """The exit code."""
        return Exit.INTERRUPTED if self.facts.interrupted else self.conclusion.code

    @property
    def word(self) -> str:
        """The exit code in a word."""
        return _WORDS[self.code]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.tally.requests / self.facts.seconds if self.facts.seconds else 0.0


def headings(*, by_keys: bool) -> tuple[str, ...]:
    """What stands above the rows."""
    return tuple("KEYS" if by_keys and word == "ANSWERS" else word for word in HEADINGS)


def rows(result: Result) -> Iterator[tuple[str, ...]]:
    """One row per version that was expected or seen, under the headings."""
    for expectation in result.conclusion.asked:
        verdict = result.conclusion.summary.verdicts[expectation.name]
        outcome = result.conclusion.outcomes[expectation.name]
        cells = cells_of(expectation, result.tally, result.terms)
        who = expectation.who or _everybody(result.terms, expectation.stage)
        if expectation.revision:
            who = f"revision {expectation.revision}"
        for share in verdict.shares:
            failed = _failed(result.tally, cells, share.version)
            yield (expectation.stage, who, *_figures(share), f"{failed:,}", outcome.value)


def _figures(share: Share) -> tuple[str, ...]:
    return (
        share.version,
        percent(share.expected),
        f"{share.count:,}",
        percent(share.share),
        f"{percent(share.low)} .. {percent(share.high)}",
        "-" if share.smallest_deviation is None else points(share.smallest_deviation),
    )


def _everybody(terms: Terms, stage: str) -> str:
    alone = sum(each.stage == stage for each in terms.expectations) == 1
    return "everybody" if alone else "all else"


def _failed(tally: Tally, cells: Sequence[Cell] | Any, version: str) -> int:  # noqa: ANN401
    return sum(tally.failures[cell] for cell in cells if cell.version == version)


def table(result: Result) -> str:
    """The rows, aligned."""
    lines = [headings(by_keys=result.terms.by_keys), *rows(result)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = zip(HEADINGS, line, widths, strict=True)
    return "  ".join(
        text.ljust(width) if heading in _LEFT else text.rjust(width)
        for heading, text, width in cells
    ).rstrip()


def sentences(result: Result) -> Iterator[str]:
    """A sentence for each split, for what else is wrong, and for the whole."""
    yield from _of_splits(result.conclusion)
    for by, part in result.conclusion.parts.items():
        for name, verdict in part.verdicts.items():
            sentence = verdict.sentence
            if result.terms.by_keys:
                sentence = sentence.replace("requests", "keys")
            yield f"by {by}: {name}: {sentence}"
    for misfit in result.conclusion.misfits:
        yield f"wrong reason: {misfit}"
    kinds = result.tally.errors.most_common()
    for problem, count in kinds[:_KINDS_TOLD]:
        yield f"error: {problem.stage}: {problem.what}: {count:,} of {_requests(result.tally)}"
    if len(kinds) > _KINDS_TOLD:
        yield f"error: {len(kinds) - _KINDS_TOLD} more kinds of error"
    revisions = revisions_of(result.tally)
    if len(revisions) > 1 and not result.terms.revisions_known:
        yield f"note: the routing changed during the run: revisions {', '.join(revisions)}"


def _of_splits(conclusion: Conclusion) -> Iterator[str]:
    """The last look at each split that was watched, else its verdict."""
    if conclusion.looks is not None:
        for name, look in conclusion.looks.items():
            yield f"{name}: {_looked(look)}"
    for name, sticky in conclusion.sticky.items():
        if conclusion.looks is None or not sticky.consistent:
            yield f"{name}: {sticky.sentence}"
    if conclusion.looks is None and not conclusion.sticky:
        for name, verdict in conclusion.summary.verdicts.items():
            yield f"{name}: {verdict.sentence}"


def revisions_of(tally: Tally) -> list[str]:
    """Every revision that answered, the oldest first."""
    seen = {cell.revision for cell in tally.answers}
    return sorted(seen, key=lambda revision: (len(revision), revision))


def _looked(look: Look) -> str:
    """A split that was watched, in a sentence that begins with the outcome."""
    when = "" if look.decided_at is None else f" after {look.decided_at:,} of its answers"
    return f"{look.outcome}{when}: watched all the time, p = {look.p_value:.3g} of {look.total:,}"


def overall(result: Result) -> str:
    """The whole in one sentence that begins with the outcome and ends with its error rates."""
    return f"{result.word}: {_why(result)}; {_rates(result.terms)}"


def _why(result: Result) -> str:
    conclusion, facts = result.conclusion, result.facts
    if facts.interrupted:
        so_far = f"{conclusion.outcome}: {_found(result)}"
        wanted = "" if facts.wanted is None else f" of {facts.wanted:,}"
        return f"after {_requests(result.tally)}{wanted}; so far {so_far}"
    if result.code is Exit.FAILED and conclusion.outcome is not Outcome.FAILED:
        return _what_else(conclusion)
    if result.code is Exit.ERRORS:
        limit = percent(result.terms.max_errors)
        return f"{percent(conclusion.error_share)} of {_requests(result.tally)} failed, {limit} may"
    return _found(result)


def _what_else(conclusion: Conclusion) -> str:
    """What failed a run of which no split is wrong."""
    wrong = len(conclusion.misfits)
    if wrong:
        return f"{wrong} wrong reason{'' if wrong == 1 else 's'}, though no split is wrong"
    parts = [by for by, part in conclusion.parts.items() if part.outcome is Outcome.FAILED]
    return f"wrong by {' and '.join(parts)}, though no split is wrong as a whole"


def _found(result: Result) -> str:
    conclusion = result.conclusion
    every = list(conclusion.outcomes.values())
    found = f"{every.count(conclusion.outcome)} of {len(every)} splits"
    if conclusion.looks is None:
        return found + _needs(result) if conclusion.outcome is Outcome.UNDECIDED else found
    most = "" if result.facts.wanted is None else f" of at most {result.facts.wanted:,}"
    return f"{found} after {_requests(result.tally)}{most}"


def _needs(result: Result) -> str:
    waiting: dict[str, Verdict] = undecided(result.conclusion.summary)
    needs = ", ".join(f"{name} {v.requests_needed:,}" for name, v in waiting.items())
    total = result.conclusion.requests_needed
    return f" (answers needed: {needs}" + (f"; about {total:,} requests in all)" if total else ")")


def _rates(terms: Terms) -> str:
    question = terms.question
    return (
        f"correct splits fail with probability <= {question.false_alarm:.3g} for all together,"
        f" one that is off by {points(question.tolerance)} passes with <= {question.miss:.3g}"
    )


def _requests(tally: Tally) -> str:
    return f"{tally.requests:,} request{'' if tally.requests == 1 else 's'}"


def text(result: Result) -> str:
    """Everything for people, the outcome last."""
    sent = f"{_requests(result.tally)} at {result.facts.host} in {result.facts.seconds:.1f} s"
    head = f"{sent} ({result.rate:,.0f} per second); {result.facts.users}"
    lines = [head, "", table(result), "", *sentences(result), *_circumstances(result)]
    return "\n".join([*lines, overall(result)])


def _circumstances(result: Result) -> Iterator[str]:
    """What the same run needs once more."""
    about = result.facts.about
    if about:
        seed = "not known" if about["seed"] is None else about["seed"]
        made = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
        yield f"seed: {seed}; revisions: {', '.join(revisions_of(result.tally)) or 'none'}; {made}"
        yield f"once more: {about['command']}"
