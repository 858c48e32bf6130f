"""The course over time: per label, each second of the last quarter hour, each minute of a day.

An interval that is over is packed: a few hundred bytes, whatever happened in it. Times are those
of the monotonic clock, so that setting the wall clock neither tears holes nor doubles anything.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.observe.counters import THROTTLED
from gateway.verdict.sketch import Sketch

if TYPE_CHECKING:
    from gateway.observe.counters import Cell, Label
    from gateway.observe.observer import Noted

SECONDS: Final = 15 * 60
"""How many single seconds are kept."""

MINUTES: Final = 24 * 60
"""How many single minutes are kept."""


@dataclass(slots=True)
class Interval:
    """What happened in some time.

    Attributes:
        latency: From the request's head to the answer's end, in seconds, of every answer.
        errors: Answers that were errors, by kind.
        throttled: Answers to requests that came too fast, or too many at a time.
    """

    latency: Sketch = field(default_factory=Sketch)
    errors: dict[str, int] = field(default_factory=dict)
    throttled: int = 0

    @property
    def requests(self) -> int:
        """Every answer."""
        return self.latency.total

    @property
    def failed(self) -> int:
        """Answers that were errors of any kind."""
        return sum(self.errors.values())

    def add(self, cell: Cell, status: int, seconds: float) -> None:
        """Take in one answer."""
        self.latency.add(seconds)
        if status >= 400:  # nothing below is an error, and most answers are below
            self._add_error(cell.kind(status), status)

    def _add_error(self, kind: str, status: int) -> None:
        if kind:
            self.errors[kind] = self.errors.get(kind, 0) + 1
        if status in THROTTLED:
            self.throttled += 1

    def merge(self, other: Interval) -> None:
        """Take in another interval."""
        self.throttled += other.throttled
        for kind, number in other.errors.items():
            self.errors[kind] = self.errors.get(kind, 0) + number
        self.latency.merge(other.latency)


class Point(NamedTuple):
    """An interval as a curve shows it.

    Attributes:
        requests: Every answer.
        failed: Answers that were errors.
        p50, p99: Latencies, in seconds; `None` where nothing was answered.
    """

    requests: int
    failed: int
    p50: float | None
    p99: float | None

    @classmethod
    def of(cls, interval: Interval) -> Point:
        """The point of an interval."""
        p50, p99 = interval.latency.quantiles((0.5, 0.99))
        return cls(interval.requests, interval.failed, p50, p99)


class _Packed(NamedTuple):
    """An interval that is over; its point is made once, for curves are drawn again and again."""

    at: int
    point: Point
    latency: bytes
    sum: float
    largest: float
    errors: tuple[tuple[str, int], ...]
    throttled: int

    @classmethod
    def of(cls, at: int, interval: Interval) -> _Packed:
        """Pack an interval."""
        latency = interval.latency
        flat = array("q", (number for pair in latency.counts.items() for number in pair))
        numbers = (flat.tobytes(), latency.sum, latency.largest)
        return cls(
            at, Point.of(interval), *numbers, tuple(interval.errors.items()), interval.throttled
        )

    def unpack(self) -> Interval:
        """The interval as it was."""
        flat = array("q", self.latency)
        counts = dict(zip(flat[::2], flat[1::2], strict=True))
        sketch = Sketch(counts, self.sum, self.largest)
        return Interval(sketch, dict(self.errors), self.throttled)


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
        self._seconds: deque[_Packed] = deque(maxlen=SECONDS)
        self._minute = Interval()
        self._minutes: deque[_Packed] = deque(maxlen=MINUTES)

    def at(self, second: int) -> Interval:
        """The interval of a second, which is the latest one or a later one."""
        if second > self.second:
            self._turn(second)
        return self._second

    def seconds(self, since: int) -> Iterator[tuple[int, Interval]]:
        """The seconds from one on in which something happened."""
        yield from _unpacked(self._seconds, since)
        if self.second >= since and self._second.requests:
            yield self.second, self._second

    def packed(self, since: int, *, minutes: bool) -> Iterator[_Packed]:
        """Seconds or minutes from one on, the one that goes on included, as they are kept."""
        over, going_on = (self._minutes, self.minutes) if minutes else (self._seconds, self.seconds)
        yield from (each for each in over if each.at >= since)
        last = over[-1].at + 1 if over else since
        yield from (_Packed.of(*each) for each in going_on(max(since, last)))

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
        self._seconds.append(_Packed.of(self.second, self._second))
        self._minute.merge(self._second)
        self.whole.merge(self._second)
        self._second = Interval()
        if second // 60 > self.second // 60:
            self._minutes.append(_Packed.of(self.second // 60, self._minute))
            self._minute = Interval()
        self.second = second


class Series:
    """The course of every label.

    Labels are as many as the configuration has stages, aliases and versions, never as many as
    callers can think of; what was silent for a day is forgotten.
    """

    def __init__(self) -> None:
        self._tracks: dict[Label, Track] = {}

    def take(self, batch: Iterable[Noted]) -> None:
        """Take in answers, in the order in which they ended."""
        intervals: dict[Cell, Interval] = {}
        second = -1
        for cell, status, began, ended, _ in batch:
            if ended >= second + 1:  # cells are told apart faster than labels
                second, intervals = int(ended), {}
            interval = intervals.get(cell)
            if interval is None:
                interval = intervals[cell] = self._track(cell.label, second).at(second)
            interval.add(cell, status, ended - began)
        self._forget(second - MINUTES * 60)

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
        found: dict[int, list[_Packed]] = {}
        for label in labels:
            track = self._tracks.get(label)
            for each in track.packed(since, minutes=minutes) if track else ():
                found.setdefault(each.at, []).append(each)
        return {at: _together(packed) for at, packed in found.items()}

    def whole(self, label: Label) -> Interval:
        """Everything of a label since the start."""
        track, everything = self._tracks.get(label), Interval()
        if track is not None:
            everything.merge(track.whole)
            everything.merge(track.at(track.second))
        return everything

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

    def _track(self, label: Label, second: int) -> Track:
        known = self._tracks.get(label)
        if known is None:
            known = self._tracks[label] = Track(second)
        return known

    def _forget(self, before: int) -> None:
        silent = [label for label, track in self._tracks.items() if track.second < before]
        for label in silent:
            del self._tracks[label]


def _together(packed: Sequence[_Packed]) -> Point:
    if len(packed) == 1:
        return packed[0].point
    every = Interval()
    for each in packed:
        every.merge(each.unpack())
    return Point.of(every)


def _unpacked(packed: deque[_Packed], since: int) -> Iterator[tuple[int, Interval]]:
    return ((each.at, each.unpack()) for each in packed if each.at >= since)
