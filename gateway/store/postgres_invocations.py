"""Asynchronous invocations in PostgreSQL: each belongs to one process of one node.

A node holds a lock as long as it is connected; what has not ended is adopted where nobody holds the
lock of its node any more. An invocation is begun by the node that it belongs to and by no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from psycopg.rows import dict_row

from gateway.store.invocation_tables import text, value
from gateway.store.invocations import (
    KEPT_ROWS,
    KEPT_SECONDS,
    UNENDED,
    Invocation,
    InvocationNotFound,
    Status,
    TooManyInvocations,
)
from gateway.store.postgres_link import Connection, Work
from gateway.store.postgres_schema import APPLICATION, transaction

T = TypeVar("T")
Row = Mapping[str, Any]

_SHORT: Final = """
    request_id, function, qualifier, routing_key, at, status, attempts, retry_at, ended_at, result
"""
_WHOLE: Final = f"""
    SELECT {_SHORT}, event FROM gateway_invocations WHERE request_id = %(request_id)s
"""  # noqa: S608 - the part is a constant of this module
_UNENDED: Final = "SELECT count(*) AS number FROM gateway_invocations WHERE status = 'RUNNING'"
_ADD: Final = """
    INSERT INTO gateway_invocations (
        request_id, function, qualifier, routing_key, event, at, status, attempts, node, owner
    ) VALUES (
        %(request_id)s, %(function)s, %(qualifier)s, %(routing_key)s, %(event)s, %(at)s,
        'RUNNING', 0, %(node)s, %(owner)s
    ) ON CONFLICT (request_id) DO NOTHING
"""
_FORGET_OLD: Final = "DELETE FROM gateway_invocations WHERE status <> 'RUNNING' AND ended_at < %s"
_FORGET_MANY: Final = """
    DELETE FROM gateway_invocations
    WHERE number <= (SELECT max(number) FROM gateway_invocations) - %s AND status <> 'RUNNING'
"""
_NEXT: Final = """
    SELECT attempts + 1 AS attempts FROM gateway_invocations
    WHERE request_id = %(request_id)s AND node = %(node)s AND status = 'RUNNING'
"""
_BEGIN: Final = """
    UPDATE gateway_invocations
    SET attempts = coalesce(%(attempts)s::bigint, attempts), retry_at = NULL
    WHERE request_id = %(request_id)s AND node = %(node)s AND status = 'RUNNING'
    RETURNING request_id, function, qualifier, routing_key, event,
        at, status, attempts, retry_at, ended_at, result
"""
_POSTPONE: Final = """
    UPDATE gateway_invocations
    SET attempts = %(attempts)s, retry_at = %(retry_at)s, result = %(result)s
    WHERE request_id = %(request_id)s AND status = 'RUNNING'
"""
_END: Final = """
    UPDATE gateway_invocations SET
        status = %(status)s, ended_at = %(ended_at)s, result = coalesce(%(result)s, result),
        event = NULL, retry_at = NULL
    WHERE request_id = %(request_id)s AND status = 'RUNNING'
"""
_LISTED: Final = f"""
    SELECT {_SHORT}, NULL AS event FROM gateway_invocations
    WHERE function = %(function)s AND (%(status)s::text IS NULL OR status = %(status)s)
        AND (%(before)s::text IS NULL OR number < (
            SELECT number FROM gateway_invocations WHERE request_id = %(before)s
        ))
    ORDER BY number DESC LIMIT %(most)s
"""  # noqa: S608
_OTHERS: Final = """
    SELECT DISTINCT node FROM gateway_invocations WHERE status = 'RUNNING' AND node <> %s
"""
_OWNERS: Final = """
    SELECT DISTINCT owner FROM gateway_invocations WHERE status = 'RUNNING' AND node = %s
"""
_ADOPT_NODES: Final = """
    UPDATE gateway_invocations SET node = %s, owner = %s
    WHERE status = 'RUNNING' AND node = ANY(%s)
"""
_ADOPT: Final = """
    UPDATE gateway_invocations SET owner = %s
    WHERE status = 'RUNNING' AND node = %s AND owner = ANY(%s)
"""
_OWNED: Final = f"""
    SELECT {_SHORT}, NULL AS event FROM gateway_invocations
    WHERE status = 'RUNNING' AND node = %s AND owner = %s ORDER BY number
"""  # noqa: S608


class Perform(Protocol):
    """Runs work with the connection."""

    async def __call__(self, work: Work[T]) -> T:
        """Run it and give its result."""


async def hold(connection: Connection, node: int) -> None:
    """Be alive, as long as the connection is; one that replaces another may overlap it."""
    await connection.execute("SELECT pg_advisory_lock_shared(%s, %s)", (APPLICATION, node))


class PostgresInvocations:
    """The invocations in the tables of a database.

    Args:
        perform: Runs work with the connection.
        node: Whose invocations are begun here.
    """

    def __init__(self, perform: Perform, node: int) -> None:
        self._perform = perform
        self._node = node

    async def add(self, invocation: Invocation, owner: int) -> None:
        """Accept an invocation; see `Invocations`."""
        row = {**_row(invocation), "node": self._node, "owner": owner}

        async def work(connection: Connection) -> bool:
            async with transaction(connection):
                (found,) = await _rows(connection, _UNENDED)
                if found["number"] >= UNENDED:
                    return False
                await connection.execute(_ADD, row)
                await connection.execute(_FORGET_OLD, (invocation.at - KEPT_SECONDS,))
                await connection.execute(_FORGET_MANY, (KEPT_ROWS,))
            return True

        if not await self._perform(work):
            raise TooManyInvocations(UNENDED)

    async def begin(self, request_id: str) -> Invocation | None:
        """Count an attempt."""
        asked: dict[str, Any] = {"request_id": request_id, "node": self._node}

        async def work(connection: Connection) -> Row | None:
            async with transaction(connection):
                for found in await _rows(connection, _NEXT, asked):
                    asked.setdefault("attempts", found["attempts"])  # done twice, counted once
                begun = await _rows(connection, _BEGIN, {"attempts": None, **asked})
                return begun[0] if begun else None

        row = await self._perform(work)
        return None if row is None else _read(row)

    async def postpone(self, invocation: Invocation) -> None:
        """Note the attempts, the next moment and the last result."""
        await self._altered(_POSTPONE, _row(invocation))

    async def end(
        self, request_id: str, status: Status, at: float, result: Mapping[str, Any] | None = None
    ) -> bool:
        """End an invocation."""
        row = {"request_id": request_id, "status": status, "ended_at": at, "result": _text(result)}
        return await self._altered(_END, row)

    async def get(self, function: str, request_id: str) -> Invocation:
        """One invocation; see `Invocations`."""
        found = await self._found(_WHOLE, {"request_id": request_id})
        if not found or found[0].function != function:
            raise InvocationNotFound(function, request_id)
        return found[0]

    async def listed(
        self, function: str, status: Status | None, before: str | None, limit: int
    ) -> list[Invocation]:
        """Invocations of a function, newest first; see `Invocations`."""
        if before is not None:
            await self.get(function, before)
        asked = {"function": function, "status": status, "before": before, "most": limit}
        return await self._found(_LISTED, asked)

    async def adopt(self, owner: int, alive: Callable[[int], bool]) -> list[Invocation]:
        """Take over what nodes and processes of the past have left.

        Args:
            owner: The process that takes over.
            alive: Whether a process of this node still is.
        """
        node = self._node

        async def work(connection: Connection) -> list[Row]:
            async with transaction(connection):
                gone = [
                    each
                    for each in await _firsts(connection, _OTHERS, node)
                    if await _is_gone(connection, each)
                ]
                await connection.execute(_ADOPT_NODES, (node, owner, gone))
                owners = await _firsts(connection, _OWNERS, node)
                dead = [each for each in owners if each != owner and not alive(each)]
                await connection.execute(_ADOPT, (owner, node, dead))
                return await _rows(connection, _OWNED, (node, owner))

        return [_read(row) for row in await self._perform(work)]

    async def _altered(self, statement: str, row: Row) -> bool:
        async def work(connection: Connection) -> bool:
            async with transaction(connection):
                return (await connection.execute(statement, row)).rowcount == 1

        return await self._perform(work)

    async def _found(self, statement: str, asked: Row) -> list[Invocation]:
        async def work(connection: Connection) -> list[Row]:
            async with transaction(connection):
                return await _rows(connection, statement, asked)

        return [_read(row) for row in await self._perform(work)]


async def _is_gone(connection: Connection, node: int) -> bool:
    """Whether nobody holds a node's lock; until the transaction ends, nobody else finds it so."""
    asked = await connection.execute(
        "SELECT pg_try_advisory_xact_lock(%s, %s)", (APPLICATION, node)
    )
    (gone,) = await asked.fetchone() or (False,)
    return bool(gone)


async def _firsts(connection: Connection, statement: str, asked: int) -> list[int]:
    found = await (await connection.execute(statement, (asked,))).fetchall()
    return [each for (each,) in found]


async def _rows(connection: Connection, statement: str, asked: Any = None) -> list[Row]:  # noqa: ANN401 - what the driver takes
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, asked)
        return list(await cursor.fetchall())


def _row(invocation: Invocation) -> Row:
    return {
        "request_id": invocation.request_id,
        "function": invocation.function,
        "qualifier": invocation.qualifier,
        "routing_key": _text(invocation.routing_key),
        "event": text(invocation.event),
        "at": invocation.at,
        "attempts": invocation.attempts,
        "retry_at": invocation.retry_at,
        "result": _text(invocation.result),
    }


def _text(found: object) -> str | None:
    return None if found is None else text(found)


def _read(row: Row) -> Invocation:
    fields = dict(row)
    for name in ("routing_key", "event", "result"):
        fields[name] = value(fields[name])
    return Invocation(**fields)
