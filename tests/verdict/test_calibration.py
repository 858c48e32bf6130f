"""Stated error rates are kept: thousands of runs of the fixed test, and of the watched one."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.calibration import (
    OFF,
    SHARE,
    band,
    bounds,
    fixed,
    watched,
)
from gateway.verdict import Outcome, Question, Watch, requests_to_watch

RUNS = 2_000
EXPECTED = {"1": 1 - SHARE, "2": SHARE}
RATES = pytest.mark.parametrize("rate", [0.01, 0.001])


@RATES
def test_right_splits_fail_no_oftener_than_stated(rate: float) -> None:
    """By the fixed test, and by the watched one that is looked at after every request."""
    question = Question(rate, 0.01, 0.05)
    most = band(rate, RUNS)[1]
    assert fixed(SHARE, question, RUNS)[0] <= most
    assert watched(SHARE, bounds(question, 2_000), RUNS).failed <= most


@RATES
def test_wrong_splits_are_found_with_the_requests_that_were_announced(rate: float) -> None:
    """As often as announced; and few of them are called right on the way."""
    question, tolerance = Question(rate, 0.01, 0.05), 0.05
    least = RUNS - band(question.miss, RUNS)[1]
    assert fixed(SHARE + tolerance, question, RUNS)[0] >= least
    told = requests_to_watch(EXPECTED, question)
    found = watched(SHARE + tolerance, bounds(question, told.failing), RUNS)
    assert found.failed >= least
    assert found.passed_first <= band(question.miss, RUNS)[1]
    half = watched(SHARE + tolerance, bounds(question, told.failing_half), RUNS)
    assert half.failed >= band(0.5, RUNS)[0]
    assert found.mean < told.failing


@pytest.mark.parametrize("true", [SHARE, OFF, 0.02, 0.3])
def test_the_bounds_are_those_of_a_watch(true: float) -> None:
    """Run by run, look by look: the simulation decides as the watched test does."""
    question = Question(0.05, 0.05, 0.05)
    held = bounds(question, 400)
    for seed in range(5):
        dice, watch, count = Random(seed), Watch(EXPECTED, question), 0
        before = Outcome.UNDECIDED
        for request in range(400):
            count += dice.random() < true
            outcome = watch.look({"1": request + 1 - count, "2": count}).outcome
            fails = not held.fails_below[request] <= count <= held.fails_above[request]
            passes = held.passes_from[request] <= count <= held.passes_to[request]
            expected = Outcome.PASSED if passes and before is Outcome.UNDECIDED else before
            failed = fails or before is Outcome.FAILED
            assert outcome is (Outcome.FAILED if failed else expected)
            before = outcome
