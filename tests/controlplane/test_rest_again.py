"""Sending a request again: over real sockets, as it was sent, and never half of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.dataplane.server import HttpServer, bind

Panel = Any
Open = Callable[..., Panel]
Json = Any

pytestmark = pytest.mark.sockets

ECHO = """
async def main_handler(event, context):
    if "httpMethod" not in event:
        return event
    return {"statusCode": 201, "body": "made"}
"""


@pytest.fixture
def served(project: Path, open_panel: Open) -> Iterator[Panel]:
    """The project with a handler that tells what it was sent, its data plane on a real socket."""
    (project.parent / "functions/orders/v1/index.py").write_text(ECHO, encoding="utf-8")
    panel = open_panel()

    async def start() -> tuple[HttpServer, asyncio.Task[None]]:
        server = HttpServer(panel.gateway.plane, bind("127.0.0.1", 0))
        task = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        return server, task

    server, task = panel.run(start())
    panel.gateway.service.data_url = server.url
    yield panel
    server.stop(force=True)
    panel.run(task)


def called(panel: Panel, method: str, path: str, **more: Any) -> str:  # noqa: ANN401
    """A request to the data plane; gives its id."""

    async def scenario() -> str:
        url = panel.gateway.service.data_url
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            answer = await client.request(method, path, **more)
            return answer.headers["x-api-requestid"]

    found: str = panel.run(scenario())
    return found


def logged(panel: Panel, request_id: str) -> Json:
    """What the log has of a request."""
    return panel("GET", f"/api/invocations/{request_id}").json()


def again(panel: Panel, request_id: str) -> Json:
    """Send it again."""
    answer = panel("POST", f"/api/invocations/{request_id}/again")
    return answer.status_code, answer.json()


def test_a_request_is_sent_again_as_it_was(served: Panel) -> None:
    """Method, path, query, headers and body; what is hidden is left out, and that is told."""
    headers = {"User": "Bob", "Cookie": "a=secret", "X-Text": "Ädam".encode("latin-1")}
    first = called(
        served, "POST", "/release/orders/a%20b%3F?x=1%202&x[]=3", headers=headers, content="söme"
    )
    status, told = again(served, first)
    assert (status, told["status"], told["left_out"]) == (200, 201, ["cookie"])
    assert told["request_id"] != first
    one, two = logged(served, first), logged(served, told["request_id"])
    for same in ("stage", "function", "version", "method", "path", "body", "status"):
        assert one[same] == two[same]
    assert one["path"] == "/orders/a%20b%3F?x=1%202&x[]=3"
    assert two["headers"] == {k: v for k, v in one["headers"].items() if k != "cookie"}


def test_an_invocation_is_sent_again_with_its_routing_key(served: Panel) -> None:
    """Through the control plane, as it came."""
    body = {"qualifier": "release", "routing_key": {"User": "Bob"}, "event": {"a": [1]}}
    first = served("POST", "/api/functions/orders/invoke", body).json()
    status, told = again(served, first["request_id"])
    assert (status, told["status"]) == (200, 200)
    entry = logged(served, told["request_id"])
    assert (entry["source"], entry["body"]) == ("invoke", '{"a":[1]}')
    assert entry["headers"] == {"User": "Bob"}


def test_what_was_not_kept_whole_is_not_sent(served: Panel) -> None:
    """Half a body is another request."""
    first = called(served, "POST", "/release/orders/7", content="x" * 5000)
    status, told = again(served, first)
    assert (status, told["code"]) == (409, "body-not-kept")
    assert "4,096 characters" in told["detail"]


@pytest.mark.parametrize("gone", [False, True], ids=["never was", "gone"])
def test_a_stage_that_is_not_there_is_told(served: Panel, gone: bool) -> None:
    """There is nowhere to send it to."""
    first = called(served, "GET", "/release/orders/7" if gone else "/nowhere/orders/7")
    served("DELETE", "/api/stages/release")
    status, told = again(served, first)
    assert (status, told["code"]) == (409, "stage-gone")


def test_a_data_plane_that_does_not_answer_is_told(served: Panel) -> None:
    """With its address."""
    first = called(served, "GET", "/release/orders/7")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        served.gateway.service.data_url = url
        status, told = again(served, first)
    assert (status, told["code"]) == (409, "not-answered")
    assert url in told["detail"]


def test_a_request_that_is_not_in_the_log_is_told(standing: Panel) -> None:
    """By its id."""
    status, told = again(standing, "nothing")
    assert (status, told["code"]) == (404, "invocation-not-logged")
