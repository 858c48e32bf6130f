"""Workers of other machines send, the verdict is judged here; two workers are really started."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from urllib.request import urlopen

import click
import pytest
from click.testing import Result

from gateway.cli.verify_master import MasterAddress, master_arguments, waiting, without_arrivals
from gateway.traffic.recording import Recorded, write

Begin = Callable[..., "subprocess.Popen[str]"]
Call = Callable[..., Result]
Running = Any

OURS = ("--function", "orders")


def printed_command(process: subprocess.Popen[str]) -> list[str]:
    """What is to be run on each worker machine, as it is printed."""
    assert process.stderr is not None
    for line in process.stderr:
        if "--worker" in line:
            return [sys.executable, *shlex.split(line)[1:]]
    raise AssertionError("no command was printed")


def counted(gateway: Running) -> int:
    """Requests of the stage, as the gateway itself has counted them."""
    with urlopen(f"{gateway.url}/api/metrics") as answer:
        versions = json.load(answer)["versions"]
    return sum(seen["requests"] for seen in versions if seen["stage"] == "release")


@pytest.mark.sockets
def test_two_workers_send_and_every_request_is_counted_once(
    running: Running, begin: Begin, tmp_path: Path
) -> None:
    """They are started anywhere else, with nothing but the printed command."""
    asked = [Recorded(0.0, "GET", f"/orders/{number}") for number in range(7)]
    Path("here.jsonl").write_bytes(b"".join(map(write, asked)))  # and nowhere else
    more = (
        "--from",
        "here.jsonl",
        "--requests",
        "2000",
        "--tolerance",
        "0.1",
        "--by",
        "worker",
        "--json",
    )
    where = ("--locust-master", "127.0.0.1:0", "--expect-workers", "2")
    verify = begin(
        "verify", "--json", "--stage", "release", *OURS, "--against", running.data, *where, *more,
        "--control-url", running.url,
    )  # fmt: skip
    command = printed_command(verify)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": elsewhere}
    workers = [subprocess.Popen(command, **quiet) for _ in range(2)]  # type: ignore[call-overload]
    try:
        out, err = verify.communicate()
    finally:
        for worker in workers:
            worker.kill() if verify.returncode is None else worker.wait()
    told = json.loads(out)
    assert verify.returncode == 0, err
    assert told["requests"] == counted(running) == 2000
    assert told["about"]["senders"] == "2"
    parts = [split["total"] for split in told["splits"] if "worker" in split["name"]]
    assert len(parts) == 2
    assert sum(parts) == 2000
    assert [worker.returncode for worker in workers] == [0, 0]


@pytest.mark.sockets
def test_workers_that_do_not_come_are_told(running: Running, call: Call) -> None:
    """3, with how many there are and what to do."""
    where = ("--locust-master", "127.0.0.1:0", "--workers-within", "0.1")
    arguments = ("--stage", "release", *OURS, "--against", running.data)
    result = call("verify", *arguments, *where)
    err = result.stderr
    assert (result.exit_code, result.stdout) == (3, ""), err
    assert "error[no-workers]: 0 of 1 workers came within 0.1 seconds" in err
    assert "  = hint: on each worker machine: python -m locust -f - --worker" in err
    assert "workers: 0 of 1" not in err


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("db-1.example", ("db-1.example", 5557)),
        ("0.0.0.0:6000", ("0.0.0.0", 6000)),
        ("here:0", ("here", 0)),
    ],
)
def test_an_address_of_a_master_is_read(text: str, found: tuple[str, int]) -> None:
    """With Locust's usual port."""
    assert MasterAddress().convert(text, None, None) == found


@pytest.mark.parametrize(
    "text", ["", ":5557", "here:", "here:x", "here:65536", "a b", "http://here:1", "[::1]:1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """With one that is."""
    with pytest.raises(click.BadParameter, match=r"for example: 0\.0\.0\.0:5557"):
        MasterAddress().convert(text, None, None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--expect-workers", "2"), "--expect-workers has no effect without --locust-master"),
        (("--workers-within", "2"), "--workers-within has no effect without --locust-master"),
        (("--locust-master", "here", "--processes", "2"), "use one of them"),
    ],
)
def test_options_without_effect_are_refused(
    call: Call, options: tuple[str, ...], said: str
) -> None:
    """Before anything is asked or sent."""
    asked = ("--stage", "release", "--expect", "1=1", "--from", "x")
    result = call("verify", *asked, "--against", "http://127.0.0.1:1", *options)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_log_has_no_workers(call: Call) -> None:
    """It is there already."""
    asked = ("--expect", "1=1", "--log", "x", "--locust-master", "here")
    result = call("verify", *asked)
    assert result.exit_code == 2
    assert "--locust-master has no effect with --log" in result.stderr


def told(capsys: pytest.CaptureFixture[str], master: tuple[str, int], target: str) -> list[str]:
    """What is said to whoever starts the workers."""
    given = {"locust_master": master, "expect_workers": None, "workers_within": 0.0}
    option, address, *more = master_arguments(given, target)
    assert (option, address.partition(":")[0]) == ("--locust-master", master[0])
    assert more == ["--expect-workers", "1", "--workers-within", "0"]
    return capsys.readouterr().err.splitlines()


def test_whoever_listens_everywhere_is_called_by_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Because 0.0.0.0 is nowhere for others."""
    monkeypatch.setattr("socket.gethostname", lambda: "here")
    (_, command) = told(capsys, ("0.0.0.0", 0), "http://10.0.0.7:8080")
    assert "--master-host here --master-port " in command


@pytest.mark.parametrize(
    ("master", "target", "noted"),
    [
        ("0.0.0.0", "http://localhost:8080", True),
        ("0.0.0.0", "http://127.0.0.1:8080", True),
        ("127.0.0.1", "http://127.0.0.1:8080", False),
        ("0.0.0.0", "http://shop.example", False),
    ],
)
def test_a_target_that_each_machine_takes_for_itself_is_noted(
    capsys: pytest.CaptureFixture[str], master: str, target: str, noted: bool
) -> None:
    """Unless the workers can only be on this machine."""
    said = told(capsys, (master, 0), target)
    assert any("which each machine takes for itself" in line for line in said) is noted


def test_where_nobody_can_listen_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """3, before anything is started: an address of another machine."""
    with pytest.raises(click.exceptions.Exit) as ended:
        told(capsys, ("192.0.2.1", 0), "http://shop.example")
    assert ended.value.exit_code == 3
    said = capsys.readouterr().err
    assert said.startswith("error[cannot-listen]: no master can listen at 192.0.2.1:0: ")


def test_the_line_tells_who_came_until_all_are_there() -> None:
    """And from then on what they do."""
    with TemporaryFile() as talk:
        line = waiting(talk, lambda: "7 requests")
        assert line() == "7 requests"
        for said, shown in (
            (b"workers: 0 of 2\n", "0 of 2 workers are there"),
            (b"warning\nworkers: 1 of 2\n", "1 of 2 workers are there"),
            (b"workers: 2 of 2\n", "7 requests"),
        ):
            talk.write(said)
            talk.flush()
            assert line() == shown
        talk.seek(0)
        assert without_arrivals(talk.read()) == b"warning\n"
