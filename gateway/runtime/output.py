"""What a handler says is kept with the invocation that said it, and goes to standard error.

`sys.stdout` and `sys.stderr` are replaced once by streams that look at a context variable: set, it
names the invocation (or the loading) in whose name the code runs; unset, they are the real ones.
Standard output is the gateway's own, whose readers expect nothing else there. Nobody can tell whose
output it is that bypasses these streams: a thread that the handler starts without its context,
`sys.stdout.buffer`, a child process, a log handler that was made before.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT: Final = 65_536
"""How many characters of an invocation's output are kept: the last ones."""

_NAMES: Final = ("stdout", "stderr")
_lock: Final = threading.Lock()
_installed = 0


class Tail:
    """The end of what was said; safe to write to from any thread."""

    __slots__ = ("_dropped", "_lock", "_parts", "_size")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: deque[str] = deque()
        self._size = 0
        self._dropped = 0

    def write(self, text: str) -> None:
        """Add text; what is older than the last `LIMIT` characters is dropped."""
        with self._lock:
            self._parts.append(text)
            self._size += len(text)
            while self._size > LIMIT:
                excess = self._size - LIMIT
                first = self._parts.popleft()
                if len(first) > excess:
                    self._parts.appendleft(first[excess:])
                gone = min(excess, len(first))
                self._size -= gone
                self._dropped += gone

    def text(self) -> str:
        """Everything that was kept, after a line that tells how much was not."""
        with self._lock:
            kept = "".join(self._parts)
            dropped = self._dropped
        return f"[{dropped} characters before these were dropped]\n{kept}" if dropped else kept


Said = list[Tail]
"""Empty until something is said: most handlers say nothing, and an empty list costs nothing."""

speaker: Final[ContextVar[Said | None]] = ContextVar("speaker", default=None)
"""Where the output of the code that runs in this context is kept."""


def text_of(said: Said) -> str:
    """What was said."""
    return said[0].text() if said else ""


class Stream:
    """A text stream that keeps what is written in somebody's name, and passes everything on.

    Args:
        real: Where everything else goes.
        aloud: Where goes what is written in somebody's name.

    Attributes:
        real: The stream that this one stands for.
        aloud: The gateway's standard error.
    """

    def __init__(self, real: TextIO, aloud: TextIO) -> None:
        self.real = real
        self.aloud = aloud

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real stream has
        return getattr(self.real, name)

    def write(self, text: str) -> int:
        """Write to a real stream, which refuses what is no text; keep it if it is somebody's.

        What is somebody's is kept even where the real stream is closed, perhaps by another handler.
        """
        said = speaker.get()
        if said is None:
            return self.real.write(text)
        with contextlib.suppress(OSError, ValueError):
            self.aloud.write(text)
        _keep(said, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)


def say(text: str) -> None:
    """Keep what another process has said in this context's name, and pass it on if that works."""
    said = speaker.get()
    if said is not None:
        _keep(said, text)
    # Nobody here could be told that the gateway's standard error is closed.
    with contextlib.suppress(Exception):
        _real(sys.stderr).write(text)


def _real(stream: Any) -> Any:  # noqa: ANN401 - there may be none
    return stream.real if isinstance(stream, Stream) else stream


def _keep(said: Said, text: str) -> None:
    if not said:
        with _lock:
            if not said:  # still, now that nobody else can
                said.append(Tail())
    said[0].write(text)


def install() -> None:
    """Put our streams in place; once for each `remove`."""
    global _installed  # noqa: PLW0603 - the streams are the process's, and so is the count
    with _lock:
        _installed += 1
        aloud = _real(sys.stderr)
        for name in _NAMES:
            current: Any = getattr(sys, name)
            # A process without a terminal may have none at all.
            if current is not None and not isinstance(current, Stream):
                setattr(sys, name, Stream(current, aloud or current))


def remove() -> None:
    """Put the real streams back, if nobody else needs ours and nobody has replaced them since."""
    global _installed  # noqa: PLW0603
    with _lock:
        _installed -= 1
        for name in _NAMES:
            current: object = getattr(sys, name)
            if not _installed and isinstance(current, Stream):
                setattr(sys, name, current.real)
