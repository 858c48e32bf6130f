"""The replay: an open model. Requests begin when they are due, whoever still waits for an answer.

Nothing slows the senders down but their number: where as many requests are under way as may be,
the next one begins late, and both its slip and its latency say so, because latency counts from the
moment at which it should have begun. As fast as possible is the one exception: there a request is
due as soon as there is room for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.traffic.outcome import Outcome
from gateway.traffic.pacer import Pacer
from gateway.traffic.recording import Recorded
from gateway.traffic.replay_tally import ReplayTally

TIMER: Final = 0.002
"""How early a timer is set, in seconds: event loops count milliseconds, bursts are finer."""

BURST: Final = 8
"""So many requests at most are begun at a time, before those that have begun are sent."""

GRACE: Final = 2.0
"""Seconds that requests under way may take after an interruption."""

Turn = tuple[float | None, Recorded]
"""A request and when it is due, in seconds since the beginning; `None` for as soon as it can be."""


class Sends(Protocol):
    """Sends requests."""

    async def send(self, recorded: Recorded, due: float | None) -> Outcome:
        """Send one, and tell how it ended, even if it is cancelled."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which requests of a recording one process sends: every so many-th.

    Attributes:
        place: The number of the first one, counted from 0.
        of: How many processes there are.
    """

    place: int = 0
    of: int = 1

    def count(self, requests: int) -> int:
        """How many of so many requests are in this share."""
        return (requests - self.place + self.of - 1) // self.of


WHOLE: Final = Share()
"""Everything, sent by one process."""


def turns(recording: Iterable[Recorded], pacer: Pacer, share: Share = WHOLE) -> Iterator[Turn]:
    """Every request of a share, in order, with when it is due.

    Args:
        recording: All requests.
        pacer: Knows when each is due.
        share: Which of them are meant.
    """
    place, of = share.place, share.of
    for number, recorded in enumerate(recording):
        due = pacer.due(recorded.at)  # asked of all, for one may push the next
        if number % of == place:
            yield due, recorded


class Replay:
    """Plays requests; `stop` ends it early.

    Args:
        sender: Sends them.
        pacer: Knows the time.
        tally: Counts how they end.
        concurrency: How many may be under way at a time.
        grace: Seconds that those under way may take when it is ended early.

    Attributes:
        interrupted: Whether it was ended early.
    """

    def __init__(
        self,
        sender: Sends,
        pacer: Pacer,
        tally: ReplayTally,
        concurrency: int,
        grace: float = GRACE,
    ) -> None:
        self.interrupted = False
        self._sender = sender
        self._pacer = pacer
        self._tally = tally
        self._room = asyncio.Semaphore(concurrency)
        self._grace = grace
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()

    @property
    def under_way(self) -> int:
        """How many requests have begun and not ended."""
        return len(self._tasks)

    async def run(self, requests: Iterable[Turn]) -> None:
        """Play everything, and wait for the last answer.

        Whatever goes wrong with reading the requests is raised when those under way have ended.
        """
        stopped = asyncio.ensure_future(self._stopped.wait())
        playing = asyncio.ensure_future(self._play(requests))
        answered = asyncio.ensure_future(self._answered(playing))
        try:
            await asyncio.wait((answered, stopped), return_when=asyncio.FIRST_COMPLETED)
            playing.cancel()  # of no effect on one that has ended
            await asyncio.wait((answered,), timeout=self._grace)
        finally:
            await _end(playing, stopped, answered, *self._tasks)
        if not playing.cancelled():
            playing.result()

    def stop(self) -> None:
        """Send nothing more, and wait a little for what is under way; a second time do not."""
        if self.interrupted:
            for task in self._tasks:
                task.cancel()
        self.interrupted = True
        self._stopped.set()

    async def _play(self, requests: Iterable[Turn]) -> None:
        """Begin every request when it is due."""
        for number, (due, recorded) in enumerate(requests):
            if due is not None:
                await self._until(due)
            if number % BURST == 0:
                await asyncio.sleep(0)  # whoever is late is not the only one
            await self._room.acquire()
            task = asyncio.ensure_future(self._send(recorded, due))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def _answered(self, playing: asyncio.Task[None]) -> None:
        """Wait until everything has begun, and for the last answer."""
        await asyncio.wait((playing,))
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    async def _until(self, due: float) -> None:
        """Wait until something is due: by a timer, and by turns of the loop for the last bit."""
        left = self._pacer.left(due)
        if left > TIMER:
            await asyncio.sleep(left - TIMER)
        while self._pacer.left(due) > 0:  # noqa: ASYNC110 - what is awaited is time
            await asyncio.sleep(0)

    async def _send(self, recorded: Recorded, due: float | None) -> None:
        self._tally.add(await self._sender.send(recorded, due))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._room.release()


async def _end(*tasks: asyncio.Task[object] | asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
