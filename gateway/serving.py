"""Serving a gateway: two listeners in one process, until a signal asks to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from shlex import quote
from typing import Any, Final

from gateway.app import Gateway
from gateway.controlplane.events import Event, Events, Subscription
from gateway.controlplane.watching import Watcher
from gateway.core.errors import GatewayError
from gateway.dataplane.limits import FRONT, STEERING, STRICT, Edge
from gateway.dataplane.protocol import GatewayProtocol
from gateway.dataplane.server import HttpServer, PortInUse, bind
from gateway.intercept import Authority, FrontApp, Kind, Once, Tunnels, front_protocol

LOOPBACK: Final = "127.0.0.1"
LOOPBACKS: Final = frozenset({LOOPBACK, "::1", "localhost"})
"""Addresses that only this machine reaches."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


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
    """

    host: str = LOOPBACK
    port: int = 8080
    control_port: int = 8081
    control_host: str = LOOPBACK
    intercept: Interception | None = None
    edge: Edge = STRICT
    shared: bool = False


async def serve(
    gateway: Gateway,
    where: Addresses,
    ready: Callable[[str], None],
    *,
    watch: bool = True,
    tell: Callable[[Event], None] | None = None,
) -> None:
    """Serve both planes until a signal asks to stop; a second one does not wait for requests.

    Args:
        gateway: What to serve; closed in the end.
        where: The listeners.
        ready: Is given the ready line once all listeners accept connections; where there is a
            front, a second line tells its address and the certificate to trust.
        watch: Whether edits of the file and of code are picked up.
        tell: Is given every event.

    Raises:
        PortInUse: A listener cannot be bound.
        Exposed: The control plane would leave this machine without a token.
        Unverified: It would, and nobody checks what its clients sign with.
    """
    loop = asyncio.get_running_loop()
    beside: list[asyncio.Task[None]] = []
    try:
        servers = _servers(gateway, where)
        data, control, *front = servers
        gateway.forwarder.dialler.spare(server.listener for server in servers)
        for number in _SIGNALS:
            loop.add_signal_handler(number, _stop, gateway, servers)
        beside += _beside(gateway, watch=watch, tell=tell)
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(server.run_until_stopped())
            for server in servers:
                await server.ready.wait()
            # What was built so far stays; the collector need not look at it ever again.
            gc.collect()
            gc.freeze()
            revision = gateway.live.snapshot.revision
            said = f"gateway ready data={data.url} control={control.url} revision={revision}"
            for each in front:
                said += f"\ngateway intercept proxy={each.url} ca={_certificate(where)}"
            ready(said)
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await gateway.close()


def _beside(
    gateway: Gateway, *, watch: bool, tell: Callable[[Event], None] | None
) -> list[asyncio.Task[None]]:
    """What runs beside the two servers."""
    events = gateway.events
    follow = _told(events, "following the state", gateway.writer.follow())
    beside = [asyncio.create_task(follow)]
    if watch and gateway.setup.file is not None:
        watcher = Watcher(gateway.setup.file, gateway.service)
        beside.append(asyncio.create_task(_told(events, "watching for edits", watcher.run())))
    if tell is not None:
        beside.append(asyncio.create_task(_tell(events.subscribe(), tell)))
    return beside


def _certificate(where: Addresses) -> str:
    """The file of the certificate to trust; one with white space in its name, in quotes."""
    assert where.intercept is not None  # noqa: S101 - there is a front
    return quote(str(where.intercept.authority.file))


async def _told(events: Events, what: str, work: Coroutine[Any, Any, None]) -> None:
    """Tell when something that should go on for ever does not; the gateway serves all the same."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not end unseen
        message = f"{what} has ended: {error}"
        events.publish(Event.error("unexpected", message, where=what, text=f"error: {message}"))


async def _tell(events: Subscription, tell: Callable[[Event], None]) -> None:
    async for event in events:
        tell(event)


def _servers(gateway: Gateway, where: Addresses) -> tuple[HttpServer, ...]:
    if gateway.setup.token is None and where.control_host not in LOOPBACKS:
        raise Exposed(where.control_host)
    if gateway.setup.accept_any_signature and where.control_host not in LOOPBACKS:
        raise Unverified(where.control_host)
    data = bind(where.host, where.port, shared=where.shared)
    servers = [HttpServer(gateway.plane, data, sockets=True, edge=where.edge)]
    gateway.plane.load = servers[0].load
    try:
        control = bind(where.control_host, where.control_port, shared=where.shared)
        servers.append(HttpServer(gateway.control, control, edge=STEERING))
        if where.intercept is not None:
            servers.append(_front(gateway, where.intercept, control.getsockname()[:2]))
    except PortInUse:
        for server in servers:
            server.listener.close()
        raise
    gateway.service.data_url, gateway.service.control_url = servers[0].url, servers[1].url
    return tuple(servers)


def _front(gateway: Gateway, intercept: Interception, control: tuple[str, int]) -> HttpServer:
    """The server of the front; nobody but this machine reaches it."""

    def told(message: str) -> None:
        text = f"intercept: {message}"
        gateway.events.publish(Event.error("intercept-refused", message, where="front", text=text))

    tell = Once(told)
    app = FrontApp({Kind.API: gateway.control, Kind.OBJECTS: gateway.uploads}, control, tell)
    tunnels = Tunnels(intercept.authority.context, tell)
    protocol: Any = front_protocol(GatewayProtocol, tunnels)  # uvicorn calls it as it would a class
    return HttpServer(app, bind(LOOPBACK, intercept.port), protocol=protocol, edge=FRONT)


def _stop(gateway: Gateway, servers: tuple[HttpServer, ...]) -> None:
    gateway.events.close()  # streams of events end now, they would never by themselves
    for server in servers:
        server.stop(force=server.should_exit)
