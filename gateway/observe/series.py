"""The course over time: per label, each second of the last quarter hour, each minute of a day.

An interval that is over is packed: a few hundred bytes, whatever happened in it. What comes late,
as other processes tell it, is added to what was packed. Times are those of the monotonic clock, so
that setting the wall clock neither tears holes nor doubles anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from gateway.observe.intervals import Interval, Packed, Point

if TYPE_CHECKING:
    from gateway.observe.counters import Label
    from gateway.observe.portions import Portion

SECONDS: Final = 15 * 60
"""How many single seconds are kept."""

MINUTES: Final = 24 * 60
"""How many single minutes are kept."""


class Track:
    """The course of one label.

    Attributes:
        whole: Everything since the start, but for the second that is going on.
    """

    __slots__ = ("_minute", "_minutes", "_second", "_seconds", "second", "whole")

    def __init__(self, second: int) -> None:
        self.whole = Interval()
        self.second = second
        self._second = Interval()
        self._seconds: dict[int, Packed] = {}
        self._minute = Interval()
        self._minutes: dict[int, Packed] = {}

    def add(self, second: int, interval: Interval) -> None:
        """Take in what happened in a second, the latest one, a later or an earlier one."""
        if second > self.second:
            self._turn(second)
        if second == self.second:
            self._second.merge(interval)
        else:
            self._late(second, interval)

    def everything(self) -> Interval:
        """What happened since the start, the second that goes on included."""
        every = Interval()
        every.merge(self.whole)
        every.merge(self._second)
        return every

    def seconds(self, since: int) -> Iterator[tuple[int, Interval]]:
        """The seconds from one on in which something happened."""
        yield from _unpacked(self._seconds, since)
        if self.second >= since and self._second.requests:
            yield self.second, self._second

    def packed(self, since: int, *, minutes: bool) -> Iterator[Packed]:
        """Seconds or minutes from one on, the one that goes on included, as they are kept."""
        over, going_on = (self._minutes, self.minutes) if minutes else (self._seconds, self.seconds)
        yield from (each for at, each in over.items() if at >= since)
        last = next(reversed(over)) + 1 if over else since
        yield from (Packed.of(*each) for each in going_on(max(since, last)))

    def minutes(self, since: int) -> Iterator[tuple[int, Interval]]:
        """The minutes from one on in which something happened; each is its number."""
        yield from _unpacked(self._minutes, since)
        minute = self.second // 60
        if minute >= since:
            going_on = Interval()
            going_on.merge(self._minute)
            going_on.merge(self._second)
            yield minute, going_on

    def _turn(self, second: int) -> None:
        _put(self._seconds, Packed.of(self.second, self._second), SECONDS)
        self._minute.merge(self._second)
        self.whole.merge(self._second)
        self._second = Interval()
        if second // 60 > self.second // 60:
            _put(self._minutes, Packed.of(self.second // 60, self._minute), MINUTES)
            self._minute = Interval()
        self.second = second

    def _late(self, second: int, interval: Interval) -> None:
        self.whole.merge(interval)
        _add(self._seconds, second, interval, SECONDS)
        if second // 60 == self.second // 60:
            self._minute.merge(interval)
        else:
            _add(self._minutes, second // 60, interval, MINUTES)


class Series:
    """The course of every label.

    Labels are as many as the configuration has stages, aliases and versions, never as many as
    callers can think of; what was silent for a day is forgotten.
    """

    def __init__(self) -> None:
        self._tracks: dict[Label, Track] = {}
        self._newest = 0

    def merge(self, found: Iterable[Portion]) -> None:
        """Take in portions, in any order."""
        for label, _, second, interval in found:
            track = self._tracks.get(label)
            if track is None:
                track = self._tracks[label] = Track(second)
            track.add(second, interval)
            self._newest = max(self._newest, second)
        self._forget(self._newest - MINUTES * 60)

    def labels(self) -> list[Label]:
        """Every label of the last day."""
        return sorted(self._tracks)

    def seconds(self, label: Label, since: int) -> list[tuple[int, Interval]]:
        """The seconds of a label from one on in which something happened, in order."""
        track = self._tracks.get(label)
        return list(track.seconds(since)) if track else []

    def minutes(self, label: Label, since: int) -> list[tuple[int, Interval]]:
        """The minutes of a label from one on in which something happened, in order."""
        track = self._tracks.get(label)
        return list(track.minutes(since)) if track else []

    def course(
        self, labels: Iterable[Label], since: int, *, minutes: bool = False
    ) -> dict[int, Point]:
        """Points of several labels together, from a second or a minute on, by its number."""
        found: dict[int, list[Packed]] = {}
        for label in labels:
            track = self._tracks.get(label)
            for each in track.packed(since, minutes=minutes) if track else ():
                found.setdefault(each.at, []).append(each)
        return {at: _together(packed) for at, packed in found.items()}

    def whole(self, label: Label) -> Interval:
        """Everything of a label since the start."""
        track = self._tracks.get(label)
        return Interval() if track is None else track.everything()

    def window(self, since: int) -> dict[Label, Interval]:
        """What happened from a second on, by label; only labels with something."""
        found = {}
        for label in self.labels():
            together = Interval()
            for _, interval in self.seconds(label, since):
                together.merge(interval)
            if together.requests:
                found[label] = together
        return found

    def _forget(self, before: int) -> None:
        silent = [label for label, track in self._tracks.items() if track.second < before]
        for label in silent:
            del self._tracks[label]


def _together(packed: Sequence[Packed]) -> Point:
    if len(packed) == 1:
        return packed[0].point
    every = Interval()
    for each in packed:
        every.merge(each.unpack())
    return Point.of(every)


def _unpacked(packed: Mapping[int, Packed], since: int) -> Iterator[tuple[int, Interval]]:
    return ((at, each.unpack()) for at, each in packed.items() if at >= since)


def _add(packed: dict[int, Packed], at: int, interval: Interval, kept: int) -> None:
    """Add to what is packed of a time, which may be nothing yet."""
    known = packed.get(at)
    together = Interval() if known is None else known.unpack()
    together.merge(interval)
    _put(packed, Packed.of(at, together), kept)


def _put(packed: dict[int, Packed], one: Packed, kept: int) -> None:
    """Keep the newest of what is packed, in order."""
    in_order = one.at in packed or not packed or one.at > next(reversed(packed))
    packed[one.at] = one
    if not in_order:
        every = sorted(packed.items())
        packed.clear()
        packed.update(every)
    while len(packed) > kept:
        del packed[next(iter(packed))]
