"""`gateway serve`: one line when it is ready, one summary when it is asked to stop."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from gateway.app import Gateway
from gateway.serving import Addresses

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Process, Shop

READY = re.compile(
    r"gateway ready data=http://127\.0\.0\.1:(\d+) control=http://127\.0\.0\.1:(\d+) revision=1\n"
)
FREE = ("--port", "0", "--control-port", "0")


def test_serving_says_where_what_and_with_which_seed(
    shop: Shop, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ready line alone on standard output; pictures and the seed are talk."""
    seen: list[Addresses] = []

    async def serve(
        gateway: Gateway, where: Addresses, ready: Callable[[str], None], **_options: object
    ) -> None:
        seen.append(where)
        ready("the line")
        await gateway.close()

    monkeypatch.setattr("gateway.serving.serve", serve)
    shop()
    result = call("serve", "--host", "0.0.0.0", "--port", "1", "--control-port", "2", "--seed", "7")
    assert (result.exit_code, result.stdout) == (0, "the line\n")
    assert seen == [Addresses("0.0.0.0", 1, 2)]
    assert result.stderr.startswith("STAGE    FUNCTION  ALIAS     LEADS TO\ndev      orders ")
    assert "\nseed 7; Ctrl-C stops\n" in result.stderr
    assert result.stderr.endswith("answered 0 requests\n")


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("", (), [None, False]),
        (" ", ("--accept-any-signature",), [None, True]),
        ("a:1,b:2", (), [{"a": "1", "b": "2"}, False]),
    ],
)
def test_clients_of_the_cloud_have_the_keys_that_are_configured(
    shop: Shop,
    call: Call,
    text: str,
    options: tuple[str, ...],
    expected: list[object],
) -> None:
    """And may sign with anything only where that is asked for."""
    seen: list[object] = []

    async def serve(
        gateway: Gateway, _where: Addresses, _ready: object, **_options: object
    ) -> None:
        seen.extend((gateway.setup.keys, gateway.setup.accept_any_signature))
        await gateway.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.serving.serve", serve)
        patch.setenv("GATEWAY_KEYS", text)
        shop()
        assert call("serve", *options).exit_code == 0
    assert seen == expected


def test_keys_that_are_none_are_refused(
    shop: Shop, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their number, and without a word of the secret."""
    monkeypatch.setenv("GATEWAY_KEYS", "a:1,b c:secret")
    shop()
    result = call("serve")
    assert result.exit_code == 2
    assert "GATEWAY_KEYS: key pair 2: its id" in result.stderr
    assert "secret" not in result.stderr


def test_unchecked_signatures_stay_on_this_machine(
    shop: Shop, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a hint at what to do instead."""
    monkeypatch.setenv("GATEWAY_TOKEN", "secret")
    shop()
    result = call("serve", *FREE, "--control-host", "0.0.0.0", "--accept-any-signature")
    assert result.exit_code == 3
    assert "error[unchecked-signatures]" in result.stderr
    assert "GATEWAY_KEYS" in result.stderr


def test_serving_without_uvloop_is_serving_all_the_same(
    shop: Shop, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not made for every platform."""
    import asyncio

    loops: list[object] = []

    async def serve(
        gateway: Gateway, _where: Addresses, _ready: object, **_options: object
    ) -> None:
        loops.append(asyncio.get_running_loop())
        await gateway.close()

    monkeypatch.setattr("gateway.serving.serve", serve)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    shop()
    assert call("serve").exit_code == 0
    assert isinstance(loops[0], asyncio.SelectorEventLoop)


def test_a_bad_file_is_not_served(shop: Shop, call: Call) -> None:
    """Exit code 4, as `check`."""
    (shop() / "stages.toml").write_text("[service]\n")
    result = call("serve", *FREE)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "error[missing-key]" in result.stderr


def test_code_that_does_not_load_is_not_served(shop: Shop, call: Call) -> None:
    """Exit code 4, and the stack of its author."""
    shop({"orders/v1": "1 / 0\n"})
    result = call("serve", *FREE)
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("error[user-code-error]: function 'orders', version 1: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("--port", "70000"), "not in the range 0<=x<=65535", id="port too high"),
        pytest.param(("--port", "x"), "not a valid integer", id="port no number"),
        pytest.param(("--seed", "x"), "not a valid integer", id="seed no number"),
        pytest.param(("--seeed", "1"), "Did you mean", id="misspelt option"),
        pytest.param(("extra",), "unexpected extra argument", id="an argument"),
    ],
)
def test_a_wrong_option_is_a_mistake_of_usage(
    shop: Shop, call: Call, arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2."""
    shop()
    result = call("serve", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


@pytest.mark.sockets
@pytest.mark.parametrize("option", ["--port", "--control-port"])
def test_a_port_in_use_is_one_sentence_and_a_hint(shop: Shop, call: Call, option: str) -> None:
    """Exit code 3."""
    shop()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call("serve", *FREE, option, str(port))
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"error[cannot-listen]: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "  = hint: choose another with --port, --control-port, --intercept-port;"
        " 0 takes a free one\n"
    )


@pytest.mark.sockets
@pytest.mark.parametrize("host", ["no.such.host.invalid", "ü" * 70, "192.0.2.1"])
def test_a_host_that_is_none_is_one_sentence(shop: Shop, call: Call, host: str) -> None:
    """Exit code 3, too."""
    shop()
    result = call("serve", *FREE, "--host", host)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith(f"error[cannot-listen]: cannot listen on {host}:0: ")
    assert result.stderr.count("\n") == 2


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Serve the shop in a process of its own; killed if it is still there at the end."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", *FREE, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            )
        )
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def ports(process: subprocess.Popen[str]) -> tuple[int, int]:
    """Of the data plane and the control plane, once the process is ready."""
    stdout: Any = process.stdout
    line = stdout.readline()
    found = READY.fullmatch(line)
    assert found is not None, line
    return int(found[1]), int(found[2])


def fetch(port: int, path: str) -> tuple[int, dict[str, str]]:
    """One GET request; its status and headers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}") as answer:
            answer.read()
            return answer.status, {n.lower(): v for n, v in answer.headers.items()}
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {n.lower(): v for n, v in error.headers.items()}


@pytest.mark.sockets
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_serving_from_the_first_line_to_the_summary(
    shop: Shop, start: Start, number: signal.Signals
) -> None:
    """Both planes answer; the end is orderly, with exit code 0."""
    shop()
    process = start("--seed", "7")
    data, control = ports(process)
    status, headers = fetch(data, "/release/orders/42")
    assert (status, headers["x-gateway-stage"]) == (200, "release")
    assert fetch(data, "/qa/orders/42")[0] == 404
    assert fetch(control, "/healthz")[0] == 200
    process.send_signal(number)
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout) == (0, "")
    assert "seed 7; Ctrl-C stops\n" in stderr
    assert stderr.endswith("answered 2 requests\n")
    assert "Traceback" not in stderr


STUCK = """
def main_handler(event, context):
    with open({begun!r}, "w") as begun:
        begun.write("begun")
    with open({never!r}) as never:
        never.read()
    return {{"statusCode": 200}}
"""


@pytest.fixture
def pipes(tmp_path: Path) -> tuple[Path, Path]:
    """Two named pipes: whoever opens one waits for the other side."""
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    os.mkfifo(begun)
    os.mkfifo(gate)
    return begun, gate


def ask_slowly(port: int) -> socket.socket:
    """A request whose answer is not waited for."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"GET /dev/other HTTP/1.1\r\nHost: h\r\n\r\n")
    return connection


def wait(pipe: IO[str]) -> None:
    """Until the handler has begun."""
    with pipe:
        assert pipe.read() == "begun"


@pytest.mark.sockets
def test_what_is_in_flight_is_finished_after_the_first_signal(
    shop: Shop, start: Start, pipes: tuple[Path, Path]
) -> None:
    """Its answer still goes out."""
    begun, gate = pipes
    shop({"other/latest": STUCK.format(begun=str(begun), never=str(gate))})
    process = start()
    data, _ = ports(process)
    with ask_slowly(data) as connection:
        wait(begun.open())
        process.send_signal(signal.SIGINT)
        gate.write_text("now")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    stdout, stderr = process.communicate()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (process.returncode, stdout) == (0, "")
    assert stderr.endswith("answered 1 request\n")


@pytest.mark.sockets
def test_a_second_signal_does_not_wait_for_a_stuck_handler(
    shop: Shop, start: Start, pipes: tuple[Path, Path]
) -> None:
    """Well before the time that requests in flight are granted."""
    begun, gate = pipes
    shop({"other/latest": STUCK.format(begun=str(begun), never=str(gate))})
    folder = Path.cwd() / "stages.toml"
    text = folder.read_text()
    folder.write_text(
        text.replace('source = "functions/other"', 'source = "functions/other"\ntimeout = 900')
    )
    process = start()
    data, _ = ports(process)
    with ask_slowly(data):
        wait(begun.open())
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=8)
    assert (process.returncode, stdout) == (0, "")
    assert "Traceback" not in stderr
    assert "answered 0 requests" in stderr


@pytest.mark.sockets
def test_one_port_for_both_planes_is_one_sentence(shop: Shop, process: Process) -> None:
    """As any port in use."""
    shop()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    done = process("serve", "--port", port, "--control-port", port)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"error[cannot-listen]: cannot listen on 127.0.0.1:{port}: ")
