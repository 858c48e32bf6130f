"""A front on a socket, before applications that say what reached them."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from gateway.dataplane.limits import FRONT
from gateway.dataplane.protocol import GatewayProtocol
from gateway.dataplane.server import HttpServer, bind
from gateway.intercept import Authority, FrontApp, Kind, Tunnels, front_protocol

T = TypeVar("T")
CONTROL = ("127.0.0.1", 8081)


def echo(kind: Kind) -> Callable[..., Awaitable[None]]:
    """Says who answers, for which host, and how much came."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                break
        host = dict(scope["headers"])[b"host"].decode()
        server = ":".join(map(str, scope["server"]))
        body = f"{kind.value} {host} {scope['method']} {scope['path']} {size} {server}".encode()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


class Watched(set[Any]):
    """A set that says when it is another one.

    Attributes:
        changed: Is set then.
    """

    def __init__(self) -> None:
        super().__init__()
        self.changed = asyncio.Event()

    def add(self, element: Any) -> None:  # noqa: ANN401
        super().add(element)
        self.changed.set()

    def discard(self, element: Any) -> None:  # noqa: ANN401
        super().discard(element)
        self.changed.set()


class Fronted:
    """A front that is being served.

    Attributes:
        server: Its server.
        told: The refusals that it told.
        heard: Is set when there is one.
        connections: Those that it has.
        client_context: What a client needs that trusts its authority.
    """

    def __init__(self, authority: Authority, **limits: Any) -> None:  # noqa: ANN401
        self.told: list[str] = []
        self.heard = asyncio.Event()
        app = FrontApp({kind: echo(kind) for kind in Kind}, CONTROL, self._tell)
        tunnels = Tunnels(authority.context, self._tell, **limits)
        protocol: Any = front_protocol(GatewayProtocol, tunnels)
        self.server = HttpServer(app, bind("127.0.0.1", 0), protocol=protocol, edge=FRONT)
        self.connections = Watched()
        self.server.server_state.connections = self.connections
        self.client_context = ssl.create_default_context(cafile=authority.file)

    def _tell(self, message: str) -> None:
        self.told.append(message)
        self.heard.set()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.listener.getsockname()[1])

    async def until(self, connections: int) -> None:
        """Wait until it has so many connections."""
        while len(self.connections) != connections:
            self.connections.changed.clear()
            await self.connections.changed.wait()

    async def opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to it."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def said(self, data: bytes) -> bytes:
        """Everything that it answers to these bytes and the end of them."""
        reader, writer = await self.opened()
        try:
            writer.write(data)
            writer.write_eof()
            return await reader.read()
        finally:
            writer.close()

    async def tunnelled(self, host: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection through a tunnel, with TLS under a host's name."""
        reader, writer = await self.opened()
        writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        await writer.start_tls(self.client_context, server_hostname=host)
        return reader, writer


Scenario = Callable[[Fronted], Awaitable[T]]
Loop = Callable[[], asyncio.AbstractEventLoop] | None


class Front(Protocol):
    """Serves a front while a scenario happens; gives what the scenario gives."""

    def __call__(self, scenario: Scenario[T], loop: Loop = None, **limits: Any) -> T:  # noqa: ANN401
        """Serve."""


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    """One for all tests, forgotten in the end."""
    authority = Authority.open(None)
    yield authority
    authority.close()


@pytest.fixture(scope="session")
def front(authority: Authority) -> Front:
    """Serves a front while a scenario happens; gives what the scenario gives."""

    def run(scenario: Scenario[T], loop: Loop = None, **limits: Any) -> T:  # noqa: ANN401
        async def whole() -> T:
            fronted = Fronted(authority, **limits)
            serving = asyncio.create_task(fronted.server.run_until_stopped())
            await fronted.server.ready.wait()
            try:
                return await asyncio.wait_for(scenario(fronted), 60)
            finally:
                fronted.server.stop(force=True)
                await serving
                assert not fronted.connections

        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(whole())

    return run


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """Where a certificate may be written."""
    return tmp_path / "ca.pem"


CODE = """
async def main_handler(event, context):
    return {"statusCode": 200, "body": context["function_version"]}
"""
STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[[apis]]
method = "ANY"
path = "/orders"
function = "orders"

[stages.dev]
alias = "$DEFAULT"
"""


class Serving:
    """`gateway serve` with a front, in a process of its own.

    Attributes:
        process: The process.
        lines: What it said on standard output when it was ready.
        data: Where callers reach it.
        control: Where it is steered.
        proxy: Where its front is.
        ca: The certificate to trust.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--control-port", "0"]
        command += ["--intercept-port", "0", *options]
        plain = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        self._errors = folder / "stderr"
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**plain, "NO_COLOR": "1"},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline() for _ in range(2)]
        ready = re.fullmatch(r"gateway ready data=(\S+) control=(\S+) revision=1\n", self.lines[0])
        front = re.fullmatch(r"gateway intercept proxy=(http://\S+) ca=(\S+)\n", self.lines[1])
        assert ready is not None, self.said()
        assert front is not None, self.said()
        self.data, self.control = ready.groups()
        self.proxy, self.ca = front[1], Path(front[2])

    def said(self) -> str:
        """What it said on standard error so far."""
        return self._errors.read_text()

    def stop(self) -> int:
        """End it, if it has not ended; gives its exit code."""
        with self.process:
            self.process.terminate()
            return self.process.wait(30)


Serve = Callable[..., Serving]


def _write(folder: Path) -> Path:
    """A small project."""
    index = folder / "functions" / "orders" / "latest" / "index.py"
    index.parent.mkdir(parents=True)
    index.write_text(CODE)
    (folder / "stages.toml").write_text(STAGES)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a small project."""
    return _write(tmp_path)


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A gateway that forgets everything in the end, for all tests that can share one."""
    folder = _write(tmp_path_factory.mktemp("standing"))
    serving = Serving(folder, "--state", ":memory:", "--seed", "7")
    yield serving
    assert serving.stop() == 0


@pytest.fixture
def serve(project: Path) -> Iterator[Serve]:
    """Serve the project; whatever still runs in the end is stopped."""
    started: list[Serving] = []

    def start(*options: str) -> Serving:
        started.append(Serving(project, *options))
        return started[-1]

    yield start
    for each in started:
        each.stop()
