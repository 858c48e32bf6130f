"""Where web requests are served: entered, left, and closed once it is retired and empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from gateway.runtime.generation import Seats
    from gateway.runtime.web_application import Application
    from gateway.runtime.web_child import Child


class Place:
    """One loading of a web version in use: it is closed when it is retired and nobody is in it.

    Args:
        instance: What serves.
        seats: Those of the function.
        limit: How many may be taken.
        closing: Is given what completes when the instance is closed.

    Attributes:
        instance: What serves.
        closed: Whether nobody can enter any more.
        retired: Whether it closes when the last one leaves.
        inside: How many are in it.
    """

    def __init__(
        self,
        instance: Application | Child,
        seats: Seats,
        limit: int,
        closing: Callable[[Future[None]], None],
    ) -> None:
        self.instance = instance
        self.closed = False
        self.retired = False
        self._seats = seats
        self._limit = limit
        self._closing = closing
        self.inside = 0

    @property
    def ended(self) -> bool:
        """Whether it serves nobody any more."""
        return self.closed or self.instance.ended

    def enter(self) -> bool:
        """Take a seat; false when all are taken, or the place is closed."""
        seats = self._seats
        with seats.lock:
            if seats.taken >= self._limit or self.ended:
                return False
            seats.taken += 1
            self.inside += 1
            return True

    def leave(self) -> None:
        """Give the seat back."""
        with self._seats.lock:
            self._seats.taken -= 1
            self.inside -= 1
        self._close_if_empty()

    def retire(self) -> None:
        """Close as soon as nobody is inside, which may be now."""
        self.retired = True
        self._close_if_empty()

    def _close_if_empty(self) -> None:
        with self._seats.lock:
            if not self.retired or self.inside or self.closed:
                return
            self.closed = True
        self._closing(self.instance.close())
