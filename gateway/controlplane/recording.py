"""Recording as the control plane sees it: whoever asks gets lines, and ends it by leaving.

The answer is a stream of JSON lines. Those with `v` are the recording; those with `recording` tell
of it: that it has begun, what was recorded and dropped so far, that it has ended.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol

from starlette.types import Receive, Scope, Send

from gateway.controlplane.events import Events, Subscription

MEDIA: Final = "application/x-ndjson"

EVERY_SECONDS: Final = 1.0
"""How often counts are told; and at once when something was dropped."""

AT_A_TIME: Final = 64
"""Lines that are made and sent at a time; requests are answered in between."""

PARTING_SECONDS: Final = 2.0
"""How long a reader may take to read what waits for it when the gateway stops."""


class Recording(Protocol):
    """One recording that is under way.

    Attributes:
        stage: The stage's own name.
    """

    stage: str

    @property
    def recorded(self) -> int:
        """How many requests were recorded."""

    def dropped(self) -> dict[str, int]:
        """How many were not, by why."""

    async def lines(self, most: int) -> bytes:
        """The next lines, one at least; none once it is closed and nothing waits any more."""

    def close(self) -> None:
        """End it; twice is once."""


class Recorder(Protocol):
    """Begins recordings."""

    def open(self, stage: str, *, rate: float, body: int, hidden: frozenset[str]) -> Recording:
        """Begin to record a stage."""


class RecordingStream:
    """ASGI: the answer that sends a recording until the reader leaves or the gateway stops.

    Args:
        recording: The recording, which is closed in the end.
        events: The hub of events; when it closes, the gateway stops.
        revision: The live revision.
        every: Seconds between two lines of counts.
        parting: Seconds that the end may take.
    """

    def __init__(
        self,
        recording: Recording,
        events: Events,
        revision: int,
        *,
        every: float = EVERY_SECONDS,
        parting: float = PARTING_SECONDS,
    ) -> None:
        self._recording = recording
        self._events = events
        self._revision = revision
        self._every = every
        self._parting = parting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send lines; recording is on for as long as they are taken."""
        tag = f'"{self._revision}"'.encode()
        fields = [(b"content-type", MEDIA.encode()), (b"etag", tag)]
        recording = self._recording
        try:
            await send({"type": "http.response.start", "status": 200, "headers": fields})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._until_over(recording, receive, send)
        finally:
            recording.close()

    async def _until_over(self, recording: Recording, receive: Receive, send: Send) -> None:
        subscription = self._events.subscribe()
        sending = asyncio.create_task(self._send(recording, send))
        left = asyncio.create_task(_left(receive))
        over = asyncio.create_task(_over(subscription))
        try:
            await asyncio.wait((sending, left, over), return_when=asyncio.FIRST_COMPLETED)
            recording.close()
            if not left.done():
                await asyncio.wait((sending,), timeout=self._parting)
        finally:
            self._events.unsubscribe(subscription)
            for task in (sending, left, over):
                task.cancel()
            await asyncio.gather(sending, left, over, return_exceptions=True)
        if not sending.cancelled():
            sending.result()

    async def _send(self, recording: Recording, send: Send) -> None:
        async for lines in self._texts(recording):
            await send({"type": "http.response.body", "body": lines, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _texts(self, recording: Recording) -> AsyncIterator[bytes]:
        yield _told("begun", recording, revision=self._revision)
        time = asyncio.get_running_loop().time
        tell_at, told, lines = time() + self._every, recording.dropped(), b"-"
        while lines:
            try:
                async with asyncio.timeout_at(tell_at):
                    lines = await recording.lines(AT_A_TIME)
            except TimeoutError:
                pass
            else:
                yield lines
            if time() >= tell_at or told != recording.dropped():
                tell_at, told = time() + self._every, recording.dropped()
                yield _told("counts", recording)
        yield _told("ended", recording)


def _told(what: str, recording: Recording, **more: object) -> bytes:
    said: Mapping[str, object] = {
        "recording": what,
        "stage": recording.stage,
        "recorded": recording.recorded,
        "dropped": recording.dropped(),
        **more,
    }
    return json.dumps(said).encode() + b"\n"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _over(subscription: Subscription) -> None:
    async for _ in subscription:
        pass
