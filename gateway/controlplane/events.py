"""The hub of events: whoever publishes never waits, and whoever listens too slowly is let go.

All of it lives on one event loop. A subscriber has a bounded queue of its own; when that is full it
is told that it `lagged` and hears no more. It may come back and resume: the journal has everything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.controlplane.circuits import Standing
from gateway.controlplane.history import record_plain
from gateway.store.protocol import Record

WAITING: Final = 256
"""Events that may wait for one subscriber."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        name: `revision`, `reload`, `breaker`, `error`, `hello` or `lagged`.
        data: What is told about it, as JSON values.
        id: The revision, for an event that can be resumed after; `None` for any other.
    """

    name: str
    data: Mapping[str, object] = field(default_factory=dict)
    id: int | None = None

    @classmethod
    def revision(cls, record: Record) -> Event:
        """A change was accepted and is live."""
        return cls("revision", record_plain(record), record.revision)

    @classmethod
    def reload(cls, function: str, seconds: float) -> Event:
        """Edited code of a function was loaded."""
        return cls("reload", {"function": function, "seconds": round(seconds, 6)})

    @classmethod
    def breaker(cls, turned: Standing) -> Event:
        """The circuit of a version has changed its state."""
        told = {"function": turned.function, "version": turned.version}
        return cls("breaker", {**told, "state": turned.state.value, "wait": round(turned.wait, 3)})

    @classmethod
    def error(cls, code: str, message: str, *, where: str = "", text: str = "") -> Event:
        """Something that nobody waits for went wrong; what was live still is.

        Args:
            code: Stable name of the kind of error.
            message: A sentence.
            where: What it is about: a file, a folder, a revision.
            text: Everything there is to say, for a terminal.
        """
        return cls("error", {"code": code, "message": message, "where": where, "text": text})


class Subscription:
    """What one subscriber has not heard yet.

    It is an asynchronous iterator that ends when the hub is closed, or after `lagged`.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Event] = deque()
        self._news = asyncio.Event()
        self._over = asyncio.Event()

    def put(self, event: Event) -> None:
        """Add an event; a full queue ends the subscription with `lagged`."""
        if self._over.is_set():
            return
        if len(self._waiting) < self._limit:
            self._waiting.append(event)
            self._news.set()
        else:
            self._waiting.append(Event("lagged", {"waiting": self._limit}))
            self.end()

    def end(self) -> None:
        """Nothing more will come; what waits is still handed out."""
        self._over.set()
        self._news.set()

    async def over(self) -> None:
        """Wait until nothing more will come."""
        await self._over.wait()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._over.is_set():
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class Events:
    """Hands every published event to every subscriber."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    def publish(self, event: Event) -> None:
        """Tell everybody who listens now; never waits, never fails."""
        for subscription in self._subscriptions:
            subscription.put(event)

    def subscribe(self, limit: int = WAITING) -> Subscription:
        """Listen from now on, until `unsubscribe`."""
        subscription = Subscription(limit)
        if self._closed:
            subscription.end()
        else:
            self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Listen no more; twice is once."""
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every subscription, those to come included: the server stops."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end()
