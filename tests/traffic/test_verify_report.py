"""A report tells the same as the table, draws what it is about, and needs nothing beside itself."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from gateway.traffic.observed import Expected, Observed, Split
from gateway.traffic.observed_fields import Sighting
from gateway.traffic.observed_judging import Word, judged
from gateway.traffic.verify_report import report
from gateway.traffic.verify_report_plots import over_time
from gateway.traffic.verify_report_words import (
    Verified,
    document,
    latency_rows,
    milliseconds,
    rows,
    sentences,
)
from gateway.verdict import Outcome, Question

QUESTION = Question()
SHARES = {"1": 0.9, "2": 0.1}


def verified(
    requests: int = 10_000, wrong: int = 0, *, timed: bool = True, stage: str = "release"
) -> Verified:
    """Of `requests`, every tenth went to version 2, and `wrong` in a hundred more."""
    observed = Observed([Expected(stage, SHARES)])
    for number in range(requests):
        version = "2" if number % 10 == 0 or number % 100 < wrong else "1"
        at, seconds = (number / 10, number % 50 / 1000) if timed else (None, None)
        observed.see(Sighting(version, stage, at=at, seconds=seconds), number)
    answers = judged(observed, QUESTION)
    return Verified(
        Word(answers[0].outcome),
        answers,
        QUESTION,
        f"{requests:,} requests of <a log>",
        requests,
        timeline=observed.timeline,
        latency=observed.latency,
        facts={"seed": "7"},
    )


def drawn(page: str) -> list[dict[str, Any]]:
    """What every plot of a page shows."""
    found = re.findall(r'<script type="application/json" data-plot="[^"]+">(.*?)</script>', page)
    return [json.loads(each) for each in found]


def test_a_report_is_whole_by_itself() -> None:
    """No address of anything else, and nothing of others that could run."""
    page = report(verified())
    assert "<h1>Is the split right?</h1>" in page
    assert "of &lt;a log&gt;" in page
    assert "<dt>seed</dt><dd>7</dd>" in page
    assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="', page)
    assert len(drawn(page)) == 3


def test_the_share_over_time_has_a_band_that_holds_it() -> None:
    """Of all but the greatest share, which is what the others leave."""
    [plot] = over_time(verified())
    low, high, _, whole, wanted = plot.data
    assert plot.heading == "release: share over time"
    assert whole["name"] == "version 2"
    assert all(a <= b <= c for a, b, c in zip(low["y"], whole["y"], high["y"], strict=True))
    assert set(wanted["y"]) == {0.1}
    assert high["y"][-1] - low["y"][-1] < high["y"][0] - low["y"][0]


def test_without_times_the_share_is_drawn_over_requests() -> None:
    """And of no stage, over all of them."""
    [plot] = over_time(verified(timed=False, stage=""))
    assert plot.layout["xaxis"] == {"title": {"text": "requests"}}
    assert plot.heading == "All requests: share over time"


@pytest.mark.parametrize("requests", [0, 1])
def test_what_is_hardly_known_is_drawn_all_the_same(requests: int) -> None:
    """An empty log is no reason to break."""
    page = report(verified(requests))
    assert "undecided: 1 of 1 splits" in page
    assert len(drawn(page)) == 1 + 2 * requests


def test_keys_and_lone_versions_are_not_drawn_over_time() -> None:
    """The share of keys is none of requests, and a lone share is no news."""
    told = verified()
    assert not list(over_time(replace(told, answers=(replace(told.answers[0], unit="keys"),))))
    lone = replace(told.answers[0], shares=told.answers[0].shares[:1])
    assert not list(over_time(replace(told, answers=(lone,))))


def test_latency_of_several_stages_is_told_apart() -> None:
    """The lines bear the stage's name, too."""
    told = verified()
    both = {**told.latency, ("dev", "1"): told.latency["release", "1"]}
    names = [trace["name"] for trace in drawn(report(replace(told, latency=both)))[-1]["data"]]
    assert names == ["dev 1", "release 1", "release 2"]
    assert [row[:3] for row in latency_rows(told)] == [
        ("release", "1", "9,000"),
        ("release", "2", "1,000"),
    ]
    assert milliseconds(None) == "-"


def test_rows_and_document_tell_the_same() -> None:
    """The same figures, for people and for programs."""
    told = verified()
    assert [row[:5] for row in rows(told)] == [
        ("release", "1", "90 %", "9,000", "90 %"),
        ("release", "2", "10 %", "1,000", "10 %"),
    ]
    plain = json.loads(json.dumps(document(told)))
    assert plain["outcome"] == "passed"
    assert [share["count"] for share in plain["splits"][0]["shares"]] == [9_000, 1_000]
    counts = [one["count"] for each in plain["timeline"]["intervals"] for one in each["counts"]]
    assert sum(counts) == plain["requests"] == 10_000
    assert plain["timeline"]["unit"] == "seconds"
    assert {one["version"] for one in plain["latency"]} == {"1", "2"}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (verified(), "passed: 1 of 1 splits; correct splits fail with probability <= 1e-06"),
        (verified(wrong=9), "failed: 1 of 1 splits; release: version 2 got 18 % of 10,000"),
        (verified(100), "undecided: 1 of 1 splits; release: 100 requests could only have shown"),
        (replace(verified(), word=Word.INTERRUPTED), "interrupted: after 10,000 requests;"),
        (
            replace(verified(), word=Word.FAILED),
            "failed: answers that no configuration explains, though no split is wrong;",
        ),
        (replace(verified(), word=Word.ERRORS, complaints=("too many",)), "errors: too many;"),
    ],
    ids=["passed", "failed", "undecided", "interrupted", "misfits", "errors"],
)
def test_the_answer_is_one_sentence_with_its_error_rates(told: Verified, sentence: str) -> None:
    """It begins with the outcome."""
    assert told.sentence.startswith(sentence)
    assert told.sentence.endswith("off by 3 points passes with <= 0.01")


def test_parts_are_not_asked_to_be_decided() -> None:
    """But a part that is wrong is told."""
    told = verified()
    part = replace(told.answers[0], name="a part", outcome=Outcome.UNDECIDED, part=True)
    both = replace(told, answers=(*told.answers, part))
    assert both.sentence.startswith("passed: 1 of 1 splits")
    wrong = replace(both, answers=(told.answers[0], replace(part, outcome=Outcome.FAILED)))
    assert replace(wrong, word=Word.FAILED).sentence.startswith("failed: 1 of 2 splits; a part:")


def test_every_finding_complaint_and_note_is_a_sentence() -> None:
    """What is the answer itself is not said twice."""
    told = replace(verified(), complaints=("too much of it",), notes=("left out",))
    assert list(sentences(told))[1:] == ["too much of it", "note: left out"]
    assert "too much of it" not in list(sentences(replace(told, word=Word.ERRORS)))


def test_failures_are_told_by_version() -> None:
    """In JSON."""
    told = replace(verified(), failures={("release", "2"): 3})
    assert document(told)["failures"] == [{"stage": "release", "version": "2", "count": 3}]


def test_a_rule_has_no_plot_of_its_own() -> None:
    """The stage's is drawn once."""
    observed = Observed([Expected("release", SHARES, {"rule:1": "3"})])
    for number in range(100):
        observed.see(Sighting("1" if number % 10 else "2", "release", "main", at=0.0), number)
    observed.add(Split("release", "rule:1"), "3", 5)
    told = replace(verified(), answers=judged(observed, QUESTION), timeline=observed.timeline)
    assert len(list(over_time(told))) == 1
