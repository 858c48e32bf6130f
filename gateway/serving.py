"""Serving a gateway: two listeners in one process, until a signal asks to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from shlex import quote
from typing import Any, Final

from gateway.addresses import (
    LOOPBACK,
    LOOPBACKS,
    Addresses,
    Exposed,
    Handed,
    Interception,
    Unverified,
)
from gateway.app import Gateway
from gateway.controlplane.events import Event, Events, Subscription
from gateway.controlplane.watching import Watcher
from gateway.dataplane.limits import FRONT, STEERING
from gateway.dataplane.protocol import GatewayProtocol
from gateway.dataplane.server import HttpServer, PortInUse
from gateway.intercept import FrontApp, Kind, Once, Tunnels, front_protocol

__all__ = [
    "LOOPBACK",
    "LOOPBACKS",
    "Addresses",
    "Exposed",
    "Handed",
    "Interception",
    "Unverified",
    "serve",
]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


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
        ports = () if where.handed is None else where.handed.ports
        gateway.forwarder.dialler.spare((server.listener for server in servers), ports)
        for number in _SIGNALS:
            loop.add_signal_handler(number, _stop, gateway, servers)
        beside += _beside(gateway, watch=watch, tell=tell)
        if where.handed is not None:
            company = where.handed.company(gateway, partial(_end, gateway, servers))
            beside.append(asyncio.create_task(_told(gateway.events, "the company", company)))
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(server.run_until_stopped())
            for server in servers:
                await server.ready.wait()
            # What was built so far stays; the collector need not look at it ever again.
            gc.collect()
            gc.freeze()
            ready(_said(gateway, where, servers))
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


def _said(gateway: Gateway, where: Addresses, servers: Sequence[HttpServer]) -> str:
    """The ready line, and one of the front."""
    service, revision = gateway.service, gateway.live.snapshot.revision
    data = f" data={service.data_url}" if gateway.setup.role.answers or where.handed else ""
    said = f"gateway ready{data} control={service.control_url} revision={revision}"
    if where.intercept is not None:
        said += f"\ngateway intercept proxy={servers[-1].url} ca={_certificate(where)}"
    return said


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
    role, service, servers = gateway.setup.role, gateway.service, list[HttpServer]()
    try:
        if role.answers:
            servers.append(_data(gateway, where))
        service.data_url = _data_url(where, servers)
        if role.steered:
            control = where.listener("control")
            servers.append(HttpServer(gateway.control, control, edge=STEERING))
            service.control_url = servers[-1].url
            if where.intercept is not None:
                servers.append(_front(gateway, where, control.getsockname()[:2]))
    except PortInUse:
        for server in servers:
            server.listener.close()
        raise
    return tuple(servers)


def _data(gateway: Gateway, where: Addresses) -> HttpServer:
    """The server that callers reach."""
    crowd = None if where.handed is None else where.handed.crowd
    listener = where.listener("data")
    server = HttpServer(gateway.plane, listener, sockets=True, edge=where.edge, crowd=crowd)
    gateway.plane.load = server.load
    return server


def _data_url(where: Addresses, servers: Sequence[HttpServer]) -> str:
    """Where callers are answered: here, or by others under the usual address."""
    if where.handed is not None:
        return where.handed.data_url
    return servers[0].url if servers else f"http://{where.host}:{where.port}"


def _front(gateway: Gateway, where: Addresses, control: tuple[str, int]) -> HttpServer:
    """The server of the front; nobody but this machine reaches it."""
    assert where.intercept is not None  # noqa: S101 - there is a front

    def told(message: str) -> None:
        text = f"intercept: {message}"
        gateway.events.publish(Event.error("intercept-refused", message, where="front", text=text))

    tell = Once(told)
    app = FrontApp({Kind.API: gateway.control, Kind.OBJECTS: gateway.uploads}, control, tell)
    tunnels = Tunnels(where.intercept.authority.context, tell)
    protocol: Any = front_protocol(GatewayProtocol, tunnels)  # uvicorn calls it as it would a class
    return HttpServer(app, where.listener("front"), protocol=protocol, edge=FRONT)


def _stop(gateway: Gateway, servers: tuple[HttpServer, ...]) -> None:
    gateway.events.close()  # streams of events end now, they would never by themselves
    for server in servers:
        server.stop(force=server.should_exit)


def _end(gateway: Gateway, servers: tuple[HttpServer, ...]) -> None:
    """Stop, unless that was asked for before."""
    if not servers[0].should_exit:
        _stop(gateway, servers)
