"""What processes tell each other: soon, once, whole in the end, and through any trouble in between.

The exchange is the real one, in a file; only time stands still.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.controlplane import peers_talk
from gateway.controlplane.logbook import Clocks
from gateway.controlplane.peers import GONE, Peers
from gateway.controlplane.peers_talk import BEAT, PRUNED, SILENT, WHOLE, Talk
from gateway.observe import Label, Observer
from gateway.observe.batch import Batch, Gauges, Sender, read_batch
from gateway.store.exchange import PAGE
from gateway.store.exchange_file import FileExchange
from gateway.store.protocol import StateUnusable

LABEL = Label("release", "orders", "release", "1", "main")
OTHER = Label("release", "orders", "release", "2", "weight")


@dataclass
class Asked:
    """A request as the observer sees one."""

    began: float = 0.0
    id: str = "a"
    method: str = "GET"
    path: str = "/"
    query_string: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Flaky(FileExchange):
    """The exchange in a file, which can be made to fail before or after it did what was asked."""

    failing = ""

    async def publish(self, word: bytes) -> None:
        if self.failing == "before":
            raise StateUnusable("it is away")
        await super().publish(word)
        if self.failing == "after":
            raise StateUnusable("it is away, and whether the word was left is not known")


class Process:
    """One of several on one machine."""

    def __init__(self, path: Path, name: str, *, at: float = 20.0, listens: bool = True) -> None:
        self.now = at
        self.revision = 7
        self.observer = Observer(lambda: self.now)
        clocks = Clocks(lambda: self.now + 990.0, lambda: self.now)
        sender = Sender("here", name, 77, 990.0 + at)
        self.peers = Peers(
            self.observer, clocks, sender, lambda: Gauges(self.revision), lambda: self.activity
        )
        self.activity: dict[tuple[str, str], tuple[int, int]] = {}
        self.exchange = Flaky(path / "gateway.seen.db", f"{sender}")
        self.told: list[tuple[str, str]] = []
        self.talk = Talk(
            self.peers,
            self.observer,
            self.exchange,
            lambda error, where: self.told.append((str(error), where)),
            listens=listens,
        )

    def answer(self, times: int, label: Label = LABEL) -> None:
        """Answers of this process."""
        for _ in range(times):
            self.observer.note(self.observer.cell(label), 200, Asked(self.now - 0.01), 7)

    def seen(self) -> tuple[int, int]:
        """What it sees of all: in the counters, and in the course over time."""
        series = self.observer.series
        course = sum(series.whole(label).requests for label in series.labels())
        return self.peers.counters().total(), course


Make = Callable[..., Process]


@asynccontextmanager
async def processes(path: Path) -> AsyncIterator[Make]:
    """Makes processes that share a state; they let go of everything in the end."""
    made: list[Process] = []

    def make(name: str, **more: Any) -> Process:  # noqa: ANN401 - what `Process` takes
        made.append(Process(path, name, **more))
        return made[-1]

    try:
        yield make
    finally:
        for each in made:
            await each.exchange.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    """What a test does."""
    asyncio.run(work)


async def words(path: Path) -> list[Batch]:
    """Every word that was left."""
    reader, found = FileExchange(path / "gateway.seen.db", "reader"), []
    while page := await reader.news():
        found += [read_batch(word) for word in page]
    await reader.close()
    return found


def test_each_sees_what_all_have_answered(tmp_path: Path) -> None:
    """One that only tells keeps nothing of the others."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            control, one, two = make("control"), make("worker-1", listens=False), make("worker-2")
            one.answer(3)
            two.answer(2)
            two.answer(1, OTHER)
            for each in (one, two, control, two):
                await each.talk.turn()
            assert control.seen() == two.seen() == (6, 6)
            assert one.seen() == (3, 3)
            assert [each.sender.process for each in control.peers.processes()] == [
                "control", "worker-1", "worker-2",
            ]  # fmt: skip

    run(scenario())


def test_it_tells_what_is_new_and_now_and_then_that_it_is_there(tmp_path: Path) -> None:
    """All counts each so many-th time, whatever changed; else only those that did."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one = make("worker-1")
            one.answer(1)
            one.answer(1, OTHER)
            await one.talk.turn()
            for _ in range(SILENT):
                await one.talk.turn()
            one.answer(1)
            await one.talk.turn()
            one.activity["orders", "1"] = 1, 1
            await one.talk.turn()
            one.revision = 8
            await one.talk.turn()
        first, silent, changed, active, moved = await words(tmp_path)
        assert [counted.label for counted in first.counts] == [LABEL, OTHER]
        assert silent[6:] == ((), (), ())
        assert [counted.statuses for counted in changed.counts] == [{200: 2}]
        assert [(a.function, a.running) for a in active.activity] == [("orders", 1)]
        assert (moved.gauges.revision, moved.counts, moved.activity) == (8, (), ())
        assert [each.number for each in (first, silent, changed, active, moved)] == [1, 2, 3, 4, 5]

    run(scenario())


def test_now_and_then_all_counts_are_told(tmp_path: Path) -> None:
    """Whoever comes late, when older words are forgotten, has them soon."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one = make("worker-1")
            one.answer(1, OTHER)
            for _ in range(WHOLE + 1):
                one.answer(1)
                await one.talk.turn()
        found = await words(tmp_path)
        whole = [each.number for each in found if len(each.counts) == 2]
        assert whole == [1, WHOLE + 1]

    run(scenario())


@pytest.mark.parametrize("failing", ["before", "after"])
def test_trouble_costs_nothing_and_is_told_once(tmp_path: Path, failing: str) -> None:
    """Also when a word was left and nobody could say so: it comes again and counts once."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one, two = make("worker-1"), make("worker-2")
            await one.talk.turn()
            await two.talk.turn()
            one.exchange.failing = failing
            for second in range(5):
                one.now += second
                one.answer(2)
                await one.talk.turn()
                await two.talk.turn()
            assert len(one.told) == 1
            assert one.told[0][0].startswith("it is away")
            assert one.told[0][1] == one.exchange.name
            one.exchange.failing = ""
            await one.talk.turn()
            two.now = one.now
            await two.talk.turn()
            assert two.seen() == (10, 10)
            one.exchange.failing = failing
            await one.talk.turn()
            one.answer(1)
            await one.talk.turn()
            assert len(one.told) == 2

    run(scenario())


def test_what_waits_has_a_bound_and_what_is_beyond_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts have it all the same."""
    monkeypatch.setattr(peers_talk, "WAITING", 3)

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one, two = make("worker-1"), make("worker-2", at=25.0)
            one.exchange.failing = "before"
            await one.talk.turn()
            for _ in range(5):
                one.now += 1
                one.answer(2)
                await one.talk.turn()
            one.answer(1)
            one.exchange.failing = ""
            await one.talk.turn()
            await two.talk.turn()
            assert two.seen() == (11, 6)
            assert two.peers.dropped() == 5

    run(scenario())


def test_the_end_tells_everything(tmp_path: Path) -> None:
    """Whoever looks knows that it has ended, and not only that it is silent."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one, two = make("worker-1"), make("worker-2")
            one.answer(1)
            await one.talk.turn()
            await two.talk.turn()
            one.answer(2, OTHER)
            await one.talk.close()
            await two.talk.turn()
            assert two.seen() == (3, 3)
            (gone, _) = two.peers.processes()
            assert two.peers.is_gone(gone)

    run(scenario())


def test_who_ends_last_has_heard_what_the_others_said_last(tmp_path: Path) -> None:
    """So that what is told in the end is all of it."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            control, worker = make("control"), make("worker-1", listens=False)
            for each in (worker, control):
                await each.talk.turn()
            worker.answer(3)
            worker.observer.settle()
            worker.answer(4)
            await worker.talk.close()
            await control.talk.close()
            assert control.seen() == (7, 7)

    run(scenario())


def test_the_end_does_not_wait_for_an_exchange_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails, or gives no answer at all."""
    monkeypatch.setattr(peers_talk, "LAST_SECONDS", 0.01)

    async def never(_word: bytes) -> None:
        await asyncio.Event().wait()

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one, two = make("worker-1"), make("worker-2")
            one.exchange.failing = "before"
            await one.talk.close()
            two.exchange.publish = never  # type: ignore[assignment,method-assign]
            await two.talk.close()

    run(scenario())


def test_who_comes_later_sees_those_who_are_there_and_not_those_who_were(tmp_path: Path) -> None:
    """What a gateway did before it was restarted is not told as its own."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            ended, silent, there = make("worker-1"), make("worker-2"), make("worker-3")
            for each, times in ((ended, 1), (silent, 10), (there, 100)):
                each.answer(times)
                await each.talk.turn()
            await ended.talk.close()
            there.now += GONE + 1
            there.answer(100)
            await there.talk.turn()
            late = make("control", at=there.now)
            await late.talk.turn()
            assert late.seen() == (200, 200)
            silent.now = late.now
            silent.answer(10)
            await silent.talk.turn()
            await late.talk.turn()
            assert late.seen() == (220, 210)

    run(scenario())


def test_many_words_are_heard_at_once(tmp_path: Path) -> None:
    """However many pages they fill."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one, two = make("worker-1"), make("worker-2")
            for _ in range(2 * PAGE):
                one.answer(1)
                await one.talk.turn()
            await two.talk.turn()
            assert two.seen() == (2 * PAGE, 2 * PAGE)

    run(scenario())


def test_words_of_other_programs_are_told_once_and_harm_nothing(tmp_path: Path) -> None:
    """Such as those of a newer one, while nodes are upgraded one after the other."""

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one, two = make("worker-1"), make("worker-2")
            await one.exchange.publish(b"9 from the future")
            one.answer(3)
            await one.talk.turn()
            await one.exchange.publish(b"9 again")
            await two.talk.turn()
            await two.talk.turn()
            assert two.seen() == (3, 3)
            ((said, where),) = two.told
            assert "what this one does not understand: its format is b'9'" in said
            assert where == two.exchange.name

    run(scenario())


def test_it_tidies_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then."""
    monkeypatch.setattr("gateway.store.exchange_file.KEPT_SECONDS", -60.0)

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one, two = make("worker-1"), make("worker-2")
            await one.talk.turn()
            for _ in range(PRUNED - 1):
                await two.talk.turn()
        before = {each.sender.process for each in await words(tmp_path)}
        assert before == {"worker-1", "worker-2"}
        async with processes(tmp_path) as make:
            three = make("worker-3")
            for _ in range(PRUNED):
                await three.talk.turn()
        assert await words(tmp_path) == []

    run(scenario())


def test_it_talks_again_and_again_until_cancelled(tmp_path: Path) -> None:
    """The pause is an argument."""
    pauses: list[float] = []

    async def scenario() -> None:
        async with processes(tmp_path) as make:
            one = make("worker-1")

            async def pause(seconds: float) -> None:
                pauses.append(seconds)
                one.answer(1)
                if len(pauses) == 3:
                    raise asyncio.CancelledError

            with pytest.raises(asyncio.CancelledError):
                await one.talk.run(pause)
        assert [each.number for each in await words(tmp_path)] == [1, 2, 3]

    run(scenario())
    assert pauses == [BEAT] * 3
