"""What the store asks of PostgreSQL, one function for each promise of the protocol.

Each is one transaction, and does no harm where it is done twice: a connection may break after the
database has accepted something and before it could say so.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.core.changes import Batch
from gateway.core.diff import Path
from gateway.store.postgres_link import Connection
from gateway.store.postgres_schema import transaction
from gateway.store.postgres_turn import wait_for_turn
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

CHANNEL: Final = "gateway"
"""Where a new revision is told; what comes there is a hint and nothing more."""

_ROW: Final = "revision, at, author, restores, change, differences, declared, checksum"
_NEWEST: Final = "SELECT coalesce(max(revision), 0) FROM gateway_records"
_INSERT: Final = f"""
    INSERT INTO gateway_records ({_ROW}, mark)
    SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s WHERE ({_NEWEST}) = %s
    RETURNING pg_notify('{CHANNEL}', revision::text)
"""
_ALTER: Final = "INSERT INTO gateway_altered (path, revision) SELECT unnest(%s::text[]), %s"
_MARK: Final = "SELECT mark FROM gateway_records WHERE revision = %s"
_LATER: Final = f"""
    SELECT {_ROW} FROM gateway_records WHERE revision > %s ORDER BY revision LIMIT %s
"""  # noqa: S608
_EARLIER: Final = f"""
    SELECT {_ROW} FROM gateway_records WHERE revision < %s ORDER BY revision DESC LIMIT %s
"""  # noqa: S608
_ALTERED: Final = f"""
    SELECT {_ROW} FROM gateway_records WHERE revision IN (
        SELECT DISTINCT revision FROM gateway_altered
        WHERE path >= %s AND path < %s AND revision < %s ORDER BY revision DESC LIMIT %s
    ) ORDER BY revision DESC
"""  # noqa: S608
_DECLARED: Final = f"""
    SELECT {_ROW} FROM gateway_records WHERE declared IS NOT NULL ORDER BY revision DESC LIMIT 1
"""  # noqa: S608
_CHECKPOINT: Final = """
    SELECT revision, state, checksum FROM gateway_checkpoints ORDER BY revision DESC LIMIT 1
"""
_LAST: Final = 2**63 - 1


async def newest(connection: Connection) -> int:
    """The newest revision; 0 before the first record."""
    row = await (await connection.execute(_NEWEST)).fetchone()
    return 0 if row is None else int(row[0])


async def commit(connection: Connection, record: Record, mark: str) -> None:
    """Add a record directly after the newest one.

    Whoever writes has the turn, so that the newest revision stays the newest until the end.

    Args:
        connection: To the database.
        record: The record.
        mark: Whose record it is: where this very one is there already, all is well.

    Raises:
        StaleRevision: The newest revision is not the one before the record's.
        UnknownChange: What would be written could not be read again.
    """
    row = write(record)
    paths = sorted({path_key(part.path) for part in record.differences})
    async with transaction(connection):
        await wait_for_turn(connection)
        added = await connection.execute(_INSERT, (*row, mark, record.revision - 1))
        if added.rowcount:
            await connection.execute(_ALTER, (paths, record.revision))
            return
    found = await (await connection.execute(_MARK, (record.revision,))).fetchone()
    if found is None or found[0] != mark:
        raise StaleRevision(record.revision - 1, await newest(connection))


async def load(connection: Connection, source: str) -> Journal:
    """The newest checkpoint and everything after it.

    Raises:
        Damaged: A row is missing, or not what was written.
    """
    async with transaction(connection, still=True):
        revision, checkpoint = await _checkpoint(connection)
        found = await (await connection.execute(_LATER, (revision, _LAST))).fetchall()
        rows = [Row(*fields) for fields in found]
        declared = await (await connection.execute(_DECLARED)).fetchone()
    for number, row in enumerate(rows, revision + 1):
        if row.revision != number:
            raise Damaged(f"revision {number} is missing")
    return Journal(
        revision,
        checkpoint,
        tuple(map(read_row_change, rows)),
        read(Row(*declared)).declared if declared else None,
        source,
    )


async def _checkpoint(connection: Connection) -> tuple[int, Batch]:
    found = await (await connection.execute(_CHECKPOINT)).fetchone()
    if found is None:
        return 0, Batch(())
    revision, state, expected = found
    if checksum(revision, state) != expected:
        raise Damaged(f"the checkpoint of revision {revision} is not what was written")
    if await newest(connection) < revision:
        raise Damaged(f"revision {revision} is missing")
    return revision, read_batch(state, f"the checkpoint of revision {revision}")


async def later(connection: Connection, after: int, limit: int) -> list[Record]:
    """The first records after a revision, in order."""
    async with transaction(connection):
        found = await (await connection.execute(_LATER, (after, limit))).fetchall()
    return [read(Row(*fields)) for fields in found]


async def records(
    connection: Connection, path: Path, before: int | None, limit: int
) -> list[Record]:
    """Records, newest first, all or those that altered a part."""
    end = _LAST if before is None else min(before, _LAST)
    limit = min(max(limit, 0), _LAST)
    async with transaction(connection):
        if path:
            low = path_key(path)
            # Each name ends with a slash, so the texts that begin with `low` end before this one.
            high = f"{low[:-1]}{chr(ord('/') + 1)}"
            asked = await connection.execute(_ALTERED, (low, high, end, limit))
        else:
            asked = await connection.execute(_EARLIER, (end, limit))
        found = await asked.fetchall()
    return [read(Row(*fields)) for fields in found]


async def put_checkpoint(connection: Connection, revision: int, state: Batch) -> None:
    """Remember what builds the state of a revision, unless a newer one is remembered.

    Raises:
        StaleRevision: The journal has no such revision yet.
    """
    text = write_batch(state)
    async with transaction(connection):
        actual = await newest(connection)
        if revision > actual:
            raise StaleRevision(revision, actual)
        await connection.execute(
            "INSERT INTO gateway_checkpoints VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (revision, text, checksum(revision, text)),
        )
        await connection.execute(
            "DELETE FROM gateway_checkpoints"
            " WHERE revision < (SELECT max(revision) FROM gateway_checkpoints)"
        )


async def put_package(connection: Connection, digest: str, data: bytes, at: float) -> None:
    """Keep a code package; of one that is there already only the time is noted."""
    async with transaction(connection):
        known = await connection.execute(
            "UPDATE gateway_packages SET at = greatest(at, %s) WHERE digest = %s", (at, digest)
        )
        if not known.rowcount:
            await connection.execute(
                "INSERT INTO gateway_packages VALUES (%s, %s, %b)"
                " ON CONFLICT (digest)"
                " DO UPDATE SET at = greatest(gateway_packages.at, excluded.at)",
                (digest, at, data),
            )


async def package(connection: Connection, digest: str) -> bytes:
    """A code package.

    Raises:
        PackageNotFound: There is none.
    """
    async with transaction(connection):
        asked = await connection.execute(
            "SELECT data FROM gateway_packages WHERE digest = %s", (digest,), binary=True
        )
        found = await asked.fetchone()
    if found is None:
        raise PackageNotFound(digest)
    return bytes(found[0])


async def retain_packages(connection: Connection, digests: Collection[str], before: float) -> None:
    """Drop every other package that is old enough."""
    async with transaction(connection):
        await connection.execute(
            "DELETE FROM gateway_packages WHERE at < %s AND NOT digest = ANY(%s::text[])",
            (before, list(digests)),
        )
