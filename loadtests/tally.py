"""Counts add up exactly, whoever counted: whole numbers by what the answers said; pure.

An answer that names its version counts for the split whatever its status, because a version that
fails was chosen all the same; its failure is counted beside it, as an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.verdict.sketch import Sketch
from gateway.verdict.stickiness import Stickiness
from loadtests.timeline import Timeline


class Cell(NamedTuple):
    """What an answer said of itself, and who had asked.

    Attributes:
        stage: The stage that was asked.
        who: Bob or the others.
        version: `X-Gateway-Version`.
        reason: `X-Gateway-Reason`.
        revision: `X-Gateway-Revision`.
        alias: `X-Gateway-Alias`.
    """

    stage: str
    who: str
    version: str
    reason: str
    revision: str
    alias: str = ""


class Problem(NamedTuple):
    """A kind of error.

    Attributes:
        stage: The stage that was asked.
        what: What happened, in a few words.
    """

    stage: str
    what: str


@dataclass(slots=True)
class Tally:
    """What came back.

    Attributes:
        answers: Answers that named their version, failed ones too.
        failures: Those of them that failed.
        errors: Every failed request by its kind.
        unnamed: The failed requests that are not among `answers`.
        outdated: Answers at a revision that had been replaced before they were asked for.
        timeline: When the answers came.
        latency: How long each version took, in seconds, by stage and version.
        keys: Which sticky key was on which version, by stage and revision.
    """

    answers: Counter[Cell] = field(default_factory=Counter)
    failures: Counter[Cell] = field(default_factory=Counter)
    errors: Counter[Problem] = field(default_factory=Counter)
    unnamed: int = 0
    outdated: Counter[Cell] = field(default_factory=Counter)
    timeline: Timeline = field(default_factory=Timeline)
    latency: dict[tuple[str, str], Sketch] = field(default_factory=dict)
    keys: dict[tuple[str, str], Stickiness] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """Everything that was sent and settled."""
        return self.answers.total() + self.unnamed

    def answered(self, cell: Cell, problem: str | None = None) -> None:
        """Count an answer that names its version; `problem` tells how it failed, if it did."""
        self.answers[cell] += 1
        if problem is not None:
            self.failures[cell] += 1
            self.errors[Problem(cell.stage, problem)] += 1

    def timed(self, cell: Cell, at: float, seconds: float) -> None:
        """Note when an answer came, in seconds since the start, and how long it took."""
        where = cell.stage, cell.version
        self.timeline.count(at, *where)
        sketch = self.latency.get(where)
        if sketch is None:
            sketch = self.latency[where] = Sketch()
        sketch.add(seconds)

    def stuck(self, cell: Cell, key: str) -> None:
        """Note on which version a sticky key was."""
        keys = self.keys.get((cell.stage, cell.revision))
        if keys is None:
            keys = self.keys[cell.stage, cell.revision] = Stickiness()
        keys.see(key, cell.version)

    def lost(self, problem: Problem, requests: int = 1) -> None:
        """Count requests that no version is known to have answered."""
        self.errors[problem] += requests
        self.unnamed += requests

    def to_data(self) -> dict[str, Any]:
        """Return everything as values that JSON and MessagePack know."""
        return {
            "answers": [
                [*cell, count, self.failures[cell]] for cell, count in self.answers.items()
            ],
            "errors": [[*problem, count] for problem, count in self.errors.items()],
            "unnamed": self.unnamed,
            "outdated": [[*cell, count] for cell, count in self.outdated.items()],
            "timeline": self.timeline.to_data(),
            "latency": [[*at, sketch.to_plain()] for at, sketch in self.latency.items()],
            "keys": [[*at, keys.to_plain()] for at, keys in self.keys.items()],
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Tally:
        """Read what `to_data` wrote."""
        tally = cls(unnamed=data["unnamed"], timeline=Timeline.from_data(data["timeline"]))
        for *names, count, failed in data["answers"]:
            cell = Cell(*names)
            tally.answers[cell] = count
            if failed:
                tally.failures[cell] = failed
        for stage, what, count in data["errors"]:
            tally.errors[Problem(stage, what)] = count
        for *names, count in data["outdated"]:
            tally.outdated[Cell(*names)] = count
        for stage, version, plain in data["latency"]:
            tally.latency[stage, version] = Sketch.from_plain(plain)
        for stage, revision, plain in data["keys"]:
            tally.keys[stage, revision] = Stickiness.from_plain(plain)
        return tally


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of several tallies."""
    whole = Tally()
    for tally in tallies:
        whole.answers.update(tally.answers)
        whole.failures.update(tally.failures)
        whole.errors.update(tally.errors)
        whole.unnamed += tally.unnamed
        whole.outdated.update(tally.outdated)
        whole.timeline.merge(tally.timeline)
        for at, sketch in tally.latency.items():
            whole.latency.setdefault(at, Sketch()).merge(sketch)
        for at, keys in tally.keys.items():
            whole.keys.setdefault(at, Stickiness()).merge(keys)
    return whole
