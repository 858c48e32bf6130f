"""One answer for all questions, at the stated error rates; the worst of them is given."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from gateway.traffic.observed import Expected, Observed, Split
from gateway.traffic.observed_fields import Sighting
from gateway.traffic.observed_judging import (
    Judged,
    Limits,
    Watches,
    Word,
    complaints,
    judged,
    word,
)
from gateway.verdict import Outcome, Question

QUESTION = Question()
RELEASE = Expected("release", {"1": 0.9, "2": 0.1})
PREPUB = Expected("prepub", {"3": 1.0}, {"rule:1": "4"})


def observed_of(*expected: Expected, **counts: dict[str, int]) -> Observed:
    """Counts by `stage` or `stage__rule`."""
    observed = Observed(expected)
    for place, versions in counts.items():
        stage, _, rule = place.partition("__")
        for version, times in versions.items():
            observed.add(Split(stage, rule and f"rule:{rule}"), version, times)
    return observed


def answer(observed: Observed, limits: Limits | None = None) -> Word:
    """The whole answer."""
    return word(judged(observed, QUESTION), observed, limits or Limits())


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param({"release": {"1": 9_012, "2": 988}}, Word.PASSED, id="right"),
        pytest.param({"release": {"1": 8_700, "2": 1_300}}, Word.FAILED, id="wrong"),
        pytest.param({"release": {"1": 90, "2": 10}}, Word.UNDECIDED, id="few"),
        pytest.param({"release": {"1": 9_012, "2": 987, "3": 1}}, Word.FAILED, id="a stranger"),
        pytest.param({}, Word.UNDECIDED, id="none"),
    ],
)
def test_a_split_is_right_wrong_or_undecided(
    counts: dict[str, dict[str, int]], expected: Word
) -> None:
    """Nothing seen is undecided, never right."""
    assert answer(observed_of(RELEASE, **counts)) is expected


def test_each_rule_is_a_question_and_so_is_the_rest() -> None:
    """One answer of a rule's version without the rule is a leak."""
    right = observed_of(PREPUB, prepub={"3": 1000}, prepub__1={"4": 1000})
    assert [each.name for each in judged(right, QUESTION)] == ["prepub", "prepub/rule:1"]
    assert answer(right) is Word.PASSED
    leaks = observed_of(PREPUB, prepub={"3": 999, "4": 1}, prepub__1={"4": 1000})
    assert answer(leaks) is Word.FAILED
    unheard = observed_of(PREPUB, prepub={"3": 1000})
    unheard.misfits["prepub: version 3 answered for rule:7, which there is not"] += 1
    assert answer(unheard) is Word.FAILED


def test_a_stage_without_an_answer_keeps_the_whole_undecided() -> None:
    """It was asked about."""
    observed = observed_of(RELEASE, PREPUB, release={"1": 9_000, "2": 1_000})
    assert answer(observed) is Word.UNDECIDED


def test_the_false_alarm_rate_is_shared_out() -> None:
    """However many questions there are, their rates sum to the stated one."""
    alone = judged(observed_of(RELEASE, release={"1": 900, "2": 100}), QUESTION)
    both = judged(observed_of(RELEASE, PREPUB, release={"1": 900, "2": 100}), QUESTION)
    rates = [each.details["question"]["false_alarm"] for each in (*alone, *both)]
    assert rates == [1e-6, 5e-7, 5e-7]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), Word.PASSED),
        (Limits(errors=0.02), Word.PASSED),
        (Limits(errors=0.005), Word.ERRORS),
        (Limits(unusable=0.001), Word.ERRORS),
    ],
)
def test_errors_and_unusable_records_have_limits(limits: Limits, expected: Word) -> None:
    """Errors only if one is given, unusable records always."""
    observed = observed_of(RELEASE, release={"1": 9_000, "2": 1_000})
    observed.failures["release", "1"] = 100
    for line in range(50):
        observed.leavings.leave("no version", line)
    assert answer(observed, limits) is expected
    assert bool(complaints(observed, limits)) is (expected is Word.ERRORS)


def test_a_wrong_split_is_worse_than_errors() -> None:
    """It is what was asked."""
    observed = observed_of(RELEASE, release={"1": 5_000, "2": 5_000})
    observed.failures["release", "1"] = 5_000
    assert answer(observed, Limits(errors=0.0)) is Word.FAILED


def keys_of(dice: Random, flips: float = 0.0, share: float = 0.1) -> Observed:
    """Three requests of each key; `flips` is the share of those on another version."""
    observed = Observed([replace(RELEASE, sticky=True)])
    home: dict[str, str] = {}
    for number in range(21_000):
        key = f"user-{number % 7_000}"
        version = home.setdefault(key, "2" if dice.random() < share else "1")
        if dice.random() < flips:
            version = "1" if version == "2" else "2"
        observed.see(Sighting(version, "release", key=key), number)
    return observed


@pytest.mark.parametrize(
    ("flips", "share", "expected"),
    [
        pytest.param(0.0, 0.1, Word.PASSED, id="right"),
        pytest.param(0.001, 0.1, Word.FAILED, id="keys flip"),
        pytest.param(0.0, 0.13, Word.FAILED, id="another share"),
    ],
)
def test_sticky_keys_are_judged_as_keys(flips: float, share: float, expected: Word) -> None:
    """They must stay, and the share is one of keys."""
    observed = keys_of(Random(5), flips, share)
    [found] = judged(observed, QUESTION)
    assert (found.name, found.unit, found.total) == ("release by keys", "keys", 7_000)
    assert word([found], observed, Limits()) is expected


def test_a_sticky_stage_without_a_key_is_undecided() -> None:
    """Nothing was seen of it."""
    [found] = judged(Observed([replace(RELEASE, sticky=True)]), QUESTION)
    assert (found.outcome, found.unit, found.total) == (Outcome.UNDECIDED, "keys", 0)


def test_each_revision_of_a_sticky_split_is_judged_by_itself() -> None:
    """A key may move between two of them."""
    observed = Observed([replace(RELEASE, sticky=True)])
    for revision, version in (("1", "1"), ("2", "2")):
        observed.see(Sighting(version, "release", key="amy", revision=revision), 1)
    names = [each.name for each in judged(observed, QUESTION)]
    assert names == ["release by keys at revision 1", "release by keys at revision 2"]


def watched(observed: Observed, shares: dict[str, float], requests: int) -> tuple[Watches, bool]:
    """Random requests, looked at as they come; whether that decided."""
    dice, over = Random(3), False
    watches = Watches(tuple(observed.expected.values()), QUESTION)
    for number in range(requests):
        [version] = dice.choices([*shares], [*shares.values()])
        observed.see(Sighting(version, "release"), number)
        if number % 500 == 499 and watches.look(observed):
            over = True
            break
    return watches, over


@pytest.mark.parametrize(
    ("share", "outcome"),
    [(0.1, Outcome.PASSED), (0.16, Outcome.FAILED)],
)
def test_a_watched_split_is_decided_early_and_the_looks_decide(
    share: float, outcome: Outcome
) -> None:
    """With far fewer requests than there are."""
    observed = Observed([RELEASE])
    watches, over = watched(observed, {"1": 1 - share, "2": share}, 20_000)
    [found] = judged(observed, QUESTION, watches=watches)
    assert over
    assert found.outcome is outcome
    assert found.finding.startswith("decided after ")
    assert found.details["watched"]["total"] == found.total < 20_000


def test_a_watched_split_may_stay_undecided() -> None:
    """Its last look is the answer."""
    observed = Observed([RELEASE])
    watches, over = watched(observed, {"1": 0.9, "2": 0.1}, 500)
    [found] = judged(observed, QUESTION, watches=watches)
    assert not over
    assert found.outcome is Outcome.UNDECIDED
    assert "valid at every look" in found.finding


def test_a_rule_that_nobody_hits_is_not_waited_for() -> None:
    """Else a log would be read for ever."""
    observed = observed_of(PREPUB, prepub={"3": 1000})
    watches = Watches([PREPUB], QUESTION)
    assert watches.look(observed)
    assert [each.name for each in judged(observed, QUESTION, watches=watches)] == ["prepub"]


def test_splits_are_told_apart_by_fields() -> None:
    """Each value is a split of its own."""
    observed = Observed([RELEASE])
    for pod, version in (("a", "1"), ("a", "2"), ("b", "1")):
        observed.see(Sighting(version, "release", by=(pod,)), 1)
    found: tuple[Judged, ...] = judged(observed, QUESTION, by=["pod"])
    assert [(each.name, each.total) for each in found] == [
        ("release [pod=a]", 2),
        ("release [pod=b]", 1),
    ]
