"""What runs in a function's own process: it loads one version and answers until nobody asks.

The main thread runs the handler, as code may expect that sets signal handlers. A second thread
waits for the gateway to be gone, because a handler may never come back to look for itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from inspect import isawaitable
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final, Self

from gateway.runtime import handshake
from gateway.runtime.context import context_template, process_environment
from gateway.runtime.errors import LoadError
from gateway.runtime.frames import Frames, framed
from gateway.runtime.loader import LoadedVersion, load
from gateway.runtime.outcome import OK, Outcome, raised

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def main(channel: int, life: int, end: Callable[[], None]) -> None:
    """Serve one version.

    Args:
        channel: The socket on which the gateway asks.
        life: A pipe whose other end is open for as long as the gateway lives.
        end: Ends this process and all that the handler has started, whatever it does.
    """
    for descriptor in (channel, life):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - it takes no keywords
    threading.Thread(target=_watch, args=(life, end), daemon=True).start()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # By lines, so that the last words are heard of a process that is killed.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    with socket.socket(fileno=channel) as asked:
        serve(asked)


def end_group() -> None:
    """Kill this process and its children."""
    os.killpg(os.getpgrp(), signal.SIGKILL)


def serve(channel: socket.socket) -> None:
    """Load what the first message asks for, and run it once for each further one."""
    frames = Frames()
    first = frames.receive(channel)
    if first is None:
        return
    version = handshake.requested(first)
    os.environ.update(process_environment(version))
    time.tzset()  # TZ is how the cloud lets a function choose its time zone
    try:
        loaded = load(version)
    except LoadError as error:
        _send(channel, framed(handshake.reply(error)))
        return
    _send(channel, framed(handshake.reply(None)))
    with Handler(loaded) as handler:
        while (message := frames.receive(channel)) is not None:
            _send(channel, handler.answer(message))


class Handler:
    """The handler of the version that was loaded."""

    def __init__(self, loaded: LoadedVersion) -> None:
        self._loaded = loaded
        self._template = context_template(loaded.version)
        self._runner: asyncio.Runner | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._runner.close()
        self._loaded.unload()

    def answer(self, message: bytes) -> bytes:
        """Run it once: status, value, error, memory, and whether the value could be told."""
        request_id, event = json.loads(message)
        outcome = self._run(event, request_id)
        memory = resident(os.getpid())
        try:
            return framed([outcome.status, outcome.value, outcome.error, memory, True])
        except Exception:  # noqa: BLE001 - a value of the handler's own type may raise anything
            return framed([outcome.status, None, None, memory, False])

    def _run(self, event: object, request_id: str) -> Outcome:
        try:
            value = self._loaded.handler(event, {**self._template, "request_id": request_id})
            if isawaitable(value):
                value = self._loop().run(_awaited(value))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
            return raised(error, self._loaded.stack(error), request_id)
        return Outcome(OK, value, None)

    def _loop(self) -> asyncio.Runner:
        """One event loop for all invocations: connections that a handler keeps belong to it."""
        if self._runner is None:
            import asyncio  # slow to import, and most handlers of this kind need none

            self._runner = asyncio.Runner()
        return self._runner


def resident(process: int) -> int:
    """Bytes of memory that a process holds; 0 where the system does not tell."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:  # noqa: PTH123 - once per invocation
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


async def _awaited(value: Any) -> object:  # noqa: ANN401 - anything that can be awaited
    return await value


def _send(channel: socket.socket, message: bytes) -> None:
    # What was said comes before the answer, so that the gateway knows whose it is.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # user code may have closed or replaced it
            stream.flush()
    channel.sendall(message)


def _watch(life: int, end: Callable[[], None]) -> None:
    os.read(life, 1)
    os.close(life)
    end()
