"""How often rollouts are rolled back rightly and wrongly, and how many requests are hurt before.

Rollouts are run by the pure parts that the controller uses, on simulated traffic, looked at every
quarter of a second; beside them, on the very same traffic, a fixed rule as other tools have it: a
window of ten seconds whose error rate is above one in a hundred.

    python -m benchmarks.guards [--runs 1000]
"""

from __future__ import annotations

import argparse
from collections import deque
from dataclasses import dataclass
from random import Random
from statistics import median

from gateway.core.alias import Route
from gateway.rollout.judging import Before, Counts, Seen, judge
from gateway.rollout.plan import Plan, parse_plan
from gateway.rollout.rollout import Rollout, next_move

BEAT = 0.25
RATE = 200
"""Requests a second."""

WINDOW, THRESHOLD = 40, 0.01
"""The fixed rule: beats of its window, and the error rate that it allows."""

PLAN = parse_plan({"function": "f", "alias": "a", "to": "2", "steps": [0.1, 0.5, 1], "every": 30})


@dataclass
class Ended:
    """How one rollout ended.

    Attributes:
        rolled_back: Whether it was rolled back.
        hurt: Requests that the new version failed.
        seconds: How long it took.
    """

    rolled_back: bool
    hurt: int
    seconds: float


def ours(dice: Random, plan: Plan, rates: tuple[float, float]) -> Ended:
    """One rollout, guarded as the controller guards it."""
    rollout = Rollout("r", plan, Route("1"), "running", 0, 0.0, 0.0, before=Before(2000, 0))
    now, hurt, began = 0.0, 0, 0.0
    old = new = Counts()
    while not rollout.ended and now < 3600:
        now += BEAT
        more = beat(dice, plan.steps[rollout.step], rates)
        old = Counts(old.requests + more[0], old.errors + more[1])
        new = Counts(new.requests + more[2], new.errors + more[3])
        hurt += more[3]
        seen = Seen(old, new, now - began)
        moved = next_move(rollout, judge(plan, rollout.step, seen, rollout.before), seen, now)
        if moved is not None:
            rollout, began, old, new = moved, now, Counts(), Counts()
    return Ended(rollout.status == "rolled-back", hurt, now)


def fixed(dice: Random, plan: Plan, rates: tuple[float, float]) -> Ended:
    """The same rollout, guarded by a fixed threshold in a sliding window."""
    now, hurt = 0.0, 0
    for share in plan.steps:
        window: deque[tuple[int, int]] = deque(maxlen=WINDOW)
        for _ in range(int(plan.every / BEAT)):
            now += BEAT
            _, _, requests, errors = beat(dice, share, rates)
            hurt += errors
            window.append((requests, errors))
            total = sum(each for each, _ in window)
            if len(window) == WINDOW and sum(each for _, each in window) > THRESHOLD * total:
                return Ended(rolled_back=True, hurt=hurt, seconds=now)
    return Ended(rolled_back=False, hurt=hurt, seconds=now)


def beat(dice: Random, share: float, rates: tuple[float, float]) -> tuple[int, int, int, int]:
    """A quarter of a second of traffic: requests and errors of the old and of the new version."""
    requests = int(RATE * BEAT)
    new = sum(dice.random() < share for _ in range(requests))
    old = requests - new
    errors = [
        sum(dice.random() < rate for _ in range(n))
        for n, rate in zip((old, new), rates, strict=True)
    ]
    return old, errors[0], new, errors[1]


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=1000)
    runs = options.parse_args().runs
    print(f"{runs} rollouts each, {RATE} requests/s, steps 10, 50, 100 %, {PLAN.every:g} s each")
    print(f"stated rate of false roll-backs {PLAN.false_rollback}; guard {PLAN.guards[0].text}")
    for name, rates in {
        "equal versions, no errors": (0.0, 0.0),
        "equal versions, 0.5 % errors": (0.005, 0.005),
        "equal versions, 2 % errors": (0.02, 0.02),
        "new version 1 % errors": (0.0, 0.01),
        "new version 5 % errors": (0.0, 0.05),
        "new 5 % beside old 1 %": (0.01, 0.05),
    }.items():
        for rule, run in (("sequential", ours), ("fixed 1 % in 10 s", fixed)):
            ended = [run(Random(seed), PLAN, rates) for seed in range(runs)]
            back = [each for each in ended if each.rolled_back]
            said = f"rolled back {len(back):5} of {runs}"
            if back:
                said += f"  hurt median {median(each.hurt for each in back):4.0f}"
                said += f"  after median {median(each.seconds for each in back):5.1f} s"
            print(f"  {name:30} {rule:18} {said}", flush=True)


if __name__ == "__main__":
    main()
