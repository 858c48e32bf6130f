"""The gateway's own counters while a load test runs: what came by now, and the verdict so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

import click

from gateway.cli.verify_expected import Wish
from gateway.cli.verify_shown import so_far
from gateway.traffic.observed import Expected, Observed, Split
from gateway.traffic.observed_judging import Watches
from gateway.verdict import Question

if TYPE_CHECKING:
    from gateway.cli.remote import Remote

Counts = Counter[tuple[str, str]]
"""Requests by stage and version."""


class Live:
    """A look at a gateway; without a control plane it knows nothing but the time.

    Args:
        remote: The control plane; `None` where nobody may be asked.
        wishes: What is expected of each stage.
        question: The error rates.

    Attributes:
        data_url: Where callers reach the gateway; empty where that is not known.
    """

    def __init__(self, remote: Remote | None, wishes: Sequence[Wish], question: Question) -> None:
        from gateway.cli.replay_target import data_url

        self.data_url = "" if remote is None else data_url(remote)
        self._remote = remote
        self._wishes = wishes
        self._plain = not any(wish.sticky_by or wish.rules for wish in wishes)
        expected = [Expected(wish.stage, wish.shares) for wish in wishes]
        self._expected = expected
        self._watches = Watches(expected, question)
        self._begun = monotonic()
        self._before = Counts() if remote is None else self._counts(remote)

    def words(self) -> str:
        """What came since the beginning, in one line."""
        seconds = f"{monotonic() - self._begun:.0f} s"
        if self._remote is None:
            return seconds
        try:
            counts = self._counts(self._remote) - self._before
        except click.exceptions.Exit:  # it was told why; the load test will know, too
            self._remote = None
            return seconds
        return f"{counts.total():,} requests in {seconds}; {self._so_far(counts)}"

    def _so_far(self, counts: Counts) -> str:
        observed = Observed(self._expected)
        for (stage, version), times in sorted(counts.items()):
            observed.add(Split(stage), version, times)
        if self._plain:
            self._watches.look(observed)
        told = {split.name(): versions for split, versions in observed.counts.items()}
        return so_far(told, {split.name(): look for split, look in self._watches.looks.items()})

    def _counts(self, remote: Remote) -> Counts:
        """Requests of the stages and functions that are asked about."""
        wanted = {(wish.stage, wish.function) for wish in self._wishes}
        counts = Counts()
        for seen in remote.get("/api/metrics").body["versions"]:
            group = seen["stage"], seen["function"]
            if group in wanted or (seen["stage"], "") in wanted:
                counts[seen["stage"], seen["version"]] += seen["requests"]
        return counts
