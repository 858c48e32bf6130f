"""The control plane's ASGI application: health, and the live state as JSON."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from gateway.controlplane.views import snapshot_view
from gateway.live import Live


def control_app(live: Live) -> Starlette:
    """Build the application around the live cell."""

    async def health(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"ready revision={live.snapshot.revision}\n")

    async def snapshot(_request: Request) -> JSONResponse:
        view = snapshot_view(live.snapshot)
        return JSONResponse(view, headers={"ETag": f'"{live.snapshot.revision}"'})

    return Starlette(
        routes=[
            Route("/healthz", health),
            Route("/readyz", ready),
            Route("/api/snapshot", snapshot),
        ]
    )
