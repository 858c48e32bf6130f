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

from gateway.dataplane.protocol import GatewayProtocol

GRACE_SECONDS: Final = 10
"""How long requests in flight may take after the server was told to stop."""

BACKLOG: Final = 2048
"""How many connections may wait to be accepted."""

IDLE_SECONDS: Final = 60
"""How long a connection may sit idle between requests."""


class PortInUse(Exception):
    """An address that cannot be bound; the message says which and why."""


class HttpServer(uvicorn.Server):
    """One listener; starts, serves until it is told to stop, and says when it is ready.

    Args:
        app: The ASGI application.
        listener: A bound socket.
        protocol: uvicorn's HTTP protocol.
        sockets: Whether the application takes WebSocket connections.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        listener: socket.socket,
        *,
        protocol: type[asyncio.Protocol] | HTTPProtocolType = GatewayProtocol,
        sockets: bool = False,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
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
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self.listener = listener
        self.ready = asyncio.Event()

    @property
    def url(self) -> str:
        """Where the server answers."""
        host, port = self.listener.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def run_until_stopped(self) -> None:
        """Serve until `stop` is called."""
        await self.serve([self.listener])

    def stop(self, *, force: bool = False) -> None:
        """Accept nothing more, finish what is in flight; with `force` drop that too."""
        self.should_exit = True
        self.force_exit = self.force_exit or force

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and say so."""
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's business."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        PortInUse: The address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Only a socket that listens keeps others off a port that may be used again.
        listener.listen(BACKLOG)
    except (OSError, TypeError, UnicodeError) as error:  # the last two: a host that is no name
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise PortInUse(f"cannot listen on {host}:{port}: {reason}") from None
    listener.settimeout(0)
    return listener
