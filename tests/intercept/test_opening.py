"""What a client begins with: told apart as soon as it can be, and refused in a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.intercept.opening import MAX_HEAD, OpeningRefused, Plain, Tunnel, read_opening

SCF = b"scf.tencentcloudapi.com"
HEAD = b"CONNECT " + SCF + b":443 HTTP/1.1\r\nHost: " + SCF + b":443\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "opening"),
    [
        (HEAD, Tunnel("scf.tencentcloudapi.com", tls=True)),
        (
            b"CONNECT SCF.tencentcloudapi.com HTTP/1.0\r\n\r\n",
            Tunnel("SCF.tencentcloudapi.com", True),
        ),
        (b"CONNECT " + SCF + b":80 HTTP/1.1\r\n\r\n", Tunnel("scf.tencentcloudapi.com", tls=False)),
        (b"", None),
        (b"CON", None),
        (b"CONNECT ", None),
        (HEAD[:-1], None),
        (b"G", None),
        (b"GET / HTTP/1.1", None),
        (b"GET / HTTP/1.1\r\n", Plain()),
        (b"POST http://" + SCF + b"/ HTTP/1.1\r\n", Plain()),
        (b"POST HTTP://" + SCF + b":80?Action=x HTTP/1.1\r\n", Plain()),
        (b"GET /?to=http://example.com HTTP/1.1\r\n", Plain()),
        (b"connect x HTTP/1.1\r\n", Plain()),
        (b"G" * (MAX_HEAD + 1), Plain()),
    ],
    ids=repr,
)
def test_an_opening_is_told_apart(data: bytes, opening: Tunnel | Plain | None) -> None:
    """Nothing is said while more may come; what is no tunnel is for another to read."""
    assert read_opening(data) == opening


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"\x16\x03\x01", 400, "its address begins with http://"),
        (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", 403, "the request is for 'example.com'"),
        (b"CONNECT " + SCF + b":22 HTTP/1.1\r\n\r\n", 403, "at the ports 443 and 80"),
        (b"CONNECT " + SCF + b":x HTTP/1.1\r\n\r\n", 403, "at the ports 443 and 80"),
        (b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", 403, "'[::1]'"),
        (b"CONNECT \xff:443 HTTP/1.1\r\n\r\n", 403, "'\xff'"),
        (b"CONNECT  HTTP/1.1\r\n\r\n", 403, "the request is for ''"),
        (b"CONNECT " + SCF + b"\r\n\r\n", 400, "is no 'CONNECT HOST:PORT HTTP/1.1'"),
        (b"CONNECT " + SCF + b" HTTP/2\r\n\r\n", 400, "is no 'CONNECT HOST:PORT HTTP/1.1'"),
        (b"CONNECT " + SCF + b" x HTTP/1.1\r\n\r\n", 400, "is no 'CONNECT HOST:PORT HTTP/1.1'"),
        (HEAD + b"\x16", 400, "wait for 200"),
        (b"CONNECT " + b"x" * MAX_HEAD, 431, "above 8,192 bytes"),
        (b"CONNECT " + b"x" * MAX_HEAD + b"\r\n\r\n", 431, "above 8,192 bytes"),
        (b"GET http://example.com/ HTTP/1.1\r\n", 403, "the request is for 'example.com'"),
        (b"GET http://" + SCF + b"@example.com HTTP/1.1\r\n", 403, "@example.com'"),
        (b"GET ftp://example.com:21/ HTTP/1.1\r\n", 403, "the request is for 'example.com'"),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else None,
)
def test_an_opening_is_refused(data: bytes, status: int, words: str) -> None:
    """With the status that says whose mistake it is."""
    with pytest.raises(OpeningRefused) as refused:
        read_opening(data)
    assert refused.value.status == status
    assert words in str(refused.value)
    assert len(str(refused.value)) < 500


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_may_come(data: bytes, tunnel: bool) -> None:
    """They are a tunnel, another protocol's, not enough, or refused."""
    try:
        opening = read_opening(b"CONNECT " + data if tunnel else data)
    except OpeningRefused as refused:
        opening = None
        status = refused.status
    else:
        status = 200
    assert status in {200, 400, 403}
    assert opening is None or isinstance(opening, Plain)
