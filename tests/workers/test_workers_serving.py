"""A gateway of several processes is one gateway: to callers, to those who steer, and to the system.

The whole measurement is `python -m benchmarks.workers_lost` and `python -m benchmarks.workers`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from benchmarks.servers import shop_command, started
from benchmarks.workers_lost import Losing, killed, parts_of

pytestmark = pytest.mark.sockets

TELLS_WHO: Final = """
import os

async def main_handler(event, context):
    return {"statusCode": 200, "headers": {"X-Who": str(os.getpid())}, "body": "BODY"}
"""
SLOW: Final = """
import pathlib

def main_handler(event, context):
    pathlib.Path({begun!r}).write_text("begun")
    return {{"statusCode": 200, "body": pathlib.Path({gate!r}).read_text()}}
"""
STICKY: Final = {
    "version": "1",
    "weights": {"2": 0.5},
    "split": "sticky",
    "sticky_by": "invoke.headers.User",
}
ALIAS: Final = "/api/functions/orders/aliases/release"
NAMES: Final = ["control", "worker-1", "worker-2"]


class Served:
    """A gateway in processes of its own.

    Args:
        folder: Where its stages.toml and its code are.
        arguments: Further options.
        code: That of every version.
    """

    def __init__(self, folder: Path, *arguments: str, code: str = TELLS_WHO) -> None:
        (folder / "tmp").mkdir()
        self.folder = folder
        self.process = subprocess.Popen(
            [*command_of(folder, code), "--workers", "2", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(folder / "tmp")},
        )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline()
        words = dict(word.split("=", 1) for word in self.ready.split()[2:])
        self.data, self.control = (
            int(words[each].rpartition(":")[2]) for each in ("data", "control")
        )

    def parts(self) -> dict[str, int]:
        """Its processes by name."""
        found = {}
        for each in psutil.Process(self.process.pid).children():
            line = each.cmdline()
            if "gateway.cli.serve_part" in line:
                found[line[-2]] = each.pid
        return found

    def change(self, route: dict[str, Any]) -> int:
        """Move the alias; gives the revision."""
        connection = HTTPConnection("127.0.0.1", self.control)
        headers = {"Content-Type": "application/json"}
        connection.request("PUT", ALIAS, json.dumps(route), headers)
        answer = json.load(connection.getresponse())
        connection.close()
        return int(answer["revision"])

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Have it stop; gives its exit code and what it said."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def command_of(folder: Path, code: str = TELLS_WHO) -> list[str]:
    """A command that serves the shop, whose answers say which process gave them."""
    command = [sys.executable, "-m", *shop_command(folder)[2:]]
    for index in folder.glob("orders/*/index.py"):
        index.write_text(code.replace("BODY", index.parent.name))
    return command


Start = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Serve the shop; whoever is still there in the end is killed."""
    served: list[Served] = []

    def begin(*arguments: str, code: str = TELLS_WHO) -> Served:
        served.append(Served(tmp_path, *arguments, code=code))
        return served[-1]

    yield begin
    for each in served:
        each.process.kill()  # its children notice
        each.process.communicate()


def ask(line: HTTPConnection, user: str = "Alice", which: str = "42") -> tuple[int, int, str, str]:
    """One request: who answered, by which revision, from which version, and what."""
    line.request("GET", f"/release/orders/{which}", headers={"User": user})
    answer = line.getresponse()
    told = answer.headers
    body = answer.read().decode()
    assert answer.status == 200, body
    return int(told["X-Who"]), int(told["X-Gateway-Revision"]), told["X-Gateway-Version"], body


def lines_to_all(served: Served) -> dict[int, HTTPConnection]:
    """A connection to each worker."""
    found: dict[int, HTTPConnection] = {}
    lines = []
    while len(found) < 2:
        lines.append(HTTPConnection("127.0.0.1", served.data))
        found.setdefault(ask(lines[-1])[0], lines[-1])
    for line in lines:
        if line not in found.values():
            line.close()
    return found


def record(served: Served, lines: dict[int, HTTPConnection]) -> set[str]:
    """Record until something of each worker was; gives whose."""
    connection = HTTPConnection("127.0.0.1", served.control)
    connection.request("GET", "/api/recording?stage=release")
    stream, found = connection.getresponse(), set[str]()
    while len(found) < len(lines):
        for worker, line in lines.items():
            ask(line, which=str(worker))
        told = json.loads(stream.readline())
        if "path" in told:
            found.add(told["path"].rpartition("/")[2])
    stream.close()
    connection.close()
    return found


def until(there: Callable[[], bool]) -> None:
    """Ask until it is so; the test's own timeout ends it."""
    while not there():
        pass


def test_all_workers_are_one_gateway(start: Start) -> None:
    """Whatever is changed or edited is so in each of them, and what they answered is counted."""
    served = start("--state", ":memory:", "--seed", "7")
    assert served.ready.endswith(" revision=1\n")
    parts = served.parts()
    assert sorted(parts) == NAMES
    lines = lines_to_all(served)
    assert set(lines) == {parts["worker-1"], parts["worker-2"]}
    asked = 0

    revision = served.change(STICKY)
    for line in lines.values():
        until(lambda line=line: ask(line)[1] >= revision)  # type: ignore[misc]
    users = [f"user-{number}" for number in range(40)]
    first, second = ([ask(line, user)[2] for user in users] for line in lines.values())
    asked += 80
    assert first == second
    assert set(first) == {"1", "2"}

    latest = served.folder / "orders" / "latest" / "index.py"
    revision = served.change({"version": "$LATEST"})
    for line in lines.values():
        until(lambda line=line: ask(line)[1] >= revision)  # type: ignore[misc]
    latest.write_text(TELLS_WHO.replace("BODY", "edited"))
    for line in lines.values():
        until(lambda line=line: ask(line)[3] == "edited")  # type: ignore[misc]

    file = served.folder / "stages.toml"
    file.write_text(file.read_text().replace('"/orders/{id}"', '"/orders/{number}"'))
    for line in lines.values():
        until(lambda line=line: ask(line)[1] > revision)  # type: ignore[misc]

    recorded = record(served, lines)
    assert recorded == {str(each) for each in lines}
    for line in lines.values():
        line.close()

    code, said = served.end()
    assert code == 0, said
    assert "Traceback" not in said
    assert "seed 7; Ctrl-C stops\n" in said
    answered = int(said.rsplit("answered ", 1)[1].split(" ")[0].replace(",", ""))
    assert answered >= asked
    assert list((served.folder / "tmp").iterdir()) == []


def test_what_is_in_flight_is_finished_when_it_stops(start: Start, tmp_path: Path) -> None:
    """By the workers, each of which was told by the one that is over them."""
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    os.mkfifo(begun)
    os.mkfifo(gate)
    served = start("--state", ":memory:", code=SLOW.format(begun=str(begun), gate=str(gate)))
    with socket.create_connection(("127.0.0.1", served.data)) as line:
        line.sendall(b"GET /release/orders/42 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert begun.read_text() == "begun"
        served.process.send_signal(signal.SIGINT)
        gate.write_text("finished")
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"finished")
    _, said = served.process.communicate(timeout=60)
    assert served.process.returncode == 0, said
    assert said.endswith("answered 1 request\n")


def test_nothing_is_lost_but_what_a_killed_worker_was_about(tmp_path: Path) -> None:
    """Changes, replacements and a take-over lose nothing; a kill loses what was in flight there."""
    with ExitStack() as stack:
        command = [*shop_command(tmp_path), "--reuse-port", "--workers", "2", "--no-watch"]
        losing = Losing(command, stack, stack.enter_context(started("gateway", command)))
        before = set(parts_of(losing.server).values())
        asyncio.run(losing.run(["swap", "replace", "roll back", "take over"], 3_000))
        assert losing.result.lost == []
        assert losing.result.told > 0
        assert sorted(parts_of(losing.server)) == NAMES
        assert not before & set(parts_of(losing.server).values())
        again = Losing(command, stack, losing.server)
        asyncio.run(killed(again, "control", 1))
        assert again.result.lost == []
        held = asyncio.run(killed(again, "worker-{}", 1))
        assert len(again.result.lost) <= held


@pytest.mark.parametrize("broken", ["file", "code"])
def test_what_cannot_be_served_is_said_as_one_process_says_it(tmp_path: Path, broken: str) -> None:
    """Exit code 4 and every mistake."""
    command = [*command_of(tmp_path), "--state", ":memory:"]
    if broken == "file":
        file = tmp_path / "stages.toml"
        file.write_text(file.read_text().replace("[stages.release]", "[stages.nowhere]\nx = 1"))
    else:
        (tmp_path / "orders" / "v1" / "index.py").write_text("1 / 0\n")
    one, several = (
        subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        for more in ((), ("--workers", "2"))
    )
    assert (several.returncode, several.stdout, several.stderr) == (4, "", one.stderr)
    assert "error[" in one.stderr
