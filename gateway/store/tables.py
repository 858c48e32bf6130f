"""What the store asks of its database, one function for each promise of the protocol.

Everything here runs in the one thread that owns the connection, and inside one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Final

from gateway.core.changes import Batch, Change
from gateway.core.diff import Path
from gateway.store.protocol import Journal, PackageNotFound, Record, StaleRevision
from gateway.store.records import (
    Damaged,
    Row,
    checksum,
    path_key,
    read,
    read_batch,
    read_row_change,
    write,
    write_batch,
)
from gateway.store.schema import transaction

_NEWEST: Final = "SELECT coalesce(max(revision), 0) FROM records"
_INSERT: Final = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_LATER: Final = "SELECT * FROM records WHERE revision > ? ORDER BY revision LIMIT ?"
_EARLIER: Final = "SELECT * FROM records WHERE revision < ? ORDER BY revision DESC LIMIT ?"
_ALTERED: Final = """
    SELECT * FROM records WHERE revision IN (
        SELECT DISTINCT revision FROM altered
        WHERE path >= ? AND path < ? AND revision < ? ORDER BY revision DESC LIMIT ?
    ) ORDER BY revision DESC
"""
_DECLARED: Final = "SELECT * FROM records WHERE declared IS NOT NULL ORDER BY revision DESC LIMIT 1"
_CHECKPOINT: Final = "SELECT revision, state, checksum FROM checkpoints ORDER BY 1 DESC LIMIT 1"
_LAST: Final = 2**63 - 1


def newest(connection: sqlite3.Connection) -> int:
    """The newest revision; 0 before the first record."""
    (revision,) = connection.execute(_NEWEST).fetchone()
    return int(revision)


def commit(connection: sqlite3.Connection, record: Record) -> None:
    """Add a record directly after the newest one.

    Raises:
        StaleRevision: The newest revision is not the one before the record's.
        UnknownChange: What would be written could not be read again.
    """
    row = write(record)
    paths = {(path_key(part.path), record.revision) for part in record.differences}
    with transaction(connection, "IMMEDIATE"):
        actual = newest(connection)
        if record.revision != actual + 1:
            raise StaleRevision(record.revision - 1, actual)
        connection.execute(_INSERT, row)
        connection.executemany("INSERT INTO altered (path, revision) VALUES (?, ?)", paths)


def load(connection: sqlite3.Connection, source: str) -> Journal:
    """The newest checkpoint and everything after it.

    Raises:
        Damaged: A row is missing, or not what was written.
    """
    with transaction(connection, "DEFERRED"):
        revision, checkpoint = _checkpoint(connection)
        tail: list[Change] = []
        for fields in connection.execute(_LATER, (revision, -1)):
            row = Row(*fields)
            if row.revision != revision + len(tail) + 1:
                raise Damaged(f"revision {revision + len(tail) + 1} is missing")
            tail.append(read_row_change(row))
        declared = connection.execute(_DECLARED).fetchone()
    return Journal(
        revision,
        checkpoint,
        tuple(tail),
        read(Row(*declared)).declared if declared else None,
        source,
    )


def _checkpoint(connection: sqlite3.Connection) -> tuple[int, Batch]:
    found = connection.execute(_CHECKPOINT).fetchone()
    if found is None:
        return 0, Batch(())
    revision, state, expected = found
    if checksum(revision, state) != expected:
        raise Damaged(f"the checkpoint of revision {revision} is not what was written")
    if newest(connection) < revision:
        raise Damaged(f"revision {revision} is missing")
    return revision, read_batch(state, f"the checkpoint of revision {revision}")


def later(connection: sqlite3.Connection, after: int, limit: int) -> list[Record]:
    """The first records after a revision, in order."""
    return [read(Row(*fields)) for fields in connection.execute(_LATER, (after, limit))]


def records(
    connection: sqlite3.Connection, path: Path, before: int | None, limit: int
) -> list[Record]:
    """Records, newest first, all or those that altered a part."""
    end = _LAST if before is None else min(before, _LAST)
    limit = min(max(limit, 0), _LAST)  # below zero would mean all of them
    if path:
        low = path_key(path)
        # Each name ends with a slash, so the texts that begin with `low` end before this one.
        high = f"{low[:-1]}{chr(ord('/') + 1)}"
        found = connection.execute(_ALTERED, (low, high, end, limit))
    else:
        found = connection.execute(_EARLIER, (end, limit))
    return [read(Row(*fields)) for fields in found]


def put_checkpoint(connection: sqlite3.Connection, revision: int, state: Batch) -> None:
    """Remember what builds the state of a revision, unless a newer one is remembered.

    Raises:
        StaleRevision: The journal has no such revision yet.
    """
    text = write_batch(state)
    with transaction(connection, "IMMEDIATE"):
        actual = newest(connection)
        if revision > actual:
            raise StaleRevision(revision, actual)
        fields = (revision, text, checksum(revision, text))
        connection.execute("INSERT OR IGNORE INTO checkpoints VALUES (?, ?, ?)", fields)
        connection.execute(
            "DELETE FROM checkpoints WHERE revision < (SELECT max(revision) FROM checkpoints)"
        )


def put_package(connection: sqlite3.Connection, digest: str, data: bytes, at: float) -> None:
    """Keep a code package; of one that is there already only the time is noted."""
    with transaction(connection, "IMMEDIATE"):
        connection.execute(
            "INSERT INTO packages VALUES (?, ?, ?)"
            " ON CONFLICT (digest) DO UPDATE SET at = max(at, excluded.at)",
            (digest, at, data),
        )


def package(connection: sqlite3.Connection, digest: str) -> bytes:
    """A code package.

    Raises:
        PackageNotFound: There is none.
    """
    found = connection.execute("SELECT data FROM packages WHERE digest = ?", (digest,)).fetchone()
    if found is None:
        raise PackageNotFound(digest)
    return bytes(found[0])


def retain_packages(
    connection: sqlite3.Connection, digests: Collection[str], before: float
) -> None:
    """Drop every other package that is old enough, and give its room back to the disk."""
    with transaction(connection, "IMMEDIATE"):
        kept = set(digests)
        old = connection.execute("SELECT digest FROM packages WHERE at < ?", (before,))
        known = [digest for (digest,) in old]
        dropped = [(digest,) for digest in known if digest not in kept]
        connection.executemany("DELETE FROM packages WHERE digest = ?", dropped)
    if dropped:
        connection.executescript("PRAGMA incremental_vacuum")  # `execute` frees one page


def marker(connection: sqlite3.Connection) -> tuple[int, int]:
    """A value that is another one after every commit, whoever made it."""
    (others,) = connection.execute("PRAGMA data_version").fetchone()
    return int(others), connection.total_changes
