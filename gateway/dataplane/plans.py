"""What can be prepared of an answer, compiled on first use and kept for as long as a snapshot.

A plan belongs to one API of one stage; under it, one result for each decision that was ever made
there. A swap starts a new, empty book of plans: nothing of an old revision is reached from it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from gateway.core.entries import Decision
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Api, FunctionBackend, HttpBackend, MockBackend, Snapshot, Stage
from gateway.dataplane.answer import line, mock
from gateway.dataplane.event import Event, event_builder
from gateway.observe import Label, Tally
from gateway.runtime import Outcome


class Runner(Protocol):
    """Runs one version."""

    def invoke(self, event: Event, request_id: str) -> Awaitable[Outcome]:
        """Run the handler once; a failure is an outcome, not an exception."""


class Invoker(Protocol):
    """Knows how to run versions."""

    def runner(self, version: FunctionVersion) -> Runner:
        """The runner of a version."""


class Observer(Protocol):
    """Keeps the tallies of answers."""

    def tally(self, label: Label) -> Tally:
        """The tally that answers of a label are counted in."""

    def malformed(self, label: Label) -> Tally:
        """The tally that malformed answers of a label are counted in."""


class Result:
    """One decision at one API.

    Attributes:
        runner: Runs the version.
        said: What the answer says of the decision, as header lines.
        tally: What the answer is counted in.
        malformed: What it is counted in if it is malformed.
    """

    __slots__ = ("malformed", "runner", "said", "tally")

    def __init__(self, runner: Runner, said: bytes, observer: Observer, label: Label) -> None:
        self.runner = runner
        self.said = said
        self.tally = observer.tally(label)
        self.malformed = observer.malformed(label)


class FunctionPlan:
    """An API answered by a function.

    Attributes:
        target: Whom `decide` is asked for.
        event: Builds the event.
        integrated: Whether the function spells out its answer.
    """

    __slots__ = ("_results", "book", "event", "integrated", "stage", "target")

    def __init__(self, book: Plans, stage: Stage, api: Api, backend: FunctionBackend) -> None:
        self.target = backend.target
        self.event = event_builder(book.service, stage, api, backend)
        self.integrated = backend.integrated
        self.book = book
        self.stage = stage
        self._results: dict[Decision, Result] = {}

    def result(self, decision: Decision) -> Result:
        """What was prepared for a decision."""
        known = self._results.get(decision)
        if known is None:
            known = self._results[decision] = self._prepare(decision)
        return known

    def _prepare(self, decision: Decision) -> Result:
        book, name, version = self.book, decision.function, decision.version
        runner = book.invoker.runner(book.snapshot.functions[name].versions[version])
        said = [
            book.said(self.stage),
            line("x-gateway-function", name),
            line("x-gateway-alias", decision.qualifier) if decision.reason != "pinned" else b"",
            line("x-gateway-version", version),
            line("x-gateway-reason", decision.reason),
        ]
        label = Label(self.stage.name, name, decision.qualifier, version, decision.reason)
        return Result(runner, b"".join(said), book.observer, label)


class FixedPlan:
    """An API whose answer is always the same."""

    __slots__ = ("answer", "said", "tally")

    def __init__(self, book: Plans, stage: Stage, backend: MockBackend) -> None:
        self.answer = mock(backend)
        self.said = book.said(stage)
        self.tally = book.observer.tally(Label(stage.name))


class HttpPlan:
    """An API answered by another HTTP server."""

    __slots__ = ("backend", "front", "said", "tally")

    def __init__(self, book: Plans, stage: Stage, api: Api, backend: HttpBackend) -> None:
        self.backend = backend
        self.front = api.path
        self.said = book.said(stage)
        self.tally = book.observer.tally(Label(stage.name))


Plan = FunctionPlan | FixedPlan | HttpPlan


class Plans:
    """The plans of one snapshot.

    Attributes:
        snapshot: The frozen state they were made from.
        service: The id of the service that answers.
        invoker: Runs versions.
        observer: Keeps the tallies.
        revision: The header line that names the revision.
    """

    __slots__ = ("_plans", "invoker", "observer", "revision", "service", "snapshot")

    def __init__(self, snapshot: Snapshot, invoker: Invoker, observer: Observer) -> None:
        service = snapshot.default_service
        self.snapshot = snapshot
        self.service = service.id if service else ""
        self.invoker = invoker
        self.observer = observer
        self.revision = line("x-gateway-revision", str(snapshot.revision))
        self._plans: dict[tuple[int, int], Plan] = {}

    def plan(self, stage: Stage, api: Api) -> Plan:
        """The plan of an API in a stage; both are held by the snapshot, so identity names them."""
        key = (id(stage), id(api))
        known = self._plans.get(key)
        if known is None:
            known = self._plans[key] = self._make(stage, api)
        return known

    def said(self, stage: Stage) -> bytes:
        """What every answer of a stage says, as header lines."""
        return line("x-gateway-stage", stage.name) + self.revision

    def _make(self, stage: Stage, api: Api) -> Plan:
        backend = api.backend
        if isinstance(backend, FunctionBackend):
            return FunctionPlan(self, stage, api, backend)
        if isinstance(backend, HttpBackend):
            return HttpPlan(self, stage, api, backend)
        return FixedPlan(self, stage, backend)
