"""Requests keep a stated rate in proportion to the users there are, evenly spaced; pure."""

from __future__ import annotations

from typing import Final

SLACK: Final = 0.1
"""Seconds that may be caught up after a delay; what is older is given up, and no burst follows."""


class Pace:
    """When the next request of one process is due.

    Args:
        rate: Requests a second of one user; `None` is as fast as the answers come.
    """

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._due = 0.0

    @property
    def stated(self) -> bool:
        """Whether there is a rate to keep."""
        return self._rate is not None

    def pause(self, now: float, users: int) -> float:
        """How long the user that asks has to wait for its turn, which is taken by asking.

        Args:
            now: The time in seconds, on any clock that only goes on.
            users: The users of this process.
        """
        if self._rate is None:
            return 0.0
        self._due = max(self._due, now - SLACK) + 1 / (self._rate * max(users, 1))
        return max(0.0, self._due - now)
