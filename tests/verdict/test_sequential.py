"""A split that is watched: decided as soon as it can be, with the error rates of the question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import comb, exp, inf, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.verdict import Outcome, Question, Unjudgeable, Watch
from gateway.verdict.sequential import evidence

LOOSE = Question(false_alarm=0.05, miss=0.05, tolerance=0.08)


def watched(
    true: Mapping[str, float], expected: Mapping[str, float], question: Question, seed: int
) -> tuple[Outcome, int]:
    """Watch a split after every request until it is decided, or 5,000 requests have come."""
    dice, counts, watch = Random(seed), Counter[str](), Watch(expected, question)
    versions, weights = list(true), list(true.values())
    for request in range(1, 5_001):
        counts[dice.choices(versions, weights)[0]] += 1
        look = watch.look(counts)
        if look.outcome is not Outcome.UNDECIDED:
            assert look.decided_at == look.total == request
            return look.outcome, request
    return Outcome.UNDECIDED, 5_000


def at_most(rate: float, runs: int) -> int:
    """How many of so many runs may go wrong before the rate is not kept (one in 10,000)."""
    tail, count = 1.0, -1
    while tail > 1e-4:
        count += 1
        tail -= comb(runs, count) * rate**count * (1 - rate) ** (runs - count)
    return count


@pytest.mark.parametrize(
    "split",
    [
        pytest.param({"1": 0.5, "2": 0.5}, id="halves"),
        pytest.param({"1": 0.9, "2": 0.1}, id="a tenth"),
        pytest.param({"1": 0.6, "2": 0.3, "3": 0.1}, id="three versions"),
    ],
)
def test_a_right_split_fails_no_oftener_than_stated(split: Mapping[str, float]) -> None:
    """However often it is looked at; and it passes, all but always."""
    runs = 200
    outcomes = Counter(watched(split, split, LOOSE, seed)[0] for seed in range(runs))
    assert outcomes[Outcome.FAILED] <= at_most(LOOSE.false_alarm, runs)
    assert outcomes[Outcome.UNDECIDED] == 0
    assert outcomes[Outcome.PASSED] >= runs - at_most(LOOSE.false_alarm, runs)


@pytest.mark.parametrize(
    ("true", "expected"),
    [
        pytest.param({"1": 0.82, "2": 0.18}, {"1": 0.9, "2": 0.1}, id="more"),
        pytest.param({"1": 0.98, "2": 0.02}, {"1": 0.9, "2": 0.1}, id="less"),
        pytest.param(
            {"1": 0.6, "2": 0.22, "3": 0.18}, {"1": 0.6, "2": 0.3, "3": 0.1}, id="one of three"
        ),
    ],
)
def test_a_split_that_is_off_by_the_tolerance_passes_no_oftener_than_stated(
    true: Mapping[str, float], expected: Mapping[str, float]
) -> None:
    """It fails, all but always."""
    runs = 200
    outcomes = Counter(watched(true, expected, LOOSE, seed)[0] for seed in range(runs))
    assert outcomes[Outcome.PASSED] <= at_most(LOOSE.miss, runs)
    assert outcomes[Outcome.FAILED] >= runs - at_most(LOOSE.miss, runs)


def test_a_gross_mistake_is_seen_early() -> None:
    """A fixed test would have waited for its sample."""
    outcome, requests = watched({"1": 0.5, "2": 0.5}, {"1": 0.9, "2": 0.1}, Question(), 1)
    assert outcome is Outcome.FAILED
    assert requests < 100


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        pytest.param({}, Outcome.UNDECIDED, id="nothing"),
        pytest.param({"1": 1}, Outcome.UNDECIDED, id="one"),
        pytest.param({"2": 1}, Outcome.FAILED, id="what should never come"),
        pytest.param({"1": 1, "3": 1}, Outcome.FAILED, id="what nobody expects"),
        pytest.param({"1": 150}, Outcome.UNDECIDED, id="not enough of it"),
        pytest.param({"1": 200}, Outcome.PASSED, id="nothing but what should always come"),
    ],
)
def test_never_and_always_mean_what_they_say(counts: Mapping[str, int], outcome: Outcome) -> None:
    """One request of a version with no share is enough."""
    assert Watch({"1": 1.0, "2": 0.0}).look(counts).outcome is outcome


def test_a_decision_stands_but_a_passed_split_may_still_fail() -> None:
    """Evidence for a failure is never too late; what failed stays failed."""
    watch = Watch({"1": 0.5, "2": 0.5}, LOOSE)
    passed = watch.look({"1": 1000, "2": 1000})
    assert (passed.outcome, passed.decided_at) == (Outcome.PASSED, 2000)
    later = watch.look({"1": 1030, "2": 1000})
    assert (later.outcome, later.decided_at) == (Outcome.PASSED, 2000)
    failed = watch.look({"1": 2000, "2": 1000})
    assert (failed.outcome, failed.decided_at) == (Outcome.FAILED, 3000)
    assert failed.p_value < 1e-10
    again = watch.look({"1": 10_000, "2": 10_000})
    assert (again.outcome, again.p_value) == (Outcome.FAILED, failed.p_value)


def test_a_share_as_small_as_the_tolerance_cannot_be_off_to_below_nothing() -> None:
    """One request of the version rules that out; the other side is tested as ever."""
    watch = Watch({"1": 0.92, "2": 0.08}, LOOSE)
    assert watch.look({"1": 92, "2": 8}).outcome is Outcome.UNDECIDED
    assert watch.look({"1": 184, "2": 16}).outcome is Outcome.PASSED


def test_another_sample_needs_another_watch() -> None:
    """Counts that shrink are none of the same watch."""
    watch = Watch({"1": 1.0})
    watch.look({"1": 5})
    with pytest.raises(Unjudgeable, match="at least the 5 of the last look"):
        watch.look({"1": 4})
    with pytest.raises(Unjudgeable):
        Watch({"1": 0.5, "2": 0.4})


def dirichlet_factor(counts: list[int], shares: list[float], weight: float) -> float:
    """The mixture's likelihood over the split's, request by request: a product of predictions."""
    seen, found = [0] * len(counts), 0.0
    for version, count in enumerate(counts):
        for _ in range(count):
            predicted = (weight * shares[version] + seen[version]) / (weight + sum(seen))
            found += log(predicted) - log(shares[version])
            seen[version] += 1
    return found


@given(
    st.lists(st.integers(0, 60), min_size=2, max_size=4),
    st.lists(st.integers(1, 20), min_size=4, max_size=4),
    st.floats(0.01, 0.4),
)
def test_the_evidence_is_the_mixtures_prediction(
    counts: list[int], parts: list[int], tolerance: float
) -> None:
    """In whatever order the requests came."""
    used = parts[: len(counts)]
    shares = [part / sum(used) for part in used]
    spread = max(share * (1 - share) for share in shares)
    weight = max(1.0, spread / tolerance**2 - 1)
    found = evidence(counts, shares, tolerance)
    assert found == pytest.approx(dirichlet_factor(counts, shares, weight), abs=1e-8)


def test_the_evidence_of_a_right_split_is_one_on_average() -> None:
    """Summed over every sample of 12 requests: that is what makes it a martingale."""
    n, share = 12, 0.3
    mean = sum(
        comb(n, k)
        * share**k
        * (1 - share) ** (n - k)
        * exp(evidence([k, n - k], [share, 0.7], 0.1))
        for k in range(n + 1)
    )
    assert mean == pytest.approx(1, abs=1e-12)
    assert evidence([1, 0], [0.0, 1.0], 0.1) == inf
