"""ASGI: pages, their assets, and their twins for programs. It holds no data of the gateway.

Assets are a closed list that is read once: no path of a request ever reaches the file system.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from gateway.console.pages import page_of, shell, twin_of

COOKIE: Final = "gateway_token"
"""The cookie that holds the token for this browser; the guard knows it by this name."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""Only this origin's own modules run. Styles may be set by the module that draws."""

_MEDIA: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_PLOTLY: Final = "plotly.min.js"


Nowhere = Callable[[Scope, Receive, Send], Awaitable[None]]


class Console:
    """Answers requests for pages.

    Args:
        nowhere: Answers what is no page.
        token: What the control plane asks for; `None` where it asks for nothing.
    """

    def __init__(self, nowhere: Nowhere, token: str | None = None) -> None:
        self._nowhere = nowhere
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        response = self._response(scope)
        if response is None:
            await self._nowhere(scope, receive, send)
        else:
            await response(scope, receive, send)

    def _response(self, scope: Scope) -> Response | None:
        if scope["method"] not in {"GET", "HEAD"}:
            return None
        path = scope["path"]
        if path.startswith("/assets/"):
            return _asset(path.removeprefix("/assets/"), scope)
        query = scope["query_string"].decode("latin-1")
        twin = twin_of(path)  # before pages: whatever they name has no such ending
        if twin is not None:
            return RedirectResponse(f"{twin}?{query}" if query else twin, 307)
        found = page_of(path)
        if found is None:
            return None
        given = parse_qs(query).get("token")
        if given:
            return self._signed_in(path, given[0])
        headers = {"content-security-policy": POLICY}
        return Response(shell(found[0]), media_type="text/html", headers=headers)

    def _signed_in(self, path: str, given: str) -> Response:
        """Keep the token in this browser, and take it out of the address."""
        response = RedirectResponse(quote(path), 303)
        if self._token is not None and hmac.compare_digest(given.encode(), self._token.encode()):
            response.set_cookie(
                COOKIE, quote(given, safe=""), httponly=True, samesite="strict", path="/"
            )
        return response


def _asset(name: str, scope: Scope) -> Response | None:
    found = _assets().get(name)
    if found is None:
        return None
    data, tag = found
    headers = {"etag": tag, "cache-control": "no-cache"}
    if dict(scope["headers"]).get(b"if-none-match") == tag.encode():
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=_MEDIA[name.rpartition(".")[2]], headers=headers)


@cache
def _assets() -> Mapping[str, tuple[bytes, str]]:
    """Every asset by name, with its tag."""
    folder = files("gateway.console").joinpath("assets")
    found = {
        each.name: each.read_bytes()
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in _MEDIA
    }
    found[_PLOTLY] = files("plotly").joinpath("package_data", _PLOTLY).read_bytes()
    return {name: (data, f'"{sha256(data).hexdigest()[:32]}"') for name, data in found.items()}
