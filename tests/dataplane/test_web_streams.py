"""Long bodies through web functions and callers who leave them, at a gateway in its own process."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zlib import crc32

import psutil
import pytest

pytestmark = pytest.mark.sockets

STAGES = """
[service]
name = "shop"

[functions.site]
source = "functions/site"
type = "web"
handler = "index.app"

[[apis]]
method = "ANY"
path = "/"
function = "site"

[stages.dev]
alias = "$DEFAULT"
"""

ASGI = """
from zlib import crc32

PIECE = bytes(range(256)) * 256

async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["method"] == "POST":
        length = seen = 0
        more = True
        while more:
            message = await receive()
            length, seen = length + len(message["body"]), crc32(message["body"], seen)
            more = message["more_body"]
        pieces = [b"%d %d" % (length, seen)]
        length = len(pieces[0])
    else:
        length = int(scope["query_string"])
        pieces = (bytes(bytearray(PIECE)) for _ in range(length // len(PIECE)))  # none shared
    headers = [(b"content-length", b"%d" % length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})
"""

WSGI = """
from zlib import crc32

PIECE = bytes(range(256)) * 256

def app(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        length = seen = 0
        while piece := environ["wsgi.input"].read(len(PIECE)):
            length, seen = length + len(piece), crc32(piece, seen)
        pieces = [b"%d %d" % (length, seen)]
        length = len(pieces[0])
    else:
        length = int(environ["QUERY_STRING"])
        pieces = (bytes(bytearray(PIECE)) for _ in range(length // len(PIECE)))  # none shared
    start_response("200 OK", [("Content-Length", str(length))])
    return pieces
"""

CHILD = """
import http.server, os, threading
from zlib import crc32

PIECE = bytes(range(256)) * 256
downloads, changed = 0, threading.Condition()

def count(number):
    global downloads
    with changed:
        downloads += number
        changed.notify_all()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def begin(self, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def do_POST(self):
        left, seen = int(self.headers["content-length"]), 0
        length = 0
        while length < left and (piece := self.rfile.read(min(len(PIECE), left - length))):
            length, seen = length + len(piece), crc32(piece, seen)
        told = b"%d %d" % (length, seen)
        self.begin(len(told))
        self.wfile.write(told)

    def do_GET(self):
        if self.path == "/left":
            with changed:
                changed.wait_for(lambda: not downloads)
            self.begin(0)
            return
        length = int(self.path.partition("?")[2])
        count(1)
        try:
            self.begin(length)
            for _ in range(length // len(PIECE)):
                self.wfile.write(PIECE)
        except ConnectionError:
            self.close_connection = True
        finally:
            count(-1)

    def log_message(self, *_):
        pass

address = "127.0.0.1", int(os.environ["PORT"])
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
MEGABYTE = 1024 * 1024
PIECE = bytes(range(256)) * 256
LENGTH = 64 * MEGABYTE
GROWTH = 10 * MEGABYTE
TURNS = 100

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class Server:
    """A gateway in a process of its own.

    Attributes:
        port: Where it answers.
        process: The process.
        peak: The most memory that it was seen with.
    """

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.port = port
        self.process = process
        self.peak = 0

    def look(self) -> None:
        """Note how much memory it has."""
        self.peak = max(self.peak, self.process.memory_info().rss)

    @asynccontextmanager
    async def asked(self, line: str, length: int = 0) -> AsyncIterator[tuple[Reader, Writer]]:
        """A connection on which the head of a request was sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
        try:
            yield reader, writer
        finally:
            writer.close()

    def holds(self) -> tuple[int, int, int]:
        """How many files, threads and processes it has."""
        process = self.process
        return process.num_fds(), process.num_threads(), len(process.children(recursive=True))


@asynccontextmanager
async def gateway(folder: Path, code: str) -> AsyncIterator[Server]:
    """Serve a web function."""
    place = folder / "functions" / "site" / "latest"
    place.mkdir(parents=True)
    if code == CHILD:
        bootstrap = place / "scf_bootstrap"
        bootstrap.write_text(f"#!{sys.executable} -S\n{code}", encoding="utf-8")
        bootstrap.chmod(0o755)
    else:
        (place / "index.py").write_text(code, encoding="utf-8")
    configuration = folder / "stages.toml"
    configuration.write_text(STAGES, encoding="utf-8")
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


async def length_of(reader: Reader) -> int:
    """Read the head of an answer; gives the length that it promises."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = re.search(rb"content-length: ([0-9]+)", head.lower())
    assert found, head
    assert head.startswith(b"HTTP/1.1 200 ")
    return int(found[1])


async def download(server: Server, length: int) -> tuple[int, int]:
    """Ask for a body, and read it after a while; gives its length and check sum."""
    seen = got = looked = 0
    async with server.asked(f"GET /dev/?{length}") as (reader, _):
        assert await length_of(reader) == length
        for _turn in range(TURNS):  # the gateway has time to take in too much
            async with server.asked(f"GET /dev/?{len(PIECE)}") as (other, _):
                await other.readexactly(await length_of(other))
            server.look()
        while got < length and (data := await reader.read(length - got)):
            seen, got = crc32(data, seen), got + len(data)
            if got - looked >= MEGABYTE:
                looked = got
                server.look()
    return got, seen


async def upload(server: Server, length: int) -> tuple[int, int]:
    """Send a body; gives its length and check sum as the function has them."""
    async with server.asked("POST /dev/", length) as (reader, writer):
        for number in range(length // len(PIECE)):
            writer.write(PIECE)
            await writer.drain()
            if number % 16 == 0:
                server.look()
        got, seen = (await reader.readexactly(await length_of(reader))).split()
    return int(got), int(seen)


def expected(length: int) -> tuple[int, int]:
    """Length and check sum of a body of so many bytes."""
    seen = 0
    for _ in range(length // len(PIECE)):
        seen = crc32(PIECE, seen)
    return length, seen


@pytest.mark.parametrize("code", [ASGI, WSGI, CHILD], ids=["asgi", "wsgi", "child"])
def test_a_body_is_never_held_whole(tmp_path: Path, code: str) -> None:
    """Neither way: every byte arrives, and memory grows by far less than the body is long."""

    async def scenario() -> None:
        async with gateway(tmp_path, code) as server:
            for way in (download, upload):
                assert await way(server, len(PIECE)) == expected(len(PIECE))
                server.peak = 0
                server.look()
                before = server.peak
                assert await way(server, LENGTH) == expected(LENGTH)
                assert server.peak - before < GROWTH

    asyncio.run(scenario())


def test_callers_who_leave_a_download_leave_nothing_behind(tmp_path: Path) -> None:
    """The process is told each time, and serves the next caller; no file stays open."""

    async def abandon(server: Server, *, politely: bool) -> None:
        async with server.asked(f"GET /dev/?{LENGTH}") as (reader, writer):
            await length_of(reader)
            await reader.readexactly(len(PIECE))
            if not politely:
                writer.transport.abort()
        async with server.asked("GET /dev/left") as (reader, _):
            assert await length_of(reader) == 0

    async def scenario() -> None:
        async with gateway(tmp_path, CHILD) as server:
            await abandon(server, politely=True)
            await abandon(server, politely=False)
            before = server.holds()
            for number in range(20):
                await abandon(server, politely=bool(number % 2))
            assert all(now <= was for now, was in zip(server.holds(), before, strict=True))

    asyncio.run(scenario())
