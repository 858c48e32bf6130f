"""Whoever speaks the cloud's protocol to a real gateway, with and without sockets."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from time import time
from typing import Any, Self

import httpx
import pytest

from gateway.app import Gateway, Setup
from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY
from gateway.controlplane.cloud.signatures import (
    Scope,
    canonical_request,
    day_of,
    payload_hash,
    tc3_signature,
)
from gateway.dataplane.server import HttpServer, bind

HOST = "127.0.0.1:8081"
VERSION = "2018-04-16"


# It needs a client of every service of the cloud, 600 MB of them: whoever has it runs it.
collect_ignore = [] if find_spec("tccli") else ["test_cloud_tccli.py"]


def signed(body: bytes, action: str, timestamp: int, media: str) -> dict[str, str]:
    """The headers that an official client sends."""
    scope = Scope(day_of(timestamp), "scf")
    fields = [("content-type", media), ("host", HOST)]
    canonical = canonical_request("POST", "", fields, payload_hash(body))
    signature = tc3_signature(SECRET_KEY, scope, timestamp, canonical)
    return {
        "Content-Type": media,
        "Host": HOST,
        "X-TC-Action": action,
        "X-TC-Version": VERSION,
        "X-TC-Timestamp": str(timestamp),
        "X-TC-Region": "ap-guangzhou",
        "X-TC-RequestClient": "SDK_TEST",
        "Authorization": (
            f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{scope}, "
            f"SignedHeaders=content-type;host, Signature={signature}"
        ),
    }


class Client:
    """Asks one gateway in the cloud's protocol, without sockets.

    Attributes:
        panel: Runs things in the gateway's loop.
        clock: The client's clock.
    """

    def __init__(self, panel: Any, clock: Callable[[], float]) -> None:  # noqa: ANN401
        self.panel = panel
        self.clock = clock

    def send(self, request: httpx.Request) -> httpx.Response:
        """One request as it is."""

        async def whole() -> httpx.Response:
            transport = httpx.ASGITransport(self.panel.gateway.control, client=("10.0.0.7", 51000))
            answer = await transport.handle_async_request(request)
            await answer.aread()
            answer.request = request
            return answer

        response: httpx.Response = self.panel.run(whole())
        return response

    def post(self, action: str, body: bytes, **headers: str) -> httpx.Response:
        """One signed request, with other headers over those of an official client."""
        media = headers.get("Content-Type", "application/json")
        fields = signed(body, action, int(self.clock()), media) | headers
        return self.send(httpx.Request("POST", f"http://{HOST}/", headers=fields, content=body))

    def __call__(self, action: str, **parameters: object) -> dict[str, Any]:
        """What the envelope holds."""
        answer = self.post(action, json.dumps(parameters).encode())
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        told: dict[str, Any] = answer.json()["Response"]
        assert told["RequestId"]
        return told

    def fails(self, action: str, **parameters: object) -> tuple[str, str]:
        """The code and the message of an error."""
        told = self(action, **parameters)
        assert set(told) == {"Error", "RequestId"}, told
        return told["Error"]["Code"], told["Error"]["Message"]


@pytest.fixture
def client(panel: Any) -> Client:  # noqa: ANN401
    """Asks a gateway with the small project: `orders` with versions 1 to 3, and `idle`."""
    return Client(panel, time)


@pytest.fixture(scope="module")
def looker(standing: Any) -> Client:  # noqa: ANN401
    """Asks one gateway for all tests of a module: for those in which nothing is altered."""
    return Client(standing, time)


class Served:
    """A gateway on sockets, in a thread of its own.

    Attributes:
        gateway: The gateway.
        data: Where callers reach it.
        control: Where it is steered.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self) -> None:
        self.gateway = await Gateway.open(Setup(file=self._file, seed=1))
        servers = [
            HttpServer(app, bind("127.0.0.1", 0))
            for app in (self.gateway.plane, self.gateway.control)
        ]
        self.data, self.control = (server.url for server in servers)
        self._servers = servers
        running = [asyncio.create_task(server.run_until_stopped()) for server in servers]
        for server in servers:
            await server.ready.wait()
        self._ready.set()
        await asyncio.gather(*running)
        await self.gateway.close()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.stop()
        self._thread.join()


@pytest.fixture
def served(project: Path) -> Iterator[Served]:
    """A gateway with the small project, on sockets."""
    with Served(project) as serving:
        yield serving
