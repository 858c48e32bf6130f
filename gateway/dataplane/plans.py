"""What can be prepared of an answer, compiled on first use and kept for as long as a snapshot.

A plan belongs to one API of one stage; all plans of a stage share one result for each decision that
was ever made there. A swap starts a new, empty book: nothing of an old revision is reached from it.
"""

from __future__ import annotations

from typing import Protocol

from gateway.core.entries import Decision
from gateway.core.errors import RoutingError
from gateway.core.snapshot import (
    Api,
    FunctionBackend,
    HttpBackend,
    MockBackend,
    Service,
    Snapshot,
    Stage,
)
from gateway.dataplane.address import Addresses
from gateway.dataplane.answer import line, mock
from gateway.dataplane.breakers import Shut, Ticket
from gateway.dataplane.event import event_builder
from gateway.dataplane.faults import Invoker, Runner, Touched
from gateway.dataplane.features import Guard, Guards
from gateway.dataplane.features_cors import ASKED, is_preflight
from gateway.dataplane.function_urls import STAGE as FUNCTION_URLS
from gateway.dataplane.request import HttpRequest
from gateway.dataplane.web_plan import WebPlan, has_web
from gateway.observe import Cell, Label
from gateway.runtime import Outcome


class Observer(Protocol):
    """Is told of answers."""

    def cell(self, label: Label, *, malformed: bool = False) -> Cell:
        """Where the answers of a label are counted."""

    def note(
        self,
        cell: Cell,
        status: int,
        asked: HttpRequest,
        revision: int,
        outcome: Outcome | None = None,
    ) -> None:
        """Take note of an answer that is out."""


class Result:
    """One decision at the APIs of one stage.

    Attributes:
        runner: Runs the version.
        said: What the answer says of the decision, as header lines.
        cell: What the answer is counted in.
        malformed: What it is counted in if it is malformed.
        ticket: Tells the version's breaker how the request ended; `None` where nobody asks.
    """

    __slots__ = ("cell", "malformed", "runner", "said", "ticket")

    def __init__(self, runner: Runner, said: bytes, observer: Observer, label: Label) -> None:
        self.runner = runner
        self.said = said
        self.cell = observer.cell(label)
        self.malformed = observer.cell(label, malformed=True)
        self.ticket: Ticket | None = None

    def touched(self, touch: Touched | Shut | Ticket) -> Result:
        """The same for one request that a fault touches, or a breaker counts or refuses."""
        other = Result.__new__(Result)  # a copy, without what `copy` costs
        other.runner, other.said, other.ticket = self.runner, self.said, None
        other.cell, other.malformed = self.cell, self.malformed
        if isinstance(touch, Ticket):
            other.ticket = touch
            return other
        other.runner = touch
        other.ticket = touch.ticket
        other.said += touch.said
        return other


class FunctionPlan:
    """An API answered by a function.

    Attributes:
        target: Whom `decide` is asked for.
        event: Builds the event.
        integrated: Whether the function spells out its answer.
    """

    __slots__ = ("_faulty", "_results", "book", "event", "integrated", "stage", "target")

    def __init__(self, book: Plans, stage: Stage, api: Api, backend: FunctionBackend) -> None:
        self.target = backend.target
        self.event = event_builder(book.service_of(stage).id, stage, api, backend)
        self.integrated = backend.integrated
        self.book = book
        self.stage = stage
        self._results, self._faulty = book.results.setdefault(stage.name, ({}, {}))

    def result(self, decision: Decision) -> Result:
        """What was prepared for a decision; with a fault or a breaker, that of this request."""
        known = self._results.get(decision)
        if known is None:
            known = self._new_result(decision)
        return known

    def _new_result(self, decision: Decision) -> Result:
        function = self.book.snapshot.functions[decision.function]
        if function.breaker is None and decision.version not in function.faults:
            result = self._results[decision] = self._prepare(decision)
            return result
        known = self._faulty.get(decision)
        known = known or self._faulty.setdefault(decision, self._prepare(decision))
        touched = self.book.invoker.touch(function, decision.version)
        return known if touched is None else known.touched(touched)

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

    __slots__ = ("answer", "book", "cell", "said")

    def __init__(self, book: Plans, stage: Stage, backend: MockBackend) -> None:
        self.book = book
        self.answer = mock(backend)
        self.said = book.said(stage)
        self.cell = book.observer.cell(Label(stage.name))


class HttpPlan:
    """An API answered by another HTTP server."""

    __slots__ = ("backend", "book", "cell", "front", "said")

    def __init__(self, book: Plans, stage: Stage, api: Api, backend: HttpBackend) -> None:
        self.book = book
        self.backend = backend
        self.front = api.path
        self.said = book.said(stage)
        self.cell = book.observer.cell(Label(stage.name))


Plain = FunctionPlan | FixedPlan | HttpPlan | WebPlan


class GuardedPlan:
    """An API with features: a guard, and the plan that answers whom it lets through."""

    __slots__ = ("book", "guard", "inner", "stage")

    def __init__(self, book: Plans, stage: Stage, guard: Guard, inner: Plain) -> None:
        self.book = book
        self.stage = stage
        self.guard = guard
        self.inner = inner


Plan = Plain | GuardedPlan


class Plans:
    """The plans of one snapshot.

    Attributes:
        snapshot: The frozen state they were made from.
        addresses: Where requests are addressed to.
        invoker: Runs versions.
        observer: Is told of answers.
        guards: Makes the guards of APIs with features.
        revision: The header line that names the revision.
        results: What was prepared by stage and decision; apart, what faults and breakers may touch.
    """

    __slots__ = (
        *("_plans", "addresses", "guards", "invoker"),
        *("observer", "results", "revision", "snapshot"),
    )

    def __init__(
        self, snapshot: Snapshot, invoker: Invoker, observer: Observer, guards: Guards
    ) -> None:
        self.snapshot = snapshot
        self.guards = guards
        self.addresses = Addresses(snapshot)
        self.invoker = invoker
        self.observer = observer
        self.revision = line("x-gateway-revision", str(snapshot.revision))
        self._plans: dict[tuple[int, int], Plan] = {}
        self.results: dict[str, tuple[dict[Decision, Result], dict[Decision, Result]]] = {}

    def plan(self, stage: Stage, api: Api) -> Plan:
        """The plan of an API in a stage; both are held by the snapshot, so identity names them."""
        key = (id(stage), id(api))
        known = self._plans.get(key)
        if known is None:
            known = self._plans[key] = self._make(stage, api)
        return known

    def note(
        self, cell: Cell, status: int, request: HttpRequest, outcome: Outcome | None = None
    ) -> None:
        """Tell the observer of an answer that is out."""
        self.observer.note(cell, status, request, self.snapshot.revision, outcome)

    def said(self, stage: Stage) -> bytes:
        """What every answer of a stage says, as header lines; function URLs have no stage."""
        if stage.name == FUNCTION_URLS:
            return self.revision
        return line("x-gateway-stage", stage.name) + self.revision

    def service_of(self, stage: Stage) -> Service:
        """The service that was released to a stage; one without a name for function URLs."""
        for service in self.snapshot.services.values():
            if service.stages.get(stage.name) is stage:
                return service
        return Service("", "")

    def preflight(
        self, stage: Stage | None, request: HttpRequest, method: str
    ) -> GuardedPlan | None:
        """The plan of the API that a browser asks about, where no API takes the question itself."""
        if stage is None or not is_preflight(method, request.headers):
            return None
        try:
            api, _ = stage.table.match(request.headers[ASKED], request.path)
        except RoutingError:
            return None
        plan = self.plan(stage, api)
        return plan if isinstance(plan, GuardedPlan) and plan.guard.pages is not None else None

    def _make(self, stage: Stage, api: Api) -> Plan:
        plain = self._plain(stage, api)
        guard = self.guards.guard(self.service_of(stage), stage, api)
        return plain if guard is None else GuardedPlan(self, stage, guard, plain)

    def _plain(self, stage: Stage, api: Api) -> Plain:
        backend = api.backend
        if isinstance(backend, FunctionBackend):
            plan = FunctionPlan(self, stage, api, backend)
            return WebPlan(plan) if has_web(self.snapshot, backend.function) else plan
        if isinstance(backend, HttpBackend):
            return HttpPlan(self, stage, api, backend)
        return FixedPlan(self, stage, backend)
