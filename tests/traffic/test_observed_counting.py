"""Every record is counted in one place: a split's, or among those left out, with the reason."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.observed import SPLITS, VERSIONS, Expected, Observed, Split, TooMany
from gateway.traffic.observed_fields import Sighting
from gateway.traffic.observed_notes import notes
from gateway.traffic.observed_time import INTERVALS, Timeline

RELEASE = Expected("release", {"1": 0.9, "2": 0.1})
PREPUB = Expected("prepub", {"3": 1.0}, {"rule:1": "4", "rule:2": "4"})


def counted(expected: list[Expected], *sightings: Sighting) -> Observed:
    """Records counted, the first as line 1."""
    observed = Observed(expected)
    for line, sighting in enumerate(sightings, start=1):
        observed.see(sighting, line)
    return observed


def test_answers_of_a_stage_are_counted_by_version() -> None:
    """Those of stages that nobody asked about are counted as such."""
    seen = [Sighting("1", "release"), Sighting("2", "release"), Sighting("1", "dev")]
    observed = counted([RELEASE, PREPUB], *seen)
    assert observed.counts == {Split("release"): {"1": 1, "2": 1}}
    assert observed.total == 2
    assert observed.leavings.elsewhere == 1


def test_records_of_no_stage_are_of_the_only_one_asked_about() -> None:
    """And it is said; of several stages none can be meant."""
    observed = counted([RELEASE], Sighting("1"))
    assert observed.counts == {Split("release"): {"1": 1}}
    assert list(notes(observed)) == [
        "the records name no stage; they were taken as those of 'release'"
    ]
    assert counted([RELEASE, PREPUB], Sighting("1")).leavings.elsewhere == 1


def test_a_log_of_no_stage_counts_whatever_its_records_name() -> None:
    """Nobody asked about stages."""
    observed = counted([Expected("", {"1": 1.0})], Sighting("1", "release"), Sighting("1"))
    assert observed.counts == {Split(""): {"1": 2}}


def test_the_answers_of_a_rule_are_a_split_of_their_own() -> None:
    """What cannot be told to be a rule's or not is left out."""
    observed = counted(
        [PREPUB],
        Sighting("4", "prepub", "rule:1"),
        Sighting("3", "prepub", "main"),
        Sighting("3", "prepub", "rule:9"),
        Sighting("3", "prepub"),
        Sighting("4", "prepub", "pinned"),
    )
    assert observed.counts == {Split("prepub", "rule:1"): {"4": 1}, Split("prepub"): {"3": 1}}
    assert list(notes(observed)) == [
        "1 record left out, no reason, though the alias has rules: line 4",
        "1 record left out, whose version the caller had named",
        "prepub: version 3 answered for rule:9, which there is not: once",
        "no request hit rule:2 of prepub; nothing is known of it",
    ]


def test_without_rules_a_reason_splits_nothing() -> None:
    """Shares that were given are those of all answers."""
    assert counted([RELEASE], Sighting("1", "release", "rule:1")).counts == {
        Split("release"): {"1": 1}
    }


def test_keys_are_collected_within_each_revision() -> None:
    """When weights move, keys may."""
    sticky = Expected("release", {"1": 1.0}, sticky=True)
    observed = counted(
        [sticky],
        Sighting("1", "release", key="amy", revision="1"),
        Sighting("2", "release", key="amy", revision="2"),
        Sighting("2", "release"),
    )
    kept = {place: keys.sightings for place, keys in observed.keys.items()}
    assert kept == {
        (Split("release"), "1"): {"amy": {"1": 1}},
        (Split("release"), "2"): {"amy": {"2": 1}},
    }
    assert "1 record left out, without a sticky key" in list(notes(observed))


def test_errors_and_times_are_those_of_a_version() -> None:
    """A refusal of the caller is no error of the version."""
    observed = counted(
        [RELEASE],
        Sighting("1", "release", status=500, seconds=0.5),
        Sighting("1", "release", status=499, seconds=0.1),
        Sighting("1", "release"),
    )
    assert observed.failures == {("release", "1"): 1}
    assert observed.errors == 1
    assert observed.latency["release", "1"].total == 2


def test_what_tells_no_version_is_named_by_its_lines() -> None:
    """By the first few of them."""
    observed = counted([RELEASE], *[Sighting(None)] * 5)
    assert observed.total == 0
    assert observed.leavings.total == 5
    assert next(iter(notes(observed))) == "5 records left out, no version: lines 1, 2, 3, ..."


def test_what_was_not_asked_for_is_told() -> None:
    """By its number, for each reason."""
    observed = counted([RELEASE], Sighting("1", "dev"), Sighting("1", "dev"))
    observed.leavings.filtered = 1
    assert list(notes(observed)) == [
        "1 record left out, not asked for",
        "2 records left out, of other stages",
    ]


def test_values_that_stand_for_versions_are_pointed_out() -> None:
    """With the option that maps them."""
    observed = counted([Expected("", {"1": 1.0})], Sighting("10.0.0.1:80"))
    hint = "does it stand for one, as in --map 10.0.0.1:80=1?"
    assert list(notes(observed)) == [f"no expected version was seen, but '10.0.0.1:80': {hint}"]


@pytest.mark.parametrize(
    ("sightings", "why"),
    [
        pytest.param([Sighting(str(n)) for n in range(VERSIONS + 1)], "versions", id="versions"),
        pytest.param([Sighting("1", by=(str(n),)) for n in range(SPLITS + 1)], "splits", id="by"),
        pytest.param(
            [Sighting("1", key="k", revision=str(n)) for n in range(SPLITS + 1)],
            "revisions",
            id="revisions",
        ),
    ],
)
def test_a_wrong_field_is_noticed_by_its_many_values(sightings: list[Sighting], why: str) -> None:
    """Before it fills the memory."""
    with pytest.raises(TooMany, match=why):
        counted([Expected("", {"1": 1.0}, sticky=why == "revisions")], *sightings)


def test_a_sample_of_too_many_keys_is_told() -> None:
    """A verdict on a sample must say so."""
    observed = counted([Expected("", {"1": 1.0}, sticky=True)], Sighting("1", key="k"))
    observed.keys[Split(""), ""].complete = False
    assert "a fair sample" in "".join(notes(observed))


@pytest.mark.parametrize(
    ("split", "by", "name"),
    [
        (Split(""), (), "requests"),
        (Split("release"), (), "release"),
        (Split("prepub", "rule:1"), (), "prepub/rule:1"),
        (Split("", "", ("a", "b")), ("pod", "zone"), "requests [pod=a, zone=b]"),
    ],
)
def test_a_split_has_a_name(split: Split, by: tuple[str, ...], name: str) -> None:
    """It tells the stage, the rule and the values of fields."""
    assert split.name(by) == name


@given(st.lists(st.floats(0, 1e9), max_size=2000))
def test_a_timeline_loses_nothing_however_long_it_is(moments: list[float]) -> None:
    """Its intervals become longer, in order and without overlap."""
    timeline = Timeline()
    for number, at in enumerate(moments):
        timeline.see(at, number, "release", "1")
    intervals = list(timeline.intervals())
    assert len(intervals) <= INTERVALS
    assert sum(each.counts["release", "1"] for each in intervals) == len(moments)
    for before, after in pairwise(intervals):
        assert before.begin + timeline.width <= after.begin


def test_a_timeline_without_times_has_numbers() -> None:
    """The first record settles it."""
    timeline = Timeline()
    timeline.see(None, 7, "release", "1")
    timeline.see(99.0, 8, "release", "1")
    assert timeline.numbered
    assert [each.begin for each in timeline.intervals()] == [7, 8]


def test_a_timeline_with_times_leaves_out_what_has_none() -> None:
    """It cannot be drawn."""
    timeline = Timeline()
    timeline.see(1.0, 7, "release", "1")
    timeline.see(None, 8, "release", "1")
    assert [each.begin for each in timeline.intervals()] == [1.0]
