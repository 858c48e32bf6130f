"""Memory of a gateway: idle, and over a million requests and ten thousand changes.

Three gateways one after the other: requests alone, changes alone, both together. The first quarter
warms up, because the course over time and the log fill once; from then on memory should be flat: in
the last quarter what it was in the second one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import uvloop

from benchmarks.client import send
from benchmarks.servers import Running, shop_command, started
from benchmarks.steering import ALIAS, Line

SAMPLES: Final = 20
"""How many times memory is looked at."""

_CONNECTIONS: Final = 32
_ASK: Final = b"GET /release/orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser: Alice\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Course:
    """What became of the memory of one gateway.

    Attributes:
        ready: Megabytes when it was ready to answer, before anybody asked.
        megabytes: The same after each portion of what was asked.
    """

    ready: float
    megabytes: Sequence[float]

    @property
    def growth(self) -> float:
        """By which share the median of the last quarter is above that of the second one."""
        quarter = len(self.megabytes) // 4
        return median(self.megabytes[-quarter:]) / median(self.megabytes[quarter : 2 * quarter]) - 1


def megabytes(server: Running) -> float:
    """Resident memory of a server and its children."""
    every = (server.process, *server.process.children(recursive=True))
    return float(sum(process.memory_info().rss for process in every)) / 1e6


async def change(server: Running, count: int) -> None:
    """Move an alias so many times; every change is another one."""
    line = await Line.to(server.control)
    for number in range(count):
        weights = {"2": (number % 99 + 1) / 100}
        await line.change("PUT", ALIAS, {"version": "1", "weights": weights})
    await line.close()


def course(requests: int, changes: int) -> Course:
    """Start a gateway, ask for so much in portions, and look at its memory after each."""
    with TemporaryDirectory() as folder:
        command = [*shop_command(Path(folder)), "--no-watch"]
        with started("gateway", command) as server:
            ready, found = megabytes(server), []

            async def portion() -> None:
                work: list[Coroutine[Any, Any, None]] = []
                if changes:
                    work.append(change(server, changes // SAMPLES))
                if requests:
                    work.append(send(server.address, _ASK, requests // SAMPLES, _CONNECTIONS))
                await asyncio.gather(*work)

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                for _ in range(SAMPLES):
                    runner.run(portion())
                    found.append(megabytes(server))
    return Course(ready, found)


def report(what: str, found: Course, say: Callable[[str], None] = print) -> None:
    """Print one course."""
    say(f"{what}: idle {found.ready:.1f} MB, then")
    say("  " + " ".join(f"{each:.1f}" for each in found.megabytes))
    say(f"  from the second quarter to the last {found.growth:+.1%}")


@click.command()
@click.option("--requests", type=click.IntRange(SAMPLES), default=1_000_000, show_default=True)
@click.option("--changes", type=click.IntRange(SAMPLES), default=10_000, show_default=True)
def main(requests: int, changes: int) -> None:
    """Print the figures."""
    report(f"{requests:,} requests", course(requests, 0))
    report(f"{changes:,} changes", course(0, changes))
    report(f"{requests:,} requests and {changes:,} changes", course(requests, changes))


if __name__ == "__main__":
    main()
