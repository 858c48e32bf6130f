"""The invocation log: what was answered, request by request, searchable and within bounds.

It stands in a file of its own beside the state, because it is written all the time and is worth
less than the journal: a crash of the machine may cost its last moments, never the journal's.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from gateway.store import log_tables as tables
from gateway.store.database import MEMORY, explained
from gateway.store.logged import Entry, Wanted

T = TypeVar("T")

KEPT_SECONDS: Final = 3 * 86_400.0
"""How long an entry is kept."""

SWEEP: Final = 1000
"""After how many new entries old ones are removed."""


class InvocationLog:
    """The log in one file; `open` makes it. One thread owns the connection.

    Attributes:
        name: The log as sentences name it.
    """

    def __init__(self, name: str, worker: ThreadPoolExecutor, database: sqlite3.Connection) -> None:
        self.name = name
        self._worker = worker
        self._database = database
        self._unswept = 0
        self._closed = False

    @classmethod
    async def open(cls, path: str | Path) -> InvocationLog:
        """Open a log, or make it; one that is damaged, or no log, begins anew.

        Raises:
            StateUnusable: There can be none at this place.
        """
        name = "the invocation log in memory" if str(path) == MEMORY else f"the log {str(path)!r}"
        worker = ThreadPoolExecutor(1, thread_name_prefix="gateway-log")
        try:
            loop = asyncio.get_running_loop()
            database = await loop.run_in_executor(worker, partial(tables.open_log, path, name))
        except BaseException:
            worker.shutdown(wait=False)
            raise
        return cls(name, worker, database)

    async def append(self, entries: Sequence[Entry]) -> None:
        """Add entries, in this order; old ones make room.

        Raises:
            StateUnusable: They cannot be written.
        """
        self._unswept += len(entries)
        before = None
        if self._unswept >= SWEEP:
            self._unswept = 0
            before = entries[-1].at - KEPT_SECONDS
        await self._do(partial(tables.append, entries=entries, before=before))

    async def find(self, wanted: Wanted, limit: int = 100) -> list[Entry]:
        """Entries, newest first; with `after`, oldest first.

        Raises:
            StateUnusable: The log cannot be read.
        """
        return await self._do(partial(tables.find, wanted=wanted, limit=limit))

    async def get(self, request_id: str) -> Entry | None:
        """The entry of a request.

        Raises:
            StateUnusable: The log cannot be read.
        """
        return await self._do(partial(tables.get, request_id=request_id))

    async def newest(self) -> int:
        """The number of the newest entry; 0 where there is none."""
        return await self._do(tables.newest)

    async def close(self) -> None:
        """Let go of the file; once more does no harm."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._worker, self._database.close)
        self._worker.shutdown(wait=False)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, partial(self._guarded, work))

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with explained(self.name):
            return work(self._database)
