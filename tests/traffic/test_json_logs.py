"""Logs of JSON lines: nginx's under the names that people give, and the gateway's own."""

from __future__ import annotations

import json

import pytest

from gateway.traffic.failures import BadLine
from gateway.traffic.json_logs import fields_of, is_invocation, looks_like, read_json_log
from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording import Answered, Origin, Recorded
from gateway.traffic.skipping import TOO_LONG, Skipped

LEAST = {"time": 1, "method": "GET", "path": "/a"}


def imported(*lines: object, strict: bool = False) -> tuple[list[Recorded], dict[str, int]]:
    """The requests, and how many lines were skipped by their reasons."""
    data = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    skipped = Skipped("a.json", strict=strict)
    found = list(read_json_log(data, "a.json", skipped))
    return found, {why: reason.count for why, reason in skipped.reasons.items()}


def only(**fields: object) -> Recorded:
    """The request of a line."""
    [request], skipped = imported(fields)
    assert not skipped
    return request


def test_a_line_of_nginx() -> None:
    """With the names that nginx has for its variables."""
    request = only(
        time_iso8601="1970-01-01T00:00:01+00:00",
        remote_addr="192.0.2.1",
        remote_user="",
        request="POST /a?b=1 HTTP/1.1",
        status="200",
        request_time="0.250",
        http_host="shop",
        http_user_agent="Agent",
        http_x_user="Bób",
        http_cookie="-",
        http_content_length="3",
        request_body='{"a":1}',
        body_bytes_sent=7,
    )
    assert request == Recorded(
        at=1.0,
        method="POST",
        path="/a",
        query="b=1",
        headers=(
            ("Host", "shop"),
            ("User-Agent", "Agent"),
            ("X-User", "B\xc3\xb3b"),
            ("X-Forwarded-For", "192.0.2.1"),
        ),
        body=b'{"a":1}',
        user="192.0.2.1",
        origin=Origin("a.json", 1),
        answer=Answered(200, 0.25),
    )


def test_a_line_of_the_gateways_own_log() -> None:
    """It says which version answered, and why."""
    request = only(
        at="1970-01-01T00:00:01Z",
        request_id="5f0c",
        stage="release",
        method="GET",
        path="/orders/1",
        query="a=b",
        headers={"User": "Bob"},
        function="orders",
        alias="release",
        version="2",
        reason="weight",
        revision=3,
        status=200,
        seconds=0.01,
        user="Bob",
    )
    assert request == Recorded(
        at=1.0,
        method="GET",
        path="/orders/1",
        query="a=b",
        headers=(("User", "Bob"),),
        user="Bob",
        origin=Origin("a.json", 1),
        stage="release",
        answer=Answered(200, 0.01, "2", "weight", 3),
    )


ASKED: dict[str, tuple[dict[str, object], tuple[str, str, str]]] = {
    "parts": ({"request_method": "PUT", "uri": "/a", "args": "b=ü"}, ("PUT", "/a", "b=%C3%BC")),
    "a target with a query": ({"verb": "GET", "url": "/a?b", "query": "c"}, ("GET", "/a", "b")),
    "a query with its mark": ({"method": "GET", "path": "/", "query": "?b"}, ("GET", "/", "b")),
    "a request without a protocol": ({"request": "GET /a"}, ("GET", "/a", "")),
    "a path with a space": ({"request": "GET /a b HTTP/1.0"}, ("GET", "/a%20b", "")),
    "a path beside a request": ({"request": "GET /a HTTP/1.0", "path": "/b"}, ("GET", "/b", "")),
    "a method beside a request": ({"request": "GET /a HTTP/1", "verb": "PUT"}, ("PUT", "/a", "")),
    "a whole address": ({"method": "GET", "url": "http://shop/a"}, ("GET", "/a", "")),
}


@pytest.mark.parametrize(("fields", "asked"), ASKED.values(), ids=ASKED)
def test_requests(fields: dict[str, object], asked: tuple[str, str, str]) -> None:
    """Wherever their parts stand."""
    request = only(msec="1.5", **fields)
    assert (request.method, request.path, request.query) == asked
    assert request.at == 1.5


HEADERS: dict[str, tuple[object, tuple[tuple[str, str], ...]]] = {
    "a table": ({"A": "b", "C": 1}, (("A", "b"),)),
    "pairs": ([["A", "b"], ["C"], 7, ["D", None], [1, "e"]], (("A", "b"),)),
    "a text": ("A: b", ()),
    "framing": ({"Content-Length": "3"}, ()),
}


@pytest.mark.parametrize(("headers", "kept"), HEADERS.values(), ids=HEADERS)
def test_headers(headers: object, kept: tuple[tuple[str, str], ...]) -> None:
    """As a table or as pairs."""
    assert only(**LEAST, headers=headers).headers == kept


ANSWERS: dict[str, tuple[dict[str, object], Answered | None]] = {
    "nothing": ({}, None),
    "a status that is none": ({"status": 0}, None),
    "no number": ({"status": "ok", "seconds": "-", "revision": []}, None),
    "endless": ({"status": "inf", "seconds": "nan"}, None),
    "a large number": ({"status": 10**400}, None),
    "time before the beginning": ({"seconds": -1, "revision": -1}, None),
    "the version alone": ({"version": "2"}, Answered(version="2")),
    "another name": ({"response_code": 404, "duration": 1}, Answered(404, 1.0)),
}


@pytest.mark.parametrize(("fields", "answer"), ANSWERS.values(), ids=ANSWERS)
def test_answers(fields: dict[str, object], answer: Answered | None) -> None:
    """Only what is known of them."""
    assert only(**LEAST, **fields).answer == answer


NO_REQUEST = "no request of HTTP"
SKIPPED: dict[str, tuple[object, str]] = {
    "no JSON": (b"{", "no JSON object"),
    "no object": ([], "no JSON object"),
    "deep": (b'{"a":' * 200_000, "no JSON object"),
    "NULs": (b"\0" * 10, "no JSON object"),
    "no request": ({"time": 1}, NO_REQUEST),
    "an empty request": ({"time": 1, "request": "-"}, NO_REQUEST),
    "a handshake": ({"time": 1, "request": "\x16\x03"}, NO_REQUEST),
    "no path": ({"time": 1, "request": "OPTIONS * HTTP/1.1"}, "its request names no path"),
    "no time": ({"method": "GET", "path": "/"}, "its time is none"),
    "another time": (LEAST | {"time": "soon"}, "its time is none"),
    "a long line": (b" " * (MAX_LINE + 1), TOO_LONG),
}


@pytest.mark.parametrize(("line", "why"), SKIPPED.values(), ids=SKIPPED)
def test_lines_that_are_no_requests_are_counted(line: object, why: str) -> None:
    """And those around them are read."""
    found, skipped = imported(LEAST, line, b"", LEAST)
    assert [request.origin for request in found] == [Origin("a.json", 1), Origin("a.json", 4)]
    assert skipped == {why: 1}


@pytest.mark.parametrize(("line", "why"), SKIPPED.values(), ids=SKIPPED)
def test_such_a_line_stops_a_strict_import(line: object, why: str) -> None:
    """With its number."""
    with pytest.raises(BadLine, match=rf"^a.json:2: {why}"):
        imported(LEAST, line, strict=True)


def test_what_the_gateways_log_has_besides() -> None:
    """Invocations by name are no requests; a body that was cut cannot be sent again."""
    own = LEAST | {"version": "2", "reason": "main", "source": "http", "body_cut": False}
    called = own | {"source": "invoke", "method": "", "path": ""}
    skipped = Skipped("a.json")
    data = [json.dumps(each).encode() for each in (own, called, own | {"body_cut": True})]
    assert len(list(read_json_log(data, "a.json", skipped))) == 1
    assert skipped.passed == {"invocations that no request of HTTP made": 1}
    assert skipped.sentences() == ["1 skipped, its body was cut when it was logged: line 3"]


def test_bytes_that_are_no_text_are_replaced() -> None:
    """As nginx writes them when it escapes nothing."""
    [request], _ = imported(b'{"time": 1, "request": "GET /\xff HTTP/1.1"}')
    assert request.path == "/%EF%BF%BD"


def test_logs_are_known_when_seen() -> None:
    """By the parts that a request has."""
    own = LEAST | {"version": "2", "reason": "main"}
    assert [looks_like(LEAST), is_invocation(LEAST), is_invocation(own)] == [True, False, True]
    assert not looks_like({"log": {}})
    assert fields_of(b"7") is None
