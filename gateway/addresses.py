"""Where a gateway listens, and what a listener must have before others can reach it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.app import Gateway
from gateway.core.errors import GatewayError
from gateway.dataplane.accepting import Crowd
from gateway.dataplane.limits import STRICT, Edge
from gateway.dataplane.listeners import bind
from gateway.intercept import Authority

LOOPBACK: Final = "127.0.0.1"
LOOPBACKS: Final = frozenset({LOOPBACK, "::1", "localhost"})
"""Addresses that only this machine reaches."""


class Exposed(GatewayError):
    """A control plane that others could reach without a token."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"the control plane may listen on {host!r} only with a token")


class Unverified(GatewayError):
    """A control plane that others could reach and whose clients' signatures nobody checks."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(
            f"signatures are not checked; the control plane may not listen on {host!r} then"
        )


@dataclass(frozen=True, slots=True)
class Interception:
    """A front through which tools that know the cloud's hosts alone reach the control plane.

    Attributes:
        port: Where it listens, on this machine alone.
        authority: Makes the certificates.
    """

    port: int
    authority: Authority


Company = Callable[[Gateway, Callable[[], None]], Coroutine[Any, Any, None]]
"""Runs beside a gateway that is served; is given it, and what has it stop."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What a process is handed by the one that started it.

    Attributes:
        sockets: The listeners, by use: `data`, `control`, `front`.
        ports: Those of all listeners, its own and those of others.
        data_url: Where callers reach the data plane.
        company: Runs beside.
        crowd: Those with whom it shares the listener for callers.
    """

    sockets: Mapping[str, socket.socket]
    ports: tuple[int, ...]
    data_url: str
    company: Company
    crowd: Crowd | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the listeners are bound.

    Attributes:
        host: What callers reach.
        port: For callers.
        control_port: For steering.
        control_host: What those who steer reach. The control plane tells whoever asks everything,
            environment variables included, so that it leaves this machine only with a token.
        intercept: The front for tools that know the cloud's hosts alone; `None` for none.
        edge: What is taken from callers.
        shared: Whether another gateway may listen on the same ports, to take over from this one.
        handed: Listeners that are bound already; `None` to bind them.
    """

    host: str = LOOPBACK
    port: int = 8080
    control_port: int = 8081
    control_host: str = LOOPBACK
    intercept: Interception | None = None
    edge: Edge = STRICT
    shared: bool = False
    handed: Handed | None = None

    def listener(self, use: str) -> socket.socket:
        """The socket of a use: one that was handed down, or a new one.

        Raises:
            PortInUse: It cannot be bound.
        """
        if self.handed is not None:
            return self.handed.sockets[use]
        if use == "front":
            assert self.intercept is not None  # noqa: S101 - there is a front
            return bind(LOOPBACK, self.intercept.port)
        if use == "control":
            return bind(self.control_host, self.control_port, shared=self.shared)
        return bind(self.host, self.port, shared=self.shared)
