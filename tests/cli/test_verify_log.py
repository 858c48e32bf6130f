"""Anybody's log can be judged: by its fields, its servers' format strings, and what is named."""

from __future__ import annotations

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.cli import verify_log
from gateway.cli.verify_shown import Progress

Call = Callable[..., Result]

EXPECT = ("--expect", "1=0.9,2=0.1")
SERVERS = ("--map", "127.0.0.1:9001=1", "--map", "127.0.0.1:9002=2")
CLF = '10.0.0.{} - - [17/May/2015:10:{:02}:03 +0000] "GET /a HTTP/1.1" {} 12'


def version_of(number: int, percent: int) -> str:
    """So many in a hundred get version 2."""
    return "2" if number * 37 % 100 < percent else "1"


def access_log(percent: int = 10, requests: int = 6_000) -> str:
    """Lines of nginx's, with the server that answered behind each."""
    return "".join(
        f"{CLF.format(n % 200, n * 60 // requests, 500 if n % 100 == 0 else 200)}"
        f" upstream=127.0.0.1:900{version_of(n, percent)} 0.0{n % 90 + 10}\n"
        for n in range(requests)
    )


def json_lines(percent: int = 10, requests: int = 6_000, **fields: Any) -> str:  # noqa: ANN401
    """What a gateway writes down, with further fields."""
    return "".join(
        json.dumps({"stage": "release", "version": version_of(n, percent), "user": f"u{n % 1500}",
                    "pod": f"p{n % 2}", **fields}) + "\n"
        for n in range(requests)
    )  # fmt: skip


@pytest.fixture
def verify(call: Call, tmp_path: Path) -> Call:
    """Judge a log with this text."""

    def run(text: str, *arguments: str) -> Result:
        log = tmp_path / "a.log"
        log.write_text(text)
        return call("verify", "--log", str(log), *arguments)

    return run


@pytest.mark.parametrize(("percent", "code"), [(10, 0), (13, 10)])
def test_a_split_of_another_server_is_judged_by_its_access_log(
    verify: Call, percent: int, code: int
) -> None:
    """By the field behind the common format."""
    result = verify(access_log(percent), "--version-field", "upstream", *SERVERS, *EXPECT)
    assert result.exit_code == code, result.output
    assert result.stdout.splitlines()[-1].startswith(("passed:", "failed:")[code > 0])
    assert "6,000 lines of " in result.stdout
    assert "(common)" in result.stdout


def test_few_requests_are_undecided(verify: Call) -> None:
    """The exit code says so, and the sentence how many are needed."""
    result = verify(json_lines(10, 100), *EXPECT)
    assert result.exit_code == 12
    assert "5,845 are needed to see 3 points" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version-field", "1"),
        ("--format", "common", "--version-field", "upstream"),
        (
            "--log-format",
            '$remote_addr - - [$time_local] "$request" $status $bytes upstream=$upstream_addr $t',
            "--version-field",
            "upstream_addr",
        ),
    ],
    ids=["position", "format and name", "format string"],
)
def test_the_version_is_found_however_it_is_named(verify: Call, arguments: tuple[str, ...]) -> None:
    """By its place, by its name, by the server's own word."""
    assert verify(access_log(), *arguments, *SERVERS, *EXPECT).exit_code == 0


def test_everything_is_told_as_json(verify: Call) -> None:
    """With what was left out, when it was, how long it took, and the exit code."""
    more = (
        "--format",
        "common",
        "--version-field",
        "upstream",
        "--field",
        "latency=2",
        "--where",
        "status!=500",
    )
    result = verify("no line\n" + access_log(), *more, *SERVERS, *EXPECT, "--json")
    told = json.loads(result.stdout)
    assert (told["outcome"], told["exit_code"], told["requests"]) == ("passed", 0, 5_940)
    assert told["notes"] == [
        "1 record left out, not in common: line 1",
        "60 records left out, not asked for",
    ]
    assert told["timeline"]["unit"] == "seconds"
    assert sum(sum(one["counts"].values()) for one in told["latency"]) == 5_940
    assert told["about"]["expected of the log"] == "--expect"


def test_a_first_line_that_says_no_format_can_be_named(verify: Call) -> None:
    """A note above the records is left out like any other line."""
    assert verify("no line\n" + access_log(), "--version-field", "1", *EXPECT).exit_code == 2


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_tables_name_their_columns(verify: Call, form: str) -> None:
    """They are never guessed."""
    gap = {"csv": ",", "tsv": "\t"}[form]
    rows = "".join(f"{version_of(n, 10)}{gap}x\n" for n in range(6_000))
    text = f"backend{gap}other\n{rows}"
    assert verify(text, "--format", form, "--version-field", "backend", *EXPECT).exit_code == 0


def test_compressed_logs_are_read_as_they_are(call: Call, tmp_path: Path) -> None:
    """As logs are kept."""
    log = tmp_path / "a.gz"
    log.write_bytes(gzip.compress(json_lines().encode()))
    assert call("verify", "--log", str(log), *EXPECT).exit_code == 0


def test_a_window_and_conditions_choose_the_records(verify: Call) -> None:
    """What was before and after is not judged."""
    text = access_log(60, 1_000).replace("10:", "09:") + access_log(10)
    more = ("--version-field", "1", *SERVERS, *EXPECT, "--since", "2015-05-17T10:00:00Z")
    assert verify(text, *more).exit_code == 0
    assert verify(text, *more[:-2]).exit_code == 10
    assert verify(text, *more, "--until", "2015-05-17T10:01:00Z").exit_code == 12


@pytest.mark.parametrize(
    ("limit", "code"), [((), 0), (("--max-errors", "0.1"), 0), (("--max-errors", "0.001"), 11)]
)
def test_errors_count_where_there_is_a_limit(
    verify: Call, limit: tuple[str, ...], code: int
) -> None:
    """One in a hundred has failed."""
    result = verify(access_log(), "--version-field", "1", *SERVERS, *EXPECT, *limit)
    assert result.exit_code == code
    assert ("more than the 0.001 that --max-errors allows" in result.stdout) is (code == 11)


def test_a_log_of_which_much_cannot_be_used_does_not_pass(verify: Call) -> None:
    """Unless that much is allowed."""
    text = json_lines() + '{"no": "version"}\n' * 100
    assert verify(text, *EXPECT).exit_code == 11
    assert verify(text, *EXPECT, "--max-unusable", "0.1").exit_code == 0


def test_sticky_keys_are_judged_by_keys(verify: Call) -> None:
    """A key that moves fails the split, whatever the shares are."""
    text = "".join(
        f'{{"user": "u{n % 6000}", "version": "{version_of(n % 6000, 10)}"}}\n'
        for n in range(12_000)
    )
    arguments = ("--sticky-key", "user", *EXPECT)
    result = verify(text, *arguments)
    assert result.exit_code == 0, result.output
    assert "requests by keys" in result.stdout
    moved = verify(text + '{"user": "u1", "version": "2"}\n', *arguments)
    assert moved.exit_code == 10
    assert "key 'u1' was on versions 1 (2) and 2 (1)" in moved.stdout


def test_each_value_of_a_field_can_be_judged_by_itself(verify: Call) -> None:
    """Of three servers, of which one is wrong."""
    text = json_lines(10, 14_000)
    assert verify(text, "--by", "pod", *EXPECT, "--json").exit_code == 0
    wrong = json_lines(20, 6_000, pod="p3")
    told = json.loads(verify(text + wrong, "--by", "pod", *EXPECT, "--json").stdout)
    assert {split["name"]: split["outcome"] for split in told["splits"]} == {
        "requests [pod=p0]": "passed",
        "requests [pod=p1]": "passed",
        "requests [pod=p3]": "failed",
    }


def test_several_stages_have_expectations_of_their_own(verify: Call) -> None:
    """Each is named before its shares."""
    text = json_lines() + json_lines(0, 1_000, stage="dev") + json_lines(0, 9, stage="prepub")
    stages = ("--stage", "release", "--stage", "test")
    result = verify(text, *stages, "--expect", "release:1=9/10,2=1/10", "--expect", "dev:1=1")
    assert result.exit_code == 0, result.output
    assert "9 records left out, of other stages" in result.stdout


def test_it_stops_as_soon_as_it_is_decided(verify: Call) -> None:
    """With error rates that hold however often it looked."""
    result = verify(json_lines(30, 50_000), *EXPECT, "--until-decided", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 10
    assert told["requests"] < 2_000
    assert "valid at every look" in told["splits"][0]["finding"]


def test_a_report_is_written_and_named(verify: Call, tmp_path: Path) -> None:
    """Into a folder that need not be there."""
    path = tmp_path / "reports" / "r.html"
    result = verify(json_lines(), *EXPECT, "--html", str(path))
    assert result.exit_code == 0
    assert f"report: {path}" in result.stderr
    assert "Is the split right?" in path.read_text()


def test_a_report_that_cannot_be_written_is_told(verify: Call, tmp_path: Path) -> None:
    """Whose folder is a file, for example."""
    (tmp_path / "file").write_text("")
    result = verify(json_lines(), *EXPECT, "--html", str(tmp_path / "file" / "r.html"))
    assert result.exit_code == 2
    assert "error[unwritable]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--stage",), "requires an argument"),
        ((), "say what is expected"),
        (("--expect", "1=0.9"), "the shares of '1=0.9' sum to 0.9; they must sum to 1"),
        (("--expect", "1=2,2=-1"), "'2' in '1=2,2=-1' is no share; allowed: 0 to 1"),
        (("--expect", "1=1/0"), "'1/0' in '1=1/0' is no share"),
        (("--expect", "1"), "'1' in '1' has no version and share"),
        (("--expect", "1=0.5,1=0.5"), "version 1 stands twice"),
        ((*EXPECT, *EXPECT), "is the second one about the same"),
        (
            ("--stage", "release", "--stage", "dev", *EXPECT),
            "does not say which stage it is about: write release:1=0.9,2=0.1",
        ),
        ((*EXPECT, "--field", "when=ts"), "'when' is nothing that a field can tell"),
        ((*EXPECT, "--field", "statu=s"), "did you mean 'status'?"),
        ((*EXPECT, "--map", "a"), "'a' is no value and version"),
        ((*EXPECT, "--map", "a=1", "--map", "a=2"), "'a' is given twice"),
        ((*EXPECT, "--where", "a"), "'a' is no condition"),
        ((*EXPECT, "--since", "soon"), "'soon' is no time"),
        ((*EXPECT, "--log-format", "$a$b"), "nothing between $a and $b"),
        ((*EXPECT, "--log-format", "$a", "--format", "json"), "say the same thing"),
        ((*EXPECT, "--sticky-key", "u", "--until-decided"), "they are judged once"),
        ((*EXPECT, "--requests", "5"), "--requests has no effect with --log"),
        ((*EXPECT, "--version-field", "v"), "the fields of the first one are: stage, version,"),
        ((*EXPECT, "--version-field", "user"), "more than 50 versions"),
    ],
)
def test_a_mistake_is_told_before_anything_is_judged(
    verify: Call, arguments: tuple[str, ...], said: str
) -> None:
    """In a sentence, with what is allowed."""
    result = verify(json_lines(), *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"BZh9", "compressed with bzip2"), (b"a,b\n", "--log-format")],
)
def test_what_cannot_be_read_is_told(
    call: Call, tmp_path: Path, content: bytes | None, said: str
) -> None:
    """With the file, and what could be done."""
    log = tmp_path / "a.log"
    if content is not None:
        log.write_bytes(content)
    result = call("verify", "--log", str(log), *EXPECT)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_an_empty_log_is_undecided(verify: Call) -> None:
    """Nothing was counted, and nothing is wrong."""
    result = verify("", *EXPECT)
    assert result.exit_code == 12
    assert "no requests were counted" in result.stdout


class Shown(Progress):
    """What a terminal would show, where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = True


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "500 lines, 10%; requests: 1 90.00 %, 2 10.00 %, undecided so far"),
        (("--sticky-key", "user"), "500 lines, 10%; requests: 1 90.00 %, 2 10.00 %"),
        (("--where", "pod=none"), "500 lines, 10%;"),
        (("--by", "pod"), "[pod=p0]: 1 90.00 %, 2 10.00 %; requests [pod=p1]"),
    ],
)
def test_the_line_tells_how_far_it_is(
    verify: Call, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], line: str
) -> None:
    """It is drawn over itself, and leaves no trace."""
    monkeypatch.setattr(verify_log, "Progress", Shown)
    result = verify(json_lines(10, 5_000), *EXPECT, *arguments)
    assert line in result.stderr.split("\r")[1]
    assert result.stderr.endswith("\r")


def test_a_mistake_leaves_no_line(verify: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence stands alone."""
    monkeypatch.setattr(verify_log, "Progress", Shown)
    assert verify(json_lines(), *EXPECT, "--version-field", "user").exit_code == 2


def test_ctrl_c_gives_the_report_so_far(verify: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the exit code of an interruption."""

    class Interrupted(Shown):
        def show(self, words: Callable[[], str]) -> None:
            words()
            raise KeyboardInterrupt

    monkeypatch.setattr(verify_log, "Progress", Interrupted)
    result = verify(json_lines(), *EXPECT)
    assert result.exit_code == 130
    assert result.stdout.splitlines()[-1].startswith("interrupted: after 500 requests")


@pytest.mark.sockets
def test_what_is_expected_may_be_what_the_live_alias_says(
    start_gateway: Callable[..., Any], call: Call, tmp_path: Path
) -> None:
    """Rules by the reasons that answers gave, and sticky keys by their field."""
    start_gateway()
    answers = [("main", "1"), ("rule:1", "2"), ("rule:2", "$LATEST")]
    lines = (
        json.dumps({"stage": "prepub", "answer": {"version": version, "reason": reason}})
        for reason, version in answers * 400
    )
    log = tmp_path / "prepub.jsonl"
    log.write_text("\n".join(lines))
    result = call("verify", "--log", str(log), "--stage", "prepub", "--function", "orders")
    assert result.exit_code == 0, result.output
    assert "prepub/rule:2  $LATEST" in result.stdout
    sticky = ("--split", "sticky", "--sticky-by", "invoke.headers.User")
    call("alias", "set", "orders", "prepub", "--version", "1", "--weight", "2=0.1", *sticky)
    refused = call("verify", "--log", str(log), "--stage", "prepub", "--function", "orders")
    assert refused.exit_code == 2
    assert "name the field that holds it with --sticky-key" in " ".join(refused.stderr.split())


def test_records_that_were_all_left_out_are_undecided(verify: Call) -> None:
    """They were not asked for."""
    result = verify(json_lines(), *EXPECT, "--where", "pod=none")
    assert result.exit_code == 12
    assert "6,000 records left out, not asked for" in result.stdout


Terminal = Callable[..., "tuple[subprocess.Popen[bytes], int]"]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Judge standard input while standard error is a terminal; gives the terminal's other end."""
    begun: list[tuple[subprocess.Popen[bytes], int]] = []

    def run(*arguments: str) -> tuple[subprocess.Popen[bytes], int]:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "verify", "--log", "-", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        begun.append((process, ours))
        return process, ours

    yield run
    for process, ours in begun:
        with process:
            process.kill()
        os.close(ours)


def until(terminal: int, words: bytes) -> bytes:
    """What a terminal shows up to some words."""
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 4096)
    return shown


def test_a_pipe_is_watched_on_a_terminal_and_ctrl_c_gives_the_report_so_far(
    terminal: Terminal,
) -> None:
    """The line tells the shares and the verdict so far."""
    process, shown = terminal("--expect", "1=0.9,2=0.1")
    assert process.stdin is not None
    process.stdin.write(json_lines(10, 500).encode())
    process.stdin.flush()
    line = until(shown, b"so far")
    assert b"500 lines; requests: 1 90.00 %, 2 10.00 %, undecided so far" in line
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith(b"interrupted: after 500 requests")


def test_sticky_keys_are_watched_without_a_verdict(terminal: Terminal) -> None:
    """They are judged once, at the end."""
    process, shown = terminal("--expect", "1=0.9,2=0.1", "--sticky-key", "user")
    assert process.stdin is not None
    process.stdin.write(json_lines(10, 500).encode())
    process.stdin.flush()
    assert b"so far" not in until(shown, b"2 10.00 %")
    process.communicate()
    assert process.returncode in {10, 12}
