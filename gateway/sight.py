"""Who sees what is answered: counters, the invocation log, shares by alias, traces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from gateway.controlplane.logbook import Clocks, Logbook
from gateway.controlplane.shares import Shares
from gateway.live import Live
from gateway.observe import Observer
from gateway.observe.observer import BOUND
from gateway.observe.traces import Traces
from gateway.store.invocation_log import InvocationLog
from gateway.store.protocol import StateUnusable


class Sight:
    """Everyone who is told of answers.

    Args:
        clocks: What tells the time.
        live: The cell that holds the snapshot.
        log: Where single invocations are written.
        tell: Is told when they cannot be.
        traced: The share of requests that OpenTelemetry is told of; `None` for no traces at all.

    Attributes:
        observer: Is told of every answer.
        logbook: Keeps single invocations.
        shares: Tells whether aliases divide their traffic as they say.

    Raises:
        TracingUnavailable: Traces are wanted, and the extra `otel` is not installed.
    """

    def __init__(
        self,
        clocks: Clocks,
        live: Live,
        log: InvocationLog,
        tell: Callable[[StateUnusable], None],
        traced: float | None,
    ) -> None:
        self.observer = Observer(clocks.now)
        self.logbook = Logbook(log, clocks, tell)
        self.shares = Shares(live.snapshot)
        live.followers.append(self.shares.follow)
        self.observer.sinks.append(self.shares.take)
        self.observer.readers.append(self.logbook.take)
        self.observer.room = self.logbook.room
        self._traces = None
        if traced is not None:
            dice = Random().random  # noqa: S311 - which requests are traced is no secret
            self._traces = Traces(clocks.wall, clocks.now, dice, ratio=traced)
            self.observer.readers.append(self._traces.take)
            self.observer.room = lambda: BOUND  # a sampled trace of a caller is never left out

    async def close(self) -> None:
        """Take in what waits, write and send it."""
        self.observer.settle()
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)
        await self.logbook.close()
