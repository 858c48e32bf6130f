"""Load in a closed loop for a while, and what it says: with wrk where that is installed.

The generator shares its cores with the servers that it asks. wrk costs about a tenth of them, the
client in Python, which is used where there is no wrk, about a half; the reports say which it was.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
from dataclasses import dataclass
from shutil import which
from statistics import quantiles
from time import perf_counter
from typing import Final

import uvloop

from benchmarks.client import send_for

HEADERS: Final = {"User-Agent": "bench", "Accept": "*/*", "User": "Alice"}

WRK: Final = "wrk"
OURS: Final = "ours"

_COUNT: Final = re.compile(r"(\d+) requests in ([0-9.]+)(m?s|m),")
_P99: Final = re.compile(r"^\s+99%\s+([0-9.]+)(us|ms|s)$", re.MULTILINE)
_WRONG: Final = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)")
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Driven:
    """What a generator saw.

    Attributes:
        requests: How many were answered.
        seconds: In what time.
        p99: Seconds that one in a hundred took longer than.
    """

    requests: int
    seconds: float
    p99: float


def generator() -> str:
    """The name of what sends, unless somebody says otherwise."""
    return WRK if which(WRK) else OURS


def drive(
    address: tuple[str, int], path: str, connections: int, seconds: float, sender: str
) -> Driven:
    """Ask one address without a pause.

    Raises:
        RuntimeError: Some answers were missing, or were not as they should be.
    """
    with_it = _with_wrk if sender == WRK else _with_ours
    return with_it(address, path, connections, seconds)


def _with_wrk(address: tuple[str, int], path: str, connections: int, seconds: float) -> Driven:
    lines = [argument for pair in HEADERS.items() for argument in ("-H", ": ".join(pair))]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    url = f"http://{address[0]}:{address[1]}{path}"
    done = subprocess.run(
        [*command, *lines, url], check=True, capture_output=True, text=True, timeout=seconds + 60
    )
    return read_wrk(done.stdout)


def read_wrk(report: str) -> Driven:
    """What wrk's report says.

    Raises:
        RuntimeError: Some answers were missing, or were not as they should be.
    """
    wrong, found, p99 = _WRONG.search(report), _COUNT.search(report), _P99.search(report)
    if wrong or found is None or p99 is None:
        raise RuntimeError(f"wrk was not answered as it should be:\n{report}")
    requests, time, unit = found.groups()
    latency = float(p99[1]) * _SECONDS[p99[2]]
    return Driven(int(requests), float(time) * _SECONDS[unit], latency)


def _with_ours(address: tuple[str, int], path: str, connections: int, seconds: float) -> Driven:
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    request = f"GET {path} HTTP/1.1\r\nHost: {address[0]}\r\n{lines}\r\n".encode()
    began = perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        took = runner.run(send_for(address, request, seconds, connections))
    return Driven(len(took), perf_counter() - began, quantiles(took, n=100)[98])
