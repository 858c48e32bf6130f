"""All processes that share the state, seen as one: this one, and what others tell of themselves.

Counts of others are cumulative, so that the last word of each is all that is needed; what they tell
of latencies and of the course over time is added to this process's own. A process that has no
others is seen as it is, by the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.controlplane.logbook import Clocks
from gateway.observe import Counters, Interval, Observer, Portion
from gateway.observe.batch import Batch, Gauges, Sender
from gateway.observe.counters import Whose

GONE: Final = 10.0
"""A process of which nothing was heard for so many seconds is gone."""

LATELY: Final = 900.0
"""For so many seconds one that is gone is still shown."""

Activity = Mapping[tuple[str, str], tuple[int, int]]
"""Running invocations and starts, by function and version."""


@dataclass(slots=True, eq=False)
class Process:
    """What is known of one process.

    Attributes:
        sender: Which one.
        counters: Its counts since it began.
        gauges: What was so when it spoke last.
        activity: Running invocations and starts so far, by function and version.
        latency: Its latencies by version, as far as this process was there.
        lag: The longest delay of its event loop since somebody looked.
        number: The number of its last batch.
        heard: When it spoke last, in seconds of the monotonic clock.
        ended: Whether that was its last word.
    """

    sender: Sender
    counters: Counters = field(default_factory=Counters)
    gauges: Gauges = field(default_factory=Gauges)
    activity: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    latency: dict[Whose, Interval] = field(default_factory=dict)
    lag: float = 0.0
    number: int = 0
    heard: float = 0.0
    ended: bool = False

    def longest_lag(self) -> float:
        """The longest delay of its event loop since the last question, in seconds."""
        lag, self.lag = self.lag, 0.0
        return lag

    def add(self, found: Iterable[Portion]) -> None:
        """Take in its latencies."""
        for label, _, _, interval in found:
            self.latency.setdefault(label[:4], Interval()).merge(interval)


class Peers:
    """What all processes answered.

    Args:
        observer: Is told of what this process answers, and of what others do.
        clocks: What tells the time.
        sender: Which process this one is.
        gauges: What is so in it at the moment.
        activity: What goes on in versions in it.

    Attributes:
        clocks: What tells the time.
    """

    def __init__(
        self,
        observer: Observer,
        clocks: Clocks,
        sender: Sender,
        gauges: Callable[[], Gauges],
        activity: Callable[[], Activity],
    ) -> None:
        self._observer = observer
        self.clocks = clocks
        self._gauges = gauges
        self._activity = activity
        self._own = Process(sender, observer.counters)
        self._others: dict[Sender, Process] = {}
        self._untold_lag = 0.0
        observer.outlets.append(self._own.add)

    @property
    def sender(self) -> Sender:
        """Which process this one is."""
        return self._own.sender

    @property
    def own(self) -> Process:
        """This process, as it is now."""
        own, lag = self._own, self._observer.lag()
        own.gauges, own.activity = self._gauges(), dict(self._activity())
        own.heard = self.clocks.now()
        own.lag, self._untold_lag = max(own.lag, lag), max(self._untold_lag, lag)
        return own

    def word(self) -> Process:
        """This process as the others are told of it."""
        own = self.own
        own.gauges = own.gauges._replace(lag=self._untold_lag)
        self._untold_lag = 0.0
        return own

    def take(self, batch: Batch) -> None:
        """Take in what another process tells; what it told before changes nothing."""
        own, now = self._own.sender, self.clocks.now()
        if batch.sender == own:
            return
        known = self._others.get(batch.sender) or self._found(batch.sender)
        if batch.number <= known.number:
            return
        since_epoch = self.clocks.wall() - now
        early = batch.at < own.started  # it was told before this process was there
        known.heard = now - max(0.0, since_epoch + now - batch.at) if early else now
        known.number, known.ended, known.gauges = batch.number, batch.ended, batch.gauges
        known.lag = max(known.lag, batch.gauges.lag)
        for label, malformed, statuses in batch.counts:
            known.counters.cell(label, malformed=malformed).statuses = dict(statuses)
        for function, version, running, starts in batch.activity:
            known.activity[function, version] = running, starts
        if not early and own.is_beside(batch.sender):
            known.add(batch.portions)
        # Whoever's clock is ahead cannot have answered later than now.
        moved, latest = batch.since_epoch - since_epoch, int(now)
        here = [
            each._replace(second=min(latest, round(each.second + moved))) for each in batch.portions
        ]
        self._observer.take(here)

    def counters(self) -> Counters:
        """What all have answered."""
        if not self._others:
            return self._own.counters
        return Counters.together(each.counters for each in self._every())

    def since(self) -> float:
        """When the first of them began, in seconds since 1970."""
        return min(each.sender.started for each in self._every())

    def dropped(self) -> int:
        """Answers that are in no latency and in no log."""
        return self._observer.dropped + sum(each.gauges.dropped for each in self._others.values())

    def left_out(self) -> int:
        """Invocations that the log did not keep."""
        others = (each.gauges.left_out for each in self._others.values())
        return self._gauges().left_out + sum(others)

    def activity(self) -> dict[tuple[str, str], tuple[int, int]]:
        """What goes on in each version: in those who are there now, and starts in all."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for process in [self.own, *self._others.values()]:
            there = not self.is_gone(process)
            for key, (running, starts) in process.activity.items():
                before = found.get(key, (0, 0))
                found[key] = before[0] + (running if there else 0), before[1] + starts
        return found

    def age(self, process: Process) -> float:
        """Seconds since the last word of a process."""
        return max(0.0, self.clocks.now() - process.heard)

    def is_gone(self, process: Process) -> bool:
        """Whether a process has ended, or is silent for so long that it must have."""
        return process.ended or self.age(process) > GONE

    def processes(self) -> list[Process]:
        """Every process that was seen lately, this one among them, by their names."""
        seen = [each for each in self._others.values() if self.age(each) <= LATELY]
        return sorted([self.own, *seen], key=lambda each: each.sender)

    def beside(self) -> list[Process]:
        """This process and those of its gateway on this machine, each name's newest alone."""
        newest = {}
        for each in sorted(self._others.values(), key=lambda each: each.sender.started):
            if self._own.sender.is_beside(each.sender) and self.age(each) <= LATELY:
                newest[each.sender.process] = each
        return [self.own, *newest.values()]

    def forget(self) -> None:
        """Let go of those that are gone and have counted nothing."""
        for sender, each in list(self._others.items()):
            if self.age(each) > LATELY and not each.counters.total():
                del self._others[sender]

    def _found(self, sender: Sender) -> Process:
        """A process that was not known; one whose place it takes has ended."""
        for each in self._others.values():
            if each.sender[:3] == sender[:3] and each.sender.started < sender.started:
                each.ended = True
        found = self._others[sender] = Process(sender)
        return found

    def _every(self) -> list[Process]:
        return [self._own, *self._others.values()]
