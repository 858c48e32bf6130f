"""Sending: byte by byte what was recorded, over real connections, and every end has its name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter

import pytest

from gateway.traffic.capturing import REDACTED
from gateway.traffic.outcome import End, Outcome, Said
from gateway.traffic.recording import Recorded
from gateway.traffic.sending import IDLE_SECONDS, NO_STAGE, Composer, Sender, Target
from gateway.traffic.sending_wire import Answer

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
SAID = (
    b"HTTP/1.1 201 Created\r\nX-Gateway-Function: orders\r\nX-Gateway-Alias: release\r\n"
    b"X-Gateway-Version: 2\r\nX-Gateway-Reason: weight\r\nX-Gateway-Revision: 7\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
)
GET = Recorded(0.0, "GET", "/orders/1", stage="release")


class Server:
    """Answers what it is told to, and keeps what it was sent.

    Attributes:
        heads: The heads of the requests, with what came of their bodies at once.
        connections: How many there were.
    """

    def __init__(self, *answers: bytes | None) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self.asked = asyncio.Event()
        self._tasks: set[asyncio.Task[object] | None] = set()
        self._answers = list(answers)

    async def over(self) -> None:
        """Wait until every connection is closed."""
        await asyncio.gather(*filter(None, self._tasks))

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.current_task())
        try:
            while data := await reader.read(65536):
                self.heads.append(data)
                self.asked.set()
                answer = self._answers.pop(0) if self._answers else OK
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
                if answer.endswith(b"CLOSE"):
                    break
        except ConnectionError:
            pass  # whoever has enough of an answer may cut the connection
        finally:
            writer.close()


@asynccontextmanager
async def sending(
    server: Server, patience: float = 5.0
) -> AsyncIterator[Callable[[Recorded], Awaitable[Outcome]]]:
    """A sender to a server."""
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    began = perf_counter()
    target = Target(f"http://127.0.0.1:{port}")
    async with listening:
        async with Sender(target, patience, lambda: perf_counter() - began) as sender:
            yield lambda recorded: sender.send(recorded, None)
        await server.over()


def outcomes(server: Server, *requests: Recorded, timeout: float = 5.0) -> list[Outcome]:
    """How requests end, one after another."""

    async def run() -> list[Outcome]:
        async with sending(server, timeout) as send:
            return [await send(each) for each in requests]

    return asyncio.run(run())


def composed(recorded: Recorded, **more: object) -> bytes | None:
    """The bytes of a request."""
    return Composer(Target("http://shop.example:81/base", **more)).request(recorded)  # type: ignore[arg-type]


def test_a_request_goes_out_as_it_was_recorded() -> None:
    """But for what belongs to a connection, to a gateway, or to nobody."""
    headers = (
        ("User", "B\xf6b"),
        ("Host", "old.example"),
        ("Connection", "close"),
        ("Content-Length", "99"),
        ("Authorization", REDACTED),
        ("X-Gateway-Version", "9"),
        ("User", "again"),
    )
    recorded = Recorded(0.0, "POST", "/orders%20/1", "a=%C3%B6", headers, b"\xff\x00")
    assert composed(recorded, stage="release") == (
        b"POST /base/release/orders%20/1?a=%C3%B6 HTTP/1.1\r\nhost: shop.example:81\r\n"
        b"User: B\xf6b\r\nUser: again\r\ncontent-length: 2\r\n\r\n\xff\x00"
    )


@pytest.mark.parametrize(
    ("recorded", "more", "begins"),
    [
        (GET, {"staged": False}, b"GET /base/orders/1 HTTP/1.1\r\n"),
        (GET, {}, b"GET /base/release/orders/1 HTTP/1.1\r\n"),
        (GET, {"stage": "dev"}, b"GET /base/dev/orders/1 HTTP/1.1\r\n"),
        (GET, {"stage": "a b\r\n"}, b"GET /base/a%20b%0D%0A/orders/1 HTTP/1.1\r\n"),
    ],
    ids=["no-stage", "recorded-stage", "other-stage", "odd-stage"],
)
def test_the_stage_goes_before_the_path(
    recorded: Recorded, more: dict[str, object], begins: bytes
) -> None:
    """Where there is one."""
    assert (composed(recorded, **more) or b"").startswith(begins)


def test_the_recorded_host_may_be_kept() -> None:
    """In place of the target's; where none was recorded the target's is sent."""
    kept = composed(GET._replace(headers=(("Host", "old.example"),)), keeps_host=True) or b""
    assert b"Host: old.example\r\n" in kept
    assert b"shop.example" not in kept
    assert b"host: shop.example:81\r\n" in (composed(GET, keeps_host=True) or b"")


@pytest.mark.parametrize(("method", "says"), [("POST", True), ("GET", False)])
def test_no_body_is_said_where_one_is_expected(method: str, says: bool) -> None:
    """RFC 9110 8.6."""
    sent = composed(GET._replace(method=method)) or b""
    assert (b"content-length: 0" in sent) is says


def test_headers_are_remembered_within_bounds() -> None:
    """Millions of different ones do not stay."""
    composer = Composer(Target("http://127.0.0.1"))
    for number in range(5000):
        sent = composer.request(GET._replace(headers=(("User", str(number)),)))
        assert f"User: {number}\r\n".encode() in (sent or b"")


def test_an_answer_tells_who_gave_it() -> None:
    """Its status, and what the gateway says of the decision."""
    server = Server(SAID, OK)
    first, second = outcomes(server, GET, GET)
    assert (first.end, first.status) == (End.ANSWERED, 201)
    assert first.said == Said("orders", "release", "2", "weight", "7")
    assert (second.status, second.said) == (200, Said())
    assert 0 <= first.slip == first.begun - first.due
    assert first.latency > 0


@pytest.mark.parametrize(
    ("answer", "method", "kept"),
    [
        (OK, "GET", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, "GET", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", True),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "GET", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "HEAD", True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", "GET", False),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the CLOSE", "GET", False),
        (OK + b"HTTP/1.1 200 unasked", "GET", False),
        (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "GET", False),
    ],
    ids=["plain", "interim", "204", "304", "head", "close", "until-end", "too-much", "switched"],
)
def test_answers_end_where_they_say(answer: bytes, method: str, kept: bool) -> None:
    """And a connection carries the next request only if it may."""
    server = Server(answer, OK)
    first, second = outcomes(server, GET._replace(method=method), GET)
    assert (first.end, second.end) == (End.ANSWERED, End.ANSWERED)
    assert server.connections == (1 if kept else 2)


def test_an_answer_may_come_byte_by_byte() -> None:
    """Cut anywhere, it is the same."""

    async def run() -> Answer:
        answer = Answer(asyncio.get_running_loop().create_future(), is_head=False)
        for byte in SAID:
            assert not answer.done.done()
            answer.read(bytes([byte]))
        await answer.done
        return answer

    answer = asyncio.run(run())
    assert (answer.status, answer.is_last) == (201, False)
    assert answer.said() == Said("orders", "release", "2", "weight", "7")


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK", b"garbage"], ids=["http", "garbage"])
@pytest.mark.parametrize("together", [True, False], ids=["at-once", "later"])
def test_what_follows_an_answer_unasked_makes_it_the_last(more: bytes, *, together: bool) -> None:
    """The next one on that connection could not be trusted."""

    async def run() -> Answer:
        answer = Answer(asyncio.get_running_loop().create_future(), is_head=False)
        for piece in (OK + more,) if together else (OK, more):
            answer.read(piece)
        await answer.done
        return answer

    assert asyncio.run(run()).is_last


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "the connection was closed before the answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nCLOSE", "the answer broke off"),
        (b"SSH-2.0-what\r\n", "it is no HTTP: "),
        (b"HTTP/1.1 200 OK\r\nx: " + b"x" * 300_000, "its head is too long"),
    ],
    ids=["none", "cut", "other-protocol", "endless-head"],
)
def test_what_has_no_whole_answer_has_failed(answer: bytes | None, why: str) -> None:
    """And the next request is none the worse for it."""
    first, second = outcomes(Server(answer, OK), GET, GET)
    assert first.end is End.FAILED
    assert first.why.startswith(why)
    assert second.end is End.ANSWERED


def test_who_is_silent_has_failed() -> None:
    """After the time that was given."""
    [outcome] = outcomes(Server(b""), GET, timeout=0.05)
    assert (outcome.end, outcome.why) == (End.FAILED, "no whole answer within 0.05 s")


def test_a_connection_that_takes_too_long_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not failed: it never left."""

    async def run() -> Outcome:
        async with Sender(Target("http://127.0.0.1:9"), 0.01, perf_counter) as sender:
            monkeypatch.setattr(sender, "_connected", asyncio.Event().wait)
            return await sender.send(GET, None)

    outcome = asyncio.run(run())
    assert (outcome.end, outcome.why) == (End.NOT_SENT, "no connection within 0.01 s")


def test_where_nobody_listens_nothing_is_sent() -> None:
    """Not failed: it never left."""

    async def run() -> Outcome:
        listening = await asyncio.start_server(Server(), "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        listening.close()
        await listening.wait_closed()
        async with Sender(Target(f"http://127.0.0.1:{port}"), 5.0, perf_counter) as sender:
            return await sender.send(GET, 1.0)

    outcome = asyncio.run(run())
    assert outcome.end is End.NOT_SENT
    assert outcome.why.startswith("no connection: ")
    assert outcome.due == 1.0


def test_a_name_is_looked_up_once_and_tried_at_every_address() -> None:
    """`localhost` has two on many machines; only one of them listens here."""

    async def run() -> list[Outcome]:
        server = Server(None)
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        target = Target(f"http://localhost:{port}")
        async with listening:
            async with Sender(target, 5.0, perf_counter) as sender:
                sender._addresses = ["127.0.0.2", "127.0.0.1"]
                found = [await sender.send(GET, None) for _ in range(2)]
                assert sender._addresses == ["127.0.0.1"]
            await server.over()
        return found

    assert [each.end for each in asyncio.run(run())] == [End.FAILED, End.ANSWERED]


def test_a_request_of_no_stage_is_not_sent() -> None:
    """Where the stage goes before the path."""
    [outcome] = outcomes(Server(), GET._replace(stage=None))
    assert (outcome.end, outcome.why) == (End.NOT_SENT, NO_STAGE)


def test_whoever_is_interrupted_has_failed() -> None:
    """Even a cancelled request is counted."""

    async def run() -> Outcome:
        server = Server(b"")
        async with sending(server) as send:
            task = asyncio.ensure_future(send(GET))
            await server.asked.wait()
            task.cancel()
            return await task

    outcome = asyncio.run(run())
    assert (outcome.end, outcome.why) == (End.FAILED, "interrupted")


def test_a_connection_that_was_idle_or_closed_is_not_used_again() -> None:
    """Servers close theirs after a while, and a request must not run into that."""

    async def run() -> int:
        server = Server()
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        target = Target(f"http://127.0.0.1:{port}")
        async with listening:
            async with Sender(target, 5.0, perf_counter) as sender:
                await sender.send(GET, None)
                [wire] = sender._idle
                wire.idle_since -= IDLE_SECONDS
                await sender.send(GET, None)
                sender._idle[0].data_received(b"unasked")
                assert not sender._idle[0].is_open
                assert (await sender.send(GET, None)).end is End.ANSWERED
            await server.over()
        return server.connections

    assert asyncio.run(run()) == 3
