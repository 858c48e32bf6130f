"""Nodes that are killed and started again, or stopped for a while; a database that goes away."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final

from benchmarks.databases import Database
from benchmarks.servers import Running, started

FAULTS: Final[Mapping[str, str]] = {
    "kill": "node killed",
    "pause": "node stopped and continued",
    "cut": "connections of the database ended",
    "restart": "PostgreSQL restarted",
    "crash": "PostgreSQL killed",
}
"""Every kind of harm, and what a report calls it."""

_CUT: Final = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND random() < 0.7
"""


class Node:
    """A node that may be killed and started again; each time it is another process.

    Args:
        name: What it is called.
        command: What starts it.
    """

    def __init__(self, name: str, command: list[str]) -> None:
        self._name = name
        self._command = command
        self._stack = ExitStack()
        self._running: Running | None = None
        self._times = 0

    @property
    def running(self) -> Running:
        """Its process."""
        assert self._running is not None
        return self._running

    @property
    def name(self) -> str:
        """The process that answers now."""
        return f"{self._name}, process {self._times}"

    @property
    def control(self) -> tuple[str, int]:
        """Where its control plane is."""
        return self.running.control

    def start(self) -> None:
        """Start it."""
        self._running = self._stack.enter_context(started(self._name, self._command))
        self._times += 1

    def kill(self) -> None:
        """End it without a warning."""
        self.running.process.kill()
        self._stack.close()

    def close(self) -> None:
        """End it, whatever state it is in."""
        self._stack.close()


class Faults:
    """Does harm at random moments until it is told to stop.

    Args:
        nodes: The nodes.
        database: Their database.
        seed: Makes the moments repeatable, as far as a machine is.
        pause: Seconds between two faults, at least and at most.
        kinds: Which.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        database: Database,
        seed: int,
        pause: tuple[float, float] = (2.0, 8.0),
        kinds: Sequence[str] = tuple(FAULTS),
    ) -> None:
        self.done: Counter[str] = Counter()
        self._nodes = nodes
        self._database = database
        self._dice = random.Random(seed)
        self._pause = pause
        self._kinds = kinds
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Do harm, once at least; whatever was ended is there again when it returns."""
        harm: Mapping[str, Callable[[], Awaitable[None]]] = {
            "kill": self._kill,
            "pause": self._stop_for_a_while,
            "cut": self._cut,
            "restart": self._restart,
            "crash": self._crash,
        }
        while True:
            for name in self._dice.sample(self._kinds, len(self._kinds)):
                await harm[name]()
                self.done[name] += 1
                if await self._told(self._dice.uniform(*self._pause)):
                    return

    def stop(self) -> None:
        """No more of it."""
        self._over.set()

    async def _told(self, seconds: float) -> bool:
        """Wait; whether it is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    async def _kill(self) -> None:
        node = self._dice.choice(self._nodes)
        await asyncio.to_thread(node.kill)
        await asyncio.to_thread(node.start)

    async def _stop_for_a_while(self) -> None:
        process = self._dice.choice(self._nodes).running.process
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(self._dice.uniform(0.1, 3.0))
        process.send_signal(signal.SIGCONT)

    async def _cut(self) -> None:
        for _ in range(self._dice.randint(1, 5)):
            await asyncio.to_thread(self._database.execute, _CUT)
            await asyncio.sleep(self._dice.uniform(0, 0.05))

    async def _restart(self) -> None:
        await asyncio.to_thread(self._database.stop)
        await asyncio.to_thread(self._database.start)

    async def _crash(self) -> None:
        await asyncio.to_thread(self._database.kill)
        await asyncio.to_thread(self._database.start)
