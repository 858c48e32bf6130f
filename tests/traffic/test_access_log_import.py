"""Access logs of Apache and nginx: what each line asks for, and lines that ask for nothing."""

from __future__ import annotations

import pytest

from gateway.traffic.access_log import looks_like, read_access_log
from gateway.traffic.failures import BadLine
from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording import Answered, Origin, Recorded
from gateway.traffic.skipping import TOO_LONG, Skipped

AT = 1431857103.0
COMMON = b'192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a?b=1 HTTP/1.1" 200 12'


def line(request: str, *, user: str = "-", more: str = "") -> bytes:
    """A line with a request."""
    text = f'192.0.2.1 - {user} [17/May/2015:10:05:03 +0000] "{request}" 200 12{more}'
    return text.encode("latin-1")


def imported(*lines: bytes) -> tuple[list[Recorded], dict[str, int]]:
    """The requests, and how many lines were skipped by their reasons."""
    skipped = Skipped("log")
    found = list(read_access_log(lines, "log", skipped))
    return found, {why: reason.count for why, reason in skipped.reasons.items()}


def only(data: bytes) -> Recorded:
    """The request of a line."""
    [request], skipped = imported(data)
    assert not skipped
    return request


def test_a_line_in_common_format() -> None:
    """The client is the user, and kept as proxies keep it."""
    assert only(COMMON) == Recorded(
        at=AT,
        method="GET",
        path="/a",
        query="b=1",
        headers=(("X-Forwarded-For", "192.0.2.1"),),
        user="192.0.2.1",
        origin=Origin("log", 1),
        answer=Answered(200),
    )


def test_a_line_in_combined_format() -> None:
    """Referer and user agent are headers."""
    request = only(COMMON + b' "http://shop/" "Agent \\"x\\" \\xc3\\xbc"')
    assert request.headers == (
        ("X-Forwarded-For", "192.0.2.1"),
        ("Referer", "http://shop/"),
        ("User-Agent", 'Agent "x" \xc3\xbc'),
    )


@pytest.mark.parametrize("more", [' "-" "-"', ' "" ""', " 17 x", ""])
def test_nothing_is_no_header(more: str) -> None:
    """What stands behind the known fields is left alone."""
    assert only(line("GET / HTTP/1.1", more=more)).headers == (("X-Forwarded-For", "192.0.2.1"),)


@pytest.mark.parametrize(
    ("user", "told"),
    [("-", "192.0.2.1"), ("bob", "bob"), ("John Doe", "John Doe"), ('""', "192.0.2.1")],
    ids=["nobody", "a name", "a name with a space", "an empty name"],
)
def test_who_has_signed_in_is_the_user(user: str, told: str) -> None:
    """Otherwise it is the address."""
    found, skipped = imported(line("GET / HTTP/1.1", user=user))
    if user == '""':
        assert skipped == {"not in common or combined format": 1}
    else:
        assert (found[0].user, skipped) == (told, {})


def test_a_log_of_several_hosts_names_them_in_front() -> None:
    """As Apache's vhost_combined does."""
    request = only(b"shop.example:443 " + COMMON)
    assert request.headers[0] == ("Host", "shop.example:443")
    assert request.user == "192.0.2.1"


REQUESTS = {
    "no protocol": ("GET /a", ("GET", "/a", "")),
    "another protocol": ("GET /a HTTP/2.0", ("GET", "/a", "")),
    "an unknown method": ("PURGE /a HTTP/1.1", ("PURGE", "/a", "")),
    "a space in the path": ("GET /a b HTTP/1.1", ("GET", "/a%20b", "")),
    "an escaped quote": (r"GET /a\"b HTTP/1.1", ("GET", '/a"b', "")),
    "an escaped byte": (r"GET /\xfc?\xe4 HTTP/1.1", ("GET", "/%FC", "%E4")),
    "an escaped line": (r"GET /a\nb HTTP/1.1", ("GET", "/a%0Ab", "")),
    "a backslash": (r"GET /a\\b HTTP/1.1", ("GET", "/a\\b", "")),
    "a raw byte": ("GET /\xfc HTTP/1.1", ("GET", "/%FC", "")),
    "a fragment": ("GET /a#b HTTP/1.1", ("GET", "/a%23b", "")),
    "an empty query": ("GET /a? HTTP/1.1", ("GET", "/a", "")),
    "a proxy's address": ("GET http://shop/a?b HTTP/1.1", ("GET", "/a", "b")),
}


@pytest.mark.parametrize(("request_line", "asked"), REQUESTS.values(), ids=REQUESTS)
def test_requests(request_line: str, asked: tuple[str, str, str]) -> None:
    """As they travel."""
    request = only(line(request_line))
    assert (request.method, request.path, request.query) == asked


def test_a_proxys_address_names_the_host() -> None:
    """Where no log does."""
    assert only(line("GET http://shop/a HTTP/1.1")).headers[0] == ("Host", "shop")


NOT_HTTP = "its request is none of HTTP"
SKIPPED = {
    "another language": (b"Lorem ipsum", "not in common or combined format"),
    "half a line": (COMMON[:60], "not in common or combined format"),
    "no request": (line("-"), "no request was read"),
    "an empty request": (line(""), "no request was read"),
    "a TLS handshake": (line(r"\x16\x03\x01\x02"), NOT_HTTP),
    "only a method": (line("GET"), NOT_HTTP),
    "a request of everything": (line("OPTIONS * HTTP/1.1"), "its request names no path"),
    "a tunnel": (line("CONNECT shop:443 HTTP/1.1"), "its request names no path"),
    "no time": (COMMON.replace(b"May", b"Mai"), "its time is none"),
    "a long line": (COMMON + b" " * MAX_LINE, TOO_LONG),
    "NULs": (b"\0" * 100, "not in common or combined format"),
}


@pytest.mark.parametrize(("data", "why"), SKIPPED.values(), ids=SKIPPED)
def test_lines_that_ask_for_nothing_are_counted(data: bytes, why: str) -> None:
    """And those around them are read."""
    found, skipped = imported(COMMON, data, b"", COMMON)
    assert [request.origin for request in found] == [Origin("log", 1), Origin("log", 4)]
    assert skipped == {why: 1}


@pytest.mark.parametrize(("data", "why"), SKIPPED.values(), ids=SKIPPED)
def test_such_a_line_stops_a_strict_import(data: bytes, why: str) -> None:
    """With its file and its number."""
    requests = read_access_log([COMMON, data, COMMON], "log", Skipped("log", strict=True))
    assert next(requests).origin == Origin("log", 1)
    with pytest.raises(BadLine) as refused:
        next(requests)
    assert str(refused.value).startswith(f"log:2: {why}")


def test_a_line_of_an_access_log_is_known_when_seen() -> None:
    """And others are not."""
    assert looks_like(COMMON)
    assert not looks_like(b'{"time": 1}')


def test_a_status_beyond_http_is_no_answer() -> None:
    """As 000, which stands where nobody was answered."""
    assert only(COMMON.replace(b" 200 ", b" 000 ")).answer is None
