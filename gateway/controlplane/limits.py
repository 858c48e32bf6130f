"""What an invocation may bring and give back: the cloud's sizes, and what is said beyond them."""

from __future__ import annotations

from typing import ClassVar, Final

from gateway.core.errors import RoutingError

MAX_EVENT: Final = 6 * 1024 * 1024
"""Bytes of the event of a synchronous invocation."""

MAX_ASYNCHRONOUS_EVENT: Final = 128 * 1024
"""Bytes of the event of an asynchronous one."""

MAX_VALUE: Final = 6 * 1024 * 1024
"""Bytes of what a handler returns."""

MAX_ROUTING_KEY: Final = 1024
"""Bytes of a routing key."""

MAX_LOG: Final = 4096
"""Bytes of a log; of a longer one the end is told."""

REQUEST_TOO_LARGE: Final = 406
RESPONSE_TOO_LARGE: Final = 407
BAD_PARAMETER: Final = 436
INTERNAL_ERROR: Final = 500
"""Function status codes of the cloud for what never reached a handler, or came too far."""


class EventTooLarge(RoutingError):
    """The event is larger than it may be (cloud code 406)."""

    code: ClassVar[str] = "event-too-large"
    status: ClassVar[int] = REQUEST_TOO_LARGE

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(f"RequestTooLarge: the event has {size} bytes; allowed: {limit}")


class WebFunction(RoutingError):
    """A web function answers HTTP requests and is not invoked with events (cloud code 436)."""

    code: ClassVar[str] = "web-function"
    status: ClassVar[int] = BAD_PARAMETER

    def __init__(self, function: str, version: str) -> None:
        self.function = function
        self.version = version
        super().__init__(
            f"function {function!r}, version {version}, is a web function: it answers HTTP"
            " requests and cannot be invoked with an event"
        )


def check_event(size: int, limit: int) -> None:
    """Refuse an event that is too large.

    Args:
        size: Its bytes.
        limit: Bytes that it may have.

    Raises:
        EventTooLarge: It has more.
    """
    if size > limit:
        raise EventTooLarge(size, limit)


def tail(log: str) -> str:
    """The last bytes of a log, from a whole character on."""
    return log.encode(errors="replace")[-MAX_LOG:].decode(errors="ignore")
