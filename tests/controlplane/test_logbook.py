"""The logbook: what waits while the log is away, what is counted, and how long all is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest

from gateway.controlplane import logbook
from gateway.controlplane.logbook import Clocks, Logbook
from gateway.store.logged import Entry, Origin, Retention, Wanted
from gateway.store.protocol import StateAway, StateUnusable
from gateway.store.sqlite_log import SqliteLog

ENTRY: Final = Entry("a", 1.0, "http", "dev", "orders", "$LATEST", "1", "main", 1, 200, "", 0.1)
FAILED: Final = replace(ENTRY, status=502, kind="server")


class Told:
    """A logbook on a log that can be made to be away, at a time that stands still."""

    def __init__(self, log: SqliteLog) -> None:
        self.now = 1000.0
        self.away = False
        self.attempts = 0
        self.troubles: list[StateUnusable] = []
        self.log = log
        self._append = log.append
        log.append = self.append  # type: ignore[method-assign]
        self.book = Logbook(log, Clocks(lambda: self.now, lambda: self.now), self.troubles.append)

    @classmethod
    async def open(cls, retention: Retention | None = None) -> Told:
        """With an empty log."""
        return cls(await SqliteLog.open(":memory:", retention or Retention(), Origin()))

    async def append(self, entries: Sequence[Entry]) -> None:
        """Refuses while the log is away."""
        self.attempts += 1
        if self.away:
            raise StateAway("the log is away")
        await self._append(entries)

    def add(self, count: int, entry: Entry = ENTRY) -> None:
        """So many entries."""
        for number in range(count):
            self.book.add(replace(entry, request_id=f"r{number}"))

    async def ids(self) -> list[str]:
        """What is in the log, oldest first."""
        return [entry.request_id for entry in await self.log.find(Wanted(after=0), 10_000)]


def test_entries_wait_while_the_log_is_away() -> None:
    """All of them, in order; it is told once, and again after the log was there."""

    async def scenario() -> None:
        told = await Told.open()
        for turn in range(2):
            told.away = True
            told.add(3)
            for _ in range(3):
                await told.book.flush()
            assert (len(told.troubles), told.book.left_out) == (turn + 1, 0)
            told.away = False
            told.add(2)
            await told.book.flush()
        assert await told.ids() == ["r0", "r1", "r2", "r0", "r1"] * 2
        await told.book.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("entry", [ENTRY, FAILED], ids=["ordinary", "errors"])
def test_more_than_there_is_room_for_is_counted(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is: the bound is one for all."""
    monkeypatch.setattr(logbook, "WAITING", 10)

    async def scenario() -> None:
        told = await Told.open()
        told.away = True
        told.add(25, entry)
        await told.book.flush()
        told.add(5, entry)
        assert told.book.left_out == 20
        told.away = False
        await told.book.flush()
        assert len(await told.ids()) == 10
        await told.book.close()

    asyncio.run(scenario())


def test_a_log_that_was_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself, after a while, and not for each entry that comes."""
    monkeypatch.setattr(logbook, "RETRY_SECONDS", 0.01)

    async def scenario() -> None:
        told = await Told.open()
        told.away = True
        told.add(1)
        await told.book.flush()
        assert told.attempts == 1
        told.add(5)
        told.away = False
        async with asyncio.timeout(20):
            await told.log.news.wait()
        assert len(await told.ids()) == 6
        await told.book.close()

    asyncio.run(scenario())


def test_what_waits_in_the_end_is_counted() -> None:
    """A log that is away keeps nobody from ending."""

    async def scenario() -> None:
        told = await Told.open()
        told.away = True
        told.add(4)
        await told.book.close()
        assert told.book.left_out == 4
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scenario())


def test_none_is_kept_where_none_is_wanted() -> None:
    """Nothing is written or counted, and nothing is held for it."""

    async def scenario() -> None:
        told = await Told.open(Retention(entries=0))
        told.add(3)
        told.book.take([], 7)
        assert told.book.room() == 0
        await told.book.flush()
        assert (await told.ids(), told.book.left_out, told.attempts) == ([], 0, 0)
        await told.book.close()

    asyncio.run(scenario())


def test_what_an_earlier_run_kept_goes_at_the_start_and_as_time_goes_on() -> None:
    """By age, without anything new."""

    async def scenario() -> None:
        told = await Told.open(Retention(seconds=100.0))
        await told.log.append([replace(ENTRY, request_id=f"{at}", at=at) for at in (850, 950, 990)])
        turns, go_on = asyncio.Queue[float](), asyncio.Queue[None]()

        async def pause(seconds: float) -> None:
            await turns.put(seconds)
            await go_on.get()

        running = asyncio.create_task(told.book.run(pause))
        found = []
        for now in (1060.0, 1100.0):
            assert await turns.get() == 60
            found.append(await told.ids())
            told.now = now
            await go_on.put(None)
        await turns.get()
        found.append(await told.ids())
        running.cancel()
        assert found == [["950", "990"], ["990"], []]
        await told.book.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(("most", "kept"), [(50, range(50, 56)), (100_000, range(200, 201))])
def test_too_many_go_as_new_ones_come(most: int, kept: range) -> None:
    """Not more than a tenth are there beyond what is kept."""

    async def scenario() -> None:
        told = await Told.open(Retention(entries=most))
        for _ in range(100):
            told.add(2)
            await told.book.flush()
        assert len(await told.ids()) in kept
        await told.book.close()

    asyncio.run(scenario())
