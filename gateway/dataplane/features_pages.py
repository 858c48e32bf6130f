"""Pages of other origins at one API of one stage: the API's switch, or what the stage says instead.

The switch lets every page in. An overlay names origins, methods and headers; a browser is told
what of its question is allowed, and with every answer whether the page may read it.
"""

from __future__ import annotations

from typing import Protocol

from gateway.core.overlays import NO_OVERLAY, Cors
from gateway.core.snapshot import Api, Stage
from gateway.dataplane.answer import Answer, Header, line
from gateway.dataplane.features_cors import is_preflight, preflight, with_origin

_ANY = "*"
_PREFIX = b"access-control-"


class Pages(Protocol):
    """Which pages may call an API."""

    def preflight(self, headers: dict[str, str]) -> Answer:
        """The answer to a browser that asks first."""

    def told(self, said: list[Header], method: str, headers: dict[str, str]) -> list[Header]:
        """The headers of an answer as the page that asked needs them.

        Args:
            said: The headers.
            method: The method of the request.
            headers: The headers of the request.
        """


def pages_of(stage: Stage, api: Api) -> Pages | None:
    """Which pages may call an API in a stage; `None` where nothing is said of them."""
    cors = stage.features.overlays.get(api.id, NO_OVERLAY).cors
    if cors is not None:
        return NamedPages(cors)
    return _EVERY_PAGE if api.features.cors else None


class _EveryPage:
    """The switch."""

    def preflight(self, headers: dict[str, str]) -> Answer:
        return preflight(headers)

    def told(self, said: list[Header], _method: str, _headers: dict[str, str]) -> list[Header]:
        return with_origin(said)


_EVERY_PAGE = _EveryPage()


class NamedPages:
    """Pages of the origins that an overlay names.

    Args:
        cors: What it says.
    """

    __slots__ = ("_cors",)

    def __init__(self, cors: Cors) -> None:
        self._cors = cors

    def preflight(self, headers: dict[str, str]) -> Answer:
        """The answer to a browser that asks first; no back end hears of it."""
        cors, origin = self._cors, headers["origin"]
        said = self._shared(origin)
        if said:
            wanted = headers.get("access-control-request-headers", "")
            said.append(("allow-methods", ",".join(cors.methods)))
            said.append(("allow-headers", wanted if _ANY in cors.headers else _list(cors.headers)))
            if cors.age is not None:
                said.append(("max-age", str(cors.age)))
        lines = [line(f"access-control-{name}", value) for name, value in said if value]
        return 204, b"".join((*lines, line("vary", _VARY))), b""

    def told(self, said: list[Header], method: str, headers: dict[str, str]) -> list[Header]:
        """The headers of an answer; what the back end says of other origins does not count."""
        if is_preflight(method, headers):  # then it is the answer above
            return said
        shared = self._shared(headers.get("origin", ""))
        if shared:
            shared.append(("expose-headers", _list(self._cors.exposed)))
        own = [(_PREFIX + n.encode(), value.encode("latin-1")) for n, value in shared if value]
        return [*(h for h in said if not h[0].startswith(_PREFIX)), *own, (b"vary", b"Origin")]

    def _shared(self, origin: str) -> list[tuple[str, str]]:
        cors = self._cors
        if not origin or not ({_ANY, origin} & set(cors.origins)):
            return []
        open_to_all = _ANY in cors.origins and not cors.credentials
        said = [("allow-origin", _ANY if open_to_all else origin)]
        if cors.credentials:
            said.append(("allow-credentials", "true"))
        return said


_VARY = "Origin, Access-Control-Request-Headers"


def _list(names: tuple[str, ...]) -> str:
    return ",".join(names)
