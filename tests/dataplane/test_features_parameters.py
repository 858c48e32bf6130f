"""Declared parameters: refused, told to functions, and sent on to HTTP back ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import httpx
import pytest

from gateway.dataplane.asgi import Message, Receive, Scope, Send
from gateway.dataplane.bodies import MAX_EVENT_BODY, read_again
from gateway.dataplane.features import Guards
from gateway.dataplane.forward import HttpForwarder, Passage
from gateway.dataplane.plane import DataPlane
from gateway.dataplane.plans import HttpPlan
from gateway.dice import Dice

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
ECHO = """
async def main_handler(event, context):
    return event
"""
STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[[apis]]
method = "ANY"
path = "/echo/{{id}}"
{backend}
{lines}

[stages.dev]
alias = "$DEFAULT"
"""
FUNCTION = 'function = "echo"\nintegrated = false'
HTTP = 'http = { url = "http://127.0.0.1:9" }'


class Recorder(HttpForwarder):
    """Stands for the way to HTTP back ends: keeps what it was to pass on."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def forward(self, _plan: HttpPlan, passage: Passage, receive: Receive, send: Send) -> int:
        self.scopes.append(passage.scope)
        self.bodies.append((await receive()).get("body", b""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return 200

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.scopes[-1]["query_string"].decode(), keep_blank_values=True)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return [pair for pair in self.scopes[-1]["headers"] if pair[0] != b"host"]


@pytest.fixture
def recorder() -> Recorder:
    """The back end of `declaring`."""
    return Recorder()


Declaring = Callable[..., "Caller"]


@pytest.fixture
def declaring(make: Make, recorder: Recorder) -> Declaring:
    """A gateway with one API that has these parameters."""

    def build(*parameters: str, backend: str = FUNCTION, more: str = "") -> Caller:
        lines = f"parameters = [{', '.join(parameters)}]\n{more}"
        caller = make(STAGES.format(backend=backend, lines=lines), {"echo/latest": ECHO})
        gateway = caller.gateway
        gateway.plane = DataPlane(
            live=gateway.live,
            invoker=gateway.faults,
            draw=Dice(1),
            observer=gateway.observer,
            now=gateway.observer.now,
            new_id=lambda: "0" * 32,
            forwarder=recorder,
            guards=Guards(lambda: 0, lambda: 0.0),
        )
        return caller

    return build


REQUIRED_QUERY = '{ name = "page", in = "query", required = true }'
REQUIRED_HEADER = '{ name = "X-User", in = "header", required = true }'
REQUIRED_BODY = '{ name = "sum", in = "body", required = true }'
NUMBER = '{ name = "page", in = "query", type = "int" }'


@pytest.mark.parametrize(
    ("parameter", "request_", "text"),
    [
        pytest.param(REQUIRED_QUERY, {}, "querystring page is required.", id="query"),
        pytest.param(REQUIRED_HEADER, {}, "header X-User is required.", id="header"),
        pytest.param(
            REQUIRED_BODY,
            {"headers": FORM, "content": b"other=1"},
            "body param sum is required.",
            id="body",
        ),
        pytest.param(REQUIRED_BODY, {}, "body param sum is required.", id="no body"),
        pytest.param(
            REQUIRED_BODY,
            {"headers": {"content-type": "application/json"}, "content": b'{"sum": 1}'},
            "req content type need application/x-www-form-urlencoded.",
            id="another kind of body",
        ),
        pytest.param(
            REQUIRED_BODY,
            {"headers": FORM, "content": b"sum=" + b"1" * MAX_EVENT_BODY},
            "Get body params fail.",
            id="a body that is too long",
        ),
        pytest.param(NUMBER, {"query": "page=x"}, "Get page params fail.", id="no number"),
        pytest.param(
            '{ name = "id", in = "path", type = "boolean" }', {}, "Get id params fail.", id="path"
        ),
    ],
)
@pytest.mark.parametrize("backend", [FUNCTION, HTTP], ids=["function", "http"])
def test_a_request_without_what_is_required_is_refused(
    *,
    declaring: Declaring,
    recorder: Recorder,
    backend: str,
    parameter: str,
    request_: dict[str, Any],
    text: str,
) -> None:
    """In the cloud's words, and no back end hears of it."""
    caller = declaring(parameter, backend=backend)
    more = {key: value for key, value in request_.items() if key != "query"}
    answer = caller(f"/dev/echo/7?{request_.get('query', '')}", "POST", **more)
    assert (answer.status_code, answer.json()) == (403, {"message": text})
    assert recorder.scopes == []


@pytest.mark.parametrize(
    ("parameter", "request_"),
    [
        pytest.param(REQUIRED_QUERY, {"query": "page="}, id="empty"),
        pytest.param(REQUIRED_HEADER, {"headers": {"x-USER": "Bob"}}, id="in any case"),
        pytest.param(REQUIRED_BODY, {"headers": FORM, "content": b"a=1&sum=%31"}, id="form"),
        pytest.param(NUMBER, {}, id="not there and not required"),
        pytest.param('{ name = "page", in = "body" }', {}, id="no body and not required"),
    ],
)
def test_a_request_with_what_is_required_passes(
    declaring: Declaring, parameter: str, request_: dict[str, Any]
) -> None:
    """A function gets its body as it came."""
    query = request_.get("query", "")
    more = {key: value for key, value in request_.items() if key != "query"}
    answer = declaring(parameter)(f"/dev/echo/7?{query}", "POST", **more)
    assert answer.status_code == 200
    assert answer.json().get("body", "").encode() == more.get("content", b"")


def test_a_function_is_told_its_declared_parameters(declaring: Declaring) -> None:
    """Under the names of the API; what is not declared is only among all the others."""
    caller = declaring(
        '{ name = "X-User", in = "header" }',
        '{ name = "page", in = "query", default = "1", type = "int" }',
        '{ name = "size", in = "query" }',
    )
    event = caller("/dev/echo/7?other=2", headers={"x-user": "Bob", "x-other": "x"}).json()
    assert event["headerParameters"] == {"X-User": "Bob"}
    assert event["queryStringParameters"] == {"page": "1"}
    assert event["queryString"] == {"other": "2"}
    assert event["pathParameters"] == {"id": "7"}
    assert event["headers"]["x-other"] == "x"


def test_an_http_back_end_is_sent_what_the_api_says(
    declaring: Declaring, recorder: Recorder
) -> None:
    """Moved, by default, and constants, which no caller can send itself."""
    caller = declaring(
        '{ name = "X-User", in = "header", to = { name = "user", in = "query" } }',
        '{ name = "page", in = "query", to = { name = "X-Page", in = "header" } }',
        '{ name = "id", in = "path", to = { name = "id", in = "query" } }',
        '{ name = "size", in = "query", default = "a b" }',
        '{ name = "X-Lang", in = "header", default = "en" }',
        backend=HTTP,
        more='constants = [{ name = "key", in = "query", value = "s&t" }, '
        '{ name = "X-From", in = "header", value = "gateway" }]',
    )
    headers = {"X-User": "Bob", "x-from": "caller", "x-kept": "1"}
    answer = caller("/dev/echo/7?page=3&key=stolen&kept=%20x&flag", headers=headers)
    assert answer.status_code == 200
    assert recorder.query == [
        ("kept", " x"),
        ("flag", ""),
        ("key", "s&t"),
        ("user", "Bob"),
        ("id", "7"),
        ("size", "a b"),
    ]
    assert recorder.scopes[-1]["query_string"].startswith(b"kept=%20x&flag&")
    assert recorder.headers == [
        (b"x-kept", b"1"),
        (b"x-from", b"gateway"),
        (b"x-page", b"3"),
        (b"x-lang", b"en"),
    ]


def test_what_a_caller_sends_wins_over_defaults(declaring: Declaring, recorder: Recorder) -> None:
    """And stays where it is."""
    caller = declaring(
        '{ name = "size", in = "query", default = "1" }',
        '{ name = "X-Lang", in = "header", default = "en" }',
        backend=HTTP,
    )
    caller("/dev/echo/7?size=2", headers={"x-lang": "de"})
    assert recorder.query == [("size", "2")]
    assert recorder.headers == [(b"x-lang", b"de")]


def test_an_http_back_end_gets_a_form_that_was_read(
    declaring: Declaring, recorder: Recorder
) -> None:
    """As it came."""
    caller = declaring(REQUIRED_BODY, backend=HTTP)
    caller("/dev/echo/7", "POST", headers=FORM, content=b"sum=%31")
    assert recorder.bodies == [b"sum=%31"]


def test_after_a_body_that_was_read_comes_what_came_after_it() -> None:
    """Whoever waits for the caller to leave learns it."""

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def both() -> list[str]:
        again = read_again(b"sum=1", receive)
        return [(await again())["type"], (await again())["type"]]

    assert asyncio.run(both()) == ["http.request", "http.disconnect"]


def test_constants_need_no_parameters(make: Make) -> None:
    """A file may have either."""
    lines = 'constants = [{ name = "a", in = "query", value = "1" }]'
    caller = make(STAGES.format(backend=HTTP, lines=lines), {"echo/latest": ECHO})
    answer: httpx.Response = caller("/dev/echo/7")
    assert answer.status_code == 502  # nobody listens on port 9


def test_a_caller_that_leaves_within_a_form_is_not_answered(declaring: Declaring) -> None:
    """There is nobody to answer."""
    caller = declaring(REQUIRED_BODY)
    sent: list[Message] = []
    coming: list[Message] = [
        {"type": "http.request", "body": b"su", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/dev/echo/7",
        "raw_path": b"/dev/echo/7",
        "query_string": b"",
        "headers": [(b"content-length", b"5"), (b"content-type", FORM["content-type"].encode())],
        "client": ("10.0.0.7", 1),
    }
    caller.run(caller.gateway.plane(scope, receive, send))
    assert sent == []
