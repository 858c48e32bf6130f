"""A gateway with workers under load while everything that may happen to it happens: what is lost.

Aliases move and roll back, workers are replaced, gateways take over from one another on one port;
then processes are killed. Callers keep their connections and go elsewhere only when an answer says
so; some connect for each request.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil

from benchmarks.draining import Lost, call
from benchmarks.servers import Running, shop_command, started
from benchmarks.steering import ALIAS, Line

KEPT: Final = 14
SINGLE: Final = 2
REQUESTS: Final = 200_000
_STEPS: Final = ["swap"] * 50 + ["roll back"] * 20 + ["replace"] * 5 + ["take over"] * 3
_LOOK: Final = 0.01  # seconds between two looks at processes
_LONGEST: Final = 60.0


def parts_of(server: Running) -> dict[str, psutil.Process]:
    """The processes of a gateway by name; of one that is being replaced, the newer one."""
    found = {}
    for process in sorted(server.process.children(), key=psutil.Process.create_time):
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if "gateway.cli.serve_part" in line:
            found[line[-2]] = process
    return found


async def until(there: Callable[[], bool]) -> None:
    """Wait for something that only looking tells."""
    async with asyncio.timeout(_LONGEST):
        while not there():  # noqa: ASYNC110 - of processes nobody tells
            await asyncio.sleep(_LOOK)


@dataclass(slots=True)
class Losing:
    """A gateway, its successors, and their callers.

    Attributes:
        command: Starts a gateway.
        stack: Ends what was started.
        server: The gateway that answers.
        result: What its callers saw.
    """

    command: list[str]
    stack: ExitStack
    server: Running
    result: Lost = field(default_factory=Lost)

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[None]:
        """While callers ask."""
        over, port = asyncio.Event(), self.server.address[1]
        callers = [
            asyncio.create_task(call(port, self.result, over, kept=number < KEPT))
            for number in range(KEPT + SINGLE)
        ]
        yield
        over.set()
        await asyncio.gather(*callers)

    async def run(self, steps: list[str], requests: int) -> None:
        """Do the steps, spread over so many requests."""
        async with self.asked():
            for number, step in enumerate(steps, 1):
                await self.answered(requests * number // (len(steps) + 1))
                await self._do(step, number)
            await self.answered(requests)

    async def answered(self, count: int) -> None:
        """Wait for so many answers."""
        await until(lambda: self.result.answered >= count)

    async def _do(self, step: str, number: int) -> None:
        if step == "replace":
            before = {process.pid for process in parts_of(self.server).values()}
            self.server.process.send_signal(signal.SIGHUP)
            await until(lambda: self._all_new(before))
        elif step == "take over":
            await self._take_over()
        else:
            line = await Line.to(self.server.control)
            if step == "swap":
                await line.change("PUT", ALIAS, {"version": "1234"[number % 4]})
            else:
                await line.change("POST", f"{ALIAS}/rollback", {})
            await line.close()

    def _all_new(self, before: set[int]) -> bool:
        now = {process.pid for process in self.server.process.children()}
        return len(now) == len(before) and not now & before

    async def _take_over(self) -> None:
        old = self.server
        ports = ["--port", str(old.address[1]), "--control-port", str(old.control[1])]
        command = [*self.command, *ports]
        self.server = await asyncio.to_thread(
            lambda: self.stack.enter_context(started("gateway", command))
        )
        old.process.terminate()
        await asyncio.to_thread(old.process.wait, 60)


async def killed(losing: Losing, name: str, times: int) -> int:
    """Kill one of the processes again and again while callers ask; it is there again each time.

    Returns:
        How many connections the killed ones had: each caller waits for an answer all the time.
    """
    held = 0
    async with losing.asked():
        for number in range(times):
            await losing.answered(losing.result.answered + 2_000)
            victim = parts_of(losing.server)[name.format(number % 2 + 1)]
            victim.suspend()
            held += held_by(victim, losing.server)
            victim.kill()
            await until(partial(name_is_new, losing.server, victim))
        await losing.answered(losing.result.answered + 2_000)
    return held


def held_by(process: psutil.Process, server: Running) -> int:
    """How many callers a process has."""
    ours = (each for each in process.net_connections("tcp") if each.status == "ESTABLISHED")
    return sum(each.laddr[1] == server.address[1] for each in ours)


def name_is_new(server: Running, victim: psutil.Process) -> bool:
    """Whether a gateway has all its processes again, and a dead one is not among them."""
    parts = parts_of(server)
    return len(parts) == 3 and victim.pid not in {part.pid for part in parts.values()}


def say(title: str, result: Lost) -> None:
    """Print what callers saw."""
    print(title)
    print(f"  answered {result.answered:,}, of which told to go {result.told}")
    print(f"  lost     {len(result.lost)}")
    for line in result.lost[:5]:
        print(f"  {line}")


def main() -> None:
    """Print what happened."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    steps = random.Random(5).sample(_STEPS, len(_STEPS))
    with TemporaryDirectory() as folder, ExitStack() as stack:
        command = [*shop_command(Path(folder)), "--reuse-port", "--workers", "2", "--no-watch"]
        losing = Losing(command, stack, stack.enter_context(started("gateway", command)))
        asyncio.run(losing.run(steps, requests))
        say("50 swaps, 20 roll-backs, 5 times both workers replaced, 3 take-overs", losing.result)
        for name, times in (("worker-{}", 10), ("control", 5)):
            again = Losing(command, stack, losing.server)
            held = asyncio.run(killed(again, name, times))
            say(f"{name.format('N')} killed {times} times with {held} callers", again.result)


if __name__ == "__main__":
    main()
