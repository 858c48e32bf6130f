"""A verdict keeps its two promises: few false alarms, few misses, and it says when it cannot."""

from __future__ import annotations

from functools import cache
from math import inf, nan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gateway.verdict import (
    CONFIDENCE,
    Method,
    Outcome,
    Question,
    Unjudgeable,
    judge,
    judge_all,
)
from gateway.verdict.choice import method_for, p_value
from gateway.verdict.intervals import clopper_pearson

LOOSE = Question(false_alarm=0.01, miss=0.05, tolerance=0.1)
TENTH = {"1": 0.9, "2": 0.1}
THREE = {"1": 0.7, "2": 0.2, "3": 0.1}


def _draw(dice: Random, shares: dict[str, float], n: int) -> dict[str, int]:
    drawn = dice.choices(list(shares), weights=list(shares.values()), k=n)
    return {version: drawn.count(version) for version in shares}


@pytest.mark.parametrize(
    ("counts", "expected", "outcome", "method"),
    [
        pytest.param(
            {"1": 9000, "2": 1000}, TENTH, Outcome.PASSED, Method.EXACT_BINOMIAL, id="right"
        ),
        pytest.param(
            {"1": 8700, "2": 1300}, TENTH, Outcome.FAILED, Method.EXACT_BINOMIAL, id="wrong"
        ),
        pytest.param(
            {"1": 90, "2": 10}, TENTH, Outcome.UNDECIDED, Method.EXACT_BINOMIAL, id="too-few"
        ),
        pytest.param(
            {"1": 20, "2": 80},
            TENTH,
            Outcome.FAILED,
            Method.EXACT_BINOMIAL,
            id="too-few-to-pass-but-plainly-wrong",
        ),
        pytest.param({}, TENTH, Outcome.UNDECIDED, Method.EXACT_BINOMIAL, id="no-requests"),
        pytest.param(
            {"1": 9000, "2": 1000, "3": 1},
            TENTH,
            Outcome.FAILED,
            Method.EXACT_BINOMIAL,
            id="one-request-of-an-unexpected-version",
        ),
        pytest.param(
            {"1": 9000, "2": 1000, "3": 0},
            TENTH,
            Outcome.PASSED,
            Method.EXACT_BINOMIAL,
            id="no-request-of-an-unexpected-version",
        ),
        pytest.param(
            {"1": 9000, "2": 1000, "3": 1},
            {**TENTH, "3": 0.0},
            Outcome.FAILED,
            Method.EXACT_BINOMIAL,
            id="one-request-of-a-version-without-share",
        ),
        pytest.param(
            {"1": 151},
            {"1": 1.0},
            Outcome.UNDECIDED,
            Method.EXACT_BINOMIAL,
            id="one-version-too-few-for-a-leak",
        ),
        pytest.param(
            {"1": 152},
            {"1": 1.0},
            Outcome.PASSED,
            Method.EXACT_BINOMIAL,
            id="one-version-enough-for-a-leak",
        ),
        pytest.param(
            {"1": 152},
            {"1": 1, "2": 0},
            Outcome.PASSED,
            Method.EXACT_BINOMIAL,
            id="a-version-without-share-and-requests",
        ),
        pytest.param(
            {"1": 35, "2": 10, "3": 5},
            THREE,
            Outcome.UNDECIDED,
            Method.EXACT_MULTINOMIAL,
            id="three-versions-few",
        ),
        pytest.param(
            {"1": 10, "2": 10, "3": 30},
            THREE,
            Outcome.FAILED,
            Method.EXACT_MULTINOMIAL,
            id="three-versions-few-and-wrong",
        ),
        pytest.param(
            {"1": 14000, "2": 4000, "3": 2000},
            THREE,
            Outcome.PASSED,
            Method.PER_VERSION,
            id="three-versions-right",
        ),
        pytest.param(
            {"1": 14000, "2": 4600, "3": 1400},
            THREE,
            Outcome.FAILED,
            Method.PER_VERSION,
            id="three-versions-wrong",
        ),
    ],
)
def test_outcome(
    counts: dict[str, int], expected: dict[str, float], outcome: Outcome, method: Method
) -> None:
    """Failed by what came, else passed or undecided by what could have come."""
    verdict = judge(counts, expected)
    assert (verdict.outcome, verdict.method) == (outcome, method)
    assert (verdict.p_value < 1e-6) is (outcome is Outcome.FAILED)
    assert verdict.total == sum(counts.values())


def test_evidence_by_version() -> None:
    """Expected versions come first, strangers with requests after them."""
    verdict = judge({"9": 1, "2": 10, "8": 0, "1": 89}, TENTH)
    assert [share.version for share in verdict.shares] == ["1", "2", "9"]
    assert [share.expected for share in verdict.shares] == [0.9, 0.1, 0.0]
    assert [share.count for share in verdict.shares] == [89, 10, 1]
    assert [share.share for share in verdict.shares] == [0.89, 0.1, 0.01]


@pytest.mark.parametrize(
    ("counts", "expected", "confidence"),
    [
        pytest.param({"1": 90, "2": 10}, TENTH, CONFIDENCE, id="two-share-one"),
        pytest.param(
            {"1": 70, "2": 20, "3": 10}, THREE, 1 - (1 - CONFIDENCE) / 3, id="three-share-the-error"
        ),
    ],
)
def test_intervals_hold_all_at_once(
    counts: dict[str, int], expected: dict[str, float], confidence: float
) -> None:
    """Each interval is exact at its part of the error."""
    verdict = judge(counts, expected)
    assert verdict.confidence == CONFIDENCE
    for share in verdict.shares:
        interval = clopper_pearson(share.count, verdict.total, confidence)
        assert (share.low, share.high) == pytest.approx(interval)


def test_nothing_counted_shows_nothing() -> None:
    """Without requests the share is 0, the interval everything, the deviation none."""
    share = judge({}, TENTH).shares[1]
    assert (share.count, share.share, share.low, share.high) == (0, 0.0, 0.0, 1.0)
    assert share.smallest_deviation is None


def test_shares_need_not_add_up_in_binary() -> None:
    """Ten tenths, and one version whose share is 1 but for rounding."""
    assert judge({str(i): 2000 for i in range(10)}, dict.fromkeys("0123456789", 0.1)).p_value == 1
    assert judge({"1": 500}, {"1": 1 - 1e-10}).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("counts", "expected", "sentence"),
    [
        pytest.param(
            {"1": -1},
            {"1": 1.0},
            'counts["1"] is -1; allowed is a whole number, 0 or more',
            id="negative-count",
        ),
        pytest.param(
            {"1": 1.0},
            {"1": 1.0},
            'counts["1"] is 1.0; allowed is a whole number, 0 or more',
            id="broken-count",
        ),
        pytest.param(
            {},
            {"1": 1.5, "2": -0.5},
            'expected["1"] is 1.5; allowed is a number from 0 to 1',
            id="share-above-one",
        ),
        pytest.param(
            {}, {"1": nan}, 'expected["1"] is nan; allowed is a number from 0 to 1', id="nan"
        ),
        pytest.param(
            {}, {"1": inf}, 'expected["1"] is inf; allowed is a number from 0 to 1', id="inf"
        ),
        pytest.param(
            {},
            {"1": 0.9, "2": 0.2},
            "expected is {'1': 0.9, '2': 0.2}; allowed is shares that sum to 1, not to 1.1",
            id="sum-above-one",
        ),
        pytest.param(
            {"1": 1},
            {},
            "expected is {}; allowed is shares that sum to 1, not to 0",
            id="no-shares",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(
    counts: dict[str, int], expected: dict[str, float], sentence: str
) -> None:
    """The sentence names the version, the value and what is allowed."""
    with pytest.raises(Unjudgeable) as refusal:
        judge(counts, expected)
    assert str(refusal.value) == sentence


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any),
    counts=st.lists(st.integers(0, 80), min_size=4, max_size=4),
    tolerance=st.floats(0.1, 0.6),
)
def test_any_split_gets_a_verdict_that_fits_itself(
    parts: list[int], counts: list[int], tolerance: float
) -> None:
    """Outcome, p-value, deviations and requests needed never contradict each other."""
    expected = {str(i): part / sum(parts) for i, part in enumerate(parts)}
    question = Question(tolerance=tolerance)
    verdict = judge({str(i): count for i, count in enumerate(counts)}, expected, question=question)
    sharp = all(
        share.smallest_deviation is not None and share.smallest_deviation <= tolerance
        for share in verdict.shares
    )
    assert 0 <= verdict.p_value <= 1
    assert (verdict.outcome is Outcome.FAILED) is (verdict.p_value < question.false_alarm)
    if verdict.outcome is Outcome.PASSED:
        assert sharp
        assert verdict.requests_needed <= verdict.total
    if verdict.outcome is Outcome.UNDECIDED:
        assert not sharp
        assert verdict.requests_needed > verdict.total
    assert verdict.sentence.startswith(f"{verdict.outcome}: ")


@pytest.mark.parametrize(
    ("expected", "tolerance"),
    [
        pytest.param(TENTH, 0.03, id="two-versions"),
        pytest.param(THREE, 0.03, id="three-versions"),
        pytest.param(THREE, 0.5, id="three-versions-few-requests"),
        pytest.param({"1": 1.0}, 0.03, id="one-version"),
    ],
)
def test_as_many_requests_as_are_needed_decide(
    expected: dict[str, float], tolerance: float
) -> None:
    """Whoever sends what an undecided verdict asks for, or more, is not sent away again."""
    question = Question(tolerance=tolerance)
    needed = judge({}, expected, question=question).requests_needed
    for n in (needed, needed + 1, needed + 10, needed + 100, 3 * needed):
        counts = {version: round(share * n) for version, share in expected.items()}
        counts["1"] += n - sum(counts.values())
        assert judge(counts, expected, question=question).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("expected", "n"),
    [
        pytest.param(TENTH, 700, id="exact-binomial"),
        pytest.param(THREE, 40, id="exact-multinomial"),
        pytest.param(THREE, 400, id="per-version"),
    ],
)
def test_a_correct_split_fails_no_oftener_than_stated(expected: dict[str, float], n: int) -> None:
    """Correct samples, drawn with a fixed seed, against the 99.9 % bound of their failures."""
    dice, samples = Random(6), 2000 if n > 100 else 200
    failed = sum(
        _p_value(_draw(dice, expected, n), expected) < LOOSE.false_alarm for _ in range(samples)
    )
    assert failed <= stats.binom.ppf(0.999, samples, LOOSE.false_alarm)


@pytest.mark.parametrize(
    ("tolerance", "method"),
    [
        pytest.param(0.1, Method.PER_VERSION, id="per-version"),
        pytest.param(0.4, Method.EXACT_MULTINOMIAL, id="exact-multinomial"),
    ],
)
@pytest.mark.parametrize("others", [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
def test_a_wrong_split_is_missed_no_oftener_than_stated(
    tolerance: float, method: Method, others: tuple[float, float]
) -> None:
    """Version 1 loses the tolerance to the others, in any proportion."""
    question = Question(false_alarm=0.01, miss=0.05, tolerance=tolerance)
    needed = judge({}, THREE, question=question).requests_needed
    assert method_for(needed, list(THREE.values())) is method
    first, second = (tolerance * part for part in others)
    truth = {"1": 0.7 - tolerance, "2": 0.2 + first, "3": 0.1 + second}
    dice = Random(7)
    missed = sum(_p_value(_draw(dice, truth, needed), THREE) >= 0.01 for _ in range(150))
    assert missed <= stats.binom.ppf(0.999, 150, question.miss)


def _p_value(counts: dict[str, int], expected: dict[str, float]) -> float:
    return _cached_p_value(tuple(counts.values()), tuple(expected.values()))


@cache
def _cached_p_value(counts: tuple[int, ...], shares: tuple[float, ...]) -> float:
    return p_value(counts, shares)


def test_several_questions_share_one_false_alarm_rate() -> None:
    """Each is judged at its part, and what it could have shown is computed at that part."""
    splits = {
        "dev": ({"1": 500}, {"1": 1.0}),
        "release": ({"1": 9000, "2": 1000}, TENTH),
        "prepub": ({"3": 9000, "4": 1000}, {"3": 0.9, "4": 0.1}),
    }
    summary = judge_all(splits)
    assert summary.question == Question()
    assert list(summary.verdicts) == ["dev", "release", "prepub"]
    corrected = Question(false_alarm=1e-6 / 3)
    for name, (counts, expected) in splits.items():
        assert summary.verdicts[name] == judge(counts, expected, question=corrected)


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        pytest.param([{"1": 500}, {"1": 600}], Outcome.PASSED, id="all-passed"),
        pytest.param([{"1": 500}, {"1": 6}], Outcome.UNDECIDED, id="one-undecided"),
        pytest.param([{"1": 6}, {"1": 500, "2": 1}], Outcome.FAILED, id="one-failed"),
        pytest.param([{"1": 500, "2": 1}], Outcome.FAILED, id="the-only-one"),
    ],
)
def test_the_whole_is_as_good_as_its_worst(counts: list[dict[str, int]], outcome: Outcome) -> None:
    """Failed before undecided before passed."""
    splits = {str(i): (split, {"1": 1.0}) for i, split in enumerate(counts)}
    assert judge_all(splits, LOOSE).outcome is outcome


def test_several_questions_are_at_least_one() -> None:
    """No question has no answer."""
    with pytest.raises(Unjudgeable, match=r"questions is \{\}; allowed is at least one"):
        judge_all({})


def test_a_mistake_names_its_question() -> None:
    """The refusal says which of several questions cannot be judged."""
    with pytest.raises(Unjudgeable, match=r'release: counts\["1"\] is -1; allowed is a whole'):
        judge_all({"dev": ({"1": 1}, {"1": 1.0}), "release": ({"1": -1}, {"1": 1.0})})
