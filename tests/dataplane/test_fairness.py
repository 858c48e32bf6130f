"""The last places of a listener: whoever holds half of all gets none, whoever holds few does."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from gateway.dataplane.limits import Edge
from gateway.dataplane.overload import Load
from gateway.dataplane.server import HttpServer, bind
from gateway.observe import Label

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

pytestmark = pytest.mark.sockets

MOST = 8
COMMON = 6

STAGES = """
[service]
name = "shop"
[functions.greedy]
source = "functions/greedy"
timeout = 60
concurrency = 10000
ISOLATION
[functions.modest]
source = "functions/modest"

[[apis]]
method = "ANY"
path = "/greedy"
function = "greedy"
[[apis]]
method = "ANY"
path = "/guarded"
function = "greedy"
cors = true
[[apis]]
method = "ANY"
path = "/modest"
function = "modest"
[[apis]]
method = "ANY"
path = "/fixed"
mock = { body = "fixed" }
[[apis]]
method = "ANY"
path = "/legacy"
http = { url = "BACKEND", timeout = 60 }

[stages.dev]
alias = "$DEFAULT"
"""
MODEST = """
async def main_handler(event, context):
    return {"statusCode": 200, "body": "done"}
"""
GREEDY = {
    "": """
import gates_of_this_test as gates

async def main_handler(event, context):
    gates.reached.release()
    await gates.gate.wait()
    return {"statusCode": 200, "body": "done"}
""",
    'isolation = "thread"': """
import gates_of_this_test as gates

def main_handler(event, context):
    gates.loop.call_soon_threadsafe(gates.reached.release)
    gates.threads.wait(60)
    return {"statusCode": 200, "body": "done"}
""",
    'isolation = "thread"\ntype = "web"': """
import gates_of_this_test as gates

def main_handler(environ, start_response):
    gates.loop.call_soon_threadsafe(gates.reached.release)
    gates.threads.wait(60)
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]
""",
}

Ask = Callable[[str], Coroutine[None, None, bytes]]


@asynccontextmanager
async def hanging(gates: ModuleType) -> AsyncIterator[str]:
    """A back end that answers when the gate opens; gives its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        gates.reached.release()
        await gates.gate.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


@asynccontextmanager
async def serving(caller: Caller) -> AsyncIterator[Ask]:
    """A listener with few places."""
    server = HttpServer(caller.gateway.plane, bind("127.0.0.1", 0), edge=Edge(requests=MOST))
    caller.gateway.plane.load = server.load
    running = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()

    async def ask(target: str) -> bytes:
        reader, writer = await asyncio.open_connection(*server.listener.getsockname()[:2])
        head = f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.read()
        writer.close()
        return answer

    try:
        yield ask
    finally:
        server.stop(force=True)
        await running


async def taken(gates: ModuleType, ask: Ask, target: str) -> list[asyncio.Task[bytes]]:
    """Requests that take every place that anybody may take, and wait."""
    waiting = [asyncio.create_task(ask(target)) for _ in range(COMMON)]
    for _ in waiting:
        await gates.reached.acquire()
    return waiting


def open_gates(gates: ModuleType) -> None:
    """Let everybody go on."""
    gates.gate.set()
    gates.threads.set()


def scenario(
    caller_of: Callable[[str], Caller], gates: ModuleType, target: str, others: list[str]
) -> None:
    """One who is asked too much, refused; the others served meanwhile."""

    async def whole() -> None:
        vars(gates).update(
            reached=asyncio.Semaphore(0),
            gate=asyncio.Event(),
            threads=threading.Event(),
            loop=asyncio.get_running_loop(),
        )
        async with hanging(gates) as url:
            caller = caller_of(url)
            try:
                async with serving(caller) as ask:
                    waiting = await taken(gates, ask, target)
                    refused = await ask(target)
                    assert refused.startswith(b"HTTP/1.1 503 "), refused
                    assert b"\r\nretry-after: 1\r\n" in refused
                    assert b"\r\nx-gateway-stage: dev\r\n" in refused
                    sentence = rb'is answering half of the 8 requests .*"}'
                    assert re.search(sentence, refused)
                    counters = caller.gateway.observer.counters
                    assert counters.cell(Label("dev")).statuses == {503: 1}
                    for other in others:
                        assert (await ask(other)).startswith(b"HTTP/1.1 200 "), other
                    open_gates(gates)
                    answers = await asyncio.gather(*waiting)
                    assert all(answer.endswith(b"done") for answer in answers)
                    assert (await ask(target)).endswith(b"done")
            finally:
                open_gates(gates)

    asyncio.run(asyncio.wait_for(whole(), 60))


@pytest.mark.parametrize("isolation", GREEDY, ids=["inline", "thread", "web"])
def test_a_function_that_takes_all_it_can_leaves_places_to_others(
    make: Make, gates: ModuleType, isolation: str
) -> None:
    """By whichever API it is asked; fixed answers and back ends are others too."""

    def caller_of(url: str) -> Caller:
        stages = STAGES.replace("ISOLATION", isolation).replace("BACKEND", url)
        return make(stages, {"greedy/latest": GREEDY[isolation], "modest/latest": MODEST})

    scenario(caller_of, gates, "/dev/greedy", ["/dev/modest", "/dev/fixed", "/dev/modest"])


def test_a_back_end_that_hangs_leaves_places_to_others(make: Make, gates: ModuleType) -> None:
    """It is known by its address."""

    def caller_of(url: str) -> Caller:
        stages = STAGES.replace("ISOLATION", "").replace("BACKEND", url)
        return make(stages, {"greedy/latest": GREEDY[""], "modest/latest": MODEST})

    scenario(caller_of, gates, "/dev/legacy", ["/dev/modest", "/dev/fixed"])


def test_several_apis_of_one_function_are_one(make: Make, gates: ModuleType) -> None:
    """A guard in between hides nobody."""

    def caller_of(url: str) -> Caller:
        stages = STAGES.replace("ISOLATION", "").replace("BACKEND", url)
        return make(stages, {"greedy/latest": GREEDY[""], "modest/latest": MODEST})

    scenario(caller_of, gates, "/dev/guarded", ["/dev/modest"])


@pytest.mark.parametrize(
    ("most", "common", "half"),
    [
        pytest.param(1, 1, 0, id="one: all of it"),
        pytest.param(3, 3, 1, id="three: all of them"),
        pytest.param(4, 3, 2, id="four: the last one is kept"),
        pytest.param(1000, 750, 500, id="the usual"),
    ],
)
def test_the_last_quarter_is_kept(most: int, common: int, half: int) -> None:
    """Where there are so few that a quarter of them is none, none is."""
    load = Load(most)
    assert (load.common, load.half) == (common, half)
