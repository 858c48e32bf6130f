"""WebSockets and streams over real connections: to applications, to servers, to HTTP back ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from gateway.dataplane.server import HttpServer, bind
from gateway.observe import Label

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

pytestmark = pytest.mark.sockets

STAGES = """
[service]
name = "shop"

[functions.site]
source = "functions/site"
type = "web"
handler = "index.app"
timeout = 0.5

[functions.flat]
source = "functions/flat"
type = "web"
handler = "index.app"

[functions.plain]
source = "functions/plain"

[[apis]]
method = "GET"
path = "/"
function = "site"

[[apis]]
method = "ANY"
path = "/flat"
function = "flat"

[[apis]]
method = "ANY"
path = "/plain"
function = "plain"

[[apis]]
method = "POST"
path = "=/posted"
function = "site"

[[apis]]
method = "GET"
path = "/mock"
mock = { body = "m" }

[[apis]]
method = "GET"
path = "/behind"
http = { url = "http://127.0.0.1:PORT/up", timeout = 0.5 }

[stages.dev]
alias = "$DEFAULT"
"""

SITE = """
import asyncio
import gates_of_this_test as gates
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

async def echo(ws):
    chosen = "chat" if "chat" in ws.scope["subprotocols"] else None
    await ws.accept(subprotocol=chosen, headers=[(b"x-own", b"1"), (b"X-Gateway-Stage", b"x")])
    while True:
        message = await ws.receive()
        if message["type"] == "websocket.disconnect":
            gates.ended.put_nowait(message["code"])
            return
        text = message.get("text")
        if text == "who":
            await ws.send_json([ws.scope["path"], ws.scope["root_path"], ws.headers["x-scf-name"]])
        elif text == "bye":
            await ws.close(4001, "so long")
            return
        elif text == "fail":
            raise ValueError
        elif text == "return":
            return
        else:
            await ws.send(dict(message, type="websocket.send"))

async def refuse(ws):
    await ws.close()

async def deny(ws):
    await ws.send_denial_response(PlainTextResponse("no", 401))

async def late(ws):
    await asyncio.Event().wait()

async def fails(ws):
    raise ValueError

async def ticks(request):
    async def every():
        try:
            while True:
                yield b"tick"
                await asyncio.sleep(0)
        finally:
            gates.ended.put_nowait("stream")
    return StreamingResponse(every())

async def half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})

async def deaf(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})
    try:
        while True:
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            await asyncio.sleep(0)
    except OSError as error:
        gates.ended.put_nowait(str(error))

inner = Starlette(routes=[
    WebSocketRoute("/ws", echo), WebSocketRoute("/refuse", refuse), WebSocketRoute("/late", late),
    WebSocketRoute("/deny", deny), WebSocketRoute("/fails", fails), Route("/ticks", ticks),
])

async def app(scope, receive, send):
    other = {"/dev/half": half, "/dev/deaf": deaf}.get(scope.get("path"))
    await (other or inner)(scope, receive, send)
"""
FLAT = """
import gates_of_this_test as gates
def app(environ, start_response):
    start_response("200 OK", [])
    return Ticks()
class Ticks:
    def __iter__(self):
        while True:
            yield b"tick" * 1000
    def close(self):
        gates.loop.call_soon_threadsafe(gates.ended.put_nowait, "closed")
"""
PLAIN = "async def main_handler(event, context): return {'statusCode': 200, 'body': 'p'}"

Talk = Callable[[aiohttp.ClientSession, str], Awaitable[None]]


async def upstream(request: web.Request) -> web.StreamResponse:
    """Echoes; closes, dies or says who called when it is told to."""
    if request.query.get("status"):
        return web.Response(status=int(request.query["status"]))
    if "late" in request.query:
        await asyncio.Event().wait()
    ws = web.WebSocketResponse(protocols=["chat"])
    await ws.prepare(request)
    async for message in ws:
        if message.data == "who":
            headers = {name.lower(): value for name, value in request.headers.items()}
            await ws.send_json([request.path_qs, headers])
        elif message.data == "bye":
            await ws.close(code=4001, message=b"so long")
        elif message.data == "die":
            assert request.transport is not None
            request.transport.abort()
        elif isinstance(message.data, str):
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(message.data)
    request.app[ENDED].put_nowait(ws.close_code)
    return ws


ENDED = web.AppKey("ended", asyncio.Queue)


@asynccontextmanager
async def behind(ended: asyncio.Queue[Any]) -> AsyncIterator[int]:
    """A server for HTTP back ends; gives its port."""
    app = web.Application()
    app[ENDED] = ended
    app.router.add_get("/up{rest:.*}", upstream)
    runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    listener = bind("127.0.0.1", 0)
    await web.SockSite(runner, listener).start()
    try:
        yield listener.getsockname()[1]
    finally:
        await runner.cleanup()


Meet = Callable[[Talk], "Caller"]


@pytest.fixture
def meet(make: Make, gates: Any) -> Meet:  # noqa: ANN401
    """Talk to a gateway over a socket; gives the gateway."""

    def go(talk: Talk) -> Caller:
        async def scenario() -> Caller:
            gates.ended, gates.loop = asyncio.Queue(), asyncio.get_running_loop()
            async with behind(gates.ended) as port:
                functions = {"site/latest": SITE, "flat/latest": FLAT, "plain/latest": PLAIN}
                caller = make(STAGES.replace("PORT", str(port)), functions)
                server = HttpServer(caller.gateway.plane, bind("127.0.0.1", 0), sockets=True)
                task = asyncio.create_task(server.run_until_stopped())
                await server.ready.wait()
                try:
                    async with aiohttp.ClientSession() as session:
                        await talk(session, server.url)
                finally:
                    server.stop(force=True)
                    await task
                    await caller.gateway.plane.close()
                    caller.gateway.runtime.close()
                    await caller.gateway.runtime.web.closed()
                return caller

        return asyncio.run(asyncio.wait_for(scenario(), 30))

    return go


@pytest.mark.parametrize("path", ["/dev/ws", "/dev/behind/x?y=1"])
def test_ten_thousand_messages_cross_unchanged_and_in_order(meet: Meet, path: str) -> None:
    """Both ways at the same time; text, bytes and long ones."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.ws_connect(url + path) as ws:

            async def say() -> None:
                for number in range(10_000):
                    await ws.send_str(f"message {number} ü")

            saying = asyncio.create_task(say())
            for number in range(10_000):
                assert (await ws.receive()).data == f"message {number} ü"
            await saying
            for body in (b"", b"\xff\x00", bytes(range(256)) * 4096):
                await ws.send_bytes(body)
                assert (await ws.receive()).data == body

    meet(talk)


@pytest.mark.parametrize("path", ["/dev/ws", "/dev/behind"])
def test_close_codes_cross_both_ways(meet: Meet, gates: Any, path: str) -> None:  # noqa: ANN401
    """And so does the protocol that was chosen."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.ws_connect(url + path, protocols=["other", "chat"]) as ws:
            assert ws.protocol == "chat"
            await ws.send_str("bye")
            message = await ws.receive()
            assert (message.data, message.extra) == (4001, "so long")
        if path == "/dev/behind":
            assert await gates.ended.get() == 1000  # what it was answered with
        async with session.ws_connect(url + path) as ws:
            assert ws.protocol is None
            await ws.close(code=4002)
        assert await gates.ended.get() == 4002

    meet(talk)


def test_an_application_sees_where_it_is_and_says_who_answered(meet: Meet) -> None:
    """One count for each connection."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.ws_connect(f"{url}/dev/ws") as ws:
            head = ws._response.headers
            assert (head["X-Own"], head["X-Gateway-Version"]) == ("1", "$LATEST")
            assert head.getall("X-Gateway-Stage") == ["dev"]
            await ws.send_str("who")
            assert await ws.receive_json() == ["/dev/ws", "/dev", "site"]

    caller = meet(talk)
    label = Label("dev", "site", "$DEFAULT", "$LATEST", "main")
    assert caller.gateway.observer.counters.cell(label).statuses == {101: 1}


def test_a_back_end_is_told_who_called(meet: Meet) -> None:
    """The matched path is cut off, as for requests."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        sent = {"X-Forwarded-For": "1.2.3.4", "User": "Alice"}
        async with session.ws_connect(f"{url}/dev/behind/a%20b?y=%20", headers=sent) as ws:
            await ws.send_str("who")
            target, headers = await ws.receive_json()
            assert target == "/up/a%20b?y=%20"
            assert (headers["x-forwarded-for"], headers["user"]) == ("127.0.0.1", "Alice")
            assert headers["host"].startswith("127.0.0.1:")
            assert ws._response.headers["X-Gateway-Stage"] == "dev"

    meet(talk)


@pytest.mark.parametrize(
    ("path", "said", "code"),
    [
        ("/dev/ws", "fail", 1011),
        ("/dev/ws", "return", 1000),
        ("/dev/behind", "die", 1011),
    ],
)
def test_a_connection_that_its_server_leaves_is_closed(
    meet: Meet, path: str, said: str, code: int
) -> None:
    """With a code that says whether something failed."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.ws_connect(url + path) as ws:
            await ws.send_str(said)
            assert (await ws.receive()).data == code

    meet(talk)


def test_a_caller_that_is_lost_is_told_to_the_other_side(meet: Meet, gates: Any) -> None:  # noqa: ANN401
    """Going away, in the words of RFC 6455."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.ws_connect(f"{url}/dev/behind") as ws:
            await ws.send_str("x")
            await ws.receive()
            assert ws._response.connection is not None
            assert ws._response.connection.transport is not None
            ws._response.connection.transport.abort()
            assert await gates.ended.get() in {1000, 1001}

    meet(talk)


@pytest.mark.parametrize(
    ("path", "status", "function"),
    [
        ("/dev/refuse", 403, "site"),
        ("/dev/deny", 401, "site"),
        ("/dev/late", 433, "site"),
        ("/dev/fails", 430, "site"),
        ("/dev/flat", 403, "flat"),
        ("/dev/plain", 403, None),
        ("/dev/mock", 403, None),
        ("/dev/posted-only", 403, "site"),
        ("/nowhere/ws", 404, None),
        ("/dev/behind?status=401", 401, None),
        ("/dev/behind?status=200", 502, None),
        ("/dev/behind?late", 504, None),
    ],
)
def test_what_takes_no_web_socket_refuses_before_it_is_accepted(
    meet: Meet, path: str, status: int, function: str | None
) -> None:
    """With an answer that says who gave it."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(url + path)
        assert caught.value.status == status
        assert caught.value.headers is not None
        assert caught.value.headers.get("X-Gateway-Function") == function
        assert caught.value.headers["X-Gateway-Revision"] == "1"

    meet(talk)


def test_a_connection_is_handed_over_only_where_that_is_asked_for(meet: Meet) -> None:
    """Other upgrades, methods and versions are answered as ordinary requests."""

    async def ask(port: int, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            return (await reader.read()).partition(b"\r\n")[0]
        finally:
            writer.close()

    async def talk(_session: aiohttp.ClientSession, url: str) -> None:
        port = int(url.rpartition(":")[2])
        upgrade = b"Host: a\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n"
        plain = b"GET /dev/mock HTTP/1.1\r\n" + upgrade % b"h2c"
        assert await ask(port, plain) == b"HTTP/1.1 200 OK"
        older = b"GET /dev/mock HTTP/1.0\r\n" + upgrade % b"websocket"
        assert await ask(port, older) == b"HTTP/1.1 200 OK"
        posted = b"POST /dev/plain HTTP/1.1\r\n" + upgrade % b"websocket"
        assert await ask(port, posted) == b"HTTP/1.1 200 OK"
        incomplete = b"GET /dev/ws HTTP/1.1\r\n" + upgrade % b"websocket"
        assert (await ask(port, incomplete)).startswith(b"HTTP/1.1 400")
        behind = b"GET /dev/plain HTTP/1.1\r\nHost: a\r\n\r\nGET /dev/ws HTTP/1.1\r\n"
        assert await ask(port, behind + upgrade % b"websocket") == b"HTTP/1.1 200 OK"

    meet(talk)


def test_a_server_that_takes_none_answers_as_before() -> None:
    """The control plane's listener is one."""

    async def plain(scope: dict[str, Any], _receive: object, send: Any) -> None:  # noqa: ANN401
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 418, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def scenario() -> None:
        server = HttpServer(plain, bind("127.0.0.1", 0))
        task = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(server.url)
            assert caught.value.status == 418
        server.stop(force=True)
        await task

    asyncio.run(asyncio.wait_for(scenario(), 20))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/dev/ticks", "stream"),
        ("/dev/deaf", "the caller has gone"),
        ("/dev/flat", "closed"),
    ],
)
def test_a_stream_ends_when_its_caller_has_gone(
    meet: Meet,
    gates: Any,  # noqa: ANN401
    path: str,
    told: str,
) -> None:
    """Whether the application asks, or only goes on sending."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(url + path) as answer:
            assert await answer.content.readany()
            answer.close()
        assert await gates.ended.get() == told

    caller = meet(talk)
    function = "flat" if path == "/dev/flat" else "site"
    label = Label("dev", function, "$DEFAULT", "$LATEST", "main")
    assert caller.gateway.observer.counters.cell(label).statuses == {499: 1}


def test_an_answer_that_is_broken_off_is_cut_off(meet: Meet) -> None:
    """Only that tells its caller; it counts as an error of the version."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        with pytest.raises(aiohttp.ClientPayloadError):
            async with session.get(f"{url}/dev/half") as answer:
                await answer.read()

    caller = meet(talk)
    label = Label("dev", "site", "$DEFAULT", "$LATEST", "main")
    assert caller.gateway.observer.counters.cell(label).statuses == {430: 1}


SERVER = """
import base64, hashlib, os, socket
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines:
        head = {}
        for line in iter(lines.readline, b"\\r\\n"):
            if not line:
                break
            name, _, value = line.decode().partition(": ")
            head[name.lower()] = value.strip()
        if "sec-websocket-key" not in head:
            continue
        key = (head["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()
        accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
        connection.sendall((
            "HTTP/1.1 101 Switching Protocols\\r\\n"
            "Upgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
            f"Sec-WebSocket-Accept: {accept}\\r\\n\\r\\n"
        ).encode())
        told = (head["x-scf-name"] + " " + head["host"]).encode()
        connection.sendall(bytes([0x81, len(told)]) + told)
        lines.read(2)
"""


@pytest.mark.usefixtures("gates")
def test_a_server_of_its_own_takes_web_sockets(make: Make, tmp_path: Path) -> None:
    """It sees the host that the caller named."""
    file = tmp_path / "gateway0" / "functions" / "site" / "latest" / "scf_bootstrap"
    file.parent.mkdir(parents=True)
    file.write_text(f"#!{sys.executable} -S\n{SERVER}", encoding="utf-8")
    file.chmod(0o755)
    unused = bind("127.0.0.1", 0)
    port = unused.getsockname()[1]
    unused.close()

    async def scenario() -> None:
        functions = {"flat/latest": FLAT, "plain/latest": PLAIN}
        caller = make(STAGES.replace("PORT", str(port)), functions)
        server = HttpServer(caller.gateway.plane, bind("127.0.0.1", 0), sockets=True)
        task = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"{server.url}/dev/x", headers={"Host": "a.b"}) as ws:
                assert (await ws.receive()).data == "site a.b"
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(f"{server.url}/dev/behind")
            assert caught.value.status == 502
        server.stop(force=True)
        await task
        await caller.gateway.plane.close()
        caller.gateway.runtime.close()
        await caller.gateway.runtime.web.closed()

    asyncio.run(asyncio.wait_for(scenario(), 30))
