"""What all processes of functions share: a sign of life, one who clears up, and an end.

Each holds one end of a pipe whose other end nobody holds but the gateway: when the gateway is
gone, even killed, the pipe is closed and they end.
"""

from __future__ import annotations

import os
import threading
from time import monotonic
from typing import TYPE_CHECKING

from gateway.runtime.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.runtime.pool import Pool


class Processes:
    """Starts processes, and ends those that had nothing to do for a while.

    Args:
        idle_seconds: How long a process waits for its next invocation.
    """

    def __init__(self, idle_seconds: float = 30.0) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._life: tuple[int, int] | None = None
        self._pools: set[Pool] = set()
        self._sweeper: threading.Thread | None = None
        self._closing = threading.Event()
        self._enders: set[threading.Thread] = set()

    def start(self, memory: int) -> Instance:
        """Start a process.

        Raises:
            OSError: The system grants none.
        """
        with self._lock:
            if self._closing.is_set():
                raise OSError("the gateway is closing")
            if self._life is None:
                self._life = os.pipe()
            # One of its own, so that nobody closes it at this very moment.
            life = os.dup(self._life[0])
        try:
            return Instance(memory, life)
        finally:
            os.close(life)

    def add(self, pool: Pool) -> None:
        """Look after a pool from now on."""
        with self._lock:
            self._pools.add(pool)
            if self._sweeper is None:
                self._sweeper = threading.Thread(
                    target=self._sweep, name="gateway-processes", daemon=True
                )
                self._sweeper.start()

    def forget(self, pool: Pool) -> None:
        """The pool is empty and stays so."""
        with self._lock:
            self._pools.discard(pool)

    def end(self, instances: Iterable[Instance]) -> None:
        """End processes without waiting for it: killing one may take milliseconds."""
        doomed = list(instances)
        if not doomed:
            return

        def work() -> None:
            for instance in doomed:
                instance.end()
            with self._lock:
                self._enders.discard(ender)

        ender = threading.Thread(target=work, name="gateway-processes-end", daemon=True)
        with self._lock:
            self._enders.add(ender)
        try:
            ender.start()
        except RuntimeError:
            work()  # no thread to be had: then it takes its time

    def close(self) -> None:
        """End every process, the busy ones too, and wait until all that were idle are gone."""
        self._closing.set()
        with self._lock:
            life, self._life = self._life, None
            pools, sweeper = list(self._pools), self._sweeper
        for pool in pools:
            pool.unload()
        if life is not None:
            for descriptor in life:
                os.close(descriptor)
        if sweeper is not None:
            sweeper.join()
        for ender in list(self._enders):
            ender.join()

    def _sweep(self) -> None:
        while not self._closing.wait(self._idle_seconds / 2):
            for pool in list(self._pools):
                pool.sweep(monotonic() - self._idle_seconds)
