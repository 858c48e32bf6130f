"""`gateway serve --workers N`: the command's own process, which is over the others."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.workers.supervisor import Listeners, NotStarted, Supervisor

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Shop

FREE = ("--port", "0", "--control-port", "0", "--workers", "2")

Given = dict[str, Any]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Given]:
    """What the processes would be told; none is started."""
    found: list[Given] = []
    begin = Supervisor.__init__

    def begun(
        self: Supervisor,
        listeners: Listeners,
        workers: int,
        given: Given,
        say: Callable[[str], None],
    ) -> None:
        begin(self, listeners, workers, given, say)
        place = given["state"] and Path(given["state"])
        found.append({**given, "there": place and place.parent.is_dir(), "all": listeners.all()})
        say("said")

    async def run(self: Supervisor, ready: Callable[[Given], None]) -> None:
        self.was_ready = True
        ready({"ready": "the line"})
        self.close()

    monkeypatch.setattr(Supervisor, "__init__", begun)
    monkeypatch.setattr(Supervisor, "run", run)
    return found


def test_the_ready_line_is_that_of_one_process(shop: Shop, call: Call, seen: list[Given]) -> None:
    """Alone on standard output; whatever happens is talk."""
    shop()
    result = call("serve", *FREE, "--seed", "5", "--intercept-port", "0")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the line\n", "said\n")
    (given,) = seen
    assert (given["seed"], given["workers"], given["state"]) == (5, 2, None)
    assert len(given["all"]) == 3


def test_what_is_forgotten_in_the_end_is_remembered_meanwhile(
    shop: Shop, call: Call, seen: list[Given]
) -> None:
    """The processes meet in a file; there is one seed for all of them."""
    shop()
    assert call("serve", *FREE, "--state", ":memory:").exit_code == 0
    (given,) = seen
    assert given["there"]
    assert not Path(given["state"]).parent.exists()
    assert isinstance(given["seed"], int)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        pytest.param(NotStarted("control", 4), 4, "", id="control says why"),
        pytest.param(
            NotStarted("control", -9),
            3,
            "error[worker-lost]: control cannot be started:"
            " its last attempt was ended by SIGKILL\n",
            id="control cannot say why",
        ),
        pytest.param(
            NotStarted("worker-2", 3),
            3,
            "error[worker-lost]: worker-2 cannot be started:"
            " its last attempt ended with exit code 3\n",
            id="a worker",
        ),
        pytest.param(None, 130, "", id="stopped before"),
    ],
)
def test_processes_that_cannot_be_started_end_the_command(
    shop: Shop, call: Call, error: NotStarted | None, code: int, words: str
) -> None:
    """With the exit code that one process would have."""

    async def run(self: Supervisor, _ready: object) -> None:
        self.close()
        if error is not None:
            raise error

    shop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Supervisor, "run", run)
        result = call("serve", *FREE)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--workers", "0"), "0 is not in the range 1<=x<=64", id="nobody"),
        pytest.param(("--workers", "x"), "not a valid integer", id="no number"),
        pytest.param(
            ("--workers", "2", "--role", "data"), "--role data needs a database", id="no database"
        ),
        pytest.param(
            ("--workers", "2", "--role", "control", "--state", "postgresql://ann@127.0.0.1:9/x"),
            "--role control answers no callers",
            id="nobody to answer",
        ),
        pytest.param(("--workers", "2", "--deadline", "x"), "NAME=SECONDS", id="a deadline"),
        pytest.param(("--workers", "2", "--state", "http://x"), "neither a file", id="a state"),
    ],
)
def test_mistakes_of_usage_are_found_before_anything_is_started(
    shop: Shop, call: Call, arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2."""
    shop()
    result = call("serve", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_keys_and_traces_are_checked_as_well(
    shop: Shop, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is started."""
    shop()
    monkeypatch.setenv("GATEWAY_KEYS", "none")
    result = call("serve", *FREE)
    assert (result.exit_code, "GATEWAY_KEYS: key pair 1" in result.stderr) == (2, True)


@pytest.mark.sockets
@pytest.mark.parametrize("option", ["--port", "--control-port", "--intercept-port"])
def test_a_port_in_use_is_the_sentence_of_one_process(shop: Shop, call: Call, option: str) -> None:
    """Exit code 3; what was bound before is given back."""
    shop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call("serve", *FREE, option, str(port))
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(
        f"error[cannot-listen]: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )
