"""The replay: requests begin when they are due, whoever waits, and all of them end somewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.failures import BadLine
from gateway.traffic.outcome import End, Outcome
from gateway.traffic.pacer import Pacer, Survey
from gateway.traffic.recording import Recorded
from gateway.traffic.replay import Replay, Share, turns
from gateway.traffic.replay_tally import ReplayTally


def requests(*times: float) -> list[Recorded]:
    """Requests at these times."""
    return [Recorded(at, "GET", f"/{number}") for number, at in enumerate(times)]


class Clockwork:
    """A sender and a pacer on the clock of the loop; requests take as long as they are told.

    Attributes:
        begun: The paths that were sent, with when.
        most: How many were under way at a time.
    """

    def __init__(self, recording: list[Recorded], speed: float | None = 1.0) -> None:
        self.pacer = Pacer(Survey.of(recording), speed, asyncio.get_running_loop().time)
        self.pacer.begin()
        self.tally = ReplayTally()
        self.begun: list[tuple[str, float]] = []
        self.most = self._now = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self._came = asyncio.Condition()

    async def sent(self, count: int) -> None:
        """Wait until so many have begun."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.begun) >= count)

    async def send(self, recorded: Recorded, due: float | None) -> Outcome:
        begun = self.pacer.elapsed()
        due = begun if due is None else due
        self.begun.append((recorded.path, due))
        async with self._came:
            self._came.notify_all()
        self._now += 1
        self.most = max(self.most, self._now)
        end = End.ANSWERED
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            end = End.FAILED
        self._now -= 1
        return Outcome(end, "", due, begun, self.pacer.elapsed(), 200)


def play(
    recording: list[Recorded],
    story: Callable[[Replay, Clockwork], Awaitable[None]] | None = None,
    *,
    speed: float | None = 1.0,
    concurrency: int = 100,
) -> tuple[Clockwork, Replay]:
    """Play a recording while something else happens."""

    async def run() -> tuple[Clockwork, Replay]:
        clockwork = Clockwork(recording, speed)
        replay = Replay(clockwork, clockwork.pacer, clockwork.tally, concurrency, grace=0.05)
        turned = turns(recording, clockwork.pacer)
        async with asyncio.TaskGroup() as group:
            group.create_task(replay.run(turned))
            if story is not None:
                group.create_task(_awaited(story(replay, clockwork)))
        return clockwork, replay

    return asyncio.run(run())


async def _awaited(what: Awaitable[None]) -> None:
    await what


def test_all_begin_in_order_and_not_too_early() -> None:
    """A burst, a pause, another burst."""
    recording = requests(0.0, 0.0, 0.0, 0.05, 0.05, 0.0504)
    clockwork, replay = play(recording)
    assert [path for path, _ in clockwork.begun] == [f"/{n}" for n in range(6)]
    assert [due for _, due in clockwork.begun] == [0.0, 0.0, 0.0, 0.05, 0.05, 0.0504]
    assert clockwork.tally.answered == 6
    assert clockwork.tally.slip.total == 6
    assert clockwork.pacer.elapsed() >= 0.0504
    assert not replay.interrupted
    assert replay.under_way == 0


def test_nobody_waits_for_the_answers_of_others() -> None:
    """The model is open: the last one begins while the first one waits."""

    async def story(_: Replay, clockwork: Clockwork) -> None:
        clockwork.gate.clear()
        await clockwork.sent(3)
        assert clockwork.tally.requests == 0
        clockwork.gate.set()

    clockwork, _ = play(requests(0.0, 0.001, 0.002), story)
    assert clockwork.most == 3
    assert clockwork.tally.answered == 3


def test_where_there_is_no_room_a_request_begins_late_and_says_so() -> None:
    """Its latency counts from when it should have begun."""

    async def story(replay: Replay, clockwork: Clockwork) -> None:
        clockwork.gate.clear()
        await clockwork.sent(2)
        loop = asyncio.get_running_loop()
        late = loop.create_future()
        loop.call_later(0.05, late.set_result, None)
        await late
        assert replay.under_way == 2
        clockwork.gate.set()

    clockwork, _ = play(requests(0.0, 0.0, 0.0), story, concurrency=2)
    assert clockwork.most == 2
    assert clockwork.tally.slip.largest >= 0.04
    [measured] = clockwork.tally.measured.values()
    assert measured.latency.largest >= 0.04


def test_as_fast_as_possible_is_as_many_at_a_time_as_may_be() -> None:
    """Whatever the times in the recording are."""

    async def story(_: Replay, clockwork: Clockwork) -> None:
        clockwork.gate.clear()
        await clockwork.sent(4)
        clockwork.gate.set()

    times = (number * 100.0 for number in range(50))
    clockwork, _ = play(requests(*times), story, speed=None, concurrency=4)
    assert clockwork.most == 4
    assert clockwork.tally.answered == 50
    assert clockwork.tally.slip.largest == 0.0


def test_an_interruption_lets_those_under_way_end() -> None:
    """And nothing more begins."""

    async def story(replay: Replay, clockwork: Clockwork) -> None:
        clockwork.gate.clear()
        await clockwork.sent(1)
        replay.stop()
        await asyncio.sleep(0)
        clockwork.gate.set()

    clockwork, replay = play(requests(0.0, 1000.0), story)
    assert replay.interrupted
    assert clockwork.tally.answered == clockwork.tally.requests == 1


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_those_under_way_do_not_hold_up_an_interruption(times: int) -> None:
    """After a while they are cut off, and at once the second time."""

    async def story(replay: Replay, clockwork: Clockwork) -> None:
        clockwork.gate.clear()
        await clockwork.sent(2)
        for _ in range(times):
            replay.stop()

    clockwork, _ = play(requests(0.0, 0.0), story)
    assert clockwork.tally.failed == clockwork.tally.requests == 2


def test_a_recording_that_breaks_off_is_told_after_the_last_answer() -> None:
    """What was sent is counted all the same."""

    def broken() -> Iterable[Recorded]:
        yield from requests(0.0, 0.0)
        raise BadLine("shop.jsonl", 3, "it is no JSON")

    async def run() -> Clockwork:
        clockwork = Clockwork(requests(0.0, 0.0))
        replay = Replay(clockwork, clockwork.pacer, clockwork.tally, 10)
        with pytest.raises(BadLine):
            await replay.run(turns(broken(), clockwork.pacer))
        return clockwork

    assert asyncio.run(run()).tally.answered == 2


@given(st.integers(0, 50), st.integers(1, 7))
def test_shares_together_are_everything_once(count: int, of: int) -> None:
    """Each request in exactly one share, and every share knows its size."""
    recording = requests(*map(float, range(count)))
    seen: list[Recorded] = []
    for place in range(of):
        share = Share(place, of)
        pacer = Pacer(Survey.of(recording), 1.0, lambda: 0.0)
        part = list(turns(recording, pacer, share))
        assert len(part) == share.count(count)
        assert all(due == recorded.at for due, recorded in part)
        seen += [recorded for _, recorded in part]
    assert sorted(seen) == sorted(recording)
