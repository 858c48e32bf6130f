"""Wakes whoever waits for something new: at once for what this process did, soon for others.

Nobody is told what is new. Whoever wakes looks for himself, so a needless ring does no harm and
a missed one is impossible: the event to wait for is taken before the look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from gateway.store.protocol import StateUnusable

EVERY: Final = 0.02
"""Seconds between two looks at what others did, where nothing else is said."""


class Bell:
    """Rings for changes of a state.

    Args:
        look: Gives a value that is another one after every change of the state.
        every: Seconds between two looks, while somebody waits.

    Attributes:
        next: Set by the next ring; each ring puts another one in its place.
    """

    def __init__(self, look: Callable[[], Awaitable[object]], every: float = EVERY) -> None:
        self.next = asyncio.Event()
        self._look = look
        self._every = every
        self._listeners = 0
        self._looking: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Wake everybody who waits."""
        rung, self.next = self.next, asyncio.Event()
        rung.set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While somebody is, the state is looked at again and again."""
        self._listeners += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._cease()

    async def stop(self) -> None:
        """Look no more, and wake everybody who waits."""
        looking = self._cease()
        self.ring()
        if looking is not None:
            await asyncio.wait([looking])

    def _cease(self) -> asyncio.Task[None] | None:
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
        return looking

    async def _keep_looking(self) -> None:
        seen: object = None
        while True:
            try:
                now = await self._look()
            except StateUnusable:
                now = object()  # whoever looks for himself is told why
            if now != seen:
                seen = now
                self.ring()
            await asyncio.sleep(self._every)
