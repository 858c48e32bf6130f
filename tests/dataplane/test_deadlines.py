"""Callers who take their time: each deadline ends what it is for, when it should, and nothing else.

Times are the event loop's; what must not end is slow in a way that is allowed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import pytest

from gateway.dataplane.deadlines import STEP_BYTES, Deadlines
from gateway.dataplane.exchange import REPLY
from gateway.dataplane.limits import Edge, Limits
from gateway.dataplane.server import HttpServer, bind

pytestmark = pytest.mark.sockets

LONG: Final = Deadlines(first_byte=60, head=60, body=60, idle=60, send=60)
DUE: Final = 0.3
LATE: Final = 0.5
"""So much later at most."""

GET: Final = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000\r\n\r\n"

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


async def ok(scope: dict[str, Any], _receive: object, _send: object) -> None:
    """Answers at once, whatever is on its way."""
    assert scope["extensions"][REPLY](200, b"", b"ok")


async def whole(scope: dict[str, Any], receive: Any, send: object) -> None:  # noqa: ANN401
    """Answers when the body is there."""
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.request":
        await ok(scope, receive, send)


async def endless(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401
    """Answers more than anybody reads."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(64):
        await send({"type": "http.response.body", "body": b"x" * (1 << 20), "more_body": True})
    await send({"type": "http.response.body"})


@asynccontextmanager
async def connected(
    app: App, seconds: Deadlines, limits: Limits | None = None
) -> AsyncIterator[tuple[Reader, Writer]]:
    """A server with these deadlines, and a connection to it."""
    edge = Edge(limits or Limits(), seconds)
    server = HttpServer(app, bind("127.0.0.1", 0), edge=edge)
    serving = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    reader, writer = await asyncio.open_connection(*server.listener.getsockname()[:2])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.stop(force=True)
        await serving


async def trickle(writer: Writer, piece: bytes, every: float = 0.05) -> None:
    """Send a little, again and again."""
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(every)


async def rest(reader: Reader) -> bytes:
    """What comes until the connection ends, in whatever way."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def one(reader: Reader) -> None:
    """One answer of `ok`."""
    await reader.readuntil(b"\r\n\r\nok")


@pytest.mark.parametrize(
    ("name", "app", "sent", "answer"),
    [
        pytest.param("first_byte", ok, (b"", b"", b""), b"", id="nothing"),
        pytest.param("first_byte", ok, (b"", b"", b"\r\n"), b"", id="empty lines"),
        pytest.param("head", ok, (b"", b"GET /", b"a"), b"HTTP/1.1 408 ", id="a line in bits"),
        pytest.param("head", ok, (b"", b"GET / HTTP/1.1\r\n", b"A: b\r\n"), b"HTTP/1.1 408 ",
                     id="headers in bits"),
        pytest.param("head", ok, (GET, b"GET / HT", b""), b"HTTP/1.1 408 ", id="a second head"),
        pytest.param("body", whole, (b"", POST, b"a"), b"HTTP/1.1 408 ", id="a body in bits"),
        pytest.param("body", whole, (b"", POST, b""), b"HTTP/1.1 408 ", id="no body"),
        pytest.param("body", ok, (POST, b"a", b"a"), b"", id="a body behind its answer"),
        pytest.param("idle", ok, (GET, b"", b""), b"", id="nothing more"),
        pytest.param("idle", ok, (GET, b"\r\n", b"\r\n"), b"", id="empty lines behind an answer"),
    ],
)  # fmt: skip
def test_what_is_not_sent_in_time_ends_the_connection(
    name: str, app: App, sent: tuple[bytes, bytes, bytes], answer: bytes
) -> None:
    """Within half a second of the deadline; who began something is told."""
    asked, begun, piece = sent
    seconds = Deadlines(**{**vars_of(LONG), name: DUE})

    async def scenario() -> None:
        clock = asyncio.get_running_loop().time
        async with connected(app, seconds) as (reader, writer):
            if asked:
                writer.write(asked)
                await one(reader)
            began = clock()
            writer.write(begun)
            sending = asyncio.create_task(trickle(writer, piece))
            said = await rest(reader)
            took = clock() - began
            sending.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await sending
            assert said.startswith(answer)
            assert bool(said) is bool(answer)
            assert DUE - 0.05 <= took <= DUE + LATE

    asyncio.run(asyncio.wait_for(scenario(), 20))


def vars_of(seconds: Deadlines) -> dict[str, float]:
    """The deadlines by name."""
    return {name: getattr(seconds, name) for name in Deadlines.__slots__}


def test_a_caller_who_does_not_read_is_let_go() -> None:
    """And what answers it is told, as if it had left."""

    async def scenario() -> None:
        over = asyncio.Event()

        async def told(scope: object, receive: object, send: object) -> None:
            await endless(scope, receive, send)
            over.set()

        clock = asyncio.get_running_loop().time
        seconds = Deadlines(**{**vars_of(LONG), "send": DUE})
        async with connected(told, seconds) as (_, writer):
            began = clock()
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            await over.wait()
            assert DUE - 0.05 <= clock() - began <= DUE + LATE

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_caller_who_reads_slowly_gets_everything() -> None:
    """Slowness that moves on is none of the server's business."""

    async def scenario() -> int:
        seconds = Deadlines(**{**vars_of(LONG), "send": 0.8})
        async with connected(endless, seconds) as (reader, writer):
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            size = 0
            for number in range(240):
                size += len(await reader.read(1 << 22))
                await asyncio.sleep(0 if number % 20 else 0.1)
            return size + len(await rest(reader))

    assert asyncio.run(asyncio.wait_for(scenario(), 20)) > 64 << 20


def test_an_answer_that_takes_long_is_nobodys_fault() -> None:
    """No deadline of callers runs while they wait, nor while what they sent is not taken."""
    seconds = Deadlines(first_byte=0.1, head=0.1, body=0.1, idle=0.1, send=0.1)

    async def slow(scope: dict[str, Any], receive: Any, send: object) -> None:  # noqa: ANN401
        await asyncio.sleep(0.4)
        await whole(scope, receive, send)

    async def scenario() -> None:
        async with connected(slow, seconds) as (reader, writer):
            writer.write(GET)
            await one(reader)
            # More than is read ahead: the caller is held back.
            body = b"a" * 1_000_000
            head = POST.replace(b"9000", b"%d" % len(body))
            writer.write(head + body)
            await one(reader)
            writer.write(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
            await reader.readuntil(b"100 Continue\r\n\r\n")
            writer.write(body + GET)
            await one(reader)
            await one(reader)

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_a_body_that_moves_on_is_not_late() -> None:
    """However long the whole of it takes."""

    async def scenario() -> None:
        seconds = Deadlines(**{**vars_of(LONG), "body": 0.3})
        async with connected(whole, seconds) as (reader, writer):
            writer.write(POST)
            for _ in range(8):
                writer.write(b"a" * STEP_BYTES)
                await asyncio.sleep(0.1)
            writer.write(b"a" * (9000 - 8 * STEP_BYTES))
            await one(reader)

    asyncio.run(asyncio.wait_for(scenario(), 20))


@pytest.mark.parametrize("size", [3_000_000, 10_000])
def test_who_is_refused_in_the_middle_of_a_body_can_read_why(size: int) -> None:
    """The connection ends in two steps, so that the rest does not wipe out the answer."""

    async def scenario() -> None:
        async with connected(whole, LONG, Limits(body=1000)) as (reader, writer):
            writer.write(POST.replace(b"9000", b"%d" % size))
            sent = 0
            while sent < size:
                writer.write(b"a" * 10_000)
                await writer.drain()
                sent += 10_000
            assert (await reader.read()).startswith(b"HTTP/1.1 413 ")

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_who_goes_on_after_being_refused_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is listened to for ever."""
    monkeypatch.setattr("gateway.dataplane.deadlines.LINGER_SECONDS", DUE)

    async def scenario() -> None:
        clock = asyncio.get_running_loop().time
        async with connected(ok, LONG) as (reader, writer):
            writer.write(b"nonsense\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            began = clock()
            sending = asyncio.create_task(trickle(writer, b"more", 0.02))
            with pytest.raises(ConnectionError):
                await sending
            assert clock() - began <= DUE + LATE

    asyncio.run(asyncio.wait_for(scenario(), 20))
