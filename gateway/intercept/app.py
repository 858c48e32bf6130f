"""Who answers what came through the front: for each request, the host that it names decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.intercept.hosts import Kind, kind_of, refusal, split_port

Scope = dict[str, Any]
Application = Callable[[Any, Any, Any], Any]
Tell = Callable[[str], None]
"""Is given every refusal, in a sentence."""

TEXT: Final = b"text/plain; charset=utf-8"


class FrontApp:
    """ASGI: hands requests to whoever answers for their host, and refuses all others.

    Args:
        apps: Who answers for each kind of host.
        server: Where the control plane itself listens: what it tells of itself must not name the
            front.
        tell: Is given every refusal.
    """

    def __init__(
        self, apps: Mapping[Kind, Application], server: tuple[str, int], tell: Tell
    ) -> None:
        self._apps = apps
        self._server = server
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Answer one request."""
        named = [value for name, value in scope["headers"] if name == b"host"]
        host = split_port(named[0].decode("latin-1"), 80)[0] if len(named) == 1 else ""
        kind = kind_of(host)
        if kind is not None:
            await self._apps[kind]({**scope, "server": self._server}, receive, send)
            return
        message = refusal(host)
        self._tell(message)
        body = f"{message}\n".encode()
        fields = [
            (b"content-type", TEXT),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 403, "headers": fields})
        await send({"type": "http.response.body", "body": body})
