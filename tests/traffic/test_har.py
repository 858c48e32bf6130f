"""HAR files: whatever browsers write, as far as it can be sent."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from gateway.traffic.failures import BadLine, Unreadable
from gateway.traffic.har import MAX_ENTRY, read_har
from gateway.traffic.recording import Answered, Origin, Recorded
from gateway.traffic.skipping import Skipped

Entry = dict[str, Any]


class Stream(io.BytesIO):
    """A file in memory."""

    file = "shop.har"


def entry(*, at: object = "2015-12-20T10:03:36.694Z", **request: object) -> Entry:
    """An entry with a request."""
    asked = {"method": "GET", "url": "https://shop.example/a?b=1", "headers": [], **request}
    return {"startedDateTime": at, "request": asked}


def har(*entries: object) -> bytes:
    """A whole document."""
    log = {"version": "1.2", "creator": {"name": "x"}, "pages": [{}], "entries": entries}
    return json.dumps({"log": log}).encode()


def imported(data: bytes, *, strict: bool = False) -> tuple[list[Recorded], dict[str, int]]:
    """The requests, and how many entries were skipped by their reasons."""
    skipped = Skipped("shop.har", strict=strict)
    found = list(read_har(Stream(data), skipped))
    return found, {why: reason.count for why, reason in skipped.reasons.items()}


def only(one: Entry) -> Recorded:
    """The request of an entry."""
    [request], skipped = imported(har(one))
    assert not skipped
    return request


def test_an_entry() -> None:
    """With how it was answered then."""
    one = entry(
        headers=[
            {"name": "User", "value": "Bob"},
            {"name": "X-Forwarded-For", "value": "192.0.2.1, 192.0.2.2"},
        ]
    )
    request = only(one | {"response": {"status": 304}, "time": 250})
    assert request == Recorded(
        at=1450605816.694,
        method="GET",
        path="/a",
        query="b=1",
        headers=(
            ("Host", "shop.example"),
            ("User", "Bob"),
            ("X-Forwarded-For", "192.0.2.1, 192.0.2.2"),
        ),
        user="192.0.2.1",
        origin=Origin("shop.har", 1),
        answer=Answered(304, 0.25),
    )


BODIES: dict[str, tuple[object, bytes]] = {
    "text": ({"mimeType": "application/json", "text": '{"a": "ü"}'}, '{"a": "ü"}'.encode()),
    "base64": ({"text": "/w==", "encoding": "base64"}, b"\xff"),
    "no base64 after all": ({"text": "a b", "encoding": "base64"}, b"a b"),
    "half a surrogate pair": ({"text": "\ud800"}, b"?"),
    "a form": (
        {"params": [{"name": "a", "value": "b c"}, {"name": "d"}, {"value": "e"}, 7]},
        b"a=b+c&d=",
    ),
    "nothing": ({}, b""),
    "null": (None, b""),
    "a number": ({"text": 7}, b""),
}


@pytest.mark.parametrize(("data", "body"), BODIES.values(), ids=BODIES)
def test_bodies(data: object, body: bytes) -> None:
    """As they were sent, or as near as the file has them."""
    assert only(entry(method="POST", postData=data)).body == body


def test_headers_of_http_2() -> None:
    """The authority is the host; other names with a colon and framing are none of the request."""
    names = [":authority", ":method", ":path", "content-length", "x"]
    request = only(entry(headers=[{"name": name, "value": "v"} for name in names]))
    assert request.headers == (("Host", "v"), ("x", "v"))


def test_headers_that_are_none_are_left_out() -> None:
    """And so are lists that are none."""
    odd = [{"name": "a"}, {"value": "b"}, 7, None, {"name": 1, "value": 2}]
    assert only(entry(headers=odd)).headers == (("Host", "shop.example"),)
    assert only(entry(headers=None)).headers == (("Host", "shop.example"),)


def test_text_in_headers_is_kept_byte_by_byte() -> None:
    """As UTF-8."""
    assert only(entry(headers=[{"name": "X", "value": "ü"}])).headers[1] == ("X", "\xc3\xbc")


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({}, None),
        ({"response": {"status": 0}}, None),
        ({"response": {"status": 200}, "time": -1}, Answered(200)),
        ({"response": {"status": 200}, "time": "1"}, Answered(200)),
        ({"response": {"status": 200}}, Answered(200)),
    ],
    ids=["no answer", "an aborted one", "no time", "a time as text", "no time at all"],
)
def test_answers(more: Entry, answer: Answered | None) -> None:
    """Only what is known of them."""
    assert only(entry() | more).answer == answer


def test_a_byte_order_mark_is_read_past() -> None:
    """Some browsers write one."""
    assert len(imported(b"\xef\xbb\xbf" + har(entry()))[0]) == 1


NO_ADDRESS = "no method or no address"
SKIPPED: dict[str, tuple[object, str]] = {
    "no table": (7, NO_ADDRESS),
    "no request": ({"startedDateTime": "2015-12-20"}, NO_ADDRESS),
    "no method": (entry(method=None), NO_ADDRESS),
    "a method that is none": (entry(method="get it"), NO_ADDRESS),
    "no address": (entry(url=["x"]), NO_ADDRESS),
    "an address of another kind": (entry(url="data:text/plain,x"), "its address is none of HTTP"),
    "no time": (entry(at=None), "its time is none"),
    "another time": (entry(at="yesterday"), "its time is none"),
}


@pytest.mark.parametrize(("odd", "why"), SKIPPED.values(), ids=SKIPPED)
def test_entries_that_cannot_be_sent_are_counted(odd: object, why: str) -> None:
    """And those around them are read."""
    found, skipped = imported(har(entry(), odd, entry()))
    assert [request.origin for request in found] == [Origin("shop.har", 1), Origin("shop.har", 3)]
    assert skipped == {why: 1}


@pytest.mark.parametrize(("odd", "why"), SKIPPED.values(), ids=SKIPPED)
def test_such_an_entry_stops_a_strict_import(odd: object, why: str) -> None:
    """With its number."""
    with pytest.raises(BadLine, match=f"^shop.har:2: {why}"):
        imported(har(entry(), odd), strict=True)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"log": []}', b'{"log": {"entries": {}}}', har()],
    ids=["nothing", "no log", "a list", "an empty log", "a table of entries", "no entries"],
)
def test_a_document_without_entries_is_refused(data: bytes) -> None:
    """With what one looks like."""
    with pytest.raises(Unreadable, match=r"^shop.har: it (has no entries|is no JSON)"):
        imported(data)


@pytest.mark.parametrize(
    "end",
    [b"", b"\xff", b'{"a": "\xff"}', b"}", b"1e999999", b"[" * 100_000, b"\0"],
    ids=["cut", "a byte", "a byte in a text", "a brace", "a number", "depth", "NUL"],
)
def test_a_document_that_breaks_off_says_where(end: bytes) -> None:
    """After everything that could be read of it."""
    whole = har(entry(), entry())
    requests = read_har(Stream(whole[:-3] + b", " + end), Skipped("shop.har"))
    assert [next(requests).origin for _ in range(2)] == [Origin("shop.har", n) for n in (1, 2)]
    with pytest.raises(Unreadable, match=r"^shop.har: it is no JSON behind entry 2: "):
        list(requests)


def test_a_long_entry_is_not_held() -> None:
    """Others may be as long as they like together."""

    class Endless:
        """A file that never ends."""

        file = "shop.har"

        def __init__(self) -> None:
            self.asked = 0
            self._begin = har(entry())[:-3] + b', {"x": "'

        def read(self, size: int, /) -> bytes:
            begin, self._begin = self._begin[:size], self._begin[size:]
            self.asked += size
            return begin or b"x" * size

    stream = Endless()
    requests = read_har(stream, Skipped("shop.har"))
    assert next(requests).path == "/a"
    with pytest.raises(Unreadable, match=f"entry 2 is longer than {MAX_ENTRY} bytes"):
        next(requests)
    assert stream.asked < MAX_ENTRY + 3_000_000
