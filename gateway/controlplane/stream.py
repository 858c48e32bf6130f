"""Events as `text/event-stream`: resumable, bounded, and over when either side wants it to be.

A reader that comes back with `Last-Event-ID` is told every revision it missed, from the journal,
and then goes on listening: it subscribes first, so that nothing falls between the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import Receive, Scope, Send

from gateway.controlplane.events import Event, Subscription
from gateway.controlplane.problems import to_json
from gateway.controlplane.service import Control

HEARTBEAT_SECONDS: Final = 15.0
"""How long nothing is sent before a comment shows that the stream is alive."""

PARTING_SECONDS: Final = 2.0
"""How long a reader may take to read what waits for it when the stream ends."""

PAGE: Final = 100
"""Records that are read from the journal at a time."""

_HEARTBEAT: Final = b": still here\n\n"


class EventStream:
    """ASGI: the answer that sends events until the reader leaves, lags, or the server stops.

    Args:
        control: Whose events.
        after: The last revision that the reader has seen; `None` for events from now on.
        heartbeat: Seconds of silence before a comment.
        parting: Seconds that the end may take.
    """

    def __init__(
        self,
        control: Control,
        after: int | None,
        *,
        heartbeat: float = HEARTBEAT_SECONDS,
        parting: float = PARTING_SECONDS,
    ) -> None:
        self._control = control
        self._after = after
        self._heartbeat = heartbeat
        self._parting = parting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events; a reader that takes nothing any more is cut off."""
        fields = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        subscription = self._control.events.subscribe()
        sending = asyncio.create_task(self._send(subscription, send))
        others = (asyncio.create_task(_left(receive)), asyncio.create_task(subscription.over()))
        try:
            await asyncio.wait((sending, *others), return_when=asyncio.FIRST_COMPLETED)
            if not others[0].done():
                await asyncio.wait((sending,), timeout=self._parting)
        finally:
            self._control.events.unsubscribe(subscription)
            for task in (sending, *others):
                task.cancel()
            await asyncio.gather(sending, *others, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send(self, subscription: Subscription, send: Send) -> None:
        async for text in self._texts(subscription):
            await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _texts(self, subscription: Subscription) -> AsyncIterator[bytes]:
        live = self._control.live.snapshot.revision
        seen = live if self._after is None else min(self._after, live)
        # The hello counts as an event that was seen: who is cut off after it misses nothing.
        yield _text(Event("hello", {"revision": live}, seen))
        async for event in self._missed(seen, live):
            yield _text(event)
        while True:
            try:
                async with asyncio.timeout(self._heartbeat):
                    event = await anext(subscription)
            except TimeoutError:
                yield _HEARTBEAT
            except StopAsyncIteration:
                return
            else:
                if event.id is None or event.id > live:  # the others were missed, and told above
                    yield _text(event)

    async def _missed(self, seen: int, live: int) -> AsyncIterator[Event]:
        """Revisions after one and up to another, from the journal, in order."""
        for start in range(seen, live, PAGE):
            records = await self._control.store.records(before=start + PAGE + 1, limit=PAGE)
            for record in reversed(records):
                if start < record.revision <= live:
                    yield Event.revision(record)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _text(event: Event) -> bytes:
    """An event as it travels."""
    number = b"" if event.id is None else b"id: %d\n" % event.id
    return b"%bevent: %b\ndata: %b\n\n" % (number, event.name.encode(), to_json(event.data))
