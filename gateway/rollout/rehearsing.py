"""One run of a rehearsal: a rollout in virtual time, on recorded traffic, with dice of its own.

Versions are chosen by the law that decides, errors and latencies come by the law of faults, and the
rollout moves as the controller moves it: looked at every beat, by the same judging and the same
next move. Equal seeds give equal runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from random import Random
from typing import Final, Protocol

from gateway.core.decide import decide
from gateway.core.faults import Fault
from gateway.dice import Dice
from gateway.rollout.controller import BEAT
from gateway.rollout.judging import Before, Counts, Seen, judge, latency_limits
from gateway.rollout.rehearsing_plan import FixedRule, Rehearsal
from gateway.rollout.rehearsing_traffic import Traffic
from gateway.rollout.rollout import Rollout, advanced, next_move
from gateway.rollout.watching import DRAWN
from gateway.verdict import Sketch

TOO_LONG: Final = 433
"""The status of an invocation that took longer than its function may."""


class Rule(Protocol):
    """Whoever moves a rollout."""

    def move(self, rollout: Rollout, seen: Seen, old: Sketch, now: float) -> Rollout:
        """What becomes of a rollout.

        Args:
            rollout: The rollout.
            seen: What was answered in its step.
            old: Every latency of the old version so far.
            now: Seconds.
        """


class Guarded:
    """Moves a rollout by its guards, as the controller does."""

    def move(self, rollout: Rollout, seen: Seen, old: Sketch, now: float) -> Rollout:
        """See `Rule`."""
        before, plan = rollout.before, rollout.plan
        limits = latency_limits(plan, old, before.limits)
        if limits != dict(before.limits):
            rollout = replace(rollout, before=replace(before, limits=limits))
        findings = judge(plan, rollout.step, seen, rollout.before)
        return next_move(rollout, findings, seen, now) or rollout


class Fixed:
    """Rolls back when a sliding window has too many errors, and steps by time alone.

    Args:
        rule: How many, and how long the window is.
    """

    def __init__(self, rule: FixedRule) -> None:
        self._rule = rule
        self._beats = max(1, round(rule.window / BEAT))
        self._window: deque[tuple[int, int]] = deque([(0, 0)], maxlen=self._beats + 1)

    def move(self, rollout: Rollout, seen: Seen, old: Sketch, now: float) -> Rollout:  # noqa: ARG002 - as every rule
        """See `Rule`."""
        new = seen.new
        self._window.append((new.requests, new.errors))
        first = self._window[0]
        requests, errors = new.requests - first[0], new.errors - first[1]
        full = len(self._window) > self._beats
        if full and errors > self._rule.errors * requests:
            reason = f"{errors:,} of {requests:,} failed in {self._rule.window:g} s"
            return replace(rollout, status="rolled-back", reason=reason, since=now)
        if seen.seconds < rollout.plan.every:
            return rollout
        self._window = deque([(0, 0)], maxlen=self._beats + 1)
        return advanced(rollout, seen, now)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run ended.

    Attributes:
        rollout: The rollout at its end; it still runs where it was given up.
        seconds: How long it took.
        given: Requests that the draw gave to the new version.
        hurt: Those of them that its fault made fail or wait.
        users: Who sent those, as far as users are known.
    """

    rollout: Rollout
    seconds: float
    given: int
    hurt: int
    users: int


@dataclass(slots=True)
class _Tally:
    """What one version answered in a step."""

    requests: int = 0
    errors: int = 0
    latency: Sketch = field(default_factory=Sketch)

    def counts(self) -> Counts:
        return Counts(self.requests, self.errors, self.latency)


class Run:
    """One rollout from before its beginning to its end.

    Args:
        rehearsal: What is rehearsed.
        traffic: The traffic.
        fault: What the new version gets wrong in this run; `None` for nothing.
        seed: Seeds every draw.
    """

    def __init__(
        self, rehearsal: Rehearsal, traffic: Traffic, fault: Fault | None, seed: int
    ) -> None:
        self._rehearsal = rehearsal
        self._traffic = traffic
        self._fault = fault
        self._dice = Dice(seed)
        # Equal seeds hurt the same requests, whichever rule moves the rollout.
        self._usual = Random(f"usual/{seed}").random  # noqa: S311 - to repeat is the purpose
        self._faulty = Random(f"fault/{seed}").random  # noqa: S311
        plan = rehearsal.rollout.plan
        self._new = plan.to
        function = rehearsal.snapshot.functions[plan.function]
        self._timeout = {
            number: version.configuration.timeout for number, version in function.versions.items()
        }
        self._timed = any(guard.percentile is not None for guard in plan.guards)
        self._arrivals = _endless(traffic)
        self._next = next(self._arrivals)
        self._open: list[tuple[float, int, bool, bool, float]] = []
        self._whole = Sketch()
        self._given = self._hurt = self._number = 0
        self._users: set[int] = set()

    def play(self, rule: Rule) -> Ended:
        """Run it to its end."""
        rollout = self._begun()
        self._given = self._hurt = 0
        self._users.clear()
        longest = self._rehearsal.playing.longest
        begin = now = since = rollout.started
        tallies = _Tally(), _Tally()
        while not rollout.ended and now - begin < longest:
            now += BEAT
            self._beat(rollout.step + 1, now, tallies)
            seen = Seen(tallies[0].counts(), tallies[1].counts(), now - since)
            moved = rule.move(rollout, seen, self._whole, now)
            if moved.since != rollout.since:
                since, tallies = now, (_Tally(), _Tally())
            rollout = moved
        return Ended(rollout, now - begin, self._given, self._hurt, len(self._users))

    def _begun(self) -> Rollout:
        """The rollout at its beginning, with what the old version answered before."""
        before = self._rehearsal.playing.before
        tallies = _Tally(), _Tally()
        self._beat(0, before, tallies)
        old = tallies[0]
        known = Before(old.requests, old.errors)
        rollout = self._rehearsal.rollout
        return replace(rollout, started=before, since=before, before=known)

    def _beat(self, state: int, until: float, tallies: tuple[_Tally, _Tally]) -> None:
        """Every request that comes until then, and every answer that is out by then."""
        snapshot, target = self._traffic.states[state], self._rehearsal.target
        every, dice = self._traffic.every, self._dice
        while self._next[0] <= until:
            at, kind, user = self._next
            self._next = next(self._arrivals)
            decision = every[kind].settled[state] or decide(
                snapshot, target, every[kind].view, dice
            )
            status, latency = self._rehearsal.old.draw(self._usual)
            if decision.reason not in DRAWN:
                continue
            is_new = decision.version == self._new
            if is_new:
                self._given += 1
                status, latency = self._touched(status, latency, user)
            limit = self._timeout[decision.version]
            if latency >= limit:
                status, latency = TOO_LONG, limit
            self._number += 1  # of answers that are out at one moment the first is the first
            heappush(self._open, (at + latency, self._number, is_new, status > 0, latency))
        self._answered(until, tallies)

    def _touched(self, status: int, latency: float, user: int) -> tuple[int, float]:
        """What the fault makes of an answer of the new version."""
        if self._fault is None:
            return status, latency
        drawn = self._fault.draw(self._faulty)
        if any(drawn):
            self._hurt += 1
            if user >= 0:
                self._users.add(user)
        if drawn.status:  # in the handler's place, as the data plane has it
            return drawn
        return status, latency + drawn.latency

    def _answered(self, until: float, tallies: tuple[_Tally, _Tally]) -> None:
        waiting = self._open
        while waiting and waiting[0][0] <= until:
            _, _, is_new, failed, latency = heappop(waiting)
            tally = tallies[is_new]
            tally.requests += 1
            tally.errors += failed
            if not self._timed:
                continue  # no guard asks how long it took
            if is_new:
                tally.latency.add(latency)
            else:
                self._whole.add(latency)


def _endless(traffic: Traffic) -> Iterator[tuple[float, int, int]]:
    """When requests come, of which kind and user they are; round after round."""
    begin = 0.0
    while True:
        for at, kind, user in zip(traffic.times, traffic.kinds, traffic.users, strict=True):
            yield begin + at, kind, user
        begin += traffic.lasts
