"""Whether the verdict keeps its word: by simulation, correct splits that fail and wrong ones found.

The fixed test is asked once, at the end, with as many requests as it asks for itself. The watched
test is looked at after every request. What it decides at a look depends on the counts alone, so
that its bounds are computed once, from its own functions, and thousands of runs are compared with
them; the suite checks a few runs of these against a `Watch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.verdict import Question, binomial, judge, requests_to_watch
from gateway.verdict.search import first
from gateway.verdict.sequential import evidence, ratio

RUNS: Final = 10_000
SHARE: Final = 0.1
"""What version 2 is expected to get; version 1 gets the rest."""

TOLERANCE: Final = 0.02
OFF: Final = SHARE + TOLERANCE
"""What it gets of a wrong split."""

LONGEST: Final = 20_000
"""For how many requests a correct split is looked at, whether or not it has passed."""

CHUNK: Final = 500
SEED: Final = 5

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the watched test decides after 1, 2, 3 ... requests, by the count of version 2.

    Attributes:
        fails_below: Below so many it fails.
        fails_above: Above so many it fails.
        passes_from: From so many on it passes ...
        passes_to: ... up to so many.
    """

    fails_below: Counts
    fails_above: Counts
    passes_from: Counts
    passes_to: Counts


@dataclass(frozen=True, slots=True)
class Watched:
    """What became of many runs of the watched test.

    Attributes:
        failed: Of the runs, those that failed at some look.
        failed_first: Those that failed before they passed.
        passed_first: Those that passed before they failed.
        mean: Requests until a run was first decided, on average.
    """

    failed: int
    failed_first: int
    passed_first: int
    mean: float


def bounds(question: Question, requests: int) -> Bounds:
    """The bounds of the watched test, for up to so many requests."""
    rows = [_bounds_at(n, question) for n in range(1, requests + 1)]
    return Bounds(*(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)))


def _bounds_at(n: int, question: Question) -> tuple[int, int, int, int]:
    shares, mode = (1 - SHARE, SHARE), int(n * SHARE)
    limit, needed = -log(question.false_alarm), -log(question.miss)
    low, high = SHARE - question.tolerance, SHARE + question.tolerance

    def fails(count: int) -> bool:
        return evidence((n - count, count), shares, question.tolerance) >= limit

    return (
        first(range(mode + 1), lambda count: not fails(count)),
        first(range(mode, n + 1), fails) - 1,
        first(range(n + 1), lambda count: ratio(count, n, SHARE, low) >= needed),
        first(range(n + 1), lambda count: ratio(count, n, SHARE, high) < needed) - 1,
    )


def watched(true: float, held: Bounds, runs: int, seed: int = SEED) -> Watched:
    """Watch many runs of a split, each for as many requests as there are bounds.

    Args:
        true: What version 2 really gets.
        held: The bounds.
        runs: How many runs.
        seed: Settles every run.
    """
    length = len(held.fails_below)
    failed = failed_first = passed_first = requests = 0
    for counts in _runs(true, length, runs, seed):
        fails = (counts < held.fails_below) | (counts > held.fails_above)
        passes = (counts >= held.passes_from) & (counts <= held.passes_to)
        failed_at, passed_at = _first_true(fails), _first_true(passes)
        failed += int((failed_at < length).sum())
        failed_first += int((failed_at < passed_at).sum())
        passed_first += int((passed_at < failed_at).sum())
        requests += int(np.minimum(np.minimum(failed_at, passed_at) + 1, length).sum())
    return Watched(failed, failed_first, passed_first, requests / runs)


def _runs(true: float, length: int, runs: int, seed: int) -> Iterator[Counts]:
    """Runs, some at a time: the count of version 2 after each request."""
    dice = np.random.default_rng(seed)
    for start in range(0, runs, CHUNK):
        drawn = dice.random((min(CHUNK, runs - start), length), dtype=np.float32) < true
        yield np.cumsum(drawn, axis=1, dtype=np.int64)


def _first_true(held: NDArray[np.bool_]) -> Counts:
    """Where each row first holds; its length where it never does."""
    found: Counts = np.where(held.any(axis=1), held.argmax(axis=1), held.shape[1])
    return found


def fixed(true: float, question: Question, runs: int, seed: int = SEED) -> tuple[int, int]:
    """How many runs of the fixed test failed, and with how many requests each was judged."""
    size = judge({}, {"1": 1 - SHARE, "2": SHARE}, question=question).requests_needed
    seconds = np.random.default_rng(seed).binomial(size, true, runs)
    failed = 0
    for second, times in zip(*np.unique(seconds, return_counts=True), strict=True):
        p_value = binomial.two_sided(int(second), size, SHARE)
        failed += int(times) * (p_value < question.false_alarm)
    return failed, size


def band(rate: float, runs: int) -> tuple[int, int]:
    """The 99 % binomial band of a rate, in runs."""
    return binomial.accepted(runs, rate, 0.01)


def main() -> None:
    """Print the figures."""
    expected = {"1": 1 - SHARE, "2": SHARE}
    print(f"{RUNS:,} runs each; expected {SHARE:.0%}, tolerance {TOLERANCE:.0%}, seed {SEED}")
    for rate in (0.01, 0.001):
        question, began = Question(rate, 0.01, TOLERANCE), perf_counter()
        low, high = band(rate, RUNS)
        print(f"stated false alarm {rate}: the 99 % band of {RUNS * rate:g} is {low} .. {high}")
        failed, size = fixed(SHARE, question, RUNS)
        found, _ = fixed(OFF, question, RUNS)
        print(f"  fixed    right ones failed {failed}")
        print(f"           {OFF:.0%} found by the announced {size:,}: {found / RUNS:.2%} (>= 99 %)")
        told = requests_to_watch(expected, question)
        right = watched(SHARE, bounds(question, LONGEST), RUNS)
        wrong = watched(OFF, bounds(question, told.failing), RUNS)
        half = watched(OFF, bounds(question, told.failing_half), RUNS)
        print(
            f"  watched  right ones failed at any of {LONGEST:,} looks {right.failed},"
            f" before they passed {right.failed_first}; decided after {right.mean:,.0f} on average"
        )
        print(
            f"           {OFF:.0%} found by the announced {told.failing:,}:"
            f" {wrong.failed / RUNS:.2%} (>= 99 %), {wrong.passed_first / RUNS:.2%} called right"
            f" before (<= 1 %); decided after {wrong.mean:,.0f} on average"
        )
        print(
            f"           {OFF:.0%} found by the announced {told.failing_half:,}:"
            f" {half.failed / RUNS:.2%} (>= 50 %); {perf_counter() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
