"""`gateway record import`: whatever production wrote becomes a recording, or a sentence."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.cli import importing
from gateway.cli.importing import Importing, Progress, length
from gateway.cli.record import FORMATS
from gateway.traffic.csv_arrivals import UNITS
from gateway.traffic.importing import FORMATS as IMPORTERS
from gateway.traffic.importing import Wanted
from gateway.traffic.opening import open_bytes, open_lines
from gateway.traffic.recording import Recorded, read

if TYPE_CHECKING:
    from tests.cli.conftest import Begin, Call

LINE = '192.0.2.{0} - - [17/May/2015:10:0{0}:03 +0000] "GET /shop/{0} HTTP/1.1" 200 12\n'
LOG = "".join(LINE.format(n) for n in range(1, 6))


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five minutes of a shop, in the folder that commands are called in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "access.log"
    path.write_text(LOG, encoding="utf-8")
    return path


def recorded(name: str) -> list[Recorded]:
    """A recording that was written."""
    with open_lines(name) as lines:
        return list(read(lines, name))


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("output", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_an_access_log(call: Call, output: str) -> None:
    """Talk goes to standard error."""
    result = call("record", "import", "access.log", "-o", output)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "5 requests over 4 min from access.log (access-log)\n"
    assert [(each.at, each.path) for each in recorded(output)] == [
        (60.0 * n, f"/shop/{n + 1}") for n in range(5)
    ]


@pytest.mark.usefixtures("log")
def test_standard_output(call: Call) -> None:
    """Is written for a dash."""
    result = call("record", "import", "access.log", "-o", "-")
    assert result.exit_code == 0
    assert [json.loads(line)["at"] for line in result.stdout.splitlines()] == [0, 60, 120, 180, 240]


def test_standard_input(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is read for a dash, compressed or not; more than once it cannot be."""
    monkeypatch.chdir(tmp_path)
    arguments = ("record", "import", "-", "-o", "a.jsonl")
    assert call(*arguments, input=gzip.compress(LOG.encode())).exit_code == 0
    assert len(recorded("a.jsonl")) == 5
    result = call(*arguments, "--loop", "2", input=LOG)
    assert (result.exit_code, "--loop needs a file" in result.stderr) == (2, True)


def test_what_was_skipped_is_said(call: Call, log: Path) -> None:
    """In words and as JSON."""
    log.write_text(f"x\n{LOG}y\n{LOG}\n", encoding="utf-8")
    arguments = ("record", "import", "access.log", "-o", "a.jsonl")
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "10 requests over 4 min from access.log (access-log)",
        "2 skipped, not in common or combined format: line 1, 7",
    ]
    result = call(*arguments, "--json")
    assert json.loads(result.stdout) == {
        "format": "access-log",
        "requests": 10,
        "seconds": 240.0,
        "skipped": [
            {"why": "not in common or combined format", "count": 2, "lines": [1, 7]},
        ],
        "notes": {},
        "broken": None,
    }


def test_nothing_is_skipped_where_that_is_not_allowed(call: Call, log: Path) -> None:
    """And nothing is written."""
    log.write_text(f"{LOG}y\n", encoding="utf-8")
    result = call("record", "import", "access.log", "-o", "a.jsonl", "--strict")
    assert (result.exit_code, result.stdout) == (4, "")
    words = "error[bad-line]: access.log:6: not in common or combined format: 'y'\n"
    assert result.stderr == words
    assert not Path("a.jsonl").exists()


def test_a_file_that_breaks_off(call: Call, log: Path) -> None:
    """Is imported so far, and that is said."""
    log.write_bytes(gzip.compress(LOG.encode()) + gzip.compress(LOG.encode())[:-4])
    result = call("record", "import", "access.log", "-o", "a.jsonl")
    assert result.exit_code == 0
    last = "the rest is missing: it ends in the middle of its compression"
    assert result.stderr.splitlines()[-1] == last


def test_requests_may_be_altered(call: Call, log: Path) -> None:
    """By options, which win over a profile."""
    profile = log.with_name("profile.toml")
    profile.write_text('paths = ["/shop/ -> /x/"]\nsample = 0.5\nloop = 2\n', encoding="utf-8")
    arguments = ["record", "import", "access.log", "-o", "a.jsonl", "--profile", "profile.toml"]
    arguments += ["--sample", "1", "--sample-by", "request", "--from", "1m", "--until", "3m"]
    arguments += ["--map-path", "/shop/ -> /orders/", "--map-host", "* -> shop", "--user-from"]
    arguments += ["address", "--set-header", "User: {user}", "--remove-header", "X-*"]
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "4 requests over 3 min from access.log (access-log)\n"
    assert [(each.at, each.path, each.headers) for each in recorded("a.jsonl")] == [
        (60.0 * n, f"/orders/{n % 2 + 2}", (("Host", "shop"), ("User", f"192.0.2.{n % 2 + 2}")))
        for n in range(4)
    ]


def test_a_trace(call: Call, log: Path) -> None:
    """With its columns named."""
    log.with_name("trace.csv").write_text("arrived,who\n1500,Bob\n2500,Al\n", encoding="utf-8")
    arguments = ["record", "import", "trace.csv", "-o", "a.jsonl", "--format", "csv"]
    arguments += ["--column", "time=arrived", "--column", "user=who", "--time-unit", "ms"]
    assert call(*arguments, "--request", "PUT /orders/1").exit_code == 0
    assert [(each.at, each.method, each.path, each.user) for each in recorded("a.jsonl")] == [
        (0.0, "PUT", "/orders/1", "Bob"),
        (1.0, "PUT", "/orders/1", "Al"),
    ]


MISTAKES = {
    "no file": (["x.log", "-o", "a"], 2, "'x.log' does not exist"),
    "no output": (["access.log"], 2, "Missing option '-o'"),
    "a format of another kind": (["access.log", "-o", "a", "--format", "pcap"], 2, "'har'"),
    "the wrong format": (["access.log", "-o", "a", "--format", "har"], 4, "unreadable-file"),
    "none of it": (
        ["access.log", "-o", "a", "--from", "1d"],
        4,
        "error[nothing-left]: no request is left of 'access.log'",
    ),
    "json twice": (["access.log", "-o", "-", "--json"], 2, "cannot both have standard output"),
    "a column of a log": (
        ["access.log", "-o", "a", "--format", "har", "--column", "time=a"],
        2,
        "--column, --request and --time-unit are for CSV alone",
    ),
    "half a column": (["access.log", "-o", "a", "--column", "time"], 2, "has no name and value"),
    "a column for nothing": (["access.log", "-o", "a", "--column", "tim=a"], 2, "mean 'time'?"),
    "no request": (["access.log", "-o", "a", "--request", "GET"], 2, "is no request"),
    "a folder that is not there": (["access.log", "-o", "x/a"], 3, "error[cannot-write]"),
    "half a map": (["access.log", "-o", "a", "--map-path", "/a"], 2, "is no 'FROM -> TO'"),
    "too large a sample": (["access.log", "-o", "a", "--sample", "10"], 2, "10 % is 0.1"),
    "no header": (["access.log", "-o", "a", "--set-header", "User"], 2, "'User: {user}'"),
    "a header twice": (
        ["access.log", "-o", "a", "--set-header", "a: 1", "--set-header", "a: 2"],
        2,
        "'a' is given twice",
    ),
    "several": (
        ["access.log", "-o", "a", "--from", "x", "--user-from", "y"],
        2,
        "'x' is no time",
    ),
    "no profile": (["access.log", "-o", "a", "--profile", "x.toml"], 2, "does not exist"),
    "another command": (["export"], 2, "does not exist"),
}


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize(("arguments", "code", "words"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(call: Call, arguments: list[str], code: int, words: str) -> None:
    """Each with its exit code; where nothing was said to be written, nothing is."""
    result = call("record", "import", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in " ".join(result.stderr.split())
    assert not Path("a").exists()


def test_where_nothing_is_left_it_is_said_why(call: Call, log: Path) -> None:
    """Before the end of the command."""
    log.write_text("x\ny\n", encoding="utf-8")
    result = call("record", "import", "access.log", "-o", "a", "--format", "access-log")
    assert result.exit_code == 4
    assert result.stderr.splitlines() == [
        "2 skipped, not in common or combined format: line 1, 2",
        "error[nothing-left]: no request is left of 'access.log'",
    ]


def test_what_is_no_request_and_no_mistake_is_said(call: Call, log: Path) -> None:
    """As the answers of GoReplay."""
    end = "\n\N{MONKEY FACE}\N{SEE-NO-EVIL MONKEY}\N{HEAR-NO-EVIL MONKEY}\n"
    text = f"1 ab 1 0\nGET / HTTP/1.1\r\n\r\n{end}2 ab 1 0\nHTTP/1.1 200\r\n\r\n{end}"
    log.write_text(text, encoding="utf-8", newline="")
    result = call("record", "import", "access.log", "-o", "a", "--strict")
    assert result.stderr.splitlines() == [
        "1 request over 0 s from access.log (gor)",
        "recorded answers: 1",
    ]


@pytest.mark.usefixtures("log")
def test_a_profile_with_mistakes(call: Call) -> None:
    """Each at its place."""
    Path("p.toml").write_text("sample = 2\nlop = 1\n", encoding="utf-8")
    result = call("record", "import", "access.log", "-o", "a", "--profile", "p.toml")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "p.toml:1:10: error[bad-sample]" in result.stderr
    assert "p.toml:2:1: error[unknown-key]" in result.stderr


def test_what_cannot_be_told_is_refused(call: Call, log: Path) -> None:
    """With every name."""
    log.write_text("Lorem ipsum\n", encoding="utf-8")
    result = call("record", "import", "access.log", "-o", "a")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.splitlines() == [
        (
            "error[unreadable-file]: access.log: its format cannot be told; it begins with"
            " 'Lorem ipsum'"
        ),
        f"  = hint: name it with --format: {', '.join(IMPORTERS)}",
    ]


def test_names_are_those_of_the_importers() -> None:
    """The command knows them by heart, so that help imports nothing."""
    from gateway.cli.record import UNITS as NAMES

    assert (set(FORMATS), list(NAMES)) == (set(IMPORTERS), list(UNITS))


def test_without_a_command_the_group_says_what_it_does(call: Call) -> None:
    """And with an option of its own it records."""
    assert "gateway record import" in call("record", "--help").stdout
    assert call("record").exit_code == 2
    assert "--output" in call("record", "--stage", "release").stderr
    assert "Did you mean 'import'" in call("record", "imprt").stderr


def test_progress_waits_two_seconds(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And is a line now and then, where there is no terminal."""
    moments = iter([0.0, *(0.5 * n for n in range(1, 100))])
    monkeypatch.setattr(importing, "monotonic", lambda: next(moments))
    requests = [Recorded(0.0, "GET", "/")] * 10_000
    with open_bytes(log) as opened:
        list(opened.lines())
        assert len(list(Progress(opened).over(requests))) == 10_000
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["100% read, 2,000 requests", "100% read, 7,000 requests"]


def test_progress_draws_over_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal, and leaves no trace."""
    moments = iter([0.0, *(0.5 * n for n in range(1, 100))])
    monkeypatch.setattr(importing, "monotonic", lambda: next(moments))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with open_bytes(os.devnull) as opened:
        progress = Progress(opened)
        list(progress.over([Recorded(0.0, "GET", "/")] * 3000))
        list(progress.over([]))
    shown = capsys.readouterr().err
    assert shown == "\r\x1b[K2,000 requests\r\x1b[K2,500 requests\r\x1b[K3,000 requests\r\x1b[K"


def test_each_round_counts_for_itself(log: Path) -> None:
    """What is told is of one of them."""
    log.write_text(f"x\n{LOG}", encoding="utf-8")
    found = Importing(str(log), Wanted(), strict=False)
    for _ in range(2):
        assert len(list(found.play())) == 5
    assert (found.kind, found.skipped.total) == ("access-log", 1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (4.805, "4.8 s"), (60, "1 min"), (61.4, "1 min 1 s"), (298_859, "3 d 11 h")],
)
def test_lengths(seconds: float, words: str) -> None:
    """In their two largest units."""
    assert length(seconds) == words


def test_whoever_reads_may_have_seen_enough(begin: Begin, log: Path) -> None:
    """As head does; there is nothing to say about it."""
    log.write_text(LOG * 5000, encoding="utf-8")
    process = begin("record", "import", str(log), "-o", "-")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(30)) == ("", 1)


def test_ctrl_c_leaves_nothing_behind(begin: Begin, tmp_path: Path) -> None:
    """And says so by its exit code."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = begin("record", "import", str(pipe), "-o", str(tmp_path / "a"), "--format", "csv")
    with pipe.open("wb") as writer:
        writer.write(b"time\n1\n")
        writer.flush()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert list(tmp_path.iterdir()) == [pipe]
