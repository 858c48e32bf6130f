"""What several processes answered, seen as one: how soon, how exactly, and what a kill costs.

A gateway with two workers, and two nodes on a PostgreSQL server of their own. Callers' own counts
are the truth; a control plane that has answered nothing itself is asked.

    python -m benchmarks.seen_together [--times 100] [--requests 100000] [--kills 10]
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

from benchmarks.client import send
from benchmarks.databases import Database
from benchmarks.nodes import cluster
from benchmarks.servers import Running, shop_command, started
from benchmarks.steering import Line, milliseconds
from benchmarks.workers_lost import Losing, name_is_new, parts_of, until

_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_LOOK: Final = 0.005
_SETTLED: Final = 2.0
"""Seconds after which nothing is on its way any more: several times what a word takes."""

_GROWN: Final = 4.0
"""Seconds in which a worker is started and has a share of the callers."""


async def told(control: Line, path: str = "/api/metrics") -> Any:  # noqa: ANN401 - JSON
    """What a control plane answers."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    status, _, body = await control.send(request.encode())
    if status != 200:
        raise RuntimeError(f"{path} was answered {status}: {body!r}")
    return json.loads(body)


async def delays(server: Running, asked: Running, times: int) -> list[float]:
    """Seconds from an answer of one process until another one tells of it."""
    caller, control, dice = await Line.to(server.address), await Line.to(asked.control), Random(3)
    found = []
    for _ in range(times):
        await asyncio.sleep(dice.random())
        before = (await told(control))["answered"]
        await caller.send(_ASK)
        began = perf_counter()
        while (await told(control))["answered"] == before:  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(_LOOK)
        found.append(perf_counter() - began)
    await caller.close()
    await control.close()
    return found


async def missing(servers: Sequence[Running], requests: int) -> tuple[int, int]:
    """How many of so many answers the counters and the course over time do not have."""
    control = await Line.to(servers[0].control)
    before = await counted(control)
    await asyncio.gather(
        *(send(each.address, _ASK, requests // len(servers), 16) for each in servers)
    )
    await asyncio.sleep(_SETTLED)
    after = await counted(control)
    await control.close()
    every = requests // len(servers) * len(servers)
    return every - (after[0] - before[0]), every - (after[1] - before[1])


async def counted(control: Line) -> tuple[int, int]:
    """Answers in the counters, and in the course over time."""
    counters = (await told(control))["answered"]
    course = (await told(control, "/api/metrics/course?window=900"))["versions"]
    return counters, sum(number for row in course for number in row["requests"])


async def uncounted(losing: Losing, kills: int) -> tuple[int, float]:
    """Answers in no counter after workers were killed under load; how many there were a second."""
    control = await Line.to(losing.server.control)
    before, rates = (await told(control))["answered"], []
    async with losing.asked():
        for number in range(kills):
            await asyncio.sleep(_GROWN)  # the one that took a dead one's place answers as well
            answered = losing.result.answered
            await asyncio.sleep(1)
            rates.append(losing.result.answered - answered)
            victim = parts_of(losing.server)[f"worker-{number % 2 + 1}"]
            victim.kill()
            await until(partial(name_is_new, losing.server, victim))
        await asyncio.sleep(_GROWN)
    await asyncio.sleep(_SETTLED)
    after = (await told(control))["answered"]
    await control.close()
    return losing.result.answered - int(after - before), sum(rates) / kills


def _workers(given: argparse.Namespace) -> None:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        command = [*shop_command(Path(folder)), "--workers", "2", "--no-watch"]
        server = stack.enter_context(started("gateway", command))
        print("two workers, asked is the control process")
        print(f"  until it tells  {milliseconds(asyncio.run(delays(server, server, given.times)))}")
        counters, course = asyncio.run(missing([server], given.requests))
        print(f"  of {given.requests:,} answers missing: counters {counters}, course {course}")
        losing = Losing(command, stack, server)
        lost, rate = asyncio.run(uncounted(losing, given.kills))
        each = lost / given.kills
        print(
            f"  workers killed {given.kills} times: {each:,.0f} answers not counted each time,"
            f" of {rate:,.0f} a second by both"
        )


def _nodes(given: argparse.Namespace) -> None:
    database = Database()
    try:
        with TemporaryDirectory() as folder, cluster(Path(folder), database.url, 2) as nodes:
            print("two nodes on PostgreSQL, asked is the other one")
            found = asyncio.run(delays(nodes[1], nodes[0], given.times))
            print(f"  until it tells  {milliseconds(found)}")
            counters, course = asyncio.run(missing(nodes, given.requests))
            print(f"  of {given.requests:,} answers missing: counters {counters}, course {course}")
    finally:
        database.close()


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=100)
    options.add_argument("--requests", type=int, default=100_000)
    options.add_argument("--kills", type=int, default=10)
    given = options.parse_args()
    _workers(given)
    _nodes(given)


if __name__ == "__main__":
    main()
