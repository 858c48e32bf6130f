"""How an invocation ended, in the cloud's words: a status, and a value or an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.runtime.errors import LoadError

OK: Final = 200
INVALID_EVENT: Final = 400
USER_EXCEPTION: Final = 430
LIMIT_REACHED: Final = 432
TIMED_OUT: Final = 433
MEMORY_EXCEEDED: Final = 434
PROCESS_EXIT: Final = 439

EXITED: Final = "User process exit when running"


@dataclass(slots=True)  # not frozen: that would double the cost of making one, once per request
class Outcome:
    """The end of one invocation; made by a runner, read-only by agreement.

    Attributes:
        status: 200, or the cloud's function status code.
        value: What the handler returned.
        error: `None`, or the error in the cloud's JSON shape.
        output: What the handler printed and logged; empty when it said nothing.
        seconds: How long it took; 0 when nothing was run.
        memory: Bytes of its process in the end; 0 when it had no process of its own.
    """

    status: int
    value: object
    error: dict[str, object] | None
    output: str = ""
    # Measurements: two invocations that ended alike are equal all the same.
    seconds: float = field(default=0.0, compare=False)
    memory: int = field(default=0, compare=False)


def failed(status: int, message: str, request_id: str, stack: str = "") -> Outcome:
    """An invocation without a value, described as the cloud describes it."""
    error: dict[str, object] = {
        "errorCode": -1,
        "errorMessage": message,
        "requestId": request_id,
        "statusCode": status,
    }
    if stack:
        error["stackTrace"] = stack
    return Outcome(status, None, error)


def not_loaded(error: LoadError, request_id: str) -> Outcome:
    """The version could not even be loaded."""
    outcome = failed(error.status, str(error), request_id, error.stack)
    outcome.output = error.output
    return outcome


def raised(error: BaseException, stack: str, request_id: str) -> Outcome:
    """The handler raised; leaving with `sys.exit` counts as the end of its process."""
    if isinstance(error, SystemExit):
        return failed(PROCESS_EXIT, EXITED, request_id, stack)
    return failed(USER_EXCEPTION, "user code exception caught", request_id, stack)


def timed_out(seconds: float, request_id: str) -> Outcome:
    """The handler took too long."""
    return failed(TIMED_OUT, f"Invoking task timed out after {seconds:g} seconds", request_id)


def memory_exceeded(megabytes: int, request_id: str) -> Outcome:
    """The handler's process took more memory than its version may."""
    sentence = f"MemoryLimitReached: the process took more than {megabytes} MB"
    return failed(MEMORY_EXCEEDED, sentence, request_id)


def limit_reached(function: str, limit: int, request_id: str) -> Outcome:
    """The function already runs as many invocations as it may; the cloud keeps no queue."""
    sentence = f"ResourceLimitReached: function {function!r} may run {limit} invocations at a time"
    return failed(LIMIT_REACHED, sentence, request_id)


def out_of_threads(request_id: str) -> Outcome:
    """The operating system refused a thread; for the caller that is a limit like any other."""
    return failed(LIMIT_REACHED, "ResourceLimitReached: no thread can be started", request_id)


def out_of_processes(request_id: str) -> Outcome:
    """The operating system refused a process."""
    return failed(LIMIT_REACHED, "ResourceLimitReached: no process can be started", request_id)
