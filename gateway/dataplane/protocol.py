"""The HTTP protocol under the data plane: uvicorn's, with a short way out for whole answers.

ASGI takes an answer in two messages and checks every header of each. The gateway has its header
lines ready as bytes, so it hands over a whole answer in one call; everything else, streaming
included, goes the usual way.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

REPLY: Final = "gateway.reply"
"""The ASGI extension: `reply(status, head, body)` sends a whole answer, and says whether it could.

It cannot while the caller reads too slowly; then the answer must go the usual way, which waits.
"""

BODILESS: Final = frozenset((204, 304))
"""Statuses whose answers have no body and no length."""


class GatewayProtocol(HttpToolsProtocol):
    """Offers `REPLY` to the application."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401
        scope = cast("dict[str, Any]", cycle.scope)
        scope["extensions"] = {REPLY: partial(_reply, cycle)}
        super()._start_asgi_task(cycle, app)


def _reply(cycle: RequestResponseCycle, status: int, head: bytes, body: bytes) -> bool:
    if cycle.disconnected:
        return True
    if cycle.flow.write_paused or cycle.response_started:
        return False
    bodiless = status in BODILESS
    parts = [STATUS_LINE[status], _rendered(cycle.default_headers), head]
    if not bodiless:
        parts.append(b"content-length: %d\r\n" % len(body))
    parts.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
    if not bodiless and cycle.scope["method"] != "HEAD":
        parts.append(body)
    # The extension holds the cycle and the cycle holds the scope: untied here, the request is
    # freed at once and leaves the garbage collector nothing to do.
    del cycle.scope["extensions"]
    cycle.response_started = True
    cycle.transport.write(b"".join(parts))
    cycle.response_complete = True
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True


_last: tuple[list[tuple[bytes, bytes]], bytes] = ([], b"")


def _rendered(headers: list[tuple[bytes, bytes]]) -> bytes:
    """The server's own header lines; uvicorn makes a new list of them once a second."""
    global _last  # noqa: PLW0603 - a memo of one entry
    if _last[0] is not headers:
        _last = (headers, b"".join(b"%b: %b\r\n" % pair for pair in headers))
    return _last[1]
