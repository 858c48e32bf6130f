"""The tables of the state file, and every step by which an older file becomes a newer one.

Steps are only ever added. A file says how many it went through; one that went through more than
this program knows is left alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Literal

from gateway.store.records import Damaged

APPLICATION: Final = 0x67777374
"""What marks a file as ours in its header: `gwst`."""

STEPS: Final[Sequence[Sequence[str]]] = (
    (
        """CREATE TABLE records (
            revision INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            author TEXT NOT NULL,
            restores INTEGER,
            change TEXT NOT NULL,
            differences TEXT NOT NULL,
            declared TEXT,
            checksum INTEGER NOT NULL
        )""",
        "CREATE INDEX records_declared ON records (revision) WHERE declared IS NOT NULL",
        """CREATE TABLE altered (
            path TEXT NOT NULL,
            revision INTEGER NOT NULL REFERENCES records,
            PRIMARY KEY (path, revision)
        ) WITHOUT ROWID""",
        """CREATE TABLE checkpoints (
            revision INTEGER PRIMARY KEY,
            state TEXT NOT NULL,
            checksum INTEGER NOT NULL
        )""",
        "CREATE TABLE packages (digest TEXT PRIMARY KEY, at REAL NOT NULL, data BLOB NOT NULL)",
    ),
    (
        # The event is NULL once the invocation has ended: that is what takes up the room.
        """CREATE TABLE invocations (
            number INTEGER PRIMARY KEY,
            request_id TEXT NOT NULL UNIQUE,
            function TEXT NOT NULL,
            qualifier TEXT NOT NULL,
            routing_key TEXT,
            event TEXT,
            at REAL NOT NULL,
            status TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            retry_at REAL,
            ended_at REAL,
            result TEXT,
            owner INTEGER NOT NULL
        )""",
        "CREATE INDEX invocations_function ON invocations (function, number)",
        "CREATE INDEX invocations_running ON invocations (owner) WHERE status = 'RUNNING'",
        "CREATE INDEX invocations_ended ON invocations (ended_at) WHERE status <> 'RUNNING'",
    ),
)


@contextmanager
def transaction(
    connection: sqlite3.Connection, kind: Literal["DEFERRED", "IMMEDIATE"]
) -> Iterator[None]:
    """All of it or nothing, whatever goes wrong in between.

    Args:
        connection: One that is in no transaction and opens none by itself.
        kind: `DEFERRED` to read one state, `IMMEDIATE` to be the one writer.
    """
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise


def refuse_foreign(connection: sqlite3.Connection, known: int = len(STEPS)) -> None:
    """Check that a file is ours, or new, before anything in it is touched.

    Args:
        connection: To the file.
        known: How many steps this program knows.

    Raises:
        Damaged: It is another program's, or a newer one's.
    """
    application, version = (
        _number(connection, "application_id"),
        _number(connection, "user_version"),
    )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise Damaged("it is the database of another program")
    if version > known:
        raise Damaged(f"it has schema {version}, from a newer program; this one knows {known}")


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]] = STEPS) -> None:
    """Take a file that is ours, or new, through the steps that it has not seen: all or none."""
    with transaction(connection, "IMMEDIATE"):
        refuse_foreign(connection, len(steps))  # again: now nobody else can be doing the same
        version = _number(connection, "user_version")
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        if version < len(steps):
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {len(steps)}")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (number,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(number)
