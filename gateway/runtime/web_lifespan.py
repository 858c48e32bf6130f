"""An application's lifespan: it starts before its first request and ends after its last one.

An application that does not know the protocol says so by failing before it has started; then
there is nothing to start and nothing to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

Message = MutableMapping[str, Any]
AsgiApp = Callable[..., Awaitable[None]]

_ASGI: Final = {"version": "3.0", "spec_version": "2.0"}


class Refusal(Exception):
    """The application said that it cannot start."""


class Lifespan:
    """The lifespan of one application, in the event loop that starts it.

    Args:
        app: The application.

    Attributes:
        state: What the application put there for its requests.
    """

    def __init__(self, app: AsgiApp) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._started = asyncio.Event()
        self._stopped = asyncio.Event()
        self._refusal: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, seconds: float) -> None:
        """Start the application.

        Raises:
            Refusal: It cannot start.
            TimeoutError: It took too long.
        """
        self._inbox.put_nowait({"type": "lifespan.startup"})
        self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(seconds):
                await self._started.wait()
        except BaseException:
            self._task.cancel()
            raise
        if self._refusal is not None:
            raise Refusal(self._refusal)

    async def stop(self, seconds: float) -> None:
        """Let the application end what it started; it is cut off when that takes too long."""
        task = self._task
        if task is None:
            return
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            pass
        task.cancel()
        await asyncio.wait([task])

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": _ASGI, "state": self.state}
        try:
            await self._app(scope, self._inbox.get, self._send)
        except asyncio.CancelledError:
            raise
        except BaseException:  # noqa: BLE001, S110 - how an application says that it has no lifespan
            pass
        finally:
            self._started.set()
            self._stopped.set()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.failed":
            self._refusal = str(message.get("message", ""))
        if kind.startswith("lifespan.startup."):
            self._started.set()
        elif kind.startswith("lifespan.shutdown."):
            self._stopped.set()
