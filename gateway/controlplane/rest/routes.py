"""REST as an application: routes and what they take, both made from the table of operations."""

from __future__ import annotations

import re
from typing import Final

from starlette.routing import Route, Router, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.controlplane.guard import JSON
from gateway.controlplane.rest.openapi import describing
from gateway.controlplane.rest.operation import Operation
from gateway.controlplane.rest.operations import OPERATIONS
from gateway.controlplane.rest.resource import Resource
from gateway.controlplane.service import Control


class Routes:
    """ASGI: answers for every operation.

    Args:
        control: Who is asked.
        since: When the gateway started, in seconds since 1970.
        elsewhere: Answers for what is no operation.
    """

    def __init__(self, control: Control, since: float, elsewhere: ASGIApp) -> None:
        operations = describing(OPERATIONS)
        by_path: dict[str, list[Operation]] = {}
        for operation in operations:
            by_path.setdefault(operation.path, []).append(operation)
        routes = [Route(path, Resource(control, rows, since)) for path, rows in by_path.items()]
        self._router = Router(routes, redirect_slashes=False, default=elsewhere)
        self._special: Final[list[tuple[str, re.Pattern[str], tuple[str, ...]]]] = [
            (operation.method, compile_path(operation.path)[0], operation.media)
            for operation in operations
            if operation.media != JSON
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self._router(scope, receive, send)

    def media(self, method: str, path: str) -> tuple[str, ...]:
        """The media types that a method may send to a path: JSON, but for rows that differ."""
        for special, pattern, media in self._special:
            if special == method and pattern.match(path):
                return media
        return JSON
