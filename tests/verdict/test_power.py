"""What a sample could have shown, and how many requests show enough, are exact promises."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, log1p
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from gateway.verdict import USUAL, Question, Unjudgeable, requests_needed, smallest_deviation
from gateway.verdict.binomial import accepted, log_at_least, log_at_most, two_sided
from gateway.verdict.power import EXACT_UP_TO, deviation_seen, requests_to_decide, shows

LOOSE = Question(false_alarm=0.01, miss=0.05, tolerance=0.1)


def _detected(n: int, share: float, true: float, false_alarm: float) -> float:
    """Return the exact probability that the test rejects `share` when `true` is the truth."""
    low, high = accepted(n, share, false_alarm)
    return exp(log_at_most(low - 1, n, true)) + exp(log_at_least(high + 1, n, true))


@settings(deadline=None)
@given(n=st.integers(0, 3000), share=st.floats(0, 1), part=st.floats(0, 1))
def test_every_greater_deviation_is_seen(n: int, share: float, part: float) -> None:
    """At the smallest deviation and beyond, upwards and downwards, where that is possible."""
    smallest = smallest_deviation(n, share, LOOSE)
    assume(smallest is not None)
    assert smallest is not None
    deviation = smallest + part * (1 - smallest)
    for true in (share + deviation, share - deviation):
        if 0 <= true <= 1:
            assert _detected(n, share, true, LOOSE.false_alarm) >= 1 - LOOSE.miss - 1e-9


@settings(deadline=None)
@given(n=st.integers(1, 3000), share=st.floats(0.01, 0.99))
def test_a_smaller_deviation_is_missed_in_one_direction(n: int, share: float) -> None:
    """A thousandth below the smallest deviation, one side is seen too seldom."""
    smallest = smallest_deviation(n, share, LOOSE)
    assume(smallest is not None)
    assert smallest is not None
    low, high = accepted(n, share, LOOSE.false_alarm)
    up, down = share + smallest * 0.999, share - smallest * 0.999
    seen_up = exp(log_at_least(high + 1, n, up)) if up <= 1 else 1
    seen_down = exp(log_at_most(low - 1, n, down)) if down >= 0 and low > 0 else float(down < 0)
    assert min(seen_up, seen_down) < 1 - LOOSE.miss


@pytest.mark.parametrize(
    ("n", "share", "question", "deviation"),
    [
        pytest.param(0, 0.5, USUAL, None, id="no-requests"),
        pytest.param(0, 0.0, USUAL, None, id="no-requests-for-a-leak"),
        pytest.param(20, 0.5, USUAL, None, id="even-all-or-nothing-is-no-surprise"),
        pytest.param(100, 0.0, USUAL, 1 - 0.01**0.01, id="leak-to-a-version-without-share"),
        pytest.param(100, 1.0, USUAL, 1 - 0.01**0.01, id="leak-from-a-version-with-all"),
        pytest.param(1, 0.0, USUAL, 0.99, id="one-request"),
    ],
)
def test_smallest_deviation_by_hand(
    n: int, share: float, question: Question, deviation: float | None
) -> None:
    """Closed forms, and samples that show nothing."""
    assert smallest_deviation(n, share, question) == pytest.approx(deviation)


def test_a_direction_that_is_never_seen_takes_greater_deviations() -> None:
    """Where the test accepts 0 requests, only deviations too great for downwards are seen."""
    assert deviation_seen(50, 0.2, (0, 12), 0.4) == pytest.approx(0.2, abs=0.1)
    just_above = deviation_seen(1000, 0.2, (0, 210), 0.01)
    assert just_above is not None
    assert 0.2 < just_above < 0.2 + 1e-15
    assert deviation_seen(1000, 0.8, (790, 1000), 0.01) == pytest.approx(0.2)
    assert deviation_seen(1000, 0.8, (0, 900), 0.01) is None


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_ten_million_requests_show_little(share: float) -> None:
    """The normal approximation says about the same there."""
    smallest = smallest_deviation(10**7, share, USUAL)
    normal = (stats.norm.isf(5e-7) + stats.norm.isf(0.01)) * (share * (1 - share) / 10**7) ** 0.5
    assert smallest == pytest.approx(float(normal), rel=0.01)


def test_ten_per_cent_within_three_points_needs_some_six_thousand() -> None:
    """The promise of the usual question, computed exactly and drawn."""
    n = requests_needed(0.10, 0.03, USUAL)
    assert n == 5845
    assert _detected(n, 0.10, 0.13, USUAL.false_alarm) >= 1 - USUAL.miss
    assert _detected(n, 0.10, 0.07, USUAL.false_alarm) >= 1 - USUAL.miss
    dice, found = Random(5), 0
    for _ in range(300):
        count = sum(dice.random() < 0.13 for _ in range(n))
        found += two_sided(count, n, 0.10) < USUAL.false_alarm
    assert found >= 300 - int(stats.binom.ppf(0.999, 300, USUAL.miss))


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(LOOSE, id="loose"),
        pytest.param(Question(false_alarm=1e-6, miss=0.01), id="usual"),
        pytest.param(Question(false_alarm=0.3, miss=0.3), id="careless"),
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.1, 0.02, 0.9])
@pytest.mark.parametrize("deviation", [0.1, 0.25, 0.4])
def test_more_requests_than_needed_are_enough_too(
    question: Question, share: float, deviation: float
) -> None:
    """Beyond the saw-tooth: every number from there on shows it, and few fewer do."""
    asked = replace(question, tolerance=deviation)
    needed = requests_needed(share, deviation, question)
    reach = int(4 / deviation)
    for n in range(needed, needed + reach):
        assert shows(asked, smallest_deviation(n, share, question))
    for n in range(max(1, needed - 2 * reach), needed - reach):
        assert not shows(asked, smallest_deviation(n, share, question))


@settings(deadline=None)
@given(share=st.sampled_from([0.0, 1.0]), leak=st.floats(0.001, 0.9), miss=st.floats(1e-9, 0.5))
def test_a_leak_is_seen_when_a_clean_sample_is_rare(share: float, leak: float, miss: float) -> None:
    """The smallest n with (1 - leak)^n <= miss."""
    needed = requests_needed(share, leak, Question(miss=miss))
    assert needed == pytest.approx(log(miss) / log1p(-leak), abs=1.000001)
    assert (1 - leak) ** needed <= miss * (1 + 1e-9)


def test_a_deviation_that_is_not_possible_needs_as_many_as_show_any() -> None:
    """Half the requests cannot become more than all or less than none."""
    needed = requests_needed(0.5, 0.7, USUAL)
    assert smallest_deviation(needed, 0.5, USUAL) is not None


def test_beyond_the_exact_search_the_normal_curve_answers() -> None:
    """A hundredth of a point takes a billion requests; that is not worth an exact answer."""
    needed = requests_needed(0.5, 0.0001, USUAL)
    normal = float(stats.norm.isf(5e-7) + stats.norm.isf(0.01)) ** 2 * 0.25 / 1e-8
    assert needed == pytest.approx(normal, rel=1e-6)
    assert needed > EXACT_UP_TO
    assert requests_to_decide([0.5], Question(tolerance=0.0001), above=10**12) == 10**12 + 1


def test_the_exact_search_joins_the_normal_curve() -> None:
    """Just inside the exact search both say the same to a percent."""
    needed = requests_needed(0.1, 0.002, USUAL)
    spread = stats.norm.isf(5e-7) * 0.09**0.5 + stats.norm.isf(0.01) * (0.102 * 0.898) ** 0.5
    assert needed == pytest.approx(float(spread / 0.002) ** 2, rel=0.01)


@settings(max_examples=25, deadline=None)
@given(
    parts=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    tolerance=st.floats(0.15, 0.5),
    above=st.integers(0, 300),
)
def test_a_whole_split_is_decided_when_every_version_is(
    parts: list[int], tolerance: float, above: int
) -> None:
    """The number is beyond what there was, and no less than a single version needs."""
    question = Question(tolerance=tolerance)
    shares = [part / sum(parts) for part in parts]
    needed = requests_to_decide(shares, question, above)
    assert needed > above
    assert all(shows(question, smallest_deviation(needed, share, question)) for share in shares)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        pytest.param(
            lambda: smallest_deviation(-1, 0.1, USUAL),
            "n is -1; allowed is a whole number, 0 or more",
            id="negative-n",
        ),
        pytest.param(
            lambda: smallest_deviation(1, 1.1, USUAL),
            "share is 1.1; allowed is a number from 0 to 1",
            id="share-above-one",
        ),
        pytest.param(
            lambda: requests_needed(-0.1, 0.03, USUAL),
            "share is -0.1; allowed is a number from 0 to 1",
            id="negative-share",
        ),
        pytest.param(
            lambda: requests_needed(0.1, 0, USUAL),
            "deviation is 0; allowed is a number above 0 and below 1",
            id="no-deviation",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(call: object, sentence: str) -> None:
    """The sentence names the argument, its value and what is allowed."""
    assert callable(call)
    with pytest.raises(Unjudgeable) as refusal:
        call()
    assert str(refusal.value) == sentence
