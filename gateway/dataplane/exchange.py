"""One request and its answer on a connection: ASGI's `receive` and `send`, and a shorter way.

ASGI takes an answer in two messages and checks every header of each. The data plane has its header
lines ready as bytes and hands over a whole answer in one call, `reply`, offered as the ASGI
extension `REPLY`; everything else, streaming included, goes the usual way.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from typing import Any, Final, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from gateway.dataplane.asgi import Message, Scope
from gateway.dataplane.overload import Load

REPLY: Final = "gateway.reply"
"""The extension: `reply(status, head, body)` sends a whole answer, and says whether it could.

It cannot while the caller reads too slowly; then the answer must go the usual way, which waits.
"""

BODILESS: Final = frozenset((204, 304))
"""Statuses whose answers have no body and no length."""

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"[^\x00\r\n]*")
_FINAL: Final = {status: line for status, line in STATUS_LINE.items() if status >= 200}
_ERROR: Final = b'{"message": "Internal Server Error."}'
_log: Final = logging.getLogger("gateway.server")


class Connection(Protocol):
    """What an exchange needs of its connection."""

    state: ServerState
    load: Load
    writing_paused: bool

    def write(self, data: bytes) -> None:
        """Send bytes."""

    async def drained(self) -> None:
        """Wait until the caller has read enough, or is gone."""

    def resume_reading(self) -> None:
        """Take in more of the body."""

    def finished(self, exchange: Exchange) -> None:
        """The answer is complete."""

    def abort(self) -> None:
        """The answer cannot be completed."""


class BadAnswer(Exception):
    """An application broke the rules of HTTP or ASGI."""


class Exchange:
    """One request and its answer.

    Args:
        connection: Where it happens.
        keep_alive: Whether the connection may go on after it.
        http_1_1: Whether the caller understands chunks.
        is_head: Whether the answer's body stays behind.
    """

    # Defaults stand on the class: most exchanges change few of them, and each one that is set
    # costs as much as a look-up.
    complete = False
    disconnected = False
    expects_continue = False
    more_body = True
    started = False
    task: asyncio.Task[None] | None = None
    _chunked = False
    _delivered = False
    _left = -1
    _waiter: asyncio.Future[None] | None = None
    _body: bytearray | None = None

    def __init__(
        self, connection: Connection, *, keep_alive: bool, http_1_1: bool, is_head: bool
    ) -> None:
        self._connection = connection
        self.keep_alive = keep_alive
        self.http_1_1 = http_1_1
        self.is_head = is_head

    async def run(self, app: Any, scope: Scope) -> None:  # noqa: ANN401 - any ASGI application
        """Call the application and answer for what it leaves undone."""
        try:
            await app(scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._connection.abort()
            raise
        except Exception:  # noqa: BLE001 - the caller gets a 500 and the log the reason
            _log.exception("the application failed")
            self._give_up()
        else:
            if not self.complete and not self.disconnected:
                _log.error("the application ended without a complete answer")
                self._give_up()
        finally:
            self._connection.load.running -= 1

    def feed(self, body: bytes) -> int:
        """Take in a piece of the body; gives the number of bytes that wait to be received."""
        if self._body is None:
            self._body = bytearray()
        self._body += body
        self.wake()
        return len(self._body)

    def wake(self) -> None:
        """Something happened that `receive` may wait for."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def reply(self, status: int, head: bytes, body: bytes) -> bool:
        """Send a whole answer; see `REPLY`."""
        connection = self._connection
        if self.disconnected:
            return True
        if connection.writing_paused or self.started:
            return False
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        length = b"" if status in BODILESS else b"content-length: %d\r\n" % len(body)
        if self.is_head or not length:
            body = b""
        own = rendered(connection.state.default_headers)
        self.started = self.complete = True
        connection.write(b"%b%b%b%b%b%b" % (STATUS_LINE[status], own, head, length, end, body))
        if self._waiter is not None:
            self.wake()
        connection.finished(self)
        return True

    async def receive(self) -> Message:
        """The next piece of the body, or that the caller is gone."""
        if self.expects_continue and not self.started:
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.expects_continue = False
        while not (self.disconnected or self.complete):
            if not self._delivered and (self._body or not self.more_body):
                body = bytes(self._body or b"")
                self._body = None
                self._delivered = not self.more_body
                self._connection.resume_reading()
                return {"type": "http.request", "body": body, "more_body": self.more_body}
            self._connection.resume_reading()
            if self._waiter is None or self._waiter.done():
                self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiter)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Start the answer, or send a piece of its body."""
        if self._connection.writing_paused:
            await self._connection.drained()
        if self.disconnected:
            return
        kind = message["type"]
        if kind == "http.response.start" and not self.started:
            self._start(message["status"], message.get("headers", ()))
        elif kind == "http.response.body" and self.started and not self.complete:
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise BadAnswer(f"the message {kind!r} is out of turn")

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        parts = [_FINAL[status], rendered(self._connection.state.default_headers)]
        closing = False
        for name, value in headers:
            if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
                raise BadAnswer(f"the header {name!r} is malformed")
            folded = name.lower()
            if folded == b"content-length":
                self._left = _length(value, self._left)
            elif folded == b"transfer-encoding":
                continue  # framing is the server's business
            elif folded == b"connection" and b"close" in value.lower():
                self.keep_alive, closing = False, True
            parts += (folded, b": ", value, b"\r\n")
        if self._left < 0 and status not in BODILESS and not self.is_head:
            self._chunked = self.http_1_1
            self.keep_alive = self.keep_alive and self.http_1_1
            parts.append(b"transfer-encoding: chunked\r\n" if self._chunked else b"")
        if status in BODILESS:
            self._left = 0
        parts.append(b"\r\n" if self.keep_alive or closing else b"connection: close\r\n\r\n")
        self.started = True
        self._connection.write(b"".join(parts))

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if self.is_head:
            body = b""
        elif self._chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body += b"" if more else b"0\r\n\r\n"
        elif self._left >= 0:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise BadAnswer("the body is not as long as its content-length")
        if body:
            self._connection.write(body)
        if not more:
            self.complete = True
            self.wake()
            self._connection.finished(self)

    def _give_up(self) -> None:
        if self.disconnected or self.complete:
            return
        self.keep_alive = False
        if not self.reply(500, b"content-type: application/json\r\n", _ERROR):
            self._connection.abort()


def _length(value: bytes, before: int) -> int:
    """A content-length, of which there is one."""
    if before >= 0 or not value.isdigit():
        raise BadAnswer(f"the content-length {value!r} is malformed, or the second one")
    return int(value)


_last: tuple[list[tuple[bytes, bytes]], bytes] = ([], b"")


def rendered(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The server's own header lines; uvicorn makes a new list of them once a second."""
    global _last  # noqa: PLW0603 - a memo of one entry
    if _last[0] is not headers:
        _last = (headers, b"".join(b"%b: %b\r\n" % pair for pair in headers))
    return _last[1]
