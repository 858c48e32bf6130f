"""What a function's isolation costs, and what it is worth when a handler does harm.

Each harm is done in a process of its own, because not every kind of isolation survives it; one
that is not answered within `PATIENCE` seconds is reported as never answered.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import uvloop

from gateway.core.functions import Configuration, FunctionVersion
from gateway.dataplane.answer import integrated_answer
from gateway.runtime import Runtime

ISOLATIONS: Final = ("inline", "thread", "process")
PATIENCE: Final = 15.0
TIMEOUT: Final = 1.0
BLOCKED: Final = 1000

HARMS: Final = {
    "loops for ever": "while True: pass",
    "blocks for 3 s": "import time; time.sleep(3)",
    "allocates 2 GB": "return len(b'x' * 2**31)",
    "os._exit": "import os; os._exit(1)",
    "SystemExit": "raise SystemExit(1)",
    "a crash": "import os; os.abort()",
    "a malformed shape": "return {'statusCode': '200', 'body': {1, 2}}",
}
_CHEAP: Final = "return {'statusCode': 200, 'body': '{}'}"


@contextmanager
def runtime_of(
    **bodies: tuple[str, Configuration],
) -> Iterator[tuple[Runtime, list[FunctionVersion]]]:
    """A runtime and one version for each body of a handler."""
    with TemporaryDirectory() as folder:
        runtime, versions = Runtime(), []
        for name, (body, configuration) in bodies.items():
            code = Path(folder, name)
            code.mkdir()
            (code / "index.py").write_text(f"def main_handler(event, context):\n    {body}\n")
            versions.append(FunctionVersion(name, "1", str(code), configuration))
        runtime.prove_all(versions)
        try:
            yield runtime, versions
        finally:
            runtime.close()


def harm(isolation: str, name: str) -> None:
    """Do harm once and print how it was answered."""
    configuration = Configuration(isolation=isolation, timeout=TIMEOUT)
    with runtime_of(harm=(HARMS[name], configuration)) as (runtime, (version,)):
        began = perf_counter()
        outcome = asyncio.run(runtime.invoke(version, {}, "r"))
        seconds = perf_counter() - began
        status = integrated_answer(outcome.value)[0] if outcome.error is None else outcome.status
        print(status, f"{seconds:.2f} s", flush=True)


def harmed(isolation: str, name: str) -> str:
    """How harm was answered, if it was."""
    command = [sys.executable, "-m", "benchmarks.isolation", isolation, name]
    try:
        run = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode().strip() or "never"
    return run.stdout.decode().strip() or f"the gateway ended ({run.returncode})"


async def rate(runtime: Runtime, version: FunctionVersion, callers: int, calls: int) -> float:
    """Invocations a second by so many callers at a time."""
    runner = runtime.runner(version)

    async def call() -> None:
        for _ in range(calls // callers):
            await runner.invoke({"path": "/orders/42"}, "r")

    await asyncio.gather(*(call() for _ in range(callers)))
    began = perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    return calls / (perf_counter() - began)


async def bystander(runtime: Runtime, version: FunctionVersion) -> list[float]:
    """Microseconds of invocations of a function that does nothing wrong."""
    runner, taken = runtime.runner(version), []
    for _ in range(3000):
        began = perf_counter()
        await runner.invoke({}, "r")
        taken.append((perf_counter() - began) * 1e6)
    return taken


async def beside(runtime: Runtime, bad: FunctionVersion, good: FunctionVersion) -> str:
    """What a function notices of another one with a thousand blocked invocations."""
    release = threading.Event()
    before = quantiles(await bystander(runtime, good), n=100)
    blocked = [asyncio.create_task(runtime.invoke(bad, release, "r")) for _ in range(BLOCKED)]
    await asyncio.sleep(1)
    after = quantiles(await bystander(runtime, good), n=100)
    refused = (await runtime.invoke(bad, release, "r")).status
    release.set()
    await asyncio.gather(*blocked)
    row = f"p50 {before[49]:.0f} -> {after[49]:.0f} us, p99 {before[98]:.0f} -> {after[98]:.0f} us"
    return f"{row} (x{after[98] / before[98]:.2f}); one more of the blocked function: {refused}"


def main() -> None:
    """Print the figures."""
    print("invocations a second, one caller and sixteen")
    for isolation in ISOLATIONS:
        configuration = Configuration(isolation=isolation)
        with runtime_of(cheap=(_CHEAP, configuration)) as (runtime, (version,)):
            calls = 1600 if isolation == "process" else 16_000
            rates = [uvloop.run(rate(runtime, version, callers, calls)) for callers in (1, 16)]
        print(f"  {isolation:8} {rates[0]:9,.0f} {rates[1]:9,.0f}")
    print(f"harm, with a timeout of {TIMEOUT:g} s")
    for name in HARMS:
        row = "".join(f"{isolation} {harmed(isolation, name):24}" for isolation in ISOLATIONS)
        print(f"  {name:18} {row}")
    bad = Configuration(isolation="thread", concurrency=BLOCKED, timeout=300)
    for isolation in ISOLATIONS:
        good = Configuration(isolation=isolation)
        with runtime_of(bad=("event.wait()", bad), good=(_CHEAP, good)) as (runtime, versions):
            print(
                f"  beside {BLOCKED} blocked, {isolation:8}", uvloop.run(beside(runtime, *versions))
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        harm(*sys.argv[1:])
    else:
        main()
