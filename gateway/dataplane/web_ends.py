"""The caller's two ends as a web application sees them.

What is the gateway's to say is put into the answer, time runs while it is the application's turn,
and an application whose caller has gone is told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from gateway.dataplane.answer import Header
from gateway.dataplane.asgi import Message, Receive, Send
from gateway.dataplane.request import OWN_PREFIXES
from gateway.runtime.web_application import Running

OWN: Final = tuple(prefix.encode() for prefix in OWN_PREFIXES)
_SAID_HERE: Final = frozenset((b"date", b"x-api-requestid"))
"""Headers of an answer that the gateway and its server say themselves."""


class CallerLeft(OSError):
    """What an application is told that goes on answering a caller who has gone."""


class Ends:
    """One request and its answer.

    Args:
        receive: The server's.
        send: The server's.
        said: What the gateway adds to the head of the answer.
        has_body: Whether the request has a body.

    Attributes:
        status: What the application answered with; 0 before it did.
        complete: Whether the whole answer was given.
        gone: Whether the caller went away before that.
    """

    def __init__(self, receive: Receive, send: Send, said: list[Header], *, has_body: bool) -> None:
        self.status = 0
        self.complete = False
        self.gone = False
        self._receive = receive
        self._send = send
        self._said = said
        self._has_all = not has_body  # of the request
        self._owed: int | None = None  # bytes of the answer, where it says how many
        self._limit = 0.0
        self._running: Running | None = None
        self._over: asyncio.Future[bool] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self._deaf = False  # it is too late for an answer of the application's

    async def over(self, running: Running, limit: float) -> bool:
        """Wait for the application; whether it was too slow to begin its answer.

        The time counts anew with each piece of the request that the application had to wait for.
        """
        self._running, self._limit = running, limit
        self._over = asyncio.get_running_loop().create_future()
        running.task.add_done_callback(lambda _: self._settle(late=False))
        self._resume()
        try:
            return await self._over
        except asyncio.CancelledError:
            self._deaf = True
            running.stop()
            raise
        finally:
            self._pause()
            if self._watching is not None:
                self._watching.cancel()

    async def receive(self) -> Message:
        """ASGI's `receive`."""
        if self._watching is not None:
            await asyncio.wait([self._watching])
        if self.gone or self._deaf:
            return {"type": "http.disconnect"}
        if self._has_all:
            message = await self._receive()
        else:
            self._pause()
            message = await self._receive()
            self._resume()
            self._has_all = not message.get("more_body", False)
        if message["type"] == "http.disconnect":
            self._leave()
        return message

    async def send(self, message: Message) -> None:
        """ASGI's `send`."""
        if self.gone or self._deaf:
            raise CallerLeft("the caller has gone")
        kind = message["type"]
        if kind == "http.response.start":
            headers = [*without_own(message.get("headers", ())), *self._said]
            self._owed = _length(headers)
            await self._send({**message, "headers": headers})
            self.status = message["status"]
            self._pause()
            return
        more = message.get("more_body", False)
        if self._owed is not None:
            self._owed -= len(message.get("body", b""))
        # A caller who has the announced length may leave before the application says that it ends.
        through = not more or self._owed == 0
        self.complete = kind == "http.response.body" and through and bool(self.status)
        await self._send(message)
        if more and self._has_all and self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """Only whoever receives learns that a caller has gone; many streams never do."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _leave(self) -> None:
        self.gone = not self.complete

    def _pause(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _resume(self) -> None:
        if self._over is not None and not self.status and self._timer is None:
            self._timer = self._over.get_loop().call_later(self._limit, self._expire)

    def _expire(self) -> None:
        self._deaf = True
        if self._running is not None:
            self._running.stop()
        self._settle(late=True)

    def _settle(self, *, late: bool) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(late)


def _length(headers: Iterable[Header]) -> int | None:
    """How long an answer says that it is."""
    for name, value in headers:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return None


def without_own(headers: Iterable[Header]) -> Iterable[Header]:
    """An application's headers without those that the gateway says itself."""
    for name, value in headers:
        folded = name.lower()
        if folded not in _SAID_HERE and not folded.startswith(OWN):
            yield name, value
