"""The exchange of the processes of one machine: a file beside the state that all write and read.

A power cut may cost all of it, and that is no loss: whoever was there is gone as well.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time
from typing import Final, TypeVar

from gateway.store.exchange import KEPT_SECONDS, PAGE
from gateway.store.log_file import Kind, LogFile
from gateway.store.protocol import StateUnusable

T = TypeVar("T")

_KIND: Final = Kind(
    "exchange",
    (
        # Numbers are never given twice: whoever reads remembers how far he came.
        """CREATE TABLE IF NOT EXISTS words (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            sender TEXT NOT NULL,
            word BLOB NOT NULL
        )""",
    ),
    synchronous="OFF",
)
_INSERT: Final = "INSERT INTO words (at, sender, word) VALUES (?, ?, ?)"
_LATEST: Final = "SELECT max(number), word FROM words WHERE sender <> ? GROUP BY sender"
_NEWS: Final = """
    SELECT number, word FROM words WHERE number > ? AND sender <> ? ORDER BY number LIMIT ?
"""
_PRUNE: Final = "DELETE FROM words WHERE at < ?"


class FileExchange:
    """The exchange in one SQLite file; one thread owns the connection.

    Args:
        path: The file; it is made when it is not there, and anew when it is damaged.
        sender: Who leaves words here; its own are not among those that it reads.

    Attributes:
        name: What it is, for sentences about it.
    """

    def __init__(self, path: Path, sender: str) -> None:
        self._file = LogFile(path, _KIND)
        self.name = self._file.name
        self._sender = sender
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="gateway-exchange")
        self._closed = False
        self._read = (0, 0)

    async def publish(self, word: bytes) -> None:
        """Leave a word.

        Raises:
            StateUnusable: It cannot be left.
        """
        await self._do(lambda database: database.execute(_INSERT, (time(), self._sender, word)))

    async def latest(self) -> list[bytes]:
        """The last word of every other process.

        Raises:
            StateUnusable: It cannot be read.
        """
        rows = await self._do(lambda found: found.execute(_LATEST, (self._sender,)).fetchall())
        return [word for _, word in rows]

    async def news(self) -> list[bytes]:
        """The first words of others since the last question, in the order in which they came.

        Raises:
            StateUnusable: They cannot be read.
        """
        return await self._do(self._news)

    async def prune(self) -> None:
        """Forget what is older than `KEPT_SECONDS`.

        Raises:
            StateUnusable: It cannot be forgotten.
        """
        await self._do(lambda database: database.execute(_PRUNE, (time() - KEPT_SECONDS,)))

    async def close(self) -> None:
        """Let go of the file; once more does no harm."""
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._worker, self._file.close)
            self._worker.shutdown(wait=False)

    def _news(self, database: sqlite3.Connection) -> list[bytes]:
        opening, after = self._read
        if opening != self._file.openings:  # it may be another file, which counts from one
            after = 0
        rows = database.execute(_NEWS, (after, self._sender, PAGE)).fetchall()
        self._read = self._file.openings, rows[-1][0] if rows else after
        return [word for _, word in rows]

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StateUnusable(f"{self.name} is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._file.do, work)
