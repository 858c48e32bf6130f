"""The log of one invocation, laid out as the cloud does: a pure function of its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.runtime.outcome import Outcome


def log_text(request_id: str, outcome: Outcome, memory: int, event: str | None = None) -> str:
    """The log of an invocation; every line ends with a line end.

    Args:
        request_id: Its id.
        outcome: How it ended.
        memory: The megabytes that the version is configured with.
        event: The event as text, for a line of its own; `None` leaves the line out.
    """
    lines = [f"START RequestId: {request_id}"]
    if event is not None:
        lines.append(f"Event RequestId: {request_id} {event}".rstrip())
    if outcome.output:
        lines.append(outcome.output.removesuffix("\n"))
    if outcome.error is not None:
        lines.append(f"ERROR RequestId: {request_id} Result: {_result(outcome.error)}")
    used, duration = f"{outcome.memory / 2**20:g}MB", f"{outcome.seconds * 1000:.0f}ms"
    lines += [
        f"END RequestId: {request_id}",
        f"Report RequestId: {request_id} Duration:{duration} Memory:{memory}MB MemUsage:{used}",
    ]
    return "\n".join(lines) + "\n"


def _result(error: dict[str, object]) -> str:
    message, stack = str(error["errorMessage"]), str(error.get("stackTrace", ""))
    return f"{message}\n{stack.rstrip()}" if stack else message
