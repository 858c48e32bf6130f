"""Several processes on one state file: they take turns, see each other, and may die at any time."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager, aclosing, suppress
from pathlib import Path
from random import Random
from typing import IO

import pytest

from gateway.core.changes import Batch, PutFunction
from gateway.core.diff import Difference
from gateway.store.protocol import Author, Record
from gateway.store.recovery import recover
from gateway.store.sqlite import SqliteStore

WRITER = """
import asyncio, sys
from gateway.core.changes import Batch, PutFunction
from gateway.core.diff import Difference
from gateway.store.protocol import Author, Record, StaleRevision
from gateway.store.sqlite import SqliteStore

def record(revision, who):
    change = PutFunction(f"fn{revision}", f"{who} {'x' * (revision * 97 % 5000)}")
    parts = tuple(Difference(("functions", f"fn{revision}", str(n)), None, who) for n in range(3))
    return Record(revision, revision / 7, Author(who, ""), change, parts)

async def write(path, who, count):
    sys.stdin.readline()
    store = await SqliteStore.open(path)
    journal = await store.load()
    revision, made = journal.revision + len(journal.tail) + 1, 0
    while made < count:
        if revision % 5 == 0:  # as always: first the code, then the change that names it
            await store.put_package(f"sha256:{revision}", bytes(revision * 1000))
        try:
            await store.commit(record(revision, who))
        except StaleRevision as stale:
            revision = stale.actual + 1
            continue
        print(revision, flush=True)
        if revision % 9 == 0:
            state = tuple(record(n, "x").change for n in range(1, revision + 1))
            await store.checkpoint(revision, Batch(state))
        made, revision = made + 1, revision + 1
    await store.close()

asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


Writer = Callable[[Path, str, int], AbstractContextManager[subprocess.Popen[str]]]
Begin = Callable[..., None]


def told(pipe: IO[str] | None) -> IO[str]:
    """A pipe that is there, as it was asked for."""
    assert pipe is not None
    return pipe


def killed(
    writing: AbstractContextManager[subprocess.Popen[str]], begin: Begin, dice: Random
) -> int:
    """Kill a process in the middle of its work; the last revision that it was sure of."""
    with writing as process:
        begin(process)
        lines = [told(process.stdout).readline() for _ in range(dice.randrange(1, 12))]
        with suppress(subprocess.TimeoutExpired):
            process.wait(dice.random() / 200)
        process.kill()
        lines += told(process.stdout).readlines()
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1])


async def revisions(path: Path) -> tuple[int, list[Record]]:
    """The revision that recovery leads to, and every record."""
    store = await SqliteStore.open(path)
    snapshot = (await recover(store)).snapshot
    records = await store.records(limit=10**6)
    for revision in range(5, snapshot.revision + 1, 5):
        assert len(await store.package(f"sha256:{revision}")) == revision * 1000
    await store.close()
    return snapshot.revision, records[::-1]


def test_a_killed_process_loses_nothing_that_it_was_sure_of(
    tmp_path: Path, writer: Writer, begin: Begin
) -> None:
    """Whenever it is killed: the journal is whole, and goes on where it was."""
    path, dice = tmp_path / "gateway.db", Random(20)
    for _ in range(20):
        sure = killed(writer(path, "killed", 10**9), begin, dice)
        newest, records = asyncio.run(revisions(path))
        assert sure <= newest <= sure + 1
        assert [record.revision for record in records] == list(range(1, newest + 1))
        for record in records:
            change = record.change
            assert isinstance(change, PutFunction)
            assert change.name == f"fn{record.revision}"
            assert len(change.code) == len("killed ") + record.revision * 97 % 5000


def test_writers_of_several_processes_take_turns(
    tmp_path: Path, writer: Writer, begin: Begin
) -> None:
    """On a file that none of them has made yet; no revision is made twice or left out."""
    path = tmp_path / "gateway.db"
    with writer(path, "a", 15) as a, writer(path, "b", 15) as b, writer(path, "c", 15) as c:
        begin(a, b, c)
        made = {
            who: told(process.stdout).read() for who, process in zip("abc", (a, b, c), strict=True)
        }
        assert [process.wait() for process in (a, b, c)] == [0, 0, 0]
    newest, records = asyncio.run(revisions(path))
    assert newest == 45
    for who, lines in made.items():
        assert [r.revision for r in records if r.author.who == who] == list(map(int, lines.split()))


@pytest.mark.parametrize("watchers", [1, 5])
def test_a_watcher_sees_what_another_process_commits(
    watchers: int, tmp_path: Path, writer: Writer, begin: Begin
) -> None:
    """Soon, once, in order."""
    path = tmp_path / "gateway.db"

    async def follow(store: SqliteStore) -> list[int]:
        async with aclosing(store.watch(0)) as watching:
            return [(await anext(watching)).revision for _ in range(12)]

    async def scenario(process: subprocess.Popen[str]) -> list[list[int]]:
        store = await SqliteStore.open(path)
        following = [asyncio.create_task(follow(store)) for _ in range(watchers)]
        await asyncio.sleep(0)
        begin(process)
        seen = await asyncio.gather(*following)
        await store.close()
        return seen

    with writer(path, "other", 12) as process:
        assert asyncio.run(scenario(process)) == [list(range(1, 13))] * watchers


def test_a_store_is_stale_after_the_commit_of_another(tmp_path: Path) -> None:
    """Within one process as between two; each sees what the other did."""
    path = tmp_path / "gateway.db"

    def record(revision: int) -> Record:
        parts = (Difference(("functions", "fn"), None, str(revision)),)
        return Record(revision, 0.0, Author("", ""), PutFunction("fn", str(revision)), parts)

    async def scenario() -> list[object]:
        one, other = await SqliteStore.open(path), await SqliteStore.open(path)
        await one.commit(record(1))
        answers: list[object] = list(
            await asyncio.gather(
                one.commit(record(2)), other.commit(record(2)), return_exceptions=True
            )
        )
        await other.commit(record(3))
        await one.checkpoint(3, Batch((PutFunction("fn", "3"),)))
        assert await one.load() == await other.load()
        assert len(await one.records()) == len(await other.records()) == 3
        await one.close()
        await other.commit(record(4))
        await other.close()
        return answers

    answers = asyncio.run(scenario())
    assert sorted(map(str, answers)) == ["None", "the state is at revision 2, not 1"]
    assert asyncio.run(revisions(path))[0] == 4
