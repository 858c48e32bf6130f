"""What httptools lets through and a strict reader does not: hosts, targets, lines, trailers."""

from __future__ import annotations

import re
from typing import Final

import httptools

from gateway.dataplane.limits import ABSOLUTE_FORM, FRAGMENT, NO_HOST, Limits

_HOST: Final = re.compile(
    rb"(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+(?::([0-9]{0,5}))?"  # no comma: it joins two
    rb"|\[[0-9A-Fa-f:.]+\](?::([0-9]{0,5}))?"
)
_KNOWN_LIMIT: Final = 1024
_REST_OF_LINE: Final = len(b"  HTTP/1.1")

WATCHED: Final = frozenset((b"host", b"expect", b"content-length", b"transfer-encoding"))
"""Headers on which depends how a request is read."""

known_hosts: Final[set[bytes]] = set()
"""Some that were found to be hosts: callers send the same few again and again."""


class HeadRefused(Exception):
    """A head that is not taken, or a body; the status says why."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"the request is refused with {status}")


class Trailers:
    """Stands where headers are collected once they are complete: what follows is no header.

    Args:
        most: How many bytes may follow.
    """

    __slots__ = ("_left",)

    def __init__(self, most: int) -> None:
        self._left = most

    def append(self, trailer: tuple[bytes, bytes]) -> None:
        """Let go of one.

        Raises:
            HeadRefused: There are too many, or it comes too late: what depends on it is decided.
        """
        if trailer[0] in WATCHED:
            raise HeadRefused(400)
        self._left -= measured(b"", [trailer])
        if self._left < 0:
            raise HeadRefused(431)


def measured(target: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """Bytes of a head, as far as it was parsed."""
    return len(target) + sum(len(name) + len(value) + 4 for name, value in headers)


def check_limits(
    limits: Limits, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    """Refuse a head that is too large.

    Raises:
        HeadRefused: It is.
    """
    if len(method) + len(target) + _REST_OF_LINE > limits.line:
        raise HeadRefused(414)
    if measured(target, headers) > limits.head or len(headers) > limits.headers:
        raise HeadRefused(431)


def is_host(value: bytes) -> bool:
    """Whether a Host names one host, as RFC 3986 3.2.2 writes one, and at most a port."""
    if value in known_hosts:
        return True
    found = _HOST.fullmatch(value)
    if found is None or int(found[1] or found[2] or 0) > 65535:
        return False
    if len(known_hosts) < _KNOWN_LIMIT:
        known_hosts.add(value)
    return True


def check_hosts(version: str, hosts: int, codings: int, lenient: frozenset[str]) -> None:
    """Refuse a head whose number of hosts does not fit its version, or chunks before 1.1.

    Raises:
        HeadRefused: It does not.
    """
    if version == "1.0":
        if codings or hosts > 1:
            raise HeadRefused(400)
    elif hosts > 1 or (not hosts and NO_HOST not in lenient):
        raise HeadRefused(400)


def path_and_query(target: bytes, lenient: frozenset[str]) -> tuple[bytes, bytes]:
    """Both parts of a target that is not the usual one.

    Raises:
        HeadRefused: It is not taken.
    """
    target, fragment, _ = target.partition(b"#")
    if fragment and FRAGMENT not in lenient:
        raise HeadRefused(400)
    if not target.startswith(b"/"):
        target = _origin_form(target, lenient)
    path, _, query = target.partition(b"?")
    return path, query


def _origin_form(target: bytes, lenient: frozenset[str]) -> bytes:
    """What of a target in absolute form is for the host itself."""
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise HeadRefused(400) from None
    if ABSOLUTE_FORM not in lenient or url.schema not in {b"http", b"https"}:
        raise HeadRefused(400)
    return (url.path or b"/") + (b"?" + url.query if url.query else b"")


def request_line(method: bytes, target: bytes, version: str) -> bytes:
    """The line as the standard writes it; httptools takes several spaces, and related protocols.

    Raises:
        HeadRefused: It is of another protocol, or asks for a tunnel.
    """
    if version not in {"1.0", "1.1"}:
        raise HeadRefused(505 if version == "2.0" else 400)
    if method == b"CONNECT":
        raise HeadRefused(501)
    return b"%b %b HTTP/%b\r\n" % (method, target, version.encode())


def check_first(line: bytes, piece: bytes) -> None:
    """Refuse a line that is not at the beginning, behind nothing but empty lines.

    Raises:
        HeadRefused: It is written otherwise.
    """
    before, found, _ = piece.partition(line)
    if not found or before.replace(b"\r\n", b""):
        raise HeadRefused(400)


def check_next(line: bytes, piece: bytes, at: int) -> int:
    """Refuse a line that is nowhere behind the last one; gives where it ends.

    Raises:
        HeadRefused: It is written otherwise.
    """
    found = piece.find(line, at)
    if found < 0:
        raise HeadRefused(400)
    return found + len(line)


def asks_for_socket(
    method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]
) -> bytes | None:
    """The head of a request that asks for a WebSocket; `None` where it asks for another."""
    if method != b"GET" or dict(headers).get(b"upgrade", b"").lower() != b"websocket":
        return None
    lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (target, lines)
