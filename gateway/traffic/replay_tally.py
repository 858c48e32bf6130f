"""The tally of a replay: every request in exactly one place, and tallies of many add up to one.

Whole numbers by what the answers said, sketches of latency and slip, and what happened when.
Several processes count for themselves; merging their tallies in any order gives the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from gateway.traffic.outcome import End, Outcome
from gateway.traffic.replay_timeline import Timeline
from gateway.verdict.sketch import Sketch


class Cell(NamedTuple):
    """What an answer said of itself, and where it was asked.

    Attributes:
        stage: The stage.
        function: The function; empty where no version answered.
        alias: The alias.
        version: The version.
        reason: Why that one.
        revision: The snapshot that decided.
        status: The HTTP status.
    """

    stage: str
    function: str
    alias: str
    version: str
    reason: str
    revision: str
    status: int


class Group(NamedTuple):
    """What has a line of its own in the report."""

    stage: str
    function: str
    version: str


class Loss(NamedTuple):
    """A kind of request that was not answered."""

    stage: str
    end: End
    why: str


class Measured:
    """Latency and slip of a group, in seconds."""

    __slots__ = ("latency", "slip")

    def __init__(self) -> None:
        self.latency = Sketch()
        self.slip = Sketch()

    def merge(self, other: Measured) -> None:
        """Count what another one has measured, too."""
        self.latency.merge(other.latency)
        self.slip.merge(other.slip)


class ReplayTally:
    """What became of requests.

    Attributes:
        answers: Answers by what they said.
        losses: Requests that were not answered, by how and why.
        measured: Latency and slip of the answers by stage, function and version.
        slip: Slip of everything that was sent, answered or not.
        answered_when: Latencies by when a request was due, stage and version.
        sent_when: Slips by when a request was sent, and stage.
    """

    def __init__(self) -> None:
        self.answers: Counter[Cell] = Counter()
        self.losses: Counter[Loss] = Counter()
        self.measured: dict[Group, Measured] = {}
        self.slip = Sketch()
        self.answered_when = Timeline()
        self.sent_when = Timeline()

    @property
    def answered(self) -> int:
        """Requests with a whole answer."""
        return self.answers.total()

    @property
    def failed(self) -> int:
        """Requests that were sent and have no whole answer."""
        return self._lost(End.FAILED)

    @property
    def not_sent(self) -> int:
        """Requests that never left."""
        return self._lost(End.NOT_SENT)

    @property
    def requests(self) -> int:
        """Everything that has ended, one way or another."""
        return self.answered + self.losses.total()

    def add(self, outcome: Outcome) -> None:
        """Count a request that has ended."""
        end, stage, due, begun, _, status, said, why = outcome
        if end is not End.NOT_SENT:
            slip = begun - due
            self.slip.add(slip)
            self.sent_when.add(begun, (stage,), slip)
        if end is not End.ANSWERED:
            self.losses[Loss(stage, end, why)] += 1
            return
        function, alias, version, reason, revision = said
        self.answers[Cell(stage, function, alias, version, reason, revision, status)] += 1
        group = Group(stage, function, version)
        measured = self.measured.get(group)
        if measured is None:
            measured = self.measured[group] = Measured()
        latency = outcome.latency
        measured.latency.add(latency)
        measured.slip.add(slip)
        self.answered_when.add(due, (stage, version), latency)

    def lose(self, stage: str, end: End, why: str, requests: int) -> None:
        """Count requests of which nothing else is known."""
        if requests:
            self.losses[Loss(stage, end, why)] += requests

    def merge(self, other: ReplayTally) -> None:
        """Count everything that another tally has counted, too."""
        self.answers.update(other.answers)
        self.losses.update(other.losses)
        for group, measured in other.measured.items():
            self.measured.setdefault(group, Measured()).merge(measured)
        self.slip.merge(other.slip)
        self.answered_when.merge(other.answered_when)
        self.sent_when.merge(other.sent_when)

    def to_plain(self) -> dict[str, Any]:
        """The tally as JSON can hold it; `from_plain` reads it."""
        return {
            "answers": [[*cell, count] for cell, count in sorted(self.answers.items())],
            "losses": [[*loss, count] for loss, count in sorted(self.losses.items())],
            "measured": [
                [*group, each.latency.to_plain(), each.slip.to_plain()]
                for group, each in sorted(self.measured.items(), key=lambda pair: pair[0])
            ],
            "slip": self.slip.to_plain(),
            "answered_when": self.answered_when.to_plain(),
            "sent_when": self.sent_when.to_plain(),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ReplayTally:
        """The tally that `to_plain` told."""
        tally = cls()
        for *names, count in plain["answers"]:
            tally.answers[Cell(*names)] = count
        for stage, end, why, count in plain["losses"]:
            tally.losses[Loss(stage, End(end), why)] = count
        for stage, function, version, latency, slip in plain["measured"]:
            measured = tally.measured[Group(stage, function, version)] = Measured()
            measured.latency = Sketch.from_plain(latency)
            measured.slip = Sketch.from_plain(slip)
        tally.slip = Sketch.from_plain(plain["slip"])
        tally.answered_when = Timeline.from_plain(plain["answered_when"])
        tally.sent_when = Timeline.from_plain(plain["sent_when"])
        return tally

    def _lost(self, end: End) -> int:
        return sum(count for loss, count in self.losses.items() if loss.end is end)


def merged(tallies: Iterable[ReplayTally]) -> ReplayTally:
    """The sum of several tallies."""
    whole = ReplayTally()
    for tally in tallies:
        whole.merge(tally)
    return whole
