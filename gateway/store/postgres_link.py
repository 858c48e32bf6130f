"""One connection to a database that comes back: work waits its turn, and never for ever.

A connection that broke is made again for the work that finds it broken, once; a database that
cannot be reached is told at once as `StateAway`, and for a moment nobody tries again. Work may
therefore be done twice, and must be written so that this makes no difference.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar

import psycopg

from gateway.store.postgres_address import Address
from gateway.store.postgres_words import explained
from gateway.store.protocol import StateAway, StateUnusable

T = TypeVar("T")
Connection: TypeAlias = psycopg.AsyncConnection[Any]
Work: TypeAlias = Callable[[Connection], Awaitable[T]]

ANSWER_SECONDS: Final = 10.0
"""How long work may wait for the database before its connection is given up."""

SPARED_SECONDS: Final = 0.3
"""For how long, after a connection could not be made, none is tried."""

# The lock of a machine that is gone must not outlive it for hours.
KEEPALIVES: Final = """
    SELECT set_config('tcp_keepalives_idle', '5', false),
        set_config('tcp_keepalives_interval', '2', false),
        set_config('tcp_keepalives_count', '3', false)
"""
"""Has the server notice soon that a peer is gone."""


class Link:
    """A connection that is made when it is needed, and made again when it broke.

    Args:
        address: Where the database is.
        prepare: Is done with every new connection first.
    """

    def __init__(self, address: Address, prepare: Work[None]) -> None:
        self.address = address
        self._prepare = prepare
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._spared = (0.0, "")
        self._answered = monotonic()
        self._closed = False
        self._hurried = False

    @property
    def silence(self) -> float:
        """Seconds since the last answer."""
        return monotonic() - self._answered

    async def run(self, work: Work[T]) -> T:
        """Do work, in its turn; it goes on to its end even when whoever asked has gone.

        Raises:
            StateAway: The database cannot be reached.
            StateUnusable: It refuses, or the link is closed.
        """
        if self._closed:
            raise StateUnusable(f"{self.address.name} is closed")
        task = asyncio.create_task(self._in_turn(work))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def forgive(self) -> None:
        """Try again at once: somebody else has reached the database."""
        self._spared = (0.0, "")

    async def close(self, *, hurry: bool = False) -> None:
        """Let go of the connection, after the work that was asked for.

        Args:
            hurry: Whether work that only waits for the database is broken off.
        """
        self._closed = True
        if hurry:
            self._break_off()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._drop()

    def _break_off(self) -> None:
        self._hurried = True
        if self._connection is not None:
            hang_up(self._connection)
            return
        for task in self._running:  # it is being made
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, also when whoever asked has gone

    async def _in_turn(self, work: Work[T]) -> T:
        async with self._turn:
            used = self._connection is not None
            with explained(self.address.name):
                try:
                    return await self._once(work)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    if not used or self._connection is not None or self._hurried:
                        raise
                return await self._once(work)  # it broke while nobody looked

    async def _once(self, work: Work[T]) -> T:
        """Do work with a connection that answers in time, or is given up."""
        connection = self._connection or await self._connected()
        late: list[bool] = []

        def give_up() -> None:
            late.append(True)
            hang_up(connection)

        timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, give_up)
        try:
            result = await work(connection)
        except psycopg.Error:
            if late:
                message = f"it gives no answer within {ANSWER_SECONDS:g} seconds"
                raise StateAway(f"{self.address.name} cannot be used: {message}") from None
            raise
        finally:
            timer.cancel()
            if connection.closed:
                await self._drop()
        self._answered = monotonic()
        return result

    async def _connected(self) -> Connection:
        now = asyncio.get_running_loop().time
        until, reason = self._spared
        if now() < until:
            raise StateAway(reason)
        try:
            with explained(self.address.name):
                self._connection = await self._made()
        except StateAway as away:
            self._spared = (now() + SPARED_SECONDS, str(away))
            raise
        return self._connection

    async def _made(self) -> Connection:
        connect = psycopg.AsyncConnection.connect
        # Statements that the server keeps would not survive a pooler in between.
        made = await connect(autocommit=True, prepare_threshold=None, **self.address.parameters)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._prepare(made)
        except BaseException:
            await made.close()
            raise
        return made

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def hang_up(connection: Connection) -> None:
    """End a connection under whoever waits for it: he is told that it broke, at once."""
    if connection.closed:
        return
    # The library must not find its own descriptor closed, so a second one is.
    with socket.socket(fileno=os.dup(connection.fileno())) as line, suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)  # one that has ended by itself refuses
