"""The counts of a run, each sender's kept whole and replaced by its next, never added twice; pure.

A sender reports everything it has counted so far, so a report that is late, repeated or lost
changes nothing in the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.course import UNLIMITED, part
from loadtests.tally import Problem, Tally, merged


class Collection:
    """Who sends what in a run, and what each has counted so far."""

    def __init__(self, number: int, requests: int | None, senders: Sequence[str]) -> None:
        """Deal out the requests.

        Args:
            number: Tells this run from others of the same process.
            requests: Requests of all senders together; `None` where something else ends the run.
            senders: Their names.
        """
        self.number = number
        self.requests = requests
        self.parts = {
            name: part(requests or UNLIMITED, place, len(senders))
            for place, name in enumerate(senders)
        }
        self._owed = {name: dealt.requests for name, dealt in self.parts.items()}
        self._tallies = {name: Tally() for name in senders}
        self._waiting = {name for name in senders if self._owed[name]}

    @property
    def finished(self) -> bool:
        """Whether every request was sent and settled, or lost with its sender."""
        return not self._waiting

    @property
    def waiting(self) -> frozenset[str]:
        """Senders that are not through."""
        return frozenset(self._waiting)

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """What each sender has counted so far."""
        return self._tallies

    @property
    def tally(self) -> Tally:
        """All counts so far."""
        if len(self._tallies) == 1:
            return next(iter(self._tallies.values()))
        return merged(self._tallies.values())

    def take(self, sender: str, report: Mapping[str, Any]) -> None:
        """Take what a sender has counted so far; reports of other runs and old ones are ignored."""
        if sender not in self._waiting or report["run"] != self.number:
            return
        if "broken" in report:
            self.lose(sender, report["broken"])
            return
        self.hold(sender, Tally.from_data(report["tally"]), report["of"])

    def hold(self, sender: str, tally: Tally, of: int) -> None:
        """Hold the counts of a sender, unless newer ones are held.

        Args:
            sender: Its name.
            tally: Everything it has counted.
            of: How many requests it has to send in all; fewer than dealt, once it was closed.
        """
        self._owed[sender] = min(of, self._owed[sender])
        if tally.requests >= self._tallies[sender].requests:
            self._tallies[sender] = tally
        if tally.requests >= self._owed[sender]:
            self._waiting.discard(sender)

    def lose(self, sender: str, why: str) -> None:
        """Count what a sender still owes as errors: nobody will ever know what came of it."""
        if sender in self._waiting:
            tally = self._tallies[sender]
            owed = 1 if self.requests is None else self._owed[sender] - tally.requests
            tally.lost(Problem("-", why), owed)
            self._waiting.discard(sender)


def report(number: int, tally: Tally, of: int) -> dict[str, Any]:
    """What a sender tells of itself.

    Args:
        number: The run.
        tally: Everything it has counted.
        of: How many requests it has to send in all.
    """
    return {"run": number, "tally": tally.to_data(), "of": of}
