"""The exchange of each kind: every word reaches every other process, in order, and old ones go."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.databases import Database
from gateway.store import exchange_file, postgres_exchange, postgres_schema
from gateway.store.exchange import PAGE, Exchange
from gateway.store.exchange_file import FileExchange
from gateway.store.postgres import PostgresStore
from gateway.store.postgres_exchange import PostgresExchange
from gateway.store.protocol import StateAway, StateUnusable

Make = Callable[[str], Exchange]


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.sockets)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes the exchange of each kind for one sender."""
    if request.param == "file":
        return lambda sender: FileExchange(tmp_path / "state" / "gateway.seen.db", sender)
    url = request.getfixturevalue("space")
    run(_migrated(url))
    return lambda sender: PostgresExchange(url, sender)


async def _migrated(url: str) -> None:
    await (await PostgresStore.open(url)).close()


def run(work: Coroutine[Any, Any, None]) -> None:
    """What a test does."""
    asyncio.run(work)


@asynccontextmanager
async def several(make: Make, *senders: str) -> AsyncIterator[list[Exchange]]:
    """The exchange as several processes have it."""
    found = [make(sender) for sender in senders]
    try:
        yield found
    finally:
        for each in found:
            await each.close()


def test_words_reach_the_others_once_and_in_order(make: Make) -> None:
    """Not their sender; whoever comes late reads from the beginning."""

    async def scenario() -> None:
        async with several(make, "a", "b", "c") as (a, b, c):
            assert await a.news() == []
            await a.publish(b"a1")
            await b.publish(b"b1")
            await a.publish(bytes(range(256)))
            assert await b.news() == [b"a1", bytes(range(256))]
            assert await b.news() == []
            await a.publish(b"a3")
            assert await b.news() == [b"a3"]
            assert await a.news() == [b"b1"]
            assert await c.news() == [b"a1", b"b1", bytes(range(256)), b"a3"]

    run(scenario())


def test_many_words_come_page_by_page(make: Make) -> None:
    """None is missing between two pages."""

    async def scenario() -> None:
        async with several(make, "a", "b") as (a, b):
            for number in range(PAGE + 3):
                await a.publish(str(number).encode())
            words = [await b.news(), await b.news(), await b.news()]
            assert [len(each) for each in words] == [PAGE, 3, 0]
            assert [int(word) for each in words for word in each] == list(range(PAGE + 3))

    run(scenario())


def test_the_last_word_of_each(make: Make) -> None:
    """Of the others alone."""

    async def scenario() -> None:
        async with several(make, "a", "b", "c") as (a, b, c):
            assert await a.latest() == []
            for word in (b"1", b"2", b"3"):
                await a.publish(b"a" + word)
                await b.publish(b"b" + word)
            assert sorted(await c.latest()) == [b"a3", b"b3"]
            assert await a.latest() == [b"b3"]

    run(scenario())


def test_old_words_go(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """And only those; numbers go on where they were."""

    async def scenario() -> None:
        async with several(make, "a", "b", "c") as (a, b, c):
            await a.publish(b"old")
            assert await b.news() == [b"old"]
            await a.prune()
            assert await c.latest() == [b"old"]
            for module in (exchange_file, postgres_exchange):
                monkeypatch.setattr(module, "KEPT_SECONDS", -60.0)
            await a.prune()
            assert await c.news() == []
            await a.publish(b"new")
            assert await b.news() == await c.news() == [b"new"]

    run(scenario())


def test_a_closed_exchange_says_so(make: Make) -> None:
    """And is closed once more without harm."""

    async def scenario() -> None:
        async with several(make, "a") as (a,):
            await a.publish(b"1")
            await a.close()
            with pytest.raises(StateUnusable, match=r"the (exchange|state) .* is closed"):
                await a.publish(b"2")

    run(scenario())


def test_a_place_where_none_can_be_is_told(tmp_path: Path) -> None:
    """When it is used; making it asks nothing of the disk."""
    (tmp_path / "state").touch()

    async def scenario() -> None:
        exchange = FileExchange(tmp_path / "state" / "gateway.seen.db", "a")
        with pytest.raises(StateUnusable, match=r"^the exchange .* cannot be used"):
            await exchange.publish(b"1")
        await exchange.close()

    run(scenario())


def test_a_damaged_file_begins_anew(tmp_path: Path) -> None:
    """Whoever had read the old one reads the new one from its beginning."""
    path = tmp_path / "gateway.seen.db"

    async def scenario() -> None:
        async with several(lambda sender: FileExchange(path, sender), "a", "b") as (a, b):
            for _ in range(5):
                await a.publish(b"old")
            assert len(await b.news()) == 5
            await a.close()
            await b.close()
        path.write_bytes(b"no database at all, and long enough to be taken for one" * 100)
        async with several(lambda sender: FileExchange(path, sender), "a", "b") as (a, b):
            await a.publish(b"new")
            assert await b.news() == [b"new"]

    run(scenario())


def test_a_file_that_was_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    """The reader's place in the old one means nothing in the new one."""
    path = tmp_path / "gateway.seen.db"

    async def scenario() -> None:
        async with several(lambda sender: FileExchange(path, sender), "a", "b") as (a, b):
            for _ in range(5):
                await a.publish(b"old")
            assert len(await b.news()) == 5
            loop = asyncio.get_running_loop()
            for each in (a, b):
                assert isinstance(each, FileExchange)
                await loop.run_in_executor(each._worker, each._file.close)
            path.unlink()
            await a.publish(b"new")
            assert await b.news() == [b"new"]

    run(scenario())


WRITER = """
import asyncio, sys
from pathlib import Path
from gateway.store.exchange_file import FileExchange

async def write(path, sender):
    exchange, number = FileExchange(Path(path), sender), 0
    while True:
        await exchange.publish(f"{sender} {number}".encode())
        print(number, flush=True)
        number += 1

asyncio.run(write(*sys.argv[1:]))
"""


def test_processes_that_are_killed_lose_no_word_that_they_were_sure_of(tmp_path: Path) -> None:
    """Two write at the same time, each is killed in the middle; what is read has no gaps."""
    path, sure = tmp_path / "gateway.seen.db", {}
    pipe = subprocess.PIPE
    commands = {name: [sys.executable, "-c", WRITER, str(path), name] for name in ("a", "b")}
    with (
        subprocess.Popen(commands["a"], stdout=pipe, text=True) as a,
        subprocess.Popen(commands["b"], stdout=pipe, text=True) as b,
    ):
        for name, process in (("a", a), ("b", b)):
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(40)]
            process.kill()
            lines += process.stdout.readlines()
            sure[name] = int([line for line in lines if line.endswith("\n")][-1])

    async def read() -> list[bytes]:
        words = []
        async with several(lambda sender: FileExchange(path, sender), "reader") as (reader,):
            while found := await reader.news():
                words += found
            await reader.publish(b"the file is whole")
        return words

    words = asyncio.run(read())
    for name, last in sure.items():
        numbers = [int(word.split()[1]) for word in words if word.startswith(name.encode())]
        assert numbers == list(range(len(numbers)))
        assert last <= numbers[-1] <= last + 1


@pytest.mark.sockets
def test_an_older_node_leaves_no_words_in_newer_tables(space: str) -> None:
    """Nor does it read any; it says what it knows and what is there."""

    async def scenario() -> None:
        await _migrated(space)
        store = await PostgresStore.open(space)
        newer = [*postgres_schema.STEPS, ("SELECT 1",)]
        await store._link.run(lambda found: postgres_schema.migrate(found, newer))
        await store.close()
        async with several(lambda sender: PostgresExchange(space, sender), "a") as (a,):
            expected = f"it has schema {len(newer)}, from a newer program; this one knows"
            for ask in (a.news, a.latest, a.prune, lambda: a.publish(b"1")):
                with pytest.raises(StateUnusable, match=expected):
                    await ask()

    run(scenario())


@pytest.mark.sockets
def test_a_database_that_is_away_is_told_and_found_again(own: Database) -> None:
    """What was read before is not read again."""
    url = own.space()

    async def scenario() -> None:
        await _migrated(url)
        async with several(lambda sender: PostgresExchange(url, sender), "a", "b") as (a, b):
            await a.publish(b"before")
            assert await b.news() == [b"before"]
            await asyncio.to_thread(own.stop)
            with pytest.raises(StateAway):
                await a.publish(b"lost")
            await asyncio.to_thread(own.start)
            while True:
                try:
                    await a.publish(b"after")
                    assert await b.news() == [b"after"]
                    break
                except StateAway:
                    await asyncio.sleep(0.05)

    run(scenario())
