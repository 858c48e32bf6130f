"""Time from the command to the first answer, and of the help.

The first start of each is not counted: it writes the bytecode, which every later one reads.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.servers import gateway_command, started

ROUNDS = 7
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
"""Environments that forbid bytecode would have everything compiled at every start."""


def first_answer() -> float:
    """Seconds from the start of `gateway serve` to the first answer of a function."""
    with TemporaryDirectory() as folder:
        command = gateway_command(Path(folder))
        begin = perf_counter()
        with started("gateway", command, COMPILED) as server:
            host, port = server.address
            with urllib.request.urlopen(f"http://{host}:{port}/release/orders/42") as answer:
                answer.read()
            return perf_counter() - begin


def help_text() -> float:
    """Seconds of `gateway --help`, the process included."""
    begin = perf_counter()
    command = [sys.executable, "-m", "gateway", "--help"]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **COMPILED})
    return perf_counter() - begin


def main() -> None:
    """Print the figures."""
    answers = [first_answer() for _ in range(ROUNDS + 1)][1:]
    helps = [help_text() for _ in range(ROUNDS + 1)][1:]
    print(f"start, median of {ROUNDS}")
    print(f"  gateway serve to the first answer {median(answers) * 1000:.0f} ms")
    print(f"  gateway --help {median(helps) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
