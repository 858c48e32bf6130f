"""Several processes on one listener, which are one process here: nobody takes all of them."""

from __future__ import annotations

import asyncio
import errno
import socket
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.dataplane.accepting import Accepting, Crowd
from gateway.dataplane.listeners import adopt, bind, url_of
from gateway.dataplane.server import HttpServer

pytestmark = pytest.mark.sockets


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket."""
    with bind("127.0.0.1", 0) as bound:
        yield bound


def crowd(processes: int) -> list[Crowd]:
    """What so many processes know of each other."""
    with tempfile.TemporaryFile() as file:
        file.truncate(Crowd.size_of(processes))
        return [Crowd(file.fileno(), number) for number in range(processes)]


async def until(there: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    while not there():  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(0)


class Taker:
    """One of those who accept."""

    def __init__(self, listener: socket.socket, crowd: Crowd) -> None:
        self.taken = 0
        self.listener = listener
        self.accepting = Accepting(listener, self._make, crowd, lambda: self.taken)

    def _make(self) -> asyncio.Protocol:
        self.taken += 1
        return asyncio.Protocol()


@pytest.mark.parametrize(
    ("counts", "mine", "is_ahead"),
    [
        pytest.param([0, 0], 0, False, id="nobody has any"),
        pytest.param([1, 0], 1, True, id="one more than another"),
        pytest.param([1, 1], 1, False, id="as many"),
        pytest.param([9, 8], 9, False, id="hardly more"),
        pytest.param([10, 8], 10, True, id="more by more than an eighth"),
        pytest.param([5, 9], 5, False, id="fewer"),
        pytest.param([5, None], 5, False, id="nobody else is there"),
    ],
)
def test_who_has_more_leaves_the_next_one_to_another(
    counts: list[int | None], mine: int, is_ahead: bool
) -> None:
    """And nothing to one that is not there."""
    own, *others = members = crowd(len(counts))
    for number, (member, count) in enumerate(zip(members, counts, strict=True)):
        if count is None:
            own.leave(number)
        else:
            member.tell(count)
    assert own.is_ahead(mine) is is_ahead
    assert len(others) == 1


def test_connections_are_divided_among_those_who_accept(listener: socket.socket) -> None:
    """However many come at once."""

    async def scenario() -> list[int]:
        takers = [Taker(listener.dup(), member) for member in crowd(2)]
        address = listener.getsockname()
        lines = [await asyncio.open_connection(*address) for _ in range(40)]
        await until(lambda: sum(taker.taken for taker in takers) == 40)
        await end(takers, lines)
        for taker in takers:
            taker.listener.close()
        return [taker.taken for taker in takers]

    assert min(asyncio.run(scenario())) >= 10


def test_one_that_hangs_gets_nothing_for_ever(listener: socket.socket) -> None:
    """It seems to have none, and takes none."""

    async def scenario() -> int:
        own, _ = crowd(2)
        taker = Taker(listener, own)
        lines = [await asyncio.open_connection(*listener.getsockname()) for _ in range(3)]
        await until(lambda: taker.taken == 3)
        await end([taker], lines)
        return taker.taken

    assert asyncio.run(scenario()) == 3


def test_who_waits_is_taken_before_the_end(listener: socket.socket) -> None:
    """Once nothing more is accepted, the listener is left to others."""

    async def scenario() -> tuple[int, bool]:
        own, _ = crowd(2)
        taker = Taker(listener, own)
        lines = [socket.create_connection(listener.getsockname()) for _ in range(3)]
        taker.accepting.close()
        taker.accepting.close()
        await taker.accepting.wait_closed()
        for line in lines:
            line.close()
        with socket.create_connection(listener.getsockname()):
            for _ in range(5):
                await asyncio.sleep(0)
            waits = listener.accept()[0]
            waits.close()
        await asyncio.sleep(0)
        return taker.taken, listener.fileno() >= 0

    assert asyncio.run(scenario()) == (3, True)


class Reluctant:
    """A listener whose system grants no connection, as often as it is told to."""

    def __init__(self, listener: socket.socket, *errors: OSError) -> None:
        self._listener = listener
        self._errors = list(errors)

    def fileno(self) -> int:
        return self._listener.fileno()

    def accept(self) -> tuple[socket.socket, Any]:
        if self._errors:
            raise self._errors.pop(0)
        return self._listener.accept()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EAGAIN, errno.ECONNABORTED])
def test_one_connection_that_is_not_granted_is_not_the_end(
    listener: socket.socket, number: int
) -> None:
    """The next is accepted, at once or after a while."""

    async def scenario() -> int:
        own, _ = crowd(2)
        reluctant: Any = Reluctant(listener, OSError(number, ""))
        taker = Taker(reluctant, own)
        lines = [await asyncio.open_connection(*listener.getsockname())]
        await until(lambda: taker.taken == 1)
        await end([taker], lines)
        return taker.taken

    assert asyncio.run(scenario()) == 1


def test_what_is_due_after_the_end_is_left(listener: socket.socket) -> None:
    """Who paused does not accept again."""

    async def scenario() -> int:
        own, _ = crowd(2)
        reluctant: Any = Reluctant(listener, OSError(errno.EMFILE, ""))
        taker = Taker(reluctant, own)
        with socket.create_connection(listener.getsockname()):
            await until(lambda: not reluctant._errors)
            taker.accepting.close()
            taker.accepting._begin()
            taker.accepting._overdue()
            await taker.accepting.wait_closed()
            return taker.taken

    assert asyncio.run(scenario()) == 1


async def end(takers: list[Taker], lines: list[Any]) -> None:
    """Accept nothing more, and hang up."""
    for taker in takers:
        taker.accepting.close()
        await taker.accepting.wait_closed()
    for _, writer in lines:
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0)


def test_a_connection_that_cannot_be_taken_is_closed(listener: socket.socket) -> None:
    """Its caller learns of it, and the next one is taken."""

    def refuse() -> asyncio.Protocol:
        raise ConnectionResetError

    async def scenario() -> bytes:
        own, _ = crowd(2)
        accepting = Accepting(listener, refuse, own, lambda: 0)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        said = await reader.read()
        accepting.close()
        await accepting.wait_closed()
        writer.close()
        return said

    assert asyncio.run(scenario()) == b""


def test_a_listener_that_is_handed_down_goes_no_further(listener: socket.socket) -> None:
    """It does not block, and no process that is started gets it."""
    descriptor = listener.dup().detach()
    with adopt(descriptor) as adopted:
        assert url_of(adopted) == url_of(listener)
        assert (adopted.gettimeout(), adopted.get_inheritable()) == (0.0, False)


def test_two_servers_on_one_listener_answer_until_the_last_has_gone() -> None:
    """Each connection is one server's; one that stops leaves the listener to the other."""

    async def app(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401
        fields = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"ok"})

    async def ask(address: tuple[str, int]) -> bytes:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    async def scenario() -> list[int]:
        bound = bind("127.0.0.1", 0)
        address = bound.getsockname()
        servers = [HttpServer(app, bound.dup(), crowd=member) for member in crowd(2)]
        bound.close()
        tasks = [asyncio.create_task(server.run_until_stopped()) for server in servers]
        for server in servers:
            await server.ready.wait()
        for server, task in zip(servers, tasks, strict=True):
            for _ in range(4):
                assert (await ask(address)).endswith(b"ok")
            server.stop()
            await task
        with pytest.raises(ConnectionRefusedError):
            await ask(address)
        return [server.server_state.total_requests for server in servers]

    counts = asyncio.run(scenario())
    assert sum(counts) == 8
    assert counts[1] >= 4
