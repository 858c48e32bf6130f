"""A back end's answer, byte by byte: what it is, where it ends, and when it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane.backends_answer import MAX_HEAD, MAX_HEADERS, BackendFailed, Incoming

Shape = tuple[bytes, tuple[int, bytes, bool, bool]]

OK = b"HTTP/1.1 200 OK\r\n"


def read(*pieces: bytes, is_head: bool = False) -> Incoming:
    """An answer that came in these pieces."""
    answer = Incoming(is_head=is_head, wake=lambda: None)
    for piece in pieces:
        answer.read(piece)
    return answer


def told(answer: Incoming) -> tuple[int, bytes, bool, bool]:
    """Status, body, whether it is complete, whether anything may follow."""
    assert answer.head is not None
    return answer.head.status, answer.take(), answer.complete, answer.is_last


SHAPES = [
    pytest.param(OK + b"Content-Length: 5\r\n\r\nhello", (200, b"hello", True, False), id="length"),
    pytest.param(OK + b"Content-Length: 5\r\n\r\nhel", (200, b"hel", False, False), id="half"),
    pytest.param(
        OK + b"Transfer-Encoding: Chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        (200, b"hello", True, False), id="chunks",
    ),
    pytest.param(
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Late: 1\r\n\r\n",
        (200, b"x", True, False), id="trailers are dropped",
    ),
    pytest.param(OK + b"\r\nhel", (200, b"hel", False, False), id="until the end"),
    pytest.param(OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n", (200, b"", True, True),
                 id="says that it closes"),
    pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", (200, b"", True, True),
                 id="HTTP/1.0 closes"),
    pytest.param(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK
        + b"Content-Length: 1\r\n\r\nx", (200, b"x", True, False), id="interim answers",
    ),
    pytest.param(b"HTTP/1.1 204 None\r\n\r\n", (204, b"", True, False), id="204"),
    pytest.param(b"HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", (304, b"", True, False),
                 id="304 with a length"),
    pytest.param(b"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\nhello", (204, b"", True, True),
                 id="204 with a body"),
    pytest.param(OK + b"Content-Length: 1\r\n\r\nx" + OK + b"X: y\r\nContent-Length: 3\r\n\r\ntwo",
                 (200, b"x", True, True), id="an answer too many"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "seen"), SHAPES)
def test_an_answer_ends_where_its_head_says(
    raw: bytes, seen: tuple[int, bytes, bool, bool]
) -> None:
    """In one piece, and byte by byte."""
    assert told(read(raw)) == seen
    assert told(read(*(raw[at : at + 1] for at in range(len(raw))))) == seen


@given(st.data(), st.sampled_from([shape.values for shape in SHAPES]))
def test_pieces_make_no_difference(data: st.DataObject, shape: Shape) -> None:
    """However the network cuts it."""
    raw, seen = shape
    cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=6)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert told(read(*pieces)) == seen


def test_an_answer_to_head_has_no_body() -> None:
    """Whatever length it has; what follows is too much."""
    answer = read(OK + b"Content-Length: 5\r\n\r\n", is_head=True)
    assert told(answer) == (200, b"", True, False)
    answer = read(OK + b"Content-Length: 5\r\n\r\nhello", is_head=True)
    assert told(answer) == (200, b"", True, True)
    assert not answer.until_end


def test_headers_keep_their_order_and_their_bytes() -> None:
    """Names in lower case; those of interim answers and behind the body are others'."""
    answer = read(
        b"HTTP/1.1 103 Hints\r\nX-Interim: 1\r\n\r\n" + OK + b"X-B: 2\r\nX-A: \xfc\r\nx-b: 1\r\n"
        b"Connection: a\r\nConnection: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: 1\r\n\r\n"
    )
    assert answer.head is not None
    assert answer.head.listed == b"a,b"
    assert answer.head.headers == [
        (b"x-b", b"2"),
        (b"x-a", b"\xfc"),
        (b"x-b", b"1"),
        (b"connection", b"a"),
        (b"connection", b"b"),
        (b"transfer-encoding", b"chunked"),
    ]


@pytest.mark.parametrize(
    ("raw", "asked"),
    [(b"HTTP/1.1 100 Continue\r\n\r\n", True), (b"HTTP/1.1 103 Hints\r\n\r\n", False)],
)
def test_an_interim_answer_may_ask_for_the_body(raw: bytes, asked: bool) -> None:
    """Only 100 does; neither is an answer."""
    answer = read(raw)
    assert (answer.asked, answer.head, answer.complete, answer.begun) == (asked, None, False, True)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP", id="no HTTP"),
        pytest.param(b"HTTP/1.1 101 ?\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                     "switched protocols", id="switches protocols"),
        pytest.param(b"HTTP/1.1 999 ?\r\n\r\n", "the status 999", id="no status of HTTP"),
        pytest.param(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "transfer coding",
                     id="a coding that would have to be undone"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
                     "does not speak HTTP", id="chunks and a length"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "does not speak HTTP",
                     id="two lengths"),
        pytest.param(OK + b"X-A: a\x00b\r\n\r\n", "does not speak HTTP", id="NUL in a value"),
        pytest.param(OK + b"X-A: a\rb\r\n\r\n", "does not speak HTTP", id="CR in a value"),
        pytest.param(OK + b"X A: a\r\n\r\n", "does not speak HTTP", id="a space in a name"),
        pytest.param(OK + b"X-A: " + b"x" * MAX_HEAD, "too long",
                     id="a long head"),
        pytest.param(OK + b"X: 1\r\n" * (MAX_HEADERS + 1) + b"\r\n", "too many headers",
                     id="many headers"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n", "does not speak HTTP",
                     id="a broken chunk"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(raw: bytes, why: str) -> None:
    """With a reason for whoever runs the gateway."""
    with pytest.raises(BackendFailed, match=why):
        read(*(raw[at : at + 1000] for at in range(0, len(raw), 1000)))
    if len(raw) < 1000:
        with pytest.raises(BackendFailed, match=why):
            read(*(raw[at : at + 1] for at in range(len(raw))))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_bytes_put_a_line_end_into_a_header(junk: bytes, at: int) -> None:
    """What was read can be written back line by line."""
    raw = bytearray(OK + b"X-A: 1\r\nX-B: 2\r\nContent-Length: 0\r\n\r\n")
    raw[min(at, len(raw)) : at] = junk
    answer = Incoming(is_head=False, wake=lambda: None)
    try:
        answer.read(bytes(raw))
    except BackendFailed:
        return
    for name, value in answer.head.headers if answer.head else ():
        assert not set(b"\r\n\0:") & set(name)
        assert not set(b"\r\n\0") & set(value)
