"""`gateway logs` against a gateway that serves: what was answered, found again or followed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import Result

from gateway.store.logged import Entry, Origin, Retention
from gateway.store.sqlite_log import SqliteLog

pytestmark = pytest.mark.sockets

Call = Callable[..., Result]
Running = Any
StartGateway = Callable[..., Running]
Begin = Callable[..., "subprocess.Popen[str]"]
TALKING = """
async def main_handler(event, context):
    print("hello", event["path"], "\\x1b[31m")
    if event["path"].endswith("13"):
        raise ValueError("unlucky")
    return {"statusCode": 200}
"""


@pytest.fixture
def talking(start_gateway: StartGateway) -> Running:
    """The shop with a `$LATEST` that prints and sometimes fails, and some answers of it."""
    running = start_gateway({"orders/latest": TALKING})
    with httpx.Client(base_url=running.data) as caller:
        for path in ("/dev/orders/1", "/release/orders/2", "/dev/orders/13", "/dev/ping"):
            caller.get(path)
        caller.post("/dev/orders/4", content="the body", headers={"Cookie": "secret"})
    return running


@pytest.mark.usefixtures("talking")
def test_entries_are_told_oldest_first_with_what_was_printed(call: Call) -> None:
    """One line each, the output indented below, and nothing that steers a terminal."""
    result = call("logs", "orders")
    assert result.exit_code == 0, result.stderr
    lines = click.unstyle(result.stdout).splitlines()
    assert [line for line in lines if line.startswith(" ")] == [
        "    hello /orders/1 \N{REPLACEMENT CHARACTER}[31m",
        "    hello /orders/13 \N{REPLACEMENT CHARACTER}[31m",
        "    hello /orders/4 \N{REPLACEMENT CHARACTER}[31m",
    ]
    heads = [line.split("  ")[1:] for line in lines if not line.startswith(" ")]
    assert [(head[0], head[1], head[2], head[4]) for head in heads] == [
        ("dev", "orders@$DEFAULT $LATEST (main)", "200", "GET /orders/1"),
        ("release", heads[1][1], "200", "GET /orders/2"),
        ("dev", "orders@$DEFAULT $LATEST (main)", "430 exception", "GET /orders/13"),
        ("dev", "orders@$DEFAULT $LATEST (main)", "200", "POST /orders/4"),
    ]


@pytest.mark.usefixtures("talking")
@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ((), ["/orders/1", "/orders/2", "/orders/13", "/ping", "/orders/4"]),
        (("--errors",), ["/orders/13"]),
        (("--status", "430"), ["/orders/13"]),
        (("--stage", "release"), ["/orders/2"]),
        (("--alias", "release"), ["/orders/2"]),
        (("--version", "$LATEST", "--text", "HELLO"), ["/orders/1", "/orders/13", "/orders/4"]),
        (("--text", "unlucky"), ["/orders/13"]),
        (("--limit", "1"), ["/orders/4"]),
        (("--since", "2000-01-01T00:00:00Z", "--until", "2000-01-02"), []),
        (("other",), []),
    ],
)
def test_entries_are_found(call: Call, arguments: tuple[str, ...], paths: list[str]) -> None:
    """By what one remembers; each is one line of JSON where JSON is asked for."""
    result = call("logs", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    assert [json.loads(line)["path"] for line in result.stdout.splitlines()] == paths


@pytest.mark.usefixtures("talking")
def test_one_request_is_told_in_full(call: Call) -> None:
    """Headers, body, error and output; secrets are hidden."""
    entry = json.loads(call("logs", "--text", "the body", "--json").stdout)
    told = call("logs", "--id", entry["request_id"]).stdout
    assert "cookie: ***" in told
    assert "the body" in told
    assert "hello /orders/4" in told
    assert json.loads(call("logs", "--id", entry["request_id"], "--json").stdout)["number"] == 5
    failed = json.loads(call("logs", "--errors", "--json").stdout)
    assert "unlucky" in call("logs", "--id", failed["request_id"]).stdout


def test_following_goes_on_with_what_comes(talking: Running, begin: Begin) -> None:
    """Until Ctrl-C, which is no failure."""
    process = begin("logs", "orders", "--follow", "--limit", "1", "--control-url", talking.url)
    assert process.stdout is not None
    assert "/orders/4" in process.stdout.readline()
    assert "hello" in process.stdout.readline()
    httpx.get(f"{talking.data}/release/orders/77")
    assert "GET /orders/77" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0


@pytest.mark.usefixtures("talking")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--id", "nobody"), 5, "the invocation log has no request 'nobody'"),
        (("--id", "x", "--errors"), 2, "--errors cannot be used with it"),
        (("--id", "x", "--follow"), 2, "--follow cannot be used with it"),
        (("--status", "9xx"), 2, "'9xx' is no status; allowed: a status such as 200"),
        (("--since", "noon"), 2, "'noon' is no time; allowed: a time in ISO 8601"),
        (("--until", "2025-13-01"), 2, "'2025-13-01' is no time"),
        (("--limit", "0"), 2, "1"),
    ],
)
def test_mistakes_are_told(call: Call, arguments: tuple[str, ...], code: int, words: str) -> None:
    """With the exit code of their kind."""
    result = call("logs", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_what_was_left_out_is_said(call: Call, talking: Running) -> None:
    """So that nobody takes the log for everything."""
    talking.gateway.logbook.left_out = 1234
    assert "1,234 invocations were not kept" in call("logs").stderr


def written(path: Path, node: str, process: str) -> None:
    """An entry by another process in the same log."""

    async def write() -> None:
        log = await SqliteLog.open(path, Retention(), Origin(node, process))
        entry = Entry("x" * 32, 1.0, "http", "dev", "orders", "r", "9", "main", 1, 200, "", 0.1)
        await log.append([entry])
        await log.close()

    asyncio.run(write())


def test_what_another_process_answered_is_followed(
    start_gateway: StartGateway, call: Call, begin: Begin, tmp_path: Path
) -> None:
    """Who answered is said as soon as there are several; before, nobody asks."""
    running = start_gateway(state=tmp_path / "state.db", node="host")
    httpx.get(f"{running.data}/dev/ping")
    process = begin("logs", "--follow", "--control-url", running.url)
    assert process.stdout is not None
    assert "host/main" not in process.stdout.readline()
    written(tmp_path / "state.log.db", "\x1bother", "")
    assert f"  \N{REPLACEMENT CHARACTER}other  {'x' * 32}\n" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    first, second = (json.loads(line) for line in call("logs", "--json").stdout.splitlines())
    assert (first["node"], first["process"]) == ("host", "main")
    assert "  host/main  " in call("logs").stdout
    assert "node      host/main\n" in call("logs", "--id", first["request_id"]).stdout
    assert second["node"] == "\x1bother"


def test_a_gateway_without_a_log_says_so(start_gateway: StartGateway, call: Call) -> None:
    """Whatever it answered."""
    running = start_gateway(retention=Retention(entries=0))
    answer = httpx.get(f"{running.data}/dev/ping")
    result = call("logs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "the gateway keeps no invocation log" in result.stderr
    one = call("logs", "--id", answer.headers["x-api-requestid"])
    assert one.exit_code == 5
    assert "none is kept" in one.stderr
