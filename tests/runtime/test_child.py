"""What runs in a function's own process, run here: what it answers, and when it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.core.functions import FunctionVersion
from gateway.runtime import child, handshake
from gateway.runtime.frames import Frames, framed

Make = Callable[..., FunctionVersion]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment that the process may change."""
    variables = dict(os.environ)
    monkeypatch.setattr(os, "environ", variables)
    return variables


class Line:
    """The gateway's end of the line to a process."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._frames = Frames()

    def say(self, message: object) -> None:
        """Send a message."""
        self._channel.sendall(framed(message))

    def hear(self) -> object:
        """Wait for a message."""
        message = self._frames.receive(self._channel)
        return message if message is None else json.loads(message)


@contextmanager
def served() -> Iterator[Line]:
    """A line to a thread that serves; it has ended when the block is left."""
    mine, theirs = socket.socketpair()
    thread = threading.Thread(target=child.serve, args=(theirs,))
    thread.start()
    with theirs:
        with mine:
            yield Line(mine)
        thread.join()


def test_nobody_asks() -> None:
    """The gateway went away before it said anything."""
    with served():
        pass


def test_one_version_is_loaded_and_asked(make: Make, environment: dict[str, str]) -> None:
    """Request by request, each answered before the next."""
    index = """
        import os
        def main_handler(event, context):
            if event == "raise":
                raise ValueError
            return {1} if event == "set" else [event, context["request_id"], os.environ["A"]]
    """
    with served() as line:
        line.say(handshake.request(make(index, environment={"A": "b"}), None))
        assert line.hear() is None
        said = []
        for event in ("raise", "set", 5):
            line.say([f"id {event}", event])
            said.append(line.hear())
    raised, untold, told = said
    assert isinstance(raised, list)
    assert (raised[0], raised[2]["requestId"]) == (430, "id raise")
    assert isinstance(untold, list)
    assert (untold[:3], untold[4]) == ([200, None, None], False)
    assert isinstance(told, list)
    assert (told[:3], told[4]) == ([200, [5, "id 5", "b"], None], True)
    assert told[3] > 2**20
    assert environment["SCF_FUNCTIONNAME"] == "orders"


def test_an_async_handler_keeps_its_loop(make: Make) -> None:
    """It is closed with the process."""
    index = """
        import asyncio
        async def main_handler(event, context): return id(asyncio.get_running_loop())
    """
    with served() as line:
        line.say(handshake.request(make(index), None))
        line.hear()
        answers = []
        for _ in range(2):
            line.say(["r", None])
            answer = line.hear()
            assert isinstance(answer, list)
            answers.append(answer[1])
    assert answers[0] == answers[1]


def test_a_version_that_does_not_load_is_told_and_that_is_all(make: Make) -> None:
    """The process ends."""
    with served() as line:
        line.say(handshake.request(make("raise KeyError('k')"), None))
        said = line.hear()
        assert isinstance(said, dict)
        assert (said["code"], said["raised"]) == ("user-code-error", ["KeyError", "'k'"])
        # Its thread has ended; the socket is the test's.


def test_a_folder_beside_the_code_is_loaded(make: Make, tmp_path: Path) -> None:
    """Where packages are unpacked."""
    version = make("def main_handler(e, c): return __file__")
    elsewhere = tmp_path / "elsewhere"
    Path(version.code).rename(elsewhere)
    with served() as line:
        line.say(handshake.request(version, str(elsewhere)))
        assert line.hear() is None
        line.say(["r", None])
        answer = line.hear()
        assert isinstance(answer, list)
        assert answer[1] == str(elsewhere / "index.py")


@pytest.mark.parametrize("text", [True, False], ids=["text", "something else"])
def test_the_gateway_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, text: bool
) -> None:
    """The second thread notices, whatever the first one does."""
    mine, theirs = socket.socketpair()
    near, far = os.pipe()
    ended = threading.Event()
    with (tmp_path / "out").open("w", encoding="ascii") as out:
        monkeypatch.setattr(sys, "stdout", out if text else object())
        with mine:
            main = threading.Thread(target=child.main, args=(theirs.detach(), near, ended.set))
            main.start()
            assert not ended.is_set()
            os.close(far)
            assert ended.wait(60)
        main.join()
        assert out.encoding == ("utf-8" if text else "ascii")


def test_streams_that_user_code_has_replaced(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to flush is nothing to fail."""
    index = "import sys\nsys.stdout = None\ndef main_handler(e, c): return 1"
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # put back in the end
    with served() as line:
        line.say(handshake.request(make(index), None))
        assert line.hear() is None


def test_the_end_is_that_of_the_whole_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that the handler started included."""
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "killpg", lambda group, number: killed.append((group, number)))
    child.end_group()
    assert killed == [(os.getpgrp(), signal.SIGKILL)]


def test_memory_where_the_system_does_not_tell() -> None:
    """Nothing is known of a process that there is not."""
    assert child.resident(0) == 0
    assert child.resident(os.getpid()) > 2**20
