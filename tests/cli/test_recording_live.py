"""`gateway record --stage`: real traffic of a real gateway ends up in a file that can be played."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any
from urllib.request import Request, urlopen

import pytest
from click.testing import Result

from gateway.cli import recording_live
from gateway.cli.recording_live import Limits, _enough, _lines, command
from gateway.traffic.opening import open_lines
from gateway.traffic.recording import Recorded, read

pytestmark = pytest.mark.sockets

Call = Callable[..., Result]
Running = Any


@contextmanager
def recording(running: Running, output: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The command, once it records."""
    arguments = [sys.executable, "-m", "gateway", "record", "--stage", "release", "-o", output]
    with subprocess.Popen(
        [*arguments, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GATEWAY_CONTROL_URL": running.url, "PYTHONUNBUFFERED": ""},
    ) as process:
        assert process.stderr is not None
        assert "recording release at http://" in process.stderr.readline()
        yield process
        if process.poll() is None:
            process.kill()


def ask(
    running: Running,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """One request of a caller."""
    with urlopen(Request(f"{running.data}{path}", data=body, headers=dict(headers))) as answer:
        answer.read()


def played(path: Path) -> list[Recorded]:
    """What is in a recording."""
    with open_lines(path) as lines:
        return list(read(lines))


def test_traffic_is_written_down_until_ctrl_c(running: Running) -> None:
    """With bodies and answers, without secrets; what was dropped is said."""
    with recording(running, "-", "--body-limit", "10", "--redact", "X-Key") as process:
        secrets = {"Authorization": "secret", "X-Key": "secret"}
        ask(running, "/release/orders/1", headers={"User": "Bob", **secrets})
        ask(running, "/release/orders/2", b"tea")
        ask(running, "/release/orders/3", b"x" * 11)
        ask(running, "/dev/orders/4")
        ask(running, "/release/orders/5")
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate()
    assert (process.returncode, rest) == (0, "")
    assert "3 requests of stage release in standard output" in said
    assert "dropped: 1 had a body beyond --body-limit" in said
    assert "secret" not in "".join(lines)
    requests = list(read(line.encode() for line in lines))
    assert [each.path for each in requests] == ["/orders/1", "/orders/2", "/orders/5"]
    assert requests[1].body == b"tea"
    assert requests[0].answer is not None
    assert requests[0].answer.status == 200
    assert requests[0].answer.version in {"1", "2"}


def test_it_stops_by_itself_and_compresses(running: Running, tmp_path: Path) -> None:
    """After as many requests as were asked for; the gateway forgets about it."""
    path = tmp_path / "shop.jsonl.gz"
    with recording(running, str(path), "--count", "2", "--keep", "Cookie") as process:
        for number in range(3):
            ask(running, f"/release/orders/{number}", headers={"Cookie": f"a={number}"})
        _, said = process.communicate()
    assert "2 requests of stage release" in said
    assert [dict(each.headers)["cookie"] for each in played(path)] == ["a=0", "a=1"]


def test_it_stops_after_a_while(running: Running, call: Call, tmp_path: Path) -> None:
    """Also where nothing came."""
    path = tmp_path / "shop.jsonl"
    url = ("--control-url", running.url)
    done = call("record", "--stage", "dev", "-o", str(path), "--for", "0.1", *url)
    assert done.exit_code == 0
    assert "0 requests of stage dev in " in done.stderr
    assert path.read_bytes() == b""


def test_it_is_recorded_in_this_process_too(running: Running, call: Call, tmp_path: Path) -> None:
    """While somebody else calls."""

    def caller() -> None:
        while running.gateway.plane.tap is None:
            pass
        ask(running, "/release/orders/1")

    calling = Thread(target=caller)
    calling.start()
    path = tmp_path / "shop.jsonl"
    url = ("--control-url", running.url)
    done = call("record", "--stage", "release", "-o", str(path), "--count", "1", *url)
    calling.join()
    assert done.exit_code == 0
    assert [each.path for each in played(path)] == ["/orders/1"]


def test_ctrl_c_is_the_way_in_which_it_ends(
    running: Running, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was told last is told again."""

    def interrupted(lines: Iterator[bytes], _limits: Limits) -> Iterator[bytes]:
        yield next(lines)
        raise KeyboardInterrupt

    monkeypatch.setattr(recording_live, "_enough", interrupted)
    done = call("record", "--stage", "dev", "-o", "-", "--control-url", running.url)
    assert done.exit_code == 0
    assert "0 requests of stage dev in standard output" in done.stderr


def test_standard_output_takes_it_too(running: Running) -> None:
    """Lines there, talk on the other."""
    with recording(running, "-", "--count", "1") as process:
        ask(running, "/release/orders/1")
        out, said = process.communicate()
    assert json.loads(out)["path"] == "/orders/1"
    assert "1 request of stage release in standard output" in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--stage", "nope", "-o", "x.jsonl"), 5, "known stages: dev, prepub, release"),
        (("--stage", "dev", "-o", "no/such/x.jsonl"), 3, "cannot write 'no/such/x.jsonl'"),
        (("--stage", "dev"), 2, "Missing option '-o'"),
        (("-o", "x.jsonl"), 2, "Missing option '--stage'"),
        (("--stage", "dev", "-o", "x", "--rate", "0"), 2, "--rate"),
    ],
    ids=["no-such-stage", "no-folder", "no-output", "no-stage", "no-rate"],
)
def test_mistakes_are_told(
    running: Running, call: Call, arguments: tuple[str, ...], code: int, says: str
) -> None:
    """In a sentence."""
    done = call("record", *arguments, "--control-url", running.url)
    assert done.exit_code == code
    assert says in done.stderr


LINES = [b'{"recording": "begun"}\n', b'{"v":1,"at":0}\n', b'{"v":1,"at":1}\n', b'{"v":1,"at":2}\n']


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        (Limits(None, None, 1000), 4),
        (Limits(None, 2, 1000), 3),
        (Limits(None, None, 31), 3),
        (Limits(0.0, None, 1000), 1),
    ],
    ids=["none", "count", "size", "time"],
)
def test_enough_is_enough(limits: Limits, count: int) -> None:
    """What tells of the recording counts for nothing, and is heard out."""
    assert list(_enough(LINES, limits)) == LINES[:count]


def test_lines_are_whole_however_they_come() -> None:
    """Cut anywhere; characters that other programs end lines at are none of ours."""
    whole = b"a\xe2\x80\xa8b\nc\n"
    pieces = [bytes([byte]) for byte in whole]
    assert list(_lines(pieces)) == list(_lines([whole])) == [b"a\xe2\x80\xa8b\n", b"c\n"]


def test_all_of_it_has_help() -> None:
    """Every option says what it is for."""
    assert all(getattr(each, "help", "") for each in command.params)
