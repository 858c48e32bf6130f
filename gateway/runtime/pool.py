"""The processes of one loaded version: one for each invocation at a time, started on demand.

How many there are is decided by the function's seats. The one that became idle last is asked
first, so that the others may end. One that was late, grew too large or ended is not asked again.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Final

from gateway.runtime import handshake
from gateway.runtime.errors import LoadError, UserCodeError
from gateway.runtime.frames import framed
from gateway.runtime.instance import Gone, Instance, Late, Swollen
from gateway.runtime.outcome import (
    EXITED,
    INVALID_EVENT,
    PROCESS_EXIT,
    Outcome,
    failed,
    memory_exceeded,
    not_loaded,
    out_of_processes,
    timed_out,
)
from gateway.runtime.output import Said, speaker, text_of

if TYPE_CHECKING:
    from gateway.core.functions import FunctionVersion
    from gateway.runtime.context import Context
    from gateway.runtime.loader import Handler
    from gateway.runtime.processes import Processes

LOADING_SECONDS: Final = 65.0
"""How long a version may take to load; the cloud's default for its initialisation."""

_MEGABYTE: Final = 2**20


class NotJson:
    """Stands for what a handler returned and nobody could write as JSON."""


class Pool:
    """The processes of one loaded version.

    Args:
        version: What they run.
        folder: Where its code is; `None` when the version's `code` is the folder itself.
        processes: Starts them.

    Attributes:
        version: What they run.
        handler: There is none in this process.
        is_async: Nothing of it runs on the event loop.
        output: What the code said when it was last loaded.
    """

    is_async: Final = False

    def __init__(self, version: FunctionVersion, folder: str | None, processes: Processes) -> None:
        self.version = version
        self.handler: Handler = _elsewhere
        self.output = ""
        self._processes = processes
        self._request = framed(handshake.request(version, folder))
        self._memory = version.configuration.memory * _MEGABYTE
        self._lock = threading.Lock()
        self._idle: list[Instance] = []
        self.starts = 0
        self._closed = False

    def open(self) -> None:
        """Prove that the version loads, by loading it.

        Raises:
            LoadError: It does not.
        """
        try:
            self._idle.append(self._start())
        except OSError as error:
            raise UserCodeError(self.version, (type(error).__name__, str(error)), "") from None
        self._processes.add(self)

    def invoke(self, event: object, request_id: str) -> Outcome:
        """Run the handler once, in a process of its own; this thread waits for it."""
        try:
            message = framed([request_id, event])
        except (TypeError, ValueError, RecursionError):
            return failed(INVALID_EVENT, "InvalidParameterValue: no JSON event", request_id)
        try:
            instance = self._take() or self._start()
        except LoadError as error:
            return not_loaded(error, request_id)
        except OSError:
            return out_of_processes(request_id)
        began = monotonic()
        outcome = self._ask(instance, message, request_id)
        outcome.seconds = monotonic() - began
        return outcome

    def sweep(self, before: float) -> None:
        """End the processes that have had nothing to do since `before`."""
        with self._lock:
            old = [instance for instance in self._idle if instance.idle_since <= before]
            self._idle = [instance for instance in self._idle if instance.idle_since > before]
        self._processes.end(old)

    def stack(self, _error: BaseException) -> str:
        """Nothing: what a handler raised is explained in its own process."""
        return ""

    def unload(self) -> None:
        """End the idle processes now, and busy ones when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        self._processes.forget(self)
        self._processes.end(idle)

    def _ask(self, instance: Instance, message: bytes, request_id: str) -> Outcome:
        seconds = self.version.configuration.timeout
        try:
            outcome = _outcome(instance.ask(message, seconds))
        except Late:
            instance.end()
            return timed_out(seconds, request_id)
        except Swollen:
            instance.end()
            return memory_exceeded(self.version.configuration.memory, request_id)
        except Gone:
            how = instance.end()
            return failed(PROCESS_EXIT, EXITED, request_id, f"the process ended {how}\n")
        if outcome.memory > self._memory:
            instance.end()
            return memory_exceeded(self.version.configuration.memory, request_id)
        if outcome.status == PROCESS_EXIT:
            instance.end()
        else:
            self._give_back(instance)
        return outcome

    def _take(self) -> Instance | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                instance = self._idle.pop()
            if instance.usable():
                return instance
            instance.end()

    def _give_back(self, instance: Instance) -> None:
        instance.idle_since = monotonic()
        with self._lock:
            if not self._closed:
                self._idle.append(instance)
                return
        instance.end()

    def _start(self) -> Instance:
        """A process that has loaded the version.

        Raises:
            LoadError: It could not.
            OSError: The system grants no process.
        """
        said: Said = []
        token = speaker.set(said)
        try:
            instance = self._processes.start(self._memory)
            self.starts += 1
            try:
                self._load(instance)
            except LoadError as error:
                instance.end()
                error.output = text_of(said)
                raise
        finally:
            self.output = text_of(said)
            speaker.reset(token)
        return instance

    def _load(self, instance: Instance) -> None:
        try:
            answer = instance.ask(self._request, LOADING_SECONDS)
        except Late:
            why = "TimeoutError", f"it takes longer than {LOADING_SECONDS:g} seconds"
        except Swollen:
            why = "MemoryError", f"it takes more than {self._memory // _MEGABYTE} MB"
        except Gone:
            why = EXITED, instance.end()
        else:
            handshake.check(self.version, answer)
            return
        raise UserCodeError(self.version, why, "")


def _elsewhere(_event: object, _context: Context) -> object:
    raise RuntimeError("this version runs in processes of its own")


def _outcome(answer: object) -> Outcome:
    match answer:
        case [int(status), value, dict() | None as error, int(memory), bool(told)]:
            return Outcome(status, value if told else NotJson(), error, memory=memory)
        case _:
            raise Gone
