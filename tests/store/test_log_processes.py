"""Several processes on one log: none fails, none waits long, and each may die at any time."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from random import Random
from typing import IO

from gateway.store.logged import Wanted
from gateway.store.sqlite_log import SqliteLog

WRITER = """
import asyncio, sys
from gateway.store.logged import Entry, Origin, Retention
from gateway.store.sqlite_log import SqliteLog

async def write(path, who, count):
    sys.stdin.readline()
    log = await SqliteLog.open(path, Retention(), Origin("host", who))
    for number in range(count):
        entries = [
            Entry(f"{who}-{number}-{n}", 1e9, "http", "dev", "f", "r", "1", "main", 1, 200, "", 0.1)
            for n in range(10)
        ]
        await log.append(entries)
        print(number, "." * 500, flush=True)  # nobody writes far ahead of whoever reads that
    await log.close()

asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


Writer = Callable[[Path, str, int], AbstractContextManager[subprocess.Popen[str]]]
Begin = Callable[..., None]


def told(pipe: IO[str] | None) -> IO[str]:
    """A pipe that is there, as it was asked for."""
    assert pipe is not None
    return pipe


async def batches(path: Path) -> tuple[Counter[str], list[int]]:
    """How many batches of each process there are, all of them whole; and the numbers."""
    log = await SqliteLog.open(path)
    found = await log.find(Wanted(after=0), 10**6)
    await log.close()
    parts = Counter(entry.request_id.rpartition("-")[0] for entry in found)
    assert set(parts.values()) <= {10}
    for entry in found:
        assert entry.process == entry.request_id.partition("-")[0]
    return Counter(part.partition("-")[0] for part in parts), [entry.number for entry in found]


def test_processes_that_begin_together_all_write(
    tmp_path: Path, writer: Writer, begin: Begin
) -> None:
    """Into a file that none of them has made yet."""
    path = tmp_path / "log.db"
    with ExitStack() as stack:
        processes = [stack.enter_context(writer(path, f"p{n}", 40)) for n in range(4)]
        begin(*processes)
        assert [process.wait() for process in processes] == [0] * 4
    counts, numbers = asyncio.run(batches(path))
    assert counts == {f"p{n}": 40 for n in range(4)}
    assert numbers == list(range(1, 1601))


def test_a_killed_process_takes_nothing_with_it(
    tmp_path: Path, writer: Writer, begin: Begin
) -> None:
    """What it was sure of stays, whole; whoever else writes goes on."""
    path, dice = tmp_path / "log.db", Random(8)
    with writer(path, "stays", 10**9) as stays:
        begin(stays)
        for turn in range(5):
            with writer(path, f"dies{turn}", 10**9) as dies:
                begin(dies)
                lines = [told(dies.stdout).readline() for _ in range(dice.randrange(1, 30))]
                went_on = [told(stays.stdout).readline() for _ in range(50)]
                dies.kill()
                lines += [line for line in told(dies.stdout) if line.endswith("\n")]
            counts, numbers = asyncio.run(batches(path))
            sure = int(lines[-1].split()[0]) + 1
            assert counts[f"dies{turn}"] in {sure, sure + 1}
            assert counts["stays"] > int(went_on[-1].split()[0]) >= 50 * turn
            assert numbers == list(range(1, len(numbers) + 1))


def test_what_a_process_writes_is_seen_by_whoever_follows(
    tmp_path: Path, writer: Writer, begin: Begin
) -> None:
    """Soon, once, in order, while others write as well."""
    path = tmp_path / "log.db"

    async def follow(process: subprocess.Popen[str]) -> list[str]:
        log = await SqliteLog.open(path)
        seen: list[str] = []
        last = 0
        with log.following():
            begin(process)
            while len(seen) < 120:
                news = log.news
                found = await log.find(Wanted(after=last), 7)
                seen += [entry.request_id for entry in found]
                last = found[-1].number if found else last
                if not found:
                    await news.wait()
        await log.close()
        return seen

    with writer(path, "w", 12) as process:
        seen = asyncio.run(follow(process))
    assert seen == [f"w-{number}-{n}" for number in range(12) for n in range(10)]
