"""The invocation log in a PostgreSQL database: what all nodes of a cluster answered, in one place.

It has a connection of its own, so that neither a search nor a node that writes much keeps a change
waiting. The log is not waited for until it is on the disk: a crash of the server may cost its last
moments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from secrets import randbits
from typing import Any, Final

from gateway.store import postgres_log_tables as tables
from gateway.store.bell import Bell
from gateway.store.log_rows import entry_of_row
from gateway.store.logged import Entry, Origin, Retention, Wanted
from gateway.store.postgres_address import parse_address
from gateway.store.postgres_link import KEEPALIVES, Connection, Link
from gateway.store.postgres_schema import migrate
from gateway.store.protocol import StateAway, StateUnusable

LOOK_SECONDS: Final = 0.3
"""Seconds between two looks at what other nodes wrote, while somebody follows."""

_RELAXED: Final = "SELECT set_config('synchronous_commit', 'off', false)"


class PostgresLog:
    """The log in one database; `open` makes it.

    Attributes:
        name: The log as sentences name it, without the password.
        retention: What is kept.
    """

    def __init__(self, url: str, retention: Retention, origin: Origin) -> None:
        address = parse_address(url)
        self.name = f"the invocation log in {address.name}"
        self.retention = retention
        self._origin = origin
        self._link = Link(address, _prepare)
        self._writer = randbits(62)
        self._written = 0
        self._bell = Bell(self.newest, LOOK_SECONDS)

    @classmethod
    async def open(cls, url: str, retention: Retention, origin: Origin) -> PostgresLog:
        """Open the log in a database, and make its table where there is none.

        Args:
            url: `postgresql://user:password@host:port/database?parameter=value`.
            retention: What is kept.
            origin: Who writes here.

        Raises:
            StateUnusable: It cannot be used; it is as it was.
        """
        log = cls(url, retention, origin)
        try:
            await log._link.run(migrate)
        except BaseException:
            await log.close()
            raise
        return log

    @property
    def news(self) -> asyncio.Event:
        """Is set when something more is there; ask for it before looking at what is there."""
        return self._bell.next

    def following(self) -> AbstractContextManager[None]:
        """While somebody does, `news` tells also of what other nodes write."""
        return self._bell.listening()

    async def append(self, entries: Sequence[Entry]) -> None:
        """Add entries, in this order, and who answered them.

        Raises:
            StateAway: The database cannot be reached; whether it has them is not known. The same
                entries are to be given again, before any others.
            StateUnusable: They cannot be written, and none is.
        """
        rows = await asyncio.to_thread(tables.packed, entries, self._origin)
        before = self._written
        try:
            await self._link.run(lambda found: tables.append(found, self._writer, before, rows))
        except StateAway:
            raise
        except StateUnusable:
            self._written += len(entries)  # an attempt before this one may have written them
            raise
        self._written += len(entries)
        self._bell.ring()

    async def find(self, wanted: Wanted, limit: int = 100) -> list[Entry]:
        """Entries, newest first; with `after`, oldest first.

        Raises:
            StateUnusable: The log cannot be read.
        """
        rows = await self._link.run(lambda found: tables.find(found, wanted, limit))
        return await asyncio.to_thread(_entries, rows)

    async def get(self, request_id: str) -> Entry | None:
        """The newest entry of a request.

        Raises:
            StateUnusable: The log cannot be read.
        """
        entries = _entries(await self._link.run(lambda found: tables.get(found, request_id)))
        return entries[0] if entries else None

    async def newest(self) -> int:
        """The number of the newest entry; 0 where there is none.

        Raises:
            StateUnusable: The log cannot be read.
        """
        return await self._link.run(tables.newest)

    async def prune(self, now: float) -> None:
        """Remove what is not kept any longer, also of what other nodes wrote.

        Of nodes that do so at the same time one does, and the others leave it to that one.

        Args:
            now: Seconds since 1970.

        Raises:
            StateUnusable: It cannot be removed.
        """
        before, most = now - self.retention.seconds, self.retention.entries
        while await self._link.run(lambda found: tables.prune(found, before, most)):
            pass

    async def close(self) -> None:
        """Let go of everything; once more does no harm."""
        await self._bell.stop()
        await self._link.close()  # what was asked for before is still done


async def _prepare(connection: Connection) -> None:
    await connection.execute(_RELAXED)
    await connection.execute(KEEPALIVES)


def _entries(rows: Sequence[Sequence[Any]]) -> list[Entry]:
    return [entry_of_row(row) for row in rows]
