"""Connections towards back ends, and whom they never reach: the gateway itself and metadata.

Checked when a connection is made, after every name is resolved, and it is the checked address that
is connected to: no spelling of an address, and no name that was made to point here, gets a caller
through the data plane to the control plane or to a cloud's credentials.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Iterable
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, NamedTuple, TypeVar

CONNECT_SECONDS: Final = 2.0
"""How long all of a back end's addresses together may take to accept a connection."""

AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
"""Family, type, protocol, canonical name and address, as `socket.getaddrinfo` gives them."""

Address = IPv4Address | IPv6Address

_LINK_LOCAL: Final = (IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10"))
_METADATA: Final = frozenset(
    ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254")
)
"""Where clouds keep the credentials of a machine, beside their link-local addresses."""

_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as a translator between the two families spells them."""

_T = TypeVar("_T", bound=asyncio.BaseProtocol)


class OwnListener(OSError):
    """A back end whose address is the gateway itself."""


class ForbiddenAddress(OSError):
    """A back end whose address is link-local, or one of a cloud's metadata services."""


class Origin(NamedTuple):
    """Where a back end listens.

    Attributes:
        host: Its name or address.
        port: Its port.
        is_tls: Whether it is spoken to over TLS.
    """

    host: str
    port: int
    is_tls: bool


class Dialler:
    """Makes the connections to back ends."""

    def __init__(self) -> None:
        self._ports: frozenset[int] = frozenset()

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Checks certificates and names; made when it is first needed, because that takes long."""
        return ssl.create_default_context()

    def spare(self, listeners: Iterable[socket.socket], ports: Iterable[int] = ()) -> None:
        """Never connect to these listeners, nor to these ports of this machine."""
        self._ports = frozenset((*ports, *(each.getsockname()[1] for each in listeners)))

    def __call__(self, info: AddressInfo) -> socket.socket:
        """A socket that is about to be connected to an address.

        Raises:
            OwnListener: The address is that of one of the gateway's own listeners.
            ForbiddenAddress: The address is link-local, or a cloud's metadata service.
        """
        family, kind, protocol, _, address = info
        if address[1] in self._ports and _is_this_machine(family, address):
            raise OwnListener(errno.ECONNREFUSED, "a back end may not be the gateway itself")
        if is_forbidden(address[0]):
            what = f"a back end may not be link-local or a metadata service: {address[0]}"
            raise ForbiddenAddress(errno.EACCES, what)
        return socket.socket(family=family, type=kind, proto=protocol)

    async def dial(self, origin: Origin, make: Callable[[], _T]) -> _T:
        """Connect to the first address that accepts; each gets an equal share of the time.

        Raises:
            OSError: Nobody accepts, the certificate is not trusted, or the address is refused.
            TimeoutError: It took too long.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            infos = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        failure: OSError = OSError(errno.EHOSTUNREACH, "the name has no address")
        for info in infos:
            try:
                async with asyncio.timeout(CONNECT_SECONDS / len(infos)):
                    return await self._connect(origin, info, make)
            except OSError as error:  # TimeoutError is one
                failure = error
        raise failure

    async def _connect(self, origin: Origin, info: AddressInfo, make: Callable[[], _T]) -> _T:
        loop = asyncio.get_running_loop()
        made = self(info)
        try:
            made.settimeout(0)
            await loop.sock_connect(made, info[4])
            tls = self.tls if origin.is_tls else None
            name = origin.host if origin.is_tls else None
            _, wire = await loop.create_connection(make, sock=made, ssl=tls, server_hostname=name)
        except BaseException:
            made.close()
            raise
        return wire


def is_forbidden(host: str) -> bool:
    """Whether an address, in any spelling of either family, may be no back end's.

    Args:
        host: A numeric address; a zone behind `%` is of no importance.
    """
    for address in _spelt(ip_address(host.partition("%")[0])):
        if address in _METADATA or any(address in network for network in _LINK_LOCAL):
            return True
    return False


def _spelt(address: Address) -> Iterable[Address]:
    """An address and the IPv4 address inside it."""
    yield address
    if isinstance(address, IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour
        if address in _TRANSLATED:
            inside = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inside is not None:
            yield inside


def _is_this_machine(family: int, address: tuple[Any, ...]) -> bool:
    """Whether an address is one of this machine: nobody can bind another's."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address[0], 0, *address[2:]))
        except OSError:
            return False
    return True
