"""Sticky keys, revisions, parts of a split, and answers that no chance explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.verdict import Outcome
from gateway.verdict.sticky import MOVED
from loadtests.breakdown import breakdown
from loadtests.document import document
from loadtests.exits import Exit
from loadtests.judgement import Conclusion, conclude
from loadtests.report import Facts, Result, overall, rows, sentences, text
from loadtests.tally import Cell, Tally
from loadtests.terms import PARTS, Terms
from loadtests.watches import Watches, decided

MakeTally = Callable[..., Tally]
MakeTerms = Callable[..., Terms]
STICKY = "release=1:0.9:sticky,2:0.1:sticky"
RELEASE = "release=1:0.9:main,2:0.1:weight"
FACTS = Facts("http://127.0.0.1:8080", 10_000, 4.0)


def seen(tally: Tally, revision: str, version: str, keys: range) -> None:
    """Each of these keys comes twice and is on this version."""
    cell = Cell("release", "others", version, "sticky", revision)
    for key in keys:
        for _ in range(2):
            tally.answered(cell)
            tally.stuck(cell, f"user-{key}")


@pytest.fixture
def sticky(terms_of: MakeTerms) -> Terms:
    """One sticky stage."""
    return replace(terms_of(STICKY), by_keys=True)


def judged(tally: Tally, terms: Terms) -> Conclusion:
    """The conclusion with all parts that the terms name."""
    return conclude(tally, terms, None, breakdown({"worker 1": tally}, tally, terms))


class TestSticky:
    def test_keys_that_stay_and_are_shared_out_right_pass(self, sticky: Terms) -> None:
        tally = Tally()
        seen(tally, "1", "1", range(9000))
        seen(tally, "1", "2", range(9000, 10_000))
        found = conclude(tally, sticky)
        assert found.code is Exit.PASSED
        assert found.summary.verdicts["release"].total == 10_000
        assert found.sticky["release"].consistent
        said = text(Result(FACTS, sticky, tally, found))
        assert "KEYS" in said
        assert "no key of 10,000 that came again has moved" in said

    def test_one_key_on_two_versions_fails(self, sticky: Terms) -> None:
        tally = Tally()
        seen(tally, "1", "1", range(9000))
        seen(tally, "1", "2", range(8999, 10_000))
        found = conclude(tally, sticky)
        assert found.code is Exit.FAILED
        result = Result(FACTS, sticky, tally, found)
        assert "key 'user-8999' was on versions 1 (2) and 2 (2)" in text(result)
        assert [row[2] for row in rows(result)] == ["1", "2", MOVED]
        assert document(result)["sticky"]["release"]["moved_total"] == 1

    def test_a_wrong_share_of_keys_fails_however_the_requests_are_shared(
        self, sticky: Terms
    ) -> None:
        tally = Tally()
        seen(tally, "1", "1", range(5000))
        seen(tally, "1", "2", range(5000, 10_000))
        busy = Cell("release", "others", "1", "sticky", "1")
        tally.answers[busy] += 80_000
        assert conclude(tally, sticky).code is Exit.FAILED

    def test_keys_that_came_once_show_nothing(self, sticky: Terms) -> None:
        tally = Tally()
        for key in range(10_000):
            cell = Cell("release", "others", "2" if key % 10 == 0 else "1", "sticky", "1")
            tally.answered(cell)
            tally.stuck(cell, f"user-{key}")
        found = conclude(tally, sticky)
        assert (found.code, found.requests_needed) == (Exit.UNDECIDED, None)

    def test_each_revision_is_a_question_of_its_own(self, sticky: Terms) -> None:
        """Between two revisions a key may move; within one it may not."""
        tally = Tally()
        for revision, second in (("9", range(9000, 10_000)), ("10", range(8990, 9990))):
            seen(tally, revision, "2", second)
            seen(tally, revision, "1", range(second.start))
            seen(tally, revision, "1", range(second.stop, 10_000))
        found = conclude(tally, sticky)
        assert found.code is Exit.PASSED
        assert [each.name for each in found.asked] == ["release@9", "release@10"]
        assert [row[1] for row in rows(Result(FACTS, sticky, tally, found))][::2] == [
            "revision 9",
            "revision 10",
        ]

    def test_keys_can_be_watched_even_if_they_move(self, sticky: Terms) -> None:
        tally, watches = Tally(), Watches()
        seen(tally, "1", "1", range(900))
        seen(tally, "1", "2", range(900, 1000))
        assert not decided(watches.look(tally, sticky))
        seen(tally, "1", "2", range(10))
        looks = watches.look(tally, sticky)
        assert decided(looks)
        found = conclude(tally, sticky, looks)
        assert found.code is Exit.FAILED
        assert any("was on versions" in said for said in sentences(
            Result(FACTS, sticky, tally, found)))  # fmt: skip

    def test_nothing_seen_is_undecided(self, sticky: Terms) -> None:
        assert conclude(Tally(), sticky).code is Exit.UNDECIDED

    def test_its_parts_are_revisions_and_workers(self, sticky: Terms) -> None:
        """How often a key comes is no draw, so its answers are not judged by reason."""
        tally = Tally()
        seen(tally, "1", "1", range(9000))
        seen(tally, "1", "2", range(9000, 10_000))
        found = judged(tally, replace(sticky, by=PARTS))
        assert set(found.parts) == {"revision", "worker"}
        assert found.code is Exit.PASSED


class TestParts:
    def test_a_split_is_judged_by_every_part(
        self, tally_of: MakeTally, terms_of: MakeTerms
    ) -> None:
        tally = tally_of(
            ("release", "others", "1", "main", 9000), ("release", "others", "2", "weight", 1000)
        )
        terms = replace(terms_of(RELEASE), by=PARTS)
        found = judged(tally, terms)
        names = {by: list(part.verdicts) for by, part in found.parts.items()}
        assert names == {
            "reason": ["release"],
            "alias": ["release at alias ?"],
            "revision": ["release at revision 1"],
            "worker": ["release of worker 1"],
        }
        assert found.code is Exit.PASSED
        said = text(Result(FACTS, terms, tally, found))
        assert "by worker: release of worker 1: passed: 10,000 requests agree" in said
        assert set(document(Result(FACTS, terms, tally, found))["breakdown"]) == set(PARTS)

    def test_the_parts_share_one_false_alarm_rate_with_the_whole(self, terms_of: MakeTerms) -> None:
        terms = replace(terms_of(RELEASE), by=("reason", "worker"))
        assert terms.main_question.false_alarm == terms.question.false_alarm / 3
        assert replace(terms, splits=4).watched_question.false_alarm == pytest.approx(
            terms.question.false_alarm / 12
        )

    def test_a_worker_that_sees_another_split_fails_a_run_that_looks_right(
        self, tally_of: MakeTally, terms_of: MakeTerms
    ) -> None:
        one = tally_of(("release", "others", "1", "main", 5000))
        other = tally_of(
            ("release", "others", "1", "main", 4000), ("release", "others", "2", "weight", 1000)
        )
        whole = tally_of(
            ("release", "others", "1", "main", 9000), ("release", "others", "2", "weight", 1000)
        )
        terms = replace(terms_of(RELEASE), by=("worker",))
        parts = breakdown({"worker 1": one, "worker 2": other}, whole, terms)
        found = conclude(whole, terms, None, parts)
        assert found.outcome is Outcome.PASSED
        assert found.code is Exit.FAILED
        assert overall(Result(FACTS, terms, whole, found)).startswith(
            "failed: wrong by worker, though no split is wrong as a whole"
        )

    def test_a_part_with_few_answers_leaves_the_run_decided(
        self, tally_of: MakeTally, terms_of: MakeTerms
    ) -> None:
        whole = tally_of(
            ("release", "others", "1", "main", 9000), ("release", "others", "2", "weight", 1000)
        )
        few = tally_of(("release", "others", "1", "main", 9))
        terms = replace(terms_of(RELEASE), by=("worker",))
        found = conclude(whole, terms, None, breakdown({"worker 1": few}, whole, terms))
        assert found.parts["worker"].outcome is Outcome.UNDECIDED
        assert found.code is Exit.PASSED

    def test_reasons_are_judged_only_where_each_version_has_one(
        self, tally_of: MakeTally, terms_of: MakeTerms
    ) -> None:
        tally = tally_of(("dev", "others", "1", "main", 500))
        assert not judged(tally, replace(terms_of("dev=1:1"), by=("reason",))).parts


class TestMisfits:
    def test_an_answer_of_a_replaced_revision_fails(
        self, tally_of: MakeTally, terms_of: MakeTerms
    ) -> None:
        cell = ("dev", "others", "1", "main", 500)
        tally = tally_of(cell)
        tally.outdated = Counter({Cell(*cell[:4], "1"): 3})
        found = conclude(tally, terms_of("dev=1:1"))
        assert found.code is Exit.FAILED
        assert found.misfits == (
            "dev: 3 answers at revision 1 to requests that were sent after it had been replaced",
        )

    def test_a_revision_that_nobody_expects_fails_where_revisions_are_known(
        self, tally_of: MakeTally, terms_of: MakeTerms
    ) -> None:
        tally = tally_of(("dev", "others", "1", "main", 500))
        plain = terms_of("dev=1:1")
        (expectation,) = plain.expectations
        known = replace(
            plain, expectations=(replace(expectation, revision="2"),), revisions_known=True
        )
        assert conclude(tally, plain).code is Exit.PASSED
        found = conclude(tally, known)
        assert found.code is Exit.FAILED
        assert found.misfits == ("dev: 500 answers at revision 1, which this test did not make",)


def test_a_run_without_a_number_of_requests_tells_none(
    tally_of: MakeTally, terms_of: MakeTerms
) -> None:
    """Time or a last step has ended it."""
    terms = replace(terms_of("dev=1:1"), until_decided=True)
    tally = tally_of(("dev", "others", "1", "main", 500))
    found = conclude(tally, terms, Watches().look(tally, terms))
    facts = replace(FACTS, wanted=None)
    assert " of at most " not in overall(Result(facts, terms, tally, found))
    stopped = Result(replace(facts, interrupted=True), terms, tally, found)
    assert overall(stopped).startswith("interrupted: after 500 requests; so far")


def test_the_report_tells_how_to_do_it_again(tally_of: MakeTally, terms_of: MakeTerms) -> None:
    """The seed, the revisions, the versions of everything, the command."""
    terms, tally = terms_of("dev=1:1"), tally_of(("dev", "others", "1", "main", 500))
    about = {"seed": 7, "versions": {"locust": "2.0"}, "command": "locust -f it"}
    result = Result(replace(FACTS, about=about), terms, tally, conclude(tally, terms))
    assert text(result).splitlines()[-3:-1] == [
        "seed: 7; revisions: 1; locust 2.0",
        "once more: locust -f it",
    ]
    unknown = replace(result, facts=replace(FACTS, about={**about, "seed": None}))
    assert "seed: not known; revisions: 1" in text(unknown)
