"""The tables of the state in PostgreSQL, and every step by which older ones become newer ones.

Steps are only ever added. Every transaction reads how many steps the tables went through and holds
that until its end, so that nobody migrates under a writer, and a node that is older than the tables
writes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from gateway.store.postgres_link import Connection
from gateway.store.records import Damaged

APPLICATION: Final = 0x67777374
"""Our number among the locks that programs agree on: `gwst`."""

STEPS: Final[Sequence[Sequence[str]]] = (
    (
        """CREATE TABLE gateway_records (
            revision bigint PRIMARY KEY,
            at double precision NOT NULL,
            author text NOT NULL,
            restores bigint,
            change text NOT NULL,
            differences text NOT NULL,
            declared text,
            checksum bigint NOT NULL,
            mark text NOT NULL
        )""",
        """CREATE INDEX gateway_records_declared ON gateway_records (revision)
            WHERE declared IS NOT NULL""",
        """CREATE TABLE gateway_altered (
            path text COLLATE "C" NOT NULL,
            revision bigint NOT NULL REFERENCES gateway_records,
            PRIMARY KEY (path, revision)
        )""",
        """CREATE TABLE gateway_checkpoints (
            revision bigint PRIMARY KEY,
            state text NOT NULL,
            checksum bigint NOT NULL
        )""",
        """CREATE TABLE gateway_packages (
            digest text PRIMARY KEY,
            at double precision NOT NULL,
            data bytea NOT NULL
        )""",
        # Packages are packed already; to try it again would only take time.
        "ALTER TABLE gateway_packages ALTER COLUMN data SET STORAGE EXTERNAL",
        """CREATE TABLE gateway_invocations (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            request_id text NOT NULL UNIQUE,
            function text NOT NULL,
            qualifier text NOT NULL,
            routing_key text,
            event text,
            at double precision NOT NULL,
            status text NOT NULL,
            attempts bigint NOT NULL,
            retry_at double precision,
            ended_at double precision,
            result text,
            node bigint NOT NULL,
            owner bigint NOT NULL
        )""",
        "CREATE INDEX gateway_invocations_function ON gateway_invocations (function, number)",
        """CREATE INDEX gateway_invocations_running ON gateway_invocations (node, owner)
            WHERE status = 'RUNNING'""",
        """CREATE INDEX gateway_invocations_ended ON gateway_invocations (ended_at)
            WHERE status <> 'RUNNING'""",
    ),
    (
        # Who wrote an entry, and the how many-th of his: none is written twice.
        """CREATE TABLE gateway_log (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            writer bigint NOT NULL,
            sequence bigint NOT NULL,
            request_id text NOT NULL,
            at double precision NOT NULL,
            stage text NOT NULL,
            function text NOT NULL,
            qualifier text NOT NULL,
            version text NOT NULL,
            reason text NOT NULL,
            status bigint NOT NULL,
            kind text NOT NULL,
            seconds double precision NOT NULL,
            detail text NOT NULL,
            searched text NOT NULL,
            UNIQUE (writer, sequence)
        )""",
        "CREATE INDEX gateway_log_id ON gateway_log (request_id)",
        "CREATE INDEX gateway_log_function ON gateway_log (function, number)",
        "CREATE INDEX gateway_log_kind ON gateway_log (number) WHERE kind <> ''",
        "CREATE INDEX gateway_log_at ON gateway_log (at)",
    ),
    (
        """CREATE TABLE gateway_words (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL DEFAULT clock_timestamp(),
            sender text NOT NULL,
            word bytea NOT NULL
        )""",
        "ALTER TABLE gateway_words ALTER COLUMN word SET STORAGE EXTERNAL",
        "CREATE INDEX gateway_words_sender ON gateway_words (sender, number)",
    ),
)

_VERSION: Final = "SELECT version FROM gateway_schema"


@asynccontextmanager
async def transaction(connection: Connection, *, still: bool = False) -> AsyncIterator[None]:
    """All of it or nothing, on tables that this program knows.

    Args:
        connection: One that is in no transaction.
        still: Whether all statements see the state of one moment.

    Raises:
        Damaged: The tables are a newer program's.
    """
    async with connection.transaction():
        if still:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        _refuse_newer(await _version(connection), len(STEPS))
        yield


async def migrate(connection: Connection, steps: Sequence[Sequence[str]] = STEPS) -> None:
    """Take tables that are ours, or not there yet, through the steps that they have not seen.

    All steps or none; of nodes that start at the same time one does it and the others wait.

    Raises:
        Damaged: The tables are a newer program's.
    """
    if await _exists(connection) and await _version(connection) == len(steps):
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (APPLICATION,))
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS gateway_schema (version bigint NOT NULL)"
        )
        # Whoever reads the version in a transaction holds this up, and is held up by it.
        await connection.execute("LOCK TABLE gateway_schema IN ACCESS EXCLUSIVE MODE")
        version = await _version(connection)
        _refuse_newer(version, len(steps))
        for step in steps[version:]:
            for statement in step:
                await connection.execute(statement)
        await connection.execute("DELETE FROM gateway_schema")
        await connection.execute("INSERT INTO gateway_schema VALUES (%s)", (len(steps),))


async def _exists(connection: Connection) -> bool:
    found = await connection.execute("SELECT to_regclass('gateway_schema') IS NOT NULL")
    (there,) = await found.fetchone() or (False,)
    return bool(there)


async def _version(connection: Connection) -> int:
    row = await (await connection.execute(_VERSION)).fetchone()
    return 0 if row is None else int(row[0])


def _refuse_newer(version: int, known: int) -> None:
    if version > known:
        raise Damaged(f"it has schema {version}, from a newer program; this one knows {known}")
