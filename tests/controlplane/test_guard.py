"""The guard alone, around an application that answers everything."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from gateway.controlplane.guard import HEADERS, Guard

HOST = ("host", "127.0.0.1:8081")
JSON = ("content-type", "application/json")
SOME = ("content-length", "2")

Fields = list[tuple[str, str]]


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: list[tuple[bytes, bytes]]
    code: str


def ask(
    guard: Guard, headers: Fields, method: str = "GET", path: str = "/api/snapshot"
) -> Answered:
    """One request through the guard."""
    sent: list[Message] = []
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("the guard reads no body")

    asyncio.run(guard(scope, receive, send))
    start, body = sent
    told = json.loads(body["body"]) if start["status"] >= 400 else {}
    return Answered(start["status"], start["headers"], told.get("code", ""))


async def welcome(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers everything, with a policy of its own."""
    fields = [(b"Content-Security-Policy", b"default-src 'self'")]
    await send({"type": "http.response.start", "status": 204, "headers": fields})
    await send({"type": "http.response.body", "body": b""})


OPEN = Guard(welcome, hosts=["gateway.internal", "[fd00::1]"])
CLOSED = Guard(welcome, token="söcret")
LET_IN = (204, "")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("127.0.0.1", 204, id="address"),
        pytest.param("127.0.0.1:1", 204, id="any port"),
        pytest.param("localhost:65535", 204, id="name"),
        pytest.param("LocalHost:8081", 204, id="any case"),
        pytest.param("[::1]:8081", 204, id="IPv6"),
        pytest.param("gateway.internal", 204, id="given"),
        pytest.param("[fd00::1]:8081", 204, id="given IPv6"),
        pytest.param("", 421, id="empty"),
        pytest.param("evil.example", 421, id="foreign"),
        pytest.param("127.0.0.1.evil.example", 421, id="prefix"),
        pytest.param("evil-localhost", 421, id="suffix"),
        pytest.param("localhost.", 421, id="dot"),
        pytest.param("127.0.0.1:", 421, id="no port"),
        pytest.param("127.0.0.1:123456", 421, id="long port"),
        pytest.param("127.0.0.1:80:80", 421, id="two ports"),
        pytest.param("user@127.0.0.1", 421, id="user"),
        pytest.param("127.0.0.1, evil.example", 421, id="list"),
        pytest.param(" 127.0.0.1", 421, id="space"),
        pytest.param("127.0.0.1\n", 421, id="line end"),
        pytest.param("::1", 421, id="bare IPv6"),
        pytest.param("0.0.0.0:8081", 421, id="every address"),
        pytest.param("127.1", 421, id="short address"),
        pytest.param("localhost\u00e9", 421, id="no ASCII"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_only_known_names_are_answered(host: str, status: int, method: str) -> None:
    """Whatever the port; anything odd is another name."""
    answer = ask(OPEN, [("host", host)], method)
    assert (answer.status, answer.code) == (status, "" if status == 204 else "misdirected-host")


@pytest.mark.parametrize("headers", [[], [HOST, HOST]], ids=["missing", "twice"])
def test_a_request_has_one_host(headers: Fields) -> None:
    """None and two are nobody's."""
    assert ask(OPEN, headers)[::2] == (421, "misdirected-host")


@given(st.text(st.characters(max_codepoint=255), max_size=30))
def test_no_other_text_is_a_host(text: str) -> None:
    """Names that are not on the list are refused, whatever they are."""
    known = text.lower().partition(":")[0] in {"127.0.0.1", "localhost", "gateway.internal"}
    assert known or text.startswith("[") or ask(OPEN, [("host", text)]).status == 421


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param([], 204, id="a program"),
        pytest.param([("sec-fetch-site", "same-origin")], 204, id="own page"),
        pytest.param([("sec-fetch-site", "none")], 204, id="typed by the user"),
        pytest.param([("sec-fetch-site", "same-site")], 403, id="another port"),
        pytest.param([("sec-fetch-site", "cross-site")], 403, id="another site"),
        pytest.param([("sec-fetch-site", "Same-Origin")], 403, id="another case"),
        pytest.param([("sec-fetch-site", "")], 403, id="empty"),
        pytest.param(
            [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], 403, id="both"
        ),
        pytest.param([("origin", "http://127.0.0.1:8081")], 204, id="own origin"),
        pytest.param([("origin", "HTTP://127.0.0.1:8081")], 204, id="own origin, loudly"),
        pytest.param([("origin", "http://localhost:8081")], 403, id="another name of it"),
        pytest.param([("origin", "http://127.0.0.1")], 403, id="no port"),
        pytest.param([("origin", "null")], 403, id="null"),
        pytest.param([("origin", "")], 403, id="empty origin"),
        pytest.param(
            [("origin", "http://127.0.0.1:8081"), ("origin", "http://evil.example")],
            403,
            id="two origins",
        ),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_only_own_pages_alter(fields: Fields, status: int, method: str) -> None:
    """Every method that is no read, those included that nobody has heard of."""
    answer = ask(OPEN, [HOST, *fields], method)
    assert (answer.status, answer.code) == (status, "" if status == 204 else "cross-site")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reads_are_let_through_from_anywhere(method: str) -> None:
    """They alter nothing, and another origin cannot see their answers."""
    elsewhere = [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")]
    assert ask(OPEN, [HOST, *elsewhere], method)[::2] == LET_IN


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param([], 204, id="no body"),
        pytest.param([("content-length", "0")], 204, id="empty body"),
        pytest.param([SOME, JSON], 204, id="JSON"),
        pytest.param([SOME, ("content-type", "Application/JSON")], 204, id="any case"),
        pytest.param([SOME, ("content-type", "application/json; charset=UTF-8")], 204, id="UTF-8"),
        pytest.param(
            [SOME, ("content-type", 'application/json;charset="utf-8"')], 204, id="quoted"
        ),
        pytest.param([JSON], 204, id="JSON of no body"),
        pytest.param([SOME], 415, id="no type"),
        pytest.param([("transfer-encoding", "chunked")], 415, id="chunks of no type"),
        pytest.param([SOME, ("content-type", "")], 415, id="empty type"),
        pytest.param([SOME, ("content-type", "text/plain")], 415, id="text"),
        pytest.param([("content-type", "text/plain")], 415, id="text of no body"),
        pytest.param([SOME, ("content-type", "application/json; charset=utf-7")], 415, id="UTF-7"),
        pytest.param([SOME, ("content-type", "text/plain; application/json")], 415, id="hidden"),
        pytest.param([SOME, ("content-type", "application/json, text/plain")], 415, id="list"),
        pytest.param([SOME, ("content-type", "application/jsonp")], 415, id="longer"),
        pytest.param([SOME, ("content-type", "multipart/form-data; boundary=x")], 415, id="form"),
    ],
)
def test_a_body_says_that_it_is_json(fields: Fields, status: int) -> None:
    """No plain form of a page can send that."""
    answer = ask(OPEN, [HOST, *fields], "POST")
    expected = "" if status == 204 else "unsupported-media-type"
    assert (answer.status, answer.code) == (status, expected)


def test_an_operation_may_take_other_bodies() -> None:
    """Code is no JSON."""

    async def accepts(method: str, path: str) -> tuple[str, ...]:
        return ("application/zip",) if (method, path) == ("PUT", "/code") else ("application/json",)

    guard = Guard(welcome, accepts=accepts)
    zipped = [HOST, SOME, ("content-type", "application/zip; version=1")]
    assert ask(guard, zipped, "PUT", "/code").status == 204
    assert ask(guard, zipped, "POST", "/code").status == 415
    assert ask(guard, [HOST, SOME, JSON], "PUT", "/code").status == 415


@pytest.mark.parametrize(
    "name",
    ["Authorization", "content-type", "If-Match", "last-event-id", "x-gateway-actor"],
)
def test_a_header_that_is_there_twice_is_refused(name: str) -> None:
    """Readers would differ about which one counts."""
    assert ask(OPEN, [HOST, (name, "a"), (name.upper(), "a")])[::2] == (400, "bad-header")


@pytest.mark.parametrize(
    ("value", "status"),
    [
        pytest.param("Bearer söcret", 204, id="right"),
        pytest.param("bearer söcret", 204, id="any case"),
        pytest.param("Bearer  söcret ", 204, id="space"),
        pytest.param("Bearer", 401, id="none"),
        pytest.param("", 401, id="empty"),
        pytest.param("Bearer söcre", 401, id="short"),
        pytest.param("Bearer söcrett", 401, id="long"),
        pytest.param("Basic söcret", 401, id="scheme"),
        pytest.param("söcret", 401, id="bare"),
    ],
)
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/snapshot", "/api/x/y"])
def test_a_token_opens_the_api(value: str, status: int, path: str) -> None:
    """And nothing else does."""
    sent = value.encode().decode("latin-1")
    answer = ask(CLOSED, [HOST, ("authorization", sent)], path=path)
    assert (answer.status, answer.code) == (status, "" if status == 204 else "unauthorized")
    if status == 401:
        assert (b"www-authenticate", b"Bearer") in answer.headers


@pytest.mark.parametrize(
    ("path", "status"), [("/healthz", 204), ("/readyz", 204), ("/apiary", 204), ("/api", 401)]
)
def test_health_needs_no_token(path: str, status: int) -> None:
    """Whoever watches the process need not be able to steer it."""
    assert ask(CLOSED, [HOST], path=path).status == status


@pytest.mark.parametrize("headers", [[HOST], []], ids=["answered", "refused"])
def test_every_answer_is_marked(headers: Fields) -> None:
    """Once each; a policy that the application has stays its own."""
    answer = ask(OPEN, headers)
    names = [name.lower() for name, _ in answer.headers]
    assert sorted(set(names)) == sorted(names)
    assert {name for name, _ in HEADERS} <= set(names)
    policies = [value for name, value in answer.headers if name.lower().endswith(b"-policy")]
    assert (b"default-src 'self'" in policies) == (answer.status == 204)
    assert not [name for name in names if name.startswith(b"access-control-")]


def run(kind: str) -> tuple[list[Any], list[Message]]:
    """What the application sees of something that is no request, and what is sent."""
    seen: list[Any] = []
    sent: list[Message] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(Guard(app)({"type": kind}, receive, send))
    return seen, sent


def test_a_lifespan_is_handed_on() -> None:
    """It has no host."""
    assert run("lifespan") == (["lifespan"], [])


def test_a_websocket_is_closed_before_it_is_open() -> None:
    """No origin rule of the browser keeps pages of others from trying one."""
    assert run("websocket") == ([], [{"type": "websocket.close", "code": 1008}])
