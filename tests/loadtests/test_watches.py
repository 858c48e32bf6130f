"""Splits that are watched: the run may end early, and the last look is the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.verdict import Outcome
from loadtests.document import document
from loadtests.exits import Exit
from loadtests.judgement import Conclusion, conclude
from loadtests.report import Facts, Result, overall, sentences, text
from loadtests.tally import Tally
from loadtests.terms import Terms
from loadtests.watches import Watches, decided

MakeTally = Callable[..., Tally]
MakeTerms = Callable[..., Terms]
RELEASE = "release=1:0.9:main,2:0.1:weight"
DEV = "dev=$LATEST:1"


def counted(tally_of: MakeTally, first: int, second: int, dev: int = 0) -> Tally:
    """So many answers of each version, and of the other stage."""
    cells = [
        ("release", "others", "1", "main", first),
        ("release", "others", "2", "weight", second),
    ]
    return tally_of(
        *(cell for cell in (*cells, ("dev", "others", "$LATEST", "main", dev)) if cell[-1])
    )


def watched(tally: Tally, terms: Terms) -> Conclusion:
    """The conclusion of a run that was looked at once, at the end."""
    return conclude(tally, terms, Watches().look(tally, terms))


@pytest.mark.parametrize(
    ("counts", "over", "code"),
    [
        pytest.param((90, 10, 100), False, Exit.UNDECIDED, id="too few"),
        pytest.param((9000, 1000, 100), False, Exit.UNDECIDED, id="one of two passed"),
        pytest.param((9000, 1000, 1000), True, Exit.PASSED, id="both passed"),
        pytest.param((500, 500, 0), True, Exit.FAILED, id="one failed, and that is all"),
    ],
)
def test_a_run_is_over_when_its_splits_are_decided(
    tally_of: MakeTally,
    terms_of: MakeTerms,
    counts: tuple[int, int, int],
    over: bool,
    code: Exit,
) -> None:
    """One that fails decides the whole."""
    terms = replace(terms_of(RELEASE, DEV), until_decided=True)
    tally = counted(tally_of, *counts)
    assert decided(Watches().look(tally, terms)) is over
    assert watched(tally, terms).code is code


def test_the_watches_share_one_false_alarm_rate(tally_of: MakeTally, terms_of: MakeTerms) -> None:
    """What fails alone need not fail beside another question."""
    alone, beside = terms_of(RELEASE), terms_of(RELEASE, DEV)
    for second in range(10, 200):
        tally = counted(tally_of, 500, second)
        outcomes = [watched(tally, terms).outcomes["release"] for terms in (alone, beside)]
        if outcomes == [Outcome.FAILED, Outcome.UNDECIDED]:
            return
    raise AssertionError("both fail with the same counts")


def test_the_report_tells_of_looks_and_not_of_a_test_that_may_be_asked_once(
    tally_of: MakeTally, terms_of: MakeTerms
) -> None:
    """In the table, in the sentences, in the whole, and in JSON."""
    terms = replace(terms_of(RELEASE), until_decided=True)
    tally = counted(tally_of, 9000, 1000)
    facts = Facts("http://127.0.0.1:8080", 50_000, 4.0, finished=False)
    result = Result(facts, terms, tally, watched(tally, terms))
    (sentence,) = sentences(result)
    assert (
        sentence
        == "release: passed after 10,000 of its answers: watched all the time, p = 1 of 10,000"
    )
    assert overall(result).startswith(
        "passed: 1 of 1 splits after 10,000 requests of at most 50,000; correct splits fail"
    )
    assert text(result).splitlines()[3].endswith("passed")
    told = document(result)
    assert told["watched"]["release"]["decided_at"] == 10_000
    assert (told["outcome"], told["requests_needed"]) == ("passed", None)
    undecided = counted(tally_of, 90, 10)
    waiting = Result(facts, terms, undecided, watched(undecided, terms))
    (sentence,) = sentences(waiting)
    assert sentence.startswith("release: undecided: watched all the time, p = ")
    assert "answers needed" not in overall(waiting)


def test_a_run_that_is_judged_once_says_nothing_of_looks(
    tally_of: MakeTally, terms_of: MakeTerms
) -> None:
    """As before."""
    tally, terms = counted(tally_of, 9000, 1000), terms_of(RELEASE)
    result = Result(Facts("h", 10_000, 4.0), terms, tally, conclude(tally, terms))
    assert document(result)["watched"] is None
    assert result.conclusion.outcome is Outcome.PASSED
