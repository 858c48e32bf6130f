"""Invoking a function by qualifier and routing key, as the cloud's Invoke does.

A routing key plays the part of a request's headers: the same rules, the same weights, the same
`decide`; only its names are case-sensitive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.core.decide import decide
from gateway.core.entries import Target
from gateway.core.snapshot import Snapshot
from gateway.core.split import Draw
from gateway.runtime import Runtime


class RoutingKey:
    """A routing key as rules read it: it has names and values, and no request around them."""

    def __init__(self, values: Mapping[str, str], event: object) -> None:
        self._values = values
        self._event = event

    def header(self, name: str, folded: str) -> str | None:  # noqa: ARG002 - case counts here
        """The value of a name, exactly as it is spelled."""
        return self._values.get(name)

    def query(self, name: str) -> str | None:  # noqa: ARG002 - there is no query
        """Nothing."""
        return None

    def path_parameter(self, name: str) -> str | None:  # noqa: ARG002 - there is no path
        """Nothing."""
        return None

    def cookie(self, name: str) -> str | None:  # noqa: ARG002 - there are no cookies
        """Nothing."""
        return None

    def json(self) -> object:
        """The event."""
        return self._event


@dataclass(frozen=True, slots=True)
class Invoked:
    """One invocation and its outcome.

    Attributes:
        request_id: The id that the function saw.
        version: The version that ran.
        reason: Why that one.
        revision: The snapshot's number.
        status: 200, or the cloud's function status code of a failure.
        value: What the handler returned.
        error: What failed; `None` for a success.
    """

    request_id: str
    version: str
    reason: str
    revision: int
    status: int
    value: object
    error: object


async def invoke(
    snapshot: Snapshot,
    target: Target,
    request: RoutingKey,
    tools: tuple[Runtime, Draw, Callable[[], str]],
) -> Invoked:
    """Decide and run.

    Args:
        snapshot: Decides; read once by the caller.
        target: A function and a qualifier.
        request: The routing key and the event.
        tools: What runs versions, the dice, and what makes request ids.

    Raises:
        RoutingError: No version can answer.
    """
    runtime, draw, new_id = tools
    decision = decide(snapshot, target, request, draw)
    version = snapshot.functions[decision.function].versions[decision.version]
    request_id = new_id()
    outcome = await runtime.invoke(version, request.json(), request_id)
    return Invoked(
        request_id=request_id,
        version=decision.version,
        reason=decision.reason,
        revision=snapshot.revision,
        status=outcome.status,
        value=outcome.value,
        error=outcome.error,
    )
