"""The one writer: lock, apply, prove, journal, swap, tell.

A change is accepted whole or not at all. It is durable before it is live, and live before whoever
asked is answered. What other processes write into the same journal is followed the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from gateway.controlplane.changing import Ask, Done, Note
from gateway.controlplane.events import Event, Events
from gateway.controlplane.news import error_event
from gateway.core.apply import apply
from gateway.core.changes import Batch
from gateway.core.diff import brought, differences
from gateway.core.errors import GatewayError, Refused
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Snapshot
from gateway.live import Live
from gateway.runtime import BrokenVersions, Runtime
from gateway.store.protocol import Record, StaleRevision, StateAway, Store
from gateway.store.recovery import compact

T = TypeVar("T")

ATTEMPTS: Final = 50
"""How often a change is tried when another process keeps being first."""

CATCH_UP_SECONDS: Final = 5.0
"""How long the follower may take to see what another process wrote."""


class Writer:
    """Makes changes, one at a time.

    Args:
        live: The cell that the data plane reads.
        runtime: Proves versions before traffic reaches them.
        store: Keeps the journal.
        events: Who is told.
        fetch: Puts the code of versions on this machine's disk.
        clock: Seconds since 1970.
        declared: What stages.toml declared when it was applied last; `None` if it never was.

    Attributes:
        declared: What stages.toml declared when it was applied last.
    """

    def __init__(  # noqa: PLR0913 - every part has one name and one use
        self,
        *,
        live: Live,
        runtime: Runtime,
        store: Store,
        events: Events,
        fetch: Callable[[list[FunctionVersion]], Coroutine[Any, Any, None]],
        clock: Callable[[], float],
        declared: Batch | None,
    ) -> None:
        self.declared = declared
        self._live = live
        self._runtime = runtime
        self._store = store
        self._events = events
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._moved = asyncio.Condition()
        self._running: set[asyncio.Task[Any]] = set()

    async def change(self, ask: Ask, note: Note, *, expected: int | None = None) -> Done:
        """Make one change. It goes on to its end even when whoever asked has gone.

        Args:
            ask: The change.
            note: Who asks, and why.
            expected: The revision that it must be applied to; `None` when any will do.

        Raises:
            StaleRevision: The live revision is another one than the expected one.
            Refused: The change breaks a rule.
            BrokenVersions: A version that it brings does not load.
            StateAway: The state cannot be reached, or not caught up with.
        """
        return await self.finish(self._change(ask, note, expected))

    async def exclusively(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run something while no change is made; it must not ask for one."""

        async def locked() -> T:
            async with self._lock:
                return await work()

        return await self.finish(locked())

    async def follow(self) -> None:
        """Adopt what other processes write into the journal, until it is closed."""
        async for record in self._store.watch(self._live.snapshot.revision):
            async with self._lock:
                if record.revision > self._live.snapshot.revision:
                    await self._adopt(record)

    async def reached(self, revision: int) -> None:
        """Wait until a revision that another process wrote is live here.

        Raises:
            StateAway: It is not, after all the time that following may take.
        """

        def there() -> bool:
            return self._live.snapshot.revision >= revision

        try:
            async with asyncio.timeout(CATCH_UP_SECONDS), self._moved:
                await self._moved.wait_for(there)
        except TimeoutError:
            live = self._live.snapshot.revision
            message = f"revision {revision} is recorded and not live here yet; {live} is"
            raise StateAway(message) from None

    async def expect(self, revision: int) -> None:
        """Make sure that a revision is live; one that another process wrote is waited for.

        Raises:
            StaleRevision: Another one is.
        """
        if revision > self._live.snapshot.revision and revision <= await self._newest():
            await self.reached(revision)
        live = self._live.snapshot.revision
        if live != revision:
            raise StaleRevision(revision, live)

    async def catch_up(self) -> None:
        """Wait until everything that any process has written by now is live here.

        Raises:
            StateAway: Nobody can tell what that is, or it takes too long.
        """
        await self.reached(await self._newest())

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work that must not be cut in half by a caller who leaves."""
        return await asyncio.shield(self._start(work))

    async def drain(self) -> None:
        """Wait for the changes that are being made."""
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, also when whoever asked has gone

    async def _change(self, ask: Ask, note: Note, expected: int | None) -> Done:
        if expected is not None:
            await self.expect(expected)
        for _ in range(ATTEMPTS):
            seen = self._live.snapshot.revision
            try:
                async with self._lock:
                    return await self._attempt(ask, note, expected)
            except StaleRevision as stale:
                if expected is not None:
                    raise
                newest = stale.actual
            except Refused:
                newest = await self._newest()
                if expected is not None or newest <= seen:
                    raise
                # Another process was first, and what it wrote may be just what was missing here.
            await self.reached(newest)
        raise StateAway(f"other processes were faster {ATTEMPTS} times; nothing was changed")

    async def _newest(self) -> int:
        """The newest revision that any process has written."""
        records = await self._store.records(limit=1)
        return records[0].revision if records else 0

    async def _attempt(self, ask: Ask, note: Note, expected: int | None) -> Done:
        old = self._live.snapshot
        if expected not in {None, old.revision}:
            raise StaleRevision(expected or 0, old.revision)
        change = ask(old) if callable(ask) else ask
        new = apply(old, change)
        altered = differences(old, new)
        if not altered and (note.declared is None or note.declared == self.declared):
            newest = await self._newest()
            if newest > old.revision:  # there it may be otherwise by now
                raise StaleRevision(old.revision, newest)
            return Done(old.revision)
        record = Record(
            new.revision, self._clock(), note.author, change, altered, note.restores, note.declared
        )
        try:
            await self._prove(brought(old, new))
            await self._store.commit(record)
        except BaseException:
            self._runtime.retain(old.versions())
            raise
        await self._swap(new, record)
        return Done(new.revision, altered, note.restores)

    async def _prove(self, versions: list[FunctionVersion]) -> None:
        if versions:
            await self._fetch(versions)
            await asyncio.to_thread(self._runtime.prove_all, versions)

    async def _adopt(self, record: Record) -> None:
        """Put live what another process wrote; its code was proved there."""
        old = self._live.snapshot
        new = apply(old, record.change)
        try:
            await self._prove(brought(old, new))
        except BrokenVersions as broken:
            self._events.publish(error_event(broken, f"revision {record.revision}"))
        await self._swap(new, record)

    async def _swap(self, new: Snapshot, record: Record) -> None:
        self._live.swap(new)
        if record.declared is not None:
            self.declared = record.declared
        self._runtime.retain(new.versions())
        self._events.publish(Event.revision(record))
        async with self._moved:
            self._moved.notify_all()
        self._start(self._compact(new))

    async def _compact(self, snapshot: Snapshot) -> None:
        """Keep starts short; a checkpoint that cannot be written costs nothing but time."""
        try:
            await compact(self._store, snapshot)
        except GatewayError as error:
            self._events.publish(error_event(error, "the checkpoint of the state"))
