"""The control plane's ASGI application: health, and the live state as JSON."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from gateway.controlplane.views import snapshot_view
from gateway.live import Live

HOSTS: Final = ("127.0.0.1", "localhost")
"""Names under which the control plane answers."""


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
        ],
        # A page of another origin whose name was made to point here (DNS rebinding) is refused.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
    )
