"""Opening the state file: private, durable, and known to be whole before it is trusted.

Nothing is altered in a file that turns out to be somebody else's. What goes wrong is said once,
here, in a sentence that names the file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.store.protocol import StateUnusable
from gateway.store.records import Damaged
from gateway.store.schema import migrate, refuse_foreign, transaction

MEMORY: Final = ":memory:"
"""The path of a state that is forgotten when it is closed."""

BUSY: Final = 5.0
"""Seconds to wait for another writer; each holds the file for some milliseconds."""

# Left as large as a large package made it, the log would be read at every start.
_PRAGMAS: Final = (
    "auto_vacuum = INCREMENTAL",
    "journal_mode = WAL",
    "journal_size_limit = 16777216",
    "synchronous = FULL",
    "fullfsync = ON",  # macOS: its plain fsync leaves the data in the disk's cache
    "checkpoint_fullfsync = ON",
    "foreign_keys = ON",
)

# The full check of the journal takes 5 ms for 10,000 records, no more than the quick one, which
# would leave the indices out. Packages are not among the tables: to read all of them at every
# start could take longer than everything else, and each is checked by its digest when it is read.
_CHECKED: Final = ("records", "altered", "checkpoints")

_REASONS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing was recorded",
    sqlite3.SQLITE_IOERR: "the disk is full, or fails; nothing was recorded",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_BUSY: "another program holds it",
    sqlite3.SQLITE_NOTADB: "it is no database",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
}


def name_of(path: str | Path) -> str:
    """A state as sentences name it."""
    return "the state in memory" if str(path) == MEMORY else f"the state {str(path)!r}"


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turns what the database or the system says into one sentence about the state.

    Raises:
        StateUnusable: Something went wrong inside.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise StateUnusable(f"{name} cannot be used: {_REASONS.get(code, error)}") from error
    except Damaged as error:
        raise StateUnusable(f"{name} cannot be used: {error}") from error
    except OSError as error:
        raise StateUnusable(f"{name} cannot be used: {error.strerror}") from error


def open_database(path: str | Path) -> sqlite3.Connection:
    """A connection to the state file, which is made when it is not there.

    Raises:
        StateUnusable: The file cannot be used.
    """
    with explained(name_of(path)):
        if str(path) != MEMORY:
            _prepare(Path(path))
        connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
        try:
            with transaction(connection, "DEFERRED"):  # another process may be making it just now
                refuse_foreign(connection)
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            _check(connection)
            migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _prepare(path: Path) -> None:
    """Make the file and its folder for their owner alone; what is there stays as it is."""
    if "\0" in str(path):
        raise Damaged("its path has a NUL character")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise Damaged(f"{str(path.parent)!r} is no folder") from None
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        # Looked at from outside: to open and close it would drop the locks of this process.
        if not path.is_file():
            raise Damaged("it is no regular file") from None
        if not os.access(path, os.R_OK, effective_ids=True):
            raise Damaged("it may not be read") from None
        if not os.access(path, os.W_OK, effective_ids=True):
            # The database would open it and leave files beside it that stay read-only for good.
            raise Damaged("it is read-only") from None


def _check(connection: sqlite3.Connection) -> None:
    """Whether the structure of the journal is whole."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    for table in _CHECKED:
        if table in there:  # in a new file there are none
            (found,) = connection.execute(f"PRAGMA integrity_check({table})").fetchall()[0]
            if found != "ok":
                raise Damaged(f"it is damaged: {found}")
