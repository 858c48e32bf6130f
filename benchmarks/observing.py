"""Five thousand answers a second into observe: exact counts, bounded memory, a fast API.

Answers are invented and noted as the data plane notes them; everything behind that is the gateway
as it is served: the counters, the course over time, the shares, the invocation log on disk, and the
control plane, which another process asks over sockets all the time, as the console does.

    python -m benchmarks.observing [--seconds 60] [--rate 5000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlsplit

import psutil
import uvloop

from benchmarks.servers import shop_command
from benchmarks.steering import Line
from gateway.app import Gateway, Setup
from gateway.dataplane.server import HttpServer, bind
from gateway.observe import Label
from gateway.observe.counters import Cell

PATHS = (
    "/api/metrics",
    "/api/metrics?window=60",
    "/api/metrics/course?window=60",
    "/api/metrics/course?window=900",
    "/api/shares",
    "/api/invocations?limit=50",
    "/metrics",
)
TICK = 0.01
"""Seconds between two portions of answers."""

PAUSE = 0.02
"""Seconds between two questions."""


@dataclass
class Asked:
    """A request as the observer sees one."""

    id: str
    began: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query_string: bytes = b""


@dataclass
class Ended:
    """How an invocation ended."""

    status: int = 200
    error: dict[str, object] | None = None
    output: str = "reserved 3 of 7 in the warehouse\n"
    seconds: float = 0.004
    memory: int = 20_000_000


class Source:
    """Notes invented answers of two versions on three stages."""

    def __init__(self, gateway: Gateway) -> None:
        self._observer = gateway.observer
        self._dice = Random(7)
        self._number = count()
        self.noted = 0
        self.failed = 0
        self.cells = [
            gateway.observer.cell(Label(stage, "orders", "release", *version))
            for stage in ("dev", "prepub", "release")
            for version in (("1", "main"), ("2", "weight"))
        ]

    def note(self) -> None:
        """One answer; one in a hundred is an error."""
        dice, now = self._dice.random, self._observer.now()
        cell: Cell = self.cells[int(dice() * 3) * 2 + (dice() < 0.1)]
        number = next(self._number)
        headers = {"host": "localhost", "user-agent": "benchmark", "cookie": f"session={number}"}
        began = now - dice() * 0.05
        asked = Asked(f"{number:032x}", began, "POST", f"/orders/{number % 997}", headers, b"{}")
        status = 430 if dice() < 0.01 else 200
        self._observer.note(cell, status, asked, 1, Ended(status))
        self.noted += 1
        self.failed += status == 430

    async def run(self, rate: int, seconds: float) -> None:
        """So many a second for so long, in real time."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (now := loop.time() - began) < seconds:
            for _ in range(int(now * rate) - self.noted):
                self.note()
            await asyncio.sleep(TICK)


async def ask(url: str) -> None:
    """Ask for everything in turn until standard input ends; write the times as JSON."""
    parts = urlsplit(url)
    assert parts.port is not None
    line = await Line.to((str(parts.hostname), parts.port))
    end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    seconds: dict[str, list[float]] = {path: [] for path in PATHS}
    while not end.done():
        for path in PATHS:
            began = perf_counter()
            status, _, _ = await line.send(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            )
            seconds[path].append(perf_counter() - began)
            assert status == 200, path
            await asyncio.sleep(PAUSE)
    await line.close()
    print(json.dumps(seconds))


async def observe(folder: Path, rate: int, seconds: float) -> None:
    """Serve, note, be asked, and print the figures."""
    shop_command(folder)
    gateway = await Gateway.open(Setup(folder / "stages.toml", folder / "state.db"))
    server = HttpServer(gateway.control, bind("127.0.0.1", 0))
    serving = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.observing", "--ask", server.url,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    process, source = psutil.Process(), Source(gateway)
    before = process.cpu_times()
    memory = asyncio.create_task(_memory(process, seconds))
    await source.run(rate, seconds)
    after = process.cpu_times()
    out, _ = await client.communicate(b"")
    _tell_counts(gateway, source, seconds)
    print(f"  memory, MB: {await memory}")
    used = (after.user - before.user) + (after.system - before.system)
    print(f"  processor time of the process: {used / seconds:.0%} of one core, the source with it")
    _tell_times(json.loads(out))
    gateway.events.close()
    server.stop(force=True)
    await serving
    await gateway.close()


async def _memory(process: psutil.Process, seconds: float) -> str:
    found = [process.memory_info().rss]
    for _ in range(6):
        await asyncio.sleep(seconds / 6.1)
        found.append(process.memory_info().rss)
    return ", ".join(f"{rss / 1e6:.0f}" for rss in found)


def _tell_counts(gateway: Gateway, source: Source, seconds: float) -> None:
    observer = gateway.observer
    observer.settle()
    versions = observer.counters.by_version().values()
    counted = sum(seen.requests for each in versions for seen in each.values())
    failed = sum(seen.errors for each in versions for seen in each.values())
    series = sum(observer.series.whole(label).requests for label in observer.series.labels())
    shares = sum(each.requests for each in gateway.service.shares.all())
    print(f"{source.noted:,} answers in {seconds:g} s, {source.noted / seconds:,.0f} a second")
    print(f"  missing in the counters {source.noted - counted}, errors {source.failed - failed}")
    print(f"  missing in the course {source.noted - series}, in the shares {source.noted - shares}")
    print(f"  dropped {observer.dropped}; not in the log {gateway.logbook.left_out:,}")


def _tell_times(seconds: dict[str, list[float]]) -> None:
    for path, found in seconds.items():
        cuts = quantiles(found, n=100)
        times = f"p50 {cuts[49] * 1000:6.1f} ms  p99 {cuts[98] * 1000:6.1f} ms"
        print(f"  {path:32} {times}  ({len(found)} times)")


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rate", type=int, default=5000)
    options.add_argument("--ask", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.ask:
        asyncio.run(ask(given.ask))
        return
    with TemporaryDirectory() as folder:
        uvloop.run(observe(Path(folder), given.rate, given.seconds))


if __name__ == "__main__":
    main()
