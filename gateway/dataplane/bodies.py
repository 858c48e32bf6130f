"""Whole bodies: read once, within the cloud's limit."""

from __future__ import annotations

from typing import Final

from gateway.dataplane.asgi import Message, Receive
from gateway.dataplane.sender import CallerGone

MAX_EVENT_BODY: Final = 6 * 1024 * 1024
"""Bytes of a body towards a function, and of its answer (CONTRACT 5.4)."""


async def read_body(receive: Receive) -> bytes:
    """The whole body, or at least one byte more than is allowed.

    Raises:
        CallerGone: The caller went away before the body was complete.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= MAX_EVENT_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    return b"".join(parts)


def read_again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body which was read already, and then what comes after it."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again
