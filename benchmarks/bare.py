"""The yardstick: a bare ASGI application on uvicorn as it comes, httptools and uvloop."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop

from gateway.dataplane.server import HttpServer, bind

BODY = b'{"id": "42", "price": 20}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def app(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
    """Answer everything with the same bytes."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def _serve() -> None:
    server = HttpServer(app, bind("127.0.0.1", 0), protocol="httptools")
    task = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    print(f"ready data={server.url}", flush=True)
    await task


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
