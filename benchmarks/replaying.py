"""What a replay can do: how fast it sends, how late it is, and whether it keeps a rhythm.

Rates are those of one process against a bare server on the other core, as a ratio to wrk where that
is installed; both take turns. Slip is measured while a gateway serves beside it. The rhythm is that
of arrivals with bursts: the greatest distance between the distributions of the recorded and of the
sent gaps (Kolmogorov-Smirnov). Recordings of your own are measured with
`python -m benchmarks.replaying FILE...`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop

from benchmarks.servers import Running, bare_command, gateway_command, started
from gateway.traffic.opening import open_lines
from gateway.traffic.outcome import End, Outcome
from gateway.traffic.pacer import Pacer, Survey
from gateway.traffic.recording import Recorded, read, write
from gateway.traffic.replay import Replay, turns
from gateway.traffic.replay_tally import ReplayTally
from gateway.traffic.sending import Sender, Target

ROUNDS = 5
REQUESTS = 20_000
CONNECTIONS = 16
RATE = 200.0
SPEED = 20.0
GRAINS = (1e-9, 1e-4, 1e-3)
_REQUESTS_A_SECOND = re.compile(r"Requests/sec: +([0-9.]+)")


class Kept(ReplayTally):
    """A tally that also keeps when each request was due and when it began."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[float, float]] = []

    def add(self, outcome: Outcome) -> None:
        """Count a request that has ended."""
        super().add(outcome)
        if outcome.end is not End.NOT_SENT:
            self.times.append((outcome.due, outcome.begun))


def play(
    recording: Sequence[Recorded], target: Target, speed: float | None, concurrency: int
) -> tuple[Kept, float]:
    """Play it; what became of it, and how long it took."""

    async def run() -> tuple[Kept, float]:
        pacer, tally = Pacer(Survey.of(recording), speed, perf_counter), Kept()
        async with Sender(target, 30.0, pacer.elapsed) as sender:
            pacer.begin()
            await Replay(sender, pacer, tally, concurrency).run(turns(recording, pacer))
            return tally, pacer.elapsed()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def gaps(times: Sequence[float], grain: float) -> list[float]:
    """From each to the next, in whole steps of a grain."""
    return [round((two - one) / grain) * grain for one, two in pairwise(times)]


def distance(one: Iterable[float], two: Iterable[float]) -> float:
    """The greatest distance between two distributions (Kolmogorov-Smirnov)."""
    first, second = sorted(one), sorted(two)
    return max(
        abs(bisect_right(first, at) / len(first) - bisect_right(second, at) / len(second))
        for at in (*first, *second)
    )


def bursts(count: int) -> list[Recorded]:
    """Invented arrivals: quiet times, and now and then many at once."""
    dice, at, requests = Random(7), 0.0, []
    for number in range(count):
        requests.append(Recorded(at, "GET", f"/orders/{number % 900 + 1}"))
        at += dice.expovariate(100 if dice.random() < 0.7 else 1)
    return requests


def fastest(server: Running) -> str:
    """Requests a second, as fast as possible, and those of wrk."""
    headers = (("User-Agent", "bench"), ("Accept", "*/*"))
    recording = [Recorded(0.0, "GET", f"/{number}", "", headers) for number in range(REQUESTS)]
    kept = [*read(map(write, recording))]
    target = Target(f"http://{server.address[0]}:{server.address[1]}", staged=False)
    rates, others = [], []
    for _ in range(ROUNDS):
        _, seconds = play(kept, target, None, CONNECTIONS)
        rates.append(REQUESTS / seconds)
        others.append(wrk(target.url))
    ratio = f"{median(rates) / median(others):.2f}" if all(others) else "-"
    return f"  as fast as possible {median(rates):,.0f}/s   wrk {median(others):,.0f}/s   {ratio}"


def wrk(url: str) -> float:
    """Requests a second of wrk with one thread and as many connections; 0 without it."""
    if shutil.which("wrk") is None:
        return 0.0
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "-d2s", f"{url}/1"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    match = _REQUESTS_A_SECOND.search(done.stdout)
    return float(match[1]) if match else 0.0


def kept_time(name: str, recording: Sequence[Recorded], gateway: Running, speed: float) -> str:
    """How late requests were while the gateway served them, and whether the rhythm was kept."""
    url = f"http://{gateway.address[0]}:{gateway.address[1]}"
    tally, seconds = play(recording, Target(url, "release"), speed, 500)
    began = sorted(begun for _, begun in tally.times)
    due = sorted(due for due, _ in tally.times)
    far = [distance(gaps(due, grain), gaps(began, grain)) for grain in GRAINS]
    slips = [f"{(tally.slip.quantile(share) or 0) * 1000:.2f}" for share in (0.5, 0.99, 1.0)]
    return (
        f"  {name}: {tally.answered:,} of {len(recording):,} answered in {seconds:.1f} s,"
        f" slip ms p50 {slips[0]} p99 {slips[1]} max {slips[2]}, distance of the gaps"
        f" {far[0]:.4f}, in steps of 0.1 ms {far[1]:.4f}, of 1 ms {far[2]:.4f}"
    )


def recordings(files: Sequence[str]) -> list[tuple[str, list[Recorded]]]:
    """What is played: the files that were named, or an invented one."""
    found = []
    for file in files:
        with open_lines(file) as lines:
            found.append((Path(file).name, list(read(lines, file))))
    return found or [("invented bursts", bursts(5000))]


def main(arguments: Sequence[str] = ()) -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description="How fast and how evenly recordings are played.")
    options.add_argument(
        "files", nargs="*", metavar="RECORDING", help="in place of invented bursts"
    )
    files = options.parse_args(arguments).files
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        options.error(f"there is no file {missing[0]!r}")
    print(f"a replay, {ROUNDS} rounds of {REQUESTS} requests over {CONNECTIONS} connections")
    with started("bare", bare_command()) as server:
        print(fastest(server))
    with TemporaryDirectory() as folder, started("gw", gateway_command(Path(folder))) as gateway:
        for name, recording in recordings(files):
            survey = Survey.of(recording)
            print(kept_time(f"{name}, {RATE:g}/s", recording, gateway, survey.speed(RATE)))
            if survey.seconds < 7200:
                print(kept_time(f"{name}, {SPEED:g} times", recording, gateway, SPEED))


if __name__ == "__main__":
    main(sys.argv[1:])
