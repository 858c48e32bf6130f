"""Counters of answers: one increment a request in a tally that was looked up beforehand."""

from __future__ import annotations

from typing import Final, NamedTuple

Tally = dict[int, int]
"""Answers of one label by HTTP status."""


class Label(NamedTuple):
    """What an answer is counted under; empty where a request got no further.

    Attributes:
        stage: The stage's own name.
        function: The function's name.
        qualifier: What the API names: an alias, a version or `$LATEST`.
        version: The version that answered.
        reason: Why that version.
    """

    stage: str = ""
    function: str = ""
    qualifier: str = ""
    version: str = ""
    reason: str = ""


class Seen(NamedTuple):
    """What one version answered.

    Attributes:
        requests: Every answer.
        errors: Answers with a function status code (430 and above) or a server error, and those
            that were malformed or too large.
    """

    requests: int = 0
    errors: int = 0


ERRORS_FROM: Final = 430
"""The lowest function status code; with those and the server errors a version failed."""

TOO_LARGE: Final = 407
"""What the gateway answers in place of an answer that is too large."""


class Counters:
    """Counts answers by label and HTTP status."""

    __slots__ = ("_malformed", "_tallies")

    def __init__(self) -> None:
        self._tallies: dict[Label, Tally] = {}
        self._malformed: dict[Label, Tally] = {}

    def tally(self, label: Label) -> Tally:
        """The tally of a label; whoever answers keeps it and counts with `count`."""
        return self._tallies.setdefault(label, {})

    def malformed(self, label: Label) -> Tally:
        """The tally of malformed answers: their status, 403, is one that a function may mean."""
        return self._malformed.setdefault(label, {})

    def total(self) -> int:
        """Every answer so far."""
        tallies = (*self._tallies.values(), *self._malformed.values())
        return sum(sum(tally.values()) for tally in tallies)

    def by_version(self) -> dict[tuple[str, str, str], dict[str, Seen]]:
        """What each version answered, by stage, function and qualifier."""
        table: dict[tuple[str, str, str], dict[str, Seen]] = {}
        for label, tally in sorted(self._tallies.items()):
            malformed = sum(self._malformed.get(label, {}).values())
            requests = sum(tally.values()) + malformed
            if label.version and requests:
                versions = table.setdefault(label[:3], {})
                seen = versions.get(label.version, Seen())
                failed = sum(
                    number
                    for status, number in tally.items()
                    if status >= ERRORS_FROM or status == TOO_LARGE
                )
                versions[label.version] = Seen(
                    seen.requests + requests, seen.errors + failed + malformed
                )
        return table


def count(tally: Tally, status: int) -> None:
    """Count one answer, after it is out."""
    tally[status] = tally.get(status, 0) + 1
