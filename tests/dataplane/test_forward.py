"""HTTP back ends: what they are sent, what of their answers comes back, and when they fail."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.dataplane import forward, sender
from gateway.dataplane.exchange import REPLY
from gateway.dataplane.plane import DataPlane
from gateway.dataplane.server import HttpServer, bind
from gateway.observe import Label

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

pytestmark = pytest.mark.sockets

STAGES = """
[service]
name = "shop"

[[apis]]
method = "ANY"
path = "FRONT"
http = { url = "http://127.0.0.1:PORT", timeout = TIMEOUT }

[stages.dev]
alias = "$DEFAULT"
"""
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Script = Callable[[Reader, Writer], Awaitable[None]]


class Backend:
    """A server that follows a script for one request a connection, and remembers all of them.

    Attributes:
        port: Where it listens.
        heads: The request heads as they came.
        bodies: The request bodies, without their framing.
    """

    def __init__(self, script: bytes | Script) -> None:
        self._script = script
        self.port = 0
        self.heads: list[str] = []
        self.bodies: list[bytes] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Backend]:
        """Listen on a free port."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _connected(self, reader: Reader, writer: Writer) -> None:
        try:
            if isinstance(self._script, bytes):
                await self.read(reader)
                writer.write(self._script)
                await writer.drain()
            else:
                await self._script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def read(self, reader: Reader) -> None:
        """Read one request, whole."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.heads.append(head)
        fields = self.headers()
        body = b""
        if "transfer-encoding" in fields:
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            body = await reader.readexactly(int(fields.get("content-length", "0")))
        self.bodies.append(body)

    def headers(self) -> dict[str, str]:
        """The headers of the last request, names in lower case."""
        rows = (row.partition(": ") for row in self.heads[-1].splitlines()[1:] if row)
        return {name.lower(): value for name, _, value in rows}

    def target(self) -> str:
        """What the last request asked for."""
        return self.heads[-1].split(" ")[1]


Front = Callable[..., "Caller"]


@pytest.fixture
def front(make: Make) -> Front:
    """A gateway before a back end."""

    def build(
        backend: Backend, path: str = "^~/legacy", base: str = "", timeout: float = 5
    ) -> Caller:
        stages = STAGES.replace("FRONT", path).replace("TIMEOUT", str(timeout))
        return make(stages.replace("PORT", f"{backend.port}{base}"))

    return build


def ask_one(
    front: Front,
    script: bytes | Script,
    target: str = "/dev/legacy/x",
    **more: Any,  # noqa: ANN401
) -> tuple[httpx.Response, Backend, Caller]:
    """One request through a gateway to a back end with this script."""
    backend = Backend(script)
    callers: list[Caller] = []

    async def scenario() -> httpx.Response:
        async with backend.listening():
            callers.append(front(backend))
            answer = await callers[0].ask(target, more.pop("method", "GET"), **more)
            await callers[0].gateway.close()
            return answer

    with asyncio.Runner() as runner:
        return runner.run(scenario()), backend, callers[0]


@pytest.mark.parametrize(
    ("path", "base", "target", "seen"),
    [
        pytest.param("/product/", "/tencent/", "/product/apigw/document",
                     "/tencent/apigw/document", id="the contract's example"),
        pytest.param("/product/", "", "/product/apigw/document", "/apigw/document",
                     id="the contract's example with an empty path"),
        pytest.param("^~/legacy/", "", "/legacy/a/b?x=1&y=a%20b", "/a/b?x=1&y=a%20b",
                     id="prefix with a query"),
        pytest.param("^~/legacy", "", "/legacy", "/", id="nothing left over"),
        pytest.param("^~/legacy", "", "/legacy?a=1", "/?a=1", id="nothing but a query left over"),
        pytest.param("^~/legacy", "/api", "/legacy", "/api", id="nothing left, with a path"),
        pytest.param("^~/legacy", "/api", "/legacy/", "/api/", id="a slash left over"),
        pytest.param("^~/legacy", "/api/", "/legacy/x", "/api/x", id="one slash between"),
        pytest.param("^~/legacy/", "/api", "/legacy/x", "/api/x", id="a slash is added"),
        pytest.param("/user", "/api", "/usertest", "/api/test", id="prefixes match characters"),
        pytest.param("=/only", "/api/v1", "/only?q=1", "/api/v1?q=1", id="exact"),
        pytest.param("/user/{id}", "/api", "/user/7", "/api", id="parameters"),
        pytest.param("^~/legacy", "", "/legacy/caf%C3%A9%20x", "/caf%C3%A9%20x", id="encoded"),
        pytest.param("^~/legacy", "", "/legacy/a%3Fb%23c", "/a%3Fb%23c", id="encoded delimiters"),
        pytest.param("^~/legacy", "", "/legacy/%252e%252e/x", "/%252e%252e/x",
                     id="encoded twice stays so"),
        pytest.param("^~/legacy", "/api", "/legacy/x/%2e%2e/y", "/api/y", id="dots stay inside"),
        pytest.param("^~/legacy", "", "/legacy/a?x=%2F&x=+&z", "/a?x=%2F&x=+&z",
                     id="a query travels as it is"),
    ],
)  # fmt: skip
def test_the_matched_path_is_cut_off_and_the_rest_appended(
    front: Front, path: str, base: str, target: str, seen: str
) -> None:
    """Contract 5.2."""

    def before(backend: Backend) -> Caller:
        return front(backend, path, base)

    answer, backend, _ = ask_one(before, HELLO, f"/dev{target}")
    assert (answer.status_code, answer.text) == (200, "hello")
    assert backend.target() == seen


def test_a_back_ends_path_cannot_be_left(front: Front) -> None:
    """Dot segments were removed before the path was matched."""
    answer, backend, _ = ask_one(front, HELLO, "/dev/legacy/%2e%2e/%2e%2e/%2e%2e/secret")
    assert (answer.status_code, backend.heads) == (400, [])


def test_a_back_end_sees_the_callers_headers_and_not_those_of_the_connection(
    front: Front,
) -> None:
    """Hop-by-hop ones stay behind, whoever named them; forwarding ones are set anew."""
    sent = [
        ("Accept", "*/*"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "5"),
        ("TE", "trailers"),
        ("Proxy-Authorization", "x"),
        ("Proxy-Connection", "x"),
        ("Upgrade", "h2c"),
        ("Forwarded", "for=6.6.6.6"),
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Host", "evil"),
        ("X-Forwarded-Proto", "https"),
        ("X-Real-IP", "6.6.6.6"),
        ("X-Client-Proto", "https"),
        ("X-Api-RequestId", "mine"),
        ("X-Api-Scheme", "https"),
        ("X-B3-TraceId", "mine"),
        ("X-Gateway-Version", "9"),
        ("X_Gateway_Version", "9"),
        ("Expect", "100-continue"),
        ("Authorization", "Bearer x"),
        ("Cookie", "a=1"),
        ("X-Tag", "a"),
        ("X-Tag", "b"),
        ("User-Agent", "curl/8"),
    ]
    answer, backend, _ = ask_one(front, HELLO, headers=sent)
    request_id = answer.headers["x-api-requestid"]
    rows = sorted(row.lower() for row in backend.heads[0].splitlines()[1:] if row)
    assert rows == sorted(
        [
            "accept: */*",
            "authorization: bearer x",
            "cookie: a=1",
            f"host: 127.0.0.1:{backend.port}",
            "user-agent: curl/8",
            "via: 1.1 gateway-simulator",
            f"x-api-requestid: {request_id}",
            "x-api-scheme: http",
            f"x-b3-traceid: {request_id}",
            "x-client-proto: http",
            "x-client-proto-ver: http/1.1",
            "x-forwarded-for: 10.0.0.7",
            "x-real-ip: 10.0.0.7",
            "x-tag: a",
            "x-tag: b",
        ]
    )


@pytest.mark.parametrize(
    ("method", "headers", "status", "body"),
    [
        pytest.param("GET", {"Connection": "Host"}, 400, b'{"message": "Bad Request."}',
                     id="takes the host off"),
        pytest.param("GET", {"Via": ", ".join(["1.1 gateway-simulator"] * 8)}, 508,
                     b'{"message": "Loop Detected."}', id="runs in circles"),
        pytest.param("OPTIONS", {"Max-Forwards": "0"}, 200, b"", id="goes no further"),
    ],
)  # fmt: skip
def test_some_requests_are_not_passed_on(
    front: Front, method: str, headers: dict[str, str], status: int, body: bytes
) -> None:
    """The gateway answers them itself."""
    answer, backend, caller = ask_one(front, HELLO, method=method, headers=headers)
    assert (answer.status_code, answer.content, backend.heads) == (status, body, [])
    assert answer.headers["x-gateway-stage"] == "dev"
    assert counted(caller) == {status: 1}


def test_nothing_is_added_for_a_caller_who_said_nothing(front: Front) -> None:
    """No Accept, no Accept-Encoding, no User-Agent, no body."""
    _, backend, _ = ask_one(front, HELLO)
    assert not {"accept", "accept-encoding", "user-agent", "content-type"} & set(backend.headers())
    assert not {"content-length", "transfer-encoding"} & set(backend.headers())
    assert backend.bodies == [b""]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_goes_through_with_its_body(front: Front, method: str) -> None:
    """Bytes as they are, with their length and type."""
    body = bytes(range(256))
    headers = {"Content-Type": "application/x-own"}
    _, backend, _ = ask_one(front, HELLO, method=method, content=body, headers=headers)
    assert backend.heads[0].startswith(f"{method} /x HTTP/1.1\r\n")
    assert backend.bodies == [body]
    assert backend.headers()["content-length"] == "256"
    assert backend.headers()["content-type"] == "application/x-own"


def test_an_answer_comes_back_with_duplicates_and_without_the_connections_headers(
    front: Front,
) -> None:
    """And nobody but the gateway speaks of versions and request ids."""
    script = (
        b"HTTP/1.1 203 Fine\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        b"Connection: close, X-Hop\r\nConnection: X-Leap\r\nX-Hop: 1\r\nX-Leap: 1\r\n"
        b"Keep-Alive: 5\r\nX-Gateway-Version: 9\r\nX_Gateway_Reason: lie\r\n"
        b"X-Api-RequestId: theirs\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        b"Server: legacy\r\nX-Latin: \xfc\r\n\r\nok"
    )
    answer, _, caller = ask_one(front, script)
    request_id = answer.headers["x-api-requestid"]
    assert (answer.status_code, answer.text) == (203, "ok")
    assert len(request_id) == 32
    assert answer.headers.raw == [
        (b"content-length", b"2"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"server", b"legacy"),
        (b"x-latin", b"\xfc"),
        (b"x-gateway-stage", b"dev"),
        (b"x-gateway-revision", b"1"),
        (b"x-api-requestid", request_id.encode()),
    ]
    assert caller.gateway.observer.counters.total() == 1


def test_a_redirect_is_passed_on(front: Front) -> None:
    """It is the caller's to follow."""
    script = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    answer, backend, _ = ask_one(front, script)
    assert (answer.status_code, answer.headers["location"]) == (302, "http://127.0.0.1:1/")
    assert len(backend.heads) == 1


def test_cookies_of_one_caller_are_not_sent_for_another(front: Front) -> None:
    """There is one pool of connections and no memory."""
    backend = Backend(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n")

    async def scenario() -> None:
        async with backend.listening():
            caller = front(backend)
            await caller.ask("/dev/legacy")
            await caller.ask("/dev/legacy")
            await caller.gateway.close()

    asyncio.run(scenario())
    assert len(backend.heads) == 2
    assert "cookie" not in backend.headers()


def test_a_compressed_answer_is_not_decoded(front: Front) -> None:
    """Its bytes and its length are those of the back end."""
    packed = gzip.compress(b"hello" * 100)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    answer, _, _ = ask_one(front, head + packed)
    assert answer.headers["content-length"] == str(len(packed))
    assert answer.content == b"hello" * 100


@pytest.mark.parametrize(
    ("method", "script"),
    [
        pytest.param("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", id="HEAD"),
        pytest.param("GET", b"HTTP/1.1 204 No Content\r\n\r\n", id="204"),
        pytest.param("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", id="304"),
    ],
)
def test_an_answer_without_a_body_has_none(front: Front, method: str, script: bytes) -> None:
    """A length is passed on only where the server below can send it: for HEAD."""
    answer, _, _ = ask_one(front, script, method=method)
    assert (answer.status_code, answer.content) == (int(script[9:12]), b"")
    assert answer.headers.get("content-length") == ("5" if method == "HEAD" else None)


async def hang(reader: Reader, _writer: Writer) -> None:
    """Take the request, answer nothing, wait for the caller to go."""
    await reader.read()


async def hang_up(reader: Reader, _writer: Writer) -> None:
    """Take the request and close."""
    await reader.readuntil(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "status", "text"),
    [
        pytest.param(hang_up, 502, "Bad Gateway.", id="closes"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", 502, "Bad Gateway.", id="no HTTP"),
        pytest.param(b"HTTP/1.1 999 ?\r\nContent-Length: 0\r\n\r\n", 502, "Bad Gateway.",
                     id="no HTTP status"),
        pytest.param(b"HTTP/1.1 101 ?\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 502,
                     "Bad Gateway.", id="switches protocols unasked"),
        pytest.param(hang, 504, "Gateway Time-out.", id="answers nothing"),
    ],
)  # fmt: skip
def test_a_back_end_that_fails_is_told_in_the_clouds_words(
    front: Front, script: bytes | Script, status: int, text: str
) -> None:
    """As a message; with stage, revision and request id, as every answer."""

    def before(backend: Backend) -> Caller:
        return front(backend, timeout=0.05 if script is hang else 5)

    answer, _, caller = ask_one(before, script)
    assert (answer.status_code, answer.json()) == (status, {"message": text})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-gateway-stage"] == "dev"
    assert answer.headers["x-gateway-revision"] == "1"
    assert len(answer.headers["x-api-requestid"]) == 32
    assert caller.gateway.observer.counters.total() == 1


def test_a_back_end_that_is_not_there_is_a_bad_gateway(front: Front) -> None:
    """A port that is taken and on which nobody listens."""
    backend = Backend(HELLO)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        backend.port = taken.getsockname()[1]
        answer = front(backend)("/dev/legacy/x")
    assert (answer.status_code, answer.json()) == (502, {"message": "Bad Gateway."})


class Stream:
    """An ASGI caller who sends and reads piece by piece.

    Attributes:
        heard: What the gateway sent, as it comes.
    """

    def __init__(self, method: str = "GET", *headers: tuple[bytes, bytes]) -> None:
        self.heard: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": "/dev/legacy/x",
            "raw_path": b"/dev/legacy/x",
            "query_string": b"",
            "headers": list(headers),
            "scheme": "http",
            "http_version": "1.1",
            "client": None,
        }

    def say(self, body: bytes, *, more: bool = True) -> None:
        """Send a piece of the body."""
        self._said.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        """Close the connection."""
        self._said.put_nowait({"type": "http.disconnect"})

    def start(self, plane: DataPlane) -> asyncio.Task[None]:
        """Begin the request."""
        return asyncio.ensure_future(plane(self.scope, self._said.get, self.heard.put))


def counted(caller: Caller) -> dict[int, int]:
    """The statuses that were counted, with their numbers."""
    return dict(caller.gateway.observer.counters.cell(Label("dev")).statuses)


CHUNKED = (b"transfer-encoding", b"chunked")


def test_an_answer_is_streamed(front: Front) -> None:
    """A piece is passed on before the next one exists."""
    steps: list[asyncio.Event] = []

    async def script(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for step in steps:
            await step.wait()
            writer.write(b"5\r\npiece\r\n")
        writer.write(b"0\r\n\r\n")

    async def scenario() -> None:
        steps.extend(asyncio.Event() for _ in range(3))
        async with Backend(script).listening() as backend:
            caller, stream = front(backend), Stream()
            task = stream.start(caller.gateway.plane)
            start = await stream.heard.get()
            assert (start["type"], start["status"]) == ("http.response.start", 200)
            assert not {b"transfer-encoding", b"content-length"} & dict(start["headers"]).keys()
            for step in steps:
                step.set()
                piece = await stream.heard.get()
                assert (piece["body"], piece["more_body"]) == (b"piece", True)
            last = await stream.heard.get()
            assert (last["body"], last.get("more_body", False)) == (b"", False)
            await task
            await caller.gateway.close()

    asyncio.run(scenario())


def test_a_request_is_streamed(front: Front) -> None:
    """A piece reaches the back end before the caller has the next one; no length, no buffer."""
    arrived: list[bytes] = []

    async def scenario() -> None:
        got = asyncio.Queue[bytes]()

        async def script(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            while size := int(await reader.readline(), 16):
                got.put_nowait((await reader.readexactly(size + 2))[:-2])
            await reader.readline()
            writer.write(HELLO)

        async with Backend(script).listening() as backend:
            caller, stream = front(backend), Stream("POST", CHUNKED)
            task = stream.start(caller.gateway.plane)
            for piece in (b"one", b"two", b"three"):
                stream.say(piece)
                arrived.append(await got.get())
            stream.say(b"", more=False)
            await task
            assert (await stream.heard.get())["status"] == 200
            await caller.gateway.close()

    asyncio.run(scenario())
    assert arrived == [b"one", b"two", b"three"]


def test_a_caller_who_leaves_while_sending_is_counted_as_gone(front: Front) -> None:
    """The back end sees an end, not a complete request; nobody is sent anything."""

    async def scenario() -> None:
        ended = asyncio.Event()

        async def script(reader: Reader, _writer: Writer) -> None:
            await reader.read()
            ended.set()

        async with Backend(script).listening() as backend:
            caller, stream = front(backend), Stream("POST", CHUNKED)
            task = stream.start(caller.gateway.plane)
            stream.say(b"half")
            stream.leave()
            await task
            await ended.wait()
            assert stream.heard.empty()
            assert counted(caller) == {499: 1}
            await caller.gateway.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("headers", [(), (CHUNKED,)], ids=["without a body", "with a body"])
def test_a_caller_who_leaves_an_endless_answer_ends_it(
    front: Front, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """The back end is told at once, even one that has nothing to say at the moment."""

    async def scenario() -> None:
        ended = asyncio.Event()

        async def script(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\npiece")
            await reader.read()
            ended.set()

        async with Backend(script).listening() as backend:
            caller, stream = front(backend), Stream("POST", *headers)
            task = stream.start(caller.gateway.plane)
            stream.say(b"whole" if headers else b"", more=False)
            assert (await stream.heard.get())["status"] == 200
            assert (await stream.heard.get())["body"] == b"piece"
            stream.leave()
            await task
            await ended.wait()
            assert stream.heard.empty()
            assert counted(caller) == {499: 1}
            await caller.gateway.close()

    asyncio.run(scenario())


def test_a_back_end_waits_for_a_caller_who_reads_slowly(front: Front) -> None:
    """What nobody takes is not taken from the back end either."""
    length = 32 * 1024 * 1024

    async def scenario() -> None:
        over = asyncio.Event()

        async def script(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
            for _ in range(length // 65536):
                writer.write(bytes(65536))
                await writer.drain()
            over.set()

        async with Backend(script).listening() as backend:
            caller, stream = front(backend), Stream()
            stream.heard = asyncio.Queue(1)
            task = stream.start(caller.gateway.plane)
            assert (await stream.heard.get())["status"] == 200
            got = 0
            while got < length:
                got += len((await stream.heard.get())["body"])
                assert got > length // 4 or not over.is_set()
            assert await stream.heard.get() == {"type": "http.response.body", "body": b""}
            await task
            await caller.gateway.close()

    asyncio.run(scenario())


def test_an_answer_may_end_with_its_connection(front: Front) -> None:
    """As it did before there were lengths."""
    answer, _, _ = ask_one(front, b"HTTP/1.0 200 OK\r\n\r\nhello")
    assert (answer.status_code, answer.text) == (200, "hello")


def test_a_connection_that_breaks_is_no_end(front: Front) -> None:
    """Half an answer is not a whole one because nothing follows."""

    async def script(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        await reader.read(1)
        made = writer.get_extra_info("socket")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def scenario() -> None:
        async with Backend(script).listening() as backend:
            caller, stream = front(backend), Stream("POST", CHUNKED)
            task = stream.start(caller.gateway.plane)
            assert (await stream.heard.get())["status"] == 200
            assert (await stream.heard.get())["body"] == b"half"
            stream.say(b"go on")
            await task
            assert stream.heard.empty()
            assert counted(caller) == {502: 1}
            await caller.gateway.close()

    asyncio.run(scenario())


def test_a_caller_who_cannot_take_an_answer_at_once_gets_it_by_pieces(front: Front) -> None:
    """The short way is offered and refused."""

    async def scenario() -> None:
        async with Backend(HELLO).listening() as backend:
            caller, stream = front(backend), Stream()
            stream.scope["extensions"] = {REPLY: lambda *_: False}
            await stream.start(caller.gateway.plane)
            assert (await stream.heard.get())["status"] == 200
            assert (await stream.heard.get()) == {"type": "http.response.body", "body": b"hello"}
            assert stream.heard.empty()
            await caller.gateway.close()

    asyncio.run(scenario())


def test_nobody_need_be_told_of_trouble(front: Front) -> None:
    """A forwarder works alone."""

    async def scenario() -> None:
        async with Backend(hang_up).listening() as backend:
            caller, stream = front(backend), Stream()
            caller.gateway.forwarder._tell = None
            await stream.start(caller.gateway.plane)
            assert (await stream.heard.get())["status"] == 502
            await caller.gateway.close()

    asyncio.run(scenario())


def test_an_answer_that_breaks_off_is_not_made_whole(front: Front) -> None:
    """The caller gets what there was and no end; the failure is counted."""
    backend = Backend(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")

    async def scenario() -> None:
        async with backend.listening():
            caller, stream = front(backend), Stream()
            await stream.start(caller.gateway.plane)
            assert (await stream.heard.get())["status"] == 200
            assert (await stream.heard.get())["body"] == b"half"
            assert stream.heard.empty()
            assert counted(caller) == {502: 1}
            await caller.gateway.close()

    asyncio.run(scenario())


def test_an_early_answer_is_passed_on_before_the_request_is_complete(front: Front) -> None:
    """A back end that refuses a long body need not read it."""

    async def script(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async def scenario() -> None:
        async with Backend(script).listening() as backend:
            caller, stream = front(backend), Stream("POST", CHUNKED)
            stream.say(b"begin")
            await stream.start(caller.gateway.plane)
            assert (await stream.heard.get())["status"] == 413
            await caller.gateway.close()

    asyncio.run(scenario())


def ask_twice(front: Front, method: str) -> tuple[list[int], list[int]]:
    """Two requests to a back end that answers one on its first connection, and then ends it.

    Returns:
        Statuses, and the number of requests of each connection.
    """
    requests: list[int] = []

    async def script(reader: Reader, writer: Writer) -> None:
        number = len(requests)
        requests.append(0)
        while await reader.readuntil(b"\r\n\r\n"):
            requests[number] += 1
            if number == 0 and requests[0] == 2:
                return
            writer.write(HELLO)

    async def scenario() -> list[int]:
        async with Backend(script).listening() as backend:
            caller = front(backend)
            answers = [await caller.ask("/dev/legacy/x", method) for _ in range(2)]
            await caller.gateway.close()
            return [answer.status_code for answer in answers]

    with asyncio.Runner() as runner:
        return runner.run(scenario()), requests


@pytest.mark.parametrize(
    ("method", "statuses", "requests"),
    [("GET", [200, 200], [2, 1]), ("DELETE", [200, 200], [2, 1]), ("POST", [200, 502], [2])],
)
def test_a_dead_connection_costs_no_request_that_may_arrive_twice(
    front: Front, method: str, statuses: list[int], requests: list[int]
) -> None:
    """Any other may have arrived already."""
    assert ask_twice(front, method) == (statuses, requests)


def test_a_back_end_that_fails_is_not_asked_again(front: Front) -> None:
    """Its connection was new: it is the back end that failed."""
    times: list[None] = []

    async def script(reader: Reader, _writer: Writer) -> None:
        times.append(None)
        await reader.readuntil(b"\r\n\r\n")

    answer, _, _ = ask_one(front, script)
    assert (answer.status_code, len(times)) == (502, 1)


def expecting(
    front: Front, script: Script, timeout: float = 5
) -> tuple[list[MutableMapping[str, Any]], dict[int, int]]:
    """A request whose caller waits to be asked for its body; what it hears, what is counted."""

    async def scenario() -> tuple[list[MutableMapping[str, Any]], dict[int, int]]:
        async with Backend(script).listening() as backend:
            caller = front(backend, timeout=timeout)
            stream = Stream("POST", (b"content-length", b"4"), (b"expect", b"100-continue"))
            stream.say(b"body", more=False)
            await stream.start(caller.gateway.plane)
            heard = [stream.heard.get_nowait() for _ in range(stream.heard.qsize())]
            await caller.gateway.close()
            return heard, counted(caller)

    with asyncio.Runner() as runner:
        return runner.run(scenario())


def test_a_body_is_sent_when_it_is_asked_for(front: Front) -> None:
    """The back end says when."""
    got: list[bytes] = []

    async def script(reader: Reader, writer: Writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nexpect: 100-continue\r\n" in head
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        got.append(await reader.readexactly(4))
        writer.write(HELLO)

    heard, _ = expecting(front, script)
    assert (heard[0]["status"], got) == (200, [b"body"])


def test_a_body_that_is_not_wanted_is_not_sent(front: Front) -> None:
    """The connection ends, because the back end may still wait for it."""
    got: list[bytes] = []

    async def script(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\n")
        asyncio.get_running_loop().call_later(0.02, writer.write, b"no")
        got.append(await reader.read())

    heard, counts = expecting(front, script)
    assert (heard[0]["status"], got, counts) == (417, [b""], {417: 1})


def test_a_back_end_that_does_not_ask_gets_the_body_all_the_same(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while; many know nothing of asking."""
    monkeypatch.setattr(sender, "ALLOWED_SECONDS", 0.01)
    got: list[bytes] = []

    async def script(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        got.append(await reader.readexactly(4))
        writer.write(HELLO)

    heard, _ = expecting(front, script)
    assert (heard[0]["status"], got) == (200, [b"body"])


def test_a_back_end_that_goes_instead_of_asking_is_a_bad_gateway(front: Front) -> None:
    """It is not waited for."""
    heard, counts = expecting(front, hang_up)
    assert (heard[0]["status"], counts) == (502, {502: 1})


def test_a_back_end_that_falls_silent_is_given_up(front: Front) -> None:
    """Between two bytes as before the first one; the caller gets no end."""

    async def script(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
        await reader.read()

    async def scenario() -> None:
        async with Backend(script).listening() as backend:
            caller, stream = front(backend, timeout=0.2), Stream()
            await stream.start(caller.gateway.plane)
            heard = [stream.heard.get_nowait() for _ in range(stream.heard.qsize())]
            assert [message.get("body") for message in heard] == [None, b"half"]
            assert counted(caller) == {504: 1}
            await caller.gateway.close()

    asyncio.run(scenario())


def test_a_back_end_that_does_not_read_is_given_up(front: Front) -> None:
    """A body need not be taken for ever."""

    async def scenario() -> None:
        over = asyncio.Event()

        async def script(_reader: Reader, _writer: Writer) -> None:
            await over.wait()

        async with Backend(script).listening() as backend:
            caller, stream = front(backend, timeout=0.05), Stream("POST", CHUNKED)
            for _ in range(500):
                stream.say(bytes(65536))
            await stream.start(caller.gateway.plane)
            assert (await stream.heard.get())["status"] == 504
            over.set()
            await caller.gateway.close()

    asyncio.run(scenario())


def test_a_caller_waits_for_a_back_end_that_reads_slowly(front: Front) -> None:
    """Nothing of the body is lost, and little of it waits in the gateway."""
    got: list[int] = []

    async def scenario() -> None:
        may_read = asyncio.Event()

        async def script(reader: Reader, writer: Writer) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await may_read.wait()
            got.append(len(await reader.readexactly(500 * 65536)))
            writer.write(HELLO)

        async with Backend(script).listening() as backend:
            caller = front(backend)
            stream = Stream("POST", (b"content-length", b"%d" % (500 * 65536)))
            for number in range(500):
                stream.say(bytes(65536), more=number < 499)
            task = stream.start(caller.gateway.plane)
            asyncio.get_running_loop().call_later(0.05, may_read.set)
            await task
            assert (await stream.heard.get())["status"] == 200
            await caller.gateway.close()

    asyncio.run(scenario())
    assert got == [500 * 65536]


def test_a_body_waits_for_a_connection_that_is_slow_to_come(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads it before there is somebody to send it to."""
    monkeypatch.setattr(sender, "WATCH_AFTER_SECONDS", 0)

    async def scenario() -> None:
        backend = Backend(HELLO)
        async with backend.listening():
            caller, stream = front(backend), Stream("POST", CHUNKED)
            dialler = caller.gateway.forwarder.dialler
            dial, may_connect = dialler.dial, asyncio.Event()

            async def slowly(*given: Any) -> Any:  # noqa: ANN401
                await may_connect.wait()
                return await dial(*given)

            monkeypatch.setattr(dialler, "dial", slowly)
            stream.say(b"whole", more=False)
            task = stream.start(caller.gateway.plane)
            asyncio.get_running_loop().call_later(0.03, may_connect.set)
            await task
            assert (await stream.heard.get())["status"] == 200
            assert backend.bodies == [b"whole"]
            await caller.gateway.close()

    asyncio.run(scenario())


def test_a_slow_caller_is_not_the_back_ends_fault(front: Front) -> None:
    """Its limit does not run while the caller is awaited."""

    async def script(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(HELLO)

    async def scenario() -> None:
        async with Backend(script).listening() as backend:
            caller, stream = front(backend, timeout=0.1), Stream("POST", CHUNKED)
            task = stream.start(caller.gateway.plane)
            stream.say(b"begin")
            loop = asyncio.get_running_loop()
            loop.call_later(0.25, lambda: stream.say(b"end", more=False))
            await task
            assert (await stream.heard.get())["status"] == 200
            await caller.gateway.close()

    asyncio.run(scenario())


def test_callers_who_leave_leave_no_task_behind(front: Front) -> None:
    """Before the answer, in its midst, and while they send."""

    async def scenario() -> None:
        began = asyncio.Queue[None]()
        ended = asyncio.Queue[None]()

        async def script(reader: Reader, writer: Writer) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"answer" in head:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\npiece")
            began.put_nowait(None)
            await reader.read()
            ended.put_nowait(None)

        async with Backend(script).listening() as backend:
            caller = front(backend)
            before = asyncio.all_tasks()
            for headers in ((), ((b"x", b"answer"),), (CHUNKED,), (CHUNKED, (b"x", b"answer"))):
                stream = Stream("POST", *headers)
                task = stream.start(caller.gateway.plane)
                if CHUNKED in headers:
                    stream.say(b"half")
                await began.get()
                stream.leave()
                await task
                await ended.get()
            # The back end's own tasks end by themselves; one that did not would hold this up.
            await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)
            assert counted(caller) == {499: 4}
            await caller.gateway.close()

    asyncio.run(scenario())


def test_a_request_that_is_cancelled_is_no_caller_who_left(front: Front) -> None:
    """Whoever ends the gateway ends its requests, and the back end's connection."""

    async def scenario() -> None:
        began, ended = asyncio.Event(), asyncio.Event()

        async def script(reader: Reader, _writer: Writer) -> None:
            began.set()
            await reader.read()
            ended.set()

        async with Backend(script).listening() as backend:
            caller, stream = front(backend), Stream()
            task = stream.start(caller.gateway.plane)
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await ended.wait()
            assert counted(caller) == {}
            await caller.gateway.close()

    asyncio.run(scenario())


def test_a_back_end_that_is_not_there_is_told_of(front: Front) -> None:
    """In words that need no manual."""

    async def scenario() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            backend = Backend(HELLO)
            backend.port = taken.getsockname()[1]
            caller = front(backend)
            subscription = caller.gateway.events.subscribe()
            await caller.ask("/dev/legacy/x")
            await caller.gateway.close()
            told = [event.data async for event in subscription if event.name == "error"]
            assert [data["message"] for data in told] == ["it refused the connection"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("seconds", "told"), [pytest.param(60, 1, id="soon"), pytest.param(0, 3, id="later")]
)
def test_whoever_runs_the_gateway_is_told_why(
    front: Front, monkeypatch: pytest.MonkeyPatch, seconds: float, told: int
) -> None:
    """Once for each back end and minute."""
    monkeypatch.setattr(forward, "TELL_SECONDS", seconds)

    async def scenario() -> None:
        async with Backend(hang_up).listening() as backend:
            caller = front(backend)
            subscription = caller.gateway.events.subscribe()
            for _ in range(3):
                await caller.ask("/dev/legacy/x")
            await caller.gateway.close()
            events = [event async for event in subscription if event.name == "error"]
            assert len(events) == told
            assert events[0].data["code"] == "backend-failed"
            assert events[0].data["where"] == f"http://127.0.0.1:{backend.port}"
            assert events[0].data["message"] == "it closed the connection"

    asyncio.run(scenario())


def test_trouble_can_be_read() -> None:
    """It names the back end and what happened; nobody need be told."""
    trouble = forward.Trouble("http://x", "it closed the connection")
    assert str(trouble) == "the HTTP back end http://x failed: it closed the connection"


async def exchange(port: int, request: bytes, answers: int = 1) -> bytes:
    """Send bytes to a port of this machine, and read answers of five bytes each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    said = b""
    for _ in range(answers):
        said += await reader.readuntil(b"hello")
    writer.close()
    return said


def test_a_connection_of_a_caller_serves_one_request_after_another(front: Front) -> None:
    """Over the real server: short answers go out at once, trailers stay behind."""

    async def script(reader: Reader, writer: Writer) -> None:
        while True:
            await backend.read(reader)
            backend.bodies.append(backend.heads[-1].encode())
            writer.write(HELLO)

    backend = Backend(script)

    async def scenario() -> bytes:
        async with backend.listening():
            caller = front(backend)
            server = HttpServer(caller.gateway.plane, bind("127.0.0.1", 0))
            serving = asyncio.create_task(server.run_until_stopped())
            await server.ready.wait()
            said = await exchange(
                server.listener.getsockname()[1],
                b"POST /dev/legacy/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\none\r\n0\r\nX-Real-IP: 6.6.6.6\r\nX-Late: 1\r\n\r\n"
                b"HEAD /dev/legacy/b HTTP/1.1\r\nHost: x\r\n\r\n"
                b"GET /dev/legacy/c HTTP/1.1\r\nHost: x\r\n\r\n",
                answers=2,
            )
            server.stop()
            await serving
            await caller.gateway.close()
            return said

    with asyncio.Runner() as runner:
        said = runner.run(scenario())
    heads = said.lower().split(b"http/1.1 ")[1:]
    assert [head[:6] for head in heads] == [b"200 ok"] * 3
    assert all(b"\r\ncontent-length: 5\r\n" in head for head in heads)
    assert [head.partition(b"\r\n\r\n")[2] for head in heads] == [b"hello", b"", b"hello"]
    assert b"X-Late" not in b"".join(backend.bodies)
    assert backend.bodies[0] == b"one"
    assert [head.split(" ")[1] for head in backend.heads] == ["/a", "/b", "/c"]
