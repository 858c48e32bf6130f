"""Expectations are read as they are written, and what is wrong with them is said by name."""

from __future__ import annotations

import pytest

from loadtests.expectations import USUAL, Expectation, Misuse, choose, parse

STAGES = ("dev", "prepub", "release")

READ = {
    "a stage": (
        "release=1:0.9,2:0.1",
        Expectation("release", "", {"1": 0.9, "2": 0.1}, {}),
    ),
    "who": ("prepub/Bob=4:1", Expectation("prepub", "Bob", {"4": 1.0}, {})),
    "reasons": (
        "prepub/Bob=4:1:rule:1",
        Expectation("prepub", "Bob", {"4": 1.0}, {"4": "rule:1"}),
    ),
    "spaces": (
        "dev = $LATEST:1:main , 4:0",
        Expectation("dev", "", {"$LATEST": 1.0, "4": 0.0}, {"$LATEST": "main"}),
    ),
}

WRONG = {
    "nothing": ("", "no stage"),
    "no shares": ("release", "VERSION:SHARE"),
    "no share": ("release=1", "'1' in 'release=1'"),
    "no number": ("release=1:x", "'1:x'"),
    "no sum": ("release=1:0.9", "not to 0.9"),
    "too much": ("release=1:0.9,2:0.2", "sum to 1"),
    "below 0": ("release=1:-1,2:2", "from 0 to 1"),
    "not a number": ("release=1:nan", "from 0 to 1"),
    "twice": ("release=1:0.5,1:0.5", "version 1 stands twice"),
    "a stranger": ("release/Eve=1:1", "release/Eve"),
    "nobody": ("release/=1:1", "release/"),
}


@pytest.mark.parametrize(("text", "read"), READ.values(), ids=READ)
def test_an_expectation_is_read(text: str, read: Expectation) -> None:
    """Stage, who, versions with shares, and reasons where given."""
    assert parse(text) == read


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_expectation_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    """Nobody should have to guess."""
    with pytest.raises(Misuse, match=said.replace("$", r"\$")):
        parse(text)


def names(chosen: tuple[Expectation, ...]) -> list[str]:
    """What is expected of whom."""
    return [expectation.name for expectation in chosen]


def test_usually_the_example_is_expected() -> None:
    """Four splits."""
    assert names(choose([], STAGES)) == ["dev", "prepub/Bob", "prepub/others", "release"]
    assert choose([], STAGES) == tuple(map(parse, USUAL))


def test_a_given_one_replaces_what_is_usual_for_the_same() -> None:
    """The others stay."""
    chosen = choose(["prepub/Bob=5:1", "release=2:1"], STAGES)
    assert names(chosen) == ["dev", "prepub/Bob", "prepub/others", "release"]
    assert chosen[1].shares == {"5": 1.0}


def test_one_for_a_whole_stage_replaces_all_of_that_stage() -> None:
    """Bob is one of everybody."""
    assert names(choose(["prepub=3:1"], STAGES)) == ["dev", "prepub", "release"]


def test_what_is_usual_for_stages_that_get_nothing_is_left_out() -> None:
    """Only release is asked here."""
    assert names(choose([], ["release"])) == ["release"]


@pytest.mark.parametrize(
    ("given", "stages", "said"),
    [
        (["release=1:1", "release=2:1"], STAGES, "two expectations for release"),
        (["relase=1:1"], STAGES, "nothing is sent to stage relase"),
        ([], ["blue"], "nothing is expected of blue"),
    ],
    ids=["twice", "no such stage", "nothing to judge"],
)
def test_contradictions_are_refused(given: list[str], stages: list[str], said: str) -> None:
    """Before anything is sent."""
    with pytest.raises(Misuse, match=said):
        choose(given, stages)
