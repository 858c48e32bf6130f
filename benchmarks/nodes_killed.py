"""Nodes and their database, killed in the middle of changes, again and again: none is lost.

After each kill a new node is started, and must agree with the one that was there all the time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.databases import Database
from benchmarks.nodes import node_command
from benchmarks.nodes_judged import Outcome, change, disordered, missing
from benchmarks.servers import Running, started
from benchmarks.steering import ALIAS, Line

_PAUSE: Final = 0.001  # between two looks at two nodes


class Kills:
    """Nodes and their database, killed again and again in the middle of changes.

    Args:
        folder: Where the nodes live.
        database: Their database.
        seed: Makes the moments repeatable, as far as a machine is.
    """

    def __init__(self, folder: Path, database: Database, seed: int) -> None:
        self.outcome = Outcome()
        self._database = database
        self._url = database.space()
        self._command = node_command(folder, self._url)
        self._dice = random.Random(seed)
        self._round = 0

    async def run(self, times: int) -> list[str]:
        """Kill so many; gives what went wrong."""
        with ExitStack() as stack:
            steady = stack.enter_context(started("steady node", self._command))
            wrong: list[str] = []
            for self._round in range(times):
                with started("killed node", self._command) as other:
                    await self._until_killed(steady, other)
                wrong += await self._diverged(steady)
        accepted = self.outcome.accepted
        return [*wrong, *missing(self._url, accepted), *disordered(accepted)]

    async def _until_killed(self, steady: Running, other: Running) -> None:
        stop = asyncio.Event()
        writing = [
            asyncio.create_task(self._write(node, stop, f"r{self._round} n{index}"))
            for index, node in enumerate((steady, other))
        ]
        await asyncio.sleep(self._dice.uniform(0.02, 0.15))
        if self._round % 2:
            await asyncio.to_thread(self._database.kill)
            await asyncio.to_thread(self._database.start)
        else:
            other.process.kill()
        stop.set()
        await asyncio.gather(*writing)

    async def _write(self, node: Running, stop: asyncio.Event, name: str) -> None:
        line, number = await Line.to(node.control), 0
        with suppress(OSError, EOFError):
            while not stop.is_set():
                number += 1
                try:
                    self.outcome.accepted.append(await change(line, f"{name} {number}"))
                except RuntimeError:  # the database is away
                    self.outcome.refused += 1
                    await line.close()
                    line = await Line.to(node.control)
        await line.close()

    async def _diverged(self, steady: Running) -> list[str]:
        """Whether a node that starts now and one that was there all the time differ."""
        with started("new node", self._command) as fresh:
            lines = [await Line.to(node.control) for node in (steady, fresh)]
            try:
                async with asyncio.timeout(10):
                    return await self._compared(lines)
            except TimeoutError:
                return [f"round {self._round}: the nodes do not agree within 10 seconds"]
            finally:
                for line in lines:
                    await line.close()

    async def _compared(self, lines: Sequence[Line]) -> list[str]:
        ask = f"GET {ALIAS} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
        while True:
            (_, first, one), (_, second, two) = [await line.send(ask) for line in lines]
            if first["etag"] == second["etag"]:
                return [] if one == two else [f"round {self._round}: {one!r} is not {two!r}"]
            await asyncio.sleep(_PAUSE)


def main() -> None:
    """Print what happened."""
    database = Database()
    try:
        with TemporaryDirectory() as folder:
            kills = Kills(Path(folder), database, seed=1)
            wrong = asyncio.run(kills.run(200))
    finally:
        database.close()
    print("200 kills: 100 of a node, 100 of PostgreSQL")
    print(f"  changes acknowledged {len(kills.outcome.accepted):,}")
    print(f"  lost, out of order or diverged {len(wrong)}")
    for line in wrong[:5]:
        print(f"  {line}")


if __name__ == "__main__":
    main()
