"""How far a replay is, in one line of a terminal: rate, slip, errors and split."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from gateway.cli.picture import clean, percent

if TYPE_CHECKING:
    from gateway.traffic.replay_tally import ReplayTally

EVERY: Final = 0.5
"""Seconds between two lines."""

_BAR: Final = 20


class Progress:
    """Draws the line again and again, over itself.

    Args:
        requests: How many there are to send.
        paced: Whether requests have a time of their own, so that they may be late.
    """

    def __init__(self, requests: int, *, paced: bool) -> None:
        self._requests = requests
        self._paced = paced
        self._shown = sys.stderr.isatty()
        self._before = (0.0, 0)

    def show(self, tally: ReplayTally, seconds: float) -> None:
        """Draw it, if there is a terminal."""
        if self._shown:
            click.echo(f"\r\x1b[K{self.line(tally, seconds)}", nl=False, err=True)

    def clear(self) -> None:
        """Leave no trace."""
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)

    def line(self, tally: ReplayTally, seconds: float) -> str:
        """The line, with the rate since the one before."""
        ended = tally.requests
        then, before = self._before
        self._before = (seconds, ended)
        rate = (ended - before) / max(seconds - then, 0.001)
        share = ended / self._requests if self._requests else 1.0
        full = int(share * _BAR)
        parts = [
            f"[{'#' * full}{'.' * (_BAR - full)}] {share:.0%}",
            f"{ended:,} of {self._requests:,}",
            f"{rate:,.0f}/s",
        ]
        late = tally.slip.quantile(0.99)
        if self._paced and late is not None:
            parts.append(f"slip p99 {late * 1000:.1f} ms")
        parts.append(f"{tally.failed + tally.not_sent:,} errors")
        return "  ".join([*parts, *_split(tally)])


def _split(tally: ReplayTally) -> list[str]:
    """The shares of the versions, stage by stage."""
    counts: dict[str, Counter[str]] = {}
    for cell, count in tally.answers.items():
        if cell.version:
            counts.setdefault(cell.stage, Counter())[cell.version] += count
    return [
        clean(f"{stage}: ")
        + ", ".join(
            f"{clean(version)} {percent(count / versions.total())}"
            for version, count in sorted(versions.items())
        )
        for stage, versions in sorted(counts.items())
    ]
