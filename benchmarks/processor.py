"""Processor time a request costs: the whole gateway against a bare ASGI application.

Both servers run at the same time and take turns, round by round, so that whatever slows the
machine down slows both; the figure is the median of the ratios of neighbouring rounds.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import uvloop

from benchmarks.client import send
from benchmarks.servers import Running, bare_command, gateway_command, started

ROUNDS = 9
REQUESTS = 10_000
CONNECTIONS = (16, 1)
_HEADERS = "Host: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\nUser: Alice\r\n\r\n"
_SYNC = """
def main_handler(event, context):
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}
"""


KINDS = {
    "async handler": {},
    "sync handler (thread)": {"handler": _SYNC},
    "sync handler (process)": {"handler": _SYNC, "isolation": "process"},
}


def measure(server: Running, path: str, connections: int) -> float:
    """Microseconds of the server's processor time for a request, over one round."""
    request = f"GET {path} HTTP/1.1\r\n{_HEADERS}".encode()
    before = server.processor_seconds()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(send(server.address, request, REQUESTS, connections))
    return (server.processor_seconds() - before) / REQUESTS * 1e6


def compare(connections: int, **served: str) -> tuple[float, float, float]:
    """Medians: microseconds bare, microseconds gateway, and the ratio of neighbouring rounds."""
    with TemporaryDirectory() as folder:
        serve = gateway_command(Path(folder), **served)
        with started("bare", bare_command()) as bare, started("gateway", serve) as gateway:
            turns = [
                (
                    measure(bare, "/orders/42", connections),
                    measure(gateway, "/release/orders/42", connections),
                )
                for _ in range(ROUNDS + 1)
            ]
    pairs = turns[1:]  # the first turn warms both up
    ratio = median(gateway / bare for bare, gateway in pairs)
    return median(bare for bare, _ in pairs), median(gateway for _, gateway in pairs), ratio


def main() -> None:
    """Print the figures."""
    print(f"processor time a request, {ROUNDS} rounds of {REQUESTS} requests in turn")
    print("the gateway with a rule, weights, metrics and the invocation log; bare on uvicorn")
    for kind, served in KINDS.items():
        for connections in CONNECTIONS:
            bare, gateway, ratio = compare(connections, **served)
            row = f"bare {bare:5.1f} us  gateway {gateway:5.1f} us  ratio {ratio:.2f}"
            print(f"  {kind:22} {connections:2} connections  {row}")


if __name__ == "__main__":
    main()
