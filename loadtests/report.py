"""One conclusion told twice, with the same figures: a table for people, JSON for programs; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil, floor, log10
from typing import Any, Final

from gateway.verdict import Look, Outcome, Share, Verdict
from loadtests.exits import Exit
from loadtests.judgement import Conclusion, Terms, cells_of, undecided
from loadtests.tally import Cell, Tally
from loadtests.traffic import BOB

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
        wanted: Requests that were to be sent.
        seconds: How long it took.
        finished: Whether every request was sent and settled.
        interrupted: Whether it was ended from outside before that.
        about: Whatever else is worth keeping: the log, the command line, versions.
    """

    host: str
    wanted: int
    seconds: float
    finished: bool = True
    interrupted: bool = False
    about: dict[str, Any] = field(default_factory=dict)


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


def rows(result: Result) -> Iterator[tuple[str, ...]]:
    """One row per version that was expected or seen, under `HEADINGS`."""
    for expectation in result.terms.expectations:
        verdict = result.conclusion.summary.verdicts[expectation.name]
        outcome = result.conclusion.outcomes[expectation.name]
        cells = cells_of(expectation, result.tally, result.terms)
        who = expectation.who or _everybody(result.terms, expectation.stage)
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
    lines = [HEADINGS, *rows(result)]
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
    looks = result.conclusion.looks
    if looks is None:
        for name, verdict in result.conclusion.summary.verdicts.items():
            yield f"{name}: {verdict.sentence}"
    else:
        for name, look in looks.items():
            yield f"{name}: {_looked(look)}"
    for misfit in result.conclusion.misfits:
        yield f"wrong reason: {misfit}"
    kinds = result.tally.errors.most_common()
    for problem, count in kinds[:_KINDS_TOLD]:
        yield f"error: {problem.stage}: {problem.what}: {count:,} of {_requests(result.tally)}"
    if len(kinds) > _KINDS_TOLD:
        yield f"error: {len(kinds) - _KINDS_TOLD} more kinds of error"
    revisions = sorted({cell.revision for cell in result.tally.answers})
    if len(revisions) > 1:
        yield f"note: the routing changed during the run: revisions {', '.join(revisions)}"


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
        return f"after {_requests(result.tally)} of {facts.wanted:,}; so far {so_far}"
    if result.code is Exit.FAILED and conclusion.outcome is not Outcome.FAILED:
        wrong = len(conclusion.misfits)
        return f"{wrong} wrong reason{'' if wrong == 1 else 's'}, though no split is wrong"
    if result.code is Exit.ERRORS:
        limit = percent(result.terms.max_errors)
        return f"{percent(conclusion.error_share)} of {_requests(result.tally)} failed, {limit} may"
    return _found(result)


def _found(result: Result) -> str:
    conclusion = result.conclusion
    every = list(conclusion.outcomes.values())
    found = f"{every.count(conclusion.outcome)} of {len(every)} splits"
    if conclusion.looks is None:
        return found + _needs(result) if conclusion.outcome is Outcome.UNDECIDED else found
    return f"{found} after {_requests(result.tally)} of at most {result.facts.wanted:,}"


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
    head = f"{sent} ({result.rate:,.0f} per second); {BOB} is the busiest client of the log"
    return "\n".join([head, "", table(result), "", *sentences(result), overall(result)])


def document(result: Result) -> dict[str, Any]:
    """Everything for programs."""
    facts, conclusion = result.facts, result.conclusion
    return {
        "outcome": result.word,
        "exit_code": int(result.code),
        "sentence": overall(result),
        "host": facts.host,
        "requests": result.tally.requests,
        "requests_wanted": facts.wanted,
        "finished": facts.finished,
        "seconds": round(facts.seconds, 3),
        "requests_per_second": round(result.rate, 1),
        "requests_needed": conclusion.requests_needed,
        "error_share": conclusion.error_share,
        "max_errors": result.terms.max_errors,
        "errors_exceeded": conclusion.errors_exceeded,
        "misfits": list(conclusion.misfits),
        "expected": {each.name: asdict(each) for each in result.terms.expectations},
        "verdict": conclusion.summary.to_dict(),
        "watched": conclusion.looks and {n: asdict(look) for n, look in conclusion.looks.items()},
        "counts": _counts(result.tally),
        **facts.about,
    }


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "answers": [
            {**cell._asdict(), "count": count, "failed": tally.failures[cell]}
            for cell, count in sorted(tally.answers.items())
        ],
        "errors": [{**e._asdict(), "count": count} for e, count in sorted(tally.errors.items())],
        "requests_without_version": tally.unnamed,
    }


def percent(share: float) -> str:
    """A share for people: 0.1 is `10 %`, and no share but 1 is `100 %`."""
    value = 100 * share
    rounded = f"{value:.2f}".rstrip("0").rstrip(".")
    if rounded == "100" and share < 1:
        return "> 99.99 %"
    return "< 0.01 %" if rounded == "0" and share > 0 else f"{rounded} %"


def points(deviation: float) -> str:
    """A deviation for people, rounded up to three digits: 0.03 is `3 points`."""
    value = 100 * deviation
    scale = 10.0 ** (2 - floor(log10(value)))
    value = ceil(value * scale * (1 - 1e-12)) / scale
    return f"{value:g} point{'' if value == 1 else 's'}"
