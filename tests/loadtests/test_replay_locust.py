"""A recording through Locust: each line once, whoever sends it, and one report of all."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import pytest

from gateway.traffic.outcome import End, Outcome
from gateway.traffic.pacer import Survey
from gateway.traffic.recording import Recorded, write
from gateway.traffic.replay_report import Facts
from gateway.traffic.replay_tally import ReplayTally
from gateway.traffic.sending import Target
from loadtests.replay_master import Gathering, publish
from loadtests.replay_part import Play, plan

pytestmark = pytest.mark.sockets

ROOT = Path(__file__).parent.parent.parent
LOCUST = [sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "replay.py")]
ANSWER = (
    b"HTTP/1.1 200 OK\r\nx-gateway-function: orders\r\nx-gateway-version: 1\r\n"
    b"x-gateway-revision: 1\r\ncontent-length: 2\r\n\r\nok"
)


class Connection(asyncio.Protocol):
    """Answers every request alike, but what is to be waited for, and counts them."""

    def __init__(self, targets: Counter[str], open_ones: set[asyncio.Transport]) -> None:
        self._targets = targets
        self._open = open_ones
        self._left = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self._transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        *heads, self._left = (self._left + data).split(b"\r\n\r\n")
        for head in heads:
            target = head.split(b" ")[1].decode()
            self._targets[target] += 1
            if target != "/slow/":
                self._transport.write(ANSWER)


class Counting:
    """A server that counts what it is asked for.

    Attributes:
        targets: Requests by target.
        url: Where it answers.
    """

    url = ""

    def __init__(self) -> None:
        self.targets: Counter[str] = Counter()
        self._ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """End every connection."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        transports: set[asyncio.Transport] = set()
        server = await self._loop.create_server(
            lambda: Connection(self.targets, transports), "127.0.0.1", 0
        )
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._over.wait()
        server.close()
        for transport in transports:
            transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0)  # the transports say goodbye


@pytest.fixture(scope="module")
def counting() -> Iterator[Counting]:
    """A server for all tests of this module."""
    server = Counting()
    yield server
    server.close()


@pytest.fixture
def server(counting: Counting) -> Counting:
    """The same, with nothing counted."""
    counting.targets.clear()
    return counting


def free_port() -> str:
    """A port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def keep(folder: Path, requests: list[Recorded]) -> str:
    """Write a recording."""
    path = folder / "shop.jsonl"
    path.write_bytes(b"".join(map(write, requests)))
    return str(path)


def recorded(count: int, gap: float = 0.001) -> list[Recorded]:
    """Requests that can be told apart."""
    return [Recorded(number * gap, "GET", f"/{number}") for number in range(count)]


def command(url: str, path: str, *options: str) -> list[str]:
    """Locust's command line."""
    port = free_port()
    ports = ["--master-port", port, "--master-bind-port", port]
    fixed = ["--headless", "--only-summary", "-u", "20", "-r", "100", "--host", url]
    return [*LOCUST, *fixed, *ports, "--recording", path, *options]


def load(url: str, path: str, *options: str) -> tuple[int, str]:
    """Run Locust: the exit code, and what it said."""
    done = subprocess.run(command(url, path, *options), capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return done.returncode, said


def test_two_workers_send_each_line_once(server: Counting, tmp_path: Path) -> None:
    """10,000 of them, counted where they arrive; one report has them all."""
    path, report = keep(tmp_path, recorded(10_000)), tmp_path / "report.json"
    options = ("--stage", "release", "--processes", "2", "--as-fast-as-possible")
    code, said = load(server.url, path, *options, "--report-json", str(report))
    assert code == 0, said
    assert server.targets.pop("/") == 1  # whether somebody answers at all
    assert len(server.targets) == 10_000
    assert set(server.targets.values()) == {1}
    plain = json.loads(report.read_text(encoding="utf-8"))
    assert (plain["requests"], plain["answered"], plain["not_sent"]) == (10_000, 10_000, 0)
    assert plain["about"]["senders"] == "2"
    assert [(row["version"], row["count"]) for row in plain["rows"]] == [("1", 10_000)]
    assert "10,000 requests: 10,000 answered, 0 failed, 0 not sent" in said


def test_one_process_keeps_the_time(server: Counting, tmp_path: Path) -> None:
    """Two seconds at twice the speed are one."""
    path, page = keep(tmp_path, recorded(21, 0.1)), tmp_path / "report.html"
    options = ("--stage", "dev", "--speed", "2", "--report-html", str(page))
    code, said = load(server.url, path, *options)
    assert code == 0, said
    assert server.targets.total() == 22
    assert "slip: p50 " in said
    assert "Replay of" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one", "two-workers"])
def test_ctrl_c_reports_what_was_until_then(
    server: Counting, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    """130; whoever waits for an answer has failed, and the rest was not sent."""
    requests = [*recorded(4), Recorded(0.8, "GET", "/"), Recorded(3600.0, "GET", "/never")]
    path, report = keep(tmp_path, requests), tmp_path / "report.json"
    options = ("--stage", "slow", "--report-json", str(report), *processes)
    with subprocess.Popen(
        command(server.url, path, *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while server.targets["/slow/"] < 1:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    plain = json.loads(report.read_text(encoding="utf-8"))
    assert (plain["answered"], plain["failed"], plain["not_sent"]) == (4, 1, 1)
    assert "interrupted: 6 requests: 4 answered, 1 failed, 1 not sent" in out


@pytest.mark.parametrize(
    ("content", "options", "code", "says"),
    [
        (None, ("--host", "http://192.0.2.1:9"), 2, "192.0.2.1 is not this machine"),
        (None, ("--host", "http://127.0.0.1:9"), 3, "no gateway answers at"),
        ("GET / HTTP/1.1\n", (), 2, "shop.jsonl:1: it is no JSON"),
        (None, ("--speed", "0"), 2, "'0' is no number above 0"),
    ],
    ids=["not-here", "nobody", "no-recording", "no-speed"],
)
def test_mistakes_are_told(
    server: Counting, tmp_path: Path, content: str | None, options: tuple[str, ...], *, code: int,
    says: str,
) -> None:  # fmt: skip
    """In a sentence, before anything is sent."""
    path = keep(tmp_path, recorded(2))
    if content is not None:
        Path(path).write_text(content, encoding="utf-8")
    found, said = load(server.url, path, "--stage", "dev", *options)
    assert (found, server.targets.total() <= 1) == (code, True), said
    assert says in said


def tally(answered: int) -> dict[str, Any]:
    """What a sender tells after so many answers."""
    counted = ReplayTally()
    for _ in range(answered):
        counted.add(Outcome(End.ANSWERED, "dev", 0.0, 0.0, 0.1, 200))
    return {"tally": counted.to_plain(), "done": False}


FACTS = Facts("shop.jsonl", "http://127.0.0.1", 10, 0.0)


def test_late_and_repeated_counts_change_nothing() -> None:
    """The highest count of each sender is the one that counts."""
    gathering = Gathering(10, ["a", "b"])
    for told in (tally(2), tally(3), tally(2), tally(3)):
        gathering.take("a", told)
    gathering.take("b", {**tally(5), "done": True})
    gathering.take("b", tally(7))
    gathering.take("nobody", tally(1))
    assert not gathering.finished
    report = gathering.report(FACTS)
    assert (report.tally.answered, report.tally.not_sent) == (8, 2)


def test_what_a_worker_took_with_it_has_failed() -> None:
    """Nobody knows what became of it; nobody is waited for any more."""
    gathering = Gathering(10, ["a", "b"])
    gathering.take("a", {**tally(5), "done": True})
    gathering.take("b", tally(1))
    gathering.lose_all_but(["a"])
    assert gathering.finished
    report = gathering.report(FACTS)
    assert (report.tally.answered, report.tally.failed) == (6, 4)


def test_who_has_nothing_to_send_is_not_waited_for() -> None:
    """Three workers and two requests."""
    gathering = Gathering(2, ["a", "b", "c"])
    for name in ("a", "b"):
        gathering.take(name, {**tally(1), "done": True})
    assert gathering.finished


def test_what_is_played_travels_as_plain_values(tmp_path: Path) -> None:
    """To workers on other machines."""
    survey, speed = plan(keep(tmp_path, recorded(5)), None, 500.0, free=False)
    play = Play("shop.jsonl", survey, speed, Target("http://127.0.0.1", "dev"))
    assert Play.from_plain(json.loads(json.dumps(play.to_plain()))) == play
    assert speed == pytest.approx(0.5)
    assert plan(str(tmp_path / "shop.jsonl"), None, None, free=False)[1] == 1.0
    assert survey == Survey(5, 0.0, 0.004, 0, 0.0, frozenset({""}))


def test_a_report_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The figures are out by then."""
    publish(Gathering(1, ["a"]).report(FACTS), "no/such/report.json", None)
    told = capsys.readouterr()
    assert "not sent" in told.out
    assert "no/such/report.json cannot be written" in told.err
