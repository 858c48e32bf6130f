"""An hour of everything that goes wrong, in rounds: restarts, kills, faults of the machine, fuzz.

Each round takes over a port under load again and again, kills gateways in the middle of commits,
lets handlers, disks and clocks misbehave, and gives every parser inputs that it has not seen. What
is lost, half done or broken is told at once, and the run ends with its sum and an exit code.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

import click

from benchmarks import draining, killing
from benchmarks.servers import gateway_command, started

RESTARTS: Final = 10
"""Gateways that are replaced in a round."""

KILLS: Final = 40
"""Gateways that are killed in a round."""

_ROOT: Final = Path(__file__).parent.parent
_TESTS: Final = {
    "machine": ("tests/test_misbehaving.py", "tests/test_machine.py", "tests/test_clocks.py"),
    "callers": (
        "tests/dataplane/test_deadlines.py",
        "tests/dataplane/test_overload.py",
        "tests/dataplane/test_fairness.py",
        "tests/dataplane/test_drain.py",
    ),
    "parsers": (
        "tests/dataplane/test_strict_fuzz.py",
        "tests/config/test_fuzz.py",
        "tests/store/test_zips.py",
        "tests/controlplane/cloud/test_cloud_fuzz.py",
        "tests/dataplane/test_circuit.py",
    ),
}

Found = tuple[bool, str]
"""Whether all is well, and a line on it."""


def drained(_seed: int) -> Found:
    """Gateways take over from one another; no caller loses a request."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        command = [*gateway_command(Path(folder)), "--state", ":memory:", "--reuse-port"]
        first = stack.enter_context(started("gateway", command))
        result = asyncio.run(draining.drive(first, command, stack, RESTARTS))
    said = f"{RESTARTS} restarts, {result.answered:,} answered, {len(result.lost)} lost"
    return not result.lost, "\n    ".join((said, *result.lost[:3]))


def killed(seed: int) -> Found:
    """Gateways are killed; what was acknowledged stays."""
    with TemporaryDirectory() as folder:
        result = asyncio.run(killing.Killing(Path(folder), seed).run(KILLS))
    wrong = len(result.wrong)
    said = f"{result.kills} kills, {result.acknowledged:,} acknowledged, {wrong} lost or half done"
    return not wrong, "\n    ".join((said, *result.wrong[:3]))


def tested(name: str) -> Callable[[int], Found]:
    """A part of the suite, each time with other inputs."""

    def run(seed: int) -> Found:
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
        command += [f"--hypothesis-seed={seed}", *_TESTS[name]]
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
        lines = done.stdout.strip().splitlines() or [done.stderr]
        failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
        said = f"{done.stdout.count('.')} passed, {len(failed)} failed"
        return done.returncode == 0, "\n    ".join((said, *failed[:5]))

    return run


STEPS: Final[dict[str, Callable[[int], Found]]] = {
    "restarts under load": drained,
    "kills in commits": killed,
    "handlers, disks, clocks": tested("machine"),
    "slow and many callers": tested("callers"),
    "every parser": tested("parsers"),
}


def soak(minutes: float, seed: int, tell: Callable[[str], None]) -> int:
    """Go round until the time is over, once at least; gives how many steps went wrong."""
    began, dice, rounds, wrong = monotonic(), random.Random(seed), 0, 0
    while not rounds or monotonic() - began < minutes * 60:
        rounds += 1
        for name, step in STEPS.items():
            fine, said = step(dice.getrandbits(32))
            wrong += not fine
            past = (monotonic() - began) / 60
            tell(f"{past:5.1f} min  round {rounds}  {'ok  ' if fine else 'BAD '} {name}: {said}")
    steps = rounds * len(STEPS)
    tell(f"{rounds} rounds, {steps} steps, {wrong} went wrong; seed {seed}")
    return wrong


@click.command()
@click.option("--minutes", type=click.FloatRange(0), default=60, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(minutes: float, seed: int) -> None:
    """Soak a gateway, and say what went wrong."""
    sys.exit(bool(soak(minutes, seed, lambda line: print(line, flush=True))))


if __name__ == "__main__":
    main()
