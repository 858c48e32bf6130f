"""The invocation log in PostgreSQL beyond the contract: of all nodes, and while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from benchmarks.databases import Database
from gateway.app import Gateway, Setup
from gateway.controlplane import logbook
from gateway.store import postgres_log_tables as tables
from gateway.store import postgres_schema
from gateway.store.log_rows import row_of
from gateway.store.logged import Entry, Origin, Retention, Wanted
from gateway.store.postgres_log import PostgresLog
from gateway.store.protocol import StateAway, StateUnusable

pytestmark = pytest.mark.sockets

STAGES = """
[service]
name = "shop"
[[apis]]
method = "GET"
path = "^~/ping"
mock = { body = "pong" }
[stages.dev]
alias = "release"
"""
ENTRY = Entry("a", 1.0, "http", "dev", "orders", "$LATEST", "1", "main", 1, 200, "", 0.1)


@asynccontextmanager
async def opened(url: str, retention: Retention | None = None) -> AsyncIterator[PostgresLog]:
    """The log as a node opens it."""
    log = await PostgresLog.open(url, retention or Retention(), Origin("host", "main"))
    try:
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def nodes(folder: Path, url: str, *names: str) -> AsyncIterator[list[Gateway]]:
    """Gateways on one database."""
    (folder / "stages.toml").write_text(STAGES)
    made: list[Gateway] = []
    try:
        for name in names:
            state = folder / name / "state.db"
            setup = Setup(folder / "stages.toml", state, database=url, node=name)
            made.append(await Gateway.open(setup))
        yield made
    finally:
        for gateway in made:
            await gateway.close()


async def answered(gateway: Gateway, path: str) -> str:
    """Call the data plane; gives the request id."""
    transport = httpx.ASGITransport(gateway.plane)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get(path)
        assert answer.text == "pong"
        gateway.observer.settle()
        return answer.headers["x-api-requestid"]


async def told(gateway: Gateway, path: str) -> Any:  # noqa: ANN401 - a JSON document
    """Ask the control plane."""
    transport = httpx.ASGITransport(gateway.control)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return (await client.get(path)).json()


def test_what_one_node_answered_every_node_tells(tmp_path: Path, space: str) -> None:
    """With the name of that node, as soon as it is there."""

    async def scenario() -> None:
        async with nodes(tmp_path, space, "a", "b") as (one, other):
            waiting = asyncio.create_task(told(other, "/api/invocations?after=0&wait=30"))
            request_id = await answered(one, "/dev/ping/1")
            found = await told(one, f"/api/invocations/{request_id}")
            assert (found["node"], found["process"], found["path"]) == ("a", "main", "/ping/1")
            assert await told(other, f"/api/invocations/{request_id}") == found
            assert [entry["node"] for entry in (await waiting)["entries"]] == ["a"]
            await answered(other, "/dev/ping/2")
            listed = (await told(other, "/api/invocations"))["entries"]
            assert [entry["node"] for entry in listed] == ["b", "a"]
            assert not (tmp_path / "a" / "state.log.db").exists()
            one.logbook.left_out = 5
            async with asyncio.timeout(60):
                while (await told(other, "/api/invocations?after=99&wait=0.1"))["left_out"] != 5:
                    pass

    asyncio.run(scenario())


def test_entries_wait_while_the_database_is_away(
    tmp_path: Path, own: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as there is room for; requests notice nothing; it is told once."""
    monkeypatch.setattr(logbook, "WAITING", 3)
    monkeypatch.setattr(logbook, "RETRY_SECONDS", 0.05)

    async def scenario() -> None:
        async with nodes(tmp_path, own.space(), "a") as (gateway,):
            book, said = gateway.logbook, list[object]()
            monkeypatch.setattr(book, "_tell", said.append)
            await answered(gateway, "/dev/ping/0")
            await book.flush()
            await asyncio.to_thread(own.stop)
            for number in range(1, 6):
                await answered(gateway, f"/dev/ping/{number}")
                await book.flush()
            assert (await told(gateway, "/api/invocations"))["code"] == "state-unusable"
            assert (len(said), book.left_out) == (1, 2)
            news = book.news
            await asyncio.to_thread(own.start)
            async with asyncio.timeout(60):
                await news.wait()
            listed = await told(gateway, "/api/invocations?after=0")
            paths = [entry["path"] for entry in listed["entries"]]
            assert paths == [f"/ping/{number}" for number in range(4)]
            assert listed["left_out"] == 2

    asyncio.run(scenario())


def test_entries_whose_answer_was_lost_are_written_once(space: str) -> None:
    """They are given again, with others behind them."""

    async def scenario() -> list[str]:
        async with opened(space) as log:
            run, lost = log._link.run, list[object]()

            async def once(work: Any) -> Any:  # noqa: ANN401
                found = await run(work)
                if not lost:
                    lost.append(found)
                    raise StateAway("the answer was lost")
                return found

            async def refuses(work: Any) -> Any:  # noqa: ANN401
                raise StateUnusable(f"the disk is full: {work}")

            log._link.run = once  # type: ignore[method-assign]
            entries = [replace(ENTRY, request_id=name) for name in "abc"]
            with pytest.raises(StateAway):
                await log.append(entries[:1])
            await log.append(entries[:1])
            lost.clear()
            with pytest.raises(StateAway):
                await log.append(entries[1:2])
            await log.append(entries[1:])
            log._link.run = refuses  # type: ignore[method-assign]
            with pytest.raises(StateUnusable):
                await log.append(entries)
            log._link.run = run  # type: ignore[method-assign]
            await log.append([replace(ENTRY, request_id="d")])
            return [entry.request_id for entry in await log.find(Wanted(after=0))]

    assert asyncio.run(scenario()) == ["a", "b", "c", "d"]


def test_one_node_prunes_at_a_time(space: str) -> None:
    """The others leave it to that one, and wait for nothing."""

    async def scenario() -> tuple[int, int]:
        async with opened(space, Retention(10.0)) as log:
            await log.append([ENTRY])
            async with await psycopg.AsyncConnection.connect(space, autocommit=True) as other:
                await other.execute(f"SELECT pg_advisory_lock({tables._PRUNING})".encode())
                await log.prune(1000.0)
                kept = len(await log.find(Wanted()))
                await other.execute(f"SELECT pg_advisory_unlock({tables._PRUNING})".encode())
                await log.prune(1000.0)
                return kept, len(await log.find(Wanted()))

    assert asyncio.run(scenario()) == (1, 0)


def test_numbers_come_up_in_their_order(space: str) -> None:
    """Whoever follows has seen all before the last one that he saw."""

    async def scenario() -> tuple[list[int], list[str]]:
        async with opened(space) as one, opened(space) as two, opened(space) as reader:
            seen: list[Entry] = []

            async def write(log: PostgresLog, name: str) -> None:
                for number in range(25):
                    await log.append([replace(ENTRY, request_id=f"{name}{number}")] * 3)

            async def follow() -> None:
                while len(seen) < 150:
                    last = seen[-1].number if seen else 0
                    seen.extend(await reader.find(Wanted(after=last)))

            await asyncio.gather(write(one, "a"), write(two, "b"), follow())
            return [entry.number for entry in seen], [entry.request_id for entry in seen]

    numbers, ids = asyncio.run(scenario())
    assert numbers == sorted(set(numbers))
    for name in "ab":
        expected = [f"{name}{number}" for number in range(25) for _ in range(3)]
        assert [each for each in ids if each[0] == name] == expected


def test_a_node_that_is_older_than_the_tables_writes_nothing(space: str) -> None:
    """It says so; tables that are older than the node become newer ones."""
    newer = (*postgres_schema.STEPS, ("ALTER TABLE gateway_log ADD COLUMN more text",))

    async def migrate(steps: Any) -> None:  # noqa: ANN401
        async with await psycopg.AsyncConnection.connect(space, autocommit=True) as connection:
            await postgres_schema.migrate(connection, steps)

    async def scenario() -> None:
        await migrate(postgres_schema.STEPS[:1])
        async with opened(space) as log:
            await log.append([ENTRY])
            await migrate(newer)
            for work in (log.append([ENTRY]), log.newest(), log.prune(1e9)):
                with pytest.raises(StateUnusable, match="from a newer program"):
                    await work
        async with await psycopg.AsyncConnection.connect(space, autocommit=True) as connection:
            found = await connection.execute("SELECT count(*) FROM gateway_log")
            assert await found.fetchone() == (1,)

    asyncio.run(scenario())


def test_a_database_that_is_not_there_is_told() -> None:
    """Without its password."""

    async def scenario() -> None:
        await PostgresLog.open("postgresql://u:secret@127.0.0.1:1/x", Retention(), Origin())

    with pytest.raises(StateAway, match="cannot be used") as caught:
        asyncio.run(scenario())
    assert "secret" not in str(caught.value)


def test_the_columns_are_those_that_are_written() -> None:
    """One value for each."""
    assert len(row_of(ENTRY, Origin())) == len(tables._NAMES)
