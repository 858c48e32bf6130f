"""One process of several: it does what it is ordered, and ends with who ordered it."""

from __future__ import annotations

import gc
import json
import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from gateway.app import Gateway
from gateway.cli.serve import command
from gateway.cli.serve_part import main, worker_seed
from gateway.dataplane.accepting import Crowd
from gateway.dataplane.listeners import bind, url_of
from gateway.setup import Role, Setup

if TYPE_CHECKING:
    from tests.cli.conftest import Shop

pytestmark = pytest.mark.sockets

Word = dict[str, Any]


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """A served gateway freezes the heap of its process; a test process goes on living."""
    yield
    gc.unfreeze()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Setup]:
    """What gateways were built from."""
    found: list[Setup] = []
    real = Gateway.open

    async def opened(setup: Setup) -> Gateway:
        found.append(setup)
        return await real(setup)

    monkeypatch.setattr(Gateway, "open", opened)
    return found


class Over:
    """Who is over the process: it has the other end of its link.

    Args:
        folder: Where stages.toml is.
        name: What the process is called.
        started: How many had its place before.
        arguments: Options of the command.
    """

    def __init__(self, folder: Path, name: str, *arguments: str, started: int = 0) -> None:
        options = command.make_context("serve", ["--seed", "7", *arguments]).params
        given = options | {"workers": 2, "state": str(folder / "state.db")}
        self.listener = bind("127.0.0.1", 0)
        self.port = self.listener.getsockname()[1]
        self.link, self.theirs = socket.socketpair()
        order = {
            "name": name,
            "started": started,
            "sockets": self._sockets(name),
            "given": given,
            "data_url": url_of(self.listener),
            "ports": [self.port],
            "folder": str(folder),
        }
        if name != "control":
            order |= {"number": int(name[-1]) - 1, "workers": 2}
        self.tell(order)

    def _sockets(self, name: str) -> dict[str, int]:
        if name == "control":
            return {"control": self.listener.dup().detach()}
        with tempfile.TemporaryFile() as counts:
            counts.truncate(Crowd.size_of(2))
            crowd = os.dup(counts.fileno())
        return {"data": self.listener.dup().detach(), "crowd": crowd}

    def tell(self, word: Word) -> None:
        """Tell the process something."""
        self.link.sendall(json.dumps(word, default=str).encode() + b"\n")

    def heard(self) -> Word:
        """What the process says next."""
        line = b""
        while not line.endswith(b"\n"):
            piece = self.link.recv(65_536)
            if not piece:
                return {}
            line += piece
        word: Word = json.loads(line)
        return word

    def hear(self) -> None:
        """Wait until the process has said something, or is gone."""
        self.heard()

    def ask(self, path: str) -> tuple[int, str]:
        """One request to the process."""
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", path)
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found


def run(over: Over, scenario: Callable[[Over], None]) -> int:
    """Be the process, while another thread is over it; gives the exit code."""
    wrong: list[BaseException] = []

    def directed() -> None:
        try:
            scenario(over)
        except BaseException as error:  # noqa: BLE001 - raised again below
            wrong.append(error)
        finally:
            over.link.close()

    thread = Thread(target=directed)
    thread.start()
    try:
        return main(over.theirs.detach())
    finally:
        thread.join()
        over.listener.close()
        for error in wrong:
            raise error


CODE = """
async def main_handler(event, context):
    return {"statusCode": 200, "body": "TEXT"}
"""


def test_a_worker_answers_callers_by_the_state_and_reads_no_file(
    shop: Shop, seen: list[Setup], capfd: pytest.CaptureFixture[str]
) -> None:
    """It loads edited code when it is told to, and says of all events only what goes wrong."""
    folder = shop({"other/latest": CODE.replace("TEXT", "first")})
    index = folder / "functions" / "other" / "latest" / "index.py"

    def fill(over: Over) -> None:
        assert over.heard()["ready"].startswith("gateway ready ")

    def story(over: Over) -> None:
        assert over.heard()["ready"].endswith(" revision=1")
        assert over.ask("/dev/other") == (200, "first")
        index.write_text(CODE.replace("TEXT", "second"))
        over.tell({"reload": "nobody"})
        over.tell({"revision": 1})
        over.tell({"reload": "other"})
        while over.ask("/dev/other") != (200, "second"):
            pass
        index.write_text("1 / 0\n")
        over.tell({"reload": "other"})

    assert run(Over(folder, "control"), fill) == 0
    (folder / "stages.toml").write_text("no file\n")
    told = capfd.readouterr().err
    assert "seed 7; Ctrl-C stops\n" in told
    assert told.endswith("answered 0 requests\n")
    assert run(Over(folder, "worker-2"), story) == 0
    assert "worker-2: " in capfd.readouterr().err
    control, worker = seen
    assert (control.role, control.process, control.seed) == (Role.CONTROL, "control", 7)
    assert (worker.role, worker.process, worker.file) == (Role.WORKER, "worker-2", None)
    assert worker.seed == worker_seed(7, 1, 0)
    assert control.joined
    assert worker.joined


def test_who_takes_the_place_of_another_does_not_mind_a_broken_file(
    shop: Shop, seen: list[Setup], capfd: pytest.CaptureFixture[str]
) -> None:
    """It is an edit: what is wrong is told, and what is remembered is served."""
    folder = shop()

    def ready(over: Over) -> None:
        assert over.heard()["ready"].endswith(" revision=1")
        assert over.ask("/readyz")[0] == 200

    assert run(Over(folder, "control"), ready) == 0
    (folder / "stages.toml").write_text("[service]\n")
    assert run(Over(folder, "control", started=1), ready) == 0
    assert [setup.again for setup in seen] == [False, True]
    assert "error[missing-key]" in capfd.readouterr().err
    assert run(Over(folder, "control"), Over.hear) == 4
    assert "error[missing-key]" in capfd.readouterr().err


def test_an_edit_that_the_steered_process_finds_is_told_to_the_others(shop: Shop) -> None:
    """By the name of the function."""
    folder = shop({"other/latest": CODE})
    index = folder / "functions" / "other" / "latest" / "index.py"

    def story(over: Over) -> None:
        over.heard()
        index.write_text(CODE.replace("TEXT", "second"))
        assert over.heard() == {"reload": "other"}

    assert run(Over(folder, "control"), story) == 0


def test_options_that_contradict_each_other_are_said_by_the_process(
    shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    """As usage, with its exit code."""
    over = Over(shop(), "control", "--intercept-ca", "here.pem")
    assert run(over, Over.hear) == 2
    assert "--intercept-ca says where" in capfd.readouterr().err


def test_without_anybody_over_it_there_is_nothing_to_do() -> None:
    """It ends."""
    ours, theirs = socket.socketpair()
    ours.close()
    assert main(theirs.detach()) == 0


def test_each_worker_has_draws_of_its_own_that_can_be_repeated() -> None:
    """One that takes the place of another does not repeat that one's."""
    places = [(seed, number, started) for seed in (1, 2) for number in (0, 1) for started in (0, 1)]
    seeds = [worker_seed(*place) for place in places]
    assert len(set(seeds)) == len(places)
    assert seeds == [worker_seed(*place) for place in places]


def test_the_bound_on_requests_is_divided(
    shop: Shop, seen: list[Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker has its share, and one at least."""
    found: list[int] = []

    async def serve(gateway: Gateway, where: Any, *_: object, **__: object) -> None:  # noqa: ANN401
        found.append(where.edge.requests)
        await gateway.close()

    monkeypatch.setattr("gateway.serving.serve", serve)
    folder = shop()
    for most in ("7", "1"):
        over = Over(folder, "worker-1", "--max-requests", most)
        assert run(over, lambda _: None) == 0
    assert found == [4, 1]
    assert len(seen) == 2
    assert re.fullmatch(r"[0-9]+", str(seen[0].seed))
