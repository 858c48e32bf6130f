"""Where a back end is and what it is asked for: its url, taken apart once, and the path behind it.

The matched front path is cut off and the rest appended to the back end's path (CONTRACT 5.2). A
path travels encoded as it came, and a query travels untouched.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway.core.routes import Kind, Path
from gateway.dataplane.address import as_sent
from gateway.dataplane.backends_answer import BackendFailed
from gateway.dataplane.dialling import Origin


class Place(NamedTuple):
    """A back end's url, taken apart.

    Attributes:
        origin: Where it listens.
        host: What it calls itself.
        path: What it wants before every path.
    """

    origin: Origin
    host: bytes
    path: str


@lru_cache
def take_apart(url: str) -> Place:
    """A back end's url in its parts.

    Raises:
        BackendFailed: The url names nobody.
    """
    try:
        parts = urlsplit(url)
        is_tls = parts.scheme == "https"
        usual = 443 if is_tls else 80
        host, port = parts.hostname or "", parts.port or usual
        own = f"[{host}]" if ":" in host else host
        named = (own if port == usual else f"{own}:{port}").encode("ascii")
    except ValueError as error:
        raise BackendFailed(f"its url cannot be read: {error}") from None
    if not host or parts.scheme not in {"http", "https"}:
        raise BackendFailed("its url names no host to speak HTTP with")
    return Place(Origin(host, port, is_tls), named, parts.path)


def target_of(base: str, front: Path, path: str, query: bytes) -> bytes:
    """What a back end is asked for.

    Args:
        base: The back end's path.
        front: The API's path.
        path: The request's, decoded and without the stage.
        query: The request's query as it came.
    """
    cut = path if front.kind is Kind.PARAMETER else front.literal
    rest = as_sent(path[len(cut) :])
    whole = f"{base.rstrip('/')}/{rest.lstrip('/')}" if rest else base or "/"
    target = whole.encode("latin-1", "replace")
    return b"%b?%b" % (target, query) if query else target
