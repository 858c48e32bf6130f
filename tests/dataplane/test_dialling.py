"""Back ends are whom they may be: never the gateway itself, never where credentials are kept."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from gateway.dataplane import dialling
from gateway.dataplane.dialling import (
    AddressInfo,
    Dialler,
    ForbiddenAddress,
    Origin,
    OwnListener,
    is_forbidden,
)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listener of ours."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def info(host: str, port: int) -> AddressInfo:
    """An address as it is handed over when a connection is about to be made."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]


def dial(dialler: Dialler, host: str, port: int) -> None:
    """Connect, and close."""

    async def scenario() -> None:
        made: list[asyncio.Transport] = []

        class Noting(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                assert isinstance(transport, asyncio.Transport)
                made.append(transport)

        await dialler.dial(Origin(host, port, is_tls=False), Noting)
        made[0].abort()

    asyncio.run(scenario())


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
def test_a_listener_is_not_even_connected_to(listener: socket.socket) -> None:
    """It is refused before a packet is sent."""
    dialler, port = Dialler(), listener.getsockname()[1]
    dialler.spare([listener])
    with pytest.raises(OwnListener):
        dial(dialler, "127.0.0.1", port)
    listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize(
    "host",
    [
        "169.254.0.23", "169.254.169.254", "169.254.0.0", "169.254.255.255", "100.100.100.200",
        "fe80::1", "fe80::1%eth0", "febf::ffff", "fd00:ec2::254", "fd20:ce::254",
        "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
        "::ffff:100.100.100.200",
    ],
)  # fmt: skip
def test_credentials_of_machines_are_out_of_reach(host: str) -> None:
    """Link-local addresses and those of metadata services, in every spelling."""
    assert is_forbidden(host)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "192.168.0.1", "169.253.255.255", "169.255.0.0", "100.100.100.201",
     "::1", "fec0::1", "fd00:ec2::253", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1"],
)  # fmt: skip
def test_neighbours_of_those_are_not(host: str) -> None:
    """Private networks are where back ends of a laptop are."""
    assert not is_forbidden(host)


@pytest.mark.sockets
@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "::ffff:169.254.169.254", "0xa9fea9fe", "2852039166", "169.254.43518"],
)
def test_a_forbidden_address_is_not_even_connected_to(host: str) -> None:
    """After the name is resolved, so that its spelling is of no importance."""
    with pytest.raises(ForbiddenAddress, match=r"metadata service: .*169\.254|a9fe"):
        dial(Dialler(), host, 80)


@pytest.mark.sockets
def test_the_next_address_is_tried(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may have several: forbidden, silent and dead ones are passed over."""
    port = listener.getsockname()[1]
    found = [info("169.254.169.254", port), info("127.0.0.9", port), info("127.0.0.1", port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: found)
    dial(Dialler(), "back.test", port)
    listener.accept()[0].close()


@pytest.mark.sockets
def test_a_name_without_an_address_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error like any other."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: [])
    with pytest.raises(OSError, match="no address"):
        dial(Dialler(), "back.test", 80)


@pytest.mark.sockets
def test_an_address_that_does_not_answer_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener whose queue is full accepts nobody else."""
    monkeypatch.setattr(dialling, "CONNECT_SECONDS", 0.05)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.settimeout(0)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(TimeoutError):
            dial(Dialler(), "127.0.0.1", full.getsockname()[1])
