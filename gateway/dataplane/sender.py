"""The caller of a request on its way through: what it sends, and whether it is still there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any

from gateway.dataplane.asgi import Receive

if TYPE_CHECKING:
    from aiohttp import ClientResponse


class CallerGone(Exception):
    """The caller closed the connection before the request was complete."""


class Sender:
    """The caller's side of a request on its way through.

    Attributes:
        has_body: Whether there is a body to pass on.
        gone: Whether the caller left before everything was through.
    """

    def __init__(self, receive: Receive, *, has_body: bool) -> None:
        self.has_body = has_body
        self.gone = False
        self._receive = receive
        self._complete = asyncio.Event()
        if not has_body:
            self._complete.set()

    async def body(self) -> AsyncIterator[bytes]:
        """The body, piece by piece.

        Raises:
            CallerGone: The caller went away before the body was complete.
        """
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                raise CallerGone
            if chunk := message.get("body", b""):
                yield chunk
            more = message.get("more_body", False)
        self._complete.set()

    async def left(self) -> None:
        """Return when the caller has gone; what it sends is read by nobody but `body`."""
        await self._complete.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True


async def while_there(
    sender: Sender, response: ClientResponse, passing: Coroutine[Any, Any, None]
) -> None:
    """Pass an answer back for as long as somebody takes it: an endless one would never end."""

    async def watch() -> None:
        await sender.left()
        response.close()

    watching = asyncio.create_task(watch())
    try:
        await passing
    finally:
        watching.cancel()
