"""What the invocation log asks of PostgreSQL, one function for each promise of the protocol.

Each does no harm where it is done twice. Whoever adds entries has the turn until they are there:
numbers come up in their order, and who follows the log leaves none out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from gateway.store.log_rows import COLUMNS, row_of, terms, writable
from gateway.store.logged import Entry, Origin, Wanted
from gateway.store.postgres_link import Connection
from gateway.store.postgres_schema import APPLICATION, STEPS, transaction
from gateway.store.postgres_turn import STATE

PRUNED: Final = 2000
"""How many entries are removed at once; others write between two times."""

_PRUNING: Final = f"{APPLICATION + 4}, {STATE}"
_WRITING: Final = f"{APPLICATION + 5}, {STATE}"
_TYPES: Final = {"at": "double precision", "status": "bigint", "seconds": "double precision"}
_NAMES: Final = (*COLUMNS, "detail", "searched")
_VALUES: Final = ", ".join(
    f"(told->>{place})::{_TYPES.get(name, 'text')}" for place, name in enumerate(_NAMES)
)
# One statement is over, and the turn with it, also when its node is stopped in the middle of work.
_APPEND: Final = f"""
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock({_WRITING}))
    INSERT INTO gateway_log (writer, sequence, {", ".join(_NAMES)})
    SELECT %s::bigint, %s::bigint + place, {_VALUES}
    FROM turn, gateway_schema,
        json_array_elements(%s::json) WITH ORDINALITY AS every(told, place)
    WHERE gateway_schema.version <= %s ORDER BY place
    ON CONFLICT (writer, sequence) DO NOTHING
"""  # noqa: S608 - our own names
_SELECT: Final = f"SELECT number, {', '.join(COLUMNS)}, detail FROM gateway_log"  # noqa: S608
_OLD: Final = """
    DELETE FROM gateway_log
    WHERE number IN (SELECT number FROM gateway_log WHERE at < %s ORDER BY at LIMIT %s)
"""
_MANY: Final = """
    DELETE FROM gateway_log
    WHERE number IN (SELECT number FROM gateway_log ORDER BY number DESC OFFSET %s LIMIT %s)
"""


def packed(entries: Sequence[Entry], origin: Origin) -> str:
    """Entries of one origin as `append` takes them."""
    return json.dumps([row_of(entry, origin) for entry in entries])


async def append(connection: Connection, writer: int, before: int, rows: str) -> None:
    """Add entries.

    Args:
        connection: To the database.
        writer: Whose they are.
        before: How many of his were written before: those that are there already stay.
        rows: What `packed` makes of them.

    Raises:
        Damaged: The tables are a newer program's.
    """
    added = await connection.execute(_APPEND, (writer, before, rows, len(STEPS)))
    if not added.rowcount:  # they are there already, or the tables are not ours
        async with transaction(connection):
            pass


async def find(connection: Connection, wanted: Wanted, limit: int) -> list[Sequence[Any]]:
    """The rows of entries, newest first; with `after`, oldest first."""
    found = dict(terms(wanted, "strpos(searched, ?) > 0"))
    values = [value for given in found.values() for value in given]
    where = f" WHERE {' AND '.join(found)}".replace("?", "%s") if found else ""
    order = "ASC" if wanted.after is not None else "DESC"
    query = f"{_SELECT}{where} ORDER BY number {order} LIMIT %s"
    return await _rows(connection, query, (*values, limit))


async def get(connection: Connection, request_id: str) -> list[Sequence[Any]]:
    """The row of the newest entry of a request id, if there is one."""
    query = f"{_SELECT} WHERE request_id = %s ORDER BY number DESC LIMIT 1"
    return await _rows(connection, query, (writable(request_id),))


async def newest(connection: Connection) -> int:
    """The number of the newest entry."""
    ((number,),) = await _rows(connection, "SELECT coalesce(max(number), 0) FROM gateway_log", ())
    return int(number)


async def prune(connection: Connection, before: float, most: int) -> bool:
    """Remove some of what came before a time, and of what is more than so many.

    Returns:
        Whether there may be more of it; not where another node removes it just now.
    """
    async with transaction(connection):
        lock = f"SELECT pg_try_advisory_xact_lock({_PRUNING})"
        ((mine,),) = await _rows(connection, lock, ())
        if not mine:
            return False
        removed = [
            (await connection.execute(statement, (bound, PRUNED))).rowcount
            for statement, bound in ((_OLD, before), (_MANY, most))
        ]
    return max(removed) == PRUNED


async def _rows(
    connection: Connection, query: str, values: Sequence[object]
) -> list[Sequence[Any]]:
    async with transaction(connection):
        return await (await connection.execute(query, values)).fetchall()
