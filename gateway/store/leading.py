"""What only one node at a time does for all of them, such as moving rollouts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from gateway.store.protocol import StateUnusable, Store

Pause = Callable[[float], Awaitable[None]]


def in_the_lead(store: Store, pause: Pause) -> Pause:
    """A pause that ends only where this node leads; whoever does something in turns waits in it.

    Args:
        store: Tells who leads; while it is away, nobody does.
        pause: Waits for seconds.
    """

    async def waited(seconds: float) -> None:
        leads = False
        while not leads:
            await pause(seconds)
            with suppress(StateUnusable):
                leads = await store.leads()

    return waited
