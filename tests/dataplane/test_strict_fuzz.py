"""Requests at random, against a reader that knows nothing but the standard: never two readings.

What the server takes, the strict reader must have read in the same way, request by request; what
the strict reader refuses, the server must not take. In how many pieces bytes come never matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dataplane.asgi import Scope
from gateway.dataplane.exchange import Exchange
from gateway.dataplane.limits import Limits
from gateway.dataplane.overload import Load
from gateway.dataplane.reader import HALF, RequestReader

BODY: Final = 200
LIMITS: Final = Limits(line=300, head=600, headers=8, body=BODY)


class Seen(NamedTuple):
    """One request as somebody read it."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Refused(Exception):
    """The strict reader takes nothing more."""


# --- a reader made of the grammar of RFC 9112, section by section ----------------------------

_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TEXT: Final = rb"[!-~\x80-\xff]"
_LINE: Final = re.compile(rb"(" + _TOKEN + rb") (/[!-~]*) HTTP/1\.([01])")
_FIELD: Final = re.compile(
    rb"(" + _TOKEN + rb"):[ \t]*((?:" + _TEXT + rb"(?:[ \t!-~\x80-\xff]*" + _TEXT + rb")?)?)[ \t]*"
)
_HOST: Final = re.compile(
    rb"(?:(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?"
)
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]+)(?:;[\t -~\x80-\xff]*)?")


def lines(data: bytes, at: int) -> Iterator[tuple[bytes, int]]:
    """Lines that end as lines must, and where each ends; incomplete ones are not there."""
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return
        yield data[at:end], end + 2
        at = end + 2


def strict(data: bytes) -> tuple[list[Seen], bool]:
    """Every complete request at the beginning, and whether what follows is refused."""
    seen: list[Seen] = []
    at = 0
    try:
        while (found := _request(data, at)) is not None:
            request, at, last = found
            seen.append(request)
            if last:
                break
    except Refused:
        return seen, True
    return seen, False


def _request(data: bytes, at: int) -> tuple[Seen, int, bool] | None:
    while data.startswith(b"\r\n", at):
        at += 2
    head: list[bytes] = []
    for row, end in lines(data, at):
        at = end
        if not row:
            break
        head.append(row)
    else:
        return None
    found = _LINE.fullmatch(head[0])
    if found is None or b"#" in found[2] or len(head[0]) > LIMITS.line:
        raise Refused
    fields = _fields(head[1:])
    body = _body(fields, found[3], data, at)
    if body is None:
        return None
    named = tuple((name.lower(), value) for name, value in fields)
    return Seen(found[1], found[2], named, body[0]), body[1], _is_last(named, found[3])


def _fields(rows: list[bytes]) -> list[tuple[bytes, bytes]]:
    fields: list[tuple[bytes, bytes]] = []
    for row in rows:
        found = _FIELD.fullmatch(row)
        if found is None:
            raise Refused
        fields.append((found[1], found[2]))
    if len(fields) > LIMITS.headers or sum(len(n) + len(v) + 4 for n, v in fields) > LIMITS.head:
        raise Refused
    return fields


def _all(fields: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for each, value in fields if each.lower() == name]


def _body(
    fields: list[tuple[bytes, bytes]], minor: bytes, data: bytes, at: int
) -> tuple[bytes, int] | None:
    hosts, lengths = _all(fields, b"host"), _all(fields, b"content-length")
    codings = _all(fields, b"transfer-encoding")
    if len(hosts) > 1 or (minor == b"1" and not hosts):
        raise Refused
    for host in hosts:
        found = _HOST.fullmatch(host)
        if found is None or int(found[1] or 0) > 65535:
            raise Refused
    if codings:
        if lengths or minor == b"0" or [each.lower() for each in codings] != [b"chunked"]:
            raise Refused
        return _chunks(data, at)
    if not lengths:
        return b"", at
    if len(lengths) > 1 or not lengths[0].isdigit() or int(lengths[0]) > BODY:
        raise Refused
    end = at + int(lengths[0])
    return (data[at:end], end) if len(data) >= end else None


def _chunks(data: bytes, at: int) -> tuple[bytes, int] | None:
    body = b""
    while (size := next(lines(data, at), None)) is not None:
        found = _CHUNK.fullmatch(size[0])
        if found is None or len(found[1]) > 16:
            raise Refused
        at, length = size[1], int(found[1], 16)
        if not length:
            end = _trailers(data, at)
            return None if end is None else (body, end)
        body += data[at : at + length]
        at += length + 2
        if len(body) > BODY or data[at - 2 : at] not in {b"", b"\r", b"\r\n"}:
            raise Refused
    return None


def _trailers(data: bytes, at: int) -> int | None:
    rows: list[bytes] = []
    for row, end in lines(data, at):
        if not row:
            trailers = {name.lower() for name, _ in _fields(rows)}
            if trailers & {b"host", b"content-length", b"transfer-encoding", b"expect"}:
                raise Refused
            return end
        rows.append(row)
    return None


def _is_last(fields: tuple[tuple[bytes, bytes], ...], minor: bytes) -> bool:
    options = [
        option.strip().lower()
        for name, value in fields
        if name == b"connection"
        for option in value.split(b",")
    ]
    return minor == b"0" or b"close" in options or b"upgrade" in options


# --- the server's reader ------------------------------------------------------------------------


class Reading(RequestReader):
    """Reads, and keeps what it read."""

    state: Any = None
    load = Load(1)
    writing_paused = False

    def __init__(self) -> None:
        super().__init__(LIMITS, frozenset())
        self.read_so_far: list[tuple[Scope, Exchange]] = []

    def opened(self, exchange: Exchange, scope: Scope) -> None:
        self.read_so_far.append((scope, exchange))

    def pause_reading(self) -> None:
        """Nothing is held back here."""

    def seen(self) -> list[Seen]:
        """Every complete request."""
        whole = []
        for scope, exchange in self.read_so_far:
            if not exchange.more_body:
                query = b"?" + scope["query_string"] if scope["query_string"] else b""
                whole.append(
                    Seen(
                        scope["method"].encode(),
                        scope["raw_path"] + query,
                        tuple(scope["headers"]),
                        bytes(exchange._body or b""),
                    )
                )
        return whole


def given_to_the_server(*pieces: bytes) -> tuple[list[Seen], bool]:
    """Every complete request, and whether what follows is refused."""
    reading = Reading()
    for piece in pieces:
        status = reading.read(piece)
        if status not in {0, HALF}:
            return reading.seen(), status > 0
    return reading.seen(), False


# --- requests at random -------------------------------------------------------------------------

METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH"])
TARGETS = st.sampled_from([b"/", b"/a", b"/a?b", b"/a/../b?c=d", b"//x", b"/%2e%2e/", b"/a?b=/c"])
FIELDS = st.sampled_from([
    b"Host: h", b"Host: h:80", b"Host: [::1]:80", b"Host:", b"Host: a b", b"Host : h", b"A: b",
    b"A:", b"Content-Length: 3", b"Content-Length: 0", b"Content-Length: 03",
    b"Content-Length: 3, 3", b"Content-Length: +3", b"Content-Length:3 ", b"Content-Length: 201",
    b"Content-Length: 3x", b"Transfer-Encoding: chunked", b"Transfer-Encoding: Chunked",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding:\tchunked ", b"transfer-encoding: x", b"Transfer_Encoding: chunked",
    b"Connection: close", b"Connection: keep-alive", b"X: \xff\xfe", b" folded", b"\tfolded",
    b"no colon", b"X: a\rb", b"X: a\nb", b"X: a\0b", b"X: " + b"a" * 100,
])  # fmt: skip
BODIES = st.sampled_from([
    b"", b"abc", b"abcd", b"0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"3;x=y\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabc\r\n0\r\nA: b\r\n\r\n", b"3\nabc\n0\n\n", b"3 \r\nabc\r\n0\r\n\r\n",
    b"-3\r\nabc\r\n0\r\n\r\n",
    b"3\r\nabcd\r\n0\r\n\r\n", b"0\r\nContent-Length: 3\r\n\r\n",
    b"C9\r\n" + b"a" * 201 + b"\r\n0\r\n\r\n",
    b"00000003\r\nabc\r\n00\r\n\r\n", b"fffffffffffffffff\r\n", b"0x3\r\nabc\r\n0\r\n\r\n",
])  # fmt: skip
VERSIONS = st.sampled_from(
    [b" HTTP/1.1"] * 6 + [b" HTTP/1.0", b" HTTP/2.0", b"", b" http/1.1", b"  HTTP/1.1"]
)
ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b"\r\n\r\n"])


PIECES = st.sampled_from([
    b"", b"\r", b"\n", b"\0", b" ", b"\t", b":", b",", b"\r\n", b"#", b"0", b"\x7f", b"\xe4", b";",
    b"/", b"\x0b",
])  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request; most are nearly right."""
    fields = draw(st.lists(FIELDS, max_size=5))
    if draw(st.integers(0, 5)):
        fields.insert(draw(st.integers(0, len(fields))), b"Host: h")
    line = draw(METHODS) + b" " + draw(TARGETS) + draw(VERSIONS)
    return b"".join(row + draw(ENDS) for row in (line, *fields)) + draw(ENDS) + draw(BODIES)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Some requests behind one another, with a few bytes changed."""
    data = bytearray(b"".join(draw(st.lists(requests(), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(PIECES)
    return bytes(data)


@settings(max_examples=4 * settings().max_examples)
@given(streams())
def test_what_the_server_takes_a_strict_reader_reads_in_the_same_way(data: bytes) -> None:
    """And what that refuses is not taken."""
    expected, refuses = strict(data)
    seen, refused = given_to_the_server(data)
    assert seen == expected[: len(seen)]
    assert not refuses or refused or len(seen) == len(expected)


@settings(max_examples=2 * settings().max_examples)
@given(streams(), st.data())
def test_in_how_many_pieces_a_request_comes_does_not_matter(
    data: bytes, choice: st.DataObject
) -> None:
    """Nor where they end."""
    cuts = sorted(choice.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert given_to_the_server(*pieces) == given_to_the_server(data)


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_no_bytes_whatever_break_the_reader(pieces: list[bytes]) -> None:
    """It reads them, waits for more, or refuses them."""
    given_to_the_server(*pieces)


def test_the_strict_reader_takes_what_is_right() -> None:
    """Or nothing would be compared."""
    right = (
        b"POST /a?b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    headers = ((b"host", b"h"), (b"transfer-encoding", b"chunked"))
    expected = [Seen(b"POST", b"/a?b", headers, b"abc")] * 2
    assert strict(right * 2) == given_to_the_server(right * 2) == (expected, False)
