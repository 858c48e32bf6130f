"""The report: the same figures for people, for programs and for a browser."""

from __future__ import annotations

import json
from dataclasses import replace

from gateway.traffic.outcome import NOTHING, End, Outcome, Said
from gateway.traffic.replay_page import report_page
from gateway.traffic.replay_report import Facts, Report
from gateway.traffic.replay_tally import ReplayTally
from gateway.traffic.replay_verdict import Expected, judge_replay
from gateway.traffic.replay_words import report_words

FACTS = Facts("shop.jsonl", "http://127.0.0.1:8080", 12, 2.0, 5.0, concurrency=10)


def report(facts: Facts = FACTS) -> Report:
    """Ten answers of two versions, one of none, a failure."""
    tally = ReplayTally()
    for number in range(10):
        said = Said("orders", "release", "2" if number == 0 else "1", "weight", "1")
        due = number / 10
        status = 500 if number == 1 else 200
        tally.add(Outcome(End.ANSWERED, "release", due, due + 0.001, due + 0.011, status, said))
    tally.add(Outcome(End.ANSWERED, "dev", 1.0, 1.0, 3.5, 200, NOTHING))
    tally.add(Outcome(End.FAILED, "dev", 1.0, 1.0, 2.0, why="the answer broke off <b>"))
    known = {"1": {("orders", "release"): Expected((("1", 0.9), ("2", 0.1)))}}
    return Report(facts, tally, judge_replay(tally.answers, known))


def test_the_rows_add_up() -> None:
    """Counts, shares within a function of a stage, classes of statuses."""
    rows = [(row.group, row.count, row.share, dict(row.classes)) for row in report().rows()]
    assert rows == [
        (("dev", "", ""), 1, 1.0, {"2xx": 1}),
        (("release", "orders", "1"), 9, 0.9, {"2xx": 8, "5xx": 1}),
        (("release", "orders", "2"), 1, 0.1, {"2xx": 1}),
    ]


def test_people_read_tables_and_a_last_line() -> None:
    """Everything that ended is in them."""
    words = report_words(report())
    assert "release  orders    1              9   90 %  2xx 8, 5xx 1" in words
    assert "the answer broke off" in words
    assert "release orders@release  1            90 %" in words
    assert "1 answer not of a function's version: not judged" in words
    assert "slip: p50 0.997 ms, p99 0.997 ms, max 1 ms" in words
    assert "2.5 s" in words  # what takes longer than a second
    last = "12 requests: 11 answered, 1 failed, 0 not sent in 2.0 s (6 per second)"
    assert words.endswith(last)


def test_programs_read_the_same() -> None:
    """With the tally in it, from which the figures can be made again."""
    plain = json.loads(json.dumps(report().to_plain()))
    assert (plain["requests"], plain["answered"], plain["failed"], plain["not_sent"]) == (
        12,
        11,
        1,
        0,
    )
    assert plain["rate"] == 6.0
    assert plain["rows"][1]["statuses"] == {"2xx": 8, "5xx": 1}
    assert 0.0109 < plain["rows"][1]["latency"]["p50"] < 0.0112
    assert plain["losses"] == [
        {"stage": "dev", "end": "failed", "why": "the answer broke off <b>", "count": 1}
    ]
    assert plain["verdict"]["outcome"] == "undecided"
    again = Report(FACTS, ReplayTally.from_plain(plain["tally"]))
    assert again.to_plain()["rows"] == plain["rows"]


def test_browsers_get_a_page_with_two_pictures() -> None:
    """Escaped, and with nothing to load."""
    page = report_page(report())
    assert page.count('class="plot"') == 2
    assert "the answer broke off &lt;b&gt;" in page
    assert "Replay of shop.jsonl" in page
    assert "orders@release" in page
    assert 'src="http' not in page


def test_what_there_is_not_is_not_told() -> None:
    """No verdict, no losses, no speed."""
    free = replace(FACTS, requests=1, seconds=0.0, speed=None, interrupted=True)
    tally = ReplayTally()
    tally.add(Outcome(End.ANSWERED, "", 0.0, 0.0, 0.1, 200, NOTHING))
    words = report_words(Report(free, tally))
    assert "slip: none" in words
    assert "VERDICT" not in words
    assert words.endswith("interrupted: 1 request: 1 answered, 0 failed, 0 not sent in 0.0 s"
                          " (0 per second)")  # fmt: skip
    page = report_page(Report(free, tally))
    assert "Splits" not in page
    assert "Not answered" not in page
    assert "as fast as possible" in page


def test_nothing_answered_is_a_report_too() -> None:
    """Only losses; a dash where nothing was measured."""
    tally = ReplayTally()
    tally.lose("dev", End.NOT_SENT, "no connection", 12)
    words = report_words(Report(FACTS, tally, judge_replay({}, {})))
    assert "dev    not sent  no connection        12" in words
    assert "slip: p50 -, p99 -, max -" in words
    assert Report(FACTS, tally).to_plain()["slip"]["p99"] is None
