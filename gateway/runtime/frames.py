"""The gateway and a function's own process talk in JSON, each message with its length before it."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from socket import socket

_HEAD: Final = struct.Struct("!I")
_CHUNK: Final = 262_144


def framed(message: object) -> bytes:
    """A message, ready to be sent.

    Raises:
        TypeError: It is no JSON.
        ValueError: It is no JSON: a number that is none, or a value inside itself.
        RecursionError: It is nested too deeply.
    """
    body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
    return _HEAD.pack(len(body)) + body


class Frames:
    """Puts messages together again from whatever pieces they arrive in."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._bytes += data

    def take(self) -> bytes | None:
        """The next message that is complete, if there is one."""
        if len(self._bytes) < _HEAD.size:
            return None
        end = _HEAD.size + _HEAD.unpack_from(self._bytes)[0]
        if len(self._bytes) < end:
            return None
        message = bytes(self._bytes[_HEAD.size : end])
        del self._bytes[:end]
        return message

    def receive(self, channel: socket) -> bytes | None:
        """Wait for the next message; `None` when the other side has gone."""
        while (message := self.take()) is None:
            data = channel.recv(_CHUNK)
            if not data:
                return None
            self.feed(data)
        return message
