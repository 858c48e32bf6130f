"""Bodies of single APIs: refused before they are read where a length tells, else while they are."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from gateway.core.apply import apply
from gateway.core.changes import Release
from gateway.dataplane.limits import Edge, Limits
from gateway.dataplane.limits_body import UNBOUNDED, Bounds
from gateway.dataplane.server import HttpServer, bind

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

USUAL = 1000
STAGES = """
[service]
name = "shop"
[functions.echo]
source = "functions/echo"

[[apis]]
method = "ANY"
path = "/usual"
function = "echo"
[[apis]]
method = "POST"
path = "/small/{id}"
function = "echo"
max_body = 10
[[apis]]
method = "ANY"
path = "/large"
function = "echo"
max_body = 5_000
[[apis]]
method = "ANY"
path = "/none"
function = "echo"
max_body = 0
[[apis]]
method = "ANY"
path = "=/fixed"
mock = { body = "fixed" }
max_body = 10

[stages.dev]
alias = "$DEFAULT"
"""
CODE = """
async def main_handler(event, context):
    return {"statusCode": 200, "body": str(len(event.get("body", "")))}
"""


@pytest.fixture
def shop(make: Make) -> Caller:
    """Tells how long a body was."""
    return make(STAGES, {"echo/latest": CODE})


def ask(caller: Caller, *pieces: bytes, body: int | None = USUAL) -> bytes:
    """Everything that comes back until the connection ends."""

    async def scenario() -> bytes:
        edge = Edge(Limits(body=body))
        server = HttpServer(caller.gateway.plane, bind("127.0.0.1", 0), edge=edge)
        serving = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        reader, writer = await asyncio.open_connection(*server.listener.getsockname()[:2])
        try:
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            return await asyncio.wait_for(reader.read(), 30)
        finally:
            writer.close()
            server.stop(force=True)
            await serving

    return caller.run(scenario())


def head(path: str, *headers: str, host: str = "h", method: str = "POST") -> bytes:
    """A head; the connection ends behind the answer."""
    rows = "".join(f"{header}\r\n" for header in (*headers, "Connection: close"))
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{rows}\r\n".encode()


def sized(path: str, size: int, **more: str) -> bytes:
    """A request that says how long it is."""
    return head(path, f"Content-Length: {size}", **more) + b"x" * size


def chunked(path: str, *sizes: int) -> bytes:
    """A request that does not."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (size, b"x" * size) for size in sizes)
    return head(path, "Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"


CASES = {
    "an api that says nothing": (sized("/dev/usual", USUAL), 200),
    "one byte more": (sized("/dev/usual", USUAL + 1), 413),
    "an api that takes less": (sized("/dev/small/1", 10), 200),
    "more than that": (sized("/dev/small/1", 11), 413),
    "an api that takes more": (sized("/dev/large", 5000), 200),
    "more than that too": (sized("/dev/large", 5001), 413),
    "an api that takes none": (sized("/dev/none", 1), 413),
    "and none it gets": (sized("/dev/none", 0), 200),
    "no body at all": (head("/dev/none", method="GET"), 200),
    "another method": (sized("/dev/small/1", 11, method="PUT"), 404),
    "by host name": (sized("/small/1", 11, host="dev.localhost"), 413),
    "a path that is written otherwise": (sized("/dev/./sm%61ll/1?a=/dev/large", 11), 413),
    "a fixed answer": (sized("/dev/fixed", 11), 413),
    "no such stage": (sized("/nowhere/large", USUAL + 1), 413),
    "no such stage, little": (sized("/nowhere/large", 1), 404),
    "chunks within the usual": (chunked("/dev/usual", 500, 500), 200),
    "chunks beyond it": (chunked("/dev/usual", 500, 501), 413),
    "chunks within less": (chunked("/dev/small/1", 5, 5), 200),
    "chunks beyond less": (chunked("/dev/small/1", 5, 6), 413),
    "chunks within more": (chunked("/dev/large", 2000, 3000), 200),
    "chunks beyond more": (chunked("/dev/large", 2000, 3001), 413),
    "trailers": (
        head("/dev/small/1", "Transfer-Encoding: chunked") + b"1\r\nx\r\n0\r\nExpect: x\r\n\r\n",
        400,
    ),
}


@pytest.mark.sockets
@pytest.mark.parametrize("name", CASES)
def test_an_api_bounds_its_bodies(shop: Caller, name: str) -> None:
    """The connection ends with the answer, which can be read."""
    sent, status = CASES[name]
    answer = ask(shop, sent)
    assert re.findall(rb"HTTP/1\.1 (\d{3})", answer) == [str(status).encode()], answer
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.sockets
def test_what_is_too_long_is_refused_before_it_comes(shop: Caller) -> None:
    """Nobody is asked to go on, and nothing of the body is waited for."""
    sent = head("/dev/small/1", "Content-Length: 11", "Expect: 100-continue")
    answer = ask(shop, sent)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.sockets
def test_a_listener_without_a_bound_keeps_those_of_apis(shop: Caller) -> None:
    """They do not depend on it."""
    assert ask(shop, sized("/dev/usual", USUAL + 1), body=None).startswith(b"HTTP/1.1 200 ")
    assert ask(shop, sized("/dev/small/1", 11), body=None).startswith(b"HTTP/1.1 413 ")


def looks(caller: Caller) -> bool:
    """Whether anybody asks what an API says."""
    return caller.gateway.plane.bounds.active


def test_nobody_looks_where_no_api_says_anything(shop: Caller, make: Make) -> None:
    """A release settles it for the next request."""
    assert looks(shop)
    live = shop.gateway.live
    stage = next(iter(live.snapshot.services.values())).stages["dev"]
    plain = Release("service-default", "dev", stage.apis[:1])
    live.swap(apply(live.snapshot, plain))
    assert not looks(shop)
    live.swap(apply(live.snapshot, Release("service-default", "dev", stage.apis)))
    assert looks(shop)
    quiet = make(re.sub("max_body = .*", "", STAGES), {"echo/latest": CODE})
    assert not looks(quiet)
    assert not UNBOUNDED.active


@pytest.mark.parametrize(
    ("target", "host", "most"),
    [
        pytest.param(b"/dev/large", b"h", 5000, id="a path"),
        pytest.param(b"http://other/dev/large#part", b"h", 5000, id="a proxy's, with a part"),
        pytest.param(b"/large", b"dev.localhost:8080", 5000, id="a host"),
        pytest.param(b"/dev/usual", b"h", None, id="nothing said"),
        pytest.param(b"/", b"echo.fn.localhost", None, id="a function's own address"),
        pytest.param(b"/dev/../../x", b"h", None, id="above the root"),
    ],
)
def test_the_api_is_found_as_it_will_be(
    shop: Caller, target: bytes, host: bytes, most: int | None
) -> None:
    """In every form of a target that a listener may take."""
    bounds = Bounds()
    bounds.follow(shop.gateway.live.snapshot)
    assert bounds.most(b"POST", target, [(b"x", b"y"), (b"host", host)]) == most
