"""A load client that costs little: keep-alive connections on httptools, one request at a time each.

The generator shares two cores with the server it measures, so it does as little as it can; the
figure of interest is the server's processor time, read from outside.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle
from time import perf_counter

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
        self._load.took.append(perf_counter() - self._sent)
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        self._load.ended()

    def _next(self) -> None:
        if self._load.take():
            self._parser = httptools.HttpResponseParser(self)
            self._sent = perf_counter()
            self._transport.write(self._load.next_request())  # type: ignore[attr-defined]
        else:
            self._transport.close()


class _Load:
    def __init__(
        self, requests: Sequence[bytes], take: Callable[[], bool], connections: int
    ) -> None:
        self.next_request = cycle(requests).__next__
        self.take = take
        self.statuses: Counter[int] = Counter()
        self.took: list[float] = []
        self.done = asyncio.get_running_loop().create_future()
        self._open = connections

    def ended(self) -> None:
        self._open -= 1
        if not self._open and not self.done.done():
            self.done.set_result(None)


async def send(address: tuple[str, int], request: bytes, count: int, connections: int) -> None:
    """Send `count` equal requests over `connections` connections, each waiting for its answer.

    Raises:
        RuntimeError: Some answers were missing or were not 200.
    """
    await send_each(address, [request], count, connections)


async def send_each(
    address: tuple[str, int], requests: Sequence[bytes], count: int, connections: int
) -> None:
    """Send `count` requests as `send` does, these ones in turn.

    Raises:
        RuntimeError: Some answers were missing or were not 200.
    """
    left = iter(range(count))
    load = await _run(address, requests, lambda: next(left, None) is not None, connections)
    if load.statuses != {200: count}:
        raise RuntimeError(f"{count} requests were answered {dict(load.statuses)}")


async def send_for(
    address: tuple[str, int], request: bytes, seconds: float, connections: int
) -> list[float]:
    """Send equal requests for a while; gives the seconds that each took.

    Raises:
        RuntimeError: Some answers were not 200.
    """
    until = perf_counter() + seconds
    load = await _run(address, [request], lambda: perf_counter() < until, connections)
    if set(load.statuses) != {200}:
        raise RuntimeError(f"requests were answered {dict(load.statuses)}")
    return load.took


async def _run(
    address: tuple[str, int],
    requests: Sequence[bytes],
    take: Callable[[], bool],
    connections: int,
) -> _Load:
    load = _Load(requests, take, connections)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(load), *address)
    await load.done
    return load
