"""A place among the processes of a gateway: whatever ends who fills it, it is filled again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.workers.process import Process, Word, how

LONG_SECONDS: Final = 10.0
"""A process that lived so long was well."""

_FIRST: Final = 0.1
_LONGEST: Final = 5.0

Start = Callable[[int], Awaitable[Process]]
"""Starts a process; given how many were started before it."""


class NotStarted(Exception):
    """A process that did not become ready.

    Attributes:
        name: What it is called.
        status: How the last attempt ended.
    """

    def __init__(self, name: str, status: int) -> None:
        self.name = name
        self.status = status
        super().__init__(f"{name} cannot be started: its last attempt {how(status)}")


class Place:
    """Keeps one process running.

    Args:
        name: What the process is called.
        start: Starts it.
        say: Is told what happens.
        left: Is called whenever nobody is there.

    Attributes:
        process: Who is there, or was last.
        patience: After how many attempts in a row it is given up; `None` for never.
    """

    process: Process

    def __init__(
        self,
        name: str,
        start: Start,
        say: Callable[[str], None],
        left: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.patience: int | None = 1
        self._start = start
        self._say = say
        self._left = left
        self._started = 0
        self._alive: set[Process] = set()
        self._closed = asyncio.Event()
        self._lock = asyncio.Lock()

    async def fill(self) -> Word:
        """Start a process and wait until it is ready; gives what it says then.

        Raises:
            NotStarted: It does not become ready, however often it is tried.
        """
        failures = 0
        while True:
            process = await self._start(self._started)
            self._started += 1
            self._alive.add(process)
            word = await process.ready()
            if word is not None:
                self.process = process
                return word
            status = await process.ended()
            self._alive.discard(process)
            failures += 1
            if self._closed.is_set() or failures == self.patience:
                raise NotStarted(self.name, status)
            await self._pause(failures)

    async def keep(self) -> None:
        """Replace whoever ends, until the place is closed.

        Raises:
            NotStarted: Nobody can be started any more.
        """
        deaths, time = 0, asyncio.get_running_loop().time
        while True:
            process, since = self.process, time()
            status = await process.ended()
            self._alive.discard(process)
            async with self._lock:
                if self._closed.is_set():
                    return
                if process is not self.process:
                    continue
                self._left()
                self._say(f"{self.name} (process {process.number}) {how(status)}; starting another")
                deaths = 0 if time() - since >= LONG_SECONDS else deaths
                await self._pause(deaths)
                deaths += 1
                await self.fill()

    async def renew(self, *, first: bool) -> bool:
        """Put another process in place of the one there is.

        Args:
            first: Whether it is ready before the old one is told to stop.

        Returns:
            Whether there is another one; if not, and `first`, the old one stays.
        """
        async with self._lock:
            old, patience = self.process, self.patience
            if not first:
                old.stop()
                await old.ended()
            else:
                self.patience = 1
            try:
                await self.fill()
            except NotStarted as error:
                self._say(f"{error}; process {old.number} stays")
                return False
            finally:
                self.patience = patience
        old.stop()
        await old.ended()
        self._alive.discard(old)
        return True

    def tell(self, word: Word) -> None:
        """Tell everybody who is there."""
        for process in self._alive:
            process.tell(word)

    def close(self) -> None:
        """Nobody is started any more."""
        self._closed.set()

    def stop(self) -> None:
        """Have everybody end: in order, the next time at once."""
        for process in self._alive:
            process.stop()

    async def gone(self) -> None:
        """Wait until nobody is there."""
        await asyncio.gather(*(process.ended() for process in self._alive))

    async def _pause(self, failures: int) -> None:
        """Not at all the first time, then longer and longer; closing ends it."""
        seconds = min(_LONGEST, _FIRST * 2 ** (failures - 1)) if failures else 0.0
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass
