"""HTTP/1 on a connection, whatever the application does: limits, framing, faults, idle ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.dataplane.exchange import REPLY
from gateway.dataplane.server import HttpServer, bind

pytestmark = pytest.mark.sockets

App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
PLAIN = [(b"content-type", b"text/plain")]


@asynccontextmanager
async def serving(app: App) -> AsyncIterator[int]:
    """A server on a free port."""
    server = HttpServer(app, bind("127.0.0.1", 0))
    task = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    try:
        yield server.listener.getsockname()[1]
    finally:
        server.stop(force=True)
        await task


async def talk(port: int, *pieces: bytes) -> bytes:
    """Everything that comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()
    except ConnectionResetError:
        return b"reset"
    finally:
        writer.close()


def timeless(answer: bytes) -> bytes:
    """An answer without the clock."""
    return re.sub(rb"date: [^\r]*\r\n", b"", answer)


def answers(app: App, *pieces: bytes) -> bytes:
    """What a connection to an application of its own brings."""

    async def scenario() -> bytes:
        async with serving(app) as port:
            return await talk(port, *pieces)

    return timeless(asyncio.run(asyncio.wait_for(scenario(), 20)))


async def ok(scope: dict[str, Any], _receive: object, _send: object) -> None:
    """Answers with what was asked for."""
    said = f"{scope['path']}?{scope['query_string'].decode()}"
    assert scope["extensions"][REPLY](200, b"x-own: 1\r\n", said.encode())


LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
FINE = b"HTTP/1.1 200 OK\r\nx-own: 1\r\ncontent-length: 6\r\nconnection: close\r\n\r\n/last?"


def request(*headers: bytes, target: bytes = b"/last", method: bytes = b"GET") -> bytes:
    """A request after which the server closes."""
    rows = b"".join(header + b"\r\n" for header in (b"Host: h", *headers, b"Connection: close"))
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, rows)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        pytest.param(request(target=b"/a%20b?x=%20&y"), b"/a b?x=%20&y", id="encoded path"),
        pytest.param(request(target=b"/a?b?c"), b"/a?b?c", id="question mark in a query"),
        pytest.param(request(target=b"/a?"), b"/a?", id="empty query"),
        pytest.param(request(target=b"/" + b"a" * 8000), b"/" + b"a" * 8000 + b"?", id="long"),
        pytest.param(request(b"A: " + b"a" * 15000), b"/last?", id="long header"),
        pytest.param(request(*[b"A: a"] * 98), b"/last?", id="many headers"),
    ],
)
def test_a_request_within_the_limits_is_read_as_it_was_meant(sent: bytes, said: bytes) -> None:
    """In one piece or byte by byte."""
    bytewise = [sent[i : i + 1] for i in range(len(sent))] if len(sent) < 200 else [sent]

    async def scenario() -> list[bytes]:
        async with serving(ok) as port:
            return [await talk(port, sent), await talk(port, *bytewise)]

    for answer in asyncio.run(asyncio.wait_for(scenario(), 20)):
        assert answer.endswith(b"\r\n\r\n" + said)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(request(target=b"/" + b"a" * 9000), 414, id="target too long"),
        pytest.param(request(b"A: " + b"a" * 17000), 431, id="header too long"),
        pytest.param(request(*[b"A: a"] * 200), 431, id="too many headers"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"a" * 40000, 431, id="a head without an end"),
        pytest.param(b"nonsense\r\n\r\n", 400, id="no HTTP"),
        pytest.param(request(b"no colon"), 400, id="no header"),
        pytest.param(request(b"Content-Length: x"), 400, id="length that is none"),
        pytest.param(request(b"Content-Length: 1", b"Content-Length: 2"), 400, id="two lengths"),
        pytest.param(request(b"Content-Length: 1", b"Transfer-Encoding: chunked"), 400,
                     id="two framings"),
        pytest.param(request(target=b"*", method=b"OPTIONS"), 400, id="no path"),
    ],
)  # fmt: skip
def test_a_request_that_is_not_taken_is_refused_and_the_connection_closed(
    sent: bytes, status: int
) -> None:
    """And no application sees it."""

    async def never(_scope: object, _receive: object, _send: object) -> None:
        raise AssertionError("the application was called")

    answer = answers(never, sent)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close\r\n" in answer


def test_a_request_before_a_bad_one_is_answered() -> None:
    """The bad one only ends the connection."""
    gate = b"GET /first HTTP/1.1\r\nHost: h\r\n\r\n"

    async def slow(scope: dict[str, Any], receive: Any, send: object) -> None:  # noqa: ANN401
        await asyncio.sleep(0)
        await ok(scope, receive, send)

    answer = answers(slow, gate + b"nonsense\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n/first?")
    assert answer.count(b"HTTP/1.1 ") == 1


def sending(*messages: dict[str, Any]) -> App:
    """An application that sends these messages."""

    async def app(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401
        for message in messages:
            await send(message)

    return app


def begin(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """The first message of an answer."""
    return {"type": "http.response.start", "status": status, "headers": headers}


def piece(body: bytes, *, more: bool = False) -> dict[str, Any]:
    """A piece of its body."""
    return {"type": "http.response.body", "body": body, "more_body": more}


HEAD_1_0 = b"GET / HTTP/1.0\r\n\r\n"


@pytest.mark.parametrize(
    ("messages", "sent", "answer"),
    [
        pytest.param(
            (begin(), piece(b"one", more=True), piece(b"", more=True), piece(b"two")), LAST,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
            b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", id="chunks",
        ),
        pytest.param(
            (begin(), piece(b"one", more=True), piece(b"two")), HEAD_1_0,
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonetwo", id="until the end, for HTTP/1.0",
        ),
        pytest.param(
            (begin(200, (b"content-length", b"6")), piece(b"one", more=True), piece(b"two")), LAST,
            b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nonetwo", id="length",
        ),
        pytest.param(
            (begin(200, (b"content-length", b"6")), piece(b"onetwo")),
            LAST.replace(b"GET", b"HEAD"),
            b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n", id="HEAD",
        ),
        pytest.param(
            (begin(200), piece(b"onetwo")), LAST.replace(b"GET", b"HEAD"),
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", id="HEAD without a length",
        ),
        pytest.param(
            (begin(204), piece(b"")), LAST,
            b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n", id="204",
        ),
        pytest.param(
            (begin(200, (b"Connection", b"Close"), (b"content-length", b"0")), piece(b"")),
            LAST.replace(b"Connection: close\r\n", b""),
            b"HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n",
            id="the application closes",
        ),
    ],
)  # fmt: skip
def test_an_answer_in_pieces_is_framed_for_its_caller(
    messages: tuple[dict[str, Any], ...], sent: bytes, answer: bytes
) -> None:
    """By its length, in chunks, or by the end of the connection."""
    assert answers(sending(*messages), sent) == answer


def test_a_chunked_answer_keeps_the_connection() -> None:
    """The next request is answered on it."""
    app = sending(begin(), piece(b"x"))
    answer = answers(app, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" + LAST)
    assert answer.count(b"1\r\nx\r\n0\r\n\r\n") == 2


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param((), id="nothing"),
        pytest.param((piece(b"x"),), id="a body first"),
        pytest.param(({"type": "http.nonsense"},), id="an unknown message"),
        pytest.param((begin(200, (b"a b", b"x")),), id="a malformed name"),
        pytest.param((begin(200, (b"a", b"x\r\nb: y")),), id="a line end in a value"),
    ],
)
def test_an_application_that_fails_before_its_answer_is_a_500(
    messages: tuple[dict[str, Any], ...], caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is in the log, not in the answer."""
    answer = answers(sending(*messages), LAST)
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"connection: close\r\n" in answer
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("messages", "received"),
    [
        pytest.param((begin(),), b"", id="no body"),
        pytest.param((begin(), begin()), b"", id="two starts"),
        pytest.param((begin(), piece(b"one", more=True)), b"3\r\none\r\n", id="half a body"),
        pytest.param((begin(200, (b"content-length", b"6")), piece(b"one")), b"", id="too short"),
        pytest.param((begin(200, (b"content-length", b"2")), piece(b"one")), b"", id="too long"),
    ],
)
def test_an_answer_that_cannot_be_completed_cuts_the_connection(
    messages: tuple[dict[str, Any], ...], received: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller must not take half of it for the whole."""
    answer = answers(sending(*messages), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    body = answer.partition(b"\r\n\r\n")[2]
    assert answer == b"reset" or body in {b"", received}
    assert b"0\r\n\r\n" not in body
    assert len(caplog.records) == 1


def test_a_failure_after_the_answer_is_logged_and_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller has its answer."""

    async def app(scope: dict[str, Any], receive: object, send: object) -> None:
        await ok(scope, receive, send)
        raise RuntimeError("afterwards")

    assert answers(app, LAST) == FINE
    assert "afterwards" in caplog.text


def test_a_body_is_received_in_pieces_and_then_the_end() -> None:
    """After the last piece, `receive` waits for the caller to leave or the answer to be out."""
    heard: list[tuple[str, bytes, bool]] = []

    async def app(scope: dict[str, Any], receive: Any, send: object) -> None:  # noqa: ANN401
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            heard.append((message["type"], message["body"], more))
        await ok(scope, receive, send)
        assert (await receive())["type"] == "http.disconnect"

    body = b"x" * 300_000
    sent = request(b"Content-Length: 300000", method=b"POST") + body
    assert answers(app, sent) == FINE
    assert b"".join(each for _, each, _ in heard) == body
    assert {kind for kind, _, _ in heard} == {"http.request"}
    assert [more for _, _, more in heard] == [True] * (len(heard) - 1) + [False]


def test_a_body_that_nobody_reads_does_not_disturb_the_next_request() -> None:
    """It is let go when the answer is out."""
    first = b"POST /first HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    answer = answers(ok, first + LAST)
    assert answer.endswith(FINE)
    assert b"/first?" in answer


def test_a_caller_is_told_to_go_on_only_when_the_body_is_wanted() -> None:
    """100-continue (RFC 9110 10.1.1)."""

    async def reading(scope: dict[str, Any], receive: Any, send: object) -> None:  # noqa: ANN401
        await receive()
        await ok(scope, receive, send)

    sent = request(b"Content-Length: 2", b"Expect: 100-continue", method=b"POST") + b"ab"
    assert answers(reading, sent) == b"HTTP/1.1 100 Continue\r\n\r\n" + FINE
    assert answers(ok, sent) == FINE


def test_a_slow_reader_holds_up_a_stream_and_nobody_else() -> None:
    """`send` waits until the caller has read enough, or has gone."""
    size = 1 << 20

    async def scenario() -> None:
        count, full, over = 0, asyncio.Event(), asyncio.Event()

        async def app(scope: dict[str, Any], receive: object, send: Any) -> None:  # noqa: ANN401
            nonlocal count
            if scope["path"] == "/last":
                await ok(scope, receive, send)
                return
            await send(begin())
            for number in range(64):
                count = number
                sent = asyncio.ensure_future(send(piece(b"x" * size, more=True)))
                await asyncio.wait([sent], timeout=0)
                if not sent.done():
                    full.set()
                await sent
            over.set()
            await send(piece(b""))

        async with serving(app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            await full.wait()
            assert count < 63
            assert (await talk(port, LAST)).endswith(b"/last?")
            answer = await reader.read()
            assert len(answer.partition(b"\r\n\r\n")[2]) == 64 * size
            writer.close()

            full.clear()
            over.clear()
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            await full.wait()
            writer.transport.abort()
            await over.wait()

    asyncio.run(asyncio.wait_for(scenario(), 20))


BROKEN = request(b"Transfer-Encoding: chunked", method=b"POST") + b"2\r\nab\r\nnonsense\r\n"


def test_a_body_that_breaks_its_framing_ends_the_request() -> None:
    """The application is told that there will be no more, and the caller that it is to blame."""
    heard: list[str] = []

    async def app(_scope: object, receive: Any, _send: object) -> None:  # noqa: ANN401
        while not heard or heard[-1] != "http.disconnect":
            heard.append((await receive())["type"])

    answer = answers(app, BROKEN)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert heard[-1] == "http.disconnect"


def test_a_body_that_breaks_its_framing_during_an_answer_cuts_it_off() -> None:
    """Nothing is written behind what was begun."""

    async def scenario() -> bytes:
        begun = asyncio.Event()

        async def app(_scope: object, receive: Any, send: Any) -> None:  # noqa: ANN401
            await receive()
            await send(begin(200, (b"content-length", b"9")))
            begun.set()
            while (await receive())["type"] != "http.disconnect":
                pass

        async with serving(app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head, _, rest = BROKEN.partition(b"nonsense")
            writer.write(head)
            await begun.wait()
            writer.write(b"nonsense" + rest)
            try:
                return await reader.read()
            except ConnectionResetError:
                return b""
            finally:
                writer.close()

    assert asyncio.run(asyncio.wait_for(scenario(), 20)).count(b"HTTP/1.1 ") <= 1


def test_an_answer_to_a_caller_who_has_gone_is_dropped() -> None:
    """Neither way of sending fails."""
    said: list[object] = []

    async def scenario() -> None:
        begun, over = asyncio.Event(), asyncio.Event()

        async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:  # noqa: ANN401
            begun.set()
            while (await receive())["type"] != "http.disconnect":
                pass
            said.append(await send(begin()))
            said.append(scope["extensions"][REPLY](200, b"", b""))
            over.set()

        async with serving(app) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            await begun.wait()
            writer.close()
            await over.wait()

    asyncio.run(asyncio.wait_for(scenario(), 20))
    assert said == [None, True]


def test_a_forced_stop_cuts_what_is_stuck() -> None:
    """The caller sees an end instead of half an answer."""

    async def scenario() -> None:
        begun = asyncio.Event()

        async def app(_scope: object, _receive: object, _send: object) -> None:
            begun.set()
            await asyncio.Event().wait()

        async with serving(app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(LAST)
            await begun.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        finally:
            writer.close()

    asyncio.run(scenario())
