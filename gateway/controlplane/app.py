"""The control plane's ASGI application: the guard outside, problems below it, the routes inside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from time import time
from typing import Final

from starlette.routing import Route, Router, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.controlplane.cloud import Access, CloudApi, key_pair
from gateway.controlplane.guard import JSON, Guard
from gateway.controlplane.problems import Problems
from gateway.controlplane.rest.naming import not_found
from gateway.controlplane.rest.openapi import describing
from gateway.controlplane.rest.operation import Operation
from gateway.controlplane.rest.operations import OPERATIONS
from gateway.controlplane.rest.resource import Resource
from gateway.controlplane.service import Control


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
    operations = describing(OPERATIONS)
    since = clock()
    by_path: dict[str, list[Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, []).append(operation)
    routes = [Route(path, Resource(control, rows, since)) for path, rows in by_path.items()]
    router = Router(routes, redirect_slashes=False, default=pages(_nowhere))
    media = _Media(operations)
    cloud = CloudApi(control, access or Access(key_pair(token), clock), clock=clock)
    return Guard(Problems(router), hosts=hosts, token=token, accepts=media.of, signed=cloud)


async def _nowhere(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise not_found(scope["path"])


class _Media:
    """Which media types may be sent where: JSON, but for the rows that say otherwise."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._special: Final[list[tuple[str, re.Pattern[str], tuple[str, ...]]]] = [
            (operation.method, compile_path(operation.path)[0], operation.media)
            for operation in operations
            if operation.media != JSON
        ]

    def of(self, method: str, path: str) -> tuple[str, ...]:
        """The media types that a method may send to a path."""
        for special, pattern, media in self._special:
            if special == method and pattern.match(path):
                return media
        return JSON
