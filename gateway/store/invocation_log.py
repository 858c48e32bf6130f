"""What every invocation log promises; whoever keeps it, the code above it is the same.

A log holds what was answered, request by request, of all who write into it. It is worth less than
the journal: a crash of the machine may cost its last moments, never the journal's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from gateway.store.logged import Entry, Retention, Wanted


class InvocationLog(Protocol):
    """Entries in the order in which they were written, numbered from 1 on."""

    @property
    def name(self) -> str:
        """The log as sentences name it."""

    @property
    def retention(self) -> Retention:
        """What is kept."""

    @property
    def news(self) -> asyncio.Event:
        """Is set when something more is there; ask for it before looking at what is there."""

    def following(self) -> AbstractContextManager[None]:
        """While somebody does, `news` tells also of what others write."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """Add entries, in this order, and who answered them.

        Raises:
            StateAway: The log cannot be reached at the moment. The same entries are to be given
                again, before any others; none is written twice.
            StateUnusable: They cannot be written, and none is.
        """

    async def find(self, wanted: Wanted, limit: int = 100) -> list[Entry]:
        """Entries, newest first; with `after`, oldest first.

        Raises:
            StateUnusable: The log cannot be read.
        """

    async def get(self, request_id: str) -> Entry | None:
        """The newest entry of a request.

        Raises:
            StateUnusable: The log cannot be read.
        """

    async def newest(self) -> int:
        """The number of the newest entry; 0 where there is none.

        Raises:
            StateUnusable: The log cannot be read.
        """

    async def prune(self, now: float) -> None:
        """Remove what is not kept any longer, also of what others wrote.

        Args:
            now: Seconds since 1970.

        Raises:
            StateUnusable: It cannot be removed.
        """

    async def close(self) -> None:
        """Let go of everything; once more does no harm."""
