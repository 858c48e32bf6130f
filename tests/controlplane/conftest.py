"""A real gateway with a small project, and whoever asks its control plane, held to its document."""

from __future__ import annotations

import asyncio
import json
import re
import textwrap
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import jsonschema_rs
import pytest

from gateway.app import Gateway, Setup
from gateway.controlplane.rest.openapi import describing, openapi
from gateway.controlplane.rest.operations import OPERATIONS

T = TypeVar("T")

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
release = { version = "1" }
spare = { version = "2" }

[functions.idle]
source = "functions/idle"

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[[apis]]
method = "GET"
path = "=/ping"
mock = { body = "pong" }

[[apis]]
method = "ANY"
path = "^~/old/"
http = { url = "http://127.0.0.1:9" }

[stages.dev]
alias = "$DEFAULT"

[stages.release]
alias = "release"
variables = { region = "local" }
"""

HANDLER = """
async def main_handler(event, context):
    if event == "fail":
        raise ValueError("as asked")
    if event == "odd":
        return {1, 2}
    return {"event": event, "version": VERSION}
"""

FOLDERS = ("orders/latest", "orders/v1", "orders/v2", "orders/v3", "idle/latest")

DOCUMENT: Any = openapi(describing(OPERATIONS))


def _write(folder: Path) -> Path:
    """The project's files; gives its stages.toml."""
    for place in FOLDERS:
        index = folder / "functions" / place / "index.py"
        index.parent.mkdir(parents=True, exist_ok=True)
        version = place.partition("/")[2]
        index.write_text(HANDLER.replace("VERSION", repr(version)), encoding="utf-8")
    file = folder / "stages.toml"
    file.write_text(textwrap.dedent(STAGES), encoding="utf-8")
    return file


class Panel:
    """Asks the control plane of one gateway; every answer is held against the OpenAPI document.

    Attributes:
        gateway: The gateway.
        run: Awaits something in its loop.
    """

    def __init__(self, gateway: Gateway, runner: asyncio.Runner) -> None:
        self.gateway = gateway
        self._runner = runner

    def run(self, awaitable: Awaitable[T]) -> T:
        """Await something in the gateway's loop."""

        async def waiting() -> T:
            return await awaitable

        return self._runner.run(waiting())

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | list[tuple[str, Any]] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """One request with these headers, `Host`, and JSON's type where there is a JSON body."""
        fields = list(headers.items()) if isinstance(headers, Mapping) else list(headers or ())
        names = {name.lower() for name, _ in fields}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None and "content-type" not in names:
            fields.append(("Content-Type", "application/json"))
        url = f"http://127.0.0.1:8081{path}"
        request = httpx.Request(method, url, headers=fields, content=content)
        transport = httpx.ASGITransport(self.gateway.control, client=("10.0.0.7", 51000))
        response = await transport.handle_async_request(request)
        await response.aread()
        response.request = request
        return response

    def __call__(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:  # noqa: ANN401
        """`ask`, with the answer held against the document."""
        answer = self.run(self.ask(method, path, body, **more))
        conforms(answer)
        return answer

    @property
    def revision(self) -> int:
        """The live revision."""
        return self.gateway.live.snapshot.revision


def conforms(answer: httpx.Response) -> None:
    """The answer is one that the document allows: status, media type, headers, and form."""
    method, path = answer.request.method.lower(), answer.request.url.path
    media = answer.headers["content-type"]
    if answer.status_code >= 400:
        assert media == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert answer.json()["problems"]
    for template, operations in DOCUMENT["paths"].items():
        pattern = re.sub(r"{\w}", "[^/]+", template)
        if not re.fullmatch(pattern, path) or method not in operations:
            continue
        responses = operations[method]["responses"]
        assert str(answer.status_code) in responses, "a status that is not documented"
        response = responses[str(answer.status_code)]
        assert media in response["content"]
        assert all(name.lower() in answer.headers for name in response.get("headers", {}))
        schema = {**response["content"][media]["schema"], "components": DOCUMENT["components"]}
        if "json" in media:
            jsonschema_rs.validate(schema, answer.json())


@pytest.fixture(scope="session")
def document() -> Any:  # noqa: ANN401 - JSON
    """The OpenAPI document."""
    return DOCUMENT


@pytest.fixture(scope="session")
def write_project() -> Callable[[Path], Path]:
    """Writes the files of the small project into a folder; gives its stages.toml."""
    return _write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The stages.toml of a small project."""
    return _write(tmp_path)


Open = Callable[..., Panel]


@contextmanager
def _opening(file: Path) -> Iterator[Open]:
    """Opens gateways, all in one event loop, and closes them in the end."""
    made: list[Gateway] = []
    with asyncio.Runner() as runner:

        def build(**setup: Any) -> Panel:  # noqa: ANN401 - what `Setup` takes
            gateway = runner.run(Gateway.open(Setup(**{"file": file, "seed": 1, **setup})))
            made.append(gateway)
            return Panel(gateway, runner)

        yield build
        for gateway in made:
            runner.run(gateway.close())


@pytest.fixture
def open_panel(project: Path) -> Iterator[Open]:
    """Open a gateway with the project; closed when the test is over."""
    with _opening(project) as build:
        yield build


@pytest.fixture(scope="module")
def open_standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open a gateway for all tests of a module: for those in which nothing is altered."""
    with _opening(_write(tmp_path_factory.mktemp("standing"))) as build:
        yield build


@pytest.fixture(scope="module")
def standing(open_standing: Open) -> Panel:
    """Asks a gateway with the project that nothing alters."""
    return open_standing()


@pytest.fixture
def panel(open_panel: Open) -> Panel:
    """Asks a gateway with the project."""
    return open_panel()
