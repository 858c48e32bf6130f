"""Listening sockets: bound here or handed down, and how a port goes from one gateway to the next.

Nothing of a server is in this module, so that whoever only holds sockets for others stays small.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from contextlib import suppress
from typing import Final

BACKLOG: Final = 2048
"""How many connections may wait to be accepted."""

HANDSHAKE_SECONDS: Final = 0.05
"""How long connections that are being made may take, until they wait to be accepted."""

_ATTACH: Final = 51  # SO_ATTACH_REUSEPORT_CBPF, which Python has no name for
_DETACH: Final = 68  # SO_DETACH_REUSEPORT_BPF


class PortInUse(Exception):
    """An address that cannot be bound; the message says which and why."""


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Args:
        host: The address.
        port: The port.
        shared: Whether other processes of the same user may listen there as well, if they say so
            too; new connections are divided among them.

    Raises:
        PortInUse: The address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        # Only a socket that listens keeps others off a port that may be used again.
        listener.listen(BACKLOG)
        if shared:
            _divide(listener)
    except (OSError, TypeError, UnicodeError) as error:  # the last two: a host that is no name
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise PortInUse(f"cannot listen on {host}:{port}: {reason}") from None
    listener.settimeout(0)
    return listener


def adopt(descriptor: int) -> socket.socket:
    """A listening socket that another process bound; no process that is started here gets it."""
    listener = socket.socket(fileno=descriptor)
    listener.set_inheritable(False)
    listener.settimeout(0)
    return listener


def url_of(listener: socket.socket) -> str:
    """Where a listener is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_shared(listener: socket.socket) -> bool:
    """Whether other processes may listen on its port as well."""
    return bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT))


def leave_to_the_next(listener: socket.socket) -> None:
    """Have Linux give new connections to whoever came second, if anybody did.

    A connection that is being made when its listener closes is reset, though another listens on
    the port. The oldest listener is the first to go and number 0; the program says `return 1`,
    which where there is no number 1 counts for nothing.
    """
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 1))
    with suppress(OSError):  # other systems have no such thing, and the gap is short
        filled = struct.pack("HP", 1, ctypes.addressof(program))
        listener.setsockopt(socket.SOL_SOCKET, _ATTACH, filled)


def _divide(listener: socket.socket) -> None:
    """Have new connections divided again, whatever one that has gone wanted."""
    with suppress(OSError):  # there was no such thing
        listener.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
