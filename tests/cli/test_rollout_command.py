"""`gateway rollout` against a gateway that serves: the whole way, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from click.testing import Result

pytestmark = pytest.mark.sockets

Call = Callable[..., Result]
Running = Any
StartGateway = Callable[..., Running]
ALIAS = ("alias", "set", "orders", "release", "--version", "1")
START = ("rollout", "start", "orders", "release", "--to", "2", "--every", "0")
BROKEN = 'async def main_handler(event, context):\n    raise ValueError("broken")\n'


class Traffic:
    """Requests to `release`, one after the other, until it is stopped."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopped = Event()
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with httpx.Client(base_url=self._url) as caller:
            while not self._stopped.is_set():
                caller.get("/release/orders/1")

    def stop(self) -> None:
        """No more requests."""
        self._stopped.set()
        self._thread.join()


def driven(running: Running, call: Call, *arguments: str) -> Result:
    """The result of following a rollout while there is traffic."""
    traffic = Traffic(running.data)
    try:
        assert call(*ALIAS).exit_code == 0
        began = call(*START, *arguments)
        assert began.exit_code == 0, began.stderr
        return call("rollout", "status", "--watch", "--timeout", "60s")
    finally:
        traffic.stop()


def test_a_good_version_gets_everything(running: Running, call: Call) -> None:
    """Step by step; the exit code is 0."""
    result = driven(running, call, "--steps", "50,100", "--tolerance", "0.4")
    assert result.exit_code == 0, result.stdout + result.stderr
    assert "finished" in result.stdout
    assert "2" in call("alias", "get", "orders", "release").stdout
    assert "finished" in call("rollout", "status").stdout


def test_a_bad_version_is_rolled_back(start_gateway: StartGateway, call: Call) -> None:
    """The exit code is 10, and the history has the reason."""
    running = start_gateway({"orders/v2": BROKEN})
    result = driven(running, call, "--steps", "30,100")
    assert result.exit_code == 10
    assert "rolled-back: error_rate>old:" in result.stderr
    alias = json.loads(call("alias", "get", "orders", "release", "--json").stdout)
    assert (alias["version"], alias["weights"]) == ("1", {})
    assert "rollout" in call("alias", "history", "orders", "release").stdout


@pytest.mark.usefixtures("running")
def test_people_steer_it(call: Call) -> None:
    """Pause, resume, promote, abort; what does not go is refused."""
    call(*ALIAS)
    started = json.loads(call(*START, "--abort-on", "p99>250ms", "--json").stdout)
    rollout = started["id"]
    assert (started["status"], started["share"], started["guards"]) == (
        "running", 0.01, ["p99>250ms"],
    )  # fmt: skip
    paused = call("rollout", "pause", rollout)
    assert "paused" in paused.stdout
    watched = call("rollout", "status", rollout, "--watch")
    assert (watched.exit_code, "paused" in watched.stderr) == (12, True)
    assert "running" in call("rollout", "resume", rollout).stdout
    assert call("rollout", "resume", rollout).exit_code == 6
    late = call("rollout", "status", rollout, "--watch", "--timeout", "0s", "--json")
    assert (late.exit_code, json.loads(late.stdout)["id"]) == (12, rollout)
    assert "finished" in call("rollout", "promote", rollout).stdout
    assert call("rollout", "abort", rollout).exit_code == 6
    assert json.loads(call("rollout", "status", rollout, "--json").stdout)["status"] == "finished"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("rollout", "status", "nothing"), 5, "there is no rollout 'nothing'"),
        (("rollout", "abort", "nothing"), 5, "there is no rollout 'nothing'"),
        (("rollout", "status", "--watch"), 2, "there is no rollout to follow"),
        (("rollout", "status", "--timeout", "5s"), 2, "--timeout is for --watch"),
        ((*START, "--steps", "10,50"), 2, "ending with 100"),
        ((*START, "--steps", "50,10,100"), 2, "are no steps"),
        ((*START, "--steps", "many"), 2, "are no steps"),
        ((*START[:-1], "soon"), 2, "is no duration"),
        ((*START, "--abort-on", "errors>1"), 4, "is no guard"),
        ((*START, "--tolerance", "7"), 4, "tolerance of the rollout must be a number"),
        ((*START[:5], "9"), 4, "has no version '9'"),
    ],
)
@pytest.mark.usefixtures("running")
def test_mistakes_are_told(call: Call, arguments: tuple[str, ...], code: int, words: str) -> None:
    """With the exit code of their kind."""
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert words in result.stderr


@pytest.mark.usefixtures("running")
def test_no_rollout_is_told(call: Call) -> None:
    """In words, and as JSON."""
    assert call("rollout", "status").stdout == "no rollout\n"
    assert json.loads(call("rollout", "status", "--json").stdout) == {"rollouts": []}


@pytest.mark.parametrize("text", ["30", "30s", "0.5m", "30000ms"])
@pytest.mark.usefixtures("running")
def test_durations_have_units(call: Call, text: str) -> None:
    """Seconds where there is none."""
    call(*ALIAS)
    started = json.loads(call(*START[:-1], text, "--json").stdout)
    assert started["every"] == 30
