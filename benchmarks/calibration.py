"""Whether the verdict keeps its word: by simulation, correct splits that fail and wrong ones.

The fixed test is asked once, at the end; the sequential one after every request until it decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from gateway.verdict import Outcome, Question, Watch, judge

RUNS: Final = 10_000
CORRECT: Final = {"1": 0.9, "2": 0.1}
TOLERANCE: Final = 0.05
OFF: Final = {"1": 0.85, "2": 0.15}
LONGEST: Final = 100_000

Run = Callable[[Mapping[str, float], Question, Random], tuple[Outcome, int]]


def fixed(true: Mapping[str, float], question: Question, dice: Random) -> tuple[Outcome, int]:
    """One sample of the size that the test itself asks for."""
    size = judge({}, CORRECT, question=question).requests_needed
    second = sum(dice.random() < true["2"] for _ in range(size))
    return judge({"1": size - second, "2": second}, CORRECT, question=question).outcome, size


def sequential(true: Mapping[str, float], question: Question, dice: Random) -> tuple[Outcome, int]:
    """Looked at after every request, until it is decided."""
    watch, counts, share = Watch(CORRECT, question), {"1": 0, "2": 0}, true["2"]
    for request in range(1, LONGEST):
        counts["2" if dice.random() < share else "1"] += 1
        outcome = watch.look(counts).outcome
        if outcome is not Outcome.UNDECIDED:
            return outcome, request
    return Outcome.UNDECIDED, LONGEST


def rates(
    run: Run, true: Mapping[str, float], question: Question, runs: int
) -> tuple[Counter[str], float]:
    """Outcomes of many runs, and the mean number of requests."""
    dice, found, requests = Random(5), Counter[str](), 0
    for _ in range(runs):
        outcome, size = run(true, question, dice)
        found[outcome.value] += 1
        requests += size
    return found, requests / runs


def main() -> None:
    """Print the figures."""
    print(f"{RUNS:,} runs each; expected {CORRECT}, tolerance {TOLERANCE:.0%}")
    for rate in (0.01, 0.001):
        question = Question(false_alarm=rate, miss=0.01, tolerance=TOLERANCE)
        for name, run in (("fixed", fixed), ("sequential", sequential)):
            right, mean = rates(run, CORRECT, question, RUNS)
            wrong, mean_wrong = rates(run, OFF, question, RUNS)
            print(
                f"  {name:10} stated {rate:.3f}: correct ones failed {right['failed'] / RUNS:.4f}"
                f" ({mean:,.0f} requests); off by the tolerance passed"
                f" {wrong['passed'] / RUNS:.4f}, failed {wrong['failed'] / RUNS:.4f}"
                f" ({mean_wrong:,.0f} requests)"
            )


if __name__ == "__main__":
    main()
