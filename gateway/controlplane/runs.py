"""Verifying and replaying as the control plane starts it: one of each at a time, a few remembered.

What may be asked is decided before; here a run is a child process with its progress, its result,
and its report, which is a file in a folder of this process alone.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from gateway.controlplane.runs_child import PARTING, Child
from gateway.core.errors import refuse

Kind = Literal["verify", "replay"]
KINDS: Final[tuple[Kind, ...]] = ("verify", "replay")

Status = Literal["running", "stopping", "ended"]
Outcome = Literal["passed", "failed", "errors", "undecided", "interrupted", "refused", "unexpected"]

KEPT: Final = 10
"""Runs that are remembered after their end, with their reports."""

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a result that are read."""

_OUTCOMES: Final[Mapping[int, Outcome]] = {
    0: "passed",
    2: "refused",
    3: "refused",
    4: "refused",
    5: "refused",
    10: "failed",
    11: "errors",
    12: "undecided",
    130: "interrupted",
}
_REFUSALS: Final = ("error", "Error")  # how commands begin the line that says why
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read, and never bound


@dataclass(frozen=True, slots=True)
class Place:
    """Where runs take place.

    Attributes:
        folder: The project's folder; files are named inside it.
        token: What the control plane asks for; `None` for nothing.
        control_url: Tells where the control plane answers.
    """

    folder: Path
    token: str | None
    control_url: Callable[[], str]

    def environment(self) -> dict[str, str]:
        """The environment of a child: it talks to this gateway, and in plain text."""
        inherited = {key: value for key, value in os.environ.items() if key != "GATEWAY_TOKEN"}
        told = {
            "GATEWAY_CONTROL_URL": reachable(self.control_url()),
            "NO_COLOR": "1",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONSAFEPATH": "1",  # what stands in the project's folder is data, and no module
        }
        return {**inherited, **told, **({"GATEWAY_TOKEN": self.token} if self.token else {})}


@dataclass(eq=False)
class Run:
    """One run.

    Attributes:
        id: Its name.
        kind: What is done.
        arguments: What stands behind `gateway`, but for where the report goes.
        started: Seconds since 1970.
        folder: Where its result and its report are.
        child: The process.
        status: What it does.
        exit_code: How it ended; `None` until then.
        ended: When, in seconds since 1970; `None` until then.
        result: What it found out, as it told programs; empty until then, or if it did not.
        watching: Waits for its end.
    """

    id: str
    kind: Kind
    arguments: tuple[str, ...]
    started: float
    folder: Path
    child: Child
    status: Status = "running"
    exit_code: int | None = None
    ended: float | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    watching: asyncio.Task[None] | None = None

    @property
    def outcome(self) -> Outcome | None:
        """What came of it; `None` until then."""
        return None if self.exit_code is None else _OUTCOMES.get(self.exit_code, "unexpected")

    @property
    def sentence(self) -> str:
        """What came of it in a sentence; until then, how far it is."""
        lines = self.lines
        refusal = (line for line in lines if line.startswith(_REFUSALS))
        said = next(refusal, lines[-1] if lines else "")
        return str(self.result.get("sentence") or said)

    @property
    def lines(self) -> list[str]:
        """What it has written, but for where its files are: that is nobody's concern."""
        return [each for each in self.child.screen.lines() if str(self.folder) not in each]

    @property
    def report(self) -> Path | None:
        """The report; `None` where there is none."""
        path = self.folder / "report.html"
        return path if self.ended is not None and path.is_file() else None


class Runs:
    """Every run of this process.

    Args:
        place: Where they take place.
        clock: Seconds since 1970.
    """

    def __init__(self, place: Place, clock: Callable[[], float]) -> None:
        self.place = place
        self._clock = clock
        self._runs: list[Run] = []
        self._number = 0
        self._starting: set[Kind] = set()
        self._folder: TemporaryDirectory[str] | None = None

    def all(self) -> list[Run]:
        """Every run that is remembered, the newest first."""
        return self._runs[::-1]

    def get(self, run_id: str) -> Run | None:
        """One run; `None` where none has that id."""
        return next((run for run in self._runs if run.id == run_id), None)

    async def start(self, kind: Kind, arguments: Sequence[str]) -> Run:
        """Begin one.

        Raises:
            Refused: One of that kind is under way.
        """
        busy = next((r for r in self._runs if r.kind == kind and r.status != "ended"), None)
        if busy is not None or kind in self._starting:
            which = f"{busy.id!r} is" if busy else "one is"
            refuse("run-in-the-way", f"{which} under way; allowed: one {kind} at a time")
        self._starting.add(kind)
        try:
            return await self._begin(kind, tuple(arguments))
        finally:
            self._starting.discard(kind)

    async def _begin(self, kind: Kind, arguments: tuple[str, ...]) -> Run:
        self._number += 1
        run_id = f"{kind}-{self._number}"
        self._folder = self._folder or TemporaryDirectory(prefix="gateway-runs-")
        folder = Path(self._folder.name) / run_id
        folder.mkdir()
        command = [kind, "--json", f"--html={folder / 'report.html'}", *arguments]
        environment = self.place.environment()
        result = folder / "result.json"
        child = await Child.begin(command, environment, self.place.folder, result)
        run = Run(run_id, kind, (kind, *arguments), self._clock(), folder, child)
        run.watching = asyncio.create_task(self._watch(run))
        self._runs.append(run)
        return run

    def stop(self, run: Run) -> None:
        """Ask a run to stop: it reports what was until then. Asked again, it does not wait."""
        if run.status != "ended":
            run.status = "stopping"
            run.child.stop()

    async def close(self) -> None:
        """Stop whatever runs, and forget everything."""
        watching = [run.watching for run in self._runs if run.watching]
        for run in self._runs:
            if run.status != "ended":
                run.child.stop(PARTING)
        await asyncio.gather(*watching)
        if self._folder is not None:
            self._folder.cleanup()

    async def _watch(self, run: Run) -> None:
        code = await run.child.wait()
        run.result = await asyncio.to_thread(_read, run.folder / "result.json")
        stopped = run.status == "stopping" and code not in _OUTCOMES
        run.exit_code = 130 if stopped else code
        run.ended, run.status = self._clock(), "ended"
        ended = [each for each in self._runs if each.status == "ended"]
        for old in ended[:-KEPT]:
            self._runs.remove(old)
            for file in old.folder.iterdir():
                file.unlink()
            old.folder.rmdir()


def reachable(url: str) -> str:
    """Where this machine reaches a listener, also one that listens everywhere."""
    parts = urlsplit(url)
    host = _ANYWHERE.get(parts.hostname or "")
    return f"{parts.scheme}://{host}:{parts.port}" if host else url


def _read(path: Path) -> Mapping[str, Any]:
    """A result; empty where there is none that can be read."""
    if path.stat().st_size > LARGEST:
        return {}
    try:
        found = json.loads(path.read_bytes() or b"{}")
    except ValueError:  # it was ended while it wrote
        return {}
    return found if isinstance(found, dict) else {}
