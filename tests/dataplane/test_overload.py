"""More requests than may be answered at once: refused quickly, told when to come back, counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from gateway.dataplane.limits import Edge
from gateway.dataplane.server import HttpServer, bind
from gateway.observe import Label

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

pytestmark = pytest.mark.sockets

CODE = """
import gates_of_this_test as gates

async def main_handler(event, context):
    if "wait" in event["queryString"]:
        gates.reached.release()
        await gates.gate.wait()
    return {"statusCode": 200, "body": "done"}
"""

Ask = Callable[[str], Awaitable[bytes]]


def overloaded(
    caller: Caller,
    gates: ModuleType,
    most: int,
    scenario: Callable[[HttpServer, Ask], Awaitable[None]],
) -> None:
    """Serve a gateway that answers so many requests, and fill it with as many that wait."""

    async def whole() -> None:
        edge = Edge(requests=most)
        server = HttpServer(caller.gateway.plane, bind("127.0.0.1", 0), sockets=True, edge=edge)
        caller.gateway.plane.load = server.load
        serving = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()

        async def ask(target: str) -> bytes:
            port = server.listener.getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            writer.write(head.encode())
            answer = await reader.read()
            writer.close()
            return answer

        vars(gates).update(reached=asyncio.Semaphore(0), gate=asyncio.Event())
        waiting = [asyncio.create_task(ask("/dev/?wait")) for _ in range(most)]
        for _ in waiting:
            await gates.reached.acquire()
        await scenario(server, ask)
        gates.gate.set()
        assert all(answer.endswith(b"done") for answer in await asyncio.gather(*waiting))
        assert (await ask("/dev/")).endswith(b"done")
        assert server.load.running == 0
        server.stop(force=True)
        await serving

    asyncio.run(asyncio.wait_for(whole(), 20))


@pytest.mark.parametrize("target", ["/dev/", "/dev/none", "/nowhere/", "/"])
def test_one_request_too_many_is_refused_at_once_and_counted(
    returning: Make, gates: ModuleType, target: str
) -> None:
    """Whomever it is for; those that are being answered are not disturbed."""
    caller = returning(CODE)

    async def scenario(_server: HttpServer, ask: Ask) -> None:
        for number in range(1, 4):
            answer = await ask(target)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: 1\r\n" in answer
            assert answer.endswith(b'{"message": "the gateway is answering 3 requests, '
                                   b'as many as it may"}')  # fmt: skip
            counters = caller.gateway.observer.counters
            assert counters.total() == number
            assert counters.cell(Label("")).statuses == {503: number}

    overloaded(caller, gates, 3, scenario)


def test_a_server_that_takes_no_short_way_refuses_as_well(
    returning: Make, gates: ModuleType
) -> None:
    """Through ASGI alone."""
    caller = returning(CODE)

    async def scenario(server: HttpServer, _ask: Ask) -> None:
        server.load.running += 1  # as a protocol counts
        answer = await caller.ask("/dev/")
        server.load.running -= 1
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")

    overloaded(caller, gates, 1, scenario)


def test_a_connection_that_becomes_a_web_socket_is_no_request(
    returning: Make, gates: ModuleType
) -> None:
    """Its first bytes were counted as one, and are not any more."""
    caller = returning(CODE)

    async def scenario(server: HttpServer, _ask: Ask) -> None:
        port = server.listener.getsockname()[1]
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"GET /dev/none HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
                b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
        assert server.load.running == 1

    overloaded(caller, gates, 1, scenario)
