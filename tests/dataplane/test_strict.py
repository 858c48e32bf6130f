"""Requests that two readers could read differently: refused, all of them, and the connection ends.

Behind each a second request is sent at once, which must never be answered. Unusual requests that
the standard allows are served.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from gateway.dataplane.exchange import REPLY
from gateway.dataplane.limits import LENIENCIES, STRICT, Edge, Limits
from gateway.dataplane.server import HttpServer, bind

pytestmark = pytest.mark.sockets

CHUNKED: Final = b"Transfer-Encoding: chunked"
POST: Final = b"POST /last HTTP/1.1"
END: Final = b"GET /end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
BEHIND: Final = b"GET /behind HTTP/1.1\r\nHost: h\r\n\r\n"


def get(*headers: bytes, line: bytes = b"GET /last HTTP/1.1", body: bytes = b"") -> bytes:
    """A request with a Host."""
    rows = (line, b"Host: h", *headers, b"", b"")
    return b"\r\n".join(rows) + body


def host(value: bytes) -> bytes:
    """A request with this Host alone."""
    return b"GET /last HTTP/1.1\r\nHost:" + value + b"\r\n\r\n"


def line(text: bytes) -> bytes:
    """A request with this line."""
    return get(line=text)


def length(value: bytes) -> bytes:
    """A request with this length, and a body of one byte."""
    return get(b"Content-Length:" + value, line=POST, body=b"a")


def coding(value: bytes) -> bytes:
    """A request with this transfer coding, and a body of no chunk."""
    return get(b"Transfer-Encoding:" + value, line=POST, body=b"0\r\n\r\n")


def chunks(body: bytes) -> bytes:
    """A request with a body in chunks."""
    return get(CHUNKED, line=POST, body=body)


REFUSED: Final = {
    "no host": (b"GET /last HTTP/1.1\r\nA: b\r\n\r\n", 400),
    "two hosts": (get(b"Host: i"), 400),
    "the same host twice": (get(b"Host: h"), 400),
    "two hosts of HTTP/1.0": (get(b"Host: i", line=b"GET / HTTP/1.0"), 400),
    "an empty host": (host(b""), 400),
    "a host with a path": (host(b" a/b?c"), 400),
    "a host with a space": (host(b" a b"), 400),
    "a host with a tab": (host(b" a\tb"), 400),
    "a host with a user": (host(b" u@a"), 400),
    "two hosts in one": (host(b" a,b"), 400),
    "a host with a port of letters": (host(b" a:b"), 400),
    "a host with a port that is none": (host(b" a:99999"), 400),
    "a host with two ports": (host(b" a:1:2"), 400),
    "an open bracket": (host(b" [::1"), 400),
    "a host beyond ASCII": (host(" ü".encode()), 400),
    "a bad escape in a host": (host(b" a%zz"), 400),
    "a bare LF after the line": (b"GET / HTTP/1.1\nHost: h\r\n\r\n", 400),
    "a bare LF after a header": (b"GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400),
    "a bare LF at the end": (b"GET / HTTP/1.1\r\nHost: h\r\n\n", 400),
    "bare LFs alone": (b"GET / HTTP/1.1\nHost: h\n\n", 400),
    "a bare LF in front": (b"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a bare CR in front": (b"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    "a bare CR after the line": (b"GET / HTTP/1.1\rHost: h\r\n\r\n", 400),
    "a bare CR in a value": (get(b"A: b\rc"), 400),
    "a bare CR at the end": (b"GET / HTTP/1.1\r\nHost: h\r\n\rX", 400),
    "a NUL in a value": (get(b"A: b\0c"), 400),
    "a NUL in a name": (get(b"A\0: b"), 400),
    "a NUL in the target": (line(b"GET /a\0b HTTP/1.1"), 400),
    "a control character in a value": (get(b"A: b\x01c"), 400),
    "a delete in a value": (get(b"A: b\x7fc"), 400),
    "obs-fold by a space": (get(b"A: b\r\n c"), 400),
    "obs-fold by a tab": (get(b"A: b\r\n\tc"), 400),
    "a fold of the line": (b"GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400),
    "a space before a colon": (get(b"A : b"), 400),
    "a tab before a colon": (get(b"A\t: b"), 400),
    "no colon": (get(b"A"), 400),
    "no name": (get(b": b"), 400),
    "a name with brackets": (get(b"A(b): c"), 400),
    "a name beyond ASCII": (get("Ä: b".encode()), 400),
    "a length and chunks": (get(b"Content-Length: 5", CHUNKED, line=POST, body=b"0\r\n\r\n"), 400),
    "chunks and a length": (get(CHUNKED, b"Content-Length: 5", line=POST, body=b"0\r\n\r\n"), 400),
    "two lengths": (get(b"Content-Length: 1", b"Content-Length: 2", line=POST, body=b"ab"), 400),
    "the same length twice": (
        get(b"Content-Length: 1", b"Content-Length: 1", line=POST, body=b"a"),
        400,
    ),
    "two lengths in one": (length(b" 1, 1"), 400),
    "a length with a plus": (length(b" +1"), 400),
    "a length below zero": (length(b" -1"), 400),
    "a hexadecimal length": (length(b" 0x1"), 400),
    "an empty length": (length(b""), 400),
    "a length with a space": (length(b" 1 0"), 400),
    "a length with an underscore": (length(b" 1_0"), 400),
    "a length beyond 64 bits": (length(b" 99999999999999999999999"), 400),
    "a length beyond the limit": (length(b" 10485761"), 413),
    "gzip": (coding(b" gzip"), 501),
    "gzip in chunks": (coding(b" gzip, chunked"), 501),
    "identity": (coding(b" identity"), 501),
    "chunked twice": (coding(b" chunked, chunked"), 400),
    "chunked in two headers": (get(CHUNKED, CHUNKED, line=POST, body=b"0\r\n\r\n"), 400),
    "chunked misspelt": (coding(b" xchunked"), 501),
    "chunked and more": (coding(b" chunked x"), 501),
    "chunked in quotes": (coding(b' "chunked"'), 501),
    "chunked with a parameter": (coding(b" chunked;a=b"), 501),
    "chunked behind a vertical tab": (coding(b" \x0bchunked"), 400),
    "chunked behind a comma": (coding(b" ,chunked"), 501),
    "no coding": (coding(b""), 400),
    "chunks of HTTP/1.0": (get(CHUNKED, line=b"POST / HTTP/1.0", body=b"0\r\n\r\n"), 400),
    "a target without a slash": (line(b"GET last HTTP/1.1"), 400),
    "a target that is a user": (line(b"GET @example.com HTTP/1.1"), 400),
    "a target that is a star": (line(b"OPTIONS * HTTP/1.1"), 400),
    "a tunnel": (line(b"CONNECT h:1 HTTP/1.1"), 501),
    "absolute form": (line(b"GET http://h/last HTTP/1.1"), 400),
    "absolute form, another host": (line(b"GET http://other/last HTTP/1.1"), 400),
    "absolute form, another scheme": (line(b"GET ftp://h/last HTTP/1.1"), 400),
    "a fragment": (line(b"GET /a#b HTTP/1.1"), 400),
    "a fragment behind a query": (line(b"GET /a?b#c HTTP/1.1"), 400),
    "a target beyond ASCII": (line("GET /ä HTTP/1.1".encode()), 400),
    "a space in the target": (line(b"GET /a b HTTP/1.1"), 400),
    "a tab in the target": (line(b"GET /a\tb HTTP/1.1"), 400),
    "a control character in the target": (line(b"GET /a\x01b HTTP/1.1"), 400),
    "a backslash": (line(b"GET \\a HTTP/1.1"), 400),
    "no target": (line(b"GET  HTTP/1.1"), 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "no version, and headers": (line(b"GET /"), 400),
    "no version, bare LFs and a body": (b"POST /\nHost: h\nContent-Length: 2\n\nab", 400),
    "HTTP/0.9": (line(b"GET / HTTP/0.9"), 400),
    "HTTP/1.2": (line(b"GET / HTTP/1.2"), 400),
    "HTTP/2.0": (line(b"GET / HTTP/2.0"), 505),
    "HTTP/9.9": (line(b"GET / HTTP/9.9"), 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a version in lower case": (line(b"GET / http/1.1"), 400),
    "half a version": (line(b"GET / HTTP/1"), 400),
    "a version with a zero": (line(b"GET / HTTP/01.1"), 400),
    "a space behind the version": (line(b"GET / HTTP/1.1 "), 400),
    "two spaces before the version": (line(b"GET /  HTTP/1.1"), 400),
    "two spaces before the target": (line(b"GET  / HTTP/1.1"), 400),
    "a tab before the target": (line(b"GET\t/ HTTP/1.1"), 400),
    "a space before the method": (line(b" GET / HTTP/1.1"), 400),
    "a method in lower case": (line(b"get / HTTP/1.1"), 400),
    "a method that nobody knows": (line(b"BREW / HTTP/1.1"), 400),
    "RTSP": (line(b"GET / RTSP/1.0"), 400),
    "ICE": (line(b"SOURCE / ICE/1.0"), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 50, 400),
    "a chunk size below zero": (chunks(b"-1\r\na\r\n0\r\n\r\n"), 400),
    "a chunk size with a prefix": (chunks(b"0x1\r\na\r\n0\r\n\r\n"), 400),
    "a chunk size with a plus": (chunks(b"+1\r\na\r\n0\r\n\r\n"), 400),
    "a space behind a chunk size": (chunks(b"1 \r\na\r\n0\r\n\r\n"), 400),
    "a space before a chunk size": (chunks(b" 1\r\na\r\n0\r\n\r\n"), 400),
    "no chunk size": (chunks(b"\r\na\r\n0\r\n\r\n"), 400),
    "a chunk size beyond 64 bits": (chunks(b"fffffffffffffffff\r\na\r\n0\r\n\r\n"), 400),
    "a bare LF behind a chunk size": (chunks(b"1\na\r\n0\r\n\r\n"), 400),
    "a bare LF behind a chunk": (chunks(b"1\r\na\n0\r\n\r\n"), 400),
    "a bare LF behind an extension": (chunks(b"1;a\na\r\n0\r\n\r\n"), 400),
    "a bare CR behind a chunk size": (chunks(b"1\ra\r\n0\r\n\r\n"), 400),
    "a NUL in an extension": (chunks(b"1;\0\r\na\r\n0\r\n\r\n"), 400),
    "bare LFs behind the last chunk": (chunks(b"1\r\na\r\n0\n\n"), 400),
    "a bare LF at the end of chunks": (chunks(b"1\r\na\r\n0\r\n\n"), 400),
    "a chunk longer than its size": (chunks(b"1\r\nab\r\n0\r\n\r\n"), 400),
    "a chunk without an end": (chunks(b"1\r\na0\r\n\r\n"), 400),
    "a last chunk that is none": (chunks(b"1\r\na\r\n0x\r\n\r\n"), 400),
    "a coding as a trailer": (chunks(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400),
    "a length as a trailer": (chunks(b"0\r\nContent-Length: 5\r\n\r\n"), 400),
    "a host as a trailer": (chunks(b"0\r\nHost: h\r\n\r\n"), 400),
    "a folded trailer": (chunks(b"0\r\nA: b\r\n c\r\n\r\n"), 400),
    "a bare LF behind a trailer": (chunks(b"0\r\nA: b\n\r\n"), 400),
    "long trailers": (chunks(b"0\r\nA: " + b"b" * 20_000 + b"\r\n\r\n"), 431),
    "many trailers": (chunks(b"0\r\n" + b"A: b\r\n" * 4_000 + b"\r\n"), 431),
    "chunks beyond the limit": (chunks(b"a00001\r\n" + b"a" * 0xA00001 + b"\r\n0\r\n\r\n"), 413),
    "a long line": (line(b"GET /" + b"a" * 9_000 + b" HTTP/1.1"), 414),
    "a long head": (get(b"A: " + b"a" * 17_000), 431),
    "a long name": (get(b"A" * 20_000 + b": a"), 431),
    "a head without an end": (b"GET / HTTP/1.1\r\nA: " + b"a" * 40_000, 431),
    "101 headers": (get(*[b"A: a"] * 100), 431),
}

TOKEN: Final = b"!#$%&'*+-.^_`|~09AZaz"
SERVED: Final = {
    "an empty line in front": (b"\r\n" + get(), b"GET /last ? "),
    "two empty lines in front": (b"\r\n\r\n" + get(), b"GET /last ? "),
    "no space behind a colon": (get(b"A:b"), b"GET /last ? "),
    "white space around a value": (get(b"A: \t b \t "), b"GET /last ? "),
    "an empty value": (get(b"A:"), b"GET /last ? "),
    "a value beyond ASCII": (get(b"A: \xe4\xff"), b"GET /last ? "),
    "every character of a name": (get(TOKEN + b": b"), b"GET /last ? "),
    "white space behind a host and a length": (
        b"POST /last HTTP/1.1\r\nHost: h \t\r\nContent-Length: 1 \r\n\r\na",
        b"POST /last ? a",
    ),
    "names in capitals": (b"GET /last HTTP/1.1\r\nHOST: h\r\n\r\n", b"GET /last ? "),
    "a host with a port": (host(b" h:65535"), b"GET /last ? "),
    "a host with an empty port": (host(b" h:"), b"GET /last ? "),
    "a host that is an address": (host(b" 127.0.0.1:8080"), b"GET /last ? "),
    "a host that is an address of IPv6": (host(b" [::1]:8080"), b"GET /last ? "),
    "a host with a dot at the end": (host(b" h."), b"GET /last ? "),
    "a host with an underscore": (host(b" my_host"), b"GET /last ? "),
    "a host with an escape": (host(b" a%2D"), b"GET /last ? "),
    "HTTP/1.0 without a host": (b"GET /last HTTP/1.0\r\n\r\n", b"GET /last ? "),
    "HTTP/1.0 with one": (line(b"GET /last HTTP/1.0"), b"GET /last ? "),
    "HTTP/1.0 with a length": (
        get(b"Content-Length: 1", line=b"POST /last HTTP/1.0", body=b"a"),
        b"POST /last ? a",
    ),
    "chunked in capitals": (coding(b" CHUNKED"), b"POST /last ? "),
    "an extension": (chunks(b"1;a=b\r\na\r\n0\r\n\r\n"), b"POST /last ? a"),
    "an extension in quotes": (chunks(b'1;a="b c"\r\na\r\n0\r\n\r\n'), b"POST /last ? a"),
    "a chunk size with zeros": (chunks(b"0001\r\na\r\n000\r\n\r\n"), b"POST /last ? a"),
    "a size in capitals": (chunks(b"A\r\n0123456789\r\n0\r\n\r\n"), b"POST /last ? 0123456789"),
    "trailers": (chunks(b"1\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n"), b"POST /last ? a"),
    "expectations as a trailer": (
        chunks(b"0\r\nExpect-Not: 100-continue\r\n\r\n"),
        b"POST /last ? ",
    ),
    "a body of no chunk": (chunks(b"0\r\n\r\n"), b"POST /last ? "),
    "a length of zero": (get(b"Content-Length: 0", line=POST), b"POST /last ? "),
    "a length with zeros": (length(b" 001"), b"POST /last ? a"),
    "GET with a body": (get(b"Content-Length: 1", body=b"a"), b"GET /last ? a"),
    "a question mark in a query": (line(b"GET /a?b?c HTTP/1.1"), b"GET /a ?b?c "),
    "an empty query": (line(b"GET /a? HTTP/1.1"), b"GET /a ? "),
    "an escaped slash": (line(b"GET /a%2Fb HTTP/1.1"), b"GET /a%2Fb ? "),
    "two slashes": (line(b"GET //a HTTP/1.1"), b"GET //a ? "),
    "dots": (line(b"GET /../a HTTP/1.1"), b"GET /../a ? "),
    "a host in a query": (line(b"GET /?http://other/ HTTP/1.1"), b"GET / ?http://other/ "),
    "signs of all kinds": (line(b"GET /;=,:@!$&'()*+~ HTTP/1.1"), b"GET /;=,:@!$&'()*+~ ? "),
    "a rare method": (line(b"REPORT / HTTP/1.1"), b"REPORT / ? "),
    "OPTIONS of a path": (line(b"OPTIONS /a HTTP/1.1"), b"OPTIONS /a ? "),
    "a line as long as may be": (
        line(b"GET /" + b"a" * 8_177 + b" HTTP/1.1"),
        b"GET /" + b"a" * 8_177 + b" ? ",
    ),
    "a head as long as may be": (get(b"A: " + b"a" * 16_350), b"GET /last ? "),
    "100 headers": (get(*[b"A: a"] * 98), b"GET /last ? "),
    "a connection that is to stay": (get(b"Connection: Keep-Alive"), b"GET /last ? "),
    "another protocol that nobody wants": (
        get(b"Connection: Upgrade", b"Upgrade: h2c"),
        b"GET /last ? ",
    ),
}  # fmt: skip


class Told:
    """An application that answers with what it was asked."""

    def __init__(self) -> None:
        self.whole: list[bytes] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, _send: object) -> None:  # noqa: ANN401
        more, body = True, b""
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        said = b"%b %b ?%b %b" % (
            scope["method"].encode(),
            scope["raw_path"],
            scope["query_string"],
            body,
        )
        self.whole.append(scope["raw_path"])
        assert scope["extensions"][REPLY](200, b"", said)


async def ask(server: HttpServer, *pieces: bytes) -> bytes:
    """Everything that comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection(*server.listener.getsockname()[:2])
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        return await reader.read()
    finally:
        writer.close()


def answers(
    requests: Mapping[str, Sequence[bytes]], edge: Edge = STRICT
) -> tuple[dict[str, bytes], list[bytes]]:
    """What each is answered, over a connection of its own, and the paths that were served."""
    told = Told()

    async def scenario() -> dict[str, bytes]:
        server = HttpServer(told, bind("127.0.0.1", 0), edge=edge)
        serving = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        try:
            return {name: await ask(server, *pieces) for name, pieces in requests.items()}
        finally:
            server.stop(force=True)
            await serving

    return asyncio.run(asyncio.wait_for(scenario(), 30)), told.whole


def statuses(answer: bytes) -> list[int]:
    """The status of every answer on a connection."""
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3})", answer)]


@pytest.fixture(scope="module")
def refused() -> tuple[dict[str, bytes], list[bytes]]:
    """The answers to all requests that are to be refused, and what was served of them."""
    return answers({name: (sent + BEHIND,) for name, (sent, _) in REFUSED.items()})


@pytest.fixture(scope="module")
def served() -> dict[str, bytes]:
    """The answers to all unusual requests."""
    return answers({name: (sent, END) for name, (sent, _) in SERVED.items()})[0]


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_ends(
    refused: tuple[dict[str, bytes], list[bytes]], name: str
) -> None:
    """With one answer, which says that nothing follows; the end of the connection was read."""
    answer, (_, status) = refused[0][name], REFUSED[name]
    assert statuses(answer) == [status]
    assert b"\r\nconnection: close\r\n" in answer


def test_nothing_behind_a_refused_request_is_served(
    refused: tuple[dict[str, bytes], list[bytes]],
) -> None:
    """Nor the request itself, not even where only its body is wrong."""
    assert refused[1] == []


@pytest.mark.parametrize("name", SERVED)
def test_what_is_unusual_and_allowed_is_served(served: dict[str, bytes], name: str) -> None:
    """As it was meant."""
    body = served[name].partition(b"\r\n\r\n")[2].partition(b"HTTP/1.1")[0]
    assert statuses(served[name])[0] == 200
    assert body == SERVED[name][1]


def test_the_corpus_is_as_large_as_is_said() -> None:
    """Nothing falls out of it unnoticed."""
    assert (len(REFUSED) >= 125, len(SERVED) >= 40) == (True, True)


LENIENT: Final = {
    "absolute-form": (REFUSED["absolute form"][0], b"GET /last ? "),
    "fragment": (REFUSED["a fragment behind a query"][0], b"GET /a ?b "),
    "host-syntax": (REFUSED["a host with a user"][0], b"GET /last ? "),
    "no-host": (REFUSED["no host"][0], b"GET /last ? "),
}


@pytest.mark.parametrize("rule", LENIENCIES)
def test_a_rule_that_callers_are_not_held_to_lets_in_what_it_names_and_nothing_else(
    rule: str,
) -> None:
    """Every other refused request stays refused."""
    sent, said = LENIENT[rule]
    others = {each: LENIENT[each][0] for each in LENIENCIES if each != rule}
    requests = {"let in": sent, **others, **{n: REFUSED[n][0] for n in ALWAYS}}
    edge = Edge(lenient=frozenset({rule}))
    heard, _ = answers({name: (each, END) for name, each in requests.items()}, edge)
    answer = heard.pop("let in")
    assert answer.partition(b"\r\n\r\n")[2].partition(b"HTTP/1.1")[0] == said
    assert {name: statuses(answer)[0] // 100 for name, answer in heard.items()} == dict.fromkeys(
        heard, 4
    )


ALWAYS: Final = (
    "two hosts", "a NUL in a value", "a bare CR in a value", "a length and chunks", "two lengths",
    "the same length twice", "chunked twice", "chunks of HTTP/1.0", "a chunk size with a plus",
)  # fmt: skip


def test_every_rule_together_lets_no_request_hide_another() -> None:
    """What could is not among them."""
    edge = Edge(lenient=frozenset(LENIENCIES))
    heard, served = answers({name: (REFUSED[name][0] + BEHIND,) for name in ALWAYS}, edge)
    assert {statuses(answer)[0] // 100 for answer in heard.values()} == {4}
    assert served == []


def test_a_head_in_many_pieces_behind_a_body_is_measured_without_that() -> None:
    """The body's bytes in the same piece are not the head's."""
    first = get(b"Content-Length: 15000", line=POST, body=b"a" * 15_000)
    head = get(b"A: " + b"a" * 5_000, b"Connection: close")
    pieces = (first + head[:20], head[20:2_000], head[2_000:])
    heard, _ = answers({"both": pieces})
    assert statuses(heard["both"]) == [200, 200]


def test_smaller_limits_are_kept_as_well() -> None:
    """Whatever a listener is given."""
    edge = Edge(Limits(line=50, head=100, headers=3, body=4))
    requests = {
        414: line(b"GET /" + b"a" * 40 + b" HTTP/1.1"),
        431: get(b"A: " + b"a" * 100),
        4310: get(b"A: b", b"C: d", b"E: f"),
        413: get(b"Content-Length: 5", line=POST, body=b"abcde"),
        4130: chunks(b"4\r\nabcd\r\n1\r\ne\r\n0\r\n\r\n"),
        200: get(b"Content-Length: 4", b"Connection: close", line=POST, body=b"abcd"),
    }
    heard, _ = answers({str(name): (each,) for name, each in requests.items()}, edge)
    assert [statuses(heard[str(name)])[0] for name in requests] == [414, 431, 431, 413, 413, 200]
