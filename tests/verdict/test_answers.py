"""What people read is one plain sentence, and what programs read is plain values."""

from __future__ import annotations

import json

import pytest

from gateway.verdict import Question, Verdict, judge, judge_all
from gateway.verdict.answers import percent, points, requests

EVEN = {"1": 0.5, "2": 0.5}
TENTH = {"1": 0.9, "2": 0.1}
ALL = {"1": 1.0}


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        pytest.param(
            judge({"1": 8690, "2": 1310}, TENTH),
            "failed: version 2 got 13.1 % of 10,000 requests where 10 % was expected"
            " (p = 3.47e-23 < 1e-06)",
            id="failed",
        ),
        pytest.param(
            judge({"2": 1310, "1": 8690}, {"2": 0.1, "1": 0.9}),
            "failed: version 2 got 13.1 % of 10,000 requests where 10 % was expected"
            " (p = 3.47e-23 < 1e-06)",
            id="failed-in-another-order",
        ),
        pytest.param(
            judge({"1": 999, "2": 1}, ALL),
            "failed: version 2 got 0.1 % of 1,000 requests where none was expected (p = 0 < 1e-06)",
            id="failed-by-a-stranger",
        ),
        pytest.param(
            judge({"1": 9020, "2": 980}, TENTH),
            "passed: 10,000 requests agree with the expected shares (p = 0.516);"
            " a deviation of 3 points would have been seen with probability >= 0.99",
            id="passed",
        ),
        pytest.param(
            judge({"1": 90, "2": 10}, TENTH),
            "undecided: 100 requests could only have shown a deviation of 28.7 points;"
            " 5,845 are needed to see 3 points",
            id="undecided",
        ),
        pytest.param(
            judge({"1": 1}, ALL, question=Question(tolerance=0.01)),
            "undecided: 1 request could only have shown a deviation of 99 points;"
            " 459 are needed to see 1 point",
            id="undecided-by-one-request",
        ),
        pytest.param(
            judge({"1": 3, "2": 7}, EVEN),
            "undecided: 10 requests could have missed even the greatest deviation;"
            " 14,574 are needed to see 3 points",
            id="undecided-whatever-came",
        ),
        pytest.param(
            judge({}, TENTH),
            "undecided: no requests were counted; 5,845 are needed to see 3 points",
            id="undecided-without-requests",
        ),
    ],
)
def test_one_plain_sentence(verdict: Verdict, sentence: str) -> None:
    """The outcome comes first, then what was found."""
    assert verdict.sentence == sentence
    assert verdict.sentence == f"{verdict.outcome}: {verdict.finding}"


@pytest.mark.parametrize(
    ("splits", "sentence"),
    [
        pytest.param(
            {
                "dev": ({"1": 500}, ALL),
                "release": ({"1": 8690, "2": 1310}, TENTH),
                "prepub": ({"1": 8800, "2": 1200}, TENTH),
            },
            "failed: 2 of 3 splits; release: version 2 got 13.1 % of 10,000 requests"
            " where 10 % was expected (p = 3.47e-23 < 3.33e-07)",
            id="the-least-likely-failure",
        ),
        pytest.param(
            {
                "dev": ({"1": 500}, ALL),
                "release": ({"1": 90, "2": 10}, TENTH),
                "prepub": ({"1": 1}, ALL),
            },
            "undecided: 2 of 3 splits; release: 100 requests could only have shown a deviation of"
            " 29.7 points; 6,189 are needed to see 3 points",
            id="the-undecided-that-needs-most",
        ),
        pytest.param(
            {"dev": ({"1": 500}, ALL), "prepub": ({"1": 600}, ALL)},
            "passed: 2 of 2 splits; dev: 500 requests agree with the expected shares (p = 1);"
            " a deviation of 3 points would have been seen with probability >= 0.99",
            id="all-passed",
        ),
    ],
)
def test_a_summary_tells_its_clearest_answer(splits: dict[str, object], sentence: str) -> None:
    """How many came out so, and one of them in its own words."""
    assert judge_all(splits).sentence == sentence  # type: ignore[arg-type]


def test_a_verdict_is_plain_json() -> None:
    """Names, numbers and nulls survive JSON unchanged."""
    plain = judge({"1": 5, "2": 5}, EVEN).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["outcome"] == "undecided"
    assert plain["method"] == "exact binomial"
    assert plain["question"] == {"false_alarm": 1e-06, "miss": 0.01, "tolerance": 0.03}
    assert plain["sentence"].startswith("undecided: 10 requests")
    assert list(plain["shares"][0]) == [
        "version",
        "expected",
        "count",
        "share",
        "low",
        "high",
        "smallest_deviation",
    ]
    assert plain["shares"][0]["smallest_deviation"] is None


def test_a_summary_is_plain_json() -> None:
    """It holds its verdicts by name, and its own error rates."""
    summary = judge_all({"dev": ({"1": 500}, ALL), "prepub": ({"1": 500}, ALL)})
    plain = summary.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["outcome"] == "passed"
    assert plain["sentence"] == summary.sentence
    assert plain["question"]["false_alarm"] == 1e-6
    assert plain["verdicts"]["dev"]["question"]["false_alarm"] == 5e-7


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param(percent(0.131), "13.1 %", id="share"),
        pytest.param(percent(0.99987), "99.99 %", id="share-of-four-digits"),
        pytest.param(points(0.03), "3 points", id="deviation"),
        pytest.param(points(0.01), "1 point", id="one-point"),
        pytest.param(points(0.0300001), "3.01 points", id="rounded-up"),
        pytest.param(points(0.28612), "28.7 points", id="three-digits"),
        pytest.param(points(0.001), "0.1 points", id="tenth"),
        pytest.param(requests(1), "1 request", id="one-request"),
        pytest.param(requests(1234567), "1,234,567 requests", id="many-requests"),
    ],
)
def test_numbers_for_people(text: str, written: str) -> None:
    """A deviation is rounded up: the sample could not have shown less."""
    assert text == written
