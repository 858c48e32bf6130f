"""The front on a socket: tunnels, plain requests, refusals, and clients that do not go on."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
import uvloop

from gateway.intercept.front import FrontProtocol, Tunnels
from gateway.intercept.opening import MAX_HEAD

if TYPE_CHECKING:
    from tests.intercept.conftest import Front, Fronted, Loop

pytestmark = pytest.mark.sockets

SCF = "scf.tencentcloudapi.com"
COS = "code-12.cos.ap-guangzhou.myqcloud.com"
TUNNEL = f"CONNECT {SCF}:443 HTTP/1.1\r\nHost: {SCF}:443\r\n\r\n".encode()
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
LOOPS = pytest.mark.parametrize("loop", [None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
"""Tunnels rely on the loop for TLS."""


def client(front: Fronted) -> httpx.AsyncClient:
    """A client that has a front as its proxy and trusts its authority."""
    proxy = f"http://127.0.0.1:{front.port}"
    return httpx.AsyncClient(proxy=proxy, verify=front.client_context, trust_env=False)


@LOOPS
@pytest.mark.parametrize(
    ("url", "answer"),
    [
        (f"https://{SCF}/", f"api {SCF} POST / 300000 127.0.0.1:8081"),
        (f"http://{SCF}/", f"api {SCF} POST / 300000 127.0.0.1:8081"),
        (f"https://{COS}/a/b.zip", f"objects {COS} POST /a/b.zip 300000 127.0.0.1:8081"),
        (f"http://{COS}/a/b.zip", f"objects {COS} POST /a/b.zip 300000 127.0.0.1:8081"),
    ],
)
def test_a_request_reaches_whoever_answers_for_its_host(
    front: Front, loop: Loop, url: str, answer: str
) -> None:
    """Through a tunnel and without one, again and again on one connection."""

    async def scenario(fronted: Fronted) -> list[str]:
        async with client(fronted) as asking:
            return [(await asking.post(url, content=b"x" * 300_000)).text for _ in range(3)]

    assert front(scenario, loop) == [answer] * 3


@LOOPS
def test_bytes_may_come_in_any_pieces(front: Front, loop: Loop) -> None:
    """The opening byte by byte, then both a head and a body."""

    async def scenario(fronted: Fronted) -> bytes:
        reader, writer = await fronted.opened()
        for byte in TUNNEL:
            writer.write(bytes([byte]))
            await writer.drain()
        assert await reader.readuntil(b"\r\n\r\n") == OPEN
        await writer.start_tls(fronted.client_context, server_hostname=SCF)
        request = f"PUT /x HTTP/1.1\r\nHost: {SCF}\r\nContent-Length: 3\r\n\r\nabc".encode()
        for byte in request:
            writer.write(bytes([byte]))
            await writer.drain()
        writer.write(f"GET / HTTP/1.1\r\nHost: {SCF}\r\nConnection: close\r\n\r\n".encode())
        answers = await reader.read()
        writer.close()
        return answers

    answers = front(scenario, loop)
    assert f"api {SCF} PUT /x 3 ".encode() in answers
    assert f"api {SCF} GET / 0 ".encode() in answers


def test_what_is_sent_right_behind_the_handshake_is_not_lost(front: Front) -> None:
    """It may be there before the protocol that reads it."""

    async def scenario(fronted: Fronted) -> list[bytes]:
        async def once() -> bytes:
            reader, writer = await fronted.tunnelled(SCF)
            writer.write(f"GET / HTTP/1.1\r\nHost: {SCF}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            return answer

        return list(await asyncio.gather(*(once() for _ in range(20))))

    assert all(b" 200 " in answer for answer in front(scenario))


def test_a_tunnel_to_port_80_is_without_tls(front: Front) -> None:
    """Some clients ask for one even there."""

    async def scenario(fronted: Fronted) -> bytes:
        reader, writer = await fronted.opened()
        writer.write(f"CONNECT {SCF}:80 HTTP/1.1\r\n\r\n".encode())
        assert await reader.readuntil(b"\r\n\r\n") == OPEN
        writer.write(f"GET / HTTP/1.1\r\nHost: {SCF}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer

    assert f"api {SCF} GET / 0 ".encode() in front(scenario)


REFUSED = [
    (b"CONNECT example.com:443 HTTP/1.1\r\n\r\n", 403, "'example.com'"),
    (b"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", 403, "'example.com'"),
    (f"GET http://example.com/ HTTP/1.1\r\nHost: {SCF}\r\n\r\n".encode(), 403, "example.com"),
    (f"GET http://{SCF}/ HTTP/1.1\r\nHost: example.com\r\n\r\n".encode(), 403, "example.com"),
    (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 403, "'127.0.0.1'"),
    (b"GET / HTTP/1.1\r\n\r\n", 403, "''"),
    (b"CONNECT nonsense\r\n\r\n", 400, "CONNECT HOST:PORT"),
    (TUNNEL + b"more", 400, "wait for 200"),
    (b"CONNECT " + b"x" * MAX_HEAD, 431, "above 8,192 bytes"),
    (b"CONNECT scf.aa--b.tencentcloudapi.com:443 HTTP/1.1\r\n\r\n", 403, "no certificate"),
]


@pytest.fixture(scope="module")
def refusals(front: Front) -> dict[bytes, tuple[bytes, list[str]]]:
    """What one front answers to each of them, and what it tells then."""

    async def scenario(fronted: Fronted) -> dict[bytes, tuple[bytes, list[str]]]:
        found = {}
        for data, _, _ in REFUSED:
            fronted.told.clear()
            found[data] = await fronted.said(data), fronted.told.copy()
        return found

    return front(scenario)


@pytest.mark.parametrize(("data", "status", "words"), REFUSED)
def test_what_is_refused_is_told(
    refusals: dict[bytes, tuple[bytes, list[str]]], data: bytes, status: int, words: str
) -> None:
    """To the client, and to whoever serves."""
    answer, told = refusals[data]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"content-length: %d" % len(body) in head.lower()
    assert words in body.decode()
    assert told == [body.decode().strip()]


BAD = [
    b"\r\n\r\n\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET\r\n\r\n",
    b"connect a:1 HTTP/1.1\r\n\r\n",
    b"\x00" * 9000,
    b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: " + b"x" * 20_000 + b"\r\n\r\n",
    f"POST / HTTP/1.1\r\nHost: {SCF}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
    f"GET / HTTP/1.1\r\nHost: {SCF}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode(),
]


def test_nonsense_ends_its_connection_and_nothing_else(front: Front) -> None:
    """Answered or not; the next client is served."""

    async def scenario(fronted: Fronted) -> None:
        async with client(fronted) as asking:
            for data in BAD:
                answer = await fronted.said(data)
                assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200 ")), data
                assert (await asking.get(f"https://{SCF}/")).text.startswith(f"api {SCF}")
        await fronted.until(0)

    front(scenario)


def test_a_client_that_does_not_trust_the_authority_is_told(front: Front) -> None:
    """Whoever serves learns what is missing there."""

    async def scenario(fronted: Fronted) -> list[str]:
        proxy = f"http://127.0.0.1:{fronted.port}"
        async with httpx.AsyncClient(proxy=proxy, trust_env=False) as asking:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await asking.get(f"https://{SCF}/")
        await fronted.heard.wait()
        return fronted.told

    (told,) = front(scenario)
    assert told.startswith(f"TLS with a client of {SCF!r} failed: ")
    assert told.endswith("it has to trust the authority's certificate")


@LOOPS
@pytest.mark.parametrize(
    "opening",
    [b"", b"CONN", TUNNEL[:-2], TUNNEL, TUNNEL + b"<TLS>"],
    ids=["nothing", "a word", "half a head", "no TLS", "half of TLS"],
)
def test_a_client_that_does_not_go_on_is_let_go(front: Front, loop: Loop, opening: bytes) -> None:
    """Wherever it stops."""

    async def scenario(fronted: Fronted) -> bytes:
        reader, writer = await fronted.opened()
        head, half, _ = opening.partition(b"<TLS>")
        writer.write(head)
        if half:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"\x16\x03\x01\x02\x00\x01")
        answer = b""
        with suppress(ConnectionResetError):
            answer = await reader.read()
        writer.close()
        await fronted.until(0)
        return answer

    assert front(scenario, loop, seconds=0.05) in {b"", OPEN}


@LOOPS
def test_clients_that_leave_at_any_moment_leave_nothing(front: Front, loop: Loop) -> None:
    """Neither a connection nor a descriptor."""

    async def scenario(fronted: Fronted) -> tuple[int, int]:
        async def leave(data: bytes, *, hard: bool) -> None:
            _, writer = await fronted.opened()
            writer.write(data)
            await writer.drain()
            if hard:  # with a reset
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
            writer.close()

        async def everybody() -> None:
            for data in (b"", b"CONN", TUNNEL, TUNNEL + b"\x16\x03", *BAD):
                await asyncio.gather(*(leave(data, hard=hard) for hard in (False, True) * 4))
            await fronted.until(0)

        await everybody()
        before = psutil.Process().num_fds()
        for _ in range(3):
            await everybody()
        gc.collect()
        return before, psutil.Process().num_fds()

    before, after = front(scenario, loop, seconds=1.0)
    assert after <= before + 2


def test_only_so_many_connections_are_there_at_a_time(front: Front) -> None:
    """Who comes too late is told; when somebody leaves, there is room again."""

    async def scenario(fronted: Fronted) -> tuple[bytes, str]:
        others = [await fronted.opened() for _ in range(3)]
        await fronted.until(3)
        refused = await fronted.said(b"")
        for _, writer in others:
            writer.close()
        await fronted.until(0)
        async with client(fronted) as asking:
            return refused, (await asking.get(f"https://{SCF}/")).text

    refused, served = front(scenario, most=3)
    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert refused.endswith(b"there are 3 connections already\n")
    assert served.startswith(f"api {SCF}")


@LOOPS
@pytest.mark.parametrize("opening", [b"", TUNNEL], ids=["at the opening", "at the handshake"])
def test_a_server_that_ends_ends_those_who_wait(front: Front, loop: Loop, opening: bytes) -> None:
    """At once: nothing of theirs is lost."""

    async def scenario(fronted: Fronted) -> None:
        reader, writer = await fronted.opened()
        writer.write(opening)
        if opening:
            await reader.readuntil(b"\r\n\r\n")
        await fronted.until(1)
        fronted.server.stop()
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

    front(scenario, loop)


class Transport(asyncio.Transport):
    """Takes down what is written."""

    written = b""

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        """Nothing is read."""

    def abort(self) -> None:
        """There is no connection."""


def test_a_server_that_ends_while_a_certificate_is_made_opens_no_tunnel() -> None:
    """The client is gone by then."""

    async def whole() -> bytes:
        made = asyncio.Event()
        loop = asyncio.get_running_loop()

        def context(_name: str) -> ssl.SSLContext:
            loop.call_soon_threadsafe(made.set)
            return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

        connections: set[Any] = set()
        protocol = FrontProtocol(asyncio.Protocol, Tunnels(context, print), connections)
        transport = Transport()
        protocol.connection_made(transport)
        protocol.data_received(TUNNEL)
        (opening,) = asyncio.all_tasks() - {asyncio.current_task()}
        protocol.shutdown()
        protocol.data_received(b"too late")
        await made.wait()
        await opening
        assert not connections
        return transport.written

    assert asyncio.run(whole()) == b""
