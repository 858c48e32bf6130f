"""The invocation log in one SQLite file, shared by the processes of one machine.

It stands in a file of its own beside the state, because it is written all the time and is worth
less than the journal. One thread owns the connection. The event loop hands it work and never waits
for the disk itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from gateway.store import log_tables as tables
from gateway.store.bell import Bell
from gateway.store.log_file import LogFile, LogInUse
from gateway.store.logged import Entry, Origin, Retention, Wanted
from gateway.store.protocol import StateUnusable

T = TypeVar("T")

LOOK_SECONDS: Final = 0.1
"""Seconds between two looks at what other processes wrote, while somebody follows."""


class SqliteLog:
    """The log in one file; `open` makes it.

    Attributes:
        name: The log as sentences name it.
        retention: What is kept.
    """

    def __init__(self, file: LogFile, retention: Retention, origin: Origin) -> None:
        self.name = file.name
        self.retention = retention
        self._file = file
        self._origin = origin
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="gateway-log")
        self._bell = Bell(self._marker, LOOK_SECONDS)
        self._closed = False

    @classmethod
    async def open(
        cls,
        path: str | Path,
        retention: Retention = Retention(),  # noqa: B008 - it cannot be altered
        origin: Origin = Origin(),  # noqa: B008
    ) -> SqliteLog:
        """Open a log, or make it; one that is damaged, or no log, begins anew.

        One that is damaged while another process has it open begins anew when that one has let go
        of it; until then it is away.

        Args:
            path: The file; `":memory:"` for a log that is forgotten in the end.
            retention: What is kept.
            origin: Who writes here.

        Raises:
            StateUnusable: There can be none at this place.
        """
        log = cls(LogFile(path), retention, origin)
        try:
            with suppress(LogInUse):
                await log._do(tables.marker)
        except BaseException:
            await log.close()
            raise
        return log

    @property
    def news(self) -> asyncio.Event:
        """Is set when something more is there; ask for it before looking at what is there."""
        return self._bell.next

    def following(self) -> AbstractContextManager[None]:
        """While somebody does, `news` tells also of what other processes write."""
        return self._bell.listening()

    async def append(self, entries: Sequence[Entry]) -> None:
        """Add entries, in this order, and who answered them.

        Raises:
            StateAway: They cannot be written at the moment, and none is.
            StateUnusable: They cannot be written, and none is.
        """
        await self._do(partial(tables.append, entries=entries, origin=self._origin))
        self._bell.ring()

    async def find(self, wanted: Wanted, limit: int = 100) -> list[Entry]:
        """Entries, newest first; with `after`, oldest first.

        Raises:
            StateUnusable: The log cannot be read.
        """
        return await self._do(partial(tables.find, wanted=wanted, limit=limit))

    async def get(self, request_id: str) -> Entry | None:
        """The newest entry of a request.

        Raises:
            StateUnusable: The log cannot be read.
        """
        return await self._do(partial(tables.get, request_id=request_id))

    async def newest(self) -> int:
        """The number of the newest entry; 0 where there is none.

        Raises:
            StateUnusable: The log cannot be read.
        """
        return await self._do(tables.newest)

    async def prune(self, now: float) -> None:
        """Remove what is not kept any longer, also of what others wrote.

        Args:
            now: Seconds since 1970.

        Raises:
            StateUnusable: It cannot be removed.
        """
        kept = self.retention
        while await self._do(partial(tables.prune, before=now - kept.seconds, most=kept.entries)):
            pass

    async def close(self) -> None:
        """Let go of the file; once more does no harm."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._bell.stop()
            await self._submit(self._file.close)
        finally:
            self._worker.shutdown(wait=False)

    async def _marker(self) -> object:
        return await self._do(tables.marker), self._file.openings

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StateUnusable(f"{self.name} is closed")
        return await self._submit(partial(self._file.do, work))

    async def _submit(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)
