"""One connection of a sender: a request as bytes, and what its answer says; the body is read past.

The general HTTP clients spend most of a request's time on what a replay does not need. With them a
burst of a recording would be as slow as the client, and its slip would tell of nothing else.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import httptools

from gateway.traffic.outcome import NOTHING, Said

MAX_HEAD: Final = 256 * 1024
"""Most bytes of an answer's head, and of the interim answers before it."""

_BODILESS: Final = frozenset((204, 304))
_SAID: Final = {
    b"x-gateway-function": 0,
    b"x-gateway-alias": 1,
    b"x-gateway-version": 2,
    b"x-gateway-reason": 3,
    b"x-gateway-revision": 4,
}


class Broken(Exception):
    """A request that has no whole answer; the text says why."""


class Wire(asyncio.Protocol):
    """A connection; one request at a time.

    Attributes:
        idle_since: When its last request was over, by the clock of the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.idle_since = 0.0
        self._loop = loop
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._answer: Answer | None = None
        self._is_lost = False

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as this side knows."""
        return not self._is_lost and not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow the one that was answered."""
        return self._answer is None and self.is_open

    async def ask(self, request: bytes, *, is_head: bool) -> Answer:
        """Send a request, and read its answer to the end.

        Raises:
            Broken: There is no whole answer.
        """
        answer = self._answer = Answer(self._loop.create_future(), is_head=is_head)
        self._transport.write(request)
        await answer.done
        if not answer.is_last:
            self._answer = None
        return answer

    def close(self) -> None:
        """End the connection at once."""
        self._is_lost = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer; those that nobody asked for end the connection."""
        if self._answer is None:
            self.close()
        else:
            self._answer.read(data)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, which ends a body that has no other end."""
        self._is_lost = True
        if self._answer is not None:
            self._answer.lost(error)


class Answer:
    """An answer as it comes in.

    Args:
        done: Has a result when the answer is here to its end.
        is_head: Whether the request was a `HEAD`, whose answer has no body whatever it says.

    Attributes:
        done: Has a result when the answer is here to its end.
        status: The HTTP status.
        is_last: Whether nothing may follow it on its connection.
    """

    def __init__(self, done: asyncio.Future[None], *, is_head: bool) -> None:
        self.done = done
        self.status = 0
        self.is_last = False
        self._is_head = is_head
        self._parser: Any = httptools.HttpResponseParser(self)
        self._said: list[str] | None = None
        self._is_sized = False
        self._until_end = False
        self._size = 0

    def said(self) -> Said:
        """What the answer says of itself."""
        return NOTHING if self._said is None else Said(*self._said)

    def read(self, data: bytes) -> None:
        """Take in bytes."""
        if self.done.done():  # beyond the answer: the next one could not be trusted
            self.is_last = True
            return
        if not self.status:
            self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._end(is_last=True)
        except httptools.HttpParserError as error:
            if self.done.done():
                self.is_last = True
            else:
                self._break(f"it is no HTTP: {error}")
        if not self.status and self._size > MAX_HEAD:
            self._break("its head is too long")

    def lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        if self._until_end and error is None:
            self._end(is_last=True)
        elif self.status:
            self._break("the answer broke off")
        else:
            self._break("the connection was closed before the answer")

    def on_message_begin(self) -> None:
        """An answer begins; after a complete one, nobody asked for it."""
        if self.done.done():
            self.is_last = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; few of them matter."""
        name = name.lower()
        place = _SAID.get(name)
        if place is not None and not self.status:
            self._said = self._said or [""] * len(_SAID)
            self._said[place] = value.decode("latin-1")
        elif name in {b"content-length", b"transfer-encoding"}:
            self._is_sized = True

    def on_headers_complete(self) -> None:
        """The head is complete, perhaps that of an interim answer."""
        status: int = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self._is_sized = False
            return
        self.status = status
        self.is_last = not self._parser.should_keep_alive()
        if self._is_head:
            self._end(is_last=self.is_last)
        elif not self._is_sized and status not in _BODILESS:
            self._until_end = self.is_last = True

    def on_message_complete(self) -> None:
        """An answer is complete, perhaps an interim one."""
        if self.status:
            self._end(is_last=self.is_last)

    def _end(self, *, is_last: bool) -> None:
        self.is_last = is_last
        if not self.done.done():
            self.done.set_result(None)

    def _break(self, why: str) -> None:
        self.is_last = True
        if not self.done.done():
            self.done.set_exception(Broken(why))
