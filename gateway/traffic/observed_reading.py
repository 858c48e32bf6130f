"""A log is read once, from its first line to its last or to the moment when all is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from gateway.traffic.observed import Observed
from gateway.traffic.observed_fields import Fields, Looker
from gateway.traffic.observed_filters import Accepts, within
from gateway.traffic.observed_records import FORMATS, Format, Record, recognised

EVERY: Final = 500
"""Records between two looks at what was counted."""

_SHOWN: Final = 60


class UnknownFormat(ValueError):
    """A log whose first line is in no format that can be recognised."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read out of a log.

    Attributes:
        format: The format of its lines; `None` to recognise it by the first one.
        fields: The names of its fields.
        accepts: Which records count; `None` for all.
        since: The first moment that counts; `None` for no first one.
        until: The first moment that does not any more; `None` for no end.
    """

    format: Format | None = None
    fields: Fields = field(default_factory=Fields)
    accepts: Accepts | None = None
    since: float | None = None
    until: float | None = None


class Reading:
    """One reading of one log.

    Args:
        wanted: What is to be read.
        observed: Where it is counted.

    Attributes:
        lines: How many lines were read.
        format: The format that they are in; `None` before the first one.
        names: The fields of the first record.
    """

    def __init__(self, wanted: Wanted, observed: Observed) -> None:
        self.lines = 0
        self.format = wanted.format
        self.names: tuple[str, ...] = ()
        self._wanted = wanted
        self._observed = observed

    def read(self, lines: Iterable[bytes], pause: Callable[[], bool]) -> None:
        """Read a log.

        Args:
            lines: Its lines.
            pause: Called now and then; reading ends when it says yes.

        Raises:
            UnknownFormat: The first line is in no format that can be recognised.
            TooMany: A field has far more values than versions, or splits, can be.
        """
        texts = self._counted(lines)
        if self.format is None:
            texts = self._recognise(texts)
        if self.format is None:
            return
        looker, leave = Looker(self._wanted.fields), self._observed.leavings.leave
        for number, record in enumerate(self.format.read(texts), start=1):
            if isinstance(record, str):
                leave(record, self.lines)
                continue
            self.names = self.names or tuple(record)
            self._take(looker, record)
            if not number % EVERY and pause():
                return

    def _take(self, looker: Looker, record: Record) -> None:
        wanted, leavings = self._wanted, self._observed.leavings
        if wanted.accepts is not None and not wanted.accepts(record):
            leavings.filtered += 1
            return
        sighting = looker(record)
        if within(sighting, wanted.since, wanted.until):
            self._observed.see(sighting, self.lines)
        else:
            leavings.filtered += 1

    def _counted(self, lines: Iterable[bytes]) -> Iterator[str]:
        for line in lines:
            self.lines += 1
            yield line.decode("utf-8", "replace")

    def _recognise(self, texts: Iterator[str]) -> Iterator[str]:
        first = next((text for text in texts if text.strip()), None)
        if first is None:
            return texts
        self.format = recognised(first.removeprefix("\ufeff").strip())
        if self.format is None:
            shown = first.strip()[:_SHOWN]
            raise UnknownFormat(
                f"line {self.lines} is in no format that can be told by it: {shown!r}; name one of"
                f" {', '.join(FORMATS)} with --format, or give the server's format string with"
                " --log-format"
            )
        return chain([first.removeprefix("\ufeff")], texts)
