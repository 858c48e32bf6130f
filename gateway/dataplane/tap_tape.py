"""The tape between whoever answers and whoever reads: bounded, so that neither waits.

What finds no room, or comes faster than it was asked for, is dropped, and counted by why.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

WAITING: Final = 4096
"""Requests that may wait on a tape."""

WAITING_BYTES: Final = 16 * 1024 * 1024
"""Bytes of bodies that may wait on a tape."""

FAST: Final = "rate"
FULL: Final = "queue"
LARGE: Final = "body"
UNREAD: Final = "unread"
UNFINISHED: Final = "unfinished"
"""Why a request is dropped: there are more a second than asked for, the reader is too slow, its
body is too large, nobody read its body to the end, it has no whole answer (yet)."""


class Captured(NamedTuple):
    """A request and its answer.

    Attributes:
        at: Seconds since the recording began.
        method: The HTTP method.
        path: The path without the stage, as it travels.
        query: What follows the question mark.
        headers: The request's headers.
        body: The request's body.
        stage: The stage it was sent to.
        status: The answer's status.
        seconds: How long the answer took.
        said: The answer's headers by name, in lower case.
    """

    at: float
    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes
    stage: str
    status: int
    seconds: float
    said: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a recording may take.

    Attributes:
        rate: Requests a second.
        body: Bytes of a body.
    """

    rate: float = 1000.0
    body: int = 64 * 1024


class Tape:
    """What one reader records of one stage.

    Args:
        stage: The stage's own name.
        bounds: How much may be taken.
        clock: The monotonic clock, in seconds.

    Attributes:
        stage: The stage's own name.
        bounds: How much may be taken.
        recorded: Requests that were put on it.
    """

    def __init__(self, stage: str, bounds: Bounds, clock: Callable[[], float]) -> None:
        self.stage = stage
        self.bounds = bounds
        self.recorded = 0
        self._dropped: Counter[str] = Counter()
        self._clock = clock
        self._began = self._filled = clock()
        self._admitted = 0
        self._most = self._allowance = max(1.0, bounds.rate)
        self._waiting: deque[Captured] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._is_closed = False

    def elapsed(self) -> float:
        """Seconds since it began."""
        return self._clock() - self._began

    def admits(self) -> bool:
        """Whether one more request may be taken; one that may not is dropped."""
        now = self._clock()
        gained = (now - self._filled) * self.bounds.rate
        self._allowance, self._filled = min(self._most, self._allowance + gained), now
        if self._allowance < 1:
            self._dropped[FAST] += 1
            return False
        self._allowance -= 1
        self._admitted += 1
        return True

    def put(self, captured: Captured) -> None:
        """Put a request on it, or drop it where there is no room; never waits."""
        if self._is_closed:
            return
        size = len(captured.body)
        if len(self._waiting) >= WAITING or self._bytes + size > WAITING_BYTES:
            self.drop(FULL)
            return
        self._bytes += size
        self._waiting.append(captured)
        self.recorded += 1
        self._news.set()

    def drop(self, why: str) -> None:
        """Count an admitted request that is not put on it."""
        self._dropped[why] += 1

    def dropped(self) -> dict[str, int]:
        """Requests that came and are not on it, by why."""
        ended = self.recorded + self._dropped.total() - self._dropped[FAST]
        counts = {**self._dropped, UNFINISHED: self._admitted - ended}
        return {why: count for why, count in sorted(counts.items()) if count}

    def close(self) -> None:
        """Nothing more will come; what waits may still be taken."""
        self._is_closed = True
        self._news.set()

    async def take(self, most: int) -> list[Captured]:
        """The next requests, one at least; none once it is closed and nothing waits."""
        while not (self._waiting or self._is_closed):
            self._news.clear()
            await self._news.wait()
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._bytes -= sum(len(each.body) for each in taken)
        return taken
