"""The logbook keeps single invocations: all while there are few, a share while there are many.

Requests are never kept waiting for it. What comes in is taken in batches; bursts are written whole,
in the long run a bounded number a second, errors before all others; what is left out is counted.
While the log is away they wait, as many as there is room for. Secrets in headers are hidden before
anything is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from gateway.controlplane.entries import apart, entry_of, invoked_entry
from gateway.controlplane.invoking import Invoked
from gateway.core.entries import Target
from gateway.observe import Detailed, Observation
from gateway.observe.observer import BEAT
from gateway.store.invocation_log import InvocationLog
from gateway.store.logged import Entry, Wanted
from gateway.store.protocol import StateAway, StateUnusable

RATE: Final = 100
"""Entries that are written a second in the long run; each costs as much as a request."""

RATE_OF_ERRORS: Final = 200
"""Errors that are written a second beyond those."""

BURST: Final = 1000
"""Entries that are written at once after a time with few."""

WAITING: Final = 2000
"""Entries that may wait to be written."""

RETRY_SECONDS: Final = 1.0
"""After so long a log that was away is tried again, if nobody has asked for it before."""

SWEEP_SECONDS: Final = 60.0
"""So often what is not kept any longer is removed."""

SWEEP_ENTRIES: Final = 1000
"""After so many new entries it is as well; where fewer are kept, after a tenth of them."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What tells the time.

    Attributes:
        wall: Seconds since 1970.
        now: Seconds of the monotonic clock of observations.
    """

    wall: Callable[[], float]
    now: Callable[[], float]


class _Bucket:
    """Tokens that come in with time: a leaky bucket (J. Turner, 1986)."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._room = float(BURST)
        self._filled = now

    def room(self, now: float) -> int:
        """How many there are at a time, if none is taken before."""
        return int(min(BURST, self._room + (now - self._filled) * self._rate))

    def take(self, wanted: int, now: float) -> int:
        """As many as there are, up to what is wanted."""
        self._room = min(BURST, self._room + (now - self._filled) * self._rate)
        self._filled = now
        taken = min(wanted, int(self._room))
        self._room -= taken
        return taken


class Logbook:
    """Takes observations in, and writes what there is room for.

    Args:
        log: Where entries are written.
        clocks: What tells the time.
        tell: Is told, once, when entries cannot be written, and again after some could.

    Attributes:
        log: Where entries are written.
        clocks: What tells the time.
        left_out: Invocations that were not kept.
    """

    def __init__(
        self, log: InvocationLog, clocks: Clocks, tell: Callable[[StateUnusable], None]
    ) -> None:
        self.log = log
        self.left_out = 0
        self.clocks = clocks
        self._keeps = log.retention.entries > 0
        self._unswept = 0
        self._tell = tell
        self._failing = False
        self._usual = _Bucket(RATE, clocks.now())
        self._errors = _Bucket(RATE_OF_ERRORS, clocks.now())
        self._waiting: list[Entry] = []
        self._writing: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None

    def take(self, batch: Sequence[Detailed], others: int) -> None:
        """Keep of a batch what there is room for, errors first; a reader of the observer."""
        if not self._keeps:
            return
        self.left_out += others
        since_epoch = self.clocks.wall() - self.clocks.now()
        self._put([entry_of(Observation._make(n), since_epoch) for n in self._chosen(batch)])

    def room(self) -> int:
        """How many ordinary entries there will be room for at the observer's next beat."""
        return self._usual.room(self.clocks.now() + BEAT) if self._keeps else 0

    def add(self, entry: Entry) -> None:
        """Keep one entry, if there is room."""
        if not self._keeps:
            return
        if self._allowed(1) or (entry.kind and self._allowed_beyond(1)):
            self._put([entry])
        else:
            self.left_out += 1

    def invoked(
        self, target: Target, routing_key: Mapping[str, str] | None, event: object, found: Invoked
    ) -> None:
        """Keep what was asked of the control plane, and not of the data plane."""
        self.add(invoked_entry(target, routing_key, event, found, self.clocks.wall()))

    async def find(self, wanted: Wanted, limit: int) -> list[Entry]:
        """Entries, those that wait included; see `InvocationLog.find`."""
        await self.flush()
        return await self.log.find(wanted, limit)

    async def get(self, request_id: str) -> Entry | None:
        """The entry of a request; `None` where none is kept."""
        await self.flush()
        return await self.log.get(request_id)

    @property
    def news(self) -> asyncio.Event:
        """Is set when something more is kept; ask for it before looking at what is there."""
        return self.log.news

    def following(self) -> AbstractContextManager[None]:
        """While somebody does, `news` tells also of what others keep."""
        return self.log.following()

    async def run(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Remove what is not kept any longer, again and again, until cancelled."""
        while True:
            await self._sweep()
            await pause(SWEEP_SECONDS)

    async def flush(self) -> None:
        """Wait until what waits is written, or cannot be."""
        self._begin_writing()
        while self._writing is not None:
            await asyncio.shield(self._writing)

    async def close(self) -> None:
        """Write what waits, if that is possible now, and let go of the log."""
        await self.flush()
        self._rest()
        self.left_out += len(self._waiting)
        await self.log.close()

    def _chosen(self, batch: Sequence[Detailed]) -> Sequence[Detailed]:
        allowed = self._allowed(len(batch))
        if allowed == len(batch):
            return batch
        failed, others = apart(batch)
        kept = failed[: allowed + self._allowed_beyond(len(failed) - allowed, allowed)]
        room = max(0, allowed - len(kept))
        # Evenly over the batch: the first of each burst alone would tell of nothing else.
        kept += [others[index * len(others) // room] for index in range(room)]
        self.left_out += len(batch) - len(kept)
        return sorted(kept, key=itemgetter(2))

    def _allowed(self, wanted: int) -> int:
        return min(self._usual.take(wanted, self.clocks.now()), WAITING - len(self._waiting))

    def _allowed_beyond(self, wanted: int, taken: int = 0) -> int:
        wanted = min(wanted, WAITING - len(self._waiting) - taken)
        return self._errors.take(wanted, self.clocks.now()) if wanted > 0 else 0

    def _put(self, entries: list[Entry]) -> None:
        self._waiting += entries
        if self._again is None:
            self._begin_writing()

    def _begin_writing(self) -> None:
        if self._waiting and self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._written(self._waiting[:])
        except StateAway as away:
            self._told(away)
            self._rest()
            self._again = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._retry)
        finally:
            self._writing = None

    def _rest(self) -> None:
        again, self._again = self._again, None
        if again is not None:
            again.cancel()

    def _retry(self) -> None:
        self._again = None
        self._begin_writing()

    async def _written(self, entries: list[Entry]) -> None:
        try:
            await self.log.append(entries)
        except StateAway:
            raise  # they wait
        except StateUnusable as error:
            self.left_out += len(entries)
            self._told(error)
        else:
            self._rest()
            self._failing = False
            self._unswept += len(entries)
        del self._waiting[: len(entries)]
        if self._unswept >= min(SWEEP_ENTRIES, self.log.retention.entries / 10):
            await self._sweep()

    def _told(self, error: StateUnusable) -> None:
        if not self._failing:
            self._failing = True
            self._tell(error)

    async def _sweep(self) -> None:
        self._unswept = 0
        with suppress(StateUnusable):  # whoever writes is told why
            await self.log.prune(self.clocks.wall())
