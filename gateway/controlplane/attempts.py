"""What follows from an attempt of an asynchronous invocation: another one, or its end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.controlplane.invoking import Invoked
from gateway.controlplane.limits import BAD_PARAMETER, INTERNAL_ERROR
from gateway.controlplane.problems import to_json
from gateway.core.errors import FunctionNotFound, QualifierNotFound, RoutingError
from gateway.runtime.outcome import LIMIT_REACHED, failed
from gateway.store.invocations import Invocation

MAX_KEPT_VALUE: Final = 64 * 1024
"""Bytes of a value that is kept; the cloud keeps none at all."""

MAX_STACK: Final = 16 * 1024
"""Characters of a stack that are kept: the last ones."""

HOPELESS: Final = frozenset({FunctionNotFound.status, QualifierNotFound.status, BAD_PARAMETER})
"""Function status codes that another attempt would bring again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how soon an asynchronous invocation is tried again.

    Attributes:
        retries: Further attempts of one that fails.
        delay: Seconds before each of them.
        busy_delay: Seconds before another attempt of one that found no seat (432); such an
            attempt does not count.
        lifetime: Seconds after which there is no further attempt, for whatever reason.
        concurrency: How many asynchronous invocations of one function run at a time.
    """

    retries: int = 2
    delay: float = 60.0
    busy_delay: float = 1.0
    lifetime: float = 6 * 3600.0
    concurrency: int = 10

    def postponed(self, begun: Invocation, status: int, now: float) -> Invocation | None:
        """The invocation as it waits for its next attempt; `None` where there is none.

        Args:
            begun: The invocation, with the attempt that failed counted.
            status: The function status code of the failure.
            now: The present moment, in seconds since 1970.
        """
        busy = status == LIMIT_REACHED
        delay = self.busy_delay if busy else self.delay
        if status in HOPELESS or now + delay > begun.at + self.lifetime:
            return None
        if busy:
            return replace(begun, retry_at=now + delay, attempts=begun.attempts - 1)
        return replace(begun, retry_at=now + delay) if begun.attempts <= self.retries else None


def unreached(error: RoutingError, request_id: str, revision: int) -> Invoked:
    """An attempt that led to no version."""
    outcome = failed(error.status, str(error), request_id)
    return Invoked(request_id, None, None, revision, outcome.status, None, outcome.error)


def interrupted(begun: Invocation, revision: int) -> Invoked:
    """An invocation whose last attempt, too, ended with the gateway that made it."""
    said = (
        f"InternalError: the gateway ended during {begun.attempts - 1} attempts, the last one too"
    )
    outcome = failed(INTERNAL_ERROR, said, begun.request_id)
    return Invoked(begun.request_id, None, None, revision, outcome.status, None, outcome.error)


def result_of(invoked: Invoked) -> Mapping[str, Any]:
    """What is kept of an attempt, as JSON values, within bounds."""
    error = invoked.error
    if error is not None and "stackTrace" in error:
        error = {**error, "stackTrace": str(error["stackTrace"])[-MAX_STACK:]}
    kept = len(to_json(invoked.value)) <= MAX_KEPT_VALUE
    return {
        "version": invoked.version,
        "reason": invoked.reason,
        "revision": invoked.revision,
        "status": invoked.status,
        "value": invoked.value if kept else None,
        "value_kept": kept,
        "error": error,
        "seconds": invoked.seconds,
        "log": invoked.log,
    }
