"""The traffic of a rehearsal: when requests come, who sent them, and what settles their version.

Every request is looked at once. What a rule, a sticky key or a main version alone settles is
settled here for every step of the rollout, by the law that decides; what is drawn is left to the
dice of each run. So a recording is kept in a few bytes a request, whatever its requests hold.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.core.apply import apply
from gateway.core.certain import certain
from gateway.core.changes import PutAlias
from gateway.core.entries import Decision
from gateway.core.rules import RequestView
from gateway.core.snapshot import Snapshot
from gateway.rollout.rehearsing_plan import Playing, Rehearsal

LONE: Final = 1.0
"""Seconds that a round of traffic lasts whose requests all come at one moment."""


class Arrival(NamedTuple):
    """A request that reaches the alias.

    Attributes:
        at: Seconds since the recording began.
        user: Who sent it; `None` where nobody knows.
        view: What rules read of it.
    """

    at: float
    user: str | None
    view: RequestView


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests that are settled alike in every state.

    Attributes:
        view: One of them, for draws: what no rule and no key settles is the same for all.
        settled: The decision in each state; `None` where a draw settles it.
    """

    view: RequestView
    settled: tuple[Decision | None, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Recorded traffic, ready to be played again and again.

    Attributes:
        states: The state before the rollout, and that of each step.
        times: When each request comes, in seconds of a round, ascending.
        kinds: The kind of each request.
        users: The number of each request's user; -1 where nobody knows.
        every: The kinds.
        known: How many users there are.
        lasts: Seconds of a round.
    """

    states: tuple[Snapshot, ...]
    times: array[float] = field(repr=False)
    kinds: array[int] = field(repr=False)
    users: array[int] = field(repr=False)
    every: tuple[Kind, ...] = field(repr=False)
    known: int
    lasts: float

    @property
    def rate(self) -> float:
        """Requests a second, on average."""
        return len(self.times) / self.lasts


def states_of(rehearsal: Rehearsal) -> tuple[Snapshot, ...]:
    """The state before the rollout, and that of each step."""
    snapshot, plan = rehearsal.snapshot, rehearsal.rollout.plan
    routes = [plan.route(rehearsal.rollout.base, step) for step in range(len(plan.steps))]
    moved = (apply(snapshot, PutAlias(plan.function, plan.alias, route)) for route in routes)
    return (snapshot, *moved)


def traffic_of(rehearsal: Rehearsal, arrivals: Iterable[Arrival]) -> Traffic:
    """Look at every request, once.

    Args:
        rehearsal: What is rehearsed.
        arrivals: Requests that reach the alias, in the order of the recording; one that stands
            behind a later one comes with that one.
    """
    states, target = states_of(rehearsal), rehearsal.target
    kinds: dict[tuple[Decision | None, ...], int] = {}
    every: list[Kind] = []
    users: dict[str, int] = {}
    recorded, found, sent = array("d"), array("L"), array("q")
    latest = 0.0
    for arrival in arrivals:
        settled = tuple(certain(state, target, arrival.view) for state in states)
        if settled not in kinds:
            kinds[settled] = len(every)
            every.append(Kind(arrival.view, settled))
        latest = max(latest, arrival.at)
        user = -1 if arrival.user is None else users.setdefault(arrival.user, len(users))
        recorded.append(latest)
        found.append(kinds[settled])
        sent.append(user)
    times, lasts = _played(recorded, rehearsal.playing)
    return Traffic(states, times, found, sent, tuple(every), len(users), lasts)


def _played(recorded: array[float], playing: Playing) -> tuple[array[float], float]:
    """Times as they are played, from 0 on, and how long one round of them lasts."""
    if not recorded:
        return recorded, LONE
    first, number = recorded[0], len(recorded)
    length = recorded[-1] - first
    # Up to one usual gap behind the last request: then the first one comes again.
    lasts = length + length / (number - 1) if number > 1 and length > 0 else LONE
    speed = playing.speed if playing.rate is None else playing.rate * lasts / number
    return array("d", ((at - first) / speed for at in recorded)), lasts / speed
