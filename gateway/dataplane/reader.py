"""The reading half of a connection: httptools' callbacks become exchanges, within limits.

Sizes are measured where they may be exceeded and cost the ordinary request two comparisons. How a
head is written is httptools' business; what it lets through all the same is refused here.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools

from gateway.dataplane import limits_head
from gateway.dataplane.asgi import Scope
from gateway.dataplane.exchange import REPLY, Exchange
from gateway.dataplane.limits import HOST_SYNTAX, Limits
from gateway.dataplane.limits_body import UNBOUNDED, Bounds, Headers, settled
from gateway.dataplane.limits_head import WATCHED, HeadRefused, Trailers, known_hosts

BODY_HIGH_WATER: Final = 64 * 1024
"""Bytes of a body that may wait to be received before reading pauses."""

UPGRADED: Final = -1
"""What `read` gives after a request for another protocol: no more requests can follow."""

HALF: Final = -2
"""What `read` gives when a head or a body is not complete."""

_LINE_END: Final = b" HTTP/1.1\r\n"
_LINE_END_SIZE: Final = len(_LINE_END)
_SPACE: Final = ord(" ")
_SLASH: Final = ord("/")
_HASH: Final = ord("#")
_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


class RequestReader(asyncio.Protocol):
    """Reads requests.

    Args:
        limits: How large they may be.
        lenient: Rules that they are not held to.
        bounds: How long single APIs let a body be.

    Attributes:
        client: The caller's address.
        server: The address it called.
        incoming: The exchange whose body is read.
        in_head: Whether a head has begun and is not complete.
        taken: Bytes of bodies so far.
    """

    def __init__(self, limits: Limits, lenient: frozenset[str], bounds: Bounds = UNBOUNDED) -> None:
        self.client: tuple[str, int] | None = None
        self.server: tuple[str, int] | None = None
        self.incoming: Exchange | None = None
        self.in_head = False
        self.taken = 0
        self._limits = limits
        self._lenient = lenient
        self._bounds = bounds
        self._ordinary = min(limits.line, limits.head)  # what is no longer needs no measuring
        self._parser: Any = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] | Trailers = []
        self._piece = b""  # what is being read, from where a head began; empty once that is read
        self._behind = b""  # the same, where something else came before the head
        self._at = 0  # where in that the head may have begun
        self._unparsed = 0  # bytes of a head in earlier pieces
        self._in_body = False
        self._is_large = False  # a head may exceed the limits, and is measured when complete
        self._read: list[tuple[bytes, bytes]] = []  # the last complete head
        self._hosts = self._codings = 0
        self._room: int | None = None  # for the rest of a body in chunks
        self._expects_continue = False

    @abstractmethod
    def opened(self, exchange: Exchange, scope: Scope) -> None:
        """A head is complete."""

    @abstractmethod
    def pause_reading(self) -> None:
        """Enough for now."""

    def read(self, data: bytes) -> int:
        """Parse a piece of one or more requests.

        Returns:
            0, or the status with which what follows is refused, or `UPGRADED`, or `HALF`.
        """
        size, before = len(data), self.incoming
        if size > self._ordinary or self._unparsed:
            self._is_large = True
        if self._in_body:
            self._piece, self._behind, self._at = b"", data, 0
        elif self._piece or not self.in_head:
            self._piece = self._piece + data if self._piece else data
        else:
            self._behind += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return UPGRADED
        except httptools.HttpParserError as error:
            cause = error.__context__
            return cause.status if isinstance(cause, HeadRefused) else 400
        if self.in_head:
            return self._half_a_head(size, mixed=self._in_body or self.incoming is not before)
        incoming = self.incoming
        self._piece = b""
        if incoming is before and data[-1:] == b"\r" and not self._behind:
            self._piece = b"\r"  # half an empty line
        self._behind = b""
        self._in_body = incoming is not None and incoming.more_body
        return HALF if self._in_body else 0

    def opening(self) -> bytes | None:
        """The head of a request that asks for a WebSocket; `None` where it asks for another."""
        return limits_head.asks_for_socket(self._parser.get_method(), self._target, self._read)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._target = b""
        self._headers = []
        self._hosts = self._codings = 0
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or a trailer."""
        name = name.lower()
        if value and value[-1] <= _SPACE:
            value = value.rstrip(b" \t")  # httptools takes off what is in front alone
        if name in WATCHED:
            if name == b"host" and value in known_hosts:
                self._hosts += 1
            else:
                self._watched(name, value)
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete: the exchange starts, or waits for its turn."""
        parser = self._parser
        self.in_head, self._unparsed = False, 0
        headers = self._read = cast("Headers", self._headers)
        version, method, target = parser.get_http_version(), parser.get_method(), self._target
        if self._is_large or len(headers) > self._limits.headers:
            self._is_large = False
            limits_head.check_limits(self._limits, method, target, headers)
            self._room = settled(self._bounds, self._limits.body, (method, target), headers)
        raw_path, _, query = target.partition(b"?")
        piece, end = self._piece, len(method) + len(target) + 1
        if not (
            piece[end : end + _LINE_END_SIZE] == _LINE_END
            and self._hosts == 1
            and target[0] == _SLASH
            and _HASH not in target
        ):
            raw_path, query = self._unusual(version, method)
        if piece:
            self._behind, self._piece, self._at = piece, b"", end
        exchange = self.incoming = Exchange(
            self,  # type: ignore[arg-type]  # whoever answers is the connection
            # Callers of HTTP/1.0 would have to be told that the connection goes on.
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            http_1_1=version == "1.1",
            is_head=method == b"HEAD",
        )
        if self._expects_continue:
            exchange.expects_continue, self._expects_continue = True, False
        self.opened(exchange, self.scope(exchange, (version, method, raw_path, query), headers))

    def scope(
        self, exchange: Exchange, line: tuple[str, bytes, bytes, bytes], headers: Headers
    ) -> Scope:
        """The ASGI scope of a request, from version, method, path and query."""
        version, method, raw_path, query = line
        path = raw_path.decode("ascii")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": "http",
            "root_path": "",
            "headers": headers,
            "method": method.decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "extensions": {REPLY: exchange.reply},
        }

    def on_chunk_header(self) -> None:
        """The size of a chunk was read: trailers may follow, which are no headers."""
        self._headers = Trailers(self._limits.head)

    def on_body(self, body: bytes) -> None:
        """A piece of the body; of no interest once the request was answered."""
        exchange = self.incoming
        self.taken += len(body)
        if self._codings and self._room is not None:
            self._room -= len(body)
            if self._room < 0:
                raise HeadRefused(413)
        if exchange is None or exchange.complete:
            return
        if exchange.feed(body) > BODY_HIGH_WATER:
            self.pause_reading()

    def on_message_complete(self) -> None:
        """The request is complete."""
        exchange = self.incoming
        if exchange is not None:
            exchange.more_body = False
            exchange.wake()

    def _half_a_head(self, size: int, *, mixed: bool) -> int:
        """Measure what is there of a head; of a piece that held more than that, what was parsed."""
        self._in_body = False
        self._unparsed += (
            limits_head.measured(self._target, cast("Headers", self._headers)) if mixed else size
        )
        return 431 if self._unparsed > self._limits.head else HALF

    def _watched(self, name: bytes, value: bytes) -> None:
        """A header on which depends how the request is read."""
        if not self.in_head:
            return  # trailers see to themselves
        bounded = self._bounds.active  # then the API settles it, which is known with the whole head
        self._is_large = self._is_large or bounded
        if name == b"host":
            self._hosts += 1
            if not limits_head.is_host(value) and HOST_SYNTAX not in self._lenient:
                raise HeadRefused(400)
        elif name == b"expect":
            self._expects_continue = value.lower() == b"100-continue"
        elif name == b"content-length":
            most = None if bounded else self._limits.body
            if most is not None and int(value) > most:
                raise HeadRefused(413)
        else:
            self._coding(value)

    def _coding(self, value: bytes) -> None:
        """The body comes in chunks; other codings are not understood."""
        self._codings += 1
        if value.lower() != b"chunked" or self._codings > 1:
            raise HeadRefused(400 if value.lower() == b"chunked" else 501)
        self._room = self._limits.body

    def _unusual(self, version: str, method: bytes) -> tuple[bytes, bytes]:
        """Path and query of a request that is not written as nearly all are."""
        line = limits_head.request_line(method, self._target, version)
        if self._piece:
            limits_head.check_first(line, self._piece)
        else:
            self._at = limits_head.check_next(line, self._behind, self._at)
        limits_head.check_hosts(version, self._hosts, self._codings, self._lenient)
        return limits_head.path_and_query(self._target, self._lenient)
