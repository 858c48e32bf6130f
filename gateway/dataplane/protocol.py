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

from gateway.dataplane.asgi import Scope, address_of
from gateway.dataplane.deadlines import Watch
from gateway.dataplane.exchange import Exchange, rendered
from gateway.dataplane.heads import HeadReader
from gateway.dataplane.limits import STRICT
from gateway.dataplane.limits_body import UNBOUNDED
from gateway.dataplane.limits_config import EdgeConfig
from gateway.dataplane.overload import Load
from gateway.dataplane.reader import HALF, UPGRADED


class GatewayProtocol(HeadReader):
    """One connection of a caller; uvicorn makes one for each.

    Args:
        config: uvicorn's configuration; an `EdgeConfig` also says what is taken from callers.
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
        edge = config.edge if isinstance(config, EdgeConfig) else STRICT
        bounds = getattr(config.loaded_app, "bounds", UNBOUNDED)
        super().__init__(edge.limits, edge.lenient, bounds)
        self.state = server_state
        self.load = config.in_flight if isinstance(config, EdgeConfig) else Load(edge.requests)
        self.writing_paused = False
        self.reading_paused = False
        self.answering: Exchange | None = None
        self.idle_since = 0.0
        self.parting = False  # nothing more is read
        self._config = config
        self._app = config.loaded_app
        self._seconds = edge.deadlines
        self._loop = _loop or asyncio.get_running_loop()
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._waiting: deque[tuple[Exchange, Scope]] = deque()
        self._drained: asyncio.Event | None = None
        self._watch = cast("Watch", None)

    # --- what the transport says ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller connected."""
        self._transport = cast("asyncio.Transport", transport)
        self.client = address_of(transport.get_extra_info("peername"))
        self.server = address_of(transport.get_extra_info("sockname"))
        self.state.connections.add(cast("Any", self))
        self.idle_since = self._loop.time()
        self._watch = Watch(self, self._seconds, self.load, self._loop)

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is gone; whoever still works for it is told."""
        self.state.connections.discard(cast("Any", self))
        self._watch.stop()
        self.resume_writing()
        for exchange in (self.answering, self.incoming):
            if exchange is not None and not exchange.complete:
                exchange.disconnected = True
                exchange.wake()
        self._waiting.clear()
        self.parting = True

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more requests."""
        if self.parting:
            return
        status = self.read(data)
        if not status:
            return
        if status == HALF:
            self._watch.half_read()
        elif status != UPGRADED:
            self.refuse(status)
        elif not self._handed_over():
            self._end_after_current()  # no other protocol is spoken here

    def eof_received(self) -> None:
        """The caller closed its side: it counts as gone, as with nginx, and the transport closes.

        Whoever waits for a caller to leave, such as a stream of events, learns it only here.
        """

    def pause_writing(self) -> None:
        """The caller reads too slowly."""
        self.writing_paused = True
        self._drained = self._drained or asyncio.Event()
        self._drained.clear()
        self._watch.half_sent()

    def resume_writing(self) -> None:
        """The caller caught up."""
        self.writing_paused = False
        if self._drained is not None:
            self._drained.set()

    # --- what the parser says -------------------------------------------------------------------

    def opened(self, exchange: Exchange, scope: Scope) -> None:
        """A head is complete: the exchange starts, or waits for its turn."""
        if self.answering is None:
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
        if not self.reading_paused and not self._transport.is_closing():
            self.reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take in more, unless requests are waiting already."""
        if self.reading_paused and not self._waiting and not self._transport.is_closing():
            self.reading_paused = False
            self._watch.resumed()
            self._transport.resume_reading()

    def finished(self, exchange: Exchange) -> None:
        """An answer is complete: on to the next request, or the end."""
        self.answering = None
        self.state.total_requests += 1
        if not exchange.keep_alive:
            self.leave()
        elif self._waiting:
            self._start(*self._waiting.popleft())
        else:
            self.idle_since = self._loop.time()
        if self.reading_paused:
            self.resume_reading()

    def abort(self) -> None:
        """An answer cannot be completed, or is not read; only a cut connection tells so."""
        self._transport.abort()

    # --- what the watch asks --------------------------------------------------------------------

    def unsent(self) -> int:
        """Bytes that wait for the caller to read."""
        return self._transport.get_write_buffer_size()

    def leave(self) -> None:
        """Nothing more is answered: close."""
        half = self.in_head or (self.incoming is not None and self.incoming.more_body)
        if (half or self.parting) and self._transport.can_write_eof():
            self._linger()
        else:
            self.parting = True
            self._transport.close()

    def refuse(self, status: int) -> None:
        """Answer what is not taken and end the connection, after what is answered already."""
        broken = self.incoming
        if self.in_head or broken is None or not broken.more_body:
            if self.answering is None:
                self._say(status)
        elif not broken.complete:
            # Its body is broken: whoever waits for the rest would wait for ever.
            broken.disconnected = True
            broken.wake()
            if broken is self.answering:
                self.answering = None
                if broken.started:
                    self.abort()
                else:
                    self._say(status)
        self._end_after_current()

    # --- what the server asks -------------------------------------------------------------------

    def shutdown(self) -> None:
        """Finish what is in flight and close; who is idle may ask once more, and is told then."""
        self.load.draining = self.load.draining or self._loop.time()
        if self.answering is not None and not self.answering.started and not self._waiting:
            self.answering.keep_alive = False  # its body may still be on its way
        self._watch.draining()

    # --------------------------------------------------------------------------------------------

    def _start(self, exchange: Exchange, scope: Scope) -> None:
        self.answering = exchange
        load = self.load
        load.running += 1
        if load.draining and not self._waiting:
            exchange.keep_alive = False
        # The event loop alone would not keep the task alive. uvicorn's list of tasks is not kept:
        # a connection stays open for as long as it is answered, and the server waits for those.
        exchange.task = self._loop.create_task(exchange.run(self._app, scope))

    def _handed_over(self) -> bool:
        """Let uvicorn's WebSocket protocol have the connection, if that is what is asked for.

        The request was opened like any other; its task has not begun, and never will.
        """
        make, opening = self._config.ws_protocol_class, self.opening()
        current = self.answering if self.answering is self.incoming else None
        task = current.task if current is not None and current.http_1_1 else None
        if make is None or opening is None or task is None:
            return False
        task.cancel()
        self.load.running -= 1
        self.answering = None
        self.parting = True
        self.state.connections.discard(cast("Any", self))
        self._watch.stop()
        other = make(config=self._config, server_state=self.state, app_state={})  # type: ignore[call-arg]
        other.connection_made(self._transport)
        other.data_received(opening)
        self._transport.set_protocol(other)
        return True

    def _end_after_current(self) -> None:
        self._waiting.clear()
        self.parting = True
        if self.answering is None:
            self.leave()
        else:
            self.answering.keep_alive = False

    def _linger(self) -> None:
        """Close in two steps: whoever still sends would lose what it has not read, otherwise."""
        self.parting = True
        if not self._transport.is_closing():
            self._transport.write_eof()
            self.resume_reading()  # until the caller has closed too; nothing is taken in
            self._watch.lingering()

    def _say(self, status: int) -> None:
        head = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.write(STATUS_LINE[status] + rendered(self.state.default_headers) + head)
