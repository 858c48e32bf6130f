"""Web versions: like other versions they are proved, run, replaced and unloaded; each one serves.

A version whose folder has an executable `scf_bootstrap` is a server in a process of its own;
any other names an application that runs in this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, Protocol

from gateway.runtime.context import context_template
from gateway.runtime.errors import LoadError
from gateway.runtime.generation import Activity
from gateway.runtime.outcome import Outcome, failed, limit_reached, not_loaded
from gateway.runtime.web_application import Application, load_application
from gateway.runtime.web_child import Child, bootstrap_of
from gateway.runtime.web_place import Place

if TYPE_CHECKING:
    from gateway.core.functions import FunctionVersion
    from gateway.runtime.generation import Seats
    from gateway.runtime.threads import Threads

NO_INVOCATION: Final = 422
"""The status of an invocation that only an event function could take."""

CLOSE_SECONDS: Final = 15.0
"""How long the end of a gateway waits for what web versions still do."""

_HEADERS: Final = {
    "memory": "memory_limit_in_mb",
    "timeout": "time_limit_in_ms",
    "version": "function_version",
    "name": "function_name",
    "namespace": "namespace",
    "region": "tencentcloud_region",
    "appid": "tencentcloud_appid",
    "uin": "tencentcloud_uin",
}


class Tools(Protocol):
    """What web versions share."""

    threads: Threads

    def closing(self, closed: Future[None]) -> None:
        """Remember what is being closed."""


class WebRunner:
    """Serves one web version; outlives what it runs, as other runners do.

    Args:
        version: The version.
        seats: Those of its function.
        folder: Where its code is.
        tools: What web versions share.

    Attributes:
        version: The version.
        headers: What a request tells the version about itself, but for the request id.
    """

    def __init__(self, version: FunctionVersion, seats: Seats, folder: str, tools: Tools) -> None:
        self.version = version
        self.headers = scf_headers(version)
        self._seats = seats
        self._folder = folder
        self._tools = tools
        self._lock = threading.Lock()
        self._place: Place | None = None
        self.starts = 0
        self._dropped = False
        self._loading: asyncio.Future[LoadError | None] | None = None

    def activity(self) -> Activity:
        """What goes on in it."""
        return Activity(self._place.inside if self._place else 0, self.starts)

    async def invoke(self, _event: object, request_id: str) -> Outcome:
        """Web functions are reached by requests alone (CONTRACT 5.9)."""
        sentence = (
            f"InvalidParameterValue.FunctionType: function {self.version.function!r} is of type"
            " 'web' and answers requests; only a function of type 'event' can be invoked"
        )
        return failed(NO_INVOCATION, sentence, request_id)

    async def enter(self, request_id: str) -> Place | Outcome:
        """A place to be served at, which must be left again; or why there is none."""
        while True:
            place = self._place
            if place is None or place.ended:
                error = await self._load_in_thread()
                if error is not None:
                    return not_loaded(error, request_id)
                continue
            if place.enter():
                return await self._ready(place, request_id)
            if not place.ended:
                limit = self.version.configuration.concurrency
                return limit_reached(self.version.function, limit, request_id)

    def load(self, *, fresh: bool = False) -> None:
        """Start the version unless it runs; `fresh` replaces what runs.

        Raises:
            LoadError: It cannot be started; what ran before stays.
        """
        with self._lock:
            old = self._place
            if old is not None and not old.ended and not fresh:
                return
            limit = self.version.configuration.concurrency
            place = Place(self._start(), self._seats, limit, self._tools.closing)
            place.retired = self._dropped
            self._place = place
            self.starts += 1
        if old is not None:
            old.retire()

    def drop(self) -> None:
        """Unload the version once nobody is served by it."""
        with self._lock:
            self._dropped = True
            place, self._place = self._place, None
        if place is not None:
            place.retire()

    def _start(self) -> Application | Child:
        bootstrap = bootstrap_of(self._folder)
        if bootstrap is None:
            return load_application(self.version, self._folder, self._tools.threads)
        return Child.start(self.version, bootstrap)

    async def _ready(self, place: Place, request_id: str) -> Place | Outcome:
        try:
            await place.instance.ready()
        except LoadError as error:
            place.leave()
            return not_loaded(error, request_id)
        except BaseException:
            place.leave()
            raise
        return place

    async def _load_in_thread(self) -> LoadError | None:
        """Load without blocking the loop; all requests that wait share one attempt."""
        loop = asyncio.get_running_loop()
        loading = self._loading
        if loading is None or loading.get_loop() is not loop or loading.done():
            loading = self._loading = loop.create_future()
            self._tools.threads.run(lambda: self._try_to_load(loop, loading))
        return await asyncio.shield(loading)

    def _try_to_load(
        self, loop: asyncio.AbstractEventLoop, loading: asyncio.Future[LoadError | None]
    ) -> None:
        failure: LoadError | None = None
        try:
            self.load()
        except LoadError as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody who waits
            loop.call_soon_threadsafe(loading.set_result, failure)


class WebVersions:
    """What web versions share, and what of them is being closed.

    Args:
        threads: Where blocking code runs.

    Attributes:
        threads: Where blocking code runs.
    """

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self._closing: set[Future[None]] = set()

    def runner(self, version: FunctionVersion, seats: Seats, folder: str) -> WebRunner:
        """What serves a version."""
        return WebRunner(version, seats, folder, self)

    def closing(self, closed: Future[None]) -> None:
        """Remember what is being closed."""
        self._closing.add(closed)
        closed.add_done_callback(self._closing.discard)

    async def closed(self) -> None:
        """Wait until everything that is being closed is closed."""
        waiting = [asyncio.wrap_future(closed) for closed in list(self._closing)]
        if waiting:
            await asyncio.wait(waiting, timeout=CLOSE_SECONDS)


def scf_headers(version: FunctionVersion) -> tuple[tuple[bytes, bytes], ...]:
    """What a request tells a web version about itself (CONTRACT 5.9), but for the request id."""
    told = context_template(version)
    return tuple(
        (f"x-scf-{name}".encode(), str(told[key]).encode()) for name, key in _HEADERS.items()
    )
