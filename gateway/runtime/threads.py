"""Threads for code that may block for ever: started on demand, daemons, and without a queue.

How many there are is decided by whoever hands out work (a function's seats), not here. A thread
cannot be killed; as daemons, stuck ones do not keep the process from ending.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

Job = Callable[[], None]

_numbers: Final = itertools.count(1)


class Threads:
    """Threads that run one job at a time and wait a while for the next one.

    The last thread to become idle is the first to get work, so that a quiet gateway keeps few.
    """

    def __init__(self, idle_seconds: float = 30.0) -> None:
        self._idle_seconds = idle_seconds
        # Lists are appended to, popped and removed from atomically: no lock is needed.
        self._idle: list[SimpleQueue[Job | None]] = []
        self._closed = False

    @property
    def idle(self) -> int:
        """How many threads wait for work."""
        return len(self._idle)

    def run(self, job: Job) -> None:
        """Run `job` in a thread; it must not raise."""
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            name = f"gateway-function-{next(_numbers)}"
            threading.Thread(target=self._serve, args=(inbox,), name=name, daemon=True).start()
        inbox.put(job)

    def close(self) -> None:
        """Let the idle threads end, and the busy ones as soon as their job is done."""
        self._closed = True
        while self._idle:
            self._idle.pop().put(None)

    def _serve(self, inbox: SimpleQueue[Job | None]) -> None:
        job = inbox.get()
        while job is not None:
            job()
            # Not held while waiting: it would keep the last event, and an unloaded version, alive.
            del job
            if self._closed:
                return
            self._idle.append(inbox)
            job = self._next(inbox)

    def _next(self, inbox: SimpleQueue[Job | None]) -> Job | None:
        try:
            return inbox.get(timeout=self._idle_seconds)
        except Empty:
            pass
        try:
            self._idle.remove(inbox)
        except ValueError:
            # Somebody took this thread in the very moment: the job is on its way.
            return inbox.get()
        return None
