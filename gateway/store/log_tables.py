"""The table of the invocation log in SQLite, and what is asked of it; runs in the log's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from gateway.store.log_rows import COLUMNS, entry_of_row, row_of, terms, writable
from gateway.store.logged import Entry, Origin, Wanted
from gateway.store.schema import transaction

PRUNED: Final = 2000
"""How many entries are removed at once; others write between two times."""

SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS entries (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        request_id TEXT NOT NULL,
        at REAL NOT NULL,
        stage TEXT NOT NULL,
        function TEXT NOT NULL,
        qualifier TEXT NOT NULL,
        version TEXT NOT NULL,
        reason TEXT NOT NULL,
        status INTEGER NOT NULL,
        kind TEXT NOT NULL,
        seconds REAL NOT NULL,
        detail TEXT NOT NULL,
        text TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS entries_id ON entries (request_id)",
    "CREATE INDEX IF NOT EXISTS entries_function ON entries (function, number)",
    "CREATE INDEX IF NOT EXISTS entries_kind ON entries (number) WHERE kind <> ''",
    "CREATE INDEX IF NOT EXISTS entries_at ON entries (at)",
)
"""What makes the table, where it is not there."""

_INSERT: Final = (
    f"INSERT INTO entries ({', '.join(COLUMNS)}, detail, text)"  # noqa: S608 - our own names
    f" VALUES ({', '.join('?' * (len(COLUMNS) + 2))})"
)
_SELECT: Final = f"SELECT number, {', '.join(COLUMNS)}, detail FROM entries"  # noqa: S608
_PRUNE: Final = """
    DELETE FROM entries WHERE number IN (SELECT number FROM entries WHERE {} LIMIT ?)
"""


def append(connection: sqlite3.Connection, entries: Sequence[Entry], origin: Origin) -> None:
    """Add entries of one origin."""
    rows = [row_of(entry, origin) for entry in entries]
    with transaction(connection, "IMMEDIATE"):
        connection.executemany(_INSERT, rows)


def find(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> list[Entry]:
    """Entries, newest first; with `after`, oldest first."""
    found = dict(terms(wanted, "instr(text, ?)"))
    values = [value for given in found.values() for value in given]
    where = f" WHERE {' AND '.join(found)}" if found else ""
    order = "ASC" if wanted.after is not None else "DESC"
    query = f"{_SELECT}{where} ORDER BY number {order} LIMIT ?"
    return [entry_of_row(row) for row in connection.execute(query, (*values, limit))]


def get(connection: sqlite3.Connection, request_id: str) -> Entry | None:
    """The newest entry of a request id."""
    query = f"{_SELECT} WHERE request_id = ? ORDER BY number DESC LIMIT 1"
    row = connection.execute(query, (writable(request_id),)).fetchone()
    return None if row is None else entry_of_row(row)


def newest(connection: sqlite3.Connection) -> int:
    """The number of the newest entry."""
    (number,) = connection.execute("SELECT max(number) FROM entries").fetchone()
    return number or 0


def prune(connection: sqlite3.Connection, before: float, most: int) -> bool:
    """Remove some of what came before a time, and of what is more than so many.

    Returns:
        Whether there may be more of it.
    """
    with transaction(connection, "IMMEDIATE"):
        bounds = (("at < ?", before), ("number <= ?", newest(connection) - most))
        removed = [
            connection.execute(_PRUNE.format(term), (bound, PRUNED)).rowcount
            for term, bound in bounds
        ]
    return max(removed) == PRUNED


def marker(connection: sqlite3.Connection) -> tuple[int, int]:
    """A value that is another one after every commit, whoever made it."""
    (others,) = connection.execute("PRAGMA data_version").fetchone()
    return int(others), connection.total_changes
