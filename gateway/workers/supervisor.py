"""A gateway of several processes: one that is steered, workers that answer callers, one over all.

This one holds the listening sockets, so that whoever waits to be accepted outlives a process, and
starts the others. It loads neither plane: nothing that a request does can end it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from gateway.dataplane.accepting import Crowd
from gateway.dataplane.listeners import (
    HANDSHAKE_SECONDS,
    is_shared,
    leave_to_the_next,
    url_of,
)
from gateway.workers.place import NotStarted, Place
from gateway.workers.process import Process, Word

__all__ = ["Listeners", "NotStarted", "Supervisor"]

CONTROL: Final = "control"
ATTEMPTS: Final = 5
"""How often in a row a worker may fail to start before the gateway is given up."""

_LONGEST_PATH: Final = 60
_STOPS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets of a gateway.

    Attributes:
        data: What callers reach.
        control: What those who steer reach.
        front: The front for tools that know the cloud's hosts alone; `None` for none.
    """

    data: socket.socket
    control: socket.socket
    front: socket.socket | None = None

    def all(self) -> list[socket.socket]:
        """Those that there are."""
        return [each for each in (self.data, self.control, self.front) if each is not None]

    def close(self) -> None:
        """Leave them to whoever else has them."""
        for each in self.all():
            each.close()


class Supervisor:
    """Starts the processes of a gateway and sees to it that they are there.

    Args:
        listeners: The sockets; closed in the end.
        workers: How many processes answer callers.
        given: What each of them is told, beside its name.
        say: Is told what happens.

    Attributes:
        was_ready: Whether all of them ever were.
    """

    def __init__(
        self,
        listeners: Listeners,
        workers: int,
        given: Mapping[str, Any],
        say: Callable[[str], None],
    ) -> None:
        self.was_ready = False
        self._listeners = listeners
        self._given = given
        self._say = say
        self._asked = asyncio.Event()
        self._had_terminal = has_terminal()
        self._renewals = 0
        self._renewal: asyncio.Task[None] | None = None
        self._counts = tempfile.TemporaryFile()  # noqa: SIM115 - closed in the end
        self._counts.truncate(Crowd.size_of(workers))
        self._crowd = Crowd(self._counts.fileno())
        self._control = Place(CONTROL, self._start_control, say)
        self._folder = _private_folder()
        self._workers = [self._place(number) for number in range(workers)]
        self._places = [*self._workers, self._control]

    async def run(self, ready: Callable[[Word], None]) -> None:
        """Serve until a signal asks to stop; a second one does not wait for requests.

        SIGHUP has every process replaced, one after the other.

        Args:
            ready: Is given what the control process says, once all are ready.

        Raises:
            NotStarted: A process cannot be started.
        """
        work = asyncio.create_task(self._work(ready))
        asked = asyncio.create_task(self._asked.wait())
        with self._signals():
            try:
                await asyncio.wait((work, asked), return_when=asyncio.FIRST_COMPLETED)
            finally:
                ended = [work, asked, *([self._renewal] if self._renewal else [])]
                for task in ended:
                    task.cancel()
                await asyncio.gather(*ended, return_exceptions=True)
                await self._end()
        if not work.cancelled():
            work.result()

    def close(self) -> None:
        """Let go of what the processes share."""
        self._listeners.close()
        self._counts.close()
        self._folder.cleanup()

    async def _work(self, ready: Callable[[Word], None]) -> None:
        word = await self._control.fill()
        self._control.patience = None
        await asyncio.gather(*(worker.fill() for worker in self._workers))
        self.was_ready = True
        ready(word)
        self._loop_signal(signal.SIGHUP, self._hang_up)
        await asyncio.gather(*(place.keep() for place in self._places))

    async def _end(self) -> None:
        """Workers first: what they counted last is told by the one that is steered."""
        for place in self._places:
            place.close()
        if is_shared(self._listeners.data):
            for each in (self._listeners.data, self._listeners.control):
                leave_to_the_next(each)
            await asyncio.sleep(HANDSHAKE_SECONDS)
        self._listeners.close()
        for worker in self._workers:
            worker.stop()
        await asyncio.gather(*(worker.gone() for worker in self._workers))
        self._control.stop()
        await self._control.gone()
        self.close()

    # --- signals --------------------------------------------------------------------------------

    @contextmanager
    def _signals(self) -> Iterator[None]:
        for number in _STOPS:
            self._loop_signal(number, self._stop)
        self._loop_signal(signal.SIGHUP, lambda: None)
        try:
            yield
        finally:
            for number in (*_STOPS, signal.SIGHUP):
                asyncio.get_running_loop().remove_signal_handler(number)

    def _loop_signal(self, number: signal.Signals, act: Callable[[], None]) -> None:
        asyncio.get_running_loop().add_signal_handler(number, act)

    def _stop(self) -> None:
        if self._asked.is_set():
            for place in self._places:
                place.stop()
        self._asked.set()

    def _hang_up(self) -> None:
        """Whoever closes a terminal wants to end what runs in it, and does not mean an upgrade."""
        if self._had_terminal and not has_terminal():
            self._stop()
        else:
            self._renew()

    def _renew(self) -> None:
        self._renewals += 1
        if self._renewals == 1:
            self._renewal = asyncio.create_task(self._renew_all())

    async def _renew_all(self) -> None:
        """Once more for whoever asked meanwhile: what is on disk may be newer than the first."""
        while self._renewals:
            asked = self._renewals
            self._say("replacing every process, one after the other")
            if await self._renewed():
                self._say("every process was replaced")
            self._renewals -= asked

    async def _renewed(self) -> bool:
        """The first that does not come up ends it: the others would not either."""
        for place in self._places:
            if not await place.renew(first=place is not self._control):
                return False
        return True

    # --- processes ------------------------------------------------------------------------------

    def _place(self, number: int) -> Place:
        def start(started: int) -> Awaitable[Process]:
            sockets = {"data": self._listeners.data.fileno(), "crowd": self._counts.fileno()}
            return self._start(f"worker-{number + 1}", started, sockets, number)

        def left() -> None:
            self._crowd.leave(number)

        place = Place(f"worker-{number + 1}", start, self._say, left)
        place.patience = ATTEMPTS
        return place

    def _start_control(self, started: int) -> Awaitable[Process]:
        sockets = {"control": self._listeners.control.fileno()}
        if self._listeners.front is not None:
            sockets["front"] = self._listeners.front.fileno()
        return self._start(CONTROL, started, sockets)

    def _start(
        self, name: str, started: int, sockets: Mapping[str, int], number: int = 0
    ) -> Awaitable[Process]:
        order = {
            "name": name,
            "number": number,
            "started": started,
            "sockets": sockets,
            "given": self._given,
            "data_url": url_of(self._listeners.data),
            "ports": [each.getsockname()[1] for each in self._listeners.all()],
            "folder": self._folder.name,
            "workers": len(self._workers),
        }
        return Process.start(order, list(sockets.values()), self._hear)

    def _hear(self, word: Word) -> None:
        """What the one that is steered says is meant for the workers."""
        for worker in self._workers:
            worker.tell(word)


def has_terminal() -> bool:
    """Whether there is a terminal that controls this process."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _private_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder whose path leaves room for the names of sockets."""
    place = None if len(tempfile.gettempdir()) <= _LONGEST_PATH else "/tmp"  # noqa: S108 - private
    return tempfile.TemporaryDirectory(prefix="gateway-", dir=place, ignore_cleanup_errors=True)
