"""`gateway replay`: against a real gateway, with its report, its verdict and its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from click.testing import Result

from gateway.cli import replay_run
from gateway.cli.replay import _code
from gateway.cli.replay_progress import Progress
from gateway.cli.replay_target import data_url, live_aliases
from gateway.traffic.outcome import End, Outcome, Said
from gateway.traffic.recording import Recorded, write
from gateway.traffic.replay_report import Facts, Report
from gateway.traffic.replay_tally import ReplayTally

pytestmark = pytest.mark.sockets

Call = Callable[..., Result]
Running = Any
StartGateway = Callable[..., Running]


def recorded(count: int, **more: Any) -> list[Recorded]:  # noqa: ANN401 - fields of a request
    """Requests for an order, a millisecond apart."""
    return [
        Recorded(number / 1000, "GET", f"/orders/{number}")._replace(**more)
        for number in range(count)
    ]


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[list[Recorded]], str]:
    """Write a recording."""

    def kept(requests: list[Recorded]) -> str:
        path = tmp_path / "shop.jsonl"
        path.write_bytes(b"".join(map(write, requests)))
        return str(path)

    return kept


@pytest.fixture
def served(start_gateway: StartGateway) -> Running:
    """The shop, which knows where it is served."""
    running = start_gateway()
    running.gateway.service.data_url = running.data
    return running


Keep = Callable[[list[Recorded]], str]


def answered(served: Running) -> int:
    """How many requests the gateway has answered."""
    with urlopen(f"{served.url}/api/metrics") as answer:
        count: int = json.load(answer)["answered"]
        return count


@pytest.mark.usefixtures("served")
def test_everything_is_sent_and_told(keep: Keep, call: Call, tmp_path: Path) -> None:
    """A table, a page, and 0: everything was answered and nothing is known to be wrong."""
    page = tmp_path / "report.html"
    done = call("replay", keep(recorded(100)), "--stage", "release", "--html", str(page))
    assert done.exit_code == 0, done.stderr
    assert re.search(r"release +orders +1 +\d+ ", done.stdout)
    assert "slip: p50 " in done.stdout
    assert "release orders@release" in done.stdout
    assert "undecided" in done.stdout
    assert "100 requests: 100 answered, 0 failed, 0 not sent in 0." in done.stdout
    assert "<title>Replay of " in page.read_text(encoding="utf-8")
    assert str(page) in done.stderr


def test_programs_get_json(served: Running, keep: Keep, call: Call) -> None:
    """And nothing else on standard output; the gateway has counted the same."""
    path = keep(recorded(50, headers=(("User", "Bob"),)))
    done = call("replay", path, "--stage", "prepub", "--as-fast-as-possible", "--json")
    report = json.loads(done.stdout)
    assert (report["requests"], report["answered"]) == (50, 50)
    assert [(row["stage"], row["version"], row["count"]) for row in report["rows"]] == [
        ("prepub", "2", 50)
    ]
    assert report["speed"] is None
    assert report["target"] == served.data
    assert list(report["verdict"]["verdicts"]) == ["prepub orders@prepub rule:1"]
    assert answered(served) == 50


@pytest.mark.usefixtures("served")
def test_requests_go_to_the_stages_they_were_recorded_on(keep: Keep, call: Call) -> None:
    """Unless another one is named; what stands behind later ones is said."""
    one, two = recorded(2)
    path = keep([two._replace(stage="dev"), one._replace(stage="release")])
    done = call("replay", path, "--speed", "100", "--json")
    assert {row["stage"] for row in json.loads(done.stdout)["rows"]} == {"dev", "release"}
    assert "1 request stands behind later ones, by 0.001 s at most" in done.stderr


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("options", "speed"),
    [((), 1.0), (("--speed", "4"), 4.0), (("--rate", "2000"), 2.0)],
    ids=["as-it-was", "faster", "at-a-rate"],
)
def test_the_rhythm_is_that_of_the_recording(
    keep: Keep, call: Call, options: tuple[str, ...], speed: float
) -> None:
    """Times the speed."""
    done = call("replay", keep(recorded(21)), "--stage", "dev", "--json", *options)
    report = json.loads(done.stdout)
    assert report["speed"] == pytest.approx(speed)
    assert report["seconds"] >= 0.02 / speed


@pytest.mark.usefixtures("served")
def test_a_recording_is_rewritten_on_its_way(keep: Keep, call: Call) -> None:
    """The options of `gateway record import`, a loop among them."""
    path = keep(recorded(3, user="Bob"))
    options = ("--set-header", "User: {user}", "--loop", "4", "--speed", "50")
    done = call("replay", path, "--stage", "prepub", "--json", *options)
    report = json.loads(done.stdout)
    assert report["answered"] == 12
    assert {row["version"] for row in report["rows"]} == {"2"}


def test_what_a_browser_sent_is_sent_again_with_its_body(
    start_gateway: StartGateway, call: Call, tmp_path: Path
) -> None:
    """From a HAR file to the handler: the method, the header, the body."""
    code = """
        async def main_handler(event, context):
            got = (event["httpMethod"], event["headers"].get("x-shop"), event["body"])
            right = got == ("POST", "1", '{"item": "te\u00e0"}')
            return {"statusCode": 201 if right else 400}
    """
    running = start_gateway({"orders/latest": code})
    running.gateway.service.data_url = running.data
    request = {
        "method": "POST",
        "url": "https://shop.example/orders/7?a=1",
        "headers": [{"name": "X-Shop", "value": "1"}, {"name": "Host", "value": "shop.example"}],
        "postData": {"mimeType": "application/json", "text": '{"item": "te\u00e0"}'},
    }
    entry = {"startedDateTime": "2026-03-02T09:00:00.000Z", "time": 5, "request": request}
    har = tmp_path / "shop.har"
    har.write_text(json.dumps({"log": {"entries": [entry]}}), encoding="utf-8")
    kept = str(tmp_path / "shop.jsonl")
    assert call("record", "import", str(har), "-o", kept).exit_code == 0
    done = call("replay", kept, "--stage", "dev", "--json")
    assert [row["statuses"] for row in json.loads(done.stdout)["rows"]] == [{"2xx": 1}]


@pytest.mark.usefixtures("served")
def test_standard_input_is_a_recording(call: Call) -> None:
    """It is read more than once all the same."""
    lines = b"".join(map(write, recorded(5)))
    done = call("replay", "-", "--stage", "dev", "--json", input=lines)
    assert json.loads(done.stdout)["answered"] == 5


@pytest.mark.usefixtures("served")
def test_a_wrong_split_ends_with_10(
    keep: Keep, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alias that says something else than it does."""
    path = keep(recorded(400))
    done = call("replay", path, "--stage", "release", "--as-fast-as-possible", "--json")
    assert done.exit_code == 0
    right = live_aliases

    def wrong(remote: Any) -> Any:  # noqa: ANN401 - a client, and what it finds
        revision, aliases = right(remote)
        swapped = aliases["orders", "release"]._replace(shares=(("1", 0.1), ("2", 0.9)))
        return revision, {**aliases, ("orders", "release"): swapped}

    monkeypatch.setattr("gateway.cli.replay.live_aliases", wrong)
    done = call("replay", path, "--stage", "release", "--as-fast-as-possible")
    assert done.exit_code == 10
    assert "failed: 1 of 1 splits" in done.stdout


def test_anything_else_must_be_named(keep: Keep, call: Call, served: Running) -> None:
    """No gateway is asked then, and nothing is judged."""
    url = f"{served.data}/dev"
    done = call("replay", keep(recorded(5)), "--against", url, "--json", "--keep-host")
    report = json.loads(done.stdout)
    assert (report["target"], report["answered"], report["verdict"]) == (url, 5, None)


def test_where_nobody_listens_nothing_was_sent(keep: Keep, call: Call) -> None:
    """11, and the sum is right."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = call("replay", keep(recorded(5)), "--against", url)
    assert done.exit_code == 11
    assert "5 requests: 0 answered, 0 failed, 5 not sent" in done.stdout
    assert "no connection: " in done.stdout


@pytest.mark.parametrize(
    ("content", "options", "code", "says"),
    [
        (None, ("--speed", "2", "--rate", "3"), 2, "only one of --speed, --rate, --as-fast"),
        (None, ("--against", "shop"), 2, "'shop' is no address"),
        (None, ("--against", "http://a:b"), 2, "is no address"),
        (None, ("--stage", "nope"), 5, "nope"),
        (None, (), 2, "name one with --stage"),
        ("", ("--stage", "dev"), 4, "has no request to send"),
        ('1.2.3.4 - - "GET /"\n', ("--stage", "dev"), 4, "'gateway record import' makes"),
        ('{"v":1,"at":0,"method":"GET","path":"/"}\n', ("--rate", "5"), 4, "no speed makes a rate"),
        (None, ("--stage", "dev", "--html", "no/such/folder.html"), 1, "cannot be written"),
    ],
    ids=["two-speeds", "no-url", "bad-port", "no-such-stage", "no-stage", "empty", "a-log",
         "no-rate", "no-folder"],
)  # fmt: skip
@pytest.mark.usefixtures("served")
def test_mistakes_are_told(
    sent: tuple[Keep, Call], content: str | None, options: tuple[str, ...], code: int, says: str
) -> None:
    """In a sentence, before anything is sent."""
    keep, call = sent
    path = keep(recorded(2))
    if content is not None:
        Path(path).write_text(content, encoding="utf-8")
    done = call("replay", path, *options)
    assert done.exit_code == code
    assert says in done.stderr


@pytest.fixture
def sent(keep: Keep, call: Call) -> tuple[Keep, Call]:
    """A recording, and a command."""
    return keep, call


def test_on_any_loop_and_with_a_line_that_shows_it(
    served: Running, keep: Keep, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the fast loop is not made for the platform, asyncio's own one plays."""
    lines: list[float] = []
    monkeypatch.setitem(sys.modules, "uvloop", None)
    monkeypatch.setattr(replay_run, "EVERY", 0.001)
    monkeypatch.setattr(Progress, "show", lambda _self, _tally, seconds: lines.append(seconds))
    done = call("replay", keep(recorded(50)), "--stage", "dev", "--json")
    assert json.loads(done.stdout)["answered"] == 50 == answered(served)
    assert lines


def test_ctrl_c_reports_what_was_until_then(keep: Keep, served: Running, tmp_path: Path) -> None:
    """130; what was not sent is counted as that."""
    path = keep([*recorded(3), Recorded(3600.0, "GET", "/orders/9")])
    command = [sys.executable, "-m", "gateway", "replay", path, "--stage", "dev", "--json"]
    environment = {**os.environ, "GATEWAY_CONTROL_URL": served.url}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as process:
        while answered(served) < 3:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    report = json.loads(out)
    assert process.returncode == 130
    assert (report["answered"], report["failed"], report["not_sent"]) == (3, 0, 1)
    assert report["interrupted"]
    assert report["sentence"].startswith("interrupted: 4 requests: 3 answered")


@pytest.mark.parametrize(
    ("interrupted", "losses", "code"),
    [(False, 0, 0), (False, 1, 11), (True, 0, 130), (True, 1, 130)],
)
def test_the_exit_code_is_the_result(*, interrupted: bool, losses: int, code: int) -> None:
    """An interruption is told before everything else."""
    tally = ReplayTally()
    tally.lose("dev", End.FAILED, "the answer broke off", losses)
    facts = Facts("shop.jsonl", "http://127.0.0.1", losses, 1.0, interrupted=interrupted)
    assert _code(Report(facts, tally)) == code


class Told:
    """A control plane that tells an address."""

    def __init__(self, url: str, data: str) -> None:
        self.url = url
        self.body = {"data": data}

    def get(self, _: str) -> Told:
        return self


@pytest.mark.parametrize(
    ("url", "data", "found"),
    [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://shop.lan:8081", "http://0.0.0.0:8080", "http://shop.lan:8080"),
        ("http://[fe80::1]:8081", "http://[::]:8080", "http://[fe80::1]:8080"),
    ],
    ids=["one-address", "everywhere", "everywhere-6"],
)
def test_who_listens_everywhere_is_reached_where_it_is_steered(
    url: str, data: str, found: str
) -> None:
    """0.0.0.0 is no address to send to."""
    assert data_url(Told(url, data)) == found  # type: ignore[arg-type]


def test_the_line_shows_how_far_it_is() -> None:
    """Rate since the last line, slip, errors, and the split of each stage."""
    tally = ReplayTally()
    line = Progress(4, paced=True)
    assert line.line(tally, 0.5) == "[....................] 0%  0 of 4  0/s  0 errors"
    for version, due in (("1", 0.6), ("2", 0.7)):
        said = Said("orders", "release", version, "weight", "1")
        tally.add(Outcome(End.ANSWERED, "release", due, due + 0.002, 0.9, 200, said))
    tally.add(Outcome(End.FAILED, "release", 0.8, 0.8, 0.9))
    tally.add(Outcome(End.ANSWERED, "dev", 0.8, 0.8, 0.9, 404))
    shown = line.line(tally, 1.0)
    assert shown.startswith("[####################] 100%  4 of 4  8/s  slip p99 2.0 ms  1 errors")
    assert shown.endswith("  release: 1 50 %, 2 50 %")
    assert (
        Progress(0, paced=False).line(ReplayTally(), 1.0).startswith("[####################] 100%")
    )


def test_a_terminal_gets_the_line_over_itself(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And nothing of it in the end; where there is no terminal there is none."""
    quiet = Progress(1, paced=True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    shown = Progress(1, paced=True)
    for progress in (quiet, shown):
        progress.show(ReplayTally(), 1.0)
        progress.clear()
    written = capfd.readouterr().err
    assert written.count("0 of 1") == 1
