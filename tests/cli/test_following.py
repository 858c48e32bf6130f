"""Commands that go on until Ctrl-C: each line as it happens, and an orderly end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from typing import IO, TYPE_CHECKING

import pytest

from gateway.cli.events import Event, event_line, event_words, parsed

if TYPE_CHECKING:
    from tests.cli.conftest import Begin, Call, Running, StartGateway

ALIAS: dict[str, object] = {
    "version": "1",
    "weights": {},
    "rules": [],
    "split": "random",
    "sticky_by": None,
}
MOVED = {
    "path": ["functions", "orders", "aliases", "release"],
    "before": {**ALIAS, "description": ""},
    "after": {**ALIAS, "version": "2", "description": ""},
}
REVISION = {
    "revision": 7,
    "at": "2025-01-31T12:00:00.000Z",
    "who": "ada",
    "origin": "127.0.0.1 x",
    "differences": [MOVED],
    "restores": None,
}


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        pytest.param(
            "revision",
            REVISION,
            "2025-01-31T12:00:00.000Z  revision 7  ada  orders/release  2   (was 1)",
            id="a change",
        ),
        pytest.param(
            "revision",
            {**REVISION, "differences": [MOVED, MOVED], "restores": 3},
            "2025-01-31T12:00:00.000Z  revision 7  ada  orders/release  2   (was 1);"
            " orders/release  2   (was 1)   (restores revision 3)",
            id="several changes",
        ),
        pytest.param(
            "reload",
            {"function": "orders", "seconds": 0.0123},
            "reload  orders  in 12 ms",
            id="a reload",
        ),
        pytest.param(
            "error",
            {"code": "x", "message": "it\n  fails", "where": "a/b", "text": "error[x]: ...\n  ^"},
            "error[x]  a/b: it fails",
            id="a mistake",
        ),
        pytest.param("hello", {"revision": 7}, "", id="the greeting"),
        pytest.param("lagged", {}, "lagged  {}", id="anything else"),
    ],
)
def test_an_event_is_one_line(name: str, data: dict[str, object], line: str) -> None:
    """For `events`; where there is room, a mistake is told as a whole."""
    assert event_line(name, data) == line
    if name == "error":
        assert event_words(name, data) == "error[x]: ...\n  ^"
        assert event_words(name, {**data, "text": ""}) == line
    else:
        assert event_words(name, data) == line


def test_a_stream_is_read_as_it_is_specified() -> None:
    """Comments, unknown fields, missing names, several lines of data, and a half event."""
    lines = [
        ": heartbeat", "",
        "event: hello", "data: {}", "",
        "id:7", "data: [1,", "data:2]", "retry: 5", "",
        "event: empty", "",
        "data: 3",
    ]  # fmt: skip
    assert list(parsed(lines)) == [Event("hello", None, {}), Event("message", "7", [1, 2])]


def out(process: subprocess.Popen[str]) -> IO[str]:
    """What a process writes."""
    assert process.stdout is not None
    return process.stdout


@pytest.mark.sockets
def test_events_are_told_as_they_happen(running: Running, call: Call, begin: Begin) -> None:
    """Also those that were missed; Ctrl-C is the way to end it."""
    call("alias", "set", "orders", "release", "--version", "2")
    process = begin("events", "--after", "1")
    assert out(process).readline().endswith("  orders/release  2   (was 1 90 %, 2 10 %)\n")
    call("publish", "orders")
    assert out(process).readline().endswith("  orders version 3  published\n")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (0, "")
    assert stderr == f"following {running.url}; Ctrl-C stops\n"


@pytest.mark.sockets
def test_events_are_lines_of_json_until_the_gateway_stops(
    running: Running, call: Call, begin: Begin
) -> None:
    """Then the exit code is that of a gateway that is not there."""
    process = begin("events", "--json")
    assert json.loads(out(process).readline())["event"] == "hello"
    call("publish", "orders")
    event = json.loads(out(process).readline())
    assert (event["event"], event["id"], event["data"]["revision"]) == ("revision", "2", 2)
    running.stop()
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 3
    assert stderr.count("\nerror[") == 1
    assert {json.loads(line)["event"] for line in stdout.splitlines()} <= {"hello"}


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
HELLO = b"event: hello\nid: 3\ndata: {}\n\n"


def serve_streams(server: socket.socket, streams: list[bytes], seen: list[str]) -> None:
    """Answer one request after the other with a stream that ends."""
    for stream in streams:
        connection, _ = server.accept()
        with connection:
            seen.append(connection.recv(65536).decode().lower())
            connection.sendall(HEAD + stream)


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "  orders/release  2   (was 1)\n"),
        (("--json",), '"event": "hello", "id": "3", "data": {}}\n'),
    ],
    ids=["words", "json"],
)
def test_a_stream_that_breaks_off_is_taken_up_where_it_ended(
    call: Call, options: tuple[str, ...], told: str
) -> None:
    """One that only greets is not asked for again: exit code 3."""
    change = f"event: revision\nid: 7\ndata: {json.dumps(REVISION)}\n\n".encode()
    seen: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        streams = [HELLO + change, HELLO]
        thread = threading.Thread(target=serve_streams, args=(server, streams, seen))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        result = call("events", "--control-url", url, *options)
        thread.join()
    assert result.exit_code == 3
    assert result.stdout.endswith(told)
    assert f"error[stream-ended]: the gateway at {url} ended the stream\n" in result.stderr
    assert ["last-event-id" in request for request in seen] == [False, True]
    assert "last-event-id: 7\r\n" in seen[1]


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("command", "step"),
    [
        pytest.param(("events", "--json"), "gateway.cli.events._json", id="events"),
        pytest.param(("status", "--watch"), "gateway.cli.status.sleep", id="status"),
        pytest.param(("status", "--watch", "--json"), "gateway.cli.status.sleep", id="json"),
    ],
)
def test_ctrl_c_is_the_way_in_which_following_ends(
    running: Running, call: Call, command: tuple[str, ...], step: str
) -> None:
    """Exit code 0."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, interrupt)
        result = call(*command)
    assert result.exit_code == 0
    assert bool(result.stdout) is (command[0] == "status")
    assert running.gateway.live.snapshot.revision == 1


@pytest.mark.sockets
def test_a_stream_is_refused_like_anything_else(start_gateway: StartGateway, call: Call) -> None:
    """Exit code 3 without the token."""
    start_gateway(token="secret")
    result = call("events")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "GATEWAY_TOKEN" in result.stderr


@pytest.mark.sockets
def test_the_status_is_drawn_again_until_ctrl_c(running: Running, call: Call, begin: Begin) -> None:
    """Without a terminal one picture stands below the other."""
    process = begin("status", "--watch", "--every", "0.1")
    lines = iter(out(process).readline, "")
    assert "0 requests since" in next(line for line in lines if line.startswith("revision 1 "))
    call("alias", "set", "orders", "release", "--version", "2")
    seen = next(line for line in lines if line.startswith("revision 2 "))
    assert "0 requests since" in seen
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "")
    assert running.gateway.live.snapshot.revision == 2


STUCK = """
def main_handler(event, context):
    with open({begun!r}, "w") as begun:
        begun.write("begun")
    with open({never!r}) as never:
        never.read()
"""


@pytest.mark.sockets
def test_a_command_that_is_interrupted_ends_with_130(
    start_gateway: StartGateway, begin: Begin, tmp_path: os.PathLike[str]
) -> None:
    """And without a traceback."""
    begun, never = os.path.join(tmp_path, "begun"), os.path.join(tmp_path, "never")  # noqa: PTH118
    os.mkfifo(begun)
    os.mkfifo(never)
    start_gateway({"orders/latest": STUCK.format(begun=begun, never=never)})
    process = begin("invoke", "orders")
    with open(begun) as pipe:  # noqa: PTH123
        assert pipe.read() == "begun"
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    with open(never, "w") as pipe:  # noqa: PTH123
        pipe.write("now")
    assert (process.returncode, stdout) == (130, "")
    assert "Traceback" not in stderr
