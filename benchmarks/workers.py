"""Workers: how soon a change is live in all of them, what a second one adds, what each one takes.

A worker counts as reached when it answers a caller by the revision. Throughput is a ratio of
neighbouring rounds, load generator included: on a machine with two cores the two workers and who
asks them share these.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import psutil
import uvloop

from benchmarks.client import send
from benchmarks.nodes import reached
from benchmarks.servers import Running, shop_command, started
from benchmarks.steering import ALIAS, Line, milliseconds
from benchmarks.workers_lost import parts_of

CHANGES: Final = 1_000
ROUNDS: Final = 9
REQUESTS: Final = 20_000
CONNECTIONS: Final = 32

_PID: Final = """
import os

async def main_handler(event, context):
    return {"statusCode": 200, "headers": {"X-Who": str(os.getpid())}, "body": "{}"}
"""
_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def serving(workers: int) -> Iterator[Running]:
    """A gateway with so many workers, whose answers tell who gave them."""
    with TemporaryDirectory() as folder:
        command = [*shop_command(Path(folder)), "--no-watch", "--workers", str(workers)]
        for index in Path(folder).glob("orders/*/index.py"):
            index.write_text(_PID)
        with started("gateway", command) as server:
            yield server


async def lines_to_all(server: Running, workers: int) -> list[Line]:
    """A connection to each worker."""
    found: dict[str, Line] = {}
    while len(found) < workers:
        line = await Line.to(server.address)
        _, headers, _ = await line.send(_ASK)
        found.setdefault(headers["x-who"], line)
    return list(found.values())


async def live(server: Running, workers: int, changes: int) -> tuple[list[float], list[float]]:
    """Seconds from asking for a change, and from its acknowledgement, until all answer by it."""
    control, lines = await Line.to(server.control), await lines_to_all(server, workers)
    asked, acknowledged = [], []
    for number in range(changes):
        began = perf_counter()
        answer = await control.change("PUT", ALIAS, {"version": "1234"[number % 4]})
        done = perf_counter()
        ends = await asyncio.gather(*(reached(line, answer["revision"]) for line in lines))
        asked.append(max(ends) - began)
        acknowledged.append(max(ends) - done)
    return asked, acknowledged


def rate(server: Running) -> float:
    """Requests a second, over one round."""
    began = perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send(server.address, _ASK, REQUESTS, CONNECTIONS))
    return REQUESTS / (perf_counter() - began)


def throughput() -> tuple[list[float], float]:
    """Medians with one process and with two workers, and that of the ratios of rounds in turn."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(workers)) for workers in (1, 2)]
        turns = [[rate(server) for server in servers] for _ in range(ROUNDS + 1)][1:]
    ratio = median(two / one for one, two in turns)
    return [median(each) for each in zip(*turns, strict=True)], ratio


def memory(server: Running) -> Sequence[tuple[str, float, float]]:
    """Megabytes of each process: all that it maps, and what only it does."""
    found = [("supervisor", server.process), *sorted(parts_of(server).items())]
    return [(name, *_megabytes(process)) for name, process in found]


def _megabytes(process: psutil.Process) -> tuple[float, float]:
    taken = process.memory_full_info()
    return taken.rss / 1e6, taken.uss / 1e6


def main() -> None:
    """Print the figures."""
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else CHANGES
    for workers in (2, 4):
        with serving(workers) as server:
            taken = memory(server)
            asked, acknowledged = asyncio.run(live(server, workers, changes))
        print(f"a change until all of {workers} workers answer by it, {changes:,} times")
        print(f"  from asking           {milliseconds(asked)}")
        print(f"  from acknowledgement  {milliseconds(acknowledged)}")
        for name, resident, own in taken:
            print(f"  {name:20}  {resident:5.1f} MB, of which its own {own:5.1f}")
    (one, two), ratio = throughput()
    print(f"{CONNECTIONS} connections, {ROUNDS} rounds of {REQUESTS:,} requests in turn")
    print(f"  one process {one:,.0f}/s, two workers {two:,.0f}/s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
