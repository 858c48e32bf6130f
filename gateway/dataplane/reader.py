"""The reading half of a connection: httptools' callbacks become exchanges, within limits.

A head has at most `MAX_HEAD` bytes and `MAX_HEADERS` headers, a target at most `MAX_TARGET` bytes.
They are measured where they may be exceeded and cost the ordinary request two comparisons.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any, Final
from urllib.parse import unquote

import httptools

from gateway.dataplane.asgi import Scope
from gateway.dataplane.exchange import REPLY, Exchange

MAX_TARGET: Final = 8 * 1024
"""Longest request target, in bytes; beyond it the answer is 414."""

MAX_HEAD: Final = 16 * 1024
"""Longest head, in bytes; beyond it the answer is 431."""

MAX_HEADERS: Final = 100
"""Most headers of a request; beyond it the answer is 431."""

BODY_HIGH_WATER: Final = 64 * 1024
"""Bytes of a body that may wait to be received before reading pauses."""

UPGRADED: Final = -1
"""What `read` gives after a request for another protocol: no more requests can follow."""

_ASGI: Final = {"version": "3.0", "spec_version": "2.3"}


class HeadRefused(Exception):
    """A head that is not taken; the status says why."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"the head is refused with {status}")


class RequestReader(asyncio.Protocol):
    """Reads requests.

    Attributes:
        client: The caller's address.
        server: The address it called.
        incoming: The exchange whose body is read.
        in_head: Whether a head has begun and is not complete.
    """

    def __init__(self) -> None:
        self.client: tuple[str, int] | None = None
        self.server: tuple[str, int] | None = None
        self.incoming: Exchange | None = None
        self.in_head = False
        self._parser: Any = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._unparsed = 0  # bytes of a head in earlier pieces
        self._is_large = False  # a head may exceed the limits, and is measured when complete
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
            0, or the status with which what follows is refused, or `UPGRADED`.
        """
        size = len(data)
        if size > MAX_TARGET or self._unparsed:
            self._is_large = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return UPGRADED
        except httptools.HttpParserError as error:
            cause = error.__context__
            return cause.status if isinstance(cause, HeadRefused) else 400
        if self.in_head:
            self._unparsed += size
            if self._unparsed > MAX_HEAD:
                return 431
        return 0

    def opening(self) -> bytes | None:
        """The head of a request that asks for a WebSocket; `None` where it asks for another."""
        if dict(self._headers).get(b"upgrade", b"").lower() != b"websocket":
            return None
        if self._parser.get_method() != b"GET":
            return None
        lines = b"".join(b"%b: %b\r\n" % pair for pair in self._headers)
        return b"GET %b HTTP/1.1\r\n%b\r\n" % (self._target, lines)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._target = b""
        self._headers = []
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        name = name.lower()
        if name == b"expect":
            self._expects_continue = value.lower() == b"100-continue"
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete: the exchange starts, or waits for its turn."""
        parser = self._parser
        self.in_head = False
        self._unparsed = 0
        if self._is_large or len(self._headers) > MAX_HEADERS:
            self._check_limits()
        version, method = parser.get_http_version(), parser.get_method()
        raw_path, _, query = self._target.partition(b"?")
        if not raw_path.startswith(b"/") or b"#" in self._target:
            raw_path, query = _parse(self._target)
        path = raw_path.decode("ascii")
        exchange = Exchange(
            self,  # type: ignore[arg-type]  # whoever answers is the connection
            # Callers of HTTP/1.0 would have to be told that the connection goes on.
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            http_1_1=version == "1.1",
            is_head=method == b"HEAD",
        )
        if self._expects_continue:
            exchange.expects_continue, self._expects_continue = True, False
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": "http",
            "root_path": "",
            "headers": self._headers,
            "method": method.decode("ascii"),
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "extensions": {REPLY: exchange.reply},
        }
        self.incoming = exchange
        self.opened(exchange, scope)

    def on_body(self, body: bytes) -> None:
        """A piece of the body; of no interest once the request was answered."""
        exchange = self.incoming
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

    def _check_limits(self) -> None:
        self._is_large = False
        if len(self._target) > MAX_TARGET:
            raise HeadRefused(414)
        size = sum(len(name) + len(value) + 4 for name, value in self._headers)
        if size > MAX_HEAD or len(self._headers) > MAX_HEADERS:
            raise HeadRefused(431)


def _parse(target: bytes) -> tuple[bytes, bytes]:
    """Path and query of a target in absolute form, or of one with a fragment."""
    url = httptools.parse_url(target)
    if not url.schema and not target.startswith(b"/"):
        raise HeadRefused(400)
    return url.path or b"/", url.query or b""
