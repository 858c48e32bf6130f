"""Back ends are whom they may be: the gateway's own listeners are never among them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import aiohttp
import pytest

from gateway.dataplane.dialling import AddressInfo, Dialler, OwnListener


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listener of ours."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def info(host: str, port: int) -> AddressInfo:
    """An address as it is handed over when a connection is about to be made."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]


@pytest.mark.sockets
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "0.0.0.0", "127.1"])
def test_no_spelling_of_this_machine_leads_to_a_listener(
    listener: socket.socket, host: str
) -> None:
    """The address counts, not the name."""
    dialler = Dialler()
    dialler.spare([listener])
    with pytest.raises(OwnListener, match="may not be the gateway itself"):
        dialler(info(host, listener.getsockname()[1]))


@pytest.mark.sockets
@pytest.mark.parametrize(
    "host", [pytest.param("192.0.2.1", id="another machine"), pytest.param("127.0.0.1", id="this")]
)
def test_everybody_else_may_be_a_back_end(listener: socket.socket, host: str) -> None:
    """The same port elsewhere, and other ports here."""
    dialler = Dialler()
    dialler.spare([listener])
    port = listener.getsockname()[1]
    with dialler(info(host, port + (host == "127.0.0.1"))) as made:
        assert made.family == socket.AF_INET
    with Dialler()(info("127.0.0.1", port)):
        pass  # one that was told nothing spares nobody


@pytest.mark.sockets
def test_a_client_is_told_that_it_cannot_connect(listener: socket.socket) -> None:
    """To aiohttp it is a connection that was refused."""
    dialler = Dialler()
    dialler.spare([listener])
    port = listener.getsockname()[1]

    async def ask() -> None:
        connector = aiohttp.TCPConnector(socket_factory=dialler)
        async with aiohttp.ClientSession(connector=connector) as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(f"http://localhost:{port}/api/snapshot")

    asyncio.run(ask())
    listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        listener.accept()
