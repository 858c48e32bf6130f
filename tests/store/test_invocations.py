"""Asynchronous invocations in a store: accepted once, ended once, bounded, and never lost."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store import invocation_tables, postgres_invocations, sqlite_invocations
from gateway.store.invocations import (
    KEPT_SECONDS,
    Invocation,
    InvocationNotFound,
    Invocations,
    Status,
    TooManyInvocations,
)
from gateway.store.protocol import StateUnusable, Store
from gateway.store.schema import STEPS, migrate
from gateway.store.sqlite import SqliteStore

T = TypeVar("T")
Opened = Callable[[], AbstractAsyncContextManager[Store]]

ME, OTHER = 7, 8
NOW = 1e9


def invocation(request_id: str, **fields: Any) -> Invocation:  # noqa: ANN401 - any of its fields
    """One that was just accepted."""
    plain = Invocation(request_id, "orders", "release", {"User": "Bob"}, {"id": 1}, NOW)
    return replace(plain, **fields)


def run(opened: Opened, story: Callable[[Invocations], Awaitable[T]]) -> T:
    """Do something with the invocations of a store."""

    async def scenario() -> T:
        async with opened() as store:
            return await story(store.invocations)

    return asyncio.run(scenario())


async def ids(table: Invocations, **asked: Any) -> list[str]:  # noqa: ANN401 - what `listed` takes
    """The invocations of `orders`, newest first."""
    found = {"status": None, "before": None, "limit": 100, **asked}
    return [each.request_id for each in await table.listed("orders", **found)]


def test_what_was_accepted_is_there(opened: Opened) -> None:
    """Whole, whatever its event and its routing key consist of."""
    odd = invocation("b", routing_key=None, event=["\ud800", "ü", 1.5, None])

    async def story(table: Invocations) -> None:
        await table.add(invocation("a"), ME)
        await table.add(odd, ME)
        assert await table.get("orders", "a") == invocation("a")
        assert await table.get("orders", "b") == odd
        assert await ids(table) == ["b", "a"]

    run(opened, story)


def test_an_attempt_is_counted_before_it_is_made(opened: Opened) -> None:
    """And a postponed one waits with what came of it."""

    async def story(table: Invocations) -> None:
        await table.add(invocation("a"), ME)
        begun = await table.begin("a")
        assert begun == invocation("a", attempts=1)
        waiting = replace(begun, retry_at=NOW + 60, result={"status": 430})
        await table.postpone(waiting)
        assert await table.get("orders", "a") == waiting
        assert await table.begin("a") == replace(waiting, attempts=2, retry_at=None)

    run(opened, story)


def test_an_invocation_ends_once(opened: Opened) -> None:
    """Whoever is second is told so; its event is dropped, and it cannot be begun any more."""

    async def story(table: Invocations) -> None:
        await table.add(invocation("a"), ME)
        assert await table.end("a", "FINISHED", NOW + 1, {"status": 200})
        assert not await table.end("a", "ABORTED", NOW + 2)
        assert await table.begin("a") is None
        ended = replace(invocation("a"), event=None, status="FINISHED", ended_at=NOW + 1)
        await table.postpone(replace(ended, retry_at=NOW, attempts=9, result=None))
        assert await table.get("orders", "a") == replace(ended, result={"status": 200})

    run(opened, story)


def test_the_last_result_stays_where_the_end_brings_none(opened: Opened) -> None:
    """Of one that is aborted while it waits."""

    async def story(table: Invocations) -> None:
        await table.add(invocation("a"), ME)
        await table.postpone(invocation("a", retry_at=NOW + 9, result={"status": 430}))
        assert await table.end("a", "ABORTED", NOW + 1)
        found = await table.get("orders", "a")
        assert (found.status, found.retry_at, found.result) == ("ABORTED", None, {"status": 430})

    run(opened, story)


@pytest.mark.parametrize(
    ("function", "request_id"),
    [pytest.param("orders", "b", id="no such id"), pytest.param("other", "a", id="another's")],
)
def test_an_unknown_invocation_is_named(opened: Opened, function: str, request_id: str) -> None:
    """One of another function is none of this one."""

    async def story(table: Invocations) -> None:
        await table.add(invocation("a"), ME)
        with pytest.raises(InvocationNotFound, match=f"{function!r} .* {request_id!r}"):
            await table.get(function, request_id)
        with pytest.raises(InvocationNotFound):
            await table.listed(function, None, request_id, 10)
        assert not await table.end("b", "ABORTED", NOW)
        assert await table.begin("b") is None

    run(opened, story)


def test_lists_are_of_one_function_and_read_in_pages(opened: Opened) -> None:
    """Newest first, all or those of one status, without events."""

    async def story(table: Invocations) -> None:
        for number in range(6):
            await table.add(invocation(str(number), at=NOW + number), ME)
        await table.add(invocation("x", function="other"), ME)
        await table.end("1", "FAILED", NOW)
        await table.end("4", "FAILED", NOW)
        assert await ids(table) == ["5", "4", "3", "2", "1", "0"]
        assert await ids(table, limit=2) == ["5", "4"]
        assert await ids(table, before="4", limit=2) == ["3", "2"]
        assert await ids(table, status="FAILED") == ["4", "1"]
        assert await ids(table, status="FAILED", before="4") == ["1"]
        assert await ids(table, status="ABORTED") == []
        assert {each.event for each in await table.listed("orders", None, None, 9)} == {None}

    run(opened, story)


def test_what_ended_long_ago_is_forgotten(opened: Opened) -> None:
    """When the next one is accepted; what has not ended stays however old it is."""

    async def story(table: Invocations) -> None:
        for name in ("old", "young", "waiting"):
            await table.add(invocation(name, at=0.0), ME)
        await table.end("old", "FINISHED", NOW - KEPT_SECONDS - 1)
        await table.end("young", "FINISHED", NOW - KEPT_SECONDS + 1)
        await table.add(invocation("new"), ME)
        assert await ids(table) == ["new", "waiting", "young"]

    run(opened, story)


def test_of_many_the_newest_are_kept(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those that have not ended."""
    for kind in (sqlite_invocations, postgres_invocations):
        monkeypatch.setattr(kind, "KEPT_ROWS", 3)

    async def story(table: Invocations) -> None:
        for number in range(6):
            await table.add(invocation(str(number)), ME)
            if number != 1:
                await table.end(str(number), "FINISHED", NOW)
        assert await ids(table) == ["5", "4", "3", "1"]

    run(opened, story)


def test_only_so_many_may_wait(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is refused until another has ended."""
    for kind in (sqlite_invocations, postgres_invocations):
        monkeypatch.setattr(kind, "UNENDED", 2)

    async def story(table: Invocations) -> None:
        await table.add(invocation("a"), ME)
        await table.add(invocation("b", function="other"), ME)
        with pytest.raises(TooManyInvocations, match="2 asynchronous invocations") as refused:
            await table.add(invocation("c"), ME)
        assert refused.value.limit == 2
        await table.end("b", "ABORTED", NOW)
        await table.add(invocation("c"), ME)
        assert await ids(table) == ["c", "a"]

    run(opened, story)


def test_what_a_process_left_is_adopted_by_the_next(opened: Opened) -> None:
    """Oldest first; what a living process has, and what has ended, stays where it is."""

    async def story(table: Invocations) -> None:
        for name, owner in (("a", OTHER), ("b", 9), ("c", ME), ("d", OTHER), ("e", OTHER)):
            await table.add(invocation(name, retry_at=None), owner)
        await table.begin("a")
        await table.end("e", "FINISHED", NOW)
        asked: list[int] = []

        def alive(process: int) -> bool:
            asked.append(process)
            return process == 9

        found = await table.adopt(ME, alive)
        assert [(each.request_id, each.attempts) for each in found] == [
            ("a", 1),
            ("c", 0),
            ("d", 0),
        ]
        assert sorted(asked) == [OTHER, 9]
        assert [each.request_id for each in await table.adopt(9, lambda _: True)] == ["b"]

    run(opened, story)


def test_invocations_survive_their_process(tmp_path: Path) -> None:
    """They are in the file."""
    path = tmp_path / "gateway.db"

    async def scenario() -> Invocation:
        store = await SqliteStore.open(path)
        await store.invocations.add(invocation("a"), ME)
        await store.invocations.begin("a")
        await store.close()
        store = await SqliteStore.open(path)
        try:
            (found,) = await store.invocations.adopt(OTHER, lambda _: False)
            return found
        finally:
            await store.close()

    assert asyncio.run(scenario()) == invocation("a", attempts=1, event=None)


def test_a_closed_store_says_so() -> None:
    """As for everything else."""

    async def scenario() -> None:
        store = await SqliteStore.open(":memory:")
        await store.close()
        with pytest.raises(StateUnusable, match="is closed"):
            await store.invocations.add(invocation("a"), ME)

    asyncio.run(scenario())


class Model:
    """What a store must know, told beside a real one."""

    def __init__(self, table: Invocations) -> None:
        self.known: dict[str, Invocation] = {}
        self._table = table

    def _open(self, name: str) -> Invocation | None:
        known = self.known.get(name)
        return known if known is not None and known.status == "RUNNING" else None

    async def add(self, name: str) -> None:
        """Accept it, unless it was accepted."""
        if name not in self.known:
            self.known[name] = invocation(name)
            await self._table.add(self.known[name], ME)

    async def begin(self, name: str) -> None:
        """Count an attempt."""
        known = self._open(name)
        if known is not None:
            known = self.known[name] = replace(known, attempts=known.attempts + 1, retry_at=None)
        assert await self._table.begin(name) == known

    async def postpone(self, name: str) -> None:
        """Let it wait."""
        known = self._open(name)
        waiting = replace(known or invocation(name), retry_at=NOW, result={"x": 1})
        if known is not None:
            self.known[name] = waiting
        await self._table.postpone(waiting)

    async def end(self, name: str, status: Status) -> None:
        """End it."""
        known = self._open(name)
        if known is not None:
            fields: Any = {"event": None, "retry_at": None, "status": status, "ended_at": NOW}
            self.known[name] = replace(known, **fields)
        assert await self._table.end(name, status, NOW) == (known is not None)

    async def abort(self, name: str) -> None:
        """End it."""
        await self.end(name, "ABORTED")

    async def finish(self, name: str) -> None:
        """End it otherwise."""
        await self.end(name, "FINISHED")


STEPS_OF_A_MODEL = ("add", "begin", "postpone", "abort", "finish")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(STEPS_OF_A_MODEL), st.sampled_from("abc")), max_size=30))
def test_whatever_is_done_an_end_is_final(steps: list[tuple[str, str]]) -> None:
    """Held against a model: what has ended never changes again."""

    async def scenario() -> None:
        store = await SqliteStore.open(":memory:")
        try:
            model = Model(store.invocations)
            for step, name in steps:
                await getattr(model, step)(name)
            for name, expected in model.known.items():
                assert await store.invocations.get("orders", name) == expected
        finally:
            await store.close()

    asyncio.run(scenario())


def test_a_file_from_before_there_were_any_gets_the_table(tmp_path: Path) -> None:
    """And keeps its journal."""
    path = tmp_path / "gateway.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, STEPS[:1])
        connection.execute("INSERT INTO packages VALUES ('d', 0, x'00')")

    async def scenario() -> None:
        store = await SqliteStore.open(path)
        try:
            await store.invocations.add(invocation("a"), ME)
            assert await ids(store.invocations) == ["a"]
            assert await store.package("d") == b"\0"
        finally:
            await store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("value", [None, 0, "", [], {"a": None}, "\udcff"])
def test_a_value_is_read_as_it_was_written(value: object) -> None:
    """Nothing is written for nothing where a column may be empty; an event of null is one."""
    assert invocation_tables.value(invocation_tables.text(value)) == value
    assert invocation_tables.value(None) is None
