"""What each version answered: since the start, lately, and over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Final, Literal

from pydantic import Field

from gateway.controlplane import shares as controlplane_shares
from gateway.controlplane.history import moment
from gateway.controlplane.rest.answers import Answer
from gateway.controlplane.rest.bodies import Query
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.observe import Counters, Interval, Label, Observer
from gateway.observe.counters import Tally, Whose
from gateway.observe.intervals import Point
from gateway.observe.series import MINUTES, SECONDS

_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class MetricsQuery(Query):
    """Which time is told about."""

    window: int | None = Field(
        None, ge=1, le=SECONDS, description="Only the last so many seconds; else since the start."
    )


class CourseQuery(Query):
    """Which time is told about, and how finely."""

    window: int = Field(300, ge=1, le=MINUTES * 60, description="The last so many seconds.")
    step: Literal["1", "60"] = Field("1", description="Seconds of one point; 1 for 15 minutes.")


class Latency(Answer):
    """Seconds from a request's head to the end of its answer; `null` where there was none."""

    p50: float | None
    p90: float | None
    p99: float | None
    mean: float | None
    largest: float


class VersionCount(Answer):
    """What one version answered in one stage."""

    stage: str
    function: str
    qualifier: str
    version: str
    requests: int
    errors: int
    throttled: int
    kinds: dict[str, int] = Field(description="Errors by kind.")
    latency: Latency


class Activity(Answer):
    """What goes on in one version."""

    function: str
    version: str
    running: int
    starts: int


class Metrics(Answer):
    """What was answered."""

    since: str
    answered: int
    dropped: int = Field(description="Answers that are counted, but in no latency and no log.")
    versions: list[VersionCount]
    activity: list[Activity]


class Course(Answer):
    """One version in one stage, point by point."""

    stage: str
    function: str
    qualifier: str
    version: str
    requests: list[int]
    errors: list[int]
    p50: list[float | None]
    p99: list[float | None]


class Courses(Answer):
    """The course over time."""

    start: str = Field(description="When the first point begins.")
    step: int
    points: int
    versions: list[Course]


class ShareOfVersion(Answer):
    """One version of an alias."""

    version: str
    configured: float
    requests: int
    observed: float | None
    low: float = Field(description="With `high`: the band that holds the true share.")
    high: float


class Division(Answer):
    """How an alias divides its traffic since it leads where it leads."""

    function: str
    alias: str
    revision: int
    requests: int
    outcome: Literal["passed", "failed", "undecided"] | None = Field(
        description="`null` where keys stick: requests are no independent draws then."
    )
    p_value: float | None
    versions: list[ShareOfVersion]


class Divisions(Answer):
    """Every alias."""

    aliases: list[Division]


async def metrics(asked: Asked) -> Reply:
    """What each version answered."""
    observer, window = asked.control.observer, asked.parsed(MetricsQuery).window
    observer.settle()
    peers, now = asked.control.peers, observer.now()
    counters = peers.counters()
    since = min(asked.since, peers.since())
    if window is None:
        versions = [_row(*found) for found in _since_the_start(observer, counters)]
    else:
        first = int(now) - window + 1
        since = asked.control.logbook.clocks.wall() - (now - first)
        found = _by_version(observer.series.window(first).items())
        versions = [
            _row(whose, each, Tally(each.requests, each.throttled, each.errors))
            for whose, each in sorted(found.items())
        ]
    plain = {
        "since": moment(since),
        "answered": counters.total(),
        "dropped": peers.dropped(),
        "versions": versions,
        "activity": _activity(asked),
    }
    return Reply(plain, asked.snapshot.revision)


async def course(asked: Asked) -> Reply:
    """The course of each version over time."""
    observer, query = asked.control.observer, asked.parsed(CourseQuery)
    observer.settle()
    step, now = int(query.step), observer.now()
    first = int(now) // step - min(query.window, SECONDS if step == 1 else query.window) // step + 1
    points = int(now) // step - first + 1
    owners: dict[Whose, list[Label]] = {}
    for label in _labels(asked):
        owners.setdefault(label[:4], []).append(label)
    rows = {
        whose: observer.series.course(labels, first, minutes=step == 60)
        for whose, labels in owners.items()
    }
    start = asked.control.logbook.clocks.wall() - (now - first * step)
    versions = [
        _course(whose, [row.get(first + index) for index in range(points)])
        for whose, row in sorted(rows.items())
        if row
    ]
    plain = {"start": moment(start), "step": step, "points": points, "versions": versions}
    return Reply(plain, asked.snapshot.revision)


async def shares(asked: Asked) -> Reply:
    """How each alias divides its traffic."""
    asked.control.observer.settle()
    found = [_division(each) for each in asked.control.shares.all()]
    return Reply({"aliases": found}, asked.snapshot.revision)


def _division(found: controlplane_shares.Division) -> dict[str, object]:
    return {
        "function": found.function,
        "alias": found.alias,
        "revision": found.revision,
        "requests": found.requests,
        "outcome": found.look.outcome.value if found.look else None,
        "p_value": found.look.p_value if found.look else None,
        "versions": [asdict(share) for share in found.shares],
    }


def _labels(asked: Asked) -> list[Label]:
    return [label for label in asked.control.observer.series.labels() if label.version]


def _by_version(found: Iterable[tuple[Label, Interval]]) -> dict[Whose, Interval]:
    together: dict[Whose, Interval] = {}
    for label, interval in found:
        if label.version:
            together.setdefault(label[:4], Interval()).merge(interval)
    return together


def _since_the_start(
    observer: Observer, counters: Counters
) -> Iterator[tuple[Whose, Interval, Tally]]:
    """The counts are the counters': exact, whatever the course over time had to leave out."""
    series = observer.series
    known = _by_version((label, series.whole(label)) for label in series.labels())
    for whose, tally in counters.tallies().items():
        yield whose, known.get(whose, Interval()), tally


def _row(whose: Whose, interval: Interval, tally: Tally) -> dict[str, object]:
    return {
        **dict(zip(("stage", "function", "qualifier", "version"), whose, strict=True)),
        "requests": tally.requests,
        "errors": tally.errors,
        "throttled": tally.throttled,
        "kinds": tally.kinds,
        "latency": _latency(interval),
    }


def _latency(interval: Interval) -> dict[str, float | None]:
    sketch = interval.latency
    told = {name: sketch.quantile(share) for name, share in _SHARES.items()}
    return {**told, "mean": sketch.mean, "largest": sketch.largest}


def _course(whose: Whose, points: list[Point | None]) -> dict[str, object]:
    found = [_NOTHING if point is None else point for point in points]
    columns = zip(("requests", "errors", "p50", "p99"), zip(*found, strict=True), strict=True)
    return {
        **dict(zip(("stage", "function", "qualifier", "version"), whose, strict=True)),
        **{name: list(column) for name, column in columns},
    }


_NOTHING: Final = Point(0, 0, None, None)


def _activity(asked: Asked) -> list[dict[str, object]]:
    return [
        {"function": function, "version": version, "running": running, "starts": starts}
        for (function, version), (running, starts) in sorted(asked.control.peers.activity().items())
    ]
