"""A runner invokes one version; the data plane keeps one per route and calls nothing else.

It outlives what it runs: a reload puts new code behind it, and a runner that was dropped while a
request still held it loads its version once more, because a request is answered by the version
that was decided for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

from gateway.runtime.errors import LoadError
from gateway.runtime.generation import Activity, Generation, Seats
from gateway.runtime.inline import invoke_inline
from gateway.runtime.loader import LoadedVersion, load
from gateway.runtime.outcome import Outcome, limit_reached, not_loaded
from gateway.runtime.pool import Pool
from gateway.runtime.threaded import invoke_process, invoke_threaded

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.core.functions import FunctionVersion
    from gateway.runtime.processes import Processes
    from gateway.runtime.threads import Threads


class Runner:
    """Invokes one version.

    Args:
        version: The version.
        seats: Those of its function.
        hosts: Where code runs that does not run on the event loop.
        folder: Where its code is; `None` when the version's `code` is the folder itself.

    Attributes:
        version: The version.
    """

    __slots__ = (
        "_dropped", "_failure", "_folder", "_generation", "_loading", "_lock", "_processes",
        "_seats", "_starts", "_threads", "version",
    )  # fmt: skip

    def __init__(
        self,
        version: FunctionVersion,
        seats: Seats,
        hosts: tuple[Threads, Processes],
        folder: str | None = None,
    ) -> None:
        self.version = version
        self._folder = folder
        self._seats = seats
        self._threads, self._processes = hosts
        self._lock = threading.Lock()
        self._generation: Generation | None = None
        self._failure: LoadError | None = None
        self._loading: asyncio.Future[None] | None = None
        self._starts = 0
        self._dropped = False

    def activity(self) -> Activity:
        """What goes on in it."""
        generation, starts = self._generation, self._starts
        if generation is None:
            return Activity(0, starts)
        if generation.pool is not None:
            starts += generation.pool.starts
        return Activity(generation.running, starts)

    def invoke(self, event: object, request_id: str) -> Coroutine[Any, Any, Outcome]:
        """Run the handler once; everything the handler does wrong is in the outcome.

        The invocation begins here, so the coroutine must be awaited. It is handed on as it is:
        a coroutine around it would cost as much as the rest of a small handler's invocation.

        Raises:
            asyncio.CancelledError: The caller was cancelled.
        """
        generation = self._generation
        if generation is None or not generation.enter():
            return self._not_entered(event, request_id)
        if generation.inline:
            return invoke_inline(generation, event, request_id)
        if generation.pool is not None:
            call = event, request_id
            return invoke_process(generation, generation.pool, call, self._threads)
        return invoke_threaded(generation, event, request_id, self._threads)

    def load(self, *, fresh: bool = False) -> None:
        """Load the version unless it is loaded; `fresh` replaces what is loaded.

        Raises:
            LoadError: The version cannot be loaded; what was loaded before stays.
        """
        with self._lock:
            old = self._generation
            if old is not None and not old.ended and not fresh:
                return
            try:
                loaded = self._loaded()
            except LoadError as error:
                self._failure = error
                raise
            self._failure = None
            self._generation = Generation(loaded, self._seats, retired=self._dropped)
            if isinstance(loaded, LoadedVersion):
                self._starts += 1
            elif old is not None and old.pool is not None:
                self._starts += old.pool.starts
        if old is not None:
            old.retire()

    def drop(self) -> None:
        """Unload the version once its invocations have ended."""
        with self._lock:
            self._dropped = True
            generation, self._generation = self._generation, None
        if generation is not None:
            generation.retire()

    def _loaded(self) -> LoadedVersion | Pool:
        if self.version.configuration.isolation != "process":
            return load(self.version, self._folder)
        pool = Pool(self.version, self._folder, self._processes)
        pool.open()
        return pool

    async def _not_entered(self, event: object, request_id: str) -> Outcome:
        generation = self._generation
        if generation is not None and not generation.ended:
            limit = self.version.configuration.concurrency
            return limit_reached(self.version.function, limit, request_id)
        if self._failure is not None:
            # Tried before; importing broken code again for every request would help nobody.
            return not_loaded(self._failure, request_id)
        await self._load_in_thread()
        return await self.invoke(event, request_id)

    async def _load_in_thread(self) -> None:
        """Load without blocking the loop; all requests that wait share one attempt."""
        loop = asyncio.get_running_loop()
        loading = self._loading
        if loading is None or loading.get_loop() is not loop or loading.done():
            loading = self._loading = loop.create_future()
            self._threads.run(lambda: self._try_to_load(loop, loading))
        await asyncio.shield(loading)

    def _try_to_load(self, loop: asyncio.AbstractEventLoop, loading: asyncio.Future[None]) -> None:
        # The failure is kept: whoever waits looks at it.
        with contextlib.suppress(LoadError):
            self.load()
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(loading.set_result, None)
