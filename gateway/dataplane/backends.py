"""The pool of connections to back ends: a few stay open for the next request, so many at most.

A connection that sat idle is one that the back end may be closing at this moment. It is kept for
less time than servers commonly keep it, and a request that only reads is sent once more, on a new
connection, if an old one turns out to be dead.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Final

from gateway.dataplane.backends_answer import BackendFailed, BackendSilent
from gateway.dataplane.backends_wire import Wire
from gateway.dataplane.dialling import CONNECT_SECONDS, Dialler, Origin

IDLE_SECONDS: Final = 4.0
"""How long a connection waits for its next request; many servers close theirs after 5 s."""

MAX_CONNECTIONS: Final = 256
"""Most connections to one back end; beyond it requests wait for one."""

MAX_IDLE: Final = 64
"""Most connections to one back end that wait for their next request."""


class _Lane:
    """The connections to one back end."""

    __slots__ = ("busy", "idle", "queue")

    def __init__(self) -> None:
        self.busy = 0  # those that carry a request, and those that are being made
        self.idle: list[Wire] = []
        self.queue: deque[asyncio.Future[None]] = deque()

    def next(self) -> None:
        """Let the first one in the queue have a place."""
        while self.queue:
            waiter = self.queue.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return


class Backends:
    """The pool.

    Args:
        dialler: Makes connections.
        limit: Most connections to one back end.
    """

    def __init__(self, dialler: Dialler, limit: int = MAX_CONNECTIONS) -> None:
        self._dialler = dialler
        self._limit = limit
        self._lanes: dict[Origin, _Lane] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    async def take(self, origin: Origin, seconds: float, *, fresh: bool = False) -> Wire:
        """A connection for one request; to be given back, whatever happens.

        Args:
            origin: The back end.
            seconds: How long to wait for a place.
            fresh: Whether it must be a new one.

        Raises:
            BackendFailed: It cannot be made.
            BackendSilent: It took too long.
        """
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._lanes[origin] = _Lane()
        if lane.busy >= self._limit:
            await self._place(lane, seconds)
        lane.busy += 1
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while lane.idle and not fresh:
            wire = lane.idle.pop()
            if wire.is_open and wire.idle_since > oldest:
                wire.reused = True
                return wire
            wire.close()
        try:
            return await self._dial(origin)
        except BaseException:
            self._leave(lane)
            raise

    def give_back(self, wire: Wire) -> None:
        """The request is over: the connection waits for another one, or is closed."""
        lane = self._lanes[wire.origin]
        if wire.reusable and len(lane.idle) < MAX_IDLE and not self._closed:
            loop = asyncio.get_running_loop()
            wire.rest()
            wire.idle_since = loop.time()
            lane.idle.append(wire)
            if self._sweeping is None:
                self._sweeping = loop.call_later(IDLE_SECONDS, self._sweep)
        else:
            wire.close()
        self._leave(lane)

    def close(self) -> None:
        """Close every connection that waits, and keep none from now on."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for lane in self._lanes.values():
            for wire in lane.idle:
                wire.close()
            lane.idle.clear()

    def _leave(self, lane: _Lane) -> None:
        lane.busy -= 1
        lane.next()

    async def _place(self, lane: _Lane, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        join = lane.queue.append
        try:
            async with asyncio.timeout(seconds):
                while lane.busy >= self._limit:
                    waiter = loop.create_future()
                    join(waiter)
                    join = lane.queue.appendleft  # whoever was overtaken is the next
                    await waiter
        except BaseException as error:
            lane.next()  # the place may have been given to this one
            if isinstance(error, TimeoutError):
                what = f"none of its {self._limit} connections became free in {seconds:g} s"
                raise BackendSilent(what) from None
            raise

    async def _dial(self, origin: Origin) -> Wire:
        loop = asyncio.get_running_loop()
        try:
            return await self._dialler.dial(origin, lambda: Wire(origin, loop))
        except TimeoutError:
            raise BackendSilent(f"it did not accept within {CONNECT_SECONDS:g} s") from None
        except ssl.SSLError as error:
            raise BackendFailed(f"TLS failed: {_words(error)}") from None
        except (OSError, UnicodeError) as error:  # the last: a host that is no name
            raise BackendFailed(_words(error)) from None

    def _sweep(self) -> None:
        """Close what has waited long enough."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - IDLE_SECONDS
        waiting = False
        for lane in self._lanes.values():
            kept = [wire for wire in lane.idle if wire.is_open and wire.idle_since > oldest]
            for wire in lane.idle:
                if wire not in kept:
                    wire.close()
            lane.idle = kept
            waiting = waiting or bool(kept)
        self._sweeping = loop.call_later(IDLE_SECONDS, self._sweep) if waiting else None


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "it refused the connection"
    return getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error)
