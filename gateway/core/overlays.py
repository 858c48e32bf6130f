"""What is in force for one API of one stage beside what was released: limits, networks, CORS.

It belongs to the stage and not to the API, because it applies at once and outlives releases: a
release is about APIs, an overlay about who may call them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.core.networks import read_networks
from gateway.core.typed import one_of, typed

REQUESTS: Final = range(1, 10**9 + 1)
"""Requests that a window may allow."""

SECONDS: Final = range(1, 10 * 86_400 + 1)
"""How long a window of a limit may be."""

COUNTED: Final = ("api", "address")
"""Whose requests a window counts: everybody's together, or those of each address."""


@dataclass(frozen=True, slots=True)
class Window:
    """A limit of requests in a time.

    Attributes:
        requests: How many are answered.
        seconds: In how long.
        per: Whose, one of `COUNTED`.
    """

    requests: int
    seconds: int = 1
    per: str = "api"


@dataclass(frozen=True, slots=True)
class Cors:
    """Which pages of other origins may call, and what they may send and read.

    Attributes:
        origins: The origins; `*` for any.
        methods: The methods.
        headers: Headers that pages may send; `*` for those that they ask for.
        exposed: Headers of answers that pages may read.
        credentials: Whether they may send cookies.
        age: Seconds for which a browser need not ask again; `None` to say nothing of it.
    """

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    age: int | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is in force for one API beside what was released.

    Attributes:
        windows: Limits, all of which a request must pass.
        allow: Networks whose callers are let in; all are where it is empty.
        deny: Networks whose callers are not, even if `allow` has them too.
        cors: Replaces the API's own switch; `None` to leave it.
    """

    windows: tuple[Window, ...] = ()
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    cors: Cors | None = None


NO_OVERLAY: Final = Overlay()


def overlay_plain(overlay: Overlay) -> dict[str, object]:
    """An overlay as plain values: only what is not as usual."""
    said: dict[str, object] = {
        "windows": [_window_plain(window) for window in overlay.windows],
        "allow": list(overlay.allow),
        "deny": list(overlay.deny),
        "cors": None if overlay.cors is None else cors_plain(overlay.cors),
    }
    return {name: value for name, value in said.items() if value not in ([], None)}


def read_overlay(raw: Mapping[str, Any]) -> Overlay:
    """The overlay that `overlay_plain` wrote.

    Raises:
        KeyError, TypeError, ValueError: It wrote none like this.
    """
    cors = raw.get("cors")
    overlay = Overlay(
        tuple(map(_read_window, typed(raw.get("windows", []), list))),
        read_networks(raw, "allow"),
        read_networks(raw, "deny"),
        None if cors is None else read_cors(cors),
    )
    if overlay_plain(overlay) != raw:
        raise ValueError("an overlay has other keys")
    return overlay


def cors_plain(cors: Cors) -> dict[str, object]:
    """Which pages may call, as plain values."""
    return {
        "origins": list(cors.origins),
        "methods": list(cors.methods),
        "headers": list(cors.headers),
        "exposed": list(cors.exposed),
        "credentials": cors.credentials,
        "age": cors.age,
    }


def read_cors(raw: Mapping[str, Any]) -> Cors:
    """What `cors_plain` wrote.

    Raises:
        KeyError, TypeError, ValueError: It wrote none like this.
    """
    return Cors(
        _texts(raw, "origins"),
        _texts(raw, "methods"),
        _texts(raw, "headers"),
        _texts(raw, "exposed"),
        typed(raw["credentials"], bool),
        typed(raw["age"], int, type(None)),
    )


def _window_plain(window: Window) -> dict[str, object]:
    return {"requests": window.requests, "seconds": window.seconds, "per": window.per}


def _read_window(raw: Mapping[str, Any]) -> Window:
    requests, seconds = typed(raw["requests"], int), typed(raw["seconds"], int)
    if requests not in REQUESTS or seconds not in SECONDS:
        raise ValueError(f"{requests!r} requests in {seconds!r} seconds are no limit")
    return Window(requests, seconds, one_of(raw["per"], COUNTED))


def _texts(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    return tuple(typed(text, str) for text in typed(raw.get(key, []), list))
