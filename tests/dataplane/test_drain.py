"""A server that is told to stop: nobody loses a request, and everybody is told to go elsewhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import pytest

from gateway.dataplane.deadlines import Deadlines
from gateway.dataplane.exchange import REPLY
from gateway.dataplane.limits import Edge
from gateway.dataplane.server import HttpServer, PortInUse, bind

pytestmark = pytest.mark.sockets

GET: Final = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
Reader = asyncio.StreamReader


class Gated:
    """An application whose answers wait until they may."""

    def __init__(self) -> None:
        self.reached = asyncio.Semaphore(0)
        self.gate = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], _receive: object, _send: object) -> None:
        self.reached.release()
        await self.gate.wait()
        assert scope["extensions"][REPLY](200, b"", b"ok")


class Stopping(HttpServer):
    """A server that says when it has begun to stop."""

    def __init__(
        self, app: App, port: int = 0, drain: float = 0.5, *, shared: bool = False
    ) -> None:
        edge = Edge(deadlines=Deadlines(drain=drain))
        super().__init__(app, bind("127.0.0.1", port, shared=shared), edge=edge)
        self.begun = asyncio.Event()
        self.port: int = self.listener.getsockname()[1]

    async def shutdown(self, sockets: Any = None) -> None:  # noqa: ANN401
        asyncio.get_running_loop().call_later(0.05, self.begun.set)  # its connections know by then
        await super().shutdown(sockets)


@asynccontextmanager
async def serving(server: Stopping) -> AsyncIterator[asyncio.Task[None]]:
    """Serve, and stop in the end."""
    task = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    try:
        yield task
    finally:
        server.stop(force=True)
        await task


async def one(reader: Reader) -> bytes:
    """The head of one answer."""
    return (await reader.readuntil(b"\r\n\r\nok")).lower()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario, for not too long."""

    async def limited() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(limited())


def test_an_idle_connection_may_ask_once_more_and_is_told_to_go() -> None:
    """So no request meets a connection that was closed while it was on its way."""

    async def scenario() -> None:
        app = Gated()
        app.gate.set()
        server = Stopping(app)
        async with serving(server) as task:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET)
            assert b"connection: close" not in await one(reader)
            server.stop()
            await server.begun.wait()
            writer.write(GET)
            assert b"connection: close" in await one(reader)
            assert await reader.read() == b""
            await task
            writer.close()

    run(scenario)


def test_an_idle_connection_that_asks_nothing_more_is_closed() -> None:
    """Within half a second of the notice period, also where a first request never came."""

    async def scenario() -> None:
        app = Gated()
        app.gate.set()
        server = Stopping(app, drain=0.2)
        async with serving(server) as task:
            asked = await asyncio.open_connection("127.0.0.1", server.port)
            silent = await asyncio.open_connection("127.0.0.1", server.port)
            asked[1].write(GET)
            await one(asked[0])
            clock = asyncio.get_running_loop().time
            server.stop()
            await server.begun.wait()
            began = clock()
            assert await asked[0].read() == await silent[0].read() == b""
            assert clock() - began < 0.7
            await task
            for _, writer in (asked, silent):
                writer.close()

    run(scenario)


def test_without_connections_a_server_stops_at_once() -> None:
    """Nobody is there to be told."""

    async def scenario() -> None:
        server = Stopping(Gated(), drain=10)
        async with serving(server) as task:
            clock = asyncio.get_running_loop().time
            began = clock()
            server.stop()
            await task
            assert clock() - began < 2

    run(scenario)


def test_every_request_that_was_received_is_answered_and_the_last_one_says_so() -> None:
    """Pipelined ones too: closing behind the first would lose the others."""

    async def scenario() -> None:
        app = Gated()
        server = Stopping(app)
        async with serving(server) as task:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET * 3)
            await app.reached.acquire()
            server.stop()
            await server.begun.wait()
            app.gate.set()
            heads = [await one(reader) for _ in range(3)]
            assert [b"connection: close" in head for head in heads] == [False, False, True]
            assert await reader.read() == b""
            await task
            writer.close()

    run(scenario)


def test_a_stream_that_has_begun_is_finished_and_its_caller_may_ask_once_more() -> None:
    """Its head is out, and could not say anything."""

    async def scenario() -> None:
        begun, gate = asyncio.Event(), asyncio.Event()

        async def app(scope: dict[str, Any], _receive: object, send: Any) -> None:  # noqa: ANN401
            if begun.is_set():
                assert scope["extensions"][REPLY](200, b"", b"ok")
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
            begun.set()
            await gate.wait()
            await send({"type": "http.response.body", "body": b"two"})

        server = Stopping(app)
        async with serving(server) as task:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET)
            await begun.wait()
            server.stop()
            await server.begun.wait()
            gate.set()
            assert (await reader.readuntil(b"two\r\n0\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.write(GET)
            assert b"connection: close" in await one(reader)
            await task
            writer.close()

    run(scenario)


def test_a_second_word_does_not_wait() -> None:
    """What is stuck is cut off."""

    async def scenario() -> None:
        app = Gated()
        server = Stopping(app)
        async with serving(server) as task:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET)
            await app.reached.acquire()
            server.stop()
            await server.begun.wait()
            assert not task.done()
            server.stop(force=True)
            await task
            app.gate.set()
            writer.close()

    run(scenario)


def test_a_port_is_shared_only_by_those_who_all_say_so() -> None:
    """It stays taken for everybody else."""
    with bind("127.0.0.1", 0, shared=True) as first:
        port = first.getsockname()[1]
        with bind("127.0.0.1", port, shared=True) as second:
            assert second.getsockname()[1] == port
        with pytest.raises(PortInUse):
            bind("127.0.0.1", port)


KEPT: Final = 8
"""Callers who keep their connections."""


class Caller:
    """Asks again and again, and goes elsewhere only when it is told to."""

    def __init__(self, port: int, *, kept: bool) -> None:
        self.port = port
        self.kept = kept
        self.answered = 0
        self.told = 0
        self.lost: list[str] = []
        self.over = asyncio.Event()

    async def run(self) -> None:
        """Until it is over."""
        while not self.over.is_set():
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                while not self.over.is_set():
                    writer.write(GET)
                    head = await one(reader)
                    self.answered += 1
                    if b"connection: close" in head:
                        self.told += 1
                        break
                    if not self.kept:
                        break
            except (OSError, EOFError) as error:
                self.lost.append(repr(error))
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def test_a_second_server_takes_over_and_no_request_is_lost() -> None:
    """Three times over, with callers who keep their connections and some who do not."""

    async def scenario() -> None:
        app = Gated()
        app.gate.set()
        server = Stopping(app, shared=True)
        callers = [Caller(server.port, kept=number < KEPT) for number in range(KEPT + 2)]
        task = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        running = [asyncio.create_task(caller.run()) for caller in callers]
        for _ in range(3):
            other = Stopping(app, server.port, shared=True)
            taking = asyncio.create_task(other.run_until_stopped())
            await other.ready.wait()
            server.stop()
            await task
            server, task = other, taking
        for caller in callers:
            caller.over.set()
        await asyncio.gather(*running)
        server.stop()
        await task
        assert [error for caller in callers for error in caller.lost] == []
        assert all(caller.told >= 1 for caller in callers[:KEPT])
        assert sum(caller.answered for caller in callers) > 300

    run(scenario)


def test_the_notice_is_told_in_the_head_alone() -> None:
    """Answers of a server that goes on say nothing of the kind."""

    async def scenario() -> None:
        app = Gated()
        app.gate.set()
        server = Stopping(app)
        async with serving(server):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(GET * 2)
            heads = [await one(reader), await one(reader)]
            assert not any(re.search(rb"connection", head) for head in heads)
            writer.close()

    run(scenario)
