"""The way between a process of a gateway and the one that started it, seen from the former.

It reads what it is to do before anything else, so that nothing of it is in its command line. When
the other side is gone, the process ends too.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

_LONGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do.

    Attributes:
        name: What it is called.
        started: How many processes had its place before it.
        sockets: Descriptors of what it inherits, by use.
        given: The options of the command.
        data_url: Where callers reach the data plane.
        ports: Those of every listener of the gateway.
        folder: A private one, in which the processes of the gateway meet.
        number: Of a worker, which of them it is, from 0.
        workers: How many there are.
    """

    name: str
    started: int
    sockets: Mapping[str, int]
    given: Mapping[str, Any]
    data_url: str
    ports: tuple[int, ...]
    folder: str
    number: int = 0
    workers: int = 1


class Link:
    """One end of the way; it is not handed on to processes that are started here.

    Args:
        descriptor: Of the socket.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)

    def order(self) -> Order | None:
        """What is to be done; `None` where nobody is there any more to say so."""
        line = b""
        while not line.endswith(b"\n"):
            piece = self._socket.recv(65_536)
            if not piece:
                return None
            line += piece
        read = json.loads(line)
        return Order(**{**read, "ports": tuple(read["ports"])})

    def tell(self, **word: Any) -> None:  # noqa: ANN401 - JSON values
        """Tell the other side something; one that is gone does not mind."""
        with suppress(OSError):
            self._socket.sendall(json.dumps(word).encode() + b"\n")

    def close(self) -> None:
        """Nothing more is said or heard."""
        self._socket.close()

    async def words(self) -> AsyncIterator[Mapping[str, Any]]:
        """What the other side says, until it is gone."""
        reader, writer = await asyncio.open_connection(sock=self._socket.dup(), limit=_LONGEST)
        try:
            while line := await reader.readline():
                yield json.loads(line)
        finally:
            writer.close()
