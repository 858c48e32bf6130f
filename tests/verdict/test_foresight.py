"""What is told beforehand about a watched split is kept at least as often as it says."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gateway.verdict import Foresight, Outcome, Question, Unjudgeable, Watch, requests_to_watch
from gateway.verdict.foresight import _least_telling
from gateway.verdict.sequential import evidence

LOOSE = Question(false_alarm=0.05, miss=0.05, tolerance=0.1)
TENTH = {"1": 0.9, "2": 0.1}
THREE = {"1": 0.6, "2": 0.3, "3": 0.1}


def decided_at(
    true: Mapping[str, float], expected: Mapping[str, float], limit: int, seed: int
) -> Mapping[Outcome, int]:
    """By how many requests a split has failed, and by how many it was decided at all."""
    dice, watch, counts = Random(seed), Watch(expected, LOOSE), dict.fromkeys(true, 0)
    found: dict[Outcome, int] = {}
    for version in dice.choices(list(true), list(true.values()), k=limit):
        counts[version] += 1
        look = watch.look(counts)
        found.setdefault(look.outcome, look.total)
        if look.outcome is Outcome.FAILED:
            break
    return found


@pytest.mark.parametrize(
    "expected", [pytest.param(TENTH, id="a tenth"), pytest.param(THREE, id="three versions")]
)
def test_a_right_split_is_decided_in_time(expected: Mapping[str, float]) -> None:
    """At most a share of `miss` takes longer, and at most half takes longer than half do."""
    runs, told = 150, requests_to_watch(expected, LOOSE)
    late = slow = 0
    for seed in range(runs):
        found = decided_at(expected, expected, told.passing, seed)
        decided = min((at for o, at in found.items() if o is not Outcome.UNDECIDED), default=10**9)
        late += decided > told.passing
        slow += decided > told.passing_half
    assert late <= stats.binom.ppf(0.999, runs, LOOSE.miss)
    assert slow <= stats.binom.ppf(0.999, runs, 0.5)
    assert told.passing_half < told.passing


@pytest.mark.parametrize(
    ("true", "expected"),
    [
        pytest.param({"1": 0.8, "2": 0.2}, TENTH, id="more"),
        pytest.param({"1": 1.0}, TENTH, id="less"),
        pytest.param({"1": 0.5, "2": 0.4, "3": 0.1}, THREE, id="one of three"),
        pytest.param({"1": 0.55, "2": 0.4, "3": 0.05}, THREE, id="one up, two down"),
        pytest.param({"1": 0.6, "2": 0.3, "4": 0.1}, THREE, id="to a stranger"),
        pytest.param({"1": 0.9, "2": 0.1}, {"1": 1.0}, id="a leak"),
    ],
)
def test_a_split_that_is_off_has_failed_in_time(
    true: Mapping[str, float], expected: Mapping[str, float]
) -> None:
    """At most a share of `miss` takes longer, wherever the other requests went."""
    runs, told = 150, requests_to_watch(expected, LOOSE)
    late = slow = 0
    for seed in range(runs):
        at = decided_at(true, expected, told.failing, seed).get(Outcome.FAILED, 10**9)
        late += at > told.failing
        slow += at > told.failing_half
    assert late <= stats.binom.ppf(0.999, runs, LOOSE.miss)
    assert slow <= stats.binom.ppf(0.999, runs, 0.5)
    assert told.failing_half < told.failing


@pytest.mark.parametrize(
    ("expected", "question", "told"),
    [
        pytest.param({"1": 1.0}, Question(), Foresight(152, 152, 152, 23), id="one version"),
        pytest.param(
            {"1": 1.0, "2": 0.0}, Question(), Foresight(152, 152, 152, 23), id="one without a share"
        ),
        pytest.param(TENTH, Question(), Foresight(4986, 1945, 7147, 3521), id="usual"),
        pytest.param(
            {"1": 0.5, "2": 0.5}, Question(tolerance=0.6), Foresight(1, 1, 1, 1), id="not possible"
        ),
    ],
)
def test_what_is_told(expected: Mapping[str, float], question: Question, told: Foresight) -> None:
    """Watching costs more than one look where nothing is wrong by more than was asked about."""
    assert requests_to_watch(expected, question) == told


def test_shares_that_are_none_are_refused() -> None:
    """As by the watch itself."""
    with pytest.raises(Unjudgeable, match="shares that sum to 1"):
        requests_to_watch({"1": 0.5})


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 9), st.integers(0, 9))
def test_nothing_tells_less_than_the_least_telling_counts(
    parts: list[int], total: int, count: int
) -> None:
    """Compared with every way to share out the requests of the other versions."""
    shares = [part / (sum(parts) + 5) for part in parts]
    first = 1 - sum(shares)

    def told(counts: tuple[int, ...] | list[int]) -> float:
        return evidence([count, *counts], [first, *shares], 0.1)

    found = _least_telling(total, shares)
    assert sum(found) == total
    every = product(range(total + 1), repeat=len(shares))
    least = min(told(counts) for counts in every if sum(counts) == total)
    assert told(found) == pytest.approx(least, abs=1e-9)
