"""One import as a command runs it: what is read, how far it is, and what was left out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.cli.picture import clean

if TYPE_CHECKING:
    from gateway.traffic.importing import Wanted
    from gateway.traffic.opening import Opened
    from gateway.traffic.recording import Recorded
    from gateway.traffic.skipping import Skipped

QUIET: Final = 2.0
"""Seconds before progress is shown."""

_EVERY: Final = 0.5
_STEP: Final = 500
_UNITS: Final = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


class Importing:
    """Reads a file as a recording, as often as it is played.

    Args:
        source: The file.
        wanted: How it is to be read.
        strict: Whether nothing may be left out.

    Attributes:
        source: The file.
        kind: The format that it is read in.
        skipped: What was left out of it.
    """

    def __init__(self, source: str, wanted: Wanted, *, strict: bool) -> None:
        from gateway.traffic.skipping import Skipped

        self.source = source
        self._wanted = wanted
        self._strict = strict
        self.kind = wanted.format or ""
        self.skipped = Skipped(source, strict=strict)

    def play(self) -> Iterator[Recorded]:
        """The requests of the file, from its beginning.

        Raises:
            TrafficError: It cannot be read, or not wholly where that is asked for.
        """
        from gateway.traffic.importing import FORMATS, detect, settled
        from gateway.traffic.opening import open_bytes
        from gateway.traffic.skipping import Skipped

        self.skipped = Skipped(self.source, strict=self._strict)  # of one round, not of all
        with open_bytes(self.source) as opened:
            self.kind = self.kind or detect(opened)
            requests = FORMATS[self.kind](opened, self._wanted, self.skipped)
            yield from Progress(opened).over(settled(requests, self.skipped))


class Progress:
    """Draws how far a file has been read, over itself, once that takes a while.

    Args:
        opened: The file.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._shown = sys.stderr.isatty()
        self._next = monotonic() + QUIET

    def over(self, requests: Iterable[Recorded]) -> Iterator[Recorded]:
        """The requests, and the line as they pass."""
        number = 0
        for number, request in enumerate(requests, start=1):
            if not number % _STEP:
                self._look(number)
            yield request
        if self._shown and number:
            click.echo("\r\x1b[K", nl=False, err=True)

    def _look(self, number: int) -> None:
        now = monotonic()
        if now < self._next:
            return
        share = self._opened.share()
        part = "" if share is None else f"{share:.0%} read, "
        line = f"{part}{number:,} requests"
        if self._shown:
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)
            self._next = now + _EVERY
        else:
            click.echo(line, err=True)
            self._next = now + 10 * _EVERY


def summary(importing: Importing, count: int, seconds: float) -> dict[str, Any]:
    """What was imported, as JSON has it."""
    skipped = importing.skipped
    return {
        "format": importing.kind,
        "requests": count,
        "seconds": round(seconds, 6),
        "skipped": [
            {"why": why, "count": reason.count, "lines": reason.lines}
            for why, reason in skipped.reasons.items()
        ],
        "notes": skipped.passed,
        "broken": skipped.broken or None,
    }


def words(source: str, told: Mapping[str, Any], skipped: Skipped) -> Iterator[str]:
    """The same in sentences."""
    many = "1 request" if told["requests"] == 1 else f"{told['requests']:,} requests"
    yield f"{many} over {length(told['seconds'])} from {clean(source)} ({told['format']})"
    yield from skipped.sentences()
    for what, count in told["notes"].items():
        yield f"{what}: {count:,}"
    if told["broken"]:
        yield f"the rest is missing: {clean(told['broken'])}"


def length(seconds: float) -> str:
    """A stretch of time in its two largest units."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    left, parts = round(seconds), []
    for name, size in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {name}")
            left %= size
    return " ".join(parts[:2])
