"""Importing a log of a million lines: lines a second, memory, and where the time goes.

The log is made here, a line for each request of 5,000 clients over a day, and is imported by the
command in a process of its own, plain and compressed. The profile is of 100,000 lines in this
process.
"""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
from collections.abc import Iterator
from cProfile import Profile
from pathlib import Path
from pstats import Stats
from random import Random
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from gateway.traffic.importing import Wanted, imported
from gateway.traffic.opening import open_bytes
from gateway.traffic.recording import write
from gateway.traffic.skipping import Skipped

LINES = 1_000_000
ROUNDS = 3
PROFILED = 100_000
_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0 Safari/537"
)


def lines(number: int) -> Iterator[str]:
    """Lines in combined format, a little out of order, as servers write them."""
    dice = Random(7)
    for n in range(number):
        second = max(0, n * 86_400 // number - dice.randrange(3))
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        client = dice.randrange(5000)
        yield (
            f"10.0.{client // 250}.{client % 250} - - [17/May/2015:{clock} +0000] "
            f'"GET /orders/{dice.randrange(1000)}?page={n % 7} HTTP/1.1" 200 {1000 + n % 999} '
            f'"https://shop.example/list/{n % 50}" "{_AGENT.format(100 + client % 30)}"\n'
        )


def run(log: Path, output: Path) -> tuple[float, float, int]:
    """Wall time and processor time of one import, and the most memory of all so far in KiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = perf_counter()
    command = [sys.executable, "-m", "gateway", "record", "import", str(log), "-o", str(output)]
    subprocess.run(command, check=True, capture_output=True)
    wall = perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, spent, after.ru_maxrss


def profile(log: Path) -> None:
    """Where the time goes, in shares of the processor time; the profiler slows small calls most."""
    profiler = Profile(process_time)
    with open_bytes(log) as opened:
        requests = imported(opened, Wanted(), Skipped(str(log)))
        profiler.enable()
        for _, request in zip(range(PROFILED), requests, strict=False):
            write(request)
        profiler.disable()
    stats = Stats(profiler)
    total: float = stats.total_tt  # type: ignore[attr-defined]
    entries = stats.stats.items()  # type: ignore[attr-defined]
    shares = sorted(((entry[2] / total, name) for name, entry in entries), reverse=True)
    for share, (file, line, function) in shares[:10]:
        where = f"{Path(file).name}:{line} " if line else ""
        print(f"  {share:6.1%}  {where}{function}")


def main() -> None:
    """Make the log, import it, print the figures."""
    with TemporaryDirectory() as folder:
        log, output = Path(folder) / "access.log", Path(folder) / "out.jsonl"
        with log.open("w", encoding="utf-8") as file:
            file.writelines(lines(LINES))
        compressed = Path(folder) / "access.log.gz"
        with log.open("rb") as source, gzip.open(compressed, "wb", 6) as target:
            copyfileobj(source, target)  # a child counts the memory of its parent as its own
        for name, path in (("plain", log), ("gzip", compressed)):
            rounds = [run(path, output) for _ in range(ROUNDS)]
            wall, spent, memory = (
                pick(values)
                for pick, values in zip((min, min, max), zip(*rounds, strict=True), strict=True)
            )
            print(
                f"{name}: {LINES / wall:,.0f} lines/s of wall time, {LINES / spent:,.0f} lines/s "
                f"of processor time, at most {memory / 1024:,.0f} MiB"
            )
        print(f"where the time goes, of {PROFILED:,} lines:")
        profile(log)


if __name__ == "__main__":
    main()
