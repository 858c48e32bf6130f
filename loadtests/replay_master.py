"""What the processes of a replay have counted, added up, and written as one report."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.traffic.outcome import End
from gateway.traffic.replay import Share
from gateway.traffic.replay_page import report_page
from gateway.traffic.replay_report import Facts, Report
from gateway.traffic.replay_tally import ReplayTally, merged
from gateway.traffic.replay_words import report_words
from gateway.traffic.sending import INTERRUPTED
from loadtests.output import say


class Gathering:
    """Who plays which share, and what each has counted so far.

    A sender reports everything it has counted, so that a report which is late or lost changes
    nothing in the end.

    Args:
        requests: Requests of all senders together.
        senders: Their names.

    Attributes:
        seconds: How long the replay takes.
    """

    def __init__(self, requests: int, senders: Sequence[str]) -> None:
        self.seconds = 0.0
        self._wanted = {
            name: Share(place, len(senders)).count(requests) for place, name in enumerate(senders)
        }
        self._tallies = {name: ReplayTally() for name in senders}
        self._waiting = {name for name, wanted in self._wanted.items() if wanted}

    @property
    def finished(self) -> bool:
        """Whether nothing more can come."""
        return not self._waiting

    def take(self, sender: str, told: Mapping[str, Any]) -> None:
        """Take what a sender has counted so far; of one that is through, nothing more."""
        if sender not in self._waiting:
            return
        tally = ReplayTally.from_plain(told["tally"])
        if tally.requests >= self._tallies[sender].requests:
            self._tallies[sender] = tally
        if told["done"]:
            self._waiting.discard(sender)

    def lose_all_but(self, alive: Collection[str]) -> None:
        """Wait no longer for senders that are gone; nobody knows what became of the rest."""
        for name in self._waiting - set(alive):
            self._lose(name, "lost with its worker", End.FAILED)
            self._waiting.discard(name)

    def report(self, facts: Facts) -> Report:
        """Everything together; what nobody has sent by now is not sent."""
        for name in self._tallies:
            self._lose(name, INTERRUPTED, End.NOT_SENT)
        about = {**facts.about, "senders": str(len(self._tallies))}
        whole = merged(self._tallies.values())
        return Report(replace(facts, seconds=round(self.seconds, 6), about=about), whole)

    def _lose(self, name: str, why: str, end: End) -> None:
        tally = self._tallies[name]
        tally.lose("", end, why, self._wanted[name] - tally.requests)


def publish(report: Report, as_json: str | None, as_html: str | None) -> None:
    """Print the report for people, and write it for programs and for a browser."""
    print(report_words(report), flush=True)
    if as_json is not None:
        _write(as_json, json.dumps(report.to_plain(), indent=2) + "\n")
    if as_html is not None:
        _write(as_html, report_page(report))


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        say(f"error[report]: {path} cannot be written: {error.strerror}")
