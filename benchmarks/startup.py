"""Time from the command to the first answer, and of the help."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.servers import gateway_command, started

ROUNDS = 7


def first_answer() -> float:
    """Seconds from the start of `gateway serve` to the first answer of a function."""
    with TemporaryDirectory() as folder:
        command = gateway_command(Path(folder))
        begin = perf_counter()
        with started("gateway", command) as server:
            host, port = server.address
            with urllib.request.urlopen(f"http://{host}:{port}/release/orders/42") as answer:
                answer.read()
            return perf_counter() - begin


def help_text() -> float:
    """Seconds of `gateway --help`, the process included."""
    begin = perf_counter()
    subprocess.run([sys.executable, "-m", "gateway", "--help"], check=True, capture_output=True)
    return perf_counter() - begin


def main() -> None:
    """Print the figures."""
    answers, helps = [first_answer() for _ in range(ROUNDS)], [help_text() for _ in range(ROUNDS)]
    print(f"start, median of {ROUNDS}")
    print(f"  gateway serve to the first answer {median(answers) * 1000:.0f} ms")
    print(f"  gateway --help {median(helps) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
