"""Five hundred callers who trickle: what they cost in memory, and what others notice of them.

Two gateways are asked at the same time, far below what they can do, request by request in turn. One
of them has the slow callers, from another process, and the next round the other one; a slow caller
who is let go connects again at once. So whatever the machine does at a moment it does to both, and
whatever is special about one of them counts for both sides. The figures are the memory that all
slow ones together take, and the median over the rounds of the ratio of the 99th percentiles.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import click
import uvloop

from benchmarks.servers import Running, gateway_command, started

SLOW: Final = 500
ROUNDS: Final = 12
SECONDS: Final = 15.0
"""Of a round; longer than a head may take, so that slow callers are let go within it."""

CONNECTIONS: Final = 8
"""Good connections to each gateway."""

RATE: Final = 50.0
"""Requests a second on each of them: all together a fiftieth of what a gateway can answer."""

_LONGEST: Final = 30.0
"""Seconds until all slow callers have connected."""

_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser: Alice\r\n\r\n"
_KINDS: Final = (
    (b"GET /release/orders/42 HTTP/1.1\r\n", b"A"),  # a head
    (
        b"POST /release/orders/42 HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n",
        b"a",
    ),  # a body
    (b"", b""),  # nothing at all
)

Address = tuple[str, int]


async def trickle(address: Address, kind: tuple[bytes, bytes], begun: asyncio.Semaphore) -> None:
    """One byte a second, for ever; says once that it has begun."""
    head, piece = kind
    while True:
        _, writer = await asyncio.open_connection(*address)
        writer.write(head)
        begun.release()
        while not writer.transport.is_closing():
            await asyncio.sleep(1)
            writer.write(piece)


async def _trickle_all(address: Address, count: int, ready: Event) -> None:
    begun = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        for _, kind in zip(range(count), cycle(_KINDS), strict=False):
            group.create_task(trickle(address, kind, begun))
        for _ in range(count):
            await begun.acquire()
        ready.set()


def _run_slow(address: Address, count: int, ready: Event) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_trickle_all(address, count, ready))


@contextmanager
def slow_callers(address: Address, count: int) -> Iterator[None]:
    """So many slow callers in a process of their own, all of them connected.

    Raises:
        TimeoutError: They do not get through.
    """
    context = get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_run_slow, args=(address, count, ready))
    process.start()
    try:
        if not ready.wait(_LONGEST):
            raise TimeoutError(f"{count} slow callers did not connect in {_LONGEST:g} s")
        yield
    finally:
        process.terminate()
        process.join()


async def ask(address: Address, begin: float, count: int) -> list[float]:
    """Seconds that each of so many requests took, on one connection, at a fixed rate."""
    reader, writer = await asyncio.open_connection(*address)
    took = []
    for number in range(count):
        await asyncio.sleep(begin + number / RATE - perf_counter())
        sent = perf_counter()
        writer.write(_ASK)
        await reader.readuntil(b'"price": 20}')
        took.append(perf_counter() - sent)
    writer.close()
    return took


async def p99s(servers: tuple[Running, ...], seconds: float) -> list[float]:
    """Of each server the 99th percentile in milliseconds, while all are asked alike."""
    now, gap = perf_counter() + 0.1, 1 / RATE / CONNECTIONS / len(servers)
    turns = [(each, server) for each in range(CONNECTIONS) for server in servers]
    took = await asyncio.gather(
        *(
            ask(server.address, now + number * gap, int(seconds * RATE))
            for number, (_, server) in enumerate(turns)
        )
    )
    found: dict[str, list[float]] = {server.name: [] for server in servers}
    for (_, server), seconds_taken in zip(turns, took, strict=True):
        found[server.name] += seconds_taken
    return [quantiles(each, n=100)[98] * 1e3 for each in found.values()]


def _bytes(server: Running) -> int:
    return int(server.process.memory_info().rss)


def measure(
    servers: tuple[Running, Running], slow: int, rounds: int, seconds: float
) -> tuple[list[tuple[float, float]], float]:
    """The percentiles of each round, without and with the slow ones, and their memory in MB."""
    pairs, grown = [], 0.0
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(p99s(servers, min(seconds, 2.0)))
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            alone, beset = servers if number % 2 else servers[::-1]
            before = _bytes(beset) - _bytes(alone)
            with slow_callers(beset.address, slow):
                pair = runner.run(p99s((alone, beset), seconds))
                # What the good ones leave behind, in the log for one, both have.
                grown = max(grown, _bytes(beset) - _bytes(alone) - before)
            pairs.append((pair[0], pair[1]))
    return pairs, grown / 1e6


@click.command()
@click.option("--slow", type=click.IntRange(1), default=SLOW, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True)
@click.option("--seconds", type=click.FloatRange(0.1), default=SECONDS, show_default=True)
def main(slow: int, rounds: int, seconds: float) -> None:
    """Print the figures."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        commands = [[*gateway_command(Path(each)), "--state", ":memory:"] for each in (one, other)]
        with started("one", commands[0]) as first, started("other", commands[1]) as second:
            pairs, grown = measure((first, second), slow, rounds, seconds)
    ratios = sorted(beset / alone for alone, beset in pairs)
    print(f"{slow} slow connections, {rounds} rounds of {seconds:g} s, two gateways in turn")
    print(f"  memory for all of them   {grown:5.1f} MB")
    print(f"  p99 of good requests     {median(a for a, _ in pairs):5.2f} ms without them,", end="")
    print(f" {median(s for _, s in pairs):5.2f} ms with them")
    print(f"  ratio in a round         {median(ratios):5.2f}, from {ratios[0]:.2f}", end="")
    print(f" to {ratios[-1]:.2f}")


if __name__ == "__main__":
    main()
