"""`gateway rehearse`: a rollout on recorded traffic, with nothing running and nothing sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.cli import rehearse
from gateway.cli.rehearse_words import report_words
from gateway.traffic.recording import Recorded, write

if TYPE_CHECKING:
    from tests.cli.conftest import Answered, Call, Running, Shop

PLAN = """
[rollout]
function = "orders"
alias = "release"
to = "2"
steps = [0.2, 1]
every = 5
tolerance = 0.2

[fault]
errors = 0.3

[traffic]
before = 10
"""
WITH = ("rehearse", "plan.toml", "--from", "shop.jsonl", "--seed", "7")
QUICK = (*WITH, "--runs", "2")


def requests(number: int = 400, stage: str | None = "release") -> list[Recorded]:
    """Fifty a second, of ten users whom the recording knows and a header names."""
    return [
        Recorded(n / 50, "GET", f"/orders/{n}", "", (("User", f"v{n % 4}"),), b"", f"u{n % 10}",
                 stage=stage)
        for n in range(number)
    ]  # fmt: skip


@pytest.fixture
def planned(shop: Shop) -> Callable[..., Path]:
    """The shop with a plan and a recording."""

    def write_down(plan: str = PLAN, recorded: list[Recorded] | None = None) -> Path:
        folder = shop()
        (folder / "plan.toml").write_text(plan)
        lines = map(write, requests() if recorded is None else recorded)
        (folder / "shop.jsonl").write_bytes(b"".join(lines))
        return folder

    return write_down


Planned = Callable[..., Path]


def test_the_report_tells_what_was_hurt_and_how_often_which_rule_was_wrong(
    planned: Planned, call: Call
) -> None:
    """Two tables and the first run in one line."""
    planned()
    result = call(*QUICK)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[:7] == [
        "orders/release  1 -> 2  on shop.jsonl, 2 runs, seed 7",
        "traffic  400 requests of 10 users, 50 a second, again and again; 10 s before",
        "steps    20 %, 100 %   each 5 s at least",
        "guards   error_rate>old",
        "fixed    more than 1 % errors in 10 s",
        "old      no errors, no latency",
        "fault    30 % errors (430)",
    ]
    words = [" ".join(line.split()) for line in lines]
    assert "rolled back 2 of 2 (15.8 to 100 %) 0 of 2 (0 to 84.2 %)" in words
    assert "missed 0 of 2 (0 to 84.2 %) 2 of 2 (15.8 to 100 %)" in words
    assert any(line.startswith("rolled back wrongly (stated: 1 % at most)") for line in words)
    assert any(line.startswith("users hurt median ") for line in words)
    assert words[-1].startswith("run 1: rolled-back at 20 % after ")
    assert not any(line.startswith("given up") for line in words)


def test_equal_seeds_give_equal_reports(planned: Planned, answered: Answered) -> None:
    """In JSON as everywhere."""
    planned()
    told = answered(*QUICK)
    assert told == answered(*QUICK)
    assert told["recording"] == "shop.jsonl"
    assert told["faulty"]["guards"]["hurt_users"]["p50"] > 0
    assert told["equal"]["guards"]["finished"]["runs"] == 2


def test_without_a_seed_one_is_taken_and_told(planned: Planned, answered: Answered) -> None:
    """So that the run can be had again."""
    planned()
    told = answered(*WITH[:4], "--runs", "1")
    seed = str(told["seed"])
    assert answered(*WITH[:4], "--runs", "1", "--seed", seed) == told


def test_without_a_fault_only_equal_versions_are_compared(
    planned: Planned, call: Call, answered: Answered
) -> None:
    """And a limit on what a fault does makes no sense."""
    planned(PLAN.replace("[fault]\nerrors = 0.3", "[fixed]\nwindow = 1"))
    assert answered(*QUICK)["faulty"] is None
    result = call(*QUICK)
    assert "WITH THE FAULT" not in result.stdout
    assert "requests hurt" not in result.stdout.splitlines()[-1]
    result = call(*QUICK, "--max-hurt", "3")
    assert result.exit_code == 2
    assert "need a [fault]" in result.stderr


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--max-hurt", "1"), 11),
        (("--max-hurt", "1000", "--max-missed", "0"), 0),
    ],
)
def test_limits_make_an_exit_code(
    planned: Planned, call: Call, options: tuple[str, ...], code: int
) -> None:
    """For those who rehearse before every release."""
    planned()
    assert call(*QUICK, *options).exit_code == code


def test_a_fault_that_is_missed_too_often_has_an_exit_code_too(
    planned: Planned, call: Call
) -> None:
    """Guards that never fail miss everything."""
    planned(PLAN.replace("tolerance", 'guards = ["error_rate>90%"]\ntolerance'))
    result = call(*QUICK, "--max-missed", "0.5")
    assert result.exit_code == 11
    assert call(*QUICK, "--max-missed", "1").exit_code == 0


def test_more_false_roll_backs_than_stated_have_an_exit_code(
    planned: Planned, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards that state less than they keep: here because every look is a roll-back."""
    planned()
    monkeypatch.setattr("gateway.rollout.rehearsing_report.Tally.interval", lambda *_: (0.5, 1.0))
    assert call(*QUICK).exit_code == 10


def test_it_is_written_as_a_page_too(planned: Planned, call: Call) -> None:
    """One file with the same tables, and pictures."""
    folder = planned()
    result = call(*QUICK, "--html", "report.html")
    assert (result.exit_code, result.stderr) == (0, "the report as a page: report.html\n")
    text = (folder / "report.html").read_text()
    for words in ("Rehearsal of orders/release", "rolled back wrongly", "Requests hurt", "guards"):
        assert words in text
    result = call(*QUICK, "--html", "nowhere/report.html")
    assert result.exit_code == 1
    assert "nowhere/report.html cannot be written" in result.stderr
    (folder / "plan.toml").write_text(PLAN.replace("[fault]\nerrors = 0.3", ""))
    assert call(*QUICK, "--html", "report.html").exit_code == 0
    assert "Requests hurt" not in (folder / "report.html").read_text()


def test_users_are_found_by_a_key(planned: Planned, answered: Answered, call: Call) -> None:
    """In place of those of the recording."""
    planned()
    told = answered(*QUICK, "--user-from", "invoke.headers.User")
    assert told["traffic"]["users"] == 4
    told = answered(*QUICK, "--user-from", "invoke.headers.Nobody")
    assert told["traffic"]["users"] == 0
    assert "users hurt" not in report_words(told)
    result = call(*QUICK, "--user-from", "user")
    assert result.exit_code == 2
    assert "--user-from" in result.stderr


@pytest.mark.parametrize(
    ("stage", "plan", "sent"),
    [
        pytest.param(None, PLAN, 400, id="where the alias is used"),
        pytest.param("dev", PLAN + 'stage = "release"\n', 400, id="as the plan says"),
        pytest.param("release", PLAN, 400, id="as recorded"),
        pytest.param("nowhere", PLAN, 0, id="to no stage"),
        pytest.param("dev", PLAN, 0, id="to another alias"),
    ],
)
def test_requests_go_where_they_belong(
    planned: Planned, call: Call, stage: str | None, plan: str, sent: int
) -> None:
    """A recording that never reaches the alias is no rehearsal."""
    planned(plan, requests(stage=stage))
    result = call(*QUICK, "--json")
    if sent:
        assert json.loads(result.stdout)["traffic"]["requests"] == sent
        return
    assert (result.exit_code, result.stdout) == (4, "")
    assert "error[no-traffic]: no request of shop.jsonl reaches alias 'release'" in result.stderr
    why = "match no API" if stage == "nowhere" else "are answered by something else"
    assert why in result.stderr


def test_requests_that_do_not_reach_the_alias_are_told(planned: Planned, call: Call) -> None:
    """Beside the report."""
    odd = [Recorded(8, "GET", "/ping", stage="release"), Recorded(8, "GET", "/x", stage="release")]
    planned(recorded=[*requests(), *odd])
    result = call(*QUICK)
    assert result.exit_code == 0
    assert result.stderr == (
        "note: 402 requests, 1 match no API of their stage, 1 are answered by something else\n"
    )


@pytest.mark.parametrize(
    ("plan", "recorded", "words"),
    [
        (PLAN.replace('"2"', '"9"'), b"", "plan.toml:5:6: error[unknown-version]"),
        (PLAN, b"{}\n", "error[bad-line]"),
        (PLAN, b"", "no request of shop.jsonl reaches alias 'release' of 'orders'; 0 requests"),
    ],
)
def test_mistakes_are_told(
    planned: Planned, call: Call, plan: str, recorded: bytes, words: str
) -> None:
    """Exit code 4, nothing on standard output."""
    folder = planned(plan)
    (folder / "shop.jsonl").write_bytes(recorded)
    result = call(*QUICK)
    assert (result.exit_code, result.stdout) == (4, "")
    assert words in result.stderr


@pytest.mark.parametrize("terminal", [False, True])
def test_it_tells_how_far_it_is_when_it_takes_long(
    planned: Planned, call: Call, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    """On standard error; over itself where that is a terminal."""
    planned()
    monkeypatch.setattr(rehearse, "QUIET", 0.0)
    if terminal:
        monkeypatch.setattr(
            "click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False
        )
    result = call(*QUICK)
    assert "1 of 2 runs, " in result.stderr
    assert result.stderr.endswith("\r" if terminal else "s to go\n")


@pytest.mark.sockets
def test_it_begins_with_what_is_live(planned: Planned, running: Running, call: Call) -> None:
    """In place of the file; there, version 3 is nowhere."""
    planned(PLAN.replace('to = "2"', 'to = "3"'))
    assert "error[unknown-version]" in call(*QUICK).stderr
    call("publish", "orders")
    call("alias", "set", "orders", "release", "--version", "1")
    result = call(*QUICK, "--live")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("orders/release  1 -> 3  ")
    result = call(*QUICK, "--live", "--config", "stages.toml")
    assert "--config and --live cannot be used together" in result.stderr
    assert running.gateway.live.snapshot.revision == 3
