"""The caller of a request on its way through: what it sends, and whether it is still there.

One task reads from a caller, because two would take each other's messages. It starts with the
request where there is a body; without one it only watches, and costs nothing where an answer is
quick.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final, cast

from gateway.dataplane.asgi import Receive
from gateway.dataplane.backends_headers import Onward
from gateway.dataplane.backends_wire import Wire

WATCH_AFTER_SECONDS: Final = 0.02
"""How long an answer may take before anybody looks whether its caller waits for it."""

ALLOWED_SECONDS: Final = 1.0
"""How long a back end may take to ask for a body before it is sent unasked (RFC 9110 10.1.1)."""


class CallerGone(Exception):
    """The caller closed the connection before the request was complete."""


class Sender:
    """The caller's side of a request; a context in which it is watched.

    When the caller leaves, whatever is under way in the context is cancelled and `CallerGone`
    comes out of it.

    Args:
        receive: ASGI's.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = cast("asyncio.Task[Any]", None)
        self._gone = False
        self._reader: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def accompany(self, wire: Wire, request: Onward) -> None:
        """Send the body along a connection, and watch; never sooner, or the body would be lost."""
        if request.has_body:
            wire.sent = False
            self._reader = asyncio.create_task(self._pass_on(wire, request))
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(WATCH_AFTER_SECONDS, self._look)

    async def __aenter__(self) -> None:
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._reader is not None:
            self._reader.cancel()
        # Somebody else may want the task to end as well, and then it must.
        if self._gone and kind is asyncio.CancelledError and self._task.uncancel() == 0:
            raise CallerGone

    def _look(self) -> None:
        self._reader = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    async def _pass_on(self, wire: Wire, request: Onward) -> None:
        if request.expects and not await wire.wants_body(ALLOWED_SECONDS):
            return
        more = True
        while more:
            wire.patient = True
            message = await self._receive()
            wire.patient = False
            if message["type"] == "http.disconnect":
                self._leave()
                return
            if not wire.is_open:
                break
            body, more = message.get("body", b""), message.get("more_body", False)
            if request.is_chunked:
                body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
                body += b"" if more else b"0\r\n\r\n"
            wire.write(body)
            await wire.drained()
        wire.sent = not more
        await self._watch()

    def _leave(self) -> None:
        self._gone = True
        self._task.cancel()
