"""One process of a gateway, seen from the one that started it: ready, told things, and gone.

Both hold an end of one pair of sockets. What they say is one line of JSON each; when the pair
breaks, the other side is gone.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

Word = Mapping[str, Any]
"""What one side tells the other."""

_MODULE: Final = "gateway.cli.serve_part"
_STEPS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
_LONGEST: Final = 1 << 20


class Process:
    """A process that was started; `start` starts one.

    Attributes:
        name: What it is called.
        number: The system's number of it.
    """

    def __init__(
        self,
        name: str,
        process: asyncio.subprocess.Process,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        hear: Callable[[Word], None],
    ) -> None:
        self.name = name
        self.number = process.pid
        self._process = process
        self._reader, self._writer = streams
        self._hear = hear
        self._steps = list(_STEPS)
        self._ready: asyncio.Future[Word | None] = asyncio.get_running_loop().create_future()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(
        cls, order: Word, descriptors: Sequence[int], hear: Callable[[Word], None]
    ) -> Process:
        """Start a process, in a group of its own: a Ctrl-C is meant for who started it.

        Args:
            order: What it is to do; its `name` is its name.
            descriptors: What it inherits beside standard output and standard error.
            hear: Is given what it says once it is ready.
        """
        ours, theirs = socket.socketpair()
        name = order["name"]
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *[sys.executable, *_flags(), "-m", _MODULE, name, str(theirs.fileno())],
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(), *descriptors),
                    process_group=0,
                )
        except BaseException:
            ours.close()
            raise
        streams = await asyncio.open_connection(sock=ours, limit=_LONGEST)
        started = cls(name, process, streams, hear)
        started.tell(order)
        return started

    async def ready(self) -> Word | None:
        """What it says when it is ready; `None` when it never will be."""
        return await asyncio.shield(self._ready)

    async def ended(self) -> int:
        """Its exit code, or the number of the signal that ended it, negative."""
        status = await self._process.wait()
        await asyncio.wait([self._listening])
        return status

    def tell(self, word: Word) -> None:
        """Tell it something."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps(word, default=str).encode() + b"\n")

    def stop(self) -> None:
        """Have it end in order; the second time at once; the third time there is no way round."""
        if self._process.returncode is None and self._steps:
            with suppress(ProcessLookupError):
                self._process.send_signal(self._steps.pop(0))

    async def _listen(self) -> None:
        try:
            while line := await self._reader.readline():
                word = json.loads(line)
                if self._ready.done():
                    self._hear(word)
                else:
                    self._ready.set_result(word)
        except (OSError, ValueError):  # killed in the middle of a word
            pass
        finally:
            if not self._ready.done():
                self._ready.set_result(None)
            self._writer.close()


def how(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"ended with exit code {status}"
    return f"was ended by {signal.Signals(-status).name}"


def _flags() -> list[str]:
    """Python looks into the current folder only where it did here."""
    return [] if sys.path[0] in {"", str(Path.cwd())} else ["-P"]
