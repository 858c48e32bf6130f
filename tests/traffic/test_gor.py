"""GoReplay's files: requests between monkeys, whole or skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.traffic.failures import BadLine
from gateway.traffic.gor import END, looks_like, read_gor
from gateway.traffic.opening import MAX_LINE, open_bytes
from gateway.traffic.recording import Origin, Recorded
from gateway.traffic.skipping import TOO_LONG, Skipped

HEAD = b"1 932079936fa4306fc308d67588178d17d823647c 1439818823587396305 0"
GET = b"GET /a?b=1 HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
NOT_HTTP = "its request is none of HTTP"


def message(payload: bytes, head: bytes = HEAD) -> bytes:
    """A message as the file has it."""
    return head + b"\n" + payload + b"\n" + END + b"\n"


def imported(path: Path, *messages: bytes, strict: bool = False) -> tuple[list[Recorded], Skipped]:
    """The requests of a file, and what was skipped."""
    path.write_bytes(b"".join(messages))
    skipped = Skipped("a.gor", strict=strict)
    with open_bytes(path) as opened:
        return list(read_gor(opened.pieces(END), "a.gor", skipped)), skipped


def test_a_request(tmp_path: Path) -> None:
    """With its time to the nanosecond, as far as a float goes."""
    [request], skipped = imported(tmp_path / "a", message(GET))
    assert request == Recorded(
        at=1439818823587396305 / 1e9,
        method="GET",
        path="/a",
        query="b=1",
        headers=(("Host", "shop"), ("X-Forwarded-For", "192.0.2.1")),
        user="192.0.2.1",
        origin=Origin("a.gor", 1),
    )
    assert (skipped.total, skipped.passed) == (0, {})


BODIES = {
    "a length": (b"Content-Length: 5\r\n\r\na\nb\r\n", b"a\nb\r\n"),
    "chunks": (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
    "monkeys in it": (b"Content-Length: 13\r\n\r\nx" + END, b"x" + END),
    "more behind it": (b"Content-Length: 1\r\n\r\nabc", b"a"),
}


@pytest.mark.parametrize(("rest", "body"), BODIES.values(), ids=BODIES)
def test_bodies(tmp_path: Path, rest: bytes, body: bytes) -> None:
    """Whole, and without the headers that framed them."""
    [request], skipped = imported(tmp_path / "a", message(b"POST /p HTTP/1.1\r\n" + rest))
    assert (request.method, request.body, request.headers) == ("POST", body, ())
    assert skipped.total == 0


def test_answers_are_passed_over(tmp_path: Path) -> None:
    """They are no mistakes, whatever they hold."""
    answer = message(b"HTTP/1.1 200 OK\r\n\r\n", b"2 93 1439818823587996305 99")
    found, skipped = imported(tmp_path / "a", message(GET), answer, answer, strict=True)
    assert [request.origin for request in found] == [Origin("a.gor", 1)]
    assert skipped.passed == {"recorded answers": 2}


def test_an_upgrade_is_a_request(tmp_path: Path) -> None:
    """What follows it is no longer HTTP."""
    rest = b"GET /s HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: y\r\n\r\n\x81\x05"
    [request], _ = imported(tmp_path / "a", message(rest))
    assert (request.path, request.headers) == ("/s", (("X", "y"),))


SKIPPED = {
    "no head": (b"Lorem\nipsum\n" + END + b"\n", "no head of a message of GoReplay"),
    "no time": (message(GET, b"1 ab soon"), "no head of a message of GoReplay"),
    "no HTTP": (message(b"\x16\x03\x01"), NOT_HTTP),
    "a bad header": (message(b"GET / HTTP/1.1\r\na b: c\r\n\r\n"), NOT_HTTP),
    "half a head": (message(b"GET / HTTP/1.1\r\nHost: shop\r"), "its request ends too early"),
    "half a body": (
        message(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab"),
        "its request ends too early",
    ),
    "no path": (message(b"OPTIONS * HTTP/1.1\r\n\r\n"), "its request names no path"),
    "a tunnel": (
        message(b"CONNECT shop:443 HTTP/1.1\r\nHost: shop\r\n\r\n"),
        "its request names no path",
    ),
    "nothing": (message(b""), "its request ends too early"),
    "too long": (message(GET + b"x" * MAX_LINE), TOO_LONG),
}


@pytest.mark.parametrize(("data", "why"), SKIPPED.values(), ids=SKIPPED)
def test_messages_that_are_no_requests_are_counted(tmp_path: Path, data: bytes, why: str) -> None:
    """And those around them are read."""
    found, skipped = imported(tmp_path / "a", message(GET), data, message(GET))
    assert [request.path for request in found] == ["/a", "/a"]
    assert [(text, reason.count) for text, reason in skipped.reasons.items()] == [(why, 1)]


@pytest.mark.parametrize(("data", "why"), SKIPPED.values(), ids=SKIPPED)
def test_such_a_message_stops_a_strict_import(tmp_path: Path, data: bytes, why: str) -> None:
    """With the line that it begins in."""
    with pytest.raises(BadLine, match=f"^a.gor:8: {why}"):
        imported(tmp_path / "a", message(GET), data, strict=True)


def test_the_last_message_may_lack_its_end(tmp_path: Path) -> None:
    """As where GoReplay was stopped."""
    found, skipped = imported(tmp_path / "a", message(GET), HEAD + b"\n" + GET)
    assert (len(found), skipped.total) == (2, 0)


def test_a_head_is_known_when_seen() -> None:
    """And other lines are not."""
    assert looks_like(HEAD)
    assert looks_like(b"3 ab 12 -1\r")
    assert not looks_like(b"4 ab 12")
