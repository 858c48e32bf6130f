"""The control plane's ASGI application: the guard outside, problems below it, the routes inside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from time import time
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.controlplane.cloud import Access, CloudApi, key_pair
from gateway.controlplane.guard import Guard
from gateway.controlplane.problems import Problems
from gateway.controlplane.rest.naming import not_found
from gateway.controlplane.service import Control

if TYPE_CHECKING:
    from gateway.controlplane.rest.routes import Routes


def control_app(  # noqa: PLR0913 - the composition root names every part once
    control: Control,
    *,
    hosts: Iterable[str] = (),
    token: str | None = None,
    clock: Callable[[], float] = time,
    access: Access | None = None,
    pages: Callable[[ASGIApp], ASGIApp] = lambda nowhere: nowhere,
) -> ASGIApp:
    """Build the application.

    Args:
        control: Who is asked.
        hosts: Names to answer under beside those of loopback; an IPv6 address in brackets.
        token: What a request to the API must bring; `None` lets everybody ask.
        clock: Seconds since 1970; metrics count from now on.
        access: Tells who signed what clients of the cloud send; `None` for the key pair that
            belongs to the token.
        pages: Makes what answers for everything else, given what answers for nothing.
    """
    since, elsewhere = clock(), pages(_nowhere)

    def made() -> Routes:
        from gateway.controlplane.rest.routes import Routes  # its models take long to load

        return Routes(control, since, elsewhere)

    rest = _Late(made)
    cloud = CloudApi(control, access or Access(key_pair(token), clock), clock=clock)
    return Guard(Problems(rest), hosts=hosts, token=token, accepts=rest.media, signed=cloud)


class _Late:
    """ASGI: REST, from the first request on that asks for it.

    Callers of stages need nothing of it, so that a start does not wait for it. It is made in a
    thread: callers are answered in between.

    Args:
        make: Makes it.
    """

    _routes: Routes | None = None

    def __init__(self, make: Callable[[], Routes]) -> None:
        self._make = make
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        routes = await self._made()
        await routes(scope, receive, send)

    async def media(self, method: str, path: str) -> tuple[str, ...]:
        """The media types that a method may send to a path."""
        return (await self._made()).media(method, path)

    async def _made(self) -> Routes:
        async with self._making:  # whoever comes second waits for the same
            if self._routes is None:
                self._routes = await asyncio.to_thread(self._make)
            return self._routes


async def _nowhere(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise not_found(scope["path"])
