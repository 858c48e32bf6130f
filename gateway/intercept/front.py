"""The front's connections: a tunnel is opened, TLS is spoken in it, and requests are let through.

A connection is read here only until it is known where it leads; then it is the HTTP protocol's.
Whoever begins and does not go on is let go.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol, cast

from gateway.intercept.app import TEXT, Tell
from gateway.intercept.hosts import certified
from gateway.intercept.opening import OpeningRefused, Plain, Tunnel, read_opening

OPENING_SECONDS: Final = 10.0
"""How long a client may take to say what it wants, and then to speak TLS."""

MOST_CONNECTIONS: Final = 256
"""Connections at a time."""

_CLOSING_SECONDS: Final = 2.0  # for the other side to end TLS properly
_OPEN: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Http(Protocol):
    """Makes the protocol that answers requests, as uvicorn's server makes one."""

    def __call__(
        self,
        *,
        config: Any,  # noqa: ANN401 - uvicorn's, and of no interest here
        server_state: Any,  # noqa: ANN401
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        """One for a connection."""


@dataclass(frozen=True, slots=True)
class Tunnels:
    """What all connections of a front share.

    Attributes:
        context: What TLS under a name needs; is called in a thread.
        tell: Is given every refusal, in a sentence.
        seconds: How long a client may take to say what it wants.
        most: Connections at a time.
    """

    context: Callable[[str], ssl.SSLContext]
    tell: Tell
    seconds: float = OPENING_SECONDS
    most: int = MOST_CONNECTIONS


def front_protocol(http: Http, tunnels: Tunnels) -> Callable[..., asyncio.Protocol]:
    """What a server of the front makes for each connection.

    Args:
        http: Makes the protocol behind the front.
        tunnels: What all connections share.
    """

    def make(
        *,
        config: Any,  # noqa: ANN401
        server_state: Any,  # noqa: ANN401
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        def behind() -> asyncio.Protocol:
            return http(config=config, server_state=server_state, app_state=app_state, _loop=_loop)

        return FrontProtocol(behind, tunnels, server_state.connections)

    return make


class FrontProtocol(asyncio.Protocol):
    """One connection, until it is another protocol's.

    Args:
        behind: Makes that protocol.
        tunnels: What all connections share.
        connections: Those of the server, which ends them with `shutdown`.
    """

    def __init__(
        self, behind: Callable[[], asyncio.Protocol], tunnels: Tunnels, connections: set[Any]
    ) -> None:
        self._behind = behind
        self._tunnels = tunnels
        self._connections = connections
        self._transport = cast("asyncio.Transport", None)
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._opening: asyncio.Task[None] | None = None
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._transport = cast("asyncio.Transport", transport)
        if len(self._connections) >= self._tunnels.most:
            self._refuse(503, f"there are {self._tunnels.most} connections already")
            return
        self._connections.add(self)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._tunnels.seconds, self.shutdown)  # TLS has its own

    def data_received(self, data: bytes) -> None:
        """Bytes of what the client begins with, or of what came through a tunnel already."""
        if self._over:
            return
        self._received += data
        if self._opening is not None:
            return  # they are for the protocol behind, which is a moment away
        try:
            opening = read_opening(bytes(self._received))
        except OpeningRefused as refused:
            self._refuse(refused.status, str(refused))
            return
        match opening:
            case Plain():
                self._hand_over(self._transport)
            case Tunnel():
                self._received.clear()
                self._stop_timer()
                self._transport.pause_reading()
                self._opening = asyncio.create_task(self._open(opening))

    def connection_lost(self, _error: Exception | None) -> None:
        """The client is gone."""
        self._end()

    def shutdown(self) -> None:
        """The server ends, or the client took too long."""
        self._end()
        self._transport.abort()

    async def _open(self, tunnel: Tunnel) -> None:
        """Let the client into its tunnel."""
        if not tunnel.tls:
            self._transport.write(_OPEN)
            self._hand_over(self._transport)
            self._transport.resume_reading()
            return
        try:
            context = await asyncio.to_thread(self._tunnels.context, certified(tunnel.host))
        except ValueError as error:  # a name that may stand in an address, and in no certificate
            self._refuse(403, f"there is no certificate for {tunnel.host!r:.120}: {error}")
            return
        transport = await self._spoken(context, tunnel.host)
        if transport is None or self._over:
            self.shutdown()
        else:
            self._hand_over(transport)

    async def _spoken(self, context: ssl.SSLContext, host: str) -> asyncio.Transport | None:
        """TLS with the client; `None` where it speaks none, or is gone."""
        if self._over:
            return None
        self._transport.write(_OPEN)
        try:
            return await asyncio.get_running_loop().start_tls(
                self._transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=self._tunnels.seconds,
                ssl_shutdown_timeout=_CLOSING_SECONDS,
            )
        except OSError as error:
            message = f"TLS with a client of {host!r:.120} failed: {error}"
            self._tunnels.tell(f"{message}; it has to trust the authority's certificate")
            return None

    def _hand_over(self, transport: asyncio.Transport) -> None:
        """Let the protocol behind have the connection, and what came already."""
        self._end()
        behind = self._behind()
        behind.connection_made(transport)
        transport.set_protocol(behind)
        if self._received:
            behind.data_received(bytes(self._received))

    def _refuse(self, status: int, message: str) -> None:
        """Answer what is not taken, and end the connection."""
        self._end()
        self._tunnels.tell(message)
        body = f"{message}\n".encode()
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: ".encode() + TEXT
        self._transport.write(
            b"%b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (head, len(body), body)
        )
        self._transport.close()

    def _end(self) -> None:
        """Nothing more is read here."""
        self._over = True
        self._connections.discard(self)
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
