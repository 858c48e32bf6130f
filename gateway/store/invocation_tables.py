"""What the store asks of its database about asynchronous invocations, one function a promise.

Everything here runs in the one thread that owns the connection, and inside one transaction. Whether
an invocation has ended is settled here alone: by its row, which is `RUNNING` or not.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from gateway.store.schema import transaction

Row = Mapping[str, Any]
"""An invocation as the database keeps it, by column; tables and values are JSON."""

_WHOLE: Final = """
    SELECT request_id, function, qualifier, routing_key, event,
        at, status, attempts, retry_at, ended_at, result
    FROM invocations WHERE request_id = ?
"""
_UNENDED: Final = "SELECT count(*) FROM invocations WHERE status = 'RUNNING'"
_ADD: Final = """
    INSERT INTO invocations (
        request_id, function, qualifier, routing_key, event, at, status, attempts, owner
    ) VALUES (
        :request_id, :function, :qualifier, :routing_key, :event, :at, 'RUNNING', 0, :owner
    )
"""
_FORGET_OLD: Final = "DELETE FROM invocations WHERE status <> 'RUNNING' AND ended_at < ?"
_FORGET_MANY: Final = """
    DELETE FROM invocations
    WHERE number <= (SELECT max(number) FROM invocations) - ? AND status <> 'RUNNING'
"""
_BEGIN: Final = """
    UPDATE invocations SET attempts = attempts + 1, retry_at = NULL
    WHERE request_id = ? AND status = 'RUNNING'
"""
_POSTPONE: Final = """
    UPDATE invocations SET attempts = :attempts, retry_at = :retry_at, result = :result
    WHERE request_id = :request_id AND status = 'RUNNING'
"""
_END: Final = """
    UPDATE invocations SET
        status = :status, ended_at = :ended_at, result = coalesce(:result, result),
        event = NULL, retry_at = NULL
    WHERE request_id = :request_id AND status = 'RUNNING'
"""
_LISTED: Final = """
    SELECT request_id, function, qualifier, routing_key, NULL AS event,
        at, status, attempts, retry_at, ended_at, result
    FROM invocations
    WHERE function = :function AND (:status IS NULL OR status = :status)
        AND (:before IS NULL
            OR number < (SELECT number FROM invocations WHERE request_id = :before))
    ORDER BY number DESC LIMIT :most
"""
_OWNERS: Final = "SELECT DISTINCT owner FROM invocations WHERE status = 'RUNNING'"
_ADOPT: Final = "UPDATE invocations SET owner = ? WHERE status = 'RUNNING' AND owner = ?"
_OWNED: Final = """
    SELECT request_id, function, qualifier, routing_key, NULL AS event,
        at, status, attempts, retry_at, ended_at, result
    FROM invocations WHERE status = 'RUNNING' AND owner = ? ORDER BY number
"""


class Bounds(NamedTuple):
    """How much is kept.

    Attributes:
        since: What ended before is forgotten.
        rows: Of so many rows, the newest ones, those that have ended are kept.
        unended: So many may be unended.
    """

    since: float
    rows: int
    unended: int


def text(value: object) -> str:
    """JSON in ASCII: any text that a user may send has a spelling in it."""
    return json.dumps(value, separators=(",", ":"))


def value(stored: str | None) -> Any:  # noqa: ANN401 - what JSON can say
    """What `text` wrote; nothing for nothing."""
    return None if stored is None else json.loads(stored)


def add(connection: sqlite3.Connection, row: Row, bounds: Bounds) -> bool:
    """Accept an invocation, and forget what is too old or too much; false where too many wait."""
    with transaction(connection, "IMMEDIATE"):
        (unended,) = connection.execute(_UNENDED).fetchone()
        if unended >= bounds.unended:
            return False
        connection.execute(_ADD, row)
        connection.execute(_FORGET_OLD, (bounds.since,))
        connection.execute(_FORGET_MANY, (bounds.rows,))
    return True


def begin(connection: sqlite3.Connection, request_id: str) -> Row | None:
    """Count an attempt of an invocation that has not ended, and give it whole."""
    with transaction(connection, "IMMEDIATE"):
        if not connection.execute(_BEGIN, (request_id,)).rowcount:
            return None
        return _rows(connection.execute(_WHOLE, (request_id,)))[0]


def postpone(connection: sqlite3.Connection, row: Row) -> None:
    """Note when an invocation that has not ended is tried again, and what came of it so far."""
    with transaction(connection, "IMMEDIATE"):
        connection.execute(_POSTPONE, row)


def end(connection: sqlite3.Connection, row: Row) -> bool:
    """End an invocation; false where it has ended, or is not known."""
    with transaction(connection, "IMMEDIATE"):
        return connection.execute(_END, row).rowcount == 1


def get(connection: sqlite3.Connection, function: str, request_id: str) -> Row | None:
    """One invocation of a function."""
    found = _rows(connection.execute(_WHOLE, (request_id,)))
    return found[0] if found and found[0]["function"] == function else None


def listed(connection: sqlite3.Connection, asked: Row) -> list[Row]:
    """Invocations of a function, newest first, without their events."""
    return _rows(connection.execute(_LISTED, asked))


def adopt(connection: sqlite3.Connection, owner: int, alive: Callable[[int], bool]) -> list[Row]:
    """Take over what has not ended and belongs to nobody any more, oldest first."""
    with transaction(connection, "IMMEDIATE"):
        owners = [found for (found,) in connection.execute(_OWNERS)]
        gone = [found for found in owners if found != owner and not alive(found)]
        connection.executemany(_ADOPT, [(owner, each) for each in gone])
        return _rows(connection.execute(_OWNED, (owner,)))


def _rows(found: sqlite3.Cursor) -> list[Row]:
    names = [column[0] for column in found.description]
    return [dict(zip(names, fields, strict=True)) for fields in found]
