"""`gateway status --watch`: what it draws, how it fits its terminal, and how it is drawn over."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.picture import cells
from gateway.cli.status_fitting import BARS, Column, cut, fitted, sparkline
from gateway.cli.status_screen import Screen
from gateway.cli.status_watch import watched

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running

Told = dict[str, Any]


def lately(version: str, requests: int, errors: int = 0, **more: object) -> Told:
    """What one version did in one stage."""
    latency = {"p50": 0.001, "p99": 0.25, "p90": 0.1, "mean": 0.1, "largest": 1}
    whose = {"stage": "release", "function": "orders", "qualifier": "release"}
    counts = {"version": version, "requests": requests, "errors": errors}
    return {**whose, **counts, "latency": latency, **more}


def course(version: str, p99: Sequence[float | None], **more: object) -> Told:
    """Its latencies, second by second."""
    whose = {"stage": "release", "function": "orders", "qualifier": "release"}
    return {**whose, "version": version, "p99": list(p99), **more}


def division(outcome: str | None = "passed", *shares: tuple[str, float | None]) -> Told:
    """What is known of the alias's shares."""
    every = [{"version": version, "observed": share} for version, share in shares]
    return {"function": "orders", "alias": "release", "outcome": outcome, "versions": every}


def told(**more: object) -> Told:
    """What the control plane says of a function with one alias."""
    alias: Told = {"version": "1", "weights": {"2": 0.1}, "rules": [], "split": "random"}
    function = {"name": "orders", "aliases": {"release": alias}, "faults": {}}
    return {
        "snapshot": {"revision": 7, "functions": {"orders": function}},
        "metrics": {"answered": 1200, "since": "2025-01-31T12:00:00Z"},
        "lately": {"versions": [lately("1", 540), lately("2", 60, 3)]},
        "shares": {"aliases": [division("passed", ("1", 0.9), ("2", 0.1))]},
        "course": {"versions": [course("1", [0.1] * 60), course("2", [None] * 59 + [0.2])]},
        "rollouts": {"rollouts": []},
        "nodes": {"nodes": [node("main")]},
        **more,
    }


def rollout(status: str = "running") -> Told:
    """A rollout as the control plane tells it."""
    nothing = {"requests": 0, "errors": 0, "p50": None, "p99": None}
    return {
        "id": "orders-release-7", "status": status, "step": 0, "steps": [0.1, 1], "to": "2",
        "share": 0.1, "seen": {"old": nothing, "new": nothing}, "findings": [],
    }  # fmt: skip


def node(process: str, **more: object) -> Told:
    """What the control plane says of one process."""
    usual = {"node": "host", "process": process, "own": False, "revision": 7, "age": 0.3,
             "requests": 600, "gone": False, "state_age": None}  # fmt: skip
    return {**usual, **more}


def lines(picture: str) -> list[str]:
    """Its lines without colours, with single spaces."""
    return [" ".join(line.split()) for line in click.unstyle(picture).splitlines()]


def test_a_picture_has_what_should_be_what_is_and_what_was_lately() -> None:
    """The verdict once for each alias; the bars of one alias have one scale."""
    found = lines(watched(told(), None, None))
    assert found[0] == (
        "FUNCTION ALIAS VERSION SHARE OBSERVED VERDICT REQ/S ERRORS P50 P99 P99, LAST MINUTE"
    )
    assert found[1] == f"orders release 1 90 % 90 % passed 9.0 0 1 ms 250 ms {'▅' * 60}"
    assert found[2] == "2 10 % 10 % 1.0 3 1 ms 250 ms █"
    assert found[3] == "revision 7 1,200 requests since 2025-01-31T12:00:00Z"


def test_stages_are_added_up_and_the_slowest_is_told() -> None:
    """A percentile of both together cannot be made of theirs."""
    slow = {"p50": 0.5, "p99": 2.0}
    both = [lately("1", 60), lately("1", 60, 1, stage="dev", latency=slow)]
    courses = [course("1", [0.1, None, None]), course("1", [0.4, 0.4, None], stage="dev")]
    picture = watched(told(lately={"versions": both}, course={"versions": courses}), None, None)
    assert lines(picture)[1].endswith("passed 2.0 1 500 ms 2e+03 ms ██")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (division("failed", ("1", 0.5), ("2", 0.5)), "90 % 50 % failed"),
        (division("undecided", ("1", None), ("2", None)), "90 % - undecided"),
        (division(None, ("1", 0.9), ("2", 0.1)), "90 % 90 % sticky"),
        (division("passed", ("1", 1.0)), "90 % 100 % -"),
    ],
)
def test_verdicts_are_told_where_there_is_something_to_judge(found: Told, words: str) -> None:
    """Where keys stick there is none, and where one version gets everything."""
    assert words in lines(watched(told(shares={"aliases": [found]}), None, None))[1]


def test_versions_that_callers_name_themselves_have_lines_of_their_own() -> None:
    """And versions that the alias does not name any more, or that only rules lead to."""
    seen = [lately("4", 6), lately("3", 6, qualifier="3")]
    picture = told(lately={"versions": seen}, shares={"aliases": []}, course={"versions": []})
    alias = picture["snapshot"]["functions"]["orders"]["aliases"]["release"]
    alias["rules"] = [{"when": "x", "version": "2"}, {"when": "x", "version": "5"}]
    found = lines(watched(picture, None, None))
    assert found[2] == "2 rule, 10 % - 0.0 0 - -"
    assert found[3] == "5 rule - 0.0 0 - -"
    assert found[4] == "4 - - 0.1 0 1 ms 250 ms"
    assert found[5] == "orders 3 3 100 % - - 0.1 0 1 ms 250 ms"


def test_rollouts_that_go_on_stand_below() -> None:
    """Those that have ended do not."""
    every = [rollout(), rollout("paused"), rollout("finished")]
    found = lines(watched(told(rollouts={"rollouts": every}), None, None))
    assert found[3].startswith("orders-release-7 running step 1 of 2 version 2 10 % 0 answers")
    assert found[4] == "orders-release-7 paused step 1 of 2 version 2 10 %"
    assert found[5].startswith("revision 7")


def test_processes_have_a_line_each_where_there_are_several() -> None:
    """Which revision each has, whether it has its state, and which ones are gone."""
    every = [
        node("control", own=True, requests=0),
        node("worker-1", revision=6, requests=1, state_age=0.9),
        node("worker-2", state_age=12.4),
        node("worker-3", gone=True, age=42.2),
    ]
    assert lines(watched(told(nodes={"nodes": every}), None, None))[3:-1] == [
        "node: host control revision 7 0 requests",
        "node: host worker-1 revision 6 1 request 0.3 s ago",
        "node: host worker-2 revision 7 600 requests 0.3 s ago without its state for 12 s",
        "node: host worker-3 gone for 42 s 600 requests",
    ]


@pytest.mark.parametrize("width", range(1, 160, 7))
@pytest.mark.parametrize("height", [1, 2, 3, 40])
def test_no_line_is_wider_and_no_picture_higher_than_its_terminal(width: int, height: int) -> None:
    """What matters most stays: the alias, its versions, the summary."""
    some = [node(f"worker-{number}") for number in range(4)]
    more = {"rollouts": {"rollouts": [rollout()]}, "nodes": {"nodes": some}}
    picture = watched(told(**more), width, height)
    found = click.unstyle(picture).splitlines()
    assert all(cells(line) <= width for line in found)
    assert len(found) <= height
    assert found[-1].startswith("revision 7"[: max(0, width - 1)])
    if width > 60 and height == 40:
        assert "90 %" in found[1]


def test_columns_go_by_their_worth_and_courses_are_shortened_first() -> None:
    """The last seconds stay."""
    columns = (Column("A", 2), Column("B", 1), Column("C", 3, rest=True))
    rows = [("aaaa", "bbbb", "0123456789abcdefghij")]
    assert fitted(columns, rows, None).splitlines()[1] == "aaaa  bbbb  0123456789abcdefghij"
    assert fitted(columns, rows, 24).splitlines()[1] == "aaaa  bbbb  89abcdefghij"
    assert fitted(columns, rows, 10).splitlines()[1] == "aaaa  abcdefghij"
    assert fitted(columns, rows, 2).splitlines()[1] == "abcdefghij"
    assert "A" in fitted(columns, [], 80)


def test_a_line_that_is_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without half a colour, and without half a wide character."""
    assert cut(click.style("red", fg="red"), 3) == click.style("red", fg="red")
    assert cut(click.style("reddish", fg="red"), 4) == "red…"
    assert cut("日本語", 5) == "日本…"
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert cut("reddish", 4) == "red"


@given(st.lists(st.none() | st.floats(0, 1000), max_size=70))
def test_bars_are_as_high_as_their_numbers(numbers: list[float | None]) -> None:
    """The highest is full; nothing is nothing."""
    top = max((number for number in numbers if number is not None), default=0.0)
    drawn = sparkline(numbers, top)
    assert [bar == " " for bar in drawn] == [number is None for number in numbers]
    heights = [(number, BARS.index(b)) for number, b in zip(numbers, drawn, strict=True) if number]
    assert [height for _, height in sorted(heights)] == sorted(height for _, height in heights)


def test_outputs_that_have_no_bars_get_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old terminal is no reason to fail."""
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert sparkline([0.0, None, 1.0], 1.0) == "_ #"
    assert sparkline([0.0], 0.0) == "_"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_drawn_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleared once, then line by line, so that nothing flickers."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    stream = Terminal()
    screen = Screen.of(stream)
    assert screen.size() == (80, 23)
    screen.show("one\ntwo")
    screen.show("three")
    assert stream.getvalue() == (
        "\x1b[2J\x1b[Hone\x1b[K\ntwo\x1b[K\n\x1b[J\x1b[Hthree\x1b[K\n\x1b[J"
    )


@pytest.mark.parametrize(("colour", "shown"), [(False, "red"), (None, "\x1b[31mred\x1b[0m")])
def test_without_colours_a_terminal_is_still_drawn_over(colour: bool | None, shown: str) -> None:
    """`NO_COLOR` is about colours."""
    stream = Terminal()
    with click.Context(click.Command("status"), color=colour):
        Screen.of(stream).show(click.style("red", fg="red"))
    assert stream.getvalue() == f"\x1b[2J\x1b[H{shown}\x1b[K\n\x1b[J"


def test_elsewhere_pictures_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    """As wide as they are."""
    screen = Screen.of(io.StringIO())
    assert screen.size() == (None, None)
    screen.show("picture")
    assert capsys.readouterr().out == "picture\n\n"


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second picture is interrupted."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gateway.cli.status.sleep", interrupt)


@pytest.mark.sockets
@pytest.mark.usefixtures("once")
def test_what_is_drawn_is_what_the_gateway_says(
    running: Running, call: Call, answered: Answered
) -> None:
    """Shares, the last minute and the rollout of a gateway that serves; JSON has all of it."""
    call("alias", "set", "orders", "release", "--version", "1")
    began = call("rollout", "start", "orders", "release", "--to", "2", "--steps", "50,100")
    assert began.exit_code == 0, began.stderr
    with httpx.Client(base_url=running.data) as caller:
        for _ in range(20):
            caller.get("/release/orders/1")
    result = call("status", "--watch")
    assert result.exit_code == 0
    found = lines(result.stdout)
    start = next(n for n, line in enumerate(found) if line.startswith("orders release 1 50 % "))
    assert "undecided" in found[start]
    assert "orders-release-3 running step 1 of 2 version 2 50 %" in found[-3]
    assert found[-2].startswith("revision 3 20 requests since ")
    assert "rollout: orders-release-3 running" in " ".join(call("status").stdout.split())
    everything = answered("status")
    assert list(everything) == [
            "snapshot", "metrics", "lately", "shares", "course", "rollouts", "nodes",
        ]  # fmt: skip
    assert sum(each["requests"] for each in everything["lately"]["versions"]) == 20
    assert everything["course"]["points"] == 60
    assert os.linesep.join(everything) == os.linesep.join(answered("status", "--watch"))


@pytest.mark.sockets
@pytest.mark.usefixtures("once")
def test_pinned_versions_are_in_both_pictures(running: Running, call: Call) -> None:
    """A stage may name a version in place of an alias."""
    call("stage", "set", "dev", "--alias-of", "orders=2")
    httpx.get(f"{running.data}/dev/orders/1")
    assert "orders 2 2 100 % 100 % 1 0" in lines(call("status").stdout)
    watched_lines = lines(call("status", "--watch").stdout)
    assert any(line.startswith("orders 2 2 100 % - - 0.0 0 ") for line in watched_lines)
