"""Heads that repeat the last one: read by their first line, and read no differently for that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane.asgi import Scope
from gateway.dataplane.exchange import Exchange
from gateway.dataplane.heads import TRIES, HeadReader, common_lines
from gateway.dataplane.limits import FRAGMENT, NO_HOST, Limits
from gateway.dataplane.limits_body import UNBOUNDED
from gateway.dataplane.overload import Load
from gateway.dataplane.reader import RequestReader
from gateway.dataplane.request import TEXTS, headers_of, read_headers

LIMITS = Limits(line=200, head=400, headers=8, body=200)
LENIENT = frozenset({NO_HOST, FRAGMENT})


class Keeps(RequestReader):
    """Keeps what it reads; every request is answered at once."""

    state: Any = None
    load = Load(1)
    writing_paused = False
    scopes: list[tuple[Scope, Exchange]]

    def opened(self, exchange: Exchange, scope: Scope) -> None:
        """Take it down."""
        self.scopes.append((scope, exchange))

    def pause_reading(self) -> None:
        """Nothing is held back here."""


class Repeating(Keeps, HeadReader):
    """The reader under test."""


def reader(kind: type[Keeps], lenient: frozenset[str] = frozenset()) -> Keeps:
    """One for a connection."""
    made = kind(LIMITS, lenient, UNBOUNDED)
    made.scopes = []
    return made


def seen(reading: Keeps) -> list[object]:
    """All that an application could tell apart."""
    told: list[object] = []
    for scope, exchange in reading.scopes:
        plain = {name: value for name, value in scope.items() if name != "extensions"}
        flags = exchange.keep_alive, exchange.http_1_1, exchange.is_head, exchange.more_body
        told.append((plain, headers_of(scope), bytes(exchange._body or b""), flags))
    return told


def fast(reading: Keeps) -> list[bool]:
    """Which requests were read by their first line alone."""
    return [TEXTS in scope["extensions"] for scope, _ in reading.scopes]


LINES = st.one_of(
    st.sampled_from([
        b"GET / HTTP/1.1", b"GET /a HTTP/1.1", b"HEAD /a?b=c?d HTTP/1.1", b"POST /%41 HTTP/1.1",
        b"GET /a#b HTTP/1.1", b"GET /? HTTP/1.1", b"GET  /a HTTP/1.1", b"GET /a HTTP/1.0",
        b"CONNECT /a HTTP/1.1", b"GET http://h/a HTTP/1.1", b"get /a HTTP/1.1", b"GET * HTTP/1.1",
        b"\r\nGET /a HTTP/1.1", b"GET /\xe4 HTTP/1.1", b"GET /" + b"a" * 190 + b" HTTP/1.1",
        b"GET /a HTTP/1.1\r", b"GET /a HTTP/1.1\r\nA: b", b"MERGE /a HTTP/1.1",
    ]),
    st.binary(max_size=6).map(lambda part: b"GET /" + part + b" HTTP/1.1"),
    st.integers(0, 255).map(lambda byte: b"GET /a" + bytes([byte]) + b"b HTTP/1.1"),
)  # fmt: skip
ENDS = st.sampled_from([
    b"\r\nHost: h\r\n\r\n", b"\r\nHost: h\r\nUser: Bob\r\n\r\n", b"\r\nA: b\r\n\r\n", b"\r\n\r\n",
    b"\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", b"\r\nHost: h\r\nConnection: close\r\n\r\n",
    b"\r\nHost: h\r\nContent-Length: 0\r\n\r\n", b"\r\nHost: h\r\nContent-Length: 2\r\n\r\nab",
    b"\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    b"\r\nHost: h\r\nExpect: 100-continue\r\n\r\n", b"\r\nHost: h\r\nUser: a\r\nuser: b \r\n\r\n",
    b"\r\nHost: h\r\nX-Gateway-Stage: x\r\n\r\n", b"\r\nHost: h\r\nX: \xff\r\n\r\n",
    b"\r\nHost: h\r\nHost: h\r\n\r\n", b"\r\nHost: h\n\r\n", b"\r\nHost: h\r\n\r\n\r\n",
    b"\r\nHost: h\r\nUpgrade: x\r\n\r\n", b"\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
])  # fmt: skip


@given(
    st.lists(st.tuples(LINES, ENDS), min_size=1, max_size=3),
    st.lists(st.integers(0, 2), min_size=1, max_size=6),
    st.sampled_from([frozenset(), LENIENT]),
    st.integers(0, 400),
)
def test_a_connection_reads_the_same_with_and_without_memory(
    heads: list[tuple[bytes, bytes]], order: list[int], lenient: frozenset[str], cut: int
) -> None:
    """Requests that come in one piece or two, repeated and mixed; refusals are the same too."""
    memory, plain = reader(Repeating, lenient), reader(Keeps, lenient)
    for number in order:
        line, end = heads[number % len(heads)]
        sent = line + end
        for piece in filter(None, (sent[:cut], sent[cut:])):
            status = plain.read(piece)
            assert memory.read(piece) == status
            assert seen(memory) == seen(plain)
            if status not in {0, -2}:
                return


ONE = b"GET /a?b HTTP/1.1\r\nHost: h\r\nUser: Bob\r\n\r\n"
TWO = b"POST /c HTTP/1.1\r\nHost: h\r\nUser: Bob\r\n\r\n"


def test_a_head_that_repeats_the_last_one_is_read_by_its_first_line() -> None:
    """Each request gets headers of its own, which it may alter."""
    reading = reader(Repeating)
    for piece in (ONE, TWO, ONE):
        assert reading.read(piece) == 0
        scope, _ = reading.scopes[-1]
        texts = headers_of(scope)
        assert texts == read_headers(scope["headers"]) == {"host": "h", "user": "Bob"}
        texts.clear()
        scope["headers"].clear()
    assert fast(reading) == [False, True, True]


@pytest.mark.parametrize(
    "between",
    [
        pytest.param([b"GET /c HTTP/1.1\r\nHost: other\r\n\r\n"], id="another head"),
        pytest.param([b"\r\n"], id="an empty line"),
        pytest.param([ONE[:20], ONE[20:]], id="the same in two pieces"),
        pytest.param([ONE.replace(b"GET", b"MERGE")], id="a rare method"),
        pytest.param([ONE + ONE], id="two at once"),
    ],
)
def test_what_comes_between_is_read_in_full(between: list[bytes]) -> None:
    """And so is the next one."""
    reading, plain = reader(Repeating), reader(Keeps)
    for piece in (ONE, *between, ONE):
        assert reading.read(piece) == plain.read(piece)
    assert seen(reading) == seen(plain)
    assert not any(fast(reading))


def test_nothing_is_read_behind_the_last_request_of_a_connection() -> None:
    """However that came to be the last one, httptools settles what follows."""
    reading = reader(Repeating)
    reading.read(ONE)
    reading.scopes[-1][1].keep_alive = False
    reading.read(ONE)
    assert fast(reading) == [False, False]


def test_who_never_repeats_a_head_is_no_longer_remembered() -> None:
    """One that comes late is read in full, as all were."""
    reading = reader(Repeating)
    for number in range(TRIES):
        reading.read(b"GET / HTTP/1.1\r\nHost: h\r\nTrace: %d\r\n\r\n" % number)
    reading.read(ONE)
    reading.read(ONE)
    assert not any(fast(reading))


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        pytest.param(
            b"\r\n" + ONE, [(b"host", b"h"), (b"user", b"Bob")], id="not at the beginning"
        ),
        pytest.param(ONE + ONE, [(b"host", b"h"), (b"user", b"Bob")], id="two"),
        pytest.param(ONE, [(b"host", b"h")], id="lines that are no headers"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", [], id="no headers"),
        pytest.param(b"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n", [(b"upgrade", b"x")], id="upgrade"),
    ],
)
def test_what_could_mean_more_is_not_remembered(
    data: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    """Only what is certain is."""
    assert common_lines(data, headers) is None
