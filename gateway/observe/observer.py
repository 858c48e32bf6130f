"""The observer is told of every answer once it is out, and makes the request wait for nothing.

Counting is exact and at once. Everything else - latencies, the course over time, what is kept of
single invocations - is taken in later, in one go for many answers, which are added up once for
everybody: the way of a request ends with one increment and one append. If so many answers wait that
the bound is reached, the oldest are forgotten and counted as dropped; the counters have them all
the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import Final, NamedTuple, Protocol

from gateway.observe.counters import Cell, Counters, Label
from gateway.observe.portions import Portion, portions
from gateway.observe.series import Series

BOUND: Final = 100_000
"""Answers that may wait to be taken in."""

DETAILS: Final = 10_000
"""Answers in detail that may wait; of more errors than that the newest are known in detail."""

KEPT_BODY: Final = 4096
"""Bytes that are kept of a request's body."""

BEAT: Final = 0.1
"""Seconds between two times at which answers are taken in: seldom enough to cost little, and often
enough that requests that come just then wait for little."""


class Asked(Protocol):
    """What the observer keeps of a request."""

    id: str
    began: float
    method: str
    path: str
    query_string: bytes
    headers: dict[str, str]
    body: bytes


class Ended(Protocol):
    """How an invocation ended."""

    status: int
    error: dict[str, object] | None
    output: str
    seconds: float
    memory: int


class Observation(NamedTuple):
    """One answer.

    Attributes:
        cell: What it was counted in; has its label.
        status: Its HTTP status.
        ended: When the answer was out, in seconds of the monotonic clock.
        asked: What was asked; of its body the first bytes.
        revision: The revision that it saw.
        outcome: How the invocation ended; `None` where nothing was invoked, or an application
            answered by itself.
    """

    cell: Cell
    status: int
    ended: float
    asked: Asked
    revision: int
    outcome: Ended | None

    @property
    def seconds(self) -> float:
        """From the request's head to the answer's end."""
        return self.ended - self.asked.began


Noted = tuple[Cell, int, float, float, int]
"""What is noted of every answer: its cell, its status, when the request came, when the answer was
out, and the revision. It holds nothing of the request: whatever outlives a request costs more than
all the counting, in memory that is not used again at once and in work for the collector."""

Detailed = tuple[Cell, int, float, Asked, int, Ended | None]
"""An observation as it is noted: making an `Observation` of it costs as much as all the rest."""

Sink = Callable[[Sequence[Portion]], None]
"""Is given answers added up; what it keeps of them, it adds to something of its own."""

Reader = Callable[[Sequence[Detailed], int], None]
"""Is given those of a batch that were noted in detail, and how many were not."""


class Observer:
    """Is told of answers.

    Args:
        now: The monotonic clock, in seconds.

    Attributes:
        counters: Counts of answers.
        series: Counts and latencies over time.
        sinks: Whoever is given answers added up, those of other processes included; the series is
            the first of them.
        outlets: Whoever is given those of this process alone, and may keep them.
        readers: Whoever is given what is noted in detail: every answer while there are few, errors
            always, and of the rest as many as `room` says.
        room: How many details anybody can use by the next beat.
        dropped: Answers that were counted and otherwise forgotten.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.counters = Counters()
        self.series = Series()
        self.sinks: list[Sink] = [self.series.merge]
        self.outlets: list[Sink] = []
        self.readers: list[Reader] = []
        self.room: Callable[[], int] = lambda: BOUND
        self.dropped = 0
        self._lag = 0.0
        self._waiting: deque[Noted] = deque(maxlen=BOUND)
        self._details: deque[Detailed] = deque(maxlen=DETAILS)
        self._stride = self._skip = 1  # of ordinary answers each so many-th one is noted in detail

    def cell(self, label: Label, *, malformed: bool = False) -> Cell:
        """Where the answers of a label are counted."""
        return self.counters.cell(label, malformed=malformed)

    def note(
        self, cell: Cell, status: int, asked: Asked, revision: int, outcome: Ended | None = None
    ) -> None:
        """Take note of an answer that is out."""
        statuses = cell.statuses
        statuses[status] = statuses.get(status, 0) + 1
        waiting, ended = self._waiting, self.now()
        if len(waiting) == BOUND:
            self.dropped += 1
        waiting.append((cell, status, asked.began, ended, revision))
        self._skip -= 1
        if self._skip <= 0 or status >= 400:
            self._skip = self._stride
            if len(asked.body) > KEPT_BODY:  # nobody reads it any more; one byte tells of more
                asked.body = asked.body[: KEPT_BODY + 1]
            self._details.append((cell, status, ended, asked, revision, outcome))

    def settle(self) -> None:
        """Take in the answers that wait; whoever reads calls this first."""
        waiting = self._waiting
        if not waiting:
            return
        batch, details = list(waiting), list(self._details)
        waiting.clear()
        self._details.clear()
        own = portions(batch)
        self.take(own)
        for outlet in self.outlets:
            outlet(own)
        for reader in self.readers:
            reader(details, len(batch) - len(details))
        self._stride = max(1, ceil(len(batch) / max(1, self.room())))
        self._skip = min(self._skip, self._stride)

    def take(self, found: Sequence[Portion]) -> None:
        """Give portions, of this process or of others, to everyone who reads them."""
        for sink in self.sinks:
            sink(found)

    async def run(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Take in what waits, again and again, until cancelled."""
        while True:
            before = self.now()
            await pause(BEAT)
            self._lag = max(self._lag, self.now() - before - BEAT)
            self.settle()

    def lag(self) -> float:
        """The longest delay of the event loop since the last question, in seconds."""
        lag, self._lag = self._lag, 0.0
        return lag
