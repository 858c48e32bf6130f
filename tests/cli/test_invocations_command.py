"""`gateway invoke --event` and `gateway invocations`: asked now, answered later."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import httpx
import pytest

from gateway.controlplane.attempts import Policy

if TYPE_CHECKING:
    import subprocess

    from tests.cli.conftest import Answered, Begin, Call, Running, StartGateway

SAYS = """
async def main_handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    return "x" * event["size"] if "size" in event else {"id": event.get("id")}
"""

SURE = Policy(retries=0)
ODD_TIME = "0.1"


@pytest.fixture
def sure(start_gateway: StartGateway) -> Running:
    """A gateway that tries each invocation once."""
    return start_gateway({"orders/latest": SAYS}, policy=SURE)


def accepted(call: Call, *arguments: str) -> str:
    """The id of an invocation that was accepted."""
    result = call("invoke", "orders", "--event", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout.strip()


@pytest.mark.sockets
def test_an_accepted_invocation_is_awaited(sure: Running, call: Call, answered: Answered) -> None:
    """Its id is all that is written at first; its value comes with the rest."""
    request_id = accepted(call, "--data", '{"id": "ü"}')
    result = call("invocations", "orders", request_id, "--watch", "--every", ODD_TIME)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == f"orders@$DEFAULT  FINISHED  request {request_id}"
    assert lines[1].startswith("accepted 20")
    assert "Z  attempts 1  ended 20" in lines[1]
    assert lines[2:5] == [
        "version $LATEST (main)  status 200  revision 1",
        f"START RequestId: {request_id}",
        f"END RequestId: {request_id}",
    ]
    assert result.stdout.endswith('{\n  "id": "ü"\n}\n')
    told = answered("invocations", "orders", request_id)
    assert (told["status"], told["result"]["value"]) == ("FINISHED", {"id": "ü"})
    assert answered("invoke", "orders", "--event")["status"] == "RUNNING"
    assert sure.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_one_that_fails_is_told_with_its_stack(sure: Running, call: Call) -> None:
    """Exit code 1 for whoever waited; a look is a look."""
    request_id = accepted(call, "--data", '{"fail": true}')
    result = call("invocations", "orders", request_id, "--watch", "--every", ODD_TIME)
    assert (result.exit_code, result.stderr) == (1, "")
    assert f"  FAILED  request {request_id}\n" in result.stdout
    assert "\nerror[430]: user code exception caught\n  Traceback" in result.stdout
    assert result.stdout.endswith("ValueError: as asked\n")
    assert call("invocations", "orders", request_id).stdout == result.stdout
    assert call("invocations", "orders", request_id).exit_code == 0
    assert sure.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_a_value_that_was_too_large_is_missed(sure: Running, call: Call) -> None:
    """It is said, not left out."""
    request_id = accepted(call, "--data", '{"size": 100000}')
    result = call("invocations", "orders", request_id, "--watch", "--every", ODD_TIME)
    assert result.exit_code == 0
    assert result.stdout.endswith("\n(its value was too large to be kept)\n")
    assert sure.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_one_that_waits_is_aborted(start_gateway: StartGateway, call: Call) -> None:
    """Before that it says when it is tried again."""
    start_gateway({"orders/latest": SAYS})
    request_id = accepted(call, "--qualifier", "$LATEST", "--data", '{"fail": true}')
    found = call("invocations", "orders", "--status", "running").stdout
    assert found.splitlines()[0].split() == [
        "REQUEST", "ALIAS", "STATUS", "ACCEPTED", "ATTEMPTS", "ENDED", "OR", "NEXT",
    ]  # fmt: skip
    assert found.splitlines()[1].startswith(f"{request_id}  $LATEST  RUNNING  20")
    result = call("invocations", "orders", request_id, "--abort")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"orders@$LATEST  ABORTED  request {request_id}\n")
    result = call("invocations", "orders", request_id, "--abort")
    assert (result.exit_code, result.stdout) == (6, "")
    assert "error[invocation-ended]" in result.stderr
    assert "ABORTED" in call("invocations", "orders").stdout
    result = call("invocations", "orders", request_id, "--watch")
    assert result.exit_code == 1
    assert call("invocations", "orders", "--status", "FINISHED", "--limit", "3").exit_code == 0


def test_a_retry_and_a_turn_are_told() -> None:
    """Of one that has not ended."""
    from gateway.cli.invocations import _words

    found = {
        "request_id": "id", "function": "orders", "qualifier": "release", "status": "RUNNING",
        "at": "A", "attempts": 0, "retry_at": None, "ended_at": None, "result": None,
    }  # fmt: skip
    assert _words(found) == "orders@release  RUNNING  request id\naccepted A  attempts 0  -"
    error = {"errorMessage": "no function 'orders'"}
    result = {
        "version": None, "reason": None, "status": 435, "revision": 3, "value": None, "log": "",
        "error": error, "value_kept": True,
    }  # fmt: skip
    told = {**found, "attempts": 1, "retry_at": "B", "result": result}
    assert click.unstyle(_words(told)) == (
        "orders@release  RUNNING  request id\naccepted A  attempts 1  retry at B\n"
        "status 435  revision 3\nerror[435]: no function 'orders'"
    )


@pytest.mark.sockets
def test_the_log_of_an_invocation_goes_to_standard_error(sure: Running, call: Call) -> None:
    """Its value alone is on standard output."""
    result = call("invoke", "orders", "--log", "--data", '{"id": 1}')
    assert (result.exit_code, result.stdout) == (0, '{\n  "id": 1\n}\n')
    about, start, end, report = result.stderr.splitlines()
    request_id = about.rpartition(" ")[2]
    assert (start, end) == (f"START RequestId: {request_id}", f"END RequestId: {request_id}")
    assert report.startswith("Report RequestId: ")
    assert sure.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_a_routing_key_goes_as_it_was_written(sure: Running, call: Call, tmp_path: Path) -> None:
    """A number's spelling is what rules compare; it may come from a file as well."""
    call(
        "alias", "set", "orders", "levels", "--version", "1",
        "--rule", "invoke.headers.level exact 1.50 -> $LATEST",
    )  # fmt: skip
    (tmp_path / "key.json").write_text('{"level": 1.50}')
    for key in ('{"level": 1.50}', "@key.json"):
        result = call("invoke", "orders", "--qualifier", "levels", "--routing-key", key)
        assert "version $LATEST (rule:1)" in result.stderr
    result = call("invoke", "orders", "--qualifier", "levels", "--routing-key", '{"level": 1.5}')
    assert "version 1 (main)" in result.stderr
    assert sure.gateway.live.snapshot.revision == 2


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param(("invoke", "orders", "--event", "--log"), "no log yet", id="log"),
        pytest.param(("invocations", "orders", "--abort"), "needs the ID", id="abort nothing"),
        pytest.param(
            ("invocations", "orders", "x", "--abort", "--watch"), "cannot be used", id="abort"
        ),
        pytest.param(("invocations", "orders", "x", "--limit", "3"), "--limit is for", id="limit"),
        pytest.param(
            ("invocations", "orders", "x", "--status", "FAILED"), "--status is", id="status"
        ),
        pytest.param(("invocations", "orders", "--status", "DONE"), "'DONE'", id="no status"),
    ],
)
def test_a_mistake_of_usage_is_told(call: Call, command: tuple[str, ...], words: str) -> None:
    """Exit code 2, before anything is sent."""
    result = call(*command, "--control-url", "http://127.0.0.1:9")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


@pytest.mark.sockets
def test_what_is_not_there_is_not_found(sure: Running, call: Call) -> None:
    """Exit code 5."""
    result = call("invocations", "orders", "nobody", "--watch")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "error[unknown-invocation]: function 'orders'" in result.stderr
    assert call("invocations", "order").exit_code == 5
    assert sure.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
@pytest.mark.parametrize(
    "kind", [pytest.param((), id="words"), pytest.param(("--json",), id="json")]
)
def test_a_list_is_drawn_again_until_ctrl_c(
    sure: Running, call: Call, kind: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 0."""

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gateway.cli.invocations.sleep", interrupt)
    result = call("invocations", "orders", "--watch", *kind)
    assert result.exit_code == 0
    assert ("invocations" in result.stdout) == bool(kind)
    assert ("REQUEST" in result.stdout) == (not kind)
    assert sure.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_who_waits_for_one_may_stop(start_gateway: StartGateway, call: Call) -> None:
    """Exit code 130: it was not done."""
    start_gateway({"orders/latest": SAYS})
    request_id = accepted(call, "--data", '{"fail": true}')

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.cli.invocations.sleep", interrupt)
        result = call("invocations", "orders", request_id, "--watch")
    assert (result.exit_code, result.stdout) == (130, "")


@pytest.mark.sockets
def test_who_waits_looks_again(start_gateway: StartGateway, call: Call) -> None:
    """Until it has ended, however it ends."""
    running = start_gateway({"orders/latest": SAYS})
    request_id = accepted(call, "--data", '{"fail": true}')
    looked: list[float] = []

    def abort(seconds: float) -> None:
        looked.append(seconds)
        url = f"{running.url}/api/functions/orders/invocations/{request_id}"
        assert httpx.delete(url).status_code == 200

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.cli.invocations.sleep", abort)
        result = call("invocations", "orders", request_id, "--watch", "--every", "7")
    assert (result.exit_code, looked) == (1, [7])
    assert result.stdout.startswith(f"orders@$DEFAULT  ABORTED  request {request_id}\n")


def test_the_command_line_has_the_defaults_of_the_law() -> None:
    """They are written there, so that help costs no import."""
    from gateway.cli.serve import command

    defaults = {parameter.name: parameter.default for parameter in command.params}
    assert (defaults["retries"], defaults["retry_delay"]) == (Policy().retries, Policy().delay)


DIES_ONCE = """
import os, signal
from pathlib import Path

def main_handler(event, context):
    if event:
        raise ValueError
    mark = Path({mark!r})
    if not mark.exists():
        mark.write_text("died")
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"
"""


@pytest.mark.sockets
def test_an_invocation_survives_the_gateway_that_was_killed(
    shop: Callable[..., Path], begin: Begin, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of running it: the next one takes it up by itself."""
    folder = shop()
    code = DIES_ONCE.format(mark=str(folder / "mark"))
    (folder / "functions" / "orders" / "latest" / "index.py").write_text(code)
    command = ("serve", "--port", "0", "--control-port", "0", "--no-watch", "--retries", "1",
               "--retry-delay", "0.01")  # fmt: skip

    def served() -> subprocess.Popen[str]:
        process = begin(*command)
        assert process.stdout is not None
        url = process.stdout.readline().partition("control=")[2].partition(" ")[0]
        monkeypatch.setenv("GATEWAY_CONTROL_URL", url)
        return process

    first = served()
    request_id = accepted(call)
    first.wait(30)
    second = served()
    result = call("invocations", "orders", request_id, "--watch", "--every", ODD_TIME)
    assert result.exit_code == 0
    assert "attempts 2" in result.stdout
    assert result.stdout.endswith('"alive"\n')
    failing = accepted(call, "--data", '{"fail": true}')
    result = call("invocations", "orders", failing, "--watch", "--every", ODD_TIME)
    assert result.exit_code == 1
    assert "attempts 2" in result.stdout  # not three, and not a minute later
    second.send_signal(signal.SIGINT)
    assert second.wait(30) == 0
