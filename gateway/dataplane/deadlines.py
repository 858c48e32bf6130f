"""How long a caller may take: one timer a connection, which looks what is due.

An ordinary request, whole in one piece, moves no timer at all. Only what stays half done does, and
an hour of it costs as little as a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:  # the command line knows the deadlines, and must not pay for a server
    from gateway.dataplane.exchange import Exchange
    from gateway.dataplane.overload import Load

STEP_BYTES: Final = 1024
"""Bytes of a body, or of an answer, that count as progress; less than that is a trickle."""

LINGER_SECONDS: Final = 2.0
"""How long a connection that was ended is listened to, so that its caller can read why."""

IDLE_SECONDS: Final = 60
"""How long a connection may sit idle between requests."""

_NOBODY: Final = object()
_SOON: Final = 0.001  # clocks are not finer than that


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a caller may take, in seconds.

    Attributes:
        first_byte: To begin its first request.
        head: For a head, from its first byte on.
        body: For every `STEP_BYTES` of a body that the application waits for.
        idle: Until the next request.
        send: To read `STEP_BYTES` of an answer that waits for it.
        drain: Until the next request, when the listener is about to end.
    """

    first_byte: float = 10.0
    head: float = 10.0
    body: float = 15.0
    idle: float = IDLE_SECONDS
    send: float = 60.0
    drain: float = 1.0


class Watched(Protocol):
    """What the watch of a connection looks at, and does when time is up.

    Attributes:
        in_head: Whether a head is under way.
        incoming: The last request that was read, or is.
        taken: Bytes of bodies so far.
        answering: The request that is being answered.
        idle_since: When the last answer was complete.
        reading_paused: Whether the caller is held back.
        writing_paused: Whether the caller holds back.
        parting: Whether nothing more is answered.
    """

    in_head: bool
    incoming: Exchange | None
    taken: int
    answering: Exchange | None
    idle_since: float
    reading_paused: bool
    writing_paused: bool
    parting: bool

    def unsent(self) -> int:
        """Bytes that wait for the caller to read."""

    def leave(self) -> None:
        """Nothing is missing: close."""

    def refuse(self, status: int) -> None:
        """Something is missing: say so where that is possible, and close."""

    def abort(self) -> None:
        """Nobody reads: cut the connection."""


class Watch:
    """Holds one connection to its deadlines.

    Args:
        connection: The connection.
        seconds: The deadlines.
        load: Tells when the listener is about to end.
        loop: The event loop.
    """

    __slots__ = ("_behind", "_connection", "_head", "_load", "_loop", "_mark", "_of", "_seconds",
                 "_since", "_timer")  # fmt: skip

    def __init__(
        self, connection: Watched, seconds: Deadlines, load: Load, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._connection = connection
        self._seconds = seconds
        self._load = load
        self._loop = loop
        self._behind: object = _NOBODY  # the request behind which a head is under way
        self._head = 0.0  # and since when
        self._of: object = None  # what has to make progress: a body, or the answer's way out
        self._mark = 0  # how far it was
        self._since = 0.0  # and when
        self._timer = loop.call_later(min(seconds.first_byte, seconds.idle), self._look)
        if load.draining:
            self.draining()

    def stop(self) -> None:
        """Nothing is due any more."""
        self._timer.cancel()

    def half_read(self) -> None:
        """A piece was read, and a head or a body is not complete."""
        connection = self._connection
        if connection.in_head:
            if self._behind is not connection.incoming:
                self._behind, self._head = connection.incoming, self._loop.time()
                self._sooner(self._seconds.head)
        elif self._of is not connection.incoming:
            self._progress(connection.incoming, connection.taken, self._loop.time())
            self._sooner(self._seconds.body)

    def resumed(self) -> None:
        """The caller is not held back any more; what it could not send meanwhile is not late."""
        self._head = self._loop.time()

    def half_sent(self) -> None:
        """The caller reads more slowly than the answer is written."""
        self._progress(self, self._connection.unsent(), self._loop.time())
        self._sooner(self._seconds.send)

    def draining(self) -> None:
        """The listener is about to end."""
        self._sooner(self._seconds.drain)

    def lingering(self) -> None:
        """Nothing more is answered."""
        self._progress(self, self._connection.unsent(), self._loop.time())
        self._sooner(LINGER_SECONDS)

    def _sooner(self, seconds: float) -> None:
        """Look after so many seconds, or earlier."""
        if self._timer.when() > self._loop.time() + seconds:
            self._timer.cancel()
            self._timer = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Do what is due, or look again when something may be."""
        now = self._loop.time()
        when, act = self._due(now)
        if when <= now:
            act()
        self._timer = self._loop.call_later(max(when - now, _SOON), self._look)

    def _due(self, now: float) -> tuple[float, Callable[[], None]]:
        """When something is due, and what; what is not written down changes nothing."""
        connection, seconds = self._connection, self._seconds
        parting = connection.parting and connection.answering is None
        if parting or connection.writing_paused:
            left = connection.unsent()
            since = self._progress(self, left, now)
            return since + (seconds.send if left else LINGER_SECONDS), connection.abort
        if connection.in_head and not connection.reading_paused:
            return self._head + seconds.head, self._late
        if connection.incoming is not None and connection.incoming.more_body:
            return self._body(connection.incoming, now)
        if connection.answering is None:
            return self._idle(), connection.leave
        return now + (seconds.drain if self._load.draining else seconds.idle), connection.leave

    def _idle(self) -> float:
        """When a connection on which nothing happens has been kept for long enough."""
        since, seconds = self._connection.idle_since, self._seconds
        if self._load.draining:
            return max(since, self._load.draining) + seconds.drain
        return since + (seconds.idle if self._connection.incoming else seconds.first_byte)

    def _body(self, body: Exchange, now: float) -> tuple[float, Callable[[], None]]:
        """A body is only late while somebody waits for it."""
        connection, seconds = self._connection, self._seconds.body
        if connection.reading_paused or body.expects_continue:
            self._of = None
            return now + seconds, connection.leave
        return self._progress(body, connection.taken, now) + seconds, self._late

    def _late(self) -> None:
        self._connection.refuse(408)

    def _progress(self, of: object, mark: int, now: float) -> float:
        """Since when something has not moved on by a step."""
        if self._of is not of or abs(mark - self._mark) >= STEP_BYTES:
            self._of, self._mark, self._since = of, mark, now
        return self._since
