"""Counts become one exit code, and the report tells the same figures everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gateway.cli.exits import Exit as ProjectExit
from loadtests.document import document
from loadtests.exits import Exit
from loadtests.figures import percent, points
from loadtests.judgement import conclude
from loadtests.page import page
from loadtests.report import Facts, Result, overall, text
from loadtests.tally import Cell, Problem, Tally
from loadtests.terms import Terms

MakeTally = Callable[..., Tally]
MakeTerms = Callable[..., Terms]

MAIN = ("release", "others", "1", "main", 9000)
WEIGHT = ("release", "others", "2", "weight", 1000)
RELEASE = "release=1:0.9:main,2:0.1:weight"


def result_of(tally: Tally, terms: Terms, *, interrupted: bool = False) -> Result:
    """What a run that took four seconds has to tell."""
    facts = Facts("http://127.0.0.1:8080", 10_000, 4.0, interrupted=interrupted)
    return Result(facts, terms, tally, conclude(tally, terms))


def test_exit_codes_are_those_of_the_project() -> None:
    """The load tests may not import them."""
    theirs = {
        Exit.PASSED: ProjectExit.OK,
        Exit.USAGE: ProjectExit.USAGE,
        Exit.UNREACHABLE: ProjectExit.CANNOT_START,
        Exit.FAILED: ProjectExit.VERDICT_FAILED,
        Exit.ERRORS: ProjectExit.LIMIT_EXCEEDED,
        Exit.UNDECIDED: ProjectExit.UNDECIDED,
        Exit.INTERRUPTED: ProjectExit.INTERRUPTED,
    }
    assert set(theirs) == set(Exit)
    assert all(int(ours) == int(other) for ours, other in theirs.items())


def test_a_right_split_passes(tally_of: MakeTally, terms_of: MakeTerms) -> None:
    """0."""
    assert conclude(tally_of(MAIN, WEIGHT), terms_of(RELEASE)).code is Exit.PASSED


def test_a_wrong_split_fails(tally_of: MakeTally, terms_of: MakeTerms) -> None:
    """10, and 10 wins over errors and over a split that is undecided."""
    tally = tally_of((*MAIN[:4], 5000), (*WEIGHT[:4], 5000))
    tally.lost(Problem("release", "no answer"))
    assert conclude(tally, terms_of(RELEASE, "dev=1:1")).code is Exit.FAILED


def test_errors_beyond_the_limit_win_over_undecided(
    tally_of: MakeTally, terms_of: MakeTerms
) -> None:
    """11; within the limit they do no harm."""
    tally = tally_of((*MAIN[:4], 90), (*WEIGHT[:4], 10))
    tally.lost(Problem("release", "no answer"))
    assert conclude(tally, terms_of(RELEASE)).code is Exit.ERRORS
    assert conclude(tally, terms_of(RELEASE, max_errors=0.01)).code is Exit.UNDECIDED


def test_too_few_requests_are_undecided_and_it_is_said_how_many_are_needed(
    tally_of: MakeTally, terms_of: MakeTerms
) -> None:
    """12: in all, at the rate at which each caller came."""
    conclusion = conclude(tally_of((*MAIN[:4], 90), (*WEIGHT[:4], 10)), terms_of(RELEASE))
    needed = conclusion.summary.verdicts["release"].requests_needed
    assert (conclusion.code, conclusion.requests_needed) == (Exit.UNDECIDED, needed)


def test_where_a_caller_never_came_nobody_knows_how_many_are_needed(
    terms_of: MakeTerms,
) -> None:
    """Bob did not call."""
    assert conclude(Tally(), terms_of("prepub/Bob=4:1")).requests_needed is None


def test_bob_is_taken_out_of_everybody_where_he_is_named(
    tally_of: MakeTally, terms_of: MakeTerms
) -> None:
    """And only there."""
    tally = tally_of(("prepub", "Bob", "4", "rule:1", 500), ("prepub", "others", "3", "main", 500))
    named = conclude(tally, terms_of("prepub=3:1", "prepub/Bob=4:1")).summary
    assert {name: verdict.total for name, verdict in named.verdicts.items()} == {
        "prepub": 500,
        "prepub/Bob": 500,
    }
    assert conclude(tally, terms_of("prepub=3:1")).summary.verdicts["prepub"].total == 1000


MISFITS = {
    "another reason": (
        (("prepub", "Bob", "4", "main", 500),),
        "prepub/Bob=4:1:rule:1",
        "only 'rule:1' is expected",
    ),
    "two main versions": ((MAIN, ("release", "others", "2", "main", 1000)), "release=1:0.9,2:0.1",
        "1 and 2 all claim the reason 'main'"),
    "one rule, two versions": (
        (("dev", "Bob", "3", "rule:1", 9000), ("dev", "Bob", "4", "rule:1", 1000)),
        "dev=3:0.9,4:0.1",
        "3 and 4 all claim the reason 'rule:1'",
    ),
    "main and weight": (
        (MAIN, ("release", "Bob", "1", "weight", 1), WEIGHT),
        "release=1:0.9,2:0.1",
        "version 1 claims to be the main version and to have a weight",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("counts", "expected", "said"), MISFITS.values(), ids=MISFITS)
def test_reason_and_version_have_to_fit_together(
    tally_of: MakeTally,
    terms_of: MakeTerms,
    counts: tuple[tuple[str, str, str, str, int], ...],
    expected: str,
    said: str,
) -> None:
    """A version for a wrong reason is never chance."""
    result = result_of(tally_of(*counts), terms_of(expected))
    assert result.code is Exit.FAILED
    assert said in text(result)
    assert overall(result).startswith("failed: 1 wrong reason, though")


def test_a_version_may_become_the_main_one_with_a_new_revision(terms_of: MakeTerms) -> None:
    """A law holds within one revision; that there were two is said."""
    tally = Tally()
    tally.answers[Cell("release", "others", "1", "main", "1")] = 500
    tally.answers[Cell("release", "others", "2", "main", "2")] = 500
    result = result_of(tally, terms_of("release=1:0.5,2:0.5"))
    assert not result.conclusion.misfits
    assert "the routing changed during the run: revisions 1, 2" in text(result)


def test_the_table_shows_every_figure(tally_of: MakeTally, terms_of: MakeTerms) -> None:
    """A stranger version has a row too."""
    stranger = ("release", "Bob", "7", "main", 1)
    lines = text(result_of(tally_of(MAIN, WEIGHT, stranger), terms_of(RELEASE))).splitlines()
    rows = [line.split()[:2] + line.split()[2:5] for line in lines if line.startswith("release  ")]
    assert [row[2] for row in rows] == ["1", "2", "7"]
    assert lines[2].split()[:6] == ["STAGE", "WHO", "VERSION", "EXPECTED", "ANSWERS", "SHARE"]
    assert "9,000" in lines[3]
    assert lines[0].startswith("10,001 requests at http://127.0.0.1:8080 in 4.0 s (2,500 per")


OVERALL = {
    "passed": ((9000, 1000, 0), "passed: 1 of 1 splits; correct splits fail with probability <= "),
    "undecided": ((90, 10, 0), "undecided: 1 of 1 splits (answers needed: release"),
    "errors": ((9000, 1000, 5), "errors: 0.05 % of 10,005 requests failed, 0 % may"),
}


@pytest.mark.parametrize(("counts", "said"), OVERALL.values(), ids=OVERALL)
def test_the_last_line_says_it_all(
    tally_of: MakeTally, terms_of: MakeTerms, counts: tuple[int, int, int], said: str
) -> None:
    """It begins with the outcome."""
    main, weight, lost = counts
    tally = tally_of((*MAIN[:4], main), (*WEIGHT[:4], weight))
    if lost:
        tally.lost(Problem("release", "no answer"), lost)
    assert text(result_of(tally, terms_of(RELEASE))).splitlines()[-1].startswith(said)


def test_an_interrupted_run_says_how_far_it_came(tally_of: MakeTally, terms_of: MakeTerms) -> None:
    """130, whatever it found so far."""
    result = result_of(tally_of((*MAIN[:4], 90)), terms_of(RELEASE), interrupted=True)
    assert result.code is Exit.INTERRUPTED
    assert overall(result).startswith("interrupted: after 90 requests of 10,000; so far undecided")


def test_many_kinds_of_error_are_not_all_told(terms_of: MakeTerms) -> None:
    """The most frequent ones are."""
    tally = Tally()
    for number in range(12):
        tally.lost(Problem("dev", f"status {500 + number}"), number + 1)
    told = text(result_of(tally, terms_of("dev=1:1")))
    assert "error: dev: status 511: 12 of 78 requests" in told
    assert "error: 2 more kinds of error" in told
    assert "status 500" not in told


def test_the_document_is_json_with_everything(tally_of: MakeTally, terms_of: MakeTerms) -> None:
    """The figures of the table, unrounded."""
    tally = tally_of(MAIN, WEIGHT)
    tally.lost(Problem("release", "no answer"))
    data = json.loads(json.dumps(document(result_of(tally, terms_of(RELEASE, max_errors=0.5)))))
    assert (data["outcome"], data["exit_code"], data["requests"]) == ("passed", 0, 10_001)
    assert data["counts"]["answers"][0]["count"] == 9000
    assert data["counts"]["errors"][0] == {"stage": "release", "what": "no answer", "count": 1}
    assert data["expected"]["release"]["shares"] == {"1": 0.9, "2": 0.1}
    assert data["verdict"]["verdicts"]["release"]["total"] == 10_000


class TestPage:
    def test_it_needs_nothing_else_and_loads_itself_again_while_running(
        self, tally_of: MakeTally, terms_of: MakeTerms
    ) -> None:
        result = result_of(tally_of(MAIN, WEIGHT), terms_of(RELEASE))
        running = page(result, running=True)
        assert 'http-equiv="refresh"' in running
        assert "refresh" not in page(result, running=False)
        assert "<script" not in running
        assert "src=" not in running
        assert '<td class="passed">passed</td>' in running

    def test_before_the_first_run_it_says_so(self) -> None:
        assert "No load test has been started yet." in page(None, running=False)

    def test_a_refused_run_is_explained(self) -> None:
        assert "&lt;evil&gt; is not" in page(None, running=False, refused="<evil> is not")

    def test_what_the_gateway_says_is_text(self, tally_of: MakeTally, terms_of: MakeTerms) -> None:
        tally = tally_of(("release", "Bob", "<script>", "main", 1))
        assert "<script" not in page(result_of(tally, terms_of(RELEASE)), running=True)


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.1, "10 %"), (0.12345, "12.35 %"), (1, "100 %"), (0.99999, "> 99.99 %"),
     (0.00001, "< 0.01 %")],
)  # fmt: skip
def test_shares_for_people(share: float, said: str) -> None:
    """Nothing is rounded to all or nothing."""
    assert percent(share) == said


@pytest.mark.parametrize(
    ("deviation", "said"), [(0.03, "3 points"), (0.01, "1 point"), (0.297434, "29.8 points")]
)
def test_deviations_for_people(deviation: float, said: str) -> None:
    """Rounded up: what would have been seen is never overstated."""
    assert points(deviation) == said
