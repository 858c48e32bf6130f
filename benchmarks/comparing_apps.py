"""What is compared: ASGI applications and handlers that answer alike, one of them made by hand.

`python -m benchmarks.comparing_apps` serves the one made by hand. `hosted` is the data plane of a
whole gateway as an application for any ASGI server; its configuration is the file named by
`BENCHMARK_STAGES`.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.servers import write_versions
from gateway.app import Gateway, Setup
from gateway.dataplane.server import HttpServer, bind

STAGES: Final = "BENCHMARK_STAGES"
"""The environment variable that names the file."""

FUNCTIONS_FRAMEWORK: Final = """
def main(request):
    return '{"id": "42", "price": 20}', 200, {"Content-Type": "application/json"}
"""
"""The handler of all others for functions-framework, which runs one version and chooses none."""

SCHEME: Final = """
[service]
name = "bench"

[functions.orders]
source = "orders"

[functions.orders.aliases.prepub]
version = "3"
rules = [{ when = "invoke.headers.User exact Bob", version = "4" }]

[functions.orders.aliases.release]
version = "1"
weights = { "2" = 0.1 }
rules = [{ when = "invoke.headers.User exact Bob", version = "2" }]

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[stages.prepub]
alias = "prepub"

[stages.release]
alias = "release"
"""
"""The scheme that all of them answer by, as far as they can."""

VERSIONS: Final = ("1", "2", "3", "4")


def write_project(folder: Path) -> Path:
    """Write the scheme and its function into a folder; gives the configuration's file."""
    write_versions(folder, ("latest", *(f"v{number}" for number in VERSIONS)))
    configuration = folder / "stages.toml"
    configuration.write_text(SCHEME)
    return configuration


class ByHand:
    """The scheme as one would write it by hand: rule, weight, handler, headers, a counter.

    Args:
        folder: Has a module for each version.
    """

    def __init__(self, folder: Path) -> None:
        self.answered: Counter[tuple[str, str, int]] = Counter()
        self._handlers = {number: _handler(folder, number) for number in VERSIONS}

    def choose(self, stage: str, user: str | None) -> tuple[str, str]:
        """The version and the reason."""
        if stage == "prepub":
            return ("4", "rule:1") if user == "Bob" else ("3", "main")
        if user == "Bob":
            return "2", "rule:1"
        return ("2", "weight") if random.random() < 0.1 else ("1", "main")

    async def orders(self, request: Request) -> Response:
        """Answer one request."""
        stage = request.path_params["stage"]
        version, reason = self.choose(stage, request.headers.get("user"))
        event = {"pathParameters": {"id": request.path_params["id"]}}
        result = await self._handlers[version](event, None)
        self.answered[stage, version, result["statusCode"]] += 1
        headers = {
            **result["headers"],
            "X-Gateway-Stage": stage,
            "X-Gateway-Revision": "1",
            "X-Gateway-Function": "orders",
            "X-Gateway-Alias": stage,
            "X-Gateway-Version": version,
            "X-Gateway-Reason": reason,
            "X-Api-RequestId": uuid4().hex,
        }
        return Response(result["body"], result["statusCode"], headers)


def _handler(folder: Path, version: str) -> Any:  # noqa: ANN401 - whatever the module has
    spec = spec_from_file_location(f"orders_{version}", folder / "orders" / f"v{version}/index.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main_handler


def by_hand(folder: Path) -> Starlette:
    """The application made by hand."""
    hand = ByHand(folder)
    return Starlette(routes=[Route("/{stage}/orders/{id}", hand.orders)])


class Hosted:
    """The data plane of a whole gateway, for any server that speaks ASGI and its lifespan."""

    _gateway: Gateway

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Open the gateway when the server starts, and hand requests on to its data plane."""
        if scope["type"] != "lifespan":
            await self._gateway.plane(scope, receive, send)
            return
        await receive()
        self._gateway = await Gateway.open(Setup(file=Path(os.environ[STAGES])))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._gateway.close()
        await send({"type": "lifespan.shutdown.complete"})


hosted: Final = Hosted()


async def _serve(folder: Path) -> None:
    server = HttpServer(by_hand(folder), bind("127.0.0.1", 0), protocol="httptools")
    task = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    print(f"ready data={server.url}", flush=True)
    await task


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(Path(os.environ[STAGES]).parent))
