"""The pool: whose connections are used again, how many there are, and when they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.dataplane import backends
from gateway.dataplane.backends import Backends
from gateway.dataplane.backends_answer import BackendFailed, BackendSilent
from gateway.dataplane.backends_wire import Wire
from gateway.dataplane.dialling import Dialler, Origin

pytestmark = pytest.mark.sockets

ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class Server:
    """Answers every request of every connection with the same bytes.

    Attributes:
        origin: Where it listens.
        connections: How many it had.
        ended: Told of each connection that its other side ended.
    """

    def __init__(self, says: bytes = HELLO) -> None:
        self.says = says
        self.origin = Origin("127.0.0.1", 0, is_tls=False)
        self.connections = 0
        self.ended: asyncio.Queue[None] = asyncio.Queue()
        self.writers: list[Writer] = []

    async def connected(self, reader: Reader, writer: Writer) -> None:
        """Serve a connection."""
        self.connections += 1
        self.writers.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self.says)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.ended.put_nowait(None)
        finally:
            writer.close()


@asynccontextmanager
async def listening(says: bytes = HELLO, limit: int = 5) -> AsyncIterator[tuple[Server, Backends]]:
    """A server, and a pool."""
    server = Server(says)
    listener = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    server.origin = Origin("127.0.0.1", listener.sockets[0].getsockname()[1], is_tls=False)
    pool = Backends(Dialler(), limit)
    try:
        yield server, pool
    finally:
        pool.close()
        listener.close()


async def ask(wire: Wire) -> bytes:
    """One request and the body of its answer."""
    wire.begin(ASK, 5, is_head=False)
    await wire.head()
    body = b""
    while piece := await wire.piece():
        body += piece
    return body


def test_a_connection_is_used_again() -> None:
    """The one that was used last, while the others age."""

    async def scenario() -> None:
        async with listening() as (server, pool):
            one, two = await pool.take(server.origin, 1), await pool.take(server.origin, 1)
            for wire in (one, two):
                assert not wire.reused
                assert await ask(wire) == b"hello"
                pool.give_back(wire)
            again = await pool.take(server.origin, 1)
            assert again is two
            assert again.reused
            assert await ask(again) == b"hello"
            pool.give_back(again)
            fresh = await pool.take(server.origin, 1, fresh=True)
            assert fresh not in {one, two}
            pool.give_back(fresh)
            assert server.connections == 3

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                     id="said that it closes"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", id="speaks HTTP/1.0"),
        pytest.param(HELLO + b"and more", id="said too much"),
        pytest.param(HELLO + HELLO, id="answered twice"),
    ],
)  # fmt: skip
def test_a_connection_that_cannot_be_trusted_is_not(says: bytes) -> None:
    """It ends with its answer."""

    async def scenario() -> None:
        async with listening(says) as (server, pool):
            wire = await pool.take(server.origin, 1)
            await ask(wire)
            pool.give_back(wire)
            await server.ended.get()
            again = await pool.take(server.origin, 1)
            assert again is not wire
            pool.give_back(again)

    asyncio.run(scenario())


def test_a_connection_whose_request_is_not_over_is_ended() -> None:
    """Nothing asked, the body not all sent, the answer not all read."""

    async def scenario() -> None:
        async with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello") as (
            server,
            pool,
        ):
            pool.give_back(await pool.take(server.origin, 1))
            await server.ended.get()
            wire = await pool.take(server.origin, 1)
            wire.begin(ASK, 5, is_head=False)
            assert (await wire.head()).status == 200
            pool.give_back(wire)
            await server.ended.get()
            server.says = HELLO
            wire = await pool.take(server.origin, 1)
            await ask(wire)
            wire.sent = False
            pool.give_back(wire)
            await server.ended.get()

    asyncio.run(scenario())


def test_what_comes_unasked_ends_the_connection() -> None:
    """Nobody can say which request it would answer."""

    async def scenario() -> None:
        async with listening() as (server, pool):
            wire = await pool.take(server.origin, 1)
            await ask(wire)
            pool.give_back(wire)
            server.writers[0].write(HELLO)
            await server.ended.get()
            assert not wire.is_open
            assert await pool.take(server.origin, 1) is not wire

    asyncio.run(scenario())


def test_a_connection_that_the_back_end_ended_is_not_used() -> None:
    """Where that is known."""

    async def scenario() -> None:
        async with listening() as (server, pool):
            wire = await pool.take(server.origin, 1)
            await ask(wire)
            pool.give_back(wire)
            server.writers[0].write_eof()
            await server.ended.get()
            again = await pool.take(server.origin, 1)
            assert not again.reused
            pool.give_back(again)

    asyncio.run(scenario())


def test_a_connection_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is swept away, while younger ones stay."""
    monkeypatch.setattr(backends, "IDLE_SECONDS", 0.02)

    async def scenario() -> None:
        async with listening() as (server, pool):
            one, two = await pool.take(server.origin, 1), await pool.take(server.origin, 1)
            for wire in (one, two):
                await ask(wire)
                pool.give_back(wire)
            two.idle_since += 3600
            await server.ended.get()
            assert (one.is_open, two.is_open) == (False, True)
            two.idle_since -= 7200
            await server.ended.get()

    asyncio.run(scenario())


def test_a_connection_that_is_too_old_is_not_used() -> None:
    """Even if nobody has swept yet."""

    async def scenario() -> None:
        async with listening() as (server, pool):
            wire = await pool.take(server.origin, 1)
            await ask(wire)
            pool.give_back(wire)
            wire.idle_since -= 5
            again = await pool.take(server.origin, 1)
            assert not again.reused
            pool.give_back(again)

    asyncio.run(scenario())


def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is ended."""
    monkeypatch.setattr(backends, "MAX_IDLE", 2)

    async def scenario() -> None:
        async with listening() as (server, pool):
            wires = [await pool.take(server.origin, 1) for _ in range(3)]
            for wire in wires:
                await ask(wire)
            for wire in wires:
                pool.give_back(wire)
            assert [wire.is_open for wire in wires] == [True, True, False]

    asyncio.run(scenario())


def test_a_closed_pool_keeps_nothing() -> None:
    """Neither what waited, nor what comes back later."""

    async def scenario() -> None:
        async with listening() as (server, pool):
            one, two = await pool.take(server.origin, 1), await pool.take(server.origin, 1)
            for wire in (one, two):
                await ask(wire)
            pool.give_back(one)
            pool.close()
            pool.give_back(two)
            await server.ended.get()
            await server.ended.get()

    asyncio.run(scenario())


def test_more_than_the_limit_wait_for_each_other() -> None:
    """First come, first served; and no more connections than allowed."""

    async def scenario() -> None:
        async with listening(limit=2) as (server, pool):

            async def one(number: int) -> None:
                wire = await pool.take(server.origin, 5)
                order.append(number)
                await ask(wire)
                pool.give_back(wire)

            order: list[int] = []
            await asyncio.gather(*(one(number) for number in range(20)))
            assert sorted(order) == list(range(20))
            assert [number for number in order if number > 1] == list(range(2, 20))
            assert server.connections == 2

    asyncio.run(scenario())


def test_nobody_waits_for_ever() -> None:
    """And who gives up, or is overtaken, harms nobody."""

    async def scenario() -> None:
        async with listening(limit=1) as (server, pool):
            held = await pool.take(server.origin, 1)
            with pytest.raises(BackendSilent, match="none of its 1 connections"):
                await pool.take(server.origin, 0.01)
            given_up = asyncio.create_task(pool.take(server.origin, 5))
            patient = asyncio.create_task(pool.take(server.origin, 5))
            await asyncio.sleep(0)
            await ask(held)
            pool.give_back(held)  # the first in the queue is told
            held = await pool.take(server.origin, 5)  # and overtaken
            given_up.cancel()
            with pytest.raises(asyncio.CancelledError):
                await given_up
            pool.give_back(held)
            pool.give_back(await patient)

    asyncio.run(scenario())


def test_the_overtaken_one_is_the_next() -> None:
    """It goes back to the head of the queue."""

    async def scenario() -> None:
        async with listening(limit=1) as (server, pool):
            held = await pool.take(server.origin, 1)
            first = asyncio.create_task(pool.take(server.origin, 5))
            second = asyncio.create_task(pool.take(server.origin, 5))
            await asyncio.sleep(0)
            pool.give_back(held)
            held = await pool.take(server.origin, 5)
            await asyncio.sleep(0)
            pool.give_back(held)
            wire = await first
            assert not second.done()
            pool.give_back(wire)
            pool.give_back(await second)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        pytest.param(Origin("169.254.169.254", 80, is_tls=False), "metadata", id="forbidden"),
        pytest.param(Origin("." * 300, 80, is_tls=False), ".", id="no name"),
    ],
)
def test_a_connection_that_cannot_be_made_takes_no_place(origin: Origin, why: str) -> None:
    """The reason is told, again and again."""

    async def scenario() -> None:
        pool = Backends(Dialler(), 1)
        for _ in range(3):
            with pytest.raises(BackendFailed, match=why):
                await pool.take(origin, 1)
        pool.close()

    asyncio.run(scenario())


def test_a_back_end_that_does_not_accept_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not refused, it is late."""

    async def late(*_: object) -> None:
        raise TimeoutError

    dialler = Dialler()
    monkeypatch.setattr(dialler, "dial", late)

    async def scenario() -> None:
        with pytest.raises(BackendSilent, match="did not accept within 2 s"):
            await Backends(dialler).take(Origin("x", 1, is_tls=False), 1)

    asyncio.run(scenario())


def test_tls_with_a_server_that_speaks_none_fails() -> None:
    """Nothing is sent in the clear."""

    async def speak_plainly(_reader: Reader, writer: Writer) -> None:
        writer.write(HELLO)
        writer.close()

    async def scenario() -> None:
        listener = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        pool = Backends(Dialler())
        with pytest.raises(BackendFailed, match="TLS failed"):
            await pool.take(Origin("127.0.0.1", port, is_tls=True), 1)
        listener.close()

    asyncio.run(scenario())


def test_a_wire_without_a_request_has_no_answer() -> None:
    """Asked out of turn, it says so."""

    async def scenario() -> None:
        async with listening() as (server, pool):
            wire = await pool.take(server.origin, 1)
            with pytest.raises(BackendFailed, match="asked nothing"):
                await wire.head()
            pool.give_back(wire)

    asyncio.run(scenario())
