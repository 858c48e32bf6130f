"""The headers of a request on its way to a back end, and of its answer on the way back.

Hop-by-hop headers stay behind (RFC 9110 7.6.1), those that say where a request comes from are set
anew, because nobody in front is trusted, and a name with an underscore is dropped: many servers
read `X_Real_IP` and `X-Real-IP` as one. All others go through as they are and in their order.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gateway.dataplane.answer import Header
from gateway.dataplane.asgi import Scope
from gateway.dataplane.backends_answer import Head
from gateway.dataplane.request import OWN_PREFIXES

VIA: Final = b"gateway-simulator"
"""What the gateway calls itself in `Via`."""

MAX_PASSES: Final = 8
"""How often a request may have come through gateways of this kind; then it runs in circles."""

_HOP_BY_HOP: Final = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_SET_HERE: Final = frozenset(
    (
        b"forwarded",
        b"host",
        b"via",
        b"x-api-requestid",
        b"x-api-scheme",
        b"x-b3-traceid",
        b"x-client-proto",
        b"x-client-proto-ver",
        b"x-real-ip",
    )
)
_OWN: Final = tuple(prefix.encode() for prefix in OWN_PREFIXES)
_SET_HERE_PREFIXES: Final = (b"x-forwarded-", *_OWN)
_FRAMING: Final = frozenset((b"content-length", b"expect"))
_DROPPED: Final = _HOP_BY_HOP | (_SET_HERE - {b"via"}) | {b"expect"}
_DROPPED_PREFIXES: Final = (b"proxy-", *_SET_HERE_PREFIXES)
_SAID_HERE: Final = frozenset((b"date", b"x-api-requestid"))
"""Headers of an answer that the gateway and its server say themselves."""

_BACK_DROPPED: Final = _HOP_BY_HOP | _SAID_HERE
_TARGET: Final = re.compile(rb"[!-~\x80-\xff]+")
_REPEATABLE: Final = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"))
_WITH_BODY: Final = frozenset(("PATCH", "POST", "PUT"))


class RequestRefused(Exception):
    """A request that is not passed on; the status and the text are the answer."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(text)


class Onward(NamedTuple):
    """A request as a back end gets it.

    Attributes:
        method: The HTTP method.
        head: Everything before the body.
        has_body: Whether a body follows.
        is_chunked: Whether the body travels in chunks.
        expects: Whether the caller waits to be asked for the body.
    """

    method: str
    head: bytes
    has_body: bool
    is_chunked: bool
    expects: bool

    @property
    def is_repeatable(self) -> bool:
        """Whether it may reach a back end twice (RFC 9110 9.2.2); a body is read only once."""
        return self.method in _REPEATABLE and not self.has_body


def onward(scope: Scope, target: bytes, host: bytes, request_id: str) -> Onward:
    """A request's head for a back end.

    Args:
        scope: The caller's request; header names in lower case.
        target: What the back end is asked for.
        host: The back end's own name.
        request_id: The request's id.

    Raises:
        RequestRefused: It must not be passed on.
    """
    method: str = scope["method"]
    headers: list[Header] = scope["headers"]
    if _TARGET.fullmatch(target) is None:
        raise RequestRefused(400, "Bad Request.")
    known = dict(headers)
    dropped = _DROPPED
    if b"connection" in known:
        dropped = dropped | _named(headers)
    if b"via" in known:
        _stop_circles(headers)
    if b"max-forwards" in known and method in {"OPTIONS", "TRACE"}:
        headers = [_one_hop_fewer(pair, method) for pair in headers]
    is_chunked = b"transfer-encoding" in known
    if is_chunked:
        dropped = dropped | {b"content-length"}
    parts = [b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method.encode(), target, host)]
    for name, value in headers:
        if name not in dropped and b"_" not in name and not name.startswith(_DROPPED_PREFIXES):
            parts += (name, b": ", value, b"\r\n")
    expects = known.get(b"expect", b"").lower() == b"100-continue"
    has_body = is_chunked or b"content-length" in known
    parts.append(_framing(method, has_body=has_body, is_chunked=is_chunked, expects=expects))
    parts.append(_own_lines(scope, request_id))
    return Onward(method, b"".join(parts), has_body, is_chunked, expects and has_body)


def back(head: Head, *, with_length: bool) -> list[Header]:
    """The headers of an answer that its caller gets.

    Args:
        head: The back end's.
        with_length: Whether its length goes along.
    """
    dropped = _BACK_DROPPED if with_length else _BACK_DROPPED | {b"content-length"}
    if head.listed:
        dropped = dropped | (_names(head.listed) - {b"content-length"})
    return [
        pair for pair in head.headers if pair[0] not in dropped and not pair[0].startswith(_OWN)
    ]


def _names(listed: bytes) -> set[bytes]:
    return {name.strip() for name in listed.lower().split(b",")}


def _named(headers: list[Header]) -> set[bytes]:
    """What a caller's `Connection` headers name; some names no caller may take off a request.

    Raises:
        RequestRefused: Such a name is among them.
    """
    listed = b",".join(value for name, value in headers if name == b"connection")
    named = _names(listed)
    for name in named:
        if name in _SET_HERE or name in _FRAMING or name.startswith(_SET_HERE_PREFIXES):
            raise RequestRefused(400, "Bad Request.")
    return named


def _stop_circles(headers: list[Header]) -> None:
    passed = b",".join(value for name, value in headers if name == b"via").lower()
    if sum(VIA in entry.split() for entry in passed.split(b",")) >= MAX_PASSES:
        raise RequestRefused(508, "Loop Detected.")


def _one_hop_fewer(pair: Header, method: str) -> Header:
    """RFC 9110 7.6.2: the number falls with every hop; behind the last one, who has it answers.

    `TRACE` is refused there: its answer would repeat the caller's credentials.
    """
    name, value = pair
    if name != b"max-forwards" or not value.isdigit():
        return pair
    left = int(value)
    if left == 0 and method == "TRACE":
        raise RequestRefused(405, "Method Not Allowed.")
    if left == 0:
        raise RequestRefused(200, "")
    return name, b"%d" % (left - 1)


def _framing(method: str, *, has_body: bool, is_chunked: bool, expects: bool) -> bytes:
    if not has_body:
        return b"content-length: 0\r\n" if method in _WITH_BODY else b""
    lines = b"transfer-encoding: chunked\r\n" if is_chunked else b""
    return lines + b"expect: 100-continue\r\n" if expects else lines


def _own_lines(scope: Scope, request_id: str) -> bytes:
    client = scope["client"][0] if scope["client"] else ""
    scheme, version = scope["scheme"], scope["http_version"]
    return (
        f"via: {version} {VIA.decode()}\r\n"
        f"x-forwarded-for: {client}\r\nx-real-ip: {client}\r\n"
        f"x-client-proto: {scheme}\r\nx-client-proto-ver: HTTP/{version}\r\n"
        f"x-api-scheme: {scheme}\r\n"
        f"x-api-requestid: {request_id}\r\nx-b3-traceid: {request_id}\r\n\r\n"
    ).encode()
