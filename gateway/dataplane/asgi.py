"""The types of an ASGI application, as far as the data plane uses them (ASGI 3, HTTP 2.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def address_of(info: Any) -> tuple[str, int] | None:  # noqa: ANN401 - sockets say what they like
    """A socket's address as a scope has it; `None` where it has none of that kind."""
    return (str(info[0]), int(info[1])) if isinstance(info, tuple) else None
