"""Hears of new revisions: at once what the database tells, and soon whatever it does not.

Nothing is believed of what is told. Whoever waits looks for himself, so a needless ring does no
harm, and a connection that broke costs a moment and no revision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import SystemRandom
from typing import Final

from gateway.store.postgres_address import Address
from gateway.store.postgres_link import Connection, Link
from gateway.store.postgres_tables import CHANNEL
from gateway.store.protocol import StateUnusable

LOOK_SECONDS: Final = 1.0
"""After so long a silence everybody looks; some poolers pass nothing on."""

FIRST_PAUSE: Final = 0.1
"""Seconds before a lost database is tried again for the first time; each time twice as long."""

LONGEST_PAUSE: Final = 1.0
"""No pause is longer than that."""


class Notices:
    """Rings when there may be something new.

    Args:
        address: Where the database is.
        heard: Is called whenever the database was reached.

    Attributes:
        next: Set by the next ring; each ring puts another one in its place.
    """

    def __init__(self, address: Address, heard: Callable[[], None]) -> None:
        self.next = asyncio.Event()
        self._heard = heard
        self._link = Link(address, _listen)
        self._listening: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Listen from now on."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._keep_listening())

    def ring(self) -> None:
        """Wake everybody who waits."""
        rung, self.next = self.next, asyncio.Event()
        rung.set()

    async def close(self) -> None:
        """Listen no more, and wake everybody who waits."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.wait([listening])
        await self._link.close(hurry=True)
        self.ring()

    async def _keep_listening(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._link.run(_wait)
                pause = FIRST_PAUSE
                self._heard()
            except StateUnusable:  # whoever looks for himself is told why
                await asyncio.sleep(pause * SystemRandom().uniform(0.5, 1))
                pause = min(2 * pause, LONGEST_PAUSE)
            self.ring()


async def _listen(connection: Connection) -> None:
    await connection.execute(f"LISTEN {CHANNEL}")


async def _wait(connection: Connection) -> None:
    """Until something is told, or for long enough; and whether the database is still there."""
    async for _ in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
        pass
    await connection.execute("SELECT 1")
