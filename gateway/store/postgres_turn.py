"""Whoever was too late goes next: of nodes that all write without a pause, none is starved.

A commit waits for the turn, which the database gives out in the order in which it was asked for. A
node whose record was stale takes it, so that nobody is faster while it catches up, and lets go of
it by its next commit, or after a moment.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from gateway.store.postgres_link import Connection, Link
from gateway.store.postgres_schema import APPLICATION
from gateway.store.protocol import StateUnusable

HELD_SECONDS: Final = 0.1
"""For how long at most the others wait for a node that was stale."""

# Several states may be in one database, each in a schema of its own; the locks are of one.
STATE: Final = "('gateway_schema'::regclass::oid::bigint & 2147483647)::int"
_KEY: Final = f"{APPLICATION + 2}, {STATE}"


async def wait_for_turn(connection: Connection) -> None:
    """Within a transaction, until no other node has the turn; nobody else has it then."""
    await connection.execute(f"SELECT pg_advisory_xact_lock({_KEY})")


class Turn:
    """The turn of one node.

    Args:
        link: On whose connection it is held.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._held: Connection | None = None
        self._ending: asyncio.Task[None] | None = None

    async def take(self, connection: Connection) -> None:
        """Have the turn, for a moment."""
        if self._held is connection:
            return
        await connection.execute(f"SELECT pg_advisory_lock({_KEY})")
        self._held = connection
        self._ending = asyncio.create_task(self._end_soon())

    async def end(self, connection: Connection) -> None:
        """Let go of it, where this node has it."""
        if self._held is connection:
            self._held = None
            await connection.execute(f"SELECT pg_advisory_unlock({_KEY})")

    async def close(self) -> None:
        """Let go of everything; the connection takes the turn with it."""
        if self._ending is not None:
            self._ending.cancel()
            await asyncio.wait([self._ending])

    async def _end_soon(self) -> None:
        await asyncio.sleep(HELD_SECONDS)
        with suppress(StateUnusable):  # then it went with the connection
            await self._link.run(self.end)
