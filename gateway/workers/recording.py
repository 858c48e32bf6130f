"""Recording what several workers answer: each offers its own, and who is steered puts it together.

They meet in a private folder: each worker listens there on a socket of its own. Nothing waits for a
reader who is slow: the tape of a worker drops what it has no room for, and counts it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from gateway.controlplane.recording import Recorder, Recording
from gateway.dataplane.tap import Tap
from gateway.dataplane.tap_tape import Bounds

AT_A_TIME: Final = 64
"""Lines that are made and sent at a time."""

EVERY_SECONDS: Final = 0.5
"""How often counts are told, and new workers looked for."""

PARTING_SECONDS: Final = 2.0
"""How long the end may take."""

_WAITING: Final = 4096
_LONGEST: Final = 32 * 1024 * 1024
_COUNTS: Final = b'{"dropped":'
_AT: Final = re.compile(rb'\A\{"v":1,"at":([0-9.eE+-]+)')


class Offering:
    """Offers what a worker records to whoever may open its socket.

    Args:
        recorder: Records what the worker answers.
        path: Where the socket is made.
    """

    def __init__(self, recorder: Recorder, path: Path) -> None:
        self._recorder = recorder
        self._path = path
        self._open: dict[asyncio.Task[None], Recording] = {}

    async def run(self) -> None:
        """Listen until cancelled; what was recorded until then is still sent."""
        server = await asyncio.start_unix_server(self._serve, self._path)
        try:
            await asyncio.Event().wait()
        finally:
            server.close()  # who records is told, and need not have gone
            self._path.unlink(missing_ok=True)
            for recording in self._open.values():
                recording.close()
            if self._open:
                await asyncio.wait(self._open, timeout=PARTING_SECONDS)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One recording, until the other side has gone."""
        try:
            asked = json.loads(await reader.readline())
            recording = self._recorder.open(
                asked["stage"],
                rate=asked["rate"],
                body=asked["body"],
                hidden=frozenset(asked["hidden"]),
            )
            sending = asyncio.create_task(_send(recording, writer))
            self._open[sending] = recording
            leaving = asyncio.create_task(reader.read())
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            recording.close()
            await asyncio.wait((sending,), timeout=PARTING_SECONDS)
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            del self._open[sending]
        finally:
            writer.close()


async def _send(recording: Recording, writer: asyncio.StreamWriter) -> None:
    told, lines = b"", b"-"
    while lines:
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_SECONDS):
                lines = await recording.lines(AT_A_TIME)
                writer.write(lines)
        counts = json.dumps({"dropped": recording.dropped()}, separators=(",", ":")).encode()
        if counts != told:
            told = counts
            writer.write(counts + b"\n")
        await writer.drain()


class GatheringRecorder:
    """Records what all workers of a gateway answer.

    Args:
        tap: Knows the stages.
        folder: Where their sockets are.
        workers: How many there are.
    """

    def __init__(self, tap: Tap, folder: Path, workers: int) -> None:
        self._tap = tap
        self._folder = folder
        self._workers = workers

    def open(self, stage: str, *, rate: float, body: int, hidden: frozenset[str]) -> Gathered:
        """Begin to record a stage; each worker takes its share of the rate.

        Raises:
            StageNotFound: There is no such stage.
        """
        tape = self._tap.open(stage, Bounds(rate, body))
        self._tap.close(tape)  # only its name is needed: nothing is answered here
        share = rate / self._workers
        asked = {"stage": tape.stage, "rate": share, "body": body, "hidden": sorted(hidden)}
        return Gathered(asked, self._folder)


class Gathered:
    """One recording of several workers, those included that come later.

    Args:
        asked: What each of them is asked.
        folder: Where their sockets are.

    Attributes:
        stage: The stage's own name.
        recorded: How many requests were recorded.
    """

    def __init__(self, asked: Mapping[str, Any], folder: Path) -> None:
        self.stage: str = asked["stage"]
        self.recorded = 0
        self._asked = json.dumps(asked).encode() + b"\n"
        self._folder = folder
        self._time = asyncio.get_running_loop().time
        self._began = self._time()
        self._waiting: deque[bytes] = deque()
        self._dropped: dict[Path, Counter[str]] = {}
        self._is_over = False
        self._closed, self._news, self._room = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._room.set()
        self._gathering = asyncio.create_task(self._gather())

    def dropped(self) -> dict[str, int]:
        """How many were not recorded, by why."""
        return dict(sorted(sum(self._dropped.values(), Counter[str]()).items()))

    async def lines(self, most: int) -> bytes:
        """The next lines, one at least; none once it is closed and nothing waits any more."""
        while not (self._waiting or self._is_over):
            self._news.clear()
            await self._news.wait()
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._room.set()
        return b"".join(taken)

    def close(self) -> None:
        """End it; twice is once."""
        self._closed.set()

    async def _gather(self) -> None:
        """Read from every worker, and look for new ones, until it is closed."""
        reading: dict[Path, asyncio.Task[None]] = {}
        while not self._closed.is_set():
            for path in self._folder.iterdir():
                if path not in reading:
                    reading[path] = asyncio.create_task(self._read(path))
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._closed.wait()
        if reading:
            await asyncio.wait(reading.values(), timeout=PARTING_SECONDS)
        for task in reading.values():
            task.cancel()
        await asyncio.gather(*reading.values(), return_exceptions=True)
        self._is_over = True
        self._news.set()

    async def _read(self, path: Path) -> None:
        """Everything that one worker sends; one that is gone sends nothing."""
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=_LONGEST)
        except OSError:
            return
        since = self._time() - self._began
        leaving = asyncio.create_task(self._leave(writer))
        try:
            with suppress(OSError):  # killed
                writer.write(self._asked)
                while (line := await reader.readline()).endswith(b"\n"):
                    await self._take(path, line, since)
        finally:
            leaving.cancel()
            writer.close()

    async def _leave(self, writer: asyncio.StreamWriter) -> None:
        await self._closed.wait()
        writer.write_eof()

    async def _take(self, path: Path, line: bytes, since: float) -> None:
        if line.startswith(_COUNTS):
            self._dropped[path] = Counter(json.loads(line)["dropped"])
            return
        if len(self._waiting) >= _WAITING and not self._closed.is_set():
            self._room.clear()
            await self._room.wait()
        self._waiting.append(_AT.sub(lambda at: _later(at[1], since), line))
        self.recorded += 1
        self._news.set()


def _later(at: bytes, since: float) -> bytes:
    """The beginning of a line whose moment is counted from another one."""
    return b'{"v":1,"at":%s' % json.dumps(round(float(at) + since, 6)).encode()
