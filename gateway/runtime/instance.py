"""One process that runs one version, seen from the gateway: asked, watched, and killed if need be.

It is started afresh, never forked: a copy of a process with threads inherits their locks. It is
the head of a group of its own, so that whatever the handler started ends with it, and a Ctrl-C
that is meant for the gateway does not reach it.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextvars import Context
from time import monotonic
from typing import Any, Final

from gateway.runtime.child import resident
from gateway.runtime.frames import Frames
from gateway.runtime.output import say

TICK: Final = 0.05
"""Seconds between two looks at a busy process's memory."""

SECRETS: Final = frozenset({"GATEWAY_TOKEN", "GATEWAY_KEYS", "GATEWAY_STATE"})
"""Variables of the gateway that are none of a function's business."""

_CHUNK: Final = 262_144
_START: Final = (
    "import sys; sys.path[:] = {path!r}\n"
    "from gateway.runtime.child import end_group, main\n"
    "main({channel}, {life}, end_group)\n"
)


class Gone(Exception):
    """The process ended before it answered."""


class Late(Exception):
    """The process did not answer in time."""


class Swollen(Exception):
    """The process takes more memory than its version may."""


class Instance:
    """A process; used by one thread at a time.

    Args:
        memory: Bytes it may take.
        life: The end of a pipe by which the process learns that the gateway is gone.

    Attributes:
        pid: The number of the process.
        idle_since: When it last had nothing to do.
    """

    def __init__(self, memory: int, life: int) -> None:
        self.idle_since = monotonic()
        self._memory = memory
        self._channel, theirs = socket.socketpair()
        try:
            self._process = _start(theirs.fileno(), life)
        except BaseException:
            self._channel.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        assert self._process.stdout is not None  # noqa: S101 - for mypy: it was asked for
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._frames = Frames()
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._poll = select.poll()
        for file in (self._channel, self._output):
            self._poll.register(file, select.POLLIN)

    def usable(self) -> bool:
        """Whether a process with nothing to do is still there; it speaks only when it is asked."""
        listening = select.poll()
        listening.register(self._channel, select.POLLIN)
        return not listening.poll(0)

    def ask(self, message: bytes, seconds: float) -> Any:  # noqa: ANN401 - whatever it answers
        """Send a message and wait for the answer; what is said meanwhile is said in our name.

        Raises:
            Gone: The process ended.
            Late: There was no answer in time.
            Swollen: The process took too much memory.
        """
        deadline = monotonic() + seconds
        # What was said since the last answer, by threads that were left behind, is nobody's.
        Context().run(self._hear)
        self._channel.settimeout(seconds)
        try:
            self._channel.sendall(message)
        except TimeoutError:
            raise Late from None
        except OSError:
            raise Gone from None
        try:
            return json.loads(self._answer(deadline))
        except ValueError:
            # The handler has found the line and speaks for itself.
            raise Gone from None

    def end(self) -> str:
        """Kill the process and its children, and tell how it had ended if it had."""
        # Once it was waited for, its number may be somebody else's.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        status = self._process.wait()
        self._hear()
        self._channel.close()
        self._output.close()
        if status < 0:
            return f"by signal {signal.Signals(-status).name}"
        return f"with exit status {status}"

    def _answer(self, deadline: float) -> bytes:
        watched = monotonic()
        while True:
            left = deadline - monotonic()
            if left <= 0:
                raise Late
            heard = {number for number, _ in self._poll.poll(min(left, TICK) * 1000)}
            if self._channel.fileno() in heard:
                self._receive()
            if heard:
                self._hear()
            if (message := self._frames.take()) is not None:
                return message
            if monotonic() - watched >= TICK:
                watched = monotonic()
                if resident(self.pid) > self._memory:
                    raise Swollen

    def _receive(self) -> None:
        try:
            data = self._channel.recv(_CHUNK)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Gone
        self._frames.feed(data)

    def _hear(self) -> None:
        """Say what the process has said; the streams know in whose name."""
        # One reading empties the pipe. It is not read until nothing is left: a process that never
        # stops talking would keep us from seeing that its time is over.
        if self._output.closed:
            return
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._output.fileno(), _CHUNK)
            if data:
                say(self._decoder.decode(data))
            else:
                self._poll.unregister(self._output)
                self._output.close()


def _start(channel: int, life: int) -> subprocess.Popen[bytes]:
    code = _START.format(path=sys.path, channel=channel, life=life)
    inherited = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code],
        bufsize=0,
        env=inherited,
        pass_fds=(channel, life),
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
