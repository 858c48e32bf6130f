"""Servers under measurement: started as processes of their own, watched from outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
"""Where servers are started: the folder that has this project's packages."""

_ADDRESS = re.compile(r"(?:data|control)=http://([0-9.]+):([0-9]+)")
_HANDLER = """
async def main_handler(event, context):
    return {
        "isBase64Encoded": False,
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": '{"id": "42", "price": 20}',
    }
"""
_CONFIGURATION = """
[service]
name = "bench"

[functions.orders]
source = "orders"
isolation = "ISOLATION"

[functions.orders.aliases.release]
version = "1"
weights = { "2" = 0.1 }
rules = [{ when = "invoke.headers.User exact Bob", version = "2" }]

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[stages.release]
alias = "release"
"""


_SHOP = """
[service]
name = "bench"

[functions.orders]
source = "orders"

[functions.orders.aliases]
release = { version = "1" }

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[stages.release]
alias = "release"
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Attributes:
        name: What it is called in the report.
        address: Where it listens.
        process: Its process.
        control: Where it is steered; the address itself for a server that has no such place.
        behind: Processes that work for it, and are not its children.
    """

    name: str
    address: tuple[str, int]
    process: psutil.Process
    control: tuple[str, int]
    behind: tuple[psutil.Process, ...] = ()

    def processor_seconds(self) -> float:
        """Processor time used so far, user and system: of the process, its children, what works."""
        roots = (self.process, *self.behind)
        every = [each for root in roots for each in (root, *root.children(recursive=True))]
        times = [process.cpu_times() for process in every]
        return float(sum(each.user + each.system for each in times))


@contextmanager
def started(
    name: str, command: list[str], named: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a server until the block ends; it must print `data=http://HOST:PORT` when ready.

    Args:
        name: What it is called in the report.
        command: What starts it.
        named: Variables of its environment, beside ours.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(named or {})},
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = [(host, int(port)) for host, port in _ADDRESS.findall(line)]
            if not found:
                raise RuntimeError(f"{name} did not start: {line!r}")
            yield Running(name, found[0], psutil.Process(process.pid), found[-1])
        finally:
            process.terminate()  # one that was killed before does not mind
            process.wait(timeout=20)


def write_versions(folder: Path, versions: Iterable[str], handler: str = _HANDLER) -> None:
    """Write the code of a function `orders`, the same for each version."""
    for version in versions:
        code = folder / "orders" / version / "index.py"
        code.parent.mkdir(parents=True)
        code.write_text(handler)


def gateway_command(folder: Path, handler: str = _HANDLER, isolation: str = "auto") -> list[str]:
    """A command that serves one function with two versions, a rule and a weight."""
    write_versions(folder, ("latest", "v1", "v2"), handler)
    configuration = folder / "stages.toml"
    configuration.write_text(_CONFIGURATION.replace("ISOLATION", isolation))
    ports = ["--port", "0", "--control-port", "0"]
    return [sys.executable, "-m", "gateway", "serve", "--config", str(configuration), *ports]


def shop_command(folder: Path) -> list[str]:
    """A command that serves one function with four versions, and remembers in a file."""
    for version in ("latest", "v1", "v2", "v3", "v4"):
        code = folder / "orders" / version / "index.py"
        code.parent.mkdir(parents=True)
        code.write_text(_HANDLER.replace("42", version))
    configuration = folder / "stages.toml"
    configuration.write_text(_SHOP)
    ports = ["--port", "0", "--control-port", "0"]
    return [sys.executable, "-m", "gateway", "serve", "--config", str(configuration), *ports]


def bare_command() -> list[str]:
    """A command that serves the bare application."""
    return [sys.executable, "-m", "benchmarks.bare"]
