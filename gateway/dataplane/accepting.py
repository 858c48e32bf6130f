"""Accepting from a listener that other processes accept from as well: in turn, and nobody is lost.

Who has more connections than another leaves the next one to it for a moment, so that none takes
all. A process that goes, or hangs, leaves the listener to the others.
"""

from __future__ import annotations

import asyncio
import mmap
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

PAUSE_SECONDS: Final = 0.1
"""How long nothing is accepted after the system granted no connection more."""

YIELD_SECONDS: Final = 0.005
"""How long a connection is left to those who have fewer."""

_ABSENT: Final = 0xFFFF_FFFF
_WIDTH: Final = 4


class Crowd:
    """How many connections each of several processes has, in memory that they share.

    Args:
        descriptor: A file of `size_of` bytes; it may be closed afterwards.
        number: Which of the processes this is, from 0.
    """

    def __init__(self, descriptor: int, number: int = 0) -> None:
        self._counts = memoryview(mmap.mmap(descriptor, 0)).cast("I")
        self._number = number

    @staticmethod
    def size_of(processes: int) -> int:
        """Bytes for so many processes."""
        return processes * _WIDTH

    def tell(self, count: int) -> None:
        """This process has so many."""
        self._counts[self._number] = count

    def leave(self, number: int) -> None:
        """A process is not there: nobody leaves anything to it."""
        self._counts[number] = _ABSENT

    def is_ahead(self, count: int) -> bool:
        """Whether somebody has fewer than this process, which has so many."""
        fewest = min(self._counts)
        return count > fewest + fewest // 8


class Accepting:
    """Accepts from a listener until it is closed; the listener itself stays open meanwhile.

    Args:
        listener: A listening socket that does not block.
        make: Makes the protocol of a connection.
        crowd: Knows how many connections the others have.
        count: How many connections there are here.
    """

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[], asyncio.Protocol],
        crowd: Crowd,
        count: Callable[[], int],
    ) -> None:
        self._listener = listener
        self._make = make
        self._crowd = crowd
        self._count = count
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        self._closed = False
        self.tell()
        self._begin()

    def tell(self) -> None:
        """Tell the others how many connections there are here."""
        self._crowd.tell(self._count() + len(self._connecting))

    def close(self) -> None:
        """Take what waits already, and nothing more."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._listener)
            while self._accept():
                pass

    async def wait_closed(self) -> None:
        """Wait until what was taken is connected."""
        await asyncio.gather(*self._connecting)

    def _begin(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._listener, self._turn)

    def _turn(self) -> None:
        if self._crowd.is_ahead(self._count() + len(self._connecting)):
            self._pause(YIELD_SECONDS, self._overdue)
        else:
            self._accept()

    def _overdue(self) -> None:
        """Take what the others had time to take; perhaps they are busy."""
        if not self._closed:
            self._begin()
            self._accept()

    def _pause(self, seconds: float, after: Callable[[], object]) -> None:
        self._loop.remove_reader(self._listener)
        self._loop.call_later(seconds, after)

    def _accept(self) -> bool:
        """Take one connection; whether there was one."""
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # another process was first, or it left
            return False
        except OSError:  # no descriptor is left: those who end will give some back
            self._pause(PAUSE_SECONDS, self._begin)
            return False
        connection.settimeout(0)
        with suppress(OSError):  # it has gone already
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._connect(connection))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        self.tell()
        return True

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make, connection)
        except OSError:  # it has gone already
            connection.close()
