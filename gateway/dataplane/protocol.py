"""The HTTP/1 protocol under both planes: requests are read, one exchange at a time answers.

It stands in for uvicorn's own protocol, which spends as much on a request as the whole of the
data plane does. Requests that arrive while one is answered wait their turn; bodies and answers
are held back when the other side is slow.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, cast

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from gateway.dataplane.asgi import Scope
from gateway.dataplane.exchange import Exchange, rendered
from gateway.dataplane.reader import UPGRADED, RequestReader


class GatewayProtocol(RequestReader):
    """One connection of a caller; uvicorn makes one for each.

    Args:
        config: uvicorn's configuration; its application and idle time are used.
        server_state: Shared with uvicorn's server, which ends connections and waits for tasks.
        app_state: The lifespan's state, which is not used here.
        _loop: The event loop.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],  # noqa: ARG002 - part of uvicorn's signature
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__()
        self.state = server_state
        self._config = config
        self.writing_paused = False
        self._app = config.loaded_app
        self._idle_seconds = config.timeout_keep_alive
        self._loop = _loop or asyncio.get_running_loop()
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._current: Exchange | None = None  # the one that is answered
        self._waiting: deque[tuple[Exchange, Scope]] = deque()
        self._reading_paused = False
        self._drained: asyncio.Event | None = None
        self._idle_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False  # nothing more is read

    # --- what the transport says ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller connected."""
        self._transport = cast("asyncio.Transport", transport)
        self.client = _address(transport.get_extra_info("peername"))
        self.server = _address(transport.get_extra_info("sockname"))
        self.state.connections.add(cast("Any", self))
        self._idle_since = self._loop.time()
        self._timer = self._loop.call_later(self._idle_seconds, self._close_if_idle)

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone; whoever still works for it is told."""
        self.state.connections.discard(cast("Any", self))
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()
        for exchange in (self._current, self.incoming):
            if exchange is not None and not exchange.complete:
                exchange.disconnected = True
                exchange.wake()
        self._waiting.clear()
        self._ended = True

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more requests."""
        if self._ended:
            return
        status = self.read(data)
        if status == UPGRADED:
            if not self._handed_over():
                self._end_after_current()  # no other protocol is spoken here
        elif status:
            self._refuse(status)

    def eof_received(self) -> None:
        """The caller closed its side: it counts as gone, as with nginx, and the transport closes.

        Whoever waits for a caller to leave, such as a stream of events, learns it only here.
        """

    def pause_writing(self) -> None:
        """The caller reads too slowly."""
        self.writing_paused = True
        self._drained = self._drained or asyncio.Event()
        self._drained.clear()

    def resume_writing(self) -> None:
        """The caller caught up."""
        self.writing_paused = False
        if self._drained is not None:
            self._drained.set()

    # --- what the parser says -------------------------------------------------------------------

    def opened(self, exchange: Exchange, scope: Scope) -> None:
        """A head is complete: the exchange starts, or waits for its turn."""
        if self._current is None:
            self._start(exchange, scope)
        else:
            self._waiting.append((exchange, scope))
            self.pause_reading()

    # --- what exchanges ask ---------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the caller has read enough, or is gone."""
        if self._drained is not None:
            await self._drained.wait()

    def pause_reading(self) -> None:
        """Enough for now."""
        if not self._reading_paused and not self._transport.is_closing():
            self._reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take in more, unless requests are waiting already."""
        if self._reading_paused and not self._waiting and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()

    def finished(self, exchange: Exchange) -> None:
        """An answer is complete: on to the next request, or the end."""
        self._current = None
        self.state.total_requests += 1
        if not exchange.keep_alive:
            self._transport.close()
        elif self._waiting:
            self._start(*self._waiting.popleft())
        else:
            self._idle_since = self._loop.time()
        if self._reading_paused:
            self.resume_reading()

    def abort(self) -> None:
        """An answer cannot be completed; only a cut connection tells the caller so."""
        self._transport.abort()

    # --- what the server asks -------------------------------------------------------------------

    def shutdown(self) -> None:
        """Finish what is in flight and close."""
        if self._current is None:
            self._transport.close()
        else:
            self._waiting.clear()
            self._current.keep_alive = False  # its body may still be on its way

    # --------------------------------------------------------------------------------------------

    def _start(self, exchange: Exchange, scope: Scope) -> None:
        self._current = exchange
        # The event loop alone would not keep the task alive. uvicorn's list of tasks is not kept:
        # a connection stays open for as long as it is answered, and the server waits for those.
        exchange.task = self._loop.create_task(exchange.run(self._app, scope))

    def _handed_over(self) -> bool:
        """Let uvicorn's WebSocket protocol have the connection, if that is what is asked for.

        The request was opened like any other; its task has not begun, and never will.
        """
        make, opening = self._config.ws_protocol_class, self.opening()
        current = self._current if self._current is self.incoming else None
        task = current.task if current is not None and current.http_1_1 else None
        if make is None or opening is None or task is None:
            return False
        task.cancel()
        self._current = None
        self._ended = True
        self.state.connections.discard(cast("Any", self))
        if self._timer is not None:
            self._timer.cancel()
        other = make(config=self._config, server_state=self.state, app_state={})  # type: ignore[call-arg]
        other.connection_made(self._transport)
        other.data_received(opening)
        self._transport.set_protocol(other)
        return True

    def _end_after_current(self) -> None:
        self._ended = True
        self._waiting.clear()
        if self._current is None:
            self._transport.close()
        else:
            self._current.keep_alive = False

    def _refuse(self, status: int) -> None:
        """Answer what is not taken and end the connection, after what is answered already."""
        broken = self.incoming
        if self.in_head or broken is None or not broken.more_body:
            if self._current is None:
                self._say(status)
        elif not broken.complete:
            # Its body is broken: whoever waits for the rest would wait for ever.
            broken.disconnected = True
            broken.wake()
            if broken is self._current:
                self._current = None
                if broken.started:
                    self.abort()
                else:
                    self._say(status)
        self._end_after_current()

    def _say(self, status: int) -> None:
        head = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.write(STATUS_LINE[status] + rendered(self.state.default_headers) + head)

    def _close_if_idle(self) -> None:
        left = self._idle_since + self._idle_seconds - self._loop.time()
        if self._current is None and left <= 0:
            self._transport.close()
        else:
            wait = left if self._current is None else self._idle_seconds
            self._timer = self._loop.call_later(wait, self._close_if_idle)


def _address(info: Any) -> tuple[str, int] | None:  # noqa: ANN401 - sockets say what they like
    return (str(info[0]), int(info[1])) if isinstance(info, tuple) else None
