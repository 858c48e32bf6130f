"""Tells the other processes what this one answered, twice a second, and hears what they did.

A word that cannot be left is kept as it is and tried again; meanwhile what is new is added up, up
to a bound. Counts are cumulative, so that nothing of them is ever lost.
"""

from __future__ import annotations

from asyncio import timeout
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from gateway.controlplane.peers import GONE, Peers
from gateway.core.errors import GatewayError
from gateway.observe import Interval, Label, Observer, Portion
from gateway.observe.batch import Active, Batch, Counted, Malformed, Sender, read_batch
from gateway.store.exchange import PAGE, Exchange
from gateway.store.protocol import StateUnusable

BEAT: Final = 0.5
"""Seconds between two words."""

SILENT: Final = 4
"""After so many beats one that has nothing to tell says that it is still there."""

WHOLE: Final = 60
"""Each so many-th word tells all counts, those that did not change included."""

PRUNED: Final = 120
"""After so many beats, old words are forgotten."""

WAITING: Final = 10_000
"""Portions that may wait to be told."""

LAST_SECONDS: Final = 2.0
"""How long the end waits for the last word."""

Tell = Callable[[GatewayError, str], None]


class Talk:
    """Talks with the other processes.

    Args:
        peers: Has what is told, and is given what is heard.
        observer: Is told of what this process answers.
        exchange: Where words are left.
        tell: Is told, once, when it cannot talk, and again after it could.
        listens: Whether it hears others; who only answers callers need not.
    """

    def __init__(
        self, peers: Peers, observer: Observer, exchange: Exchange, tell: Tell, *, listens: bool
    ) -> None:
        self._peers = peers
        self._observer = observer
        self._exchange = exchange
        self._tell = tell
        self._failing = False
        self._strange = False
        self._listens = listens
        self._number = self._beats = self._silent = 0
        self._untold = 0
        self._waiting: dict[tuple[Label, int, int], Interval] = {}
        self._said: dict[object, object] = {}
        self._word: bytes = b""
        self._ignored: frozenset[Sender] | None = None
        observer.outlets.append(self._keep)

    async def run(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Tell and hear, again and again, until cancelled."""
        while True:
            await self.turn()
            await pause(BEAT)

    async def turn(self) -> None:
        """Tell what is new, and hear what others told."""
        try:
            await self._speak()
            if self._listens:
                await self._hear()
                await self._tidy()
        except StateUnusable as error:
            if not self._failing:
                self._failing = True
                self._tell(error, self._exchange.name)
            return
        self._failing = False

    async def close(self) -> None:
        """Say the last word, if it can be said soon, and let go of the exchange."""
        with suppress(TimeoutError, StateUnusable):
            async with timeout(LAST_SECONDS):
                await self._speak(last=True)
                if self._listens:
                    await self._hear()  # what those said last who ended just before
        await self._exchange.close()

    async def _speak(self, *, last: bool = False) -> None:
        self._observer.settle()
        if self._word:  # whether it was left is not known: it has its number
            await self._leave()
        self._word = self._next(last=last)
        if self._word:
            await self._leave()

    async def _leave(self) -> None:
        await self._exchange.publish(self._word)
        self._word = b""

    def _next(self, *, last: bool) -> bytes:
        own = self._peers.word()
        if self._number % WHOLE == 0 or last:
            self._said.clear()
        counts = tuple(
            Counted(cell.label, cell.malformed, dict(cell.statuses))
            for cell in own.counters.cells()
            if self._is_new((cell.label, cell.malformed), sum(cell.statuses.values()))
        )
        activity = tuple(
            Active(*key, *seen) for key, seen in own.activity.items() if self._is_new(key, seen)
        )
        self._silent += 1
        news = counts or activity or self._waiting or self._is_new("", own.gauges.revision)
        if not news and not last and self._silent < SILENT:
            return b""
        self._silent = 0
        self._number += 1
        waiting, self._waiting = self._waiting, {}
        at, now = self._peers.clocks.wall(), self._peers.clocks.now()
        return Batch(
            own.sender,
            self._number,
            at,
            at - now,
            last,
            own.gauges._replace(dropped=own.gauges.dropped + self._untold),
            activity,
            counts,
            tuple(Portion(*key, interval) for key, interval in waiting.items()),
        ).pack()

    def _is_new(self, key: object, value: object) -> bool:
        if self._said.get(key) == value:
            return False
        self._said[key] = value
        return True

    def _keep(self, found: Sequence[Portion]) -> None:
        """Keep what is to be told; an outlet of the observer."""
        waiting = self._waiting
        for label, revision, second, interval in found:
            whose = (label, revision, second)
            known = waiting.get(whose)
            if known is not None:
                known.merge(interval)
            elif len(waiting) < WAITING:
                waiting[whose] = interval
            else:
                self._untold += interval.requests

    async def _hear(self) -> None:
        if self._ignored is None:
            last = [self._read(word) for word in await self._exchange.latest()]
            self._ignored = frozenset(each.sender for each in last if each and self._is_over(each))
        words = await self._exchange.news()
        while words:
            for word in words:
                batch = self._read(word)
                if batch is not None and batch.sender not in self._ignored:
                    self._peers.take(batch)
            words = await self._exchange.news() if len(words) == PAGE else []
        self._ignored = frozenset()

    def _is_over(self, last: Batch) -> bool:
        """Whether a process had ended before this one listened; its counts are of the past."""
        return last.ended or self._peers.clocks.wall() - last.at > GONE

    def _read(self, word: bytes) -> Batch | None:
        try:
            return read_batch(word)
        except Malformed as error:
            if not self._strange:
                self._strange = True
                self._tell(error, self._exchange.name)
            return None

    async def _tidy(self) -> None:
        self._beats += 1
        if self._beats % PRUNED == 0:
            self._peers.forget()
            await self._exchange.prune()
