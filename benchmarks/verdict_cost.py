"""What the verdict costs Locust: its rate with every answer counted, against that without.

    python -m benchmarks.verdict_cost [ROUNDS] [REQUESTS]

Both send the same requests to the same gateway, one after the other, round by round; the ratio of
a round is of two runs that are seconds apart. The ratio of processor time is told beside it, which
depends less on what else the machine does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from loadtests.run import FOLDER
from loadtests.started import gateway

ROUNDS: Final = 7
REQUESTS: Final = 20_000
_HERE: Final = Path(__file__).parent


class Cost(NamedTuple):
    """What one run took.

    Attributes:
        rate: Requests a second.
        cpu: Seconds of processor time of the sending.
    """

    rate: float
    cpu: float


def run(locustfile: Path, host: str, requests: int, *options: str) -> tuple[str, float]:
    """Run Locust; what it printed, and the processor time of the sending."""
    files = f"{locustfile},{_HERE / 'load_clock.py'}"
    command = [sys.executable, "-m", "locust", "-f", files, "--headless", "--host", host]
    command += ["--only-summary", "--loglevel", "ERROR", "-u", "20", "-r", "20", *options]
    done = subprocess.run(
        command,
        env={**os.environ, "UNCOUNTED_REQUESTS": str(requests)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout, float(done.stdout.partition("cpu=")[2].split()[0])


def without(host: str, requests: int) -> Cost:
    """The run without a verdict."""
    said, cpu = run(_HERE / "uncounted.py", host, requests)
    return Cost(float(said.partition("rate=")[2].split()[0]), cpu)


def with_verdict(host: str, requests: int, folder: Path) -> Cost:
    """The run with it."""
    path = folder / "verdict.json"
    options = ["--requests", str(requests), "--verdict-json", str(path)]
    _, cpu = run(FOLDER / "distribution.py", host, requests, *options)
    return Cost(json.loads(path.read_text(encoding="utf-8"))["requests_per_second"], cpu)


def main(rounds: int = ROUNDS, requests: int = REQUESTS) -> None:
    """Measure and print."""
    pairs: list[tuple[Cost, Cost]] = []
    with gateway(None, 7) as served, TemporaryDirectory() as folder:
        for number in range(rounds):
            first, second = (
                without(served.data, requests),
                with_verdict(served.data, requests, Path(folder)),
            )
            pairs.append((first, second))
            print(f"round {number + 1}: {first.rate:,.0f}/s without, {second.rate:,.0f}/s with")
    rates = [counted.rate / plain.rate for plain, counted in pairs]
    times = [counted.cpu / plain.cpu for plain, counted in pairs]
    print(f"rate with the verdict / without: {median(rates):.3f} (median of {rounds})")
    print(f"processor time with / without: {median(times):.3f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
