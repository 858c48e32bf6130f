"""The store in a PostgreSQL database: the meeting point of the nodes of a cluster.

Every node has two connections: one on which its work takes turns, one that listens. What is told
there is a hint; a node believes only what it reads.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from math import inf
from secrets import randbelow, token_hex
from typing import Final, TypeVar

from gateway.core.changes import Batch
from gateway.core.diff import Path
from gateway.store import postgres_tables as tables
from gateway.store.postgres_address import parse_address
from gateway.store.postgres_invocations import PostgresInvocations, hold
from gateway.store.postgres_link import KEEPALIVES, Connection, Link
from gateway.store.postgres_notices import Notices
from gateway.store.postgres_schema import APPLICATION, migrate
from gateway.store.postgres_turn import STATE, Turn
from gateway.store.protocol import Journal, Record, StaleRevision, StateAway

T = TypeVar("T")

PAGE: Final = 100
"""How many records a watcher reads at once."""

_SETTINGS: Final = """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""
_LEAD: Final = f"SELECT pg_try_advisory_lock({APPLICATION + 1}, {STATE})"


class PostgresStore:
    """One journal and its code packages in one database; `open` makes it.

    Attributes:
        name: The state as sentences name it, without the password.
        invocations: The asynchronous invocations of the state.
    """

    def __init__(self, url: str) -> None:
        address = parse_address(url)
        self.name = address.name
        self._node = randbelow(2**31)
        self._link = Link(address, self._prepare)
        self._notices = Notices(address, self._link.forgive)
        self._turn = Turn(self._link)
        self._leading: Connection | None = None
        self._closed = False
        self.invocations = PostgresInvocations(self._link.run, self._node)

    @classmethod
    async def open(cls, url: str) -> PostgresStore:
        """Open the state in a database, and make its tables where there are none.

        Args:
            url: `postgresql://user:password@host:port/database?parameter=value`.

        Raises:
            StateUnusable: It cannot be used; it is as it was.
        """
        store = cls(url)
        try:
            await store._link.run(migrate)
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def age(self) -> float | None:
        """Seconds since the database answered; while somebody watches, about one at most."""
        return self._link.silence

    async def load(self) -> Journal:
        """The newest checkpoint and everything after it.

        Raises:
            StateUnusable: The state is damaged or cannot be read.
        """
        return await self._link.run(lambda found: tables.load(found, self.name))

    async def commit(self, record: Record) -> None:
        """Add a record, durably, directly after the newest one.

        Raises:
            StaleRevision: The newest revision is not the one before the record's.
            UnknownChange: What would be written could not be read again.
            StateAway: The database cannot be reached; where it was lost in between, whether the
                record was accepted is not known, and said so.
            StateUnusable: It cannot be written; the journal is as it was.
        """
        mark, sent = token_hex(8), False

        async def work(connection: Connection) -> None:
            nonlocal sent
            sent = True
            try:
                await tables.commit(connection, record, mark)
            except StaleRevision as stale:
                await self._turn.take(connection)
                raise StaleRevision(stale.expected, await tables.newest(connection)) from None
            await self._turn.end(connection)

        try:
            await self._link.run(work)
        except StateAway as away:
            if not sent:
                raise
            unknown = f"whether revision {record.revision} was recorded is not known"
            raise StateAway(f"{away}; {unknown}") from away
        self._notices.ring()

    async def watch(self, after: int) -> AsyncGenerator[Record, None]:
        """Every record with a later revision: those that exist, then each new one, in order.

        A database that is away is waited for.

        Raises:
            StateUnusable: The state cannot be read any more.
        """
        self._notices.begin()
        while not self._closed:
            rung = self._notices.next
            try:
                found = await self._later(after)
            except StateAway:
                found = []
            for record in found:
                after = record.revision
                yield record
            if not found:
                await rung.wait()

    async def records(
        self, *, path: Path = (), before: int | None = None, limit: int = 100
    ) -> list[Record]:
        """Accepted records, newest first.

        Args:
            path: Only those that altered this part or one below it.
            before: Only those with an earlier revision.
            limit: At most so many.

        Raises:
            StateUnusable: The state is damaged or cannot be read.
        """
        return await self._link.run(lambda found: tables.records(found, path, before, limit))

    async def checkpoint(self, revision: int, state: Batch) -> None:
        """Remember what builds the state of a revision, so that recovery may start there.

        Raises:
            StaleRevision: The journal has no such revision yet.
            StateUnusable: It cannot be written.
        """
        await self._link.run(lambda found: tables.put_checkpoint(found, revision, state))

    async def put_package(self, digest: str, data: bytes, at: float = 0.0) -> None:
        """Keep a code package; one that is there already is left as it is.

        Args:
            digest: Its name.
            data: Its bytes.
            at: When it was asked for, in seconds since 1970.

        Raises:
            StateUnusable: It cannot be written.
        """
        await self._link.run(lambda found: tables.put_package(found, digest, data, at))

    async def package(self, digest: str) -> bytes:
        """A code package.

        Raises:
            PackageNotFound: There is none.
            StateUnusable: It cannot be read.
        """
        return await self._link.run(lambda found: tables.package(found, digest))

    async def retain_packages(self, digests: Collection[str], before: float = inf) -> None:
        """Drop every other code package.

        Args:
            digests: What versions name.
            before: Only packages that nobody asked for since.

        Raises:
            StateUnusable: It cannot be written.
        """
        await self._link.run(lambda found: tables.retain_packages(found, digests, before))

    def heed(self) -> None:
        """Whoever watches looks at once: somebody says that there is something new."""
        self._notices.ring()

    async def leads(self) -> bool:
        """Whether this node does what only one at a time should do for all.

        The first node that asks leads for as long as its connection lasts.

        Raises:
            StateAway: Nobody can tell at the moment.
        """
        return await self._link.run(self._lead)

    async def close(self) -> None:
        """Let go of everything; whoever watches is told by the end of the iteration."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._notices.close()
            await self._turn.close()
        finally:
            await self._link.close()  # what was asked for before is still done

    async def _later(self, after: int) -> list[Record]:
        return await self._link.run(lambda found: tables.later(found, after, PAGE))

    async def _lead(self, connection: Connection) -> bool:
        if self._leading is connection:
            await connection.execute("SELECT 1")
            return True
        asked = await connection.execute(_LEAD)
        (leads,) = await asked.fetchone() or (False,)
        self._leading = connection if leads else None
        return bool(leads)

    async def _prepare(self, connection: Connection) -> None:
        """Make a new connection durable, and the node alive on it."""
        await connection.execute(_SETTINGS)
        await connection.execute(KEEPALIVES)
        await hold(connection, self._node)
