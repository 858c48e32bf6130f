"""Five hundred callers who trickle: what they cost in memory, and what others notice of them.

One gateway, whose callers come in turn with the slow ones and without them; a slow caller who is
let go connects again at once. The figures are the memory that all of them together take, and the
median over the rounds of the ratio of the 99th percentiles of everybody else.
"""

from __future__ import annotations

import asyncio
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from benchmarks.servers import Running, gateway_command, started

SLOW: Final = 500
ROUNDS: Final = 9
REQUESTS: Final = 4_000
CONNECTIONS: Final = 4
PACE: Final = 0.002
"""Seconds between the requests of a good connection: p99 is one of a server that is not full."""

_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser: Alice\r\n\r\n"
_KINDS: Final = (
    (b"GET /release/orders/42 HTTP/1.1\r\n", b"A"),  # a head
    (
        b"POST /release/orders/42 HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n",
        b"a",
    ),  # a body
    (b"", b""),  # nothing at all
)


async def trickle(address: tuple[str, int], begun: bytes, piece: bytes) -> None:
    """One byte a second, for ever."""
    while True:
        _, writer = await asyncio.open_connection(*address)
        writer.write(begun)
        while not writer.transport.is_closing():
            await asyncio.sleep(1)
            writer.write(piece)


async def ask(address: tuple[str, int], count: int) -> list[float]:
    """Seconds that each of so many requests took, on one connection."""
    reader, writer = await asyncio.open_connection(*address)
    took = []
    for _ in range(count):
        began = perf_counter()
        writer.write(_ASK)
        await reader.readuntil(b'"price": 20}')
        took.append(perf_counter() - began)
        await asyncio.sleep(PACE)
    writer.close()
    return took


async def p99(address: tuple[str, int]) -> float:
    """The 99th percentile of one round, in milliseconds."""
    share = REQUESTS // CONNECTIONS
    rounds = await asyncio.gather(*(ask(address, share) for _ in range(CONNECTIONS)))
    return quantiles([each for took in rounds for each in took], n=100)[98] * 1e3


async def measure(server: Running) -> tuple[list[tuple[float, float]], float]:
    """The percentiles of each round, without and with the slow ones, and their memory in MB."""
    await p99(server.address)
    before = server.process.memory_info().rss
    grown, pairs = 0, []
    for _ in range(ROUNDS):
        alone = await p99(server.address)
        slow = [
            asyncio.create_task(trickle(server.address, *kind))
            for _, kind in zip(range(SLOW), cycle(_KINDS), strict=False)
        ]
        await asyncio.sleep(1.5)  # all of them have connected and trickle
        pairs.append((alone, await p99(server.address)))
        grown = max(grown, server.process.memory_info().rss - before)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    return pairs, grown / 1e6


def main() -> None:
    """Print the figures."""
    with TemporaryDirectory() as folder:
        command = [*gateway_command(Path(folder)), "--state", ":memory:"]
        with started("gateway", command) as server:
            pairs, grown = asyncio.run(measure(server))
    ratio = median(slow / alone for alone, slow in pairs)
    print(f"{SLOW} slow connections, {ROUNDS} rounds of {REQUESTS:,} good requests in turn")
    print(f"  memory for all of them   {grown:5.1f} MB")
    print(f"  p99 of good requests     {median(a for a, _ in pairs):5.2f} ms without them,", end="")
    print(f" {median(s for _, s in pairs):5.2f} ms with; ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
