"""The composition root: builds every object, and hands out the clock and the dice.

Nothing below this module makes its own collaborators, and nothing but this module knows all of
them.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Final
from urllib.parse import unquote

from gateway.config import Declaration
from gateway.controlplane import control_app
from gateway.core.apply import apply
from gateway.core.changes import Change
from gateway.core.errors import StageNotFound
from gateway.core.explain import Explanation, explain
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import EMPTY, Snapshot
from gateway.core.split import Draw
from gateway.dataplane.address import locate
from gateway.dataplane.forward import HttpForwarder
from gateway.dataplane.plane import DataPlane
from gateway.dataplane.request import HttpRequest, read_headers
from gateway.dataplane.server import HttpServer, PortInUse, bind
from gateway.dice import Dice
from gateway.live import Live
from gateway.observe import Counters
from gateway.runtime import LoadError, Runtime

LOOPBACK: Final = "127.0.0.1"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two listeners are bound.

    Attributes:
        host: What callers reach; the control plane stays on this machine in any case, because it
            tells whoever asks everything, environment variables included.
        port: For callers.
        control_port: For steering.
    """

    host: str = LOOPBACK
    port: int = 8080
    control_port: int = 8081


class BrokenVersions(Exception):
    """Versions that do not load.

    Attributes:
        errors: Why, one for each version.
    """

    def __init__(self, errors: list[LoadError]) -> None:
        self.errors = errors
        super().__init__("; ".join(map(str, errors)))


class Gateway:
    """A gateway that is ready to be served.

    Args:
        declaration: What stages.toml declares.
        seed: Seeds the dice; `None` takes a seed from the system.

    Attributes:
        live: The live snapshot.
        seed: The seed in use.
        counters: Counts of answers.
        plane: The data plane, an ASGI application.
        control: The control plane, an ASGI application.

    Raises:
        BrokenVersions: Some handlers do not load; all of them are named.
    """

    def __init__(self, declaration: Declaration, seed: int | None = None) -> None:
        self.seed = SystemRandom().getrandbits(32) if seed is None else seed
        snapshot = apply(EMPTY, declaration.changes)
        self.runtime = Runtime()
        try:
            self._prove(list(snapshot.versions()))
        except BaseException:
            self.runtime.close()
            raise
        self.live = Live(snapshot)
        self.counters = Counters()
        self.forwarder = HttpForwarder()
        self.plane = DataPlane(
            live=self.live,
            invoker=self.runtime,
            draw=Dice(self.seed),
            observer=self.counters,
            new_id=request_ids(),
            forwarder=self.forwarder,
        )
        self.control = control_app(self.live)

    def change(self, change: Change) -> Snapshot:
        """Make one change: apply it, prove the versions it brought, swap.

        The next request is decided by the new snapshot; a request in flight keeps its own.

        Raises:
            Refused: The change breaks a rule.
            BrokenVersions: A version it brought does not load.
        """
        old = self.live.snapshot
        new = apply(old, change)
        known = list(old.versions())
        self._prove([version for version in new.versions() if version not in known])
        self.live.swap(new)
        self.runtime.retain(new.versions())
        return new

    async def close(self) -> None:
        """Let go of threads and connections."""
        await self.forwarder.close()
        self.runtime.close()

    def _prove(self, versions: list[FunctionVersion]) -> None:
        broken = []
        for version in versions:
            try:
                self.runtime.prove(version)
            except LoadError as error:
                broken.append(error)
        if broken:
            raise BrokenVersions(broken)


def explain_request(
    declaration: Declaration,
    dice: Draw,
    stage_name: str,
    request: tuple[str, str, list[tuple[str, str]], str],
) -> Explanation:
    """Tell which version would answer a request of a caller, and why.

    Args:
        declaration: What stages.toml declares.
        dice: Settle a weighted choice.
        stage_name: A stage, by any name that reaches it.
        request: Method, path with query, headers, body.

    Raises:
        RoutingError: No version can answer it.
    """
    method, target, headers, body = request
    snapshot = apply(EMPTY, declaration.changes)
    path, _, query = target.partition("?")
    if "/" in stage_name:
        service = snapshot.default_service
        raise StageNotFound(stage_name, service.stages if service else ())
    stage, rest = locate(snapshot, "", f"/{stage_name}{unquote(_sent(path))}")
    api, parameters = stage.table.match(method, rest)
    raw = [(_sent(name.lower()), _sent(value)) for name, value in headers]
    view = HttpRequest(read_headers(raw), _sent(query), parameters, _sent(body))
    return explain(snapshot, (stage, api, dict(parameters)), view, dice)


def _sent(text: str) -> bytes:
    """The bytes that a shell was given, even those that are no text."""
    return text.encode(errors="surrogateescape")


def request_ids() -> Callable[[], str]:
    """Ids of 32 hexadecimal digits, from dice of their own: a seed must not repeat them."""
    bits = Random(SystemRandom().getrandbits(128)).getrandbits  # noqa: S311 - ids are no secrets
    return lambda: f"{bits(128):032x}"


async def serve(gateway: Gateway, where: Addresses, ready: Callable[[str], None]) -> None:
    """Serve both planes until a signal asks to stop; a second one does not wait for requests.

    Args:
        gateway: What to serve.
        where: The listeners.
        ready: Is given the ready line once both listeners accept connections.

    Raises:
        PortInUse: A listener cannot be bound.
    """
    loop = asyncio.get_running_loop()
    try:
        servers = data, control = _servers(gateway, where)
        for number in _SIGNALS:
            loop.add_signal_handler(number, _stop, servers)
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
        await gateway.close()


def _servers(gateway: Gateway, where: Addresses) -> tuple[HttpServer, HttpServer]:
    data = HttpServer(gateway.plane, bind(where.host, where.port))
    try:
        return data, HttpServer(gateway.control, bind(LOOPBACK, where.control_port))
    except PortInUse:
        data.listener.close()
        raise


def _stop(servers: tuple[HttpServer, ...]) -> None:
    for server in servers:
        server.stop(force=server.should_exit)
