"""Long bodies and callers who leave, through a gateway in a process of its own."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from zlib import crc32

import psutil
import pytest

pytestmark = pytest.mark.sockets

STAGES = """
[service]
name = "shop"

[[apis]]
method = "ANY"
path = "^~/legacy"
http = {{ url = "http://127.0.0.1:{port}" }}

[stages.dev]
alias = "$DEFAULT"
"""
MEGABYTE = 1024 * 1024
PIECE = bytes(range(256)) * 256
LENGTH = 64 * MEGABYTE
GROWTH = 20 * MEGABYTE

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class Backend:
    """Counts what it gets, sends as much as it is asked for, and knows who is connected.

    Attributes:
        server: The listening server.
        length: Bytes of every answer to a `GET`; `None` for one that never ends.
        open: How many connections it has.
        ended: Set whenever it has none.
    """

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.open = 0
        self.ended = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen on a free port, which is given."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def _connected(self, reader: Reader, writer: Writer) -> None:
        self.open += 1
        self.ended.clear()
        try:
            await self._answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.open -= 1
            if not self.open:
                self.ended.set()

    async def _answer(self, reader: Reader, writer: Writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            length, seen = await digest(reader, sized(head))
            body = b"%d %d" % (length, seen)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
        elif self.length is None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\npiece")
            assert await reader.read() == b""
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.length)
            for _ in range(self.length // len(PIECE)):
                writer.write(PIECE)
                await writer.drain()


class Server:
    """A gateway in a process of its own.

    Attributes:
        port: Where it answers.
        process: The process.
    """

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.port = port
        self.process = process
        self.peak = 0

    def look(self) -> None:
        """Note how much memory it has."""
        self.peak = max(self.peak, self.process.memory_info().rss)

    async def connect(self) -> tuple[Reader, Writer]:
        """A connection to it."""
        return await asyncio.open_connection("127.0.0.1", self.port)


@asynccontextmanager
async def gateway(folder: Path, port: int) -> AsyncIterator[Server]:
    """Serve an API whose back end listens on a port of this machine."""
    configuration = folder / "stages.toml"
    configuration.write_text(STAGES.format(port=port), encoding="utf-8")
    ports = ("--port", "0", "--control-port", "0", "--no-watch", "--max-body", str(1 << 40))
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(configuration), *ports]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        found = re.search(rb"data=http://127\.0\.0\.1:([0-9]+)", line)
        assert found, line
        yield Server(int(found[1]), psutil.Process(process.pid))
    finally:
        process.terminate()
        await process.wait()


def sized(head: bytes) -> int:
    """The length that a head promises."""
    found = re.search(rb"content-length: ([0-9]+)", head.lower())
    assert found, head
    return int(found[1])


async def digest(reader: Reader, length: int, server: Server | None = None) -> tuple[int, int]:
    """Read a body of a length; gives how much there was, and its check sum."""
    seen = got = looked = 0
    while got < length and (data := await reader.read(length - got)):
        seen, got = crc32(data, seen), got + len(data)
        if server is not None and got - looked > MEGABYTE:
            looked = got
            server.look()
    return got, seen


def expected(length: int) -> tuple[int, int]:
    """Length and check sum of a body of so many bytes."""
    seen = 0
    for _ in range(length // len(PIECE)):
        seen = crc32(PIECE, seen)
    return length, seen


async def download(server: Server) -> tuple[int, int]:
    """Ask for a long body; gives its length and check sum."""
    reader, writer = await server.connect()
    writer.write(b"GET /dev/legacy HTTP/1.1\r\nHost: x\r\n\r\n")
    length = sized(await reader.readuntil(b"\r\n\r\n"))
    found = await digest(reader, length, server)
    writer.close()
    return found


async def upload(server: Server, length: int) -> tuple[int, int]:
    """Send a long body; gives its length and check sum as the back end has them."""
    reader, writer = await server.connect()
    writer.write(b"POST /dev/legacy HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length)
    for number in range(length // len(PIECE)):
        writer.write(PIECE)
        await writer.drain()
        if number % 16 == 0:
            server.look()
    body = await reader.readexactly(sized(await reader.readuntil(b"\r\n\r\n")))
    writer.close()
    got, seen = body.split()
    return int(got), int(seen)


async def abandon(server: Server, *, politely: bool) -> None:
    """Begin to read an endless answer, and leave."""
    reader, writer = await server.connect()
    writer.write(b"GET /dev/legacy HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"piece")
    if politely:
        writer.close()
    else:
        writer.transport.abort()


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """Runs scenarios."""
    with asyncio.Runner() as runner:
        yield runner


def test_a_body_is_never_held_whole(tmp_path: Path, loop: asyncio.Runner) -> None:
    """Neither way: every byte arrives, and memory grows by far less than the body is long."""

    async def scenario() -> None:
        backend = Backend(LENGTH)
        async with backend.listening() as port, gateway(tmp_path, port) as server:
            server.look()
            before = server.peak
            assert await download(server) == expected(LENGTH)
            assert await upload(server, LENGTH) == expected(LENGTH)
            assert server.peak - before < GROWTH

    loop.run(scenario())


def test_callers_who_leave_take_nothing_along_and_leave_nothing_behind(
    tmp_path: Path, loop: asyncio.Runner
) -> None:
    """The back end's connection ends with each caller's, and no file stays open."""

    async def scenario() -> None:
        backend = Backend(None)
        async with backend.listening() as port, gateway(tmp_path, port) as server:
            await abandon(server, politely=True)
            await backend.ended.wait()
            before = server.process.num_fds()
            for number in range(30):
                await abandon(server, politely=bool(number % 2))
                await backend.ended.wait()
            assert server.process.num_fds() <= before

    loop.run(scenario())
