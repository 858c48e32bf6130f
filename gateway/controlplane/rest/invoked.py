"""What is answered about invocations, those that were waited for and those that were not."""

from __future__ import annotations

from typing import Any

from pydantic import Field, JsonValue

from gateway.controlplane.rest.answers import Answer
from gateway.store.invocations import Status


class Result(Answer):
    """What came of an invocation, or of its last attempt."""

    version: str | None = Field(description="`null` where no version was reached.")
    reason: str | None
    revision: int
    status: int = Field(description="200, or the cloud's function status code.")
    value: JsonValue
    error: dict[str, Any] | None
    seconds: float


class Invoked(Result):
    """One invocation and its outcome."""

    request_id: str
    log: str | None = Field(description="The end of its log, where that was asked for.")


class Accepted(Answer):
    """An invocation that is run later."""

    request_id: str
    status: Status


class Attempt(Result):
    """The last attempt of an asynchronous invocation."""

    value_kept: bool = Field(description="False where the value was too large to be kept.")
    log: str


class InvocationSummary(Answer):
    """An asynchronous invocation at a glance."""

    request_id: str
    function: str
    qualifier: str
    status: Status
    at: str
    attempts: int
    retry_at: str | None = Field(description="When it is tried again, where it waits for that.")
    ended_at: str | None


class Invocation(InvocationSummary):
    """An asynchronous invocation and what has become of it."""

    routing_key: dict[str, str] | None
    result: Attempt | None


class Invocations(Answer):
    """Asynchronous invocations, newest first."""

    invocations: list[InvocationSummary]
