"""The counts of a run, each sender's kept whole and replaced by its next, never added twice; pure.

A sender reports everything it has counted so far, so a report that is late, repeated or lost
changes nothing in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.course import part
from loadtests.tally import Problem, Tally, merged


class Collection:
    """Who sends what in a run, and what each has counted so far."""

    def __init__(self, number: int, requests: int, senders: Sequence[str]) -> None:
        """Deal out the requests.

        Args:
            number: Tells this run from others of the same process.
            requests: Requests of all senders together.
            senders: Their names.
        """
        self.number = number
        self.requests = requests
        self.parts = {
            name: part(requests, place, len(senders)) for place, name in enumerate(senders)
        }
        self._tallies = {name: Tally() for name in senders}
        self._waiting = {name for name in senders if self.parts[name].requests}

    @property
    def finished(self) -> bool:
        """Whether every request was sent and settled, or lost with its sender."""
        return not self._waiting

    @property
    def waiting(self) -> frozenset[str]:
        """Senders that are not through."""
        return frozenset(self._waiting)

    @property
    def tally(self) -> Tally:
        """All counts so far."""
        return merged(self._tallies.values())

    def take(self, sender: str, report: Mapping[str, Any]) -> None:
        """Take what a sender has counted so far; reports of other runs and old ones are ignored."""
        if sender not in self._waiting or report["run"] != self.number:
            return
        if "broken" in report:
            self.lose(sender, report["broken"])
            return
        tally = Tally.from_data(report["tally"])
        if tally.requests >= self._tallies[sender].requests:
            self._tallies[sender] = tally
        if tally.requests >= self.parts[sender].requests:
            self._waiting.discard(sender)

    def lose(self, sender: str, why: str) -> None:
        """Count what a sender still owes as errors: nobody will ever know what came of it."""
        if sender in self._waiting:
            tally = self._tallies[sender]
            tally.lost(Problem("-", why), self.parts[sender].requests - tally.requests)
            self._waiting.discard(sender)


def report(number: int, tally: Tally) -> dict[str, Any]:
    """What a sender tells of itself."""
    return {"run": number, "tally": tally.to_data()}
