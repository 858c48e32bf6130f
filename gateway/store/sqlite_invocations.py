"""Asynchronous invocations in the tables of a state file: each promise is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from gateway.store import invocation_tables as tables
from gateway.store.invocations import (
    KEPT_ROWS,
    KEPT_SECONDS,
    UNENDED,
    Invocation,
    InvocationNotFound,
    Status,
    TooManyInvocations,
)

T = TypeVar("T")


class Perform(Protocol):
    """Runs work in the thread that owns the connection."""

    async def __call__(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run it and give its result."""


class SqliteInvocations:
    """The invocations in the tables of a state file.

    Args:
        perform: Runs work with the connection.
    """

    def __init__(self, perform: Perform) -> None:
        self._perform = perform

    async def add(self, invocation: Invocation, owner: int) -> None:
        """Accept an invocation; see `Invocations`."""
        bounds = tables.Bounds(invocation.at - KEPT_SECONDS, KEPT_ROWS, UNENDED)
        row = {**_row(invocation), "owner": owner}
        if not await self._perform(partial(tables.add, row=row, bounds=bounds)):
            raise TooManyInvocations(UNENDED)

    async def begin(self, request_id: str) -> Invocation | None:
        """Count an attempt."""
        row = await self._perform(partial(tables.begin, request_id=request_id))
        return None if row is None else _read(row)

    async def postpone(self, invocation: Invocation) -> None:
        """Note the attempts, the next moment and the last result."""
        await self._perform(partial(tables.postpone, row=_row(invocation)))

    async def end(
        self, request_id: str, status: Status, at: float, result: Mapping[str, Any] | None = None
    ) -> bool:
        """End an invocation."""
        row = {"request_id": request_id, "status": status, "ended_at": at, "result": _text(result)}
        return await self._perform(partial(tables.end, row=row))

    async def get(self, function: str, request_id: str) -> Invocation:
        """One invocation; see `Invocations`."""
        row = await self._perform(
            partial(tables.get, function=function, request_id=request_id),
        )
        if row is None:
            raise InvocationNotFound(function, request_id)
        return _read(row)

    async def listed(
        self, function: str, status: Status | None, before: str | None, limit: int
    ) -> list[Invocation]:
        """Invocations of a function, newest first; see `Invocations`."""
        if before is not None:
            await self.get(function, before)
        asked = {"function": function, "status": status, "before": before, "most": limit}
        return [_read(row) for row in await self._perform(partial(tables.listed, asked=asked))]

    async def adopt(self, owner: int, alive: Callable[[int], bool]) -> list[Invocation]:
        """Take over what a process of the past has left."""
        rows = await self._perform(partial(tables.adopt, owner=owner, alive=alive))
        return [_read(row) for row in rows]


def _row(invocation: Invocation) -> tables.Row:
    return {
        "request_id": invocation.request_id,
        "function": invocation.function,
        "qualifier": invocation.qualifier,
        "routing_key": _text(invocation.routing_key),
        "event": tables.text(invocation.event),
        "at": invocation.at,
        "attempts": invocation.attempts,
        "retry_at": invocation.retry_at,
        "result": _text(invocation.result),
    }


def _text(value: object) -> str | None:
    return None if value is None else tables.text(value)


def _read(row: tables.Row) -> Invocation:
    fields = dict(row)
    for name in ("routing_key", "event", "result"):
        fields[name] = tables.value(fields[name])
    return Invocation(**fields)
