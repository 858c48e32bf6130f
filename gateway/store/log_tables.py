"""The table of the invocation log, and everything that is asked of it; runs in the log's thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from gateway.store.database import MEMORY, explained
from gateway.store.logged import Entry, Wanted
from gateway.store.schema import transaction

KEPT_ROWS: Final = 100_000
"""Entries that are kept, the newest ones."""

_COLUMNS: Final = (
    "request_id", "at", "stage", "function", "qualifier", "version", "reason", "status", "kind",
    "seconds",
)  # fmt: skip
_DETAIL: Final = tuple(
    each.name for each in fields(Entry) if each.name not in {*_COLUMNS, "number"}
)
_SCHEMA: Final = (
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
)
_PRAGMAS: Final = ("journal_mode = WAL", "synchronous = NORMAL", "journal_size_limit = 16777216")
_INSERT: Final = (
    f"INSERT INTO entries ({', '.join(_COLUMNS)}, detail, text)"  # noqa: S608 - our own names
    f" VALUES ({', '.join('?' * (len(_COLUMNS) + 2))})"
)
_SELECT: Final = f"SELECT number, {', '.join(_COLUMNS)}, detail FROM entries"  # noqa: S608


def append(connection: sqlite3.Connection, entries: Sequence[Entry], before: float | None) -> None:
    """Add entries; with a time, remove what came before it, and what is too much."""
    with transaction(connection, "IMMEDIATE"):
        connection.executemany(_INSERT, [_row(entry) for entry in entries])
        if before is not None:
            newest_number = newest(connection)
            connection.execute(
                "DELETE FROM entries WHERE number <= ? OR at < ?",
                (newest_number - KEPT_ROWS, before),
            )


def find(connection: sqlite3.Connection, wanted: Wanted, limit: int) -> list[Entry]:
    """Entries, newest first; with `after`, oldest first."""
    terms = dict(_terms(wanted))
    values = [value for given in terms.values() for value in given]
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    order = "ASC" if wanted.after is not None else "DESC"
    query = f"{_SELECT}{where} ORDER BY number {order} LIMIT ?"
    return [_read(row) for row in connection.execute(query, (*values, limit))]


def get(connection: sqlite3.Connection, request_id: str) -> Entry | None:
    """The newest entry of a request id."""
    query = f"{_SELECT} WHERE request_id = ? ORDER BY number DESC LIMIT 1"
    row = connection.execute(query, (request_id,)).fetchone()
    return None if row is None else _read(row)


def newest(connection: sqlite3.Connection) -> int:
    """The number of the newest entry."""
    (number,) = connection.execute("SELECT max(number) FROM entries").fetchone()
    return number or 0


def _terms(wanted: Wanted) -> Iterator[tuple[str, tuple[object, ...]]]:
    for column in ("stage", "function", "qualifier", "version", "reason"):
        value = getattr(wanted, column)
        if value:
            yield f"{column} = ?", (value,)
    if wanted.status is not None:
        yield "status BETWEEN ? AND ?", wanted.status
    if wanted.errors:
        yield "kind <> ''", ()
    for term, bound in (
        ("at >= ?", wanted.since),
        ("at < ?", wanted.until),
        ("seconds >= ?", wanted.slower),
        ("number < ?", wanted.before),
        ("number > ?", wanted.after),
    ):
        if bound is not None:
            yield term, (bound,)
    if wanted.text:
        yield "instr(text, ?)", (wanted.text.casefold(),)


def _row(entry: Entry) -> tuple[object, ...]:
    detail = json.dumps({name: getattr(entry, name) for name in _DETAIL}, ensure_ascii=True)
    error = json.dumps(entry.error, ensure_ascii=False) if entry.error else ""
    text = f"{entry.path}\n{entry.body}\n{error}\n{entry.output}".casefold()
    # Half a surrogate pair, as output may hold one, cannot be written as UTF-8.
    searched = text.encode(errors="replace").decode()
    return (*(getattr(entry, name) for name in _COLUMNS), detail, searched)


def _read(row: Sequence[Any]) -> Entry:
    number, *columns, detail = row
    return Entry(**dict(zip(_COLUMNS, columns, strict=True)), **json.loads(detail), number=number)


def open_log(path: str | Path, name: str) -> sqlite3.Connection:
    """Open the file, or make it; what is damaged, or no log, makes room for a new one."""
    with explained(name):
        if str(path) != MEMORY:
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                Path(path).touch(mode=0o600, exist_ok=False)
        try:
            return _prepared(path)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _SPOILT:
                raise
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        return _prepared(path)


_SPOILT: Final = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _prepared(path: str | Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        for statement in _SCHEMA:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection
