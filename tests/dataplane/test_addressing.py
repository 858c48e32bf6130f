"""Where a request goes: by path or by host, dot segments, and the cloud's words for misses."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from gateway.core.snapshot import EMPTY

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[[apis]]
method = "GET"
path = "/orders/{id}"
function = "echo"
integrated = false

[[apis]]
method = "ANY"
path = "=/"
function = "echo"
integrated = false

[[apis]]
method = "POST"
path = "=/only"
mock = { body = "posted" }

[stages.dev]
alias = "$DEFAULT"
[stages.prepub]
alias = "$DEFAULT"
[stages.release]
alias = "$DEFAULT"
"""
ECHO = "async def main_handler(event, context):\n    return event\n"
UNKNOWN = "There is no api match default env_mapping[{}]. (value must be dev, prepub, release)"


@pytest.fixture
def shop(make: Make) -> Caller:
    """Three stages with the same APIs."""
    return make(STAGES, {"echo/latest": ECHO})


async def raw(
    caller: Caller, path: str, *, host: str | None = "127.0.0.1", method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """A request as a server would hand it over: nobody has tidied the path up."""
    sent: list[Any] = []

    async def receive() -> dict[str, object]:
        raise AssertionError("a request without a body was read")

    async def send(message: Any) -> None:  # noqa: ANN401
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [] if host is None else [(b"host", host.encode("latin-1"))],
        "scheme": "http",
        "http_version": "1.1",
        "client": ("10.0.0.7", 51000),
    }
    await caller.gateway.plane(scope, receive, send)
    start, body = sent
    return start["status"], {n.decode(): v.decode() for n, v in start["headers"]}, body["body"]


@pytest.mark.parametrize(
    ("host", "path", "stage", "seen"),
    [
        pytest.param("127.0.0.1:8080", "/dev/orders/1", "dev", "/orders/1", id="path prefix"),
        pytest.param("127.0.0.1", "/release/orders/1", "release", "/orders/1", id="without port"),
        pytest.param("localhost:8080", "/prepub/orders/1", "prepub", "/orders/1", id="localhost"),
        pytest.param("shop.example", "/dev/orders/1", "dev", "/orders/1", id="any other host"),
        pytest.param(None, "/dev/orders/1", "dev", "/orders/1", id="no host at all"),
        pytest.param("[::1]:8080", "/dev/orders/1", "dev", "/orders/1", id="IPv6 host"),
        pytest.param("h", "/test/orders/1", "dev", "/orders/1", id="test reaches dev"),
        pytest.param("h", "/release", "release", "/", id="stage without a path"),
        pytest.param("h", "/release/", "release", "/", id="stage with the root"),
        pytest.param("dev.localhost:8080", "/orders/1", "dev", "/orders/1", id="stage by host"),
        pytest.param("dev.localhost", "/orders/1", "dev", "/orders/1", id="by host without port"),
        pytest.param("test.localhost", "/orders/1", "dev", "/orders/1", id="test by host"),
        pytest.param("Release.localhost", "/orders/1", "release", "/orders/1", id="upper stage"),
        pytest.param("RELEASE.LOCALHOST:80", "/orders/1", "release", "/orders/1", id="all upper"),
        pytest.param("dev.localhost.:8080", "/orders/1", "dev", "/orders/1", id="final dot"),
        pytest.param("dev.localhost.org", "/prepub/", "prepub", "/", id="no name below localhost"),
        pytest.param("dev.localhosts", "/prepub/", "prepub", "/", id="longer top level"),
        pytest.param("dev.localhost", "/", "dev", "/", id="by host to the root"),
    ],
)
def test_a_request_reaches_its_stage(
    shop: Caller, host: str | None, path: str, stage: str, seen: str
) -> None:
    """By the first segment of the path or by the host name, in any case and with any port."""
    status, headers, body = shop.run(raw(shop, path, host=host))
    assert (status, headers.get("x-gateway-stage")) == (200, stage)
    event = json.loads(body)
    assert (event["path"], event["requestContext"]["stage"]) == (seen, stage)


@pytest.mark.parametrize(
    ("host", "path", "status", "text"),
    [
        pytest.param("h", "/qa/orders/1", 404, UNKNOWN.format("qa"), id="unknown stage"),
        pytest.param("h", "/", 404, UNKNOWN.format(""), id="no stage"),
        pytest.param("h", "//dev/orders/1", 404, UNKNOWN.format(""), id="empty segment"),
        pytest.param("h", "/Dev/orders/1", 404, UNKNOWN.format("Dev"), id="case of a path counts"),
        pytest.param(
            "qa.localhost:8080",
            "/orders/1",
            404,
            "There is no api match host[qa.localhost:8080].",
            id="unknown host",
        ),
        pytest.param(
            "a.dev.localhost",
            "/orders/1",
            404,
            "There is no api match host[a.dev.localhost].",
            id="deeper host",
        ),
        pytest.param(
            ".localhost", "/dev/", 404, "There is no api match host[.localhost].", id="no label"
        ),
        pytest.param(
            "h", "/dev/carts/1", 404, "There is no api match uri[/carts/1].", id="unknown path"
        ),
        pytest.param(
            "h",
            "/dev/caf%C3%A9",
            404,
            "There is no api match uri[/caf%C3%A9].",
            id="unknown path, encoded",
        ),
        pytest.param("h", "/dev/only", 404, "Could not support method.", id="unknown method"),
        pytest.param("h", "/..", 400, "Bad Request.", id="climbs above the root"),
        pytest.param("h", "/dev/../../dev/", 400, "Bad Request.", id="climbs above it later"),
        pytest.param("h", "/dev/%2e%2e/%2E%2e/x", 400, "Bad Request.", id="climbs encoded"),
        pytest.param("dev.localhost", "/../x", 400, "Bad Request.", id="climbs with a host"),
    ],
)
def test_a_miss_is_told_in_the_clouds_words(
    shop: Caller, host: str, path: str, status: int, text: str
) -> None:
    """Contract 5.6: the status, and a message as JSON."""
    seen, headers, body = shop.run(raw(shop, path, host=host))
    assert (seen, json.loads(body)) == (status, {"message": text})
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("path", "stage", "seen"),
    [
        pytest.param("/dev/./orders/1", "dev", "/orders/1", id="single dot"),
        pytest.param("/dev/orders/x/../1", "dev", "/orders/1", id="double dot"),
        pytest.param("/dev/../release/orders/1", "release", "/orders/1", id="into another stage"),
        pytest.param("/dev/%2e%2e/release/orders/1", "release", "/orders/1", id="encoded dots"),
        pytest.param("/dev/orders/x%2f..%2f1", "dev", "/orders/1", id="encoded slashes"),
        pytest.param("/dev/orders/.hidden", "dev", "/orders/.hidden", id="a name with a dot"),
        pytest.param("/dev/orders/..x", "dev", "/orders/..x", id="a name with two dots"),
        pytest.param("/dev/orders/..", "dev", "/", id="up to the root"),
        pytest.param("/dev/.", "dev", "/", id="a dot at the end"),
        pytest.param("/dev/orders/1/x/..", "dev", "/orders/1/", id="up to a folder"),
    ],
)
def test_dot_segments_are_removed_before_anything_is_looked_up(
    make: Make, path: str, stage: str, seen: str
) -> None:
    """RFC 3986 5.2.4, and an encoded dot is a dot."""
    caller = make(
        STAGES.replace('path = "/orders/{id}"', 'path = "/orders"'), {"echo/latest": ECHO}
    )
    status, headers, body = caller.run(raw(caller, path))
    assert (status, headers["x-gateway-stage"]) == (200, stage)
    assert json.loads(body)["path"] == seen


@pytest.mark.parametrize(
    ("path", "seen", "parameter"),
    [
        pytest.param("/dev/orders/caf%C3%A9", "/orders/caf%C3%A9", "café", id="UTF-8"),
        pytest.param("/dev/orders/a%20b", "/orders/a%20b", "a b", id="space"),
        pytest.param("/dev/orders/50%25", "/orders/50%25", "50%", id="percent sign"),
        pytest.param("/dev/orders/a%3Fb", "/orders/a%3Fb", "a?b", id="question mark"),
        pytest.param("/dev/orders/a+b", "/orders/a+b", "a+b", id="plus stays plus"),
        pytest.param("/%64ev/orders/1", "/orders/1", "1", id="encoded stage"),
    ],
)
def test_an_encoded_path_travels_encoded_and_its_parameters_do_not(
    shop: Caller, path: str, seen: str, parameter: str
) -> None:
    """Matching, too, is done with the decoded path."""
    event = shop(path).json()
    assert (event["path"], event["pathParameters"]) == (seen, {"id": parameter})


def test_a_gateway_without_stages_knows_none(make: Make) -> None:
    """The message lists what there is, and there is nothing."""
    caller = make('[service]\nname = "shop"\n')
    answer = caller("/dev/")
    text = "There is no api match default env_mapping[dev]. (value must be none)"
    assert (answer.status_code, answer.json()) == (404, {"message": text})


def test_before_the_first_change_there_is_no_service(make: Make) -> None:
    """A gateway that has nothing yet answers all the same."""
    caller = make('[service]\nname = "shop"\n')
    caller.gateway.live.swap(EMPTY)
    answer = caller("/dev/")
    assert (answer.status_code, answer.headers["x-gateway-revision"]) == (404, "0")
    assert caller("http://dev.localhost/").json() == {
        "message": "There is no api match host[dev.localhost]."
    }


def test_a_web_socket_is_closed_before_it_is_accepted(shop: Caller) -> None:
    """No such API takes one; other kinds of scope are left alone."""
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0)
        return {"type": "websocket.connect"}

    async def send(message: object) -> None:
        sent.append(message)

    plane: Any = shop.gateway.plane
    scope = {"type": "websocket", "path": "/dev/", "headers": [], "query_string": b""}
    shop.run(plane(scope, receive, send))
    shop.run(plane({"type": "lifespan"}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
