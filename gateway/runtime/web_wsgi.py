"""WSGI applications behind ASGI: a2wsgi translates, the gateway's own threads run them.

A thread cannot be stopped. Whoever stops caring for an answer takes the application's next piece
as the last one, and the request's place stays taken until the thread has really ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from a2wsgi.wsgi import WSGIResponder

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from gateway.runtime.threads import Threads

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]
T = TypeVar("T")

QUEUED_PIECES: Final = 10
"""How many pieces of an answer may wait for a slow caller before the application does."""


class DaemonExecutor(Executor):
    """Runs calls in the gateway's threads, which do not keep the process from ending."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:  # noqa: ANN401
        """Run a call in a thread."""
        future: Future[T] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - it is the caller's
                future.set_exception(error)
            else:
                future.set_result(result)

        self._threads.run(job)
        return future


async def call_wsgi(
    app: WsgiApp,
    executor: DaemonExecutor,
    stopped: Callable[[], bool],
    asgi: tuple[Any, Any, Any],
) -> None:
    """Answer one request.

    Args:
        app: The application.
        executor: Where it runs.
        stopped: Whether nobody cares for the rest of the answer.
        asgi: Scope, receive and send.
    """
    scope, receive, send = asgi
    failures: list[Exception] = []

    async def send_or_stop(message: Any) -> None:  # noqa: ANN401
        # a2wsgi's thread would wait for ever for a `send` that raised.
        if failures:
            return
        try:
            await send(message)
        except Exception as error:  # noqa: BLE001 - raised when the thread has ended
            failures.append(error)

    def until_stopped(environ: Any, start_response: Any) -> Iterator[bytes]:  # noqa: ANN401
        return _pieces(app(environ, start_response), lambda: bool(failures) or stopped())

    responder = WSGIResponder(
        cast("Any", until_stopped), cast("ThreadPoolExecutor", executor), QUEUED_PIECES
    )
    await responder(scope, receive, cast("Any", send_or_stop))
    if failures:
        raise failures[0]


def _pieces(iterable: Iterable[bytes], stopped: Callable[[], bool]) -> Iterator[bytes]:
    try:
        for piece in iterable:
            if stopped():
                return
            yield piece
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
