"""The server under the data plane, over sockets: connections, order, and the short way out."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.dataplane.exchange import REPLY
from gateway.dataplane.protocol import GatewayProtocol
from gateway.dataplane.server import HttpServer, PortInUse, bind

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

pytestmark = pytest.mark.sockets

App = Callable[..., Awaitable[None]]

CODE = """
import asyncio

async def main_handler(event, context):
    query = event["queryString"]
    if "raise" in query:
        raise ValueError("told")
    if "cookies" in query:
        return {"statusCode": 200, "headers": {"Set-Cookie": ["a=1", "b=2"], "X-E": ""}}
    return {
        "statusCode": int(query.get("status", "200")),
        "headers": {"X-Own": "\\xfc", "Content-Type": "text/x"},
        "body": query.get("n", "") + "x" * int(query.get("size", "0")) + event.get("body", ""),
    }
"""


@asynccontextmanager
async def serving(
    app: App, protocol: type[asyncio.Protocol] = GatewayProtocol
) -> AsyncIterator[HttpServer]:
    """A server on a free port."""
    server = HttpServer(app, bind("127.0.0.1", 0), protocol=protocol)
    task = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    try:
        yield server
    finally:
        server.stop(force=True)
        await task


@asynccontextmanager
async def connected(
    server: HttpServer,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to it."""
    port = server.listener.getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def talk(server: HttpServer, sent: bytes) -> bytes:
    """Everything that comes back until the server closes the connection."""
    async with connected(server) as (reader, writer):
        writer.write(sent)
        return await reader.read()


def get(target: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    """A request without a body."""
    rows = "".join(f"{header}\r\n" for header in headers)
    return f"{method} {target} HTTP/{version}\r\nHost: h\r\n{rows}\r\n".encode()


def last(target: str, **more: str) -> bytes:
    """A request after which the server closes."""
    return get(target, "Connection: close", **more)


async def read_one(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """One answer with a length: its head and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    return head, await reader.readexactly(int(length[1]))


@pytest.fixture
def echo(returning: Make) -> Caller:
    """Answers with what the query asks for."""
    return returning(CODE)


def test_a_connection_is_kept_for_the_next_request(echo: Caller) -> None:
    """And closed when the caller asks for it."""

    async def scenario() -> None:
        async with serving(echo.gateway.plane) as server, connected(server) as (reader, writer):
            for number in range(3):
                writer.write(get(f"/dev/?n={number}"))
                head, body = await read_one(reader)
                assert head.startswith(b"HTTP/1.1 200 OK\r\n")
                assert b"connection" not in head
                assert body == str(number).encode()
            writer.write(last("/dev/?n=last"))
            head, body = await read_one(reader)
            assert b"\r\nconnection: close\r\n" in head
            assert (body, await reader.read()) == (b"last", b"")

    asyncio.run(scenario())


def test_a_hundred_pipelined_requests_are_answered_in_order(echo: Caller) -> None:
    """Each with its own request id."""
    requests = b"".join(get(f"/dev/?n={number}") for number in range(99)) + last("/dev/?n=99")

    async def scenario() -> None:
        async with serving(echo.gateway.plane) as server, connected(server) as (reader, writer):
            writer.write(requests)
            answers = [await read_one(reader) for _ in range(100)]
            assert [int(body) for _, body in answers] == list(range(100))
            heads = b"".join(head for head, _ in answers)
            assert len(set(re.findall(rb"x-api-requestid: (\w{32})", heads))) == 100
            assert await reader.read() == b""

    asyncio.run(scenario())


TABLE = {
    "an ordinary answer": last("/dev/?n=7"),
    "an empty body": last("/dev/"),
    "HEAD": last("/dev/?n=7", method="HEAD"),
    "204": last("/dev/?n=7&status=204"),
    "304": last("/dev/?n=7&status=304"),
    "HEAD of a 204": last("/dev/?status=204", method="HEAD"),
    "a status without a phrase": last("/dev/?status=599"),
    "several values": last("/dev/?cookies"),
    "a function error": last("/dev/?raise"),
    "a malformed answer": last("/dev/?status=9"),
    "a gateway error": last("/qa/"),
    "a long answer": last("/dev/?size=200000"),
    "HTTP/1.0": get("/dev/?n=7", version="1.0"),
    "HTTP/1.0, keep-alive": get("/dev/?n=7", "Connection: keep-alive", version="1.0"),
    "a body": get("/dev/", "Content-Length: 4", "Connection: close", method="POST") + b"body",
    "a chunked body": get("/dev/", "Transfer-Encoding: chunked", "Connection: close", method="POST")
    + b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
    "two requests": get("/dev/?n=1") + last("/dev/?n=2"),
    "HEAD and another": get("/dev/", method="HEAD") + last("/dev/?n=2"),
    "an upgrade": get("/dev/?n=7", "Upgrade: h2c", "Connection: close, upgrade"),
    "100-continue": get(
        "/dev/", "Content-Length: 2", "Expect: 100-continue", "Connection: close", method="POST"
    )
    + b"ab",
}


def test_the_short_way_out_sends_what_the_ordinary_one_sends(
    echo: Caller, subtests: pytest.Subtests
) -> None:
    """Byte for byte, but for the clock and the request id."""
    plane = echo.gateway.plane

    def timeless(answer: bytes) -> bytes:
        answer = re.sub(rb"\r\ndate: [^\r]*", b"\r\ndate: *", answer)
        return re.sub(rb"[0-9a-f]{32}", b"*" * 32, answer)

    async def scenario() -> None:
        async with serving(plane) as fast, serving(plane, HttpToolsProtocol) as plain:
            for name, sent in TABLE.items():
                short, ordinary = [timeless(await talk(server, sent)) for server in (fast, plain)]
                with subtests.test(name):
                    assert short == ordinary
                    assert short.startswith(b"HTTP/1.1 ")
                    final = short.rpartition(b"HTTP/1.1 ")[2]
                    assert final.count(b"\r\ndate: ") == final.count(b"\r\nx-api-requestid: ") == 1

    asyncio.run(scenario())


def test_a_slow_reader_gets_everything_the_ordinary_way(echo: Caller) -> None:
    """While the caller does not read, the extension refuses and the answer waits its turn."""
    size = 6_000_000
    said: list[bool] = []

    async def scenario() -> None:
        refused = asyncio.Event()

        async def app(scope: dict[str, Any], receive: object, send: object) -> None:
            reply = scope["extensions"][REPLY]

            def spy(*arguments: object) -> bool:
                said.append(reply(*arguments))
                if not said[-1]:
                    refused.set()
                return said[-1]

            scope["extensions"] = {REPLY: spy}
            plane: Any = echo.gateway.plane
            await plane(scope, receive, send)

        requests = [get(f"/dev/?n={n}&size={size}") for n in range(7)]
        async with serving(app) as server, connected(server) as (reader, writer):
            writer.write(b"".join(requests) + last(f"/dev/?n=7&size={size}"))
            await refused.wait()
            for number in range(8):
                _, body = await read_one(reader)
                assert body == str(number).encode() + b"x" * size
            assert await reader.read() == b""

    asyncio.run(scenario())
    assert (said[0], False in said) == (True, True)


def test_a_caller_who_leaves_before_the_body_is_complete_disturbs_nobody(echo: Caller) -> None:
    """Nothing is run or counted for it, and the next caller is answered."""

    async def scenario() -> None:
        begun, over = asyncio.Event(), asyncio.Event()

        async def app(scope: dict[str, Any], receive: Any, send: object) -> None:  # noqa: ANN401
            async def heard() -> object:
                message = await receive()
                begun.set()
                return message

            plane: Any = echo.gateway.plane
            await plane(scope, heard, send)
            over.set()

        async with serving(app) as server:
            async with connected(server) as (_, writer):
                writer.write(get("/dev/", "Content-Length: 9", method="POST") + b"half")
                await begun.wait()
            await over.wait()
            assert echo.gateway.observer.counters.total() == 0
            answer = await talk(server, last("/dev/?n=next"))
            assert answer.endswith(b"\r\n\r\nnext")

    asyncio.run(scenario())


@pytest.mark.parametrize("protocol", [GatewayProtocol, HttpToolsProtocol])
def test_a_caller_who_leaves_before_the_answer_is_still_counted(
    returning: Make, gates: ModuleType, protocol: type[asyncio.Protocol]
) -> None:
    """The function ran; the answer reaches nobody and nothing breaks."""
    code = """
        import gates_of_this_test as gates
        async def main_handler(event, context):
            gates.reached.set()
            await gates.gate.wait()
            return {"statusCode": 200}
    """
    caller = returning(code)

    async def scenario() -> None:
        reached, gate, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        vars(gates).update(reached=reached, gate=gate)

        async def leaving(receive: Any) -> None:  # noqa: ANN401
            while (await receive())["type"] != "http.disconnect":
                pass
            gate.set()

        async def app(scope: dict[str, Any], receive: Any, send: object) -> None:  # noqa: ANN401
            plane: Any = caller.gateway.plane
            await asyncio.gather(plane(scope, receive, send), leaving(receive))
            over.set()

        async with serving(app, protocol) as server:
            async with connected(server) as (_, writer):
                writer.write(get("/dev/"))
                await reached.wait()
            await over.wait()

    asyncio.run(scenario())
    assert caller.gateway.observer.counters.total() == 1


def test_an_error_inside_the_application_is_a_500_and_the_server_goes_on(
    echo: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and told to nobody outside."""

    async def app(scope: dict[str, Any], receive: object, send: object) -> None:
        if scope["path"] == "/broken":
            raise RuntimeError("not for callers")
        plane: Any = echo.gateway.plane
        await plane(scope, receive, send)

    async def scenario() -> tuple[bytes, bytes]:
        async with serving(app) as server:
            return await talk(server, get("/broken")), await talk(server, last("/dev/?n=7"))

    broken, fine = asyncio.run(scenario())
    assert broken.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"not for callers" not in broken
    assert fine.endswith(b"\r\n\r\n7")
    assert "not for callers" in caplog.text


def test_an_application_that_has_begun_an_answer_cannot_take_the_short_way(echo: Caller) -> None:
    """The extension says so instead of mixing two answers up."""
    said: list[bool] = []

    async def app(scope: dict[str, Any], _receive: object, send: Any) -> None:  # noqa: ANN401
        reply = scope["extensions"][REPLY]
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        said.append(reply(200, b"", b"no"))
        await send({"type": "http.response.body", "body": b"ok"})

    async def scenario() -> bytes:
        async with serving(app) as server:
            return await talk(server, last("/"))

    assert asyncio.run(scenario()).endswith(b"\r\n\r\nok")
    assert said == [False]
    assert echo.gateway.observer.counters.total() == 0


def test_a_mock_takes_the_short_way_too(make: Make) -> None:
    """Its answer is the same every time, and counted."""
    caller = make(
        '[service]\nname = "shop"\n[[apis]]\nmethod = "GET"\npath = "=/ping"\n'
        'mock = { body = "pong" }\n[stages.dev]\nalias = "$DEFAULT"\n'
    )

    async def scenario() -> bytes:
        async with serving(caller.gateway.plane) as server:
            return await talk(server, get("/dev/ping") + last("/dev/ping"))

    answer = asyncio.run(scenario())
    assert answer.count(b"\r\n\r\npong") == 2
    assert caller.gateway.observer.counters.total() == 2


def test_no_header_of_the_server_says_what_it_is(echo: Caller) -> None:
    """Callers need not know."""

    async def scenario() -> bytes:
        async with serving(echo.gateway.plane) as server:
            return await talk(server, last("/dev/"))

    assert b"\r\nserver:" not in asyncio.run(scenario()).lower()


def test_proxy_headers_are_believed_from_nobody(returning: Make) -> None:
    """The source is the address of the connection."""
    caller = returning('event["requestContext"]["sourceIp"]', integrated=False)

    async def scenario() -> bytes:
        async with serving(caller.gateway.plane) as server:
            return await talk(server, get("/dev/", "X-Forwarded-For: 6.6.6.6", "Connection: close"))

    assert asyncio.run(scenario()).endswith(b'"127.0.0.1"')


def test_what_is_in_flight_is_finished_after_stop(returning: Make, gates: ModuleType) -> None:
    """New connections are refused meanwhile."""
    code = """
        import gates_of_this_test as gates
        async def main_handler(event, context):
            gates.reached.set()
            await gates.gate.wait()
            return {"statusCode": 200, "body": "finished"}
    """
    caller = returning(code)

    async def scenario() -> bytes:
        reached, gate, stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()
        vars(gates).update(reached=reached, gate=gate)

        class Told(HttpServer):
            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                # After the steps in which the server accepts what waits, and closes.
                asyncio.get_running_loop().call_later(0.05, stopping.set)
                await super().shutdown(sockets)

        server = Told(caller.gateway.plane, bind("127.0.0.1", 0))
        task = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        async with connected(server) as (reader, writer):
            writer.write(get("/dev/"))
            await reached.wait()
            server.stop()
            await stopping.wait()
            assert not task.done()
            assert server.listener.fileno() == -1
            gate.set()
            answer = await reader.read()
        await task
        return answer

    answer = asyncio.run(scenario())
    assert answer.endswith(b"\r\n\r\nfinished")


def test_a_body_that_is_on_its_way_is_still_taken_after_stop(echo: Caller) -> None:
    """The request is in flight since its head arrived."""

    async def scenario() -> bytes:
        begun, stopping = asyncio.Event(), asyncio.Event()

        async def app(scope: dict[str, Any], receive: Any, send: object) -> None:  # noqa: ANN401
            async def heard() -> object:
                message = await receive()
                begun.set()
                return message

            plane: Any = echo.gateway.plane
            await plane(scope, heard, send)

        class Told(HttpServer):
            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                # After the step in which the server tells its connections.
                asyncio.get_running_loop().call_soon(stopping.set)
                await super().shutdown(sockets)

        server = Told(app, bind("127.0.0.1", 0))
        task = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        async with connected(server) as (reader, writer):
            writer.write(get("/dev/", "Content-Length: 8", method="POST") + b"half")
            await begun.wait()
            server.stop()
            await stopping.wait()
            writer.write(b"done")
            answer = await reader.read()
        await task
        return answer

    answer = asyncio.run(asyncio.wait_for(scenario(), 5))
    assert answer.endswith(b"\r\n\r\nhalfdone")


def test_a_listener_says_where_it_answers() -> None:
    """Also on IPv6, where the machine has it."""
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert HttpServer(nothing, listener).url == f"http://127.0.0.1:{port}"
    try:
        listener = bind("::1", 0)
    except PortInUse:
        pytest.skip("this machine has no IPv6")
    with listener:
        port = listener.getsockname()[1]
        assert HttpServer(nothing, listener).url == f"http://[::1]:{port}"


async def nothing(_scope: object, _receive: object, _send: object) -> None:
    """An application that is never called."""


def test_an_address_is_had_once() -> None:
    """A second listener is refused at once, even when the first one serves nobody yet."""
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortInUse, match=f"cannot listen on 127.0.0.1:{port}: Address already"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("no.such.host.invalid", id="unknown"),
        pytest.param("a" * 70, id="label too long"),
        pytest.param("ü" * 70, id="label too long, encoded"),
        pytest.param("a..b", id="empty label"),
        pytest.param("192.0.2.1", id="not this machine's"),
    ],
)
def test_a_host_that_is_none_is_told_in_one_sentence(host: str) -> None:
    """Whatever it is that the system finds wrong."""
    with pytest.raises(PortInUse, match=re.escape(f"cannot listen on {host}:0: ")):
        bind(host, 0)


def test_a_refused_address_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed before the error is raised."""
    made: list[socket.socket] = []

    class Kept(socket.socket):
        def __init__(self, *arguments: Any) -> None:  # noqa: ANN401
            super().__init__(*arguments)
            made.append(self)

    with bind("127.0.0.1", 0) as first:
        first.listen()
        monkeypatch.setattr(socket, "socket", Kept)
        with pytest.raises(PortInUse):
            bind("127.0.0.1", first.getsockname()[1])
    assert [s.fileno() for s in made] == [-1]
