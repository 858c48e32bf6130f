"""The one mutable cell: which snapshot is live.

A request reads it once and keeps what it read; assignment swaps it for the next request. Within
one event loop that is atomic, so neither side takes a lock.
"""

from __future__ import annotations

from gateway.core.snapshot import EMPTY, Snapshot


class Live:
    """Holds the live snapshot.

    Attributes:
        snapshot: What routes now.
    """

    __slots__ = ("snapshot",)

    def __init__(self, snapshot: Snapshot = EMPTY) -> None:
        self.snapshot = snapshot

    def swap(self, new: Snapshot) -> Snapshot:
        """Put a new snapshot live and give back the one it replaces."""
        old, self.snapshot = self.snapshot, new
        return old
