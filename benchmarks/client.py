"""A load client that costs little: keep-alive connections on httptools, one request at a time each.

The generator shares two cores with the server it measures, so it does as little as it can; the
figure of interest is the server's processor time, read from outside.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import httptools


class _Connection(asyncio.Protocol):
    def __init__(self, load: _Load) -> None:
        self._load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._load.statuses[self._parser.get_status_code()] += 1
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        self._load.ended()

    def _next(self) -> None:
        if self._load.take():
            self._parser = httptools.HttpResponseParser(self)
            self._transport.write(self._load.request)  # type: ignore[attr-defined]
        else:
            self._transport.close()


class _Load:
    def __init__(self, request: bytes, count: int, connections: int) -> None:
        self.request = request
        self.statuses: Counter[int] = Counter()
        self.done = asyncio.get_running_loop().create_future()
        self._left = count
        self._open = connections

    def take(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def ended(self) -> None:
        self._open -= 1
        if not self._open and not self.done.done():
            self.done.set_result(None)


async def send(address: tuple[str, int], request: bytes, count: int, connections: int) -> None:
    """Send `count` equal requests over `connections` connections, each waiting for its answer.

    Raises:
        RuntimeError: Some answers were missing or were not 200.
    """
    load = _Load(request, count, connections)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(load), *address)
    await load.done
    if load.statuses != {200: count}:
        raise RuntimeError(f"{count} requests were answered {dict(load.statuses)}")
