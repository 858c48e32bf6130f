"""Intervals: what happened in some time. Added up in any order they give the same."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.observe.counters import THROTTLED
from gateway.verdict.sketch import Sketch


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

    def add_error(self, kind: str, status: int) -> None:
        """Take in what an answer was but for its latency; its kind is empty where it is none."""
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


class Packed(NamedTuple):
    """An interval that is over; its point is made once, for curves are drawn again and again.

    Attributes:
        at: The number of its second, or minute.
        point: What a curve shows of it.
        latency: Counts of its sketch, bucket by bucket.
        sum, largest: The rest of the sketch.
        errors: Answers that were errors, by kind.
        throttled: Answers to requests that came too fast, or too many at a time.
    """

    at: int
    point: Point
    latency: bytes
    sum: float
    largest: float
    errors: tuple[tuple[str, int], ...]
    throttled: int

    @classmethod
    def of(cls, at: int, interval: Interval) -> Packed:
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
