"""Asynchronous invocations: accepted at once, run in turn, tried again, and told afterwards.

What was accepted is run at least once, whatever becomes of this process: an attempt is counted
before it is made, and what had not ended is taken up at the next start. Each attempt is decided
anew, so that a retry after a roll-back runs the version that was rolled back to.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.controlplane.attempts import Policy, interrupted, result_of, unreached
from gateway.controlplane.invoking import Invoked, Invoking
from gateway.controlplane.limits import MAX_ASYNCHRONOUS_EVENT, check_event
from gateway.controlplane.problems import to_json
from gateway.core.entries import Target
from gateway.core.errors import (
    FunctionNotFound,
    GatewayError,
    QualifierNotFound,
    RoutingError,
)
from gateway.runtime.outcome import OK
from gateway.store.invocations import Invocation, InvocationEnded, Invocations, Status
from gateway.store.protocol import StateUnusable

FINISHED: Final[Status] = "FINISHED"
FAILED: Final[Status] = "FAILED"
ABORTED: Final[Status] = "ABORTED"


@dataclass(frozen=True, slots=True)
class Host:
    """What this process is given by the machine it runs on.

    Attributes:
        clock: Seconds since 1970.
        pause: Waits for so many seconds.
        process: The number of this process.
        alive: Whether the process of a number still is.
    """

    clock: Callable[[], float]
    pause: Callable[[float], Awaitable[object]]
    process: int
    alive: Callable[[int], bool]


class Asynchronous:
    """Runs asynchronous invocations beside everything else; `resume` begins, `close` ends.

    Args:
        invoking: Makes each attempt.
        table: Remembers the invocations.
        host: Clock, pauses, and whose the invocations are.
        tell: Is told what went wrong while nobody waited.
        policy: How often and how soon a failed one is tried again.

    Attributes:
        policy: The same.
    """

    def __init__(
        self,
        invoking: Invoking,
        table: Invocations,
        host: Host,
        tell: Callable[[GatewayError, str], None],
        policy: Policy | None = None,
    ) -> None:
        self._invoking = invoking
        self._table = table
        self._host = host
        self._tell = tell
        self.policy = policy or Policy()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._accepting: set[asyncio.Task[None]] = set()
        self._seats: dict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(self.policy.concurrency)
        )
        self._closed = False

    async def submit(
        self, target: Target, routing_key: Mapping[str, str] | None, event: object
    ) -> Invocation:
        """Accept an invocation, durably; it is run as soon as its function has a seat.

        Args:
            target: A function and a qualifier.
            routing_key: What rules see in place of headers.
            event: The event: JSON values.

        Raises:
            FunctionNotFound: There is no such function.
            QualifierNotFound: It has no such version and no such alias.
            EventTooLarge: The event has more than 128 KB.
            TooManyInvocations: Too many wait already.
            StateUnusable: It cannot be remembered.
        """
        function, qualifier = target
        entries = self._invoking.live.snapshot.entries.get(function)
        if entries is None:
            raise FunctionNotFound(function)
        if qualifier not in entries:
            raise QualifierNotFound(function, qualifier)
        check_event(len(to_json(event)), MAX_ASYNCHRONOUS_EVENT)
        invocation = Invocation(
            request_id=self._invoking.new_id(),
            function=function,
            qualifier=qualifier,
            routing_key=routing_key,
            event=event,
            at=self._host.clock(),
        )
        # Whoever asks may be cancelled; what is in the table by then is run all the same.
        accepting = asyncio.create_task(self._accept(invocation))
        self._accepting.add(accepting)
        accepting.add_done_callback(self._accepting.discard)
        await asyncio.shield(accepting)
        return replace(invocation, event=None)

    async def get(self, function: str, request_id: str) -> Invocation:
        """One invocation.

        Raises:
            InvocationNotFound: There is none.
        """
        return await self._table.get(function, request_id)

    async def listed(
        self, function: str, status: Status | None, before: str | None, limit: int
    ) -> list[Invocation]:
        """Invocations of a function, newest first.

        Raises:
            InvocationNotFound: There is none of the id in `before`.
        """
        return await self._table.listed(function, status, before, limit)

    async def abort(self, function: str, request_id: str) -> Invocation:
        """End an invocation that waits or runs; a thread that runs it cannot be stopped.

        Raises:
            InvocationNotFound: There is none.
            InvocationEnded: It has ended.
        """
        found = await self._table.get(function, request_id)
        if not await self._table.end(request_id, ABORTED, self._host.clock()):
            found = await self._table.get(function, request_id)
            raise InvocationEnded(request_id, found.status)
        task = self._tasks.get(request_id)
        if task is not None:
            task.cancel()
        return await self._table.get(found.function, request_id)

    async def resume(self) -> None:
        """Take up what was accepted and has not ended, this process's past and that of others.

        Raises:
            StateUnusable: The table cannot be read.
        """
        for found in await self._table.adopt(self._host.process, self._host.alive):
            self._start(found)

    async def close(self) -> None:
        """Let go of everything; what has not ended is taken up at the next start."""
        self._closed = True
        await asyncio.gather(*self._accepting, return_exceptions=True)
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _accept(self, invocation: Invocation) -> None:
        await self._table.add(invocation, self._host.process)
        self._start(invocation)

    def _start(self, invocation: Invocation) -> None:
        if self._closed:
            return
        request_id = invocation.request_id
        task = asyncio.create_task(self._see_through(invocation))
        self._tasks[request_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(request_id, None))

    async def _see_through(self, invocation: Invocation) -> None:
        """Make attempts, each in its time, until the invocation has ended."""
        due = invocation.retry_at
        try:
            while True:
                if due is not None:
                    # No longer than it was put off for: the clock may have been put back since.
                    longest = max(self.policy.delay, self.policy.busy_delay)
                    await self._host.pause(min(max(0.0, due - self._host.clock()), longest))
                async with self._seats[invocation.function]:
                    due = await self._attempt(invocation.request_id)
                if due is None:
                    return
        except StateUnusable as error:
            # It stays as it is in the table; the next start takes it up.
            self._tell(error, f"invocation {invocation.request_id}")

    async def _attempt(self, request_id: str) -> float | None:
        """Make one attempt; gives the moment of the next one."""
        begun = await self._table.begin(request_id)
        if begun is None:  # aborted meanwhile, perhaps by another process
            return None
        if begun.attempts > self.policy.retries + 1:
            await self._end(begun, FAILED, result_of(interrupted(begun, self._revision)))
            return None
        invoked = await self._invoked(begun)
        if invoked.status == OK:
            await self._end(begun, FINISHED, result_of(invoked))
            return None
        postponed = self.policy.postponed(begun, invoked.status, self._host.clock())
        if postponed is None:
            await self._end(begun, FAILED, result_of(invoked))
            return None
        await self._table.postpone(replace(postponed, result=result_of(invoked)))
        return postponed.retry_at

    async def _invoked(self, begun: Invocation) -> Invoked:
        target = Target(begun.function, begun.qualifier)
        try:
            return await self._invoking.invoke(
                target, begun.routing_key, begun.event, begun.request_id
            )
        except RoutingError as error:  # what it names was deleted since
            return unreached(error, begun.request_id, self._revision)

    @property
    def _revision(self) -> int:
        return self._invoking.live.snapshot.revision

    async def _end(self, begun: Invocation, status: Status, result: Mapping[str, Any]) -> None:
        await self._table.end(begun.request_id, status, self._host.clock(), result)
