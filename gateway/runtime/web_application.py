"""A web application in this process: ASGI is called as it is, WSGI through a thread.

Which of the two it is, is read from how it can be called: ASGI is async and takes scope, receive
and send; WSGI takes environ and start_response.
"""

from __future__ import annotations

import asyncio
import inspect
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, cast

from gateway.runtime.errors import HandlerNotFound
from gateway.runtime.loader import load, returns_coroutine
from gateway.runtime.outcome import USER_EXCEPTION, Outcome, failed, raised
from gateway.runtime.web_errors import InitTimeout, StartFailed
from gateway.runtime.web_lifespan import AsgiApp, Lifespan, Refusal
from gateway.runtime.web_wsgi import DaemonExecutor, WsgiApp, call_wsgi

if TYPE_CHECKING:
    from gateway.core.functions import FunctionVersion
    from gateway.runtime.loader import LoadedVersion
    from gateway.runtime.threads import Threads

START_SECONDS: Final = 10.0
"""How long an application may take to start, and to end."""


class Running:
    """One request, or one connection, inside an application.

    Attributes:
        task: Ends with the application; gives what it raised, if it did.
        stopped: Whether it was told that nobody cares any more.
    """

    def __init__(self, application: Application, asgi: tuple[Any, Any, Any]) -> None:
        self.stopped = False
        self._is_wsgi = application.is_wsgi
        self.task = asyncio.create_task(self._run(application, asgi))

    def stop(self) -> None:
        """End it: ASGI is cancelled, WSGI ends with its next piece."""
        self.stopped = True
        if not self._is_wsgi:
            self.task.cancel()

    async def _run(
        self, application: Application, asgi: tuple[Any, Any, Any]
    ) -> BaseException | None:
        try:
            await application.answer(self, asgi)
        except asyncio.CancelledError as error:
            if self.stopped:
                return error
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - even SystemExit: it is the answer
            return error
        return None


class Application:
    """The application of one loaded version.

    Args:
        loaded: The version.
        threads: Where WSGI runs.
        seconds: How long it may take to start, and to end.

    Attributes:
        is_wsgi: Whether it runs in threads.
        ended: Whether it can serve nobody any more.

    Raises:
        HandlerNotFound: The handler is no application.
    """

    def __init__(
        self, loaded: LoadedVersion, threads: Threads, seconds: float = START_SECONDS
    ) -> None:
        self.is_wsgi = _is_wsgi(loaded)
        self.ended = False
        self._loaded = loaded
        self._executor = DaemonExecutor(threads)
        self._seconds = seconds
        self._lifespan: Lifespan | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def state(self) -> dict[str, Any]:
        """A copy of what the lifespan left for requests."""
        return dict(self._lifespan.state) if self._lifespan else {}

    async def ready(self) -> None:
        """Start the application unless it runs; everybody who waits shares one attempt.

        Raises:
            StartFailed: It refused.
            InitTimeout: It took too long.
        """
        if self.is_wsgi or self._lifespan is not None:
            return
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start())
            # Everybody who waits may have gone; then nobody else looks at its failure.
            self._starting.add_done_callback(_look_at)
        await asyncio.shield(self._starting)

    def start(self, asgi: tuple[Any, Any, Any]) -> Running:
        """Begin to answer a request: scope, receive and send."""
        return Running(self, asgi)

    async def answer(self, running: Running, asgi: tuple[Any, Any, Any]) -> None:
        """Call the application."""
        if self.is_wsgi:
            app = cast("WsgiApp", self._loaded.handler)
            await call_wsgi(app, self._executor, lambda: running.stopped, asgi)
        else:
            await cast("AsgiApp", self._loaded.handler)(*asgi)

    def explain(self, error: BaseException | None, request_id: str) -> Outcome:
        """The outcome of an application that ended without an answer."""
        if error is None:
            return failed(USER_EXCEPTION, "the application ended without an answer", request_id)
        return raised(error, self._loaded.stack(error), request_id)

    def close(self) -> Future[None]:
        """End the application and unload the version; from any thread."""
        self.ended = True
        closed: Future[None] = Future()
        if self._lifespan is None or self._loop is None or self._loop.is_closed():
            self._unload(closed)
        else:
            asyncio.run_coroutine_threadsafe(self._stop(self._lifespan, closed), self._loop)
        return closed

    async def _start(self) -> None:
        lifespan, version = Lifespan(cast("AsgiApp", self._loaded.handler)), self._loaded.version
        try:
            await lifespan.start(self._seconds)
        except Refusal as refusal:
            said = str(refusal) or "it gave no reason"
            last = said.strip().splitlines()[-1]
            raise StartFailed(version, f"the application cannot start: {last}", said) from None
        except TimeoutError:
            sentence = f"the application did not start within {self._seconds:g} seconds"
            raise InitTimeout(version, sentence) from None
        if self.ended:
            await lifespan.stop(self._seconds)  # closed in the meantime, because nobody waited
            return
        self._loop = asyncio.get_running_loop()
        self._lifespan = lifespan

    async def _stop(self, lifespan: Lifespan, closed: Future[None]) -> None:
        try:
            await lifespan.stop(self._seconds)
        finally:
            self._unload(closed)

    def _unload(self, closed: Future[None]) -> None:
        self._loaded.unload()
        closed.set_result(None)


def load_application(
    version: FunctionVersion, folder: str | None, threads: Threads, seconds: float = START_SECONDS
) -> Application:
    """Load a version's application beside all others; safe to call from any thread.

    Raises:
        LoadError: The version cannot be loaded, or its handler is no application.
    """
    loaded = load(version, folder)
    try:
        return Application(loaded, threads, seconds)
    except BaseException:
        loaded.unload()
        raise


def _look_at(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.exception()


def _is_wsgi(loaded: LoadedVersion) -> bool:
    handler: Any = loaded.handler
    if not isinstance(handler, type):
        is_async = returns_coroutine(handler)
        if is_async and _takes(handler, 3):
            return False
        if not is_async and _takes(handler, 2):
            return True
        if _takes(handler, 3):
            return False  # an async application behind a plain decorator
    name = loaded.version.configuration.handler
    sentence = (
        f"the handler {name!r} is no web application; allowed: ASGI, an async callable of scope,"
        " receive and send; WSGI, a callable of environ and start_response"
    )
    raise HandlerNotFound(loaded.version, sentence)


def _takes(handler: Any, count: int) -> bool:  # noqa: ANN401 - whatever the version defines
    try:
        inspect.signature(handler).bind(*range(count))
    except (TypeError, ValueError):
        return False
    return True
