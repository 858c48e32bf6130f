"""Serving a gateway: two listeners in one process, until a signal asks to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from gateway.app import Gateway
from gateway.controlplane.events import Event, Events, Subscription
from gateway.controlplane.watching import Watcher
from gateway.core.errors import GatewayError
from gateway.dataplane.server import HttpServer, PortInUse, bind

LOOPBACK: Final = "127.0.0.1"
LOOPBACKS: Final = frozenset({LOOPBACK, "::1", "localhost"})
"""Addresses that only this machine reaches."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Exposed(GatewayError):
    """A control plane that others could reach without a token."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"the control plane may listen on {host!r} only with a token")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two listeners are bound.

    Attributes:
        host: What callers reach.
        port: For callers.
        control_port: For steering.
        control_host: What those who steer reach. The control plane tells whoever asks everything,
            environment variables included, so that it leaves this machine only with a token.
    """

    host: str = LOOPBACK
    port: int = 8080
    control_port: int = 8081
    control_host: str = LOOPBACK


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
        ready: Is given the ready line once both listeners accept connections.
        watch: Whether edits of the file and of code are picked up.
        tell: Is given every event.

    Raises:
        PortInUse: A listener cannot be bound.
        Exposed: The control plane would leave this machine without a token.
    """
    loop = asyncio.get_running_loop()
    beside: list[asyncio.Task[None]] = []
    try:
        servers = data, control = _servers(gateway, where)
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
            ready(f"gateway ready data={data.url} control={control.url} revision={revision}")
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


def _servers(gateway: Gateway, where: Addresses) -> tuple[HttpServer, HttpServer]:
    if gateway.setup.token is None and where.control_host not in LOOPBACKS:
        raise Exposed(where.control_host)
    data = HttpServer(gateway.plane, bind(where.host, where.port), sockets=True)
    try:
        control = HttpServer(gateway.control, bind(where.control_host, where.control_port))
    except PortInUse:
        data.listener.close()
        raise
    return data, control


def _stop(gateway: Gateway, servers: tuple[HttpServer, ...]) -> None:
    gateway.events.close()  # streams of events end now, they would never by themselves
    for server in servers:
        server.stop(force=server.should_exit)
