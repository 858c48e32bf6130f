"""The report of a replay: facts, what became of every request, figures by stage and version.

It is one document of plain values. The tally is in it as it was counted, so that reports of several
machines can be merged into one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gateway.traffic.replay_tally import Group, ReplayTally
from gateway.traffic.replay_verdict import Judged
from gateway.verdict.sketch import Sketch

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
"""What is told of a sketch."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was played, where, and how.

    Attributes:
        recording: The file.
        target: Where requests went.
        requests: How many there were to send, every loop counted.
        seconds: How long it took.
        speed: How many times faster than recorded; `None` for as fast as possible.
        concurrency: How many requests could be under way at a time.
        late: Requests that stood behind a later one in the recording.
        interrupted: Whether it was ended early.
        about: What else is to be known: the command, versions.
    """

    recording: str
    target: str
    requests: int
    seconds: float
    speed: float | None = 1.0
    concurrency: int = 1
    late: int = 0
    interrupted: bool = False
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of a stage, function and version.

    Attributes:
        group: Whose they are.
        count: Its answers.
        share: Of the answers of its stage and function.
        classes: Answers by class of status: `2xx`.
        latency: From when a request should have begun.
        slip: How much too late it began.
    """

    group: Group
    count: int
    share: float
    classes: Mapping[str, int]
    latency: Sketch
    slip: Sketch


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        facts: What was played, where, and how.
        tally: What became of the requests.
        judged: Whether the splits were right; `None` where nobody could say what is right.
    """

    facts: Facts
    tally: ReplayTally
    judged: Judged | None = None

    @property
    def rate(self) -> float:
        """Requests sent a second."""
        return self.tally.slip.total / self.facts.seconds if self.facts.seconds else 0.0

    def rows(self) -> Iterator[Row]:
        """The figures, by stage, function and version."""
        classes: dict[Group, Counter[str]] = {}
        wholes: Counter[tuple[str, str]] = Counter()
        for cell, count in self.tally.answers.items():
            group = Group(cell.stage, cell.function, cell.version)
            classes.setdefault(group, Counter())[f"{cell.status // 100}xx"] += count
            wholes[group[:2]] += count
        for group in sorted(classes):
            count, measured = classes[group].total(), self.tally.measured[group]
            shown = {name: classes[group][name] for name in sorted(classes[group])}
            share = count / wholes[group[:2]]
            yield Row(group, count, share, shown, measured.latency, measured.slip)

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        tally, facts = self.tally, self.facts
        begin = "interrupted: " if facts.interrupted else ""
        return (
            f"{begin}{facts.requests:,} {_requests(facts.requests)}: {tally.answered:,} answered,"
            f" {tally.failed:,} failed, {tally.not_sent:,} not sent"
            f" in {facts.seconds:.1f} s ({self.rate:,.0f} per second)"
        )

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON can hold it."""
        tally = self.tally
        return {
            **asdict(self.facts),
            "answered": tally.answered,
            "failed": tally.failed,
            "not_sent": tally.not_sent,
            "rate": round(self.rate, 3),
            "slip": quantiles(tally.slip),
            "rows": [_row_plain(row) for row in self.rows()],
            "losses": [
                {"stage": loss.stage, "end": loss.end.value, "why": loss.why, "count": count}
                for loss, count in sorted(tally.losses.items())
            ],
            **(self.judged or Judged(None, {})).to_plain(),
            "sentence": self.sentence,
            "tally": tally.to_plain(),
        }


def quantiles(sketch: Sketch) -> dict[str, float | None]:
    """What is told of a sketch, in seconds."""
    found = {name: quantile(sketch, share) for name, share in QUANTILES.items()}
    return {name: None if value is None else round(value, 6) for name, value in found.items()}


def quantile(sketch: Sketch, share: float) -> float | None:
    """A quantile; the largest number of all exactly."""
    return sketch.largest if share == 1 and sketch.total else sketch.quantile(share)


def _row_plain(row: Row) -> dict[str, Any]:
    return {
        **row.group._asdict(),
        "count": row.count,
        "share": round(row.share, 6),
        "statuses": dict(row.classes),
        "latency": quantiles(row.latency),
        "slip": quantiles(row.slip),
    }


def _requests(count: int) -> str:
    return "request" if count == 1 else "requests"
