"""What a second data node brings: callers' throughput with one and with two, and behind HAProxy.

All of it shares one machine with the load generator, so that two nodes cannot be twice as fast here
where one and the generator fill the cores already; the processor time of a request tells what they
would do with cores of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from socket import socket
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.databases import Database
from benchmarks.driving import drive, generator
from benchmarks.nodes import node_command
from benchmarks.servers import Running, started

ROUNDS: Final = 9
SECONDS: Final = 3.0
CONNECTIONS: Final = 64

_PATH: Final = "/release/orders/42"
_BALANCER: Final = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen nodes
  bind 127.0.0.1:{port}
  balance roundrobin
{servers}
"""

Address = tuple[str, int]


@dataclass(slots=True)
class Way:
    """A way to reach the nodes.

    Attributes:
        name: What it is called in the report.
        addresses: Where callers go, so many at each.
        nodes: Which nodes answer.
        rates: Requests a second, in each round.
        times: Microseconds of the nodes' processor time for a request, in each round.
    """

    name: str
    addresses: Sequence[Address]
    nodes: Sequence[Running]
    rates: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def measure(self, seconds: float) -> None:
        """Ask without a pause for a while."""
        before = self._used()
        share = CONNECTIONS // len(self.addresses)
        sender = generator()

        def ask(address: Address) -> int:
            return drive(address, _PATH, share, seconds, sender).requests

        with ThreadPoolExecutor() as pool:
            answered = sum(pool.map(ask, self.addresses))
        self.rates.append(answered / seconds)
        self.times.append((self._used() - before) / answered * 1e6)

    def _used(self) -> float:
        return sum(node.processor_seconds() for node in self.nodes)


@contextmanager
def balanced(folder: Path, nodes: Sequence[Running]) -> Iterator[Address]:
    """HAProxy in front of nodes."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    servers = "\n".join(
        f"  server node{number} {host}:{place}"
        for number, (host, place) in enumerate(node.address for node in nodes)
    )
    file = folder / "haproxy.cfg"
    file.write_text(_BALANCER.format(port=port, servers=servers))
    command = ["haproxy", "-W", "-f", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        while b"Loading success" not in (line := process.stderr.readline()):
            if not line:
                raise RuntimeError("HAProxy did not start")
        try:
            yield "127.0.0.1", port
        finally:
            process.terminate()


def ways(stack: ExitStack, folder: Path, url: str) -> list[Way]:
    """A control node, two data nodes, and every way to them."""
    command = node_command(folder, url)
    stack.enter_context(started("control", command))
    data = [*command, "--role", "data"]
    nodes = [stack.enter_context(started(f"data {n}", data)) for n in range(2)]
    first, second = (node.address for node in nodes)
    found = [Way("one node", [first], nodes[:1]), Way("two nodes", [first, second], nodes)]
    if which("haproxy"):
        for count in (1, 2):
            front = folder / str(count)
            front.mkdir()
            place = stack.enter_context(balanced(front, nodes[:count]))
            words = "one node" if count == 1 else "two nodes"
            found.append(Way(f"{words} behind HAProxy", [place], nodes[:count]))
    return found


def main() -> None:
    """Print the figures."""
    database = Database()
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            every = ways(stack, folder, database.space())
            for number in range(ROUNDS + 1):
                print(f"round {number} of {ROUNDS}" if number else "warming up", file=sys.stderr)
                for way in every:
                    way.measure(SECONDS)
                    if not number:
                        way.rates.clear()
                        way.times.clear()
    finally:
        database.close()
    cores = len(os.sched_getaffinity(0))
    print(f"{ROUNDS} rounds of {SECONDS:g} s in turn, {CONNECTIONS} connections, {generator()},")
    print(f"{cores} cores for nodes, balancer and generator together; medians")
    for way in every:
        other = every[0 if "HAProxy" not in way.name else 2]
        ratio = median(a / b for a, b in zip(way.rates, other.rates, strict=True))
        print(
            f"  {way.name:<25}{median(way.rates):8,.0f} a second, times {ratio:.2f};"
            f" {median(way.times):4.0f} us of the nodes' processors for each"
        )


if __name__ == "__main__":
    main()
