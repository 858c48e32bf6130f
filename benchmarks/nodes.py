"""Several nodes on one database: how soon a change is live on all, and what an outage loses.

A node counts as reached when it answers its own callers by the revision, and not when it says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from benchmarks.databases import Database
from benchmarks.nodes_judged import Outcome, change, disordered, missing
from benchmarks.servers import Running, shop_command, started
from benchmarks.steering import Line, milliseconds

_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_PAUSE: Final = 0.001  # between two looks at one node


@contextmanager
def cluster(folder: Path, url: str, count: int) -> Iterator[list[Running]]:
    """So many nodes on one database."""
    command = node_command(folder, url)
    with ExitStack() as stack:
        yield [stack.enter_context(started(f"node {n}", command)) for n in range(count)]


def node_command(folder: Path, url: str) -> list[str]:
    """A command that serves one function with four versions, and remembers in a database."""
    return [*shop_command(folder), "--no-watch", "--state", url]


async def revision_of(line: Line) -> int:
    """The revision by which a node answers its callers now."""
    status, headers, _ = await line.send(_ASK)
    if status != 200:
        raise RuntimeError(f"a caller was answered {status}")
    return int(headers["x-gateway-revision"])


async def reached(line: Line, revision: int) -> float:
    """The moment at which a node answers its callers by a revision, or a later one."""
    while True:  # nobody but the node can tell, and it tells only who asks
        if await revision_of(line) >= revision:
            return perf_counter()
        await asyncio.sleep(_PAUSE)


async def spread(nodes: Sequence[Running], changes: int) -> tuple[list[float], list[float]]:
    """Seconds until a change is live on all nodes: since it was asked for, and acknowledged."""
    controls = [await Line.to(node.control) for node in nodes]
    callers = [await Line.to(node.address) for node in nodes]
    asked: list[float] = []
    acknowledged: list[float] = []
    for number in range(changes):
        one = await change(controls[number % len(nodes)], f"spread {number}")
        everywhere = max(await asyncio.gather(*(reached(each, one.revision) for each in callers)))
        asked.append(everywhere - one.began)
        acknowledged.append(max(0.0, everywhere - one.ended))
    for line in (*controls, *callers):
        await line.close()
    return asked, acknowledged


class Trouble:
    """Nodes under load and under change while somebody does harm.

    Args:
        nodes: The nodes.
        writers: How many ask for changes at each node.
    """

    def __init__(self, nodes: Sequence[Running], writers: int = 2) -> None:
        self.outcome = Outcome()
        self._nodes = nodes
        self._writers = writers
        self._over = False
        self._accepted = asyncio.Event()

    async def outage(self, database: Database, before: float, away: float, after: float) -> Outcome:
        """Stop the database for a while, in the middle of everything."""
        async with asyncio.TaskGroup() as group:
            for index, node in enumerate(self._nodes):
                group.create_task(self._call(node))
                for number in range(self._writers):
                    group.create_task(self._write(node, f"{index}-{number}"))
            await asyncio.sleep(before)
            await asyncio.to_thread(database.stop)
            await asyncio.sleep(away)
            await asyncio.to_thread(database.start)
            self.outcome.caught_up.append(await self._caught_up(perf_counter()))
            await asyncio.sleep(after)
            self._over = True
        return self.outcome

    async def _caught_up(self, since: float) -> float:
        """Seconds until a change is accepted again, and live on all nodes."""
        self._accepted.clear()
        await self._accepted.wait()
        revision = self.outcome.accepted[-1].revision
        lines = [await Line.to(node.address) for node in self._nodes]
        ends = await asyncio.gather(*(reached(line, revision) for line in lines))
        for line in lines:
            await line.close()
        return max(ends) - since

    async def _call(self, node: Running) -> None:
        line = await Line.to(node.address)
        while not self._over:
            try:
                await revision_of(line)
                self.outcome.answers += 1
            except (OSError, EOFError, RuntimeError) as error:
                self.outcome.lost.append(repr(error))
                line = await Line.to(node.address)
            await asyncio.sleep(_PAUSE)
        await line.close()

    async def _write(self, node: Running, name: str) -> None:
        line, number = await Line.to(node.control), 0
        while not self._over:
            number += 1
            try:
                self.outcome.accepted.append(await change(line, f"{name} {number}"))
                self._accepted.set()
            except (OSError, EOFError, RuntimeError):
                self.outcome.refused += 1
                with suppress(OSError):
                    await line.close()
                    line = await Line.to(node.control)
                await asyncio.sleep(0.02)
        await line.close()


async def contended(nodes: Sequence[Running], clients: int, changes: int) -> Outcome:
    """So many changes by clients that are spread over the nodes, as fast as each is answered."""
    outcome = Outcome()

    async def client(number: int) -> None:
        line = await Line.to(nodes[number % len(nodes)].control)
        for each in range(changes // clients):
            try:
                outcome.accepted.append(await change(line, f"c{number} {each}"))
            except RuntimeError:
                outcome.refused += 1
        await line.close()

    await asyncio.gather(*map(client, range(clients)))
    return outcome


def main() -> None:
    """Print what happened."""
    for step in (_spread, _outage):
        database = Database()
        try:
            step(database)
        finally:
            database.close()


def _spread(database: Database) -> None:
    url = database.space()
    with TemporaryDirectory() as folder, cluster(Path(folder), url, 3) as nodes:
        asked, acknowledged = asyncio.run(spread(nodes, 1_000))
        print("1,000 changes through 3 nodes in turn, until live on all")
        print(f"  from asking           {milliseconds(asked)}, most {max(asked) * 1000:.1f} ms")
        print(f"  from acknowledgement  {milliseconds(acknowledged)}")
        outcome = asyncio.run(contended(nodes[:2], 8, 10_000))
    accepted = outcome.accepted
    print(f"8 clients on 2 nodes: accepted {len(accepted):,}, refused {outcome.refused}")
    print(f"  lost {len(missing(url, accepted))}, out of order {len(disordered(accepted))}")


def _outage(database: Database) -> None:
    url = database.space()
    with TemporaryDirectory() as folder, cluster(Path(folder), url, 3) as nodes:
        outcome = asyncio.run(Trouble(nodes).outage(database, 3, 30, 3))
    accepted = outcome.accepted
    print("PostgreSQL stopped for 30 s under load, 3 nodes")
    print(f"  answered {outcome.answers:,}, lost {len(outcome.lost)}")
    print(f"  changes acknowledged {len(accepted):,}, refused {outcome.refused:,}")
    print(f"  lost {len(missing(url, accepted))}, out of order {len(disordered(accepted))}")
    print(f"  caught up {outcome.caught_up[0]:.2f} s after it answered again")


if __name__ == "__main__":
    main()
