"""What a request and a change cost with one API and with ten thousand, one alias and a thousand.

Gateways of all sizes run at once and take turns, round by round. Requests come over sockets: all to
the last API of the table, and to all APIs one after the other. A change moves an alias, and is over
when the next caller was answered by it; what was prepared for an API is prepared anew after one, by
the first request to it, which is told apart.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import uvloop

from benchmarks.client import send_each
from benchmarks.servers import Running, started, write_versions
from benchmarks.steering import ALIAS, Line

SIZES: Final = ((1, 1), (1, 1_000), (10_000, 1), (10_000, 1_000))
"""Numbers of APIs and of aliases."""

ROUNDS: Final = 9
REQUESTS: Final = 20_000
CHANGES: Final = 10
"""Changes of one round."""

FEW: Final = 1_000
"""APIs whose first requests take too little processor time to be told."""

_CONNECTIONS: Final = 16
_HEAD: Final = """
[service]
name = "bench"

[functions.orders]
source = "orders"

[stages.release]
alias = "release"

[functions.orders.aliases.release]
version = "1"
weights = { "2" = 0.1 }
rules = [{ when = "invoke.headers.User exact Bob", version = "2" }]
"""
_ALIAS: Final = """
[functions.orders.aliases.other{number}]
version = "1"
weights = {{ "2" = 0.1 }}
rules = [{{ when = "invoke.headers.User exact Bob", version = "2" }}]
"""
_API: Final = """
[[apis]]
method = "ANY"
path = "/orders/{number}{rest}"
function = "orders"
"""


@dataclass(slots=True)
class Sized:
    """A gateway of one size, and what was measured of it.

    Attributes:
        server: The gateway.
        apis: How many APIs it has.
        aliases: How many aliases its function has.
        start: Seconds until it was ready, with a file that it had not seen before.
        one: Microseconds of processor time for a request to one API, in each round.
        all: The same for requests to all APIs in turn.
        first: The same for the first request to each API after a change.
        change: Milliseconds from asking for a change to the first answer by it, in each round.
    """

    server: Running
    apis: int
    aliases: int
    start: float
    one: list[float] = field(default_factory=list)
    all: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    change: list[float] = field(default_factory=list)


def configuration(apis: int, aliases: int) -> str:
    """A stages.toml of that size; every second path has a parameter."""
    parts = [_HEAD]
    parts += [_ALIAS.format(number=number) for number in range(1, aliases)]
    parts += [_API.format(number=n, rest="/{id}" if n % 2 else "") for n in range(apis)]
    return "".join(parts)


def requests(apis: int) -> list[bytes]:
    """One request to each API."""
    paths = [f"/release/orders/{number}{'/7' if number % 2 else ''}" for number in range(apis)]
    end = "HTTP/1.1\r\nHost: 127.0.0.1\r\nUser: Alice\r\n\r\n"
    return [f"GET {path} {end}".encode() for path in paths]


def start(stack: ExitStack, folder: Path, apis: int, aliases: int) -> Sized:
    """A gateway of that size."""
    folder.mkdir()
    write_versions(folder, ("latest", "v1", "v2"))
    file = folder / "stages.toml"
    file.write_text(configuration(apis, aliases))
    ports = ["--port", "0", "--control-port", "0"]
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(file), "--no-watch"]
    began = perf_counter()
    server = stack.enter_context(started("gateway", [*command, *ports]))
    return Sized(server, apis, aliases, perf_counter() - began)


def processor(server: Running, asked: Sequence[bytes], count: int) -> float:
    """Microseconds of processor time for a request."""
    before = server.processor_seconds()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send_each(server.address, asked, count, _CONNECTIONS))
    return (server.processor_seconds() - before) / count * 1e6


async def changes(server: Running, count: int) -> list[float]:
    """Milliseconds from asking for a change to the first answer by it, of each."""
    control, caller = await Line.to(server.control), await Line.to(server.address)
    (asked,) = requests(1)
    took = []
    for number in range(count):
        weights = {"2": (number % 50 + 1) / 100}
        began = perf_counter()
        done = await control.change("PUT", ALIAS, {"version": "1", "weights": weights})
        _, headers, _ = await caller.send(asked)
        took.append((perf_counter() - began) * 1e3)
        if int(headers["x-gateway-revision"]) != done["revision"]:
            raise RuntimeError("a change was not live when it was acknowledged")
    await control.close()
    await caller.close()
    return took


def measure(sizes: Sequence[Sized], rounds: int, count: int, moves: int) -> None:
    """Let gateways of all sizes take turns."""
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}" if number else "warming up", file=sys.stderr)
        for each in sizes:
            every = requests(each.apis)
            first = processor(each.server, every, each.apis)
            one = processor(each.server, every[-1:], count)
            spread = processor(each.server, every, count)
            took = asyncio.run(changes(each.server, moves))
            if number:  # the first turn warms all of them up
                each.one.append(one)
                each.all.append(spread)
                each.first.append(first)
                each.change.append(median(took))


def row(each: Sized, least: Sized) -> str:
    """A line of the report; ratios are those of neighbours in one round."""
    figures = []
    for mine, others, unit in (
        (each.one, least.one, "us"),
        (each.all, least.all, "us"),
        (each.change, least.change, "ms"),
    ):
        times = median(a / b for a, b in zip(mine, others, strict=True))
        figures.append(f"{median(mine):8.1f} {unit} {times:5.2f}")
    first = f"{median(each.first):8.1f} us" if each.apis > FEW else " " * 11
    sizes = f"  {each.apis:7,}{each.aliases:9,}"
    return f"{sizes}{figures[0]}{figures[1]}{first}{figures[2]}{each.start:9.2f} s"


def main() -> None:
    """Print the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        sizes = [start(stack, folder / f"{a}-{b}", a, b) for a, b in SIZES]
        measure(sizes, ROUNDS, REQUESTS, CHANGES)
    print(
        f"{ROUNDS} rounds of {REQUESTS} requests and {CHANGES} changes in turn; ratios to 1 and 1"
    )
    print(
        "     apis  aliases      to one API     to all APIs     first         a change      start"
    )
    for each in sizes:
        print(row(each, sizes[0]))


if __name__ == "__main__":
    main()
