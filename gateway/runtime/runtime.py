"""All versions of all functions, side by side.

Versions are proved before traffic reaches them and unloaded after the last invocation has left;
in between nothing is looked up per request, because the data plane keeps runners.
"""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

from gateway.runtime import output
from gateway.runtime.errors import BrokenVersions, LoadError
from gateway.runtime.generation import Activity, Seats
from gateway.runtime.processes import Processes
from gateway.runtime.runner import Runner
from gateway.runtime.threads import Threads
from gateway.runtime.web import WebRunner, WebVersions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.core.functions import FunctionVersion
    from gateway.runtime.outcome import Outcome


class Runtime:
    """Loads, runs and unloads versions.

    Args:
        folder_of: The folder of a version's `code`.
        idle_seconds: How long a thread, or a process, waits for its next job.

    Attributes:
        web: What web versions share.
    """

    def __init__(
        self, folder_of: Callable[[str], str] = str, *, idle_seconds: float = 30.0
    ) -> None:
        self._folder_of = folder_of
        self._threads = Threads(idle_seconds)
        self._processes = Processes(idle_seconds)
        self._closed = False
        output.install()
        self._lock = threading.Lock()
        self.web = WebVersions(self._threads)
        self._seats: dict[str, Seats] = {}
        # By function and number; normally one, two while the configuration of a number changes.
        self._runners: dict[tuple[str, str], list[Runner | WebRunner]] = {}

    def prove(self, version: FunctionVersion) -> None:
        """Load a version, unless it is loaded; may take as long as its imports take.

        Raises:
            LoadError: The version cannot be loaded.
        """
        self.runner(version).load()

    def prove_all(self, versions: Iterable[FunctionVersion]) -> None:
        """Load several versions.

        Raises:
            BrokenVersions: With every version that cannot be loaded.
        """
        broken = []
        for version in versions:
            try:
                self.prove(version)
            except LoadError as error:
                broken.append(error)
        if broken:
            raise BrokenVersions(broken)

    def reload(self, version: FunctionVersion) -> None:
        """Load a version's code as it is on disk now; running invocations end in the old code.

        Raises:
            LoadError: The new code cannot be loaded; the old code stays in use.
        """
        self.runner(version).load(fresh=True)
        # Modules refer to themselves, so that dead ones wait for the collector, and it would wait
        # for many of them: memory stays flat only if each edit takes its predecessor with it.
        gc.collect()

    def retain(self, versions: Iterable[FunctionVersion]) -> None:
        """Unload every other version once its invocations have ended."""
        kept = list(versions)
        with self._lock:
            dropped = []
            for key, runners in list(self._runners.items()):
                wanted = [version for version in kept if (version.function, version.number) == key]
                dropped += [runner for runner in runners if runner.version not in wanted]
                stay = [runner for runner in runners if runner.version in wanted]
                self._runners[key] = stay
                if not stay:
                    del self._runners[key]
        for runner in dropped:
            runner.drop()

    def runner(self, version: FunctionVersion) -> Runner | WebRunner:
        """What invokes the version; the same object for equal versions.

        Cheap, and never fails: a version that was not proved is loaded at its first invocation,
        and if that is impossible the outcome says so.
        """
        key = (version.function, version.number)
        with self._lock:
            runners = self._runners.setdefault(key, [])
            for runner in runners:
                if runner.version == version:
                    return runner
            seats = self._seats.setdefault(version.function, Seats())
            runner = self._make(version, seats)
            runners.append(runner)
            return runner

    def activity(self) -> dict[tuple[str, str], Activity]:
        """What goes on, by function and version."""
        with self._lock:
            runners = {key: list(several) for key, several in self._runners.items()}
        found = {}
        for key, several in runners.items():
            every = [runner.activity() for runner in several]
            found[key] = Activity(sum(a.running for a in every), sum(a.starts for a in every))
        return found

    def running(self, function: str) -> int:
        """How many invocations of a function run, all its versions together."""
        seats = self._seats.get(function)
        return seats.taken if seats else 0

    async def invoke(self, version: FunctionVersion, event: object, request_id: str) -> Outcome:
        """Run a version once; on a hot path keep its `runner` instead."""
        return await self.runner(version).invoke(event, request_id)

    def _make(self, version: FunctionVersion, seats: Seats) -> Runner | WebRunner:
        folder = self._folder_of(version.code)
        if version.configuration.type == "web":
            return self.web.runner(version, seats, folder)
        return Runner(version, seats, (self._threads, self._processes), folder)

    def close(self) -> None:
        """Unload everything once it has ended; idle threads end now, busy ones after their job.

        Processes all end now, whatever they do.
        """
        self.retain(())
        self._processes.close()
        self._threads.close()
        with self._lock:
            first, self._closed = not self._closed, True
        if first:
            output.remove()
