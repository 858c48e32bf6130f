"""One loading of a version in use: it is unloaded when it is retired and nothing runs in it.

Seats are counted per function, all its versions together, because that is what the cloud limits.
A seat is taken until the handler has really ended: a thread that ignores its timeout keeps it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from gateway.runtime.context import Context, context_template
from gateway.runtime.outcome import Outcome, raised
from gateway.runtime.pool import Pool

if TYPE_CHECKING:
    from gateway.runtime.loader import LoadedVersion


class Activity(NamedTuple):
    """What goes on in a version.

    Attributes:
        running: Invocations that run now.
        starts: How often its code was loaded, or a process was started for it.
    """

    running: int
    starts: int


class Seats:
    """How many invocations of one function run now.

    The lock is held for a few instructions only; threads end their invocations themselves, so
    that a seat is given back even when the event loop that waited has gone.
    """

    __slots__ = ("lock", "taken")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.taken = 0


class Generation:
    """A loaded version and the invocations that run in it.

    Attributes:
        handler: The callable.
        inline: Whether it runs on the event loop.
        pool: The processes that it runs in; `None` when it runs in this one.
        timeout: Seconds an invocation may take.
        ended: Whether it was unloaded; then nobody can enter any more.
        running: Invocations that run in it now.
    """

    __slots__ = (
        "_limit", "_loaded", "_retired", "_seats", "_template",
        "ended", "handler", "inline", "pool", "running", "timeout",
    )  # fmt: skip

    def __init__(
        self, loaded: LoadedVersion | Pool, seats: Seats, *, retired: bool = False
    ) -> None:
        isolation = loaded.version.configuration.isolation
        self.handler = loaded.handler
        self.inline = isolation == "inline" or (isolation == "auto" and loaded.is_async)
        self.pool = loaded if isinstance(loaded, Pool) else None
        self.timeout = loaded.version.configuration.timeout
        self.ended = False
        self._loaded = loaded
        self._template = context_template(loaded.version)
        self._limit = loaded.version.configuration.concurrency
        self._seats = seats
        self.running = 0
        self._retired = retired

    def enter(self) -> bool:
        """Take a seat; false when all are taken or the version is unloaded."""
        seats = self._seats
        with seats.lock:
            if seats.taken >= self._limit or self.ended:
                return False
            seats.taken += 1
            self.running += 1
            return True

    def leave(self) -> None:
        """Give the seat back; the last one out of a retired version unloads it."""
        seats = self._seats
        with seats.lock:
            seats.taken -= 1
            self.running -= 1
            if not self._retired or self.running:
                return
            self.ended = True
        self._unload()

    def retire(self) -> None:
        """Unload the version as soon as nothing runs in it, which may be now."""
        with self._seats.lock:
            self._retired = True
            if self.running or self.ended:
                return
            self.ended = True
        self._unload()

    def context(self, request_id: str) -> Context:
        """A context of its own for each invocation: handlers may change theirs."""
        context = self._template.copy()
        context["request_id"] = request_id
        return context

    def explain(self, error: BaseException, request_id: str) -> Outcome:
        """The outcome of a handler that raised."""
        return raised(error, self._loaded.stack(error), request_id)

    def _unload(self) -> None:
        self._loaded.unload()
        self.handler = self._loaded.handler
