"""The one mutable cell: which snapshot is live.

A request reads it once and keeps what it read; assignment swaps it for the next request. Within
one event loop that is atomic, so neither side takes a lock.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.snapshot import EMPTY, Snapshot


class Live:
    """Holds the live snapshot.

    Attributes:
        snapshot: What routes now.
        followers: Are told of each new snapshot, once it is live; they must not fail.
    """

    __slots__ = ("followers", "snapshot")

    def __init__(self, snapshot: Snapshot = EMPTY) -> None:
        self.snapshot = snapshot
        self.followers: list[Callable[[Snapshot], None]] = []

    def swap(self, new: Snapshot) -> Snapshot:
        """Put a new snapshot live and give back the one it replaces."""
        old, self.snapshot = self.snapshot, new
        for follow in self.followers:
            follow(new)
        return old
