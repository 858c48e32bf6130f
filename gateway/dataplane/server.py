"""The server under the data plane: uvicorn with httptools on uvloop, told nothing it may guess.

Proxy headers are trusted from nobody, limits and deadlines are set on purpose, and signals are
the caller's business: two servers share one process here.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn
from uvicorn.config import HTTPProtocolType

from gateway.dataplane.accepting import Accepting, Crowd
from gateway.dataplane.limits import STRICT, Edge
from gateway.dataplane.limits_config import EdgeConfig
from gateway.dataplane.listeners import (
    HANDSHAKE_SECONDS,
    PortInUse,
    bind,
    is_shared,
    leave_to_the_next,
    url_of,
)
from gateway.dataplane.protocol import GatewayProtocol

__all__ = ["GRACE_SECONDS", "HttpServer", "PortInUse", "bind"]

GRACE_SECONDS: Final = 10
"""How long requests in flight may take after the server was told to stop."""

_TURNS: Final = 3  # of the event loop: it accepts, and then makes what was accepted known


class HttpServer(uvicorn.Server):
    """One listener; starts, serves until it is told to stop, and says when it is ready.

    Args:
        app: The ASGI application.
        listener: A bound socket.
        protocol: uvicorn's HTTP protocol.
        sockets: Whether the application takes WebSocket connections.
        edge: What is taken from callers.
        crowd: The other processes that accept from the same socket, which outlives this server;
            `None` for none.

    Attributes:
        listener: The socket.
        load: How much is being answered.
        ready: Is set once connections are accepted.
    """

    def __init__(  # noqa: PLR0913 - each setting has one name and one use
        self,
        app: Callable[..., Any],
        listener: socket.socket,
        *,
        protocol: type[asyncio.Protocol] | HTTPProtocolType = GatewayProtocol,
        sockets: bool = False,
        edge: Edge = STRICT,
        crowd: Crowd | None = None,
    ) -> None:
        config = EdgeConfig(
            app,
            edge,
            http=protocol,
            ws="wsproto" if sockets else "none",
            ws_per_message_deflate=False,  # messages cross; packing them twice helps nobody
            interface="asgi3",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)
        self.load = config.in_flight
        self.listener = listener
        self.ready = asyncio.Event()
        self._crowd = crowd
        self._accepting: Accepting | None = None

    @property
    def url(self) -> str:
        """Where the server answers."""
        return url_of(self.listener)

    async def run_until_stopped(self) -> None:
        """Serve until `stop` is called."""
        await self.serve([self.listener])

    def stop(self, *, force: bool = False) -> None:
        """Accept nothing more, finish what is in flight; with `force` drop that too."""
        self.should_exit = True
        self.force_exit = self.force_exit or force

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and say so."""
        if self._crowd is None:
            await super().startup(sockets=sockets)
        else:
            await super().startup(sockets=[])
            connections = self.server_state.connections
            self._accepting = Accepting(
                self.listener, self._connection, self._crowd, connections.__len__
            )
        self.ready.set()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: the others learn of connections that ended."""
        if self._accepting is not None:
            self._accepting.tell()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, let everybody finish, and ask those who are idle to go elsewhere."""
        self.load.draining = asyncio.get_running_loop().time()
        if self._accepting is not None:
            self._accepting.close()
            await self._accepting.wait_closed()  # so that whoever was taken last is told, too
        elif is_shared(self.listener):
            leave_to_the_next(self.listener)
            await asyncio.sleep(HANDSHAKE_SECONDS)
        for _ in range(_TURNS):
            await asyncio.sleep(0)  # whoever waits to be accepted would be lost with the listener
        await super().shutdown(sockets)

    def _connection(self) -> asyncio.Protocol:
        protocol: Any = self.config.http_protocol_class
        made: asyncio.Protocol = protocol(
            config=self.config, server_state=self.server_state, app_state={}
        )
        return made

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's business."""
        yield
