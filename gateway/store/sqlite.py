"""The store in one SQLite file: no server, durable, and shared by the processes of one machine.

One thread owns the connection. The event loop hands it work and never waits for the disk itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from math import inf
from pathlib import Path as FilePath
from typing import Final, TypeVar

from gateway.core.changes import Batch
from gateway.core.diff import Path
from gateway.store import tables
from gateway.store.bell import Bell
from gateway.store.database import explained, name_of, open_database
from gateway.store.protocol import Journal, Record, StateUnusable
from gateway.store.sqlite_invocations import SqliteInvocations

T = TypeVar("T")

PAGE: Final = 100
"""How many records a watcher reads at once."""


class SqliteStore:
    """One journal and its code packages in one file; `open` makes it.

    Attributes:
        name: The state as sentences name it.
        invocations: The asynchronous invocations of the state.
    """

    def __init__(self, name: str, worker: ThreadPoolExecutor, database: sqlite3.Connection) -> None:
        self.name = name
        self.invocations = SqliteInvocations(self._do)
        self._worker = worker
        self._database = database
        self._bell = Bell(self._marker)
        self._closed = False

    @classmethod
    async def open(cls, path: str | FilePath) -> SqliteStore:
        """Open a state file, or make it.

        Args:
            path: The file; its folder is made when it is not there. `":memory:"` means none:
                everything is forgotten when the store is closed.

        Raises:
            StateUnusable: The file cannot be used; it is as it was.
        """
        worker = ThreadPoolExecutor(1, thread_name_prefix="gateway-store")
        opening = worker.submit(open_database, path)
        try:
            database = await asyncio.wrap_future(opening)
        except BaseException:
            # A cancelled opening may still succeed in its thread; nobody would close it.
            worker.submit(_close_opened, opening)
            worker.shutdown(wait=False)
            raise
        return cls(name_of(path), worker, database)

    @property
    def age(self) -> float | None:
        """Nothing: a file is not away."""
        return None

    async def load(self) -> Journal:
        """The newest checkpoint and everything after it.

        Raises:
            StateUnusable: The state is damaged or cannot be read.
        """
        return await self._do(partial(tables.load, source=self.name))

    async def commit(self, record: Record) -> None:
        """Add a record, durably, directly after the newest one.

        Raises:
            StaleRevision: The newest revision is not the one before the record's.
            UnknownChange: What would be written could not be read again.
            StateUnusable: It cannot be written; the journal is as it was.
        """
        await self._do(partial(tables.commit, record=record))
        self._bell.ring()

    async def watch(self, after: int) -> AsyncGenerator[Record, None]:
        """Every record with a later revision: those that exist, then each new one, in order.

        Raises:
            StateUnusable: The state cannot be read any more.
        """
        with self._bell.listening():
            while not self._closed:
                rung = self._bell.next
                found = await self._do(partial(tables.later, after=after, limit=PAGE))
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
        return await self._do(partial(tables.records, path=path, before=before, limit=limit))

    async def checkpoint(self, revision: int, state: Batch) -> None:
        """Remember what builds the state of a revision, so that recovery may start there.

        Raises:
            StaleRevision: The journal has no such revision yet.
            StateUnusable: It cannot be written.
        """
        await self._do(partial(tables.put_checkpoint, revision=revision, state=state))

    async def put_package(self, digest: str, data: bytes, at: float = 0.0) -> None:
        """Keep a code package; one that is there already is left as it is.

        Args:
            digest: Its name.
            data: Its bytes.
            at: When it was asked for, in seconds since 1970.

        Raises:
            StateUnusable: It cannot be written.
        """
        await self._do(partial(tables.put_package, digest=digest, data=data, at=at))

    async def package(self, digest: str) -> bytes:
        """A code package.

        Raises:
            PackageNotFound: There is none.
            StateUnusable: It cannot be read.
        """
        return await self._do(partial(tables.package, digest=digest))

    async def retain_packages(self, digests: Collection[str], before: float = inf) -> None:
        """Drop every other code package.

        Args:
            digests: What versions name.
            before: Only packages that nobody asked for since.

        Raises:
            StateUnusable: It cannot be written.
        """
        await self._do(partial(tables.retain_packages, digests=digests, before=before))

    def heed(self) -> None:
        """Whoever watches looks at once: somebody says that there is something new."""
        self._bell.ring()

    async def leads(self) -> bool:
        """Always: who shares a file shares a machine, and its revisions settle who is first."""
        return True

    async def close(self) -> None:
        """Let go of everything; whoever watches is told by the end of the iteration."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._bell.stop()
            await self._submit(self._database.close)
        finally:
            self._worker.shutdown(wait=False)  # what was asked for before is still done

    async def _marker(self) -> object:
        return await self._do(tables.marker)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StateUnusable(f"{self.name} is closed")
        return await self._submit(partial(self._guarded, work))

    async def _submit(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with explained(self.name):
            return work(self._database)


def _close_opened(opening: Future[sqlite3.Connection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
