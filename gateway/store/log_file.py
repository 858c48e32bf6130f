"""The file of an invocation log: opened when it is needed, and made anew when it is damaged.

It is only a log, so that nobody is kept from starting by a damaged one. But a file that another
process has open is never removed: each holds a shared lock beside it for as long as it does, and
only who gets the exclusive one removes anything. Until then the log cannot be used, and each use
tries again.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from gateway.store.database import BUSY, MEMORY, explained
from gateway.store.log_tables import SCHEMA
from gateway.store.protocol import StateAway

T = TypeVar("T")

_PRAGMAS: Final = ("journal_mode = WAL", "journal_size_limit = 16777216")
_SPOILT: Final = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_HELD: Final = f"another process has been writing for {BUSY:g} seconds"
_DAMAGED: Final = "it is damaged, and begins anew when no other process has it open"
_SUFFIXES: Final = ("-wal", "-shm", "")  # what is left of them would be taken for the new file's


class LogInUse(StateAway):
    """Others have the file: they write for too long, or it is damaged and they must let go."""


class Kind(NamedTuple):
    """What such a file is for.

    Attributes:
        name: What sentences call it.
        schema: Makes its tables where they are not there.
        synchronous: How much of it a power cut may cost.
    """

    name: str
    schema: tuple[str, ...]
    synchronous: str = "NORMAL"


LOG: Final = Kind("log", SCHEMA)
"""The invocation log."""


class LogFile:
    """One log in one file, or in memory; used by one thread.

    Args:
        path: The file, or `":memory:"`.
        kind: What it is for.

    Attributes:
        name: The log as sentences name it.
        openings: How many times it was opened.
    """

    def __init__(self, path: str | Path, kind: Kind = LOG) -> None:
        in_memory = str(path) == MEMORY
        self.name = f"the {kind.name} in memory" if in_memory else f"the {kind.name} {str(path)!r}"
        self._kind = kind
        self.openings = 0
        self._path = None if in_memory else Path(path)
        self._connection: sqlite3.Connection | None = None
        self._lock: int | None = None
        self._damaged: tuple[int, int] | None = None

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Work with the database; a file that turns out to be damaged is left for a new one.

        Raises:
            LogInUse: Another process writes for too long, or it is damaged, and another process has
                it open.
            StateUnusable: It cannot be used.
        """
        with explained(self.name):
            try:
                return work(self._opened())
            except sqlite3.DatabaseError as error:
                if _code(error) == sqlite3.SQLITE_BUSY:
                    raise LogInUse(f"{self.name} cannot be used: {_HELD}") from error
                if self._path is None or _code(error) not in _SPOILT:
                    raise
                self._disconnect()
                self._damaged = _identity(self._path)  # while nobody can put another one there
                self._unlock()
            return work(self._opened())

    def close(self) -> None:
        """Let go of the file."""
        self._disconnect()
        self._unlock()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            path, kind = self._path, self._kind
            self._connection = _connect(MEMORY, kind) if path is None else self._open(path)
            self.openings += 1
            self._damaged = None
        return self._connection

    def _open(self, path: Path) -> sqlite3.Connection:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_SH)
            found = self._tried(path)
            if found is None:
                found = self._made_anew(self._lock, path)
        except BaseException:
            self._unlock()
            raise
        return found

    def _tried(self, path: Path) -> sqlite3.Connection | None:
        """A connection to the file, which is made when it is not there; none to a damaged one."""
        if self._damaged is not None and self._damaged == _identity(path):
            return None
        try:
            return _connect(path, self._kind)
        except sqlite3.DatabaseError as error:
            if _code(error) in _SPOILT:
                return None
            raise

    def _made_anew(self, lock: int, path: Path) -> sqlite3.Connection:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LogInUse(f"{self.name} cannot be used: {_DAMAGED}") from None
        found = self._tried(path)  # again: the lock was let go of in between
        if found is None:
            for suffix in _SUFFIXES:
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            found = _connect(path, self._kind)
        fcntl.flock(lock, fcntl.LOCK_SH)
        return found

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _unlock(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def _connect(path: str | Path, kind: Kind) -> sqlite3.Connection:
    if isinstance(path, Path):
        with suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
    try:
        for pragma in (*_PRAGMAS, f"synchronous = {kind.synchronous}"):
            connection.execute(f"PRAGMA {pragma}")
        for statement in kind.schema:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _code(error: sqlite3.DatabaseError) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from one that was put in its place, or written since."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_ctime_ns
