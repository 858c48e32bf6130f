"""What the way through the gateway to an HTTP back end costs, against the same client used bare.

The yardstick is aiohttp, which the gateway forwards with: as many requests at a time, to the same
back end, from this process. Both take turns, round by round. Two ratios are given: of the requests
a second, which on two cores also pays for the load client beside the gateway, and of the processor
time of the one process that asks the back end, which does not. Above 1 the gateway is the cheaper.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import aiohttp
import uvloop
from yarl import URL

from benchmarks.client import send
from benchmarks.servers import Running, bare_command, started

ROUNDS = 9
REQUESTS = 5_000
CONNECTIONS = (16, 1)
_AGENT = "bench"
_HEADERS = f"Host: 127.0.0.1\r\nUser-Agent: {_AGENT}\r\nAccept: */*\r\n\r\n"
_CONFIGURATION = """
[service]
name = "bench"

[[apis]]
method = "ANY"
path = "^~/orders"
http = {{ url = "http://{}:{}" }}

[stages.release]
alias = "$DEFAULT"
"""

Cost = tuple[float, float]
"""Seconds of wall time, seconds of processor time."""


def through(gateway: Running, connections: int) -> Cost:
    """One round through the gateway."""
    request = f"GET /release/orders/42 HTTP/1.1\r\n{_HEADERS}".encode()
    before, began = gateway.processor_seconds(), perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send(gateway.address, request, REQUESTS, connections))
    return perf_counter() - began, gateway.processor_seconds() - before


def bare(backend: Running, connections: int) -> Cost:
    """One round with the client alone."""
    before, began = process_time(), perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_ask(backend.address, connections))
    return perf_counter() - began, process_time() - before


async def _ask(address: tuple[str, int], connections: int) -> None:
    url = URL(f"http://{address[0]}:{address[1]}/42")
    headers = {"User-Agent": _AGENT, "Accept": "*/*"}
    left = iter(range(REQUESTS))

    async def worker() -> None:
        for _ in left:
            async with session.get(url, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"the back end answered {answer.status}")

    jar = aiohttp.DummyCookieJar()
    async with (
        aiohttp.ClientSession(cookie_jar=jar, auto_decompress=False) as session,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(connections):
            group.create_task(worker())


def forwarding_command(folder: Path, backend: tuple[str, int]) -> list[str]:
    """A command that serves one API with an HTTP back end."""
    configuration = folder / "stages.toml"
    configuration.write_text(_CONFIGURATION.format(*backend))
    ports = ["--port", "0", "--control-port", "0"]
    return [sys.executable, "-m", "gateway", "serve", "--config", str(configuration), *ports]


def compare(connections: int) -> str:
    """A row of the report: medians over the rounds, ratios of neighbouring ones."""
    with TemporaryDirectory() as folder, started("backend", bare_command()) as backend:
        serve = forwarding_command(Path(folder), backend.address)
        with started("gateway", serve) as gateway:
            turns = [
                (bare(backend, connections), through(gateway, connections))
                for _ in range(ROUNDS + 1)
            ]
    pairs = turns[1:]  # the first turn warms both up
    alone = [median(column) / REQUESTS for column in zip(*(pair[0] for pair in pairs), strict=True)]
    ours = [median(column) / REQUESTS for column in zip(*(pair[1] for pair in pairs), strict=True)]
    wall, processor = (median(one[at] / two[at] for one, two in pairs) for at in (0, 1))
    return (
        f"  {connections:2} connections  requests/s bare {1 / alone[0]:6.0f}"
        f"  gateway {1 / ours[0]:6.0f}  ratio {wall:.2f}"
        f"   processor us/request bare {alone[1] * 1e6:5.0f}"
        f"  gateway {ours[1] * 1e6:5.0f}  ratio {processor:.2f}"
    )


def main() -> None:
    """Print the figures."""
    print(f"an HTTP back end, {ROUNDS} rounds of {REQUESTS} requests in turn")
    for connections in CONNECTIONS:
        print(compare(connections))


if __name__ == "__main__":
    main()
