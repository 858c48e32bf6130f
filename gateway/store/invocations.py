"""Asynchronous invocations as every store promises them: accepted once, ended once, kept a while.

An invocation is durable before `add` returns and `RUNNING` until it has ended. Each belongs to one
process; those of a process that is gone are adopted by the next one. What came of an attempt is
opaque to the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, Protocol

from gateway.core.errors import GatewayError

Status = Literal["RUNNING", "FINISHED", "FAILED", "ABORTED"]
"""The cloud's words; what waits for its turn or for a retry is `RUNNING` as well."""

KEPT_SECONDS: Final = 7 * 24 * 3600.0
"""How long an invocation that has ended is kept."""

KEPT_ROWS: Final = 10_000
"""Of how many invocations, the newest ones, those that have ended are kept."""

UNENDED: Final = 10_000
"""How many invocations may wait or run at a time."""


class InvocationNotFound(GatewayError):
    """A function has no asynchronous invocation of this id, or has it no longer."""

    code: ClassVar[str] = "unknown-invocation"

    def __init__(self, function: str, request_id: str) -> None:
        self.function = function
        self.request_id = request_id
        super().__init__(
            f"function {function!r} has no asynchronous invocation {request_id!r};"
            " those that have ended are kept for 7 days"
        )


class InvocationEnded(GatewayError):
    """An invocation that has ended cannot be aborted."""

    code: ClassVar[str] = "invocation-ended"

    def __init__(self, request_id: str, status: str) -> None:
        self.request_id = request_id
        self.status = status
        super().__init__(f"invocation {request_id!r} has ended: it is {status}")


class TooManyInvocations(GatewayError):
    """So many asynchronous invocations wait that no further one is accepted."""

    code: ClassVar[str] = "too-many-invocations"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"{limit} asynchronous invocations wait or run already; allowed: {limit}")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One asynchronous invocation.

    Attributes:
        request_id: Its id, the same for every attempt.
        function: The function's name.
        qualifier: A version, `$LATEST` or an alias.
        routing_key: What rules see in place of headers.
        event: The event; `None` once the invocation has ended, and in lists.
        at: When it was accepted, in seconds since 1970.
        status: What has become of it.
        attempts: How often its execution was begun; one that found no seat does not count.
        retry_at: When it is tried again; `None` unless it waits for that.
        ended_at: When it ended.
        result: What came of the last attempt, as JSON values.
    """

    request_id: str
    function: str
    qualifier: str
    routing_key: Mapping[str, str] | None
    event: object
    at: float
    status: Status = "RUNNING"
    attempts: int = 0
    retry_at: float | None = None
    ended_at: float | None = None
    result: Mapping[str, Any] | None = None


class Invocations(Protocol):
    """The asynchronous invocations of one state."""

    async def add(self, invocation: Invocation, owner: int) -> None:
        """Accept an invocation, durably, and forget what is too old or too much.

        Raises:
            TooManyInvocations: No further one may wait.
            StateUnusable: It cannot be written.
        """

    async def begin(self, request_id: str) -> Invocation | None:
        """Count an attempt, before it is made; `None` where the invocation has ended."""

    async def postpone(self, invocation: Invocation) -> None:
        """Note the attempts, the next moment and the last result of one that has not ended."""

    async def end(
        self, request_id: str, status: Status, at: float, result: Mapping[str, Any] | None = None
    ) -> bool:
        """End an invocation and drop its event; false where it has ended before.

        Args:
            request_id: Which.
            status: How it ended.
            at: When, in seconds since 1970.
            result: What came of it; `None` to leave what the last attempt brought.
        """

    async def get(self, function: str, request_id: str) -> Invocation:
        """One invocation.

        Raises:
            InvocationNotFound: There is none.
        """

    async def listed(
        self, function: str, status: Status | None, before: str | None, limit: int
    ) -> list[Invocation]:
        """Invocations of a function, newest first.

        Args:
            function: Its name.
            status: Only those.
            before: Only those that were accepted before the one of this id.
            limit: At most so many.

        Raises:
            InvocationNotFound: There is none of the id in `before`.
        """

    async def adopt(self, owner: int, alive: Callable[[int], bool]) -> list[Invocation]:
        """Take over whatever has not ended and whose owner is gone, oldest first.

        Args:
            owner: The process that takes over; what has its number is taken over as well,
                because only a process of the past can have left it.
            alive: Whether a process still is.
        """
