"""Keys that stay, and keys that are shared out: two questions, one answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.verdict import Outcome, Question, Unjudgeable, judge, judge_sticky

TENTH = {"1": 0.9, "2": 0.1}
LOOSE = Question(false_alarm=0.001, miss=0.01, tolerance=0.1)


def stuck(keys: int, times: int, every: int = 10) -> dict[str, dict[str, int]]:
    """Keys of which one in so many is on version 2, each seen so many times."""
    return {f"user-{n}": {"2" if n % every == 0 else "1": times} for n in range(keys)}


@pytest.mark.parametrize(
    ("sightings", "outcome", "sentence"),
    [
        pytest.param(
            stuck(1000, 2),
            Outcome.PASSED,
            "passed: by keys, 1,000 keys agree with the expected shares (p = 1); a deviation of"
            " 10 points would have been seen with probability >= 0.99;"
            " no key of 1,000 that came again has moved",
            id="right",
        ),
        pytest.param(
            stuck(1000, 2) | {"Eve": {"2": 1, "1": 3}},
            Outcome.FAILED,
            "failed: key 'Eve' was on versions 1 (3) and 2 (1) within one revision;"
            " 1,001 of 1,001 keys came again",
            id="one key flips",
        ),
        pytest.param(
            {"a": {"1": 1, "2": 1}, "b": {"1": 1, "3": 2}},
            Outcome.FAILED,
            "failed: key 'a' was on versions 1 (1) and 2 (1) within one revision,"
            " and so was 1 more key; 2 of 2 keys came again",
            id="two keys flip",
        ),
        pytest.param(
            {name: {"1": 1, "2": 1} for name in "cba"},
            Outcome.FAILED,
            "failed: key 'a' was on versions 1 (1) and 2 (1) within one revision,"
            " and so were 2 more keys; 3 of 3 keys came again",
            id="all keys flip",
        ),
        pytest.param(
            stuck(1000, 2, every=2),
            Outcome.FAILED,
            "failed: by keys, version 2 got 50 % of 1,000 keys where 10 % was expected"
            f" (p = {judge({'1': 500, '2': 500}, TENTH, question=LOOSE).p_value:.3g} < 0.001);"
            " no key of 1,000 that came again has moved",
            id="wrong share by keys",
        ),
        pytest.param(
            stuck(1000, 1),
            Outcome.UNDECIDED,
            "undecided: 0 keys came again, none has moved; 44 are needed; by keys, 1,000 keys"
            " agree with the expected shares (p = 1); a deviation of 10 points would have been"
            " seen with probability >= 0.99",
            id="nobody came again",
        ),
        pytest.param(
            stuck(50, 9),
            Outcome.UNDECIDED,
            "undecided: by keys, 50 keys could only have shown a deviation of 33 points;"
            " 398 are needed to see 10 points; no key of 50 that came again has moved",
            id="too few keys",
        ),
        pytest.param(
            {},
            Outcome.UNDECIDED,
            "undecided: 0 keys came again, none has moved; 44 are needed; by keys, no keys were"
            " counted; 398 are needed to see 10 points",
            id="nothing",
        ),
    ],
)
def test_what_is_said(
    sightings: Mapping[str, Mapping[str, int]], outcome: Outcome, sentence: str
) -> None:
    """One sentence says what was found, and what could have been."""
    verdict = judge_sticky(sightings, TENTH, question=LOOSE)
    assert (verdict.outcome, verdict.sentence) == (outcome, sentence)


def test_a_share_by_requests_is_no_share_by_keys() -> None:
    """One busy key is one draw: half of all requests are its own, and the split is right."""
    sightings = stuck(1000, 2) | {"busy": {"2": 2_000}}
    verdict = judge_sticky(sightings, TENTH, question=LOOSE)
    assert verdict.outcome is Outcome.PASSED
    assert [(share.version, share.count) for share in verdict.shares.shares] == [
        ("1", 900),
        ("2", 101),
    ]


def test_only_a_few_of_the_keys_that_moved_are_named() -> None:
    """In order of their names, however they came in; they belong to no version."""
    sightings = {f"k{n:02}": {"1": 1, "2": n} for n in (9, 3, 7, 1, 5, 8, 2)} | {"z": {"1": 0}}
    verdict = judge_sticky(sightings, TENTH, question=LOOSE)
    assert [moved.key for moved in verdict.moved] == ["k01", "k02", "k03", "k05", "k07"]
    assert (verdict.moved_total, verdict.keys, verdict.repeated) == (7, 7, 7)
    assert not verdict.consistent
    assert verdict.shares.total == 0


def test_a_verdict_is_json() -> None:
    """Everything that the sentence says is there as values."""
    told = json.loads(json.dumps(judge_sticky(stuck(20, 2), TENTH).to_dict()))
    assert told["outcome"] == "undecided"
    assert (told["keys"], told["repeated"], told["moved"], told["moved_total"]) == (20, 20, [], 0)
    assert told["consistency"]["total"] == told["shares"]["total"] == 20
    assert told["sentence"].startswith("undecided: ")
    flipped = judge_sticky({"a": {"1": 1, "2": 1}}, TENTH).to_dict()
    assert flipped["moved"] == [{"key": "a", "counts": {"1": 1, "2": 1}}]


@pytest.mark.parametrize(
    ("sightings", "expected", "sentence"),
    [
        pytest.param(
            {"a": {"1": -1}},
            TENTH,
            'sightings["a"]["1"] is -1; allowed is a whole number, 0 or more',
            id="count",
        ),
        pytest.param({}, {"1": 0.5}, "expected is {'1': 0.5}", id="shares"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    sightings: Mapping[str, Mapping[str, int]], expected: Mapping[str, float], sentence: str
) -> None:
    """The sentence names the key."""
    with pytest.raises(Unjudgeable) as refusal:
        judge_sticky(sightings, expected)
    assert str(refusal.value).startswith(sentence)


@settings(max_examples=25)
@given(
    st.dictionaries(st.text(max_size=3), st.dictionaries(st.sampled_from("123"), st.integers(0, 3)))
)
def test_an_answer_fits_its_parts(sightings: dict[str, dict[str, int]]) -> None:
    """Failed by either question, passed by both."""
    verdict = judge_sticky(sightings, TENTH, question=LOOSE)
    parts = (verdict.consistency.outcome, verdict.shares.outcome)
    assert (verdict.outcome is Outcome.FAILED) is (Outcome.FAILED in parts)
    assert (verdict.outcome is Outcome.PASSED) is (parts == (Outcome.PASSED, Outcome.PASSED))
    assert verdict.consistent is (verdict.consistency.outcome is not Outcome.FAILED)
    assert verdict.keys == sum(any(counts.values()) for counts in sightings.values())


def test_a_split_that_is_not_sticky_is_seen() -> None:
    """Random draws move about a fifth of the keys that come twice."""
    dice, caught = Random(11), 0
    for _ in range(30):
        keys: dict[str, dict[str, int]] = {}
        for n in range(44):
            drawn = dice.choices(["1", "2"], [0.9, 0.1], k=2)
            keys[str(n)] = {version: drawn.count(version) for version in drawn}
        caught += judge_sticky(keys, TENTH, question=LOOSE).outcome is Outcome.FAILED
    assert caught >= 30 - 2  # 1 in 100 is missed at most
