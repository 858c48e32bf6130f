"""One answer told twice, with the same figures: in rows and sentences, and as values for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gateway.traffic.observed_judging import Judged, Word
from gateway.traffic.observed_time import Timeline
from gateway.verdict import Question, Share, Sketch
from gateway.verdict.answers import percent, points

HEADINGS: Final = (
    "SPLIT", "VERSION", "EXPECTED", "COUNT", "SHARE", "INTERVAL", "WOULD SHOW", "VERDICT",
)  # fmt: skip
LEFT: Final = frozenset({"SPLIT", "VERSION", "VERDICT", "STAGE"})
"""Columns of words; the others are of figures."""

LATENCY: Final = ("STAGE", "VERSION", "MEASURED", "MEDIAN", "90 %", "99 %", "GREATEST")
_QUANTILES: Final = (0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Verified:
    """Everything there is to tell.

    Attributes:
        word: The answer.
        answers: The answers about each split.
        question: What was asked, of all splits together.
        source: What was looked at, in one sentence.
        total: How many requests were counted.
        complaints: What there is too much of.
        notes: What a reader should know: what was left out, and why.
        failures: Errors by stage and version.
        timeline: What came when.
        latency: How long it took, by stage and version.
        facts: How it was found: the command, versions, the seed.
        more: Further values for JSON.
    """

    word: Word
    answers: tuple[Judged, ...]
    question: Question
    source: str
    total: int
    complaints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failures: Mapping[tuple[str, str], int] = field(default_factory=Counter)
    timeline: Timeline = field(default_factory=Timeline)
    latency: Mapping[tuple[str, str], Sketch] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """The answer in one sentence, with its error rates."""
        return f"{self.word}: {self._why()}; {rates(self.question)}"

    def _why(self) -> str:
        if self.word is Word.ERRORS:
            return "; ".join(self.complaints)
        if self.word is Word.INTERRUPTED:
            return f"after {self.total:,} requests"
        failed = self.word is Word.FAILED
        asked = [each for each in self.answers if failed or not each.part]
        alike = [each for each in asked if each.outcome.value == self.word.value]
        if not alike:
            return "answers that no configuration explains, though no split is wrong"
        found = f"{len(alike)} of {len(asked)} splits"
        if self.word is Word.PASSED:
            return found
        return f"{found}; {alike[0].name}: {alike[0].finding}"


def rates(question: Question) -> str:
    """How often an answer may be wrong."""
    return (
        f"correct splits fail with probability <= {question.false_alarm:.3g} for all together,"
        f" one that is off by {points(question.tolerance)} passes with <= {question.miss:.3g}"
    )


def rows(verified: Verified) -> Iterator[tuple[str, ...]]:
    """A row for each version of each split, under `HEADINGS`."""
    for answer in verified.answers:
        for share in answer.shares:
            yield (answer.name, *_figures(share), answer.outcome.value)


def _figures(share: Share) -> tuple[str, ...]:
    return (
        share.version,
        percent(share.expected),
        f"{share.count:,}",
        percent(share.share),
        f"{percent(share.low)} .. {percent(share.high)}",
        "-" if share.smallest_deviation is None else points(share.smallest_deviation),
    )


def sentences(verified: Verified) -> Iterator[str]:
    """A sentence for each split, and for what else there is to say; not the answer itself."""
    for answer in verified.answers:
        yield f"{answer.name}: {answer.outcome}: {answer.finding}"
    yield from verified.complaints if verified.word is not Word.ERRORS else ()
    for note in verified.notes:
        yield f"note: {note}"


def latency_rows(verified: Verified) -> Iterator[tuple[str, ...]]:
    """A row for each version whose answers were timed, under `LATENCY`."""
    for (stage, version), sketch in sorted(verified.latency.items()):
        quantiles = [milliseconds(value) for value in sketch.quantiles(_QUANTILES)]
        greatest = milliseconds(sketch.largest)
        yield (stage or "-", version, f"{sketch.total:,}", *quantiles, greatest)


def milliseconds(seconds: float | None) -> str:
    """A time for people: 0.0123 is `12.3 ms`."""
    return "-" if seconds is None else f"{seconds * 1000:.3g} ms"


def document(verified: Verified) -> dict[str, Any]:
    """Everything for programs."""
    return {
        "outcome": verified.word.value,
        "sentence": verified.sentence,
        "source": verified.source,
        "requests": verified.total,
        "question": asdict(verified.question),
        "splits": [_split(answer) for answer in verified.answers],
        "complaints": list(verified.complaints),
        "notes": list(verified.notes),
        "failures": [
            {"stage": stage, "version": version, "count": count}
            for (stage, version), count in sorted(verified.failures.items())
        ],
        "timeline": _timeline(verified.timeline),
        "latency": [
            {"stage": stage, "version": version, **sketch.to_plain()}
            for (stage, version), sketch in sorted(verified.latency.items())
        ],
        "about": dict(verified.facts),
        **verified.more,
    }


def _split(answer: Judged) -> dict[str, Any]:
    return {
        "name": answer.name,
        "stage": answer.stage,
        "outcome": answer.outcome.value,
        "finding": answer.finding,
        "unit": answer.unit,
        "total": answer.total,
        "shares": [asdict(share) for share in answer.shares],
        "details": answer.details,
    }


def _timeline(timeline: Timeline) -> dict[str, Any]:
    return {
        "unit": "requests" if timeline.numbered else "seconds",
        "width": timeline.width,
        "intervals": [
            {
                "begin": interval.begin,
                "counts": [
                    {"stage": stage, "version": version, "count": count}
                    for (stage, version), count in sorted(interval.counts.items())
                ],
            }
            for interval in timeline.intervals()
        ],
    }
