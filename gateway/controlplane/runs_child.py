"""One command of this gateway as a child process: begun without a shell, watched, stopped.

It writes its progress on a terminal of its own, because it draws progress nowhere else; its result
goes into a file. It is stopped as a person would stop it: Ctrl-C, once more, and then by force.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.controlplane.runs_lines import Screen

PATIENCE: Final = 15.0
"""Seconds after the first Ctrl-C until the second one, which waits for nothing."""

PARTING: Final = 1.5
"""The same when the gateway itself stops; and seconds until force in any case."""

_PIECE: Final = 65_536
_PYTHON: Final = str(Path(sys.executable).absolute())  # a link stays one: it tells the environment


class Child:
    """A command that runs.

    Attributes:
        screen: What it has written on its terminal.
    """

    def __init__(self, process: Process, terminal: int) -> None:
        self.screen = Screen()
        self._process = process
        self._terminal = terminal
        self._ended = asyncio.Event()
        self._stopping: list[asyncio.Task[None]] = []
        asyncio.get_running_loop().add_reader(terminal, self._read)

    @classmethod
    async def begin(
        cls,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        result: Path,
    ) -> Child:
        """Begin `gateway` with these arguments.

        Args:
            arguments: What stands behind `gateway`.
            environment: Its environment, as a whole.
            folder: Where it runs.
            result: The file that its standard output goes to.
        """
        import pty  # not on every platform: the rest of the gateway does without

        terminal, own = pty.openpty()
        os.set_blocking(terminal, False)
        try:
            with result.open("wb") as output:
                process = await asyncio.create_subprocess_exec(
                    *(_PYTHON, "-m", "gateway", *arguments),
                    stdin=DEVNULL,
                    stdout=output,
                    stderr=own,
                    cwd=folder,
                    env=dict(environment),
                    start_new_session=True,
                )
        except BaseException:
            os.close(terminal)
            raise
        finally:
            os.close(own)
        return cls(process, terminal)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        code = await self._process.wait()
        self._ended.set()
        while self._read():
            pass
        asyncio.get_running_loop().remove_reader(self._terminal)
        os.close(self._terminal)
        await asyncio.gather(*self._stopping)
        return code

    def stop(self, patience: float = PATIENCE) -> None:
        """Ask it to stop; asked again, it does not wait for anything."""
        self._stopping.append(asyncio.create_task(self._stop(patience)))

    async def _stop(self, patience: float) -> None:
        for number, seconds in ((signal.SIGINT, patience), (signal.SIGINT, PARTING)):
            self._signal(number)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), seconds)
                return
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def _read(self) -> bool:
        """Take a piece of what is on the terminal; whether there may be more."""
        try:
            data = os.read(self._terminal, _PIECE)
        except BlockingIOError:
            return False
        except OSError:  # as Linux says that nobody writes there any more
            data = b""
        if data:
            self.screen.write(data)
        else:
            asyncio.get_running_loop().remove_reader(self._terminal)
        return bool(data)
