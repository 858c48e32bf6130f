"""The bell: whoever waits is woken by what this process did and by what others did."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest

from gateway.store.bell import Bell
from gateway.store.protocol import StateUnusable


class State:
    """Something to look at, that counts how often it was."""

    def __init__(self, shown: Iterator[object]) -> None:
        self.looks = 0
        self.looked = asyncio.Event()
        self._shown = shown

    async def look(self) -> object:
        """The next value; an error among them is raised."""
        self.looks += 1
        self.looked.set()
        value = next(self._shown)
        if isinstance(value, Exception):
            raise value
        return value


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param([0, 0, 1, 1, 2, 2, 3, 3], id="another value"),
        pytest.param([0, *[StateUnusable("gone")] * 3], id="an error, told to whoever looks next"),
    ],
)
def test_what_others_did_wakes_whoever_listens(shown: list[object]) -> None:
    """Once at the beginning, and then for each change."""

    async def scenario() -> None:
        bell = Bell(State(iter(shown)).look)
        with bell.listening():
            for _ in range(4):
                await bell.next.wait()

    asyncio.run(scenario())


def test_what_did_not_change_wakes_nobody() -> None:
    """However often it is looked at."""

    async def scenario() -> bool:
        state = State(iter(lambda: "same", "other"))
        bell = Bell(state.look)
        with bell.listening():
            await bell.next.wait()
            following = bell.next
            while state.looks < 4:
                state.looked.clear()
                await state.looked.wait()
            return following.is_set()

    assert asyncio.run(scenario()) is False


def test_a_ring_wakes_everybody_at_once() -> None:
    """Nobody has to look first."""

    async def scenario() -> None:
        bell = Bell(State(count()).look)
        rung = bell.next
        waiting = [asyncio.create_task(rung.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        bell.ring()
        assert await asyncio.gather(*waiting) == [True] * 3
        assert bell.next is not rung
        assert not bell.next.is_set()

    asyncio.run(scenario())


def test_nobody_looks_when_nobody_listens() -> None:
    """And one look serves all who do."""

    async def scenario() -> None:
        state = State(count())
        bell = Bell(state.look)
        await asyncio.sleep(0)
        assert state.looks == 0
        with bell.listening():
            with bell.listening():
                await bell.next.wait()
            assert state.looks == 1
            await bell.next.wait()
        seen = state.looks
        assert asyncio.all_tasks() == {asyncio.current_task()} or await ended()
        assert state.looks == seen
        with bell.listening():
            await bell.next.wait()
        assert state.looks == seen + 1

    async def ended() -> bool:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_stopping_wakes_whoever_listens() -> None:
    """For the last time."""

    async def scenario() -> None:
        bell = Bell(State(iter(lambda: "same", "other")).look)
        with bell.listening():
            await bell.next.wait()
            rung = bell.next
            await bell.stop()
            assert rung.is_set()
            assert asyncio.all_tasks() == {asyncio.current_task()}
            await bell.stop()

    asyncio.run(scenario())
