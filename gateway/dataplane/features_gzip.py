"""Long texts compressed for callers that take it (CONTRACT 5.4: above 1 KB, of a kind of text).

An answer is compressed if its length is known and nobody said otherwise; one whose length nobody
told, such as a stream of events, passes as it comes, because its parts must not be held back.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import zlib
from typing import Final

from gateway.dataplane.answer import Header
from gateway.dataplane.asgi import Message, Send
from gateway.dataplane.exchange import BODILESS

SHORTEST: Final = 1024
"""Bytes that pass as they are."""

_LEVEL: Final = 1  # the time of the loop is worth more than the last few bytes
_AT_ONCE: Final = 1 << 16  # bytes; more is compressed in a thread, the loop has others to serve
_TEXT: Final = re.compile(
    rb"text/(?!event-stream)|application/([a-z0-9.+-]*(json|xml|javascript)|"
    rb"x-www-form-urlencoded|graphql|x-ndjson)\b|image/svg\+xml",
    re.IGNORECASE,
)
_QUALITY: Final = re.compile(r"q\s*=\s*([0-9.]+)")
_UNTOUCHED: Final = frozenset((b"content-encoding", b"content-range"))


def takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` names gzip, or anything, and does not rule it out."""
    found: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, rest = part.partition(";")
        quality = _QUALITY.match(rest.strip())
        try:
            found[name.strip()] = float(quality[1]) if quality else 1.0
        except ValueError:
            found[name.strip()] = 0.0
    return found.get("gzip", found.get("*", 0.0)) > 0


class Compressing:
    """A `send` that compresses one answer where that is allowed.

    Args:
        send: Takes the answer.
        taken: Whether the caller takes gzip; if not, caches are told that others might.
    """

    def __init__(self, send: Send, *, taken: bool) -> None:
        self._send = send
        self._taken = taken
        self._start: Message | None = None
        self._stream: zlib._Compress | None = None

    async def __call__(self, message: Message) -> None:
        """Send one message of the answer."""
        if message["type"] == "http.response.start":
            if _compressible(message["status"], message["headers"]):
                self._start = message  # its length depends on the body
            else:
                await self._send(message)
            return
        start, self._start = self._start, None
        body, more = message.get("body", b""), message.get("more_body", False)
        if start is not None and _length(start["headers"]) > SHORTEST:
            start["headers"] = [*start["headers"], (b"vary", b"Accept-Encoding")]
            if self._taken and more:
                self._stream = zlib.compressobj(_LEVEL, wbits=31)
                start["headers"] = _encoded(start["headers"])
            elif self._taken:
                body = await _compressed(body)
                told = (b"content-length", b"%d" % len(body))
                start["headers"] = [*_encoded(start["headers"]), told]
        if start is not None:
            await self._send(start)
        if self._stream is not None:
            body = self._stream.compress(body) + (b"" if more else self._stream.flush())
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


async def _compressed(body: bytes) -> bytes:
    if len(body) <= _AT_ONCE:
        return gzip.compress(body, _LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)


def _compressible(status: int, headers: list[Header]) -> bool:
    said = {name.lower(): value for name, value in headers}
    return (
        status not in BODILESS
        and not said.keys() & _UNTOUCHED
        and _TEXT.match(said.get(b"content-type", b"")) is not None
        and b"no-transform" not in said.get(b"cache-control", b"").lower()
    )


def _length(headers: list[Header]) -> int:
    """The length that was told; 0 where none was."""
    return next((int(value) for name, value in headers if name.lower() == b"content-length"), 0)


def _encoded(headers: list[Header]) -> list[Header]:
    """The headers of the compressed answer, all but its length: it is another representation."""
    kept = []
    for name, value in headers:
        if name.lower() == b"etag" and not value.startswith(b"W/"):
            kept.append((name, b"W/" + value))
        elif name.lower() != b"content-length":
            kept.append((name, value))
    return [*kept, (b"content-encoding", b"gzip")]
