"""Sockets towards back ends, and whom they never reach: the gateway's own listeners.

Checked when a connection is made, after every name is resolved: no spelling of an address, and no
name that was made to point here, gets a caller through the data plane to the control plane.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from typing import Any

AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
"""Family, type, protocol, canonical name and address, as `socket.getaddrinfo` gives them."""


class OwnListener(OSError):
    """A back end whose address is the gateway itself."""


class Dialler:
    """Makes the sockets of back end connections."""

    def __init__(self) -> None:
        self._ports: frozenset[int] = frozenset()

    def spare(self, listeners: Iterable[socket.socket]) -> None:
        """Never connect to these listeners."""
        self._ports = frozenset(listener.getsockname()[1] for listener in listeners)

    def __call__(self, info: AddressInfo) -> socket.socket:
        """A socket that is about to be connected to an address.

        Raises:
            OwnListener: The address is that of one of the gateway's own listeners.
        """
        family, kind, protocol, _, address = info
        if address[1] in self._ports and _is_this_machine(family, address):
            raise OwnListener(errno.ECONNREFUSED, "a back end may not be the gateway itself")
        return socket.socket(family=family, type=kind, proto=protocol)


def _is_this_machine(family: int, address: tuple[Any, ...]) -> bool:
    """Whether an address is one of this machine: nobody can bind another's."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address[0], 0, *address[2:]))
        except OSError:
            return False
    return True
