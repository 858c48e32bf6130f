"""The server under the data plane: uvicorn with httptools on uvloop, told nothing it may guess.

Proxy headers are trusted from nobody, limits and deadlines are set on purpose, and signals are
the caller's business: two servers share one process here.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import uvicorn
from uvicorn.config import HTTPProtocolType

from gateway.dataplane.limits import STRICT, Edge
from gateway.dataplane.limits_config import EdgeConfig
from gateway.dataplane.protocol import GatewayProtocol

GRACE_SECONDS: Final = 10
"""How long requests in flight may take after the server was told to stop."""

BACKLOG: Final = 2048
"""How many connections may wait to be accepted."""


_HANDSHAKE_SECONDS: Final = 0.05  # for connections that are being made
_ATTACH: Final = 51  # SO_ATTACH_REUSEPORT_CBPF, which Python has no name for
_DETACH: Final = 68  # SO_DETACH_REUSEPORT_BPF
_TURNS: Final = 3  # of the event loop: it accepts, and then makes what was accepted known


class PortInUse(Exception):
    """An address that cannot be bound; the message says which and why."""


class HttpServer(uvicorn.Server):
    """One listener; starts, serves until it is told to stop, and says when it is ready.

    Args:
        app: The ASGI application.
        listener: A bound socket.
        protocol: uvicorn's HTTP protocol.
        sockets: Whether the application takes WebSocket connections.
        edge: What is taken from callers.

    Attributes:
        listener: The socket.
        load: How much is being answered.
        ready: Is set once connections are accepted.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        listener: socket.socket,
        *,
        protocol: type[asyncio.Protocol] | HTTPProtocolType = GatewayProtocol,
        sockets: bool = False,
        edge: Edge = STRICT,
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

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, let everybody finish, and ask those who are idle to go elsewhere."""
        self.load.draining = asyncio.get_running_loop().time()
        if _is_shared(self.listener):
            _leave_to_the_next(self.listener)
            await asyncio.sleep(_HANDSHAKE_SECONDS)
        for _ in range(_TURNS):
            await asyncio.sleep(0)  # whoever waits to be accepted would be lost with the listener
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's business."""
        yield


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Args:
        host: The address.
        port: The port.
        shared: Whether other processes of the same user may listen there as well, if they say so
            too; new connections are divided among them.

    Raises:
        PortInUse: The address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        # Only a socket that listens keeps others off a port that may be used again.
        listener.listen(BACKLOG)
        if shared:
            _divide(listener)
    except (OSError, TypeError, UnicodeError) as error:  # the last two: a host that is no name
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise PortInUse(f"cannot listen on {host}:{port}: {reason}") from None
    listener.settimeout(0)
    return listener


def _is_shared(listener: socket.socket) -> bool:
    return bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))


def _leave_to_the_next(listener: socket.socket) -> None:
    """Have Linux give new connections to whoever came second, if anybody did.

    A connection that is being made when its listener closes is reset, though another listens on
    the port. The oldest listener is the first to go and number 0; the program says `return 1`,
    which where there is no number 1 counts for nothing.
    """
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 1))
    with suppress(OSError):  # other systems have no such thing, and the gap is short
        filled = struct.pack("HP", 1, ctypes.addressof(program))
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH, filled)


def _divide(listener: socket.socket) -> None:
    """Have new connections divided again, whatever one that has gone wanted."""
    with suppress(OSError):  # there was no such thing
        listener.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
