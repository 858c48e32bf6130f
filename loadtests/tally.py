"""Counts add up exactly, whoever counted: whole numbers by what the answers said; pure.

An answer that names its version counts for the split whatever its status, because a version that
fails was chosen all the same; its failure is counted beside it, as an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Cell(NamedTuple):
    """What an answer said of itself, and who had asked.

    Attributes:
        stage: The stage that was asked.
        who: Bob or the others.
        version: `X-Gateway-Version`.
        reason: `X-Gateway-Reason`.
        revision: `X-Gateway-Revision`.
    """

    stage: str
    who: str
    version: str
    reason: str
    revision: str


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
    """

    answers: Counter[Cell] = field(default_factory=Counter)
    failures: Counter[Cell] = field(default_factory=Counter)
    errors: Counter[Problem] = field(default_factory=Counter)
    unnamed: int = 0

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
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Tally:
        """Read what `to_data` wrote."""
        tally = cls(unnamed=data["unnamed"])
        for *names, count, failed in data["answers"]:
            cell = Cell(*names)
            tally.answers[cell] = count
            if failed:
                tally.failures[cell] = failed
        for stage, what, count in data["errors"]:
            tally.errors[Problem(stage, what)] = count
        return tally


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of several tallies."""
    whole = Tally()
    for tally in tallies:
        whole.answers.update(tally.answers)
        whole.failures.update(tally.failures)
        whole.errors.update(tally.errors)
        whole.unnamed += tally.unnamed
    return whole
