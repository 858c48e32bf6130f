"""What a client of the front begins with: a tunnel that it asks for, or a request for a host.

Only so much is read as it takes to tell them apart; what is no tunnel is another protocol's to
read, with limits of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.intercept.hosts import kind_of, refusal, split_port

MAX_HEAD: Final = 8 * 1024
"""Bytes that the head of a request for a tunnel may have."""

PORTS: Final = {443: True, 80: False}
"""Where tunnels may lead to, and whether TLS is spoken in them."""

_CONNECT: Final = b"CONNECT "
_TLS: Final = b"\x16"  # how every client of TLS begins
_END: Final = b"\r\n\r\n"


class OpeningRefused(Exception):
    """What a client begins with is not taken.

    Attributes:
        status: With which the front answers.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A tunnel that a client asks for.

    Attributes:
        host: Where to.
        tls: Whether TLS is spoken in it.
    """

    host: str
    tls: bool


@dataclass(frozen=True, slots=True)
class Plain:
    """A request that is sent without a tunnel."""


def read_opening(data: bytes) -> Tunnel | Plain | None:
    """What a client begins with; `None` while that cannot be told.

    Args:
        data: Everything that came so far.

    Raises:
        OpeningRefused: It is for another host, or a tunnel that cannot be read.
    """
    if data.startswith(_TLS):
        message = "TLS is spoken to the front itself; its address begins with http://"
        raise OpeningRefused(400, message)
    if not data.startswith(_CONNECT[: len(data)]):
        return _plain(data)
    head, end, rest = data.partition(_END)
    if not end:
        if len(data) > MAX_HEAD:
            raise OpeningRefused(431, f"the head is above {MAX_HEAD:,} bytes")
        return None
    if len(head) > MAX_HEAD:
        raise OpeningRefused(431, f"the head is above {MAX_HEAD:,} bytes")
    if rest:
        message = "there are bytes behind CONNECT before the tunnel is there; wait for 200"
        raise OpeningRefused(400, message)
    return _tunnel(head.partition(b"\r\n")[0])


def _tunnel(line: bytes) -> Tunnel:
    _, target, version = (*line.decode("latin-1").split(" "), "", "")[:3]
    if line.count(b" ") != 2 or version not in {"HTTP/1.1", "HTTP/1.0"}:
        message = f"the line {line.decode('latin-1')!r:.120} is no 'CONNECT HOST:PORT HTTP/1.1'"
        raise OpeningRefused(400, message)
    host, port = split_port(target, 443)
    if kind_of(host) is None:
        raise OpeningRefused(403, refusal(host))
    if port not in PORTS:
        message = f"the tunnel is to {target!r:.120}; this front answers at the ports 443 and 80"
        raise OpeningRefused(403, message)
    return Tunnel(host, PORTS[port])


def _plain(data: bytes) -> Plain | None:
    """A request whose target may name the host itself: it has to be one of those."""
    line, end, _ = data.partition(b"\n")
    if not end and len(data) <= MAX_HEAD:
        return None
    target = line.partition(b" ")[2].partition(b" ")[0].decode("latin-1")
    scheme, absolute, rest = target.partition("://")
    if absolute and scheme.isalpha():
        host, _ = split_port(rest.partition("/")[0].partition("?")[0], 80)
        if kind_of(host) is None:
            raise OpeningRefused(403, refusal(host))
    return Plain()
