"""Invoking a function by qualifier and routing key, as the cloud's Invoke does.

A routing key plays the part of a request's headers: the same rules, the same weights, the same
`decide`; only its names are case-sensitive. What the handler does wrong is in the outcome; only
what never reached a handler is raised.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.controlplane.limits import (
    MAX_EVENT,
    MAX_VALUE,
    RESPONSE_TOO_LARGE,
    WebFunction,
    check_event,
    tail,
)
from gateway.controlplane.problems import to_json
from gateway.core.decide import decide
from gateway.core.entries import Target
from gateway.core.functions import FunctionVersion
from gateway.core.split import Draw
from gateway.live import Live
from gateway.runtime.log import log_text
from gateway.runtime.outcome import OK, USER_EXCEPTION, Outcome, failed


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
        version: The version that ran; `None` where none was reached.
        reason: Why that one; `None` where none was reached.
        revision: The snapshot's number.
        status: 200, or the cloud's function status code of a failure.
        value: What the handler returned.
        error: What failed; `None` for a success.
        seconds: How long it took.
        memory: Bytes of its process in the end; 0 where it had none of its own.
        log: The end of its log, as the cloud lays it out.
        output: What the handler printed and logged.
    """

    request_id: str
    version: str | None
    reason: str | None
    revision: int
    status: int
    value: object
    error: Mapping[str, object] | None
    seconds: float = 0.0
    memory: int = 0
    log: str = ""
    output: str = ""


class Runs(Protocol):
    """Runs versions."""

    def invoke(
        self, version: FunctionVersion, event: object, request_id: str
    ) -> Awaitable[Outcome]:
        """Run a version once; a failure is an outcome, not an exception."""


Tell = Callable[[Target, Mapping[str, str] | None, object, Invoked], None]
"""Is told of an invocation: its target, its routing key, its event, and what came of it."""


class Invoking:
    """Invokes functions, one at a time for whoever asks and waits.

    Args:
        live: The cell that holds the snapshot.
        runtime: Runs versions.
        draw: The dice.
        new_id: Makes request ids.
        tell: Is told of every invocation that ended.
    """

    def __init__(
        self,
        live: Live,
        runtime: Runs,
        draw: Draw,
        new_id: Callable[[], str],
        tell: Tell = lambda *_: None,
    ) -> None:
        self.live = live
        self.new_id = new_id
        self._runtime = runtime
        self._draw = draw
        self._tell = tell

    async def invoke(
        self,
        target: Target,
        routing_key: Mapping[str, str] | None,
        event: object,
        request_id: str | None = None,
    ) -> Invoked:
        """Decide and run.

        Args:
            target: A function and a qualifier.
            routing_key: What rules see in place of headers.
            event: The event: JSON values.
            request_id: The id of the invocation; `None` for a new one.

        Raises:
            FunctionNotFound: There is no such function.
            QualifierNotFound: It has no such version and no such alias.
            EventTooLarge: The event has more than 6 MB.
            WebFunction: The version answers HTTP requests only.
        """
        check_event(len(to_json(event)), MAX_EVENT)
        snapshot = self.live.snapshot
        decision = decide(snapshot, target, RoutingKey(routing_key or {}, event), self._draw)
        version = snapshot.functions[decision.function].versions[decision.version]
        if version.configuration.type == "web":
            raise WebFunction(decision.function, decision.version)
        request_id = request_id or self.new_id()
        outcome = _checked(await self._runtime.invoke(version, event, request_id), request_id)
        invoked = Invoked(
            request_id=request_id,
            version=decision.version,
            reason=decision.reason,
            revision=snapshot.revision,
            status=outcome.status,
            value=outcome.value,
            error=outcome.error,
            seconds=outcome.seconds,
            memory=outcome.memory,
            log=tail(log_text(request_id, outcome, version.configuration.memory)),
            output=outcome.output,
        )
        self._tell(target, routing_key, event, invoked)
        return invoked


def _checked(outcome: Outcome, request_id: str) -> Outcome:
    """An outcome that can be told: a value that is too large, or no JSON, is a failure."""
    if outcome.status != OK:
        return outcome
    try:
        size = len(to_json(outcome.value))
    except (TypeError, ValueError, RecursionError) as error:
        said = f"the value that the handler returned has no form in JSON: {error}"
        return _instead(outcome, failed(USER_EXCEPTION, said, request_id))
    if size > MAX_VALUE:
        said = f"ResponseTooLarge: the value has {size} bytes; allowed: {MAX_VALUE}"
        return _instead(outcome, failed(RESPONSE_TOO_LARGE, said, request_id))
    return outcome


def _instead(outcome: Outcome, other: Outcome) -> Outcome:
    return replace(outcome, status=other.status, value=None, error=other.error)
