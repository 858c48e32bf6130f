"""Faults as they happen: drawn after the decision, before the handler; seen in the answer.

A version without a fault and without a breaker costs nothing here: its plan keeps the runner, and
nobody is asked. Each version with a fault has dice of its own, so that no other traffic moves them.
A breaker is asked first, and counts injected errors like all others: that is how one is rehearsed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import Random
from typing import Final, Protocol

from gateway.core.faults import Dice, Drawn, Fault
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Function
from gateway.dataplane.answer import line
from gateway.dataplane.breakers import Breakers, Shut, Ticket
from gateway.live import Live
from gateway.runtime import Outcome
from gateway.runtime.outcome import failed, timed_out

INJECTED: Final = "fault injected"
"""What the error of a request says that was made to fail."""

Pause = Callable[[float], Awaitable[object]]
"""Waits for some seconds."""


class Runner(Protocol):
    """Runs one version."""

    def invoke(self, event: object, request_id: str) -> Awaitable[Outcome]:
        """Run the handler once; a failure is an outcome, not an exception."""


class Runners(Protocol):
    """Knows how to run versions."""

    def runner(self, version: FunctionVersion) -> Runner:
        """The runner of a version."""

    def running(self, function: str) -> int:
        """How many invocations of a function run."""


class Touched:
    """Runs one version for one request that its fault touches.

    Args:
        runner: Runs the version.
        drawn: What becomes of the request.
        limit: Seconds that an invocation of the version may take.
        pause: Waits.

    Attributes:
        ticket: Tells the breaker how the request ended; `None` where there is none.
    """

    __slots__ = ("_drawn", "_limit", "_pause", "_runner", "ticket")

    def __init__(self, runner: Runner, drawn: Drawn, limit: float, pause: Pause) -> None:
        self._runner = runner
        self._drawn = drawn
        self._limit = limit
        self._pause = pause
        self.ticket: Ticket | None = None

    @property
    def said(self) -> bytes:
        """The header line that tells what was done to the request."""
        status, latency = self._drawn
        told = [f"latency={latency:.3f}"] if latency else []
        return line("x-gateway-fault", ", ".join(told + ([f"error={status}"] if status else [])))

    async def begin(self, request_id: str) -> Outcome | None:
        """Wait, and fail in the handler's place; `None` where the handler is to run."""
        status, latency = self._drawn
        if latency:
            await self._pause(min(latency, self._limit))
        if latency >= self._limit:
            return replace(timed_out(self._limit, request_id), seconds=self._limit)
        return replace(failed(status, INJECTED, request_id), seconds=latency) if status else None

    async def invoke(self, event: object, request_id: str) -> Outcome:
        """Run the handler once, unless the request was made to fail before."""
        outcome = await self.begin(request_id)
        if outcome is not None:
            return outcome
        outcome = await self._runner.invoke(event, request_id)
        return replace(outcome, seconds=outcome.seconds + self._drawn.latency)


class Invoker(Protocol):
    """Knows how to run versions."""

    def runner(self, version: FunctionVersion) -> Runner:
        """The runner of a version."""

    def running(self, function: str) -> int:
        """How many invocations of a function run."""

    def touch(self, function: Function, number: str) -> Touched | Shut | Ticket | None:
        """What runs a version for one request that its fault touches, or its breaker counts."""


class Faults:
    """Runs versions, and gets wrong what it is told to.

    Args:
        runtime: Runs versions.
        live: Holds the faults of versions that are invoked without a plan.
        seed: Equal seeds touch the same requests of a version.
        pause: Waits.
        breakers: Keep the circuits of versions.
    """

    def __init__(
        self, runtime: Runners, live: Live, seed: int, pause: Pause, breakers: Breakers
    ) -> None:
        self._runtime = runtime
        self._live = live
        self._seed = seed
        self._pause = pause
        self.breakers = breakers
        self._dice: dict[tuple[str, str], Dice] = {}

    def runner(self, version: FunctionVersion) -> Runner:
        """What invokes a version when nothing goes wrong."""
        return self._runtime.runner(version)

    def running(self, function: str) -> int:
        """How many invocations of a function run, those that nobody waits for any more too."""
        return self._runtime.running(function)

    def touch(self, function: Function, number: str) -> Touched | Shut | Ticket | None:
        """What becomes of one request; `None` where nothing is done to it and nobody counts it."""
        version, ticket = function.versions[number], None
        if function.breaker is not None:
            asked = self.breakers.ask(function.breaker, version)
            if isinstance(asked, Shut):
                return asked
            ticket = asked
        touched = self._drawn(function.faults.get(number), version)
        if touched is None:
            return ticket
        touched.ticket = ticket
        return touched

    async def invoke(self, version: FunctionVersion, event: object, request_id: str) -> Outcome:
        """Run a version once, as the live snapshot says that it runs."""
        function = self._live.snapshot.functions.get(version.function)
        fault = function.faults.get(version.number) if function else None
        runner = self._drawn(fault, version) or self.runner(version)
        return await runner.invoke(event, request_id)

    def _drawn(self, fault: Fault | None, version: FunctionVersion) -> Touched | None:
        """Draw for one request; `None` where the fault leaves it alone."""
        drawn = None if fault is None else fault.draw(self._dice_of(version))
        if drawn is None or not any(drawn):
            return None
        return Touched(self.runner(version), drawn, version.configuration.timeout, self._pause)

    def _dice_of(self, version: FunctionVersion) -> Dice:
        key = (version.function, version.number)
        known = self._dice.get(key)
        if known is None:
            seed = "/".join(("fault", str(self._seed), *key))
            known = self._dice[key] = Random(seed).random  # noqa: S311 - to repeat is the purpose
        return known
