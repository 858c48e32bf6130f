"""Who sees what is answered: counters, the invocation log, shares by alias, traces, the others."""

from __future__ import annotations

import asyncio
from asyncio import Task, create_task, gather
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from gateway.controlplane.logbook import Clocks, Logbook
from gateway.controlplane.peers import Activity, Peers
from gateway.controlplane.peers_talk import Talk
from gateway.controlplane.shares import Shares
from gateway.core.errors import GatewayError
from gateway.live import Live
from gateway.observe import Observer
from gateway.observe.batch import Gauges, Sender
from gateway.observe.observer import BOUND
from gateway.observe.traces import Traces
from gateway.store.exchange import Exchange
from gateway.store.invocation_log import InvocationLog


@dataclass(frozen=True, slots=True)
class Sources:
    """What is asked for what answers alone do not tell.

    Attributes:
        live: The cell that holds the snapshot.
        log: Where single invocations are written.
        activity: What goes on in versions.
        age: Seconds since the state was known to be its newest; `None` where it always is.
    """

    live: Live
    log: InvocationLog
    activity: Callable[[], Activity]
    age: Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Among:
    """What a process is among those that share its state.

    Attributes:
        sender: Which one it is.
        exchange: Where they tell each other what they answered; `None` where there are no others.
        looks: Whether anybody looks here; one that only answers callers tells the others, and keeps
            nothing.
    """

    sender: Sender
    exchange: Exchange | None = None
    looks: bool = True


class Sight:
    """Everyone who is told of answers.

    Args:
        clocks: What tells the time.
        sources: What else is asked.
        among: What this process is among others.
        tell: Is told when something cannot be written, or the others cannot be reached, and where.
        traced: The share of requests that OpenTelemetry is told of; `None` for no traces at all.

    Attributes:
        observer: Is told of every answer.
        logbook: Keeps single invocations.
        shares: Tells whether aliases divide their traffic as they say.
        peers: Has what all processes answered.

    Raises:
        TracingUnavailable: Traces are wanted, and the extra `otel` is not installed.
    """

    def __init__(
        self,
        clocks: Clocks,
        sources: Sources,
        among: Among,
        tell: Callable[[GatewayError, str], None],
        traced: float | None,
    ) -> None:
        live, log = sources.live, sources.log
        self.observer = Observer(clocks.now)
        self.logbook = Logbook(log, clocks, lambda error: tell(error, log.name))
        self.shares = Shares(live.snapshot)
        if among.looks:
            live.followers.append(self.shares.follow)
            self.observer.sinks.append(self.shares.take)
        else:
            self.observer.sinks.clear()
        self.observer.readers.append(self.logbook.take)
        self.observer.room = self.logbook.room
        self._traces = None
        if traced is not None:
            dice = Random().random  # noqa: S311 - which requests are traced is no secret
            self._traces = Traces(clocks.wall, clocks.now, dice, ratio=traced)
            self.observer.readers.append(self._traces.take)
            self.observer.room = lambda: BOUND  # a sampled trace of a caller is never left out
        self.peers = Peers(
            self.observer, clocks, among.sender, self._gauges(sources), sources.activity
        )
        self._talk, self._talking = self._talk_of(among, tell), tuple[Task[None], ...]()

    def begin(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Talk with the others from now on, where there are any."""
        if self._talk is not None:
            self._talking = (create_task(self._talk.run(pause)),)

    async def close(self) -> None:
        """Take in what waits, write and send it."""
        self.observer.settle()
        for task in self._talking:
            task.cancel()
        await gather(*self._talking, return_exceptions=True)
        if self._talk is not None:
            await self._talk.close()
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)
        await self.logbook.close()

    def _gauges(self, sources: Sources) -> Callable[[], Gauges]:
        def gauges() -> Gauges:
            return Gauges(
                revision=sources.live.snapshot.revision,
                dropped=self.observer.dropped,
                left_out=self.logbook.left_out,
                age=sources.age(),
            )

        return gauges

    def _talk_of(self, among: Among, tell: Callable[[GatewayError, str], None]) -> Talk | None:
        if among.exchange is None:
            return None
        return Talk(self.peers, self.observer, among.exchange, tell, listens=among.looks)
