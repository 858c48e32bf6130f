"""The data plane: one ASGI callable that answers callers.

One request sees one revision, from the first look-up to the last count: the snapshot is read once
and everything else hangs on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from gateway.core.decide import decide
from gateway.core.errors import RoutingError
from gateway.core.snapshot import Stage
from gateway.core.split import Draw
from gateway.dataplane.address import as_sent
from gateway.dataplane.answer import MALFORMED
from gateway.dataplane.asgi import Receive, Scope, Send
from gateway.dataplane.bodies import MAX_EVENT_BODY, read_body
from gateway.dataplane.fairness import crowding
from gateway.dataplane.faults import Invoker
from gateway.dataplane.features import Guards
from gateway.dataplane.forward import CallerGone, HttpForwarder, Passage
from gateway.dataplane.limits_body import Bounds
from gateway.dataplane.outcomes import answer_of, failed_answer
from gateway.dataplane.overload import Load
from gateway.dataplane.overload_answer import send_crowding, send_overloaded
from gateway.dataplane.plans import (
    FixedPlan,
    FunctionPlan,
    GuardedPlan,
    HttpPlan,
    Observer,
    Plan,
    Plans,
    Result,
)
from gateway.dataplane.replies import reply, send_answer, send_error, send_fixed
from gateway.dataplane.request import HttpRequest, headers_of
from gateway.dataplane.tap import Tap
from gateway.dataplane.web import Web
from gateway.dataplane.web_plan import WebPlan
from gateway.dataplane.web_sockets import WebSockets
from gateway.live import Live
from gateway.observe import Label

TOO_LARGE: Final = "RequestTooLarge: the body exceeds 6 MB"


class DataPlane:
    """Answers callers.

    Args:
        live: Where the snapshot is read from, once a request.
        invoker: Runs versions.
        draw: The dice.
        observer: Is told of answers.
        now: The monotonic clock, in seconds.
        new_id: Makes request ids.
        forwarder: Serves HTTP back ends.
        guards: Makes the guards of APIs with features.

    Attributes:
        tap: What looks at requests while somebody records them.
        load: How much the listener in front of it answers.
        bounds: How long APIs let a body be; the listener keeps them.
    """

    tap: Tap | None = None
    load: Load = Load(1)  # nobody counts in it

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        *,
        live: Live,
        invoker: Invoker,
        draw: Draw,
        observer: Observer,
        now: Callable[[], float],
        new_id: Callable[[], str],
        forwarder: HttpForwarder,
        guards: Guards,
    ) -> None:
        self._live = live
        self._invoker = invoker
        self._draw = draw
        self._observer = observer
        self._now = now
        self._new_id = new_id
        self._forwarder = forwarder
        self._guards = guards
        self._web = Web(draw, forwarder)
        self._sockets = WebSockets(draw, forwarder)
        self._plans = Plans(live.snapshot, invoker, observer, guards)
        self.bounds = Bounds()
        self.bounds.follow(live.snapshot)
        live.followers.append(self.bounds.follow)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """The ASGI entry: finds out whom the request is for and hands on what answers it.

        No coroutine of its own: the one it gives back is all that a request costs.
        """
        if self.tap is not None:
            scope, receive, send = self.tap.around(scope, receive, send)
        plans = self._plans
        if plans.snapshot is not self._live.snapshot:
            plans = self._plans = self._book()
        arrived = self._new_id(), self._now()
        if scope["type"] != "http":
            return self._sockets.connect(plans, arrived, scope, (receive, send))
        headers, method = headers_of(scope), scope["method"]
        request = HttpRequest(headers, scope["query_string"])
        request.id, request.began = arrived
        request.method, request.path = method, scope["path"]
        load = self.load
        busy = load.running > load.common
        if busy and load.running > load.most:
            return send_overloaded(plans, load.most, (scope, send, request))
        stage: Stage | None = None
        try:
            stage, request.path = plans.addresses.locate(headers.get("host", ""), request.path)
            api, request.parameters = stage.table.match(method, request.path)
        except RoutingError as error:
            return self._unmatched((plans, stage, error), request, scope, (receive, send))
        plan = plans.plan(stage, api)
        if busy:
            return self._squeezed((plans, plan, stage), request, scope, (receive, send))
        if isinstance(plan, FunctionPlan):
            return self._call(plan, request, scope, (receive, send))
        return self._inner(plan, request, scope, (receive, send))

    async def close(self) -> None:
        """Close what the plane itself has opened: WebSocket connections to back ends."""
        await self._sockets.close()

    def _unmatched(
        self,
        found: tuple[Plans, Stage | None, RoutingError],
        request: HttpRequest,
        scope: Scope,
        ends: tuple[Receive, Send],
    ) -> Awaitable[None]:
        """No API takes the request; a browser may ask about one that it is going to call."""
        plans, stage, error = found
        asked = plans.preflight(stage, request, scope["method"])
        if asked is not None:
            return self._guarded(asked, request, scope, ends)
        return send_error(plans, stage, error, (scope, ends[1], request))

    def _book(self) -> Plans:
        """A new, empty book of plans for the live snapshot."""
        return Plans(self._live.snapshot, self._invoker, self._observer, self._guards)

    async def _guarded(
        self, plan: GuardedPlan, request: HttpRequest, scope: Scope, ends: tuple[Receive, Send]
    ) -> None:
        """Ask the guard, and answer as the plan behind it does."""
        receive, send = ends
        scope, send = plan.guard.dressing(request, scope, send)
        book, stage = plan.book, plan.stage
        try:
            answer = plan.guard.ask(request, scope)
            if answer is None and plan.guard.parameters is not None:
                scope, receive = await plan.guard.parameters.read(request, scope, receive)
        except CallerGone:
            return
        except RoutingError as error:
            await send_error(book, stage, error, (scope, send, request))
            return
        if answer is None:
            await self._inner(plan.inner, request, scope, (receive, send))
            return
        await send_answer(send, answer, book.said(stage), request.id)
        book.note(book.observer.cell(Label(stage.name)), answer[0], request)

    def _squeezed(
        self,
        found: tuple[Plans, Plan, Stage],
        request: HttpRequest,
        scope: Scope,
        ends: tuple[Receive, Send],
    ) -> Awaitable[None]:
        """What answers while the last places are taken."""
        plans, plan, stage = found
        crowd = crowding(plan, self.load, self._invoker.running, self._forwarder.under_way)
        if crowd is None:
            return self._inner(plan, request, scope, ends)
        return send_crowding(plans, crowd, stage, (scope, ends[1], request))

    def _inner(
        self, plan: Plan, request: HttpRequest, scope: Scope, ends: tuple[Receive, Send]
    ) -> Awaitable[None]:
        """What answers; most of what functions answer goes a shorter way."""
        if isinstance(plan, GuardedPlan):
            return self._guarded(plan, request, scope, ends)
        if isinstance(plan, FunctionPlan):
            return self._call(plan, request, scope, ends)
        if isinstance(plan, FixedPlan):
            return send_fixed(plan, (scope, ends[1], request))
        if isinstance(plan, WebPlan):
            return self._serve(plan, request, scope, ends)
        return self._forward(plan, request, scope, ends)

    async def _serve(
        self, plan: WebPlan, request: HttpRequest, scope: Scope, ends: tuple[Receive, Send]
    ) -> None:
        """Have a web version answer; a version of an earlier type takes an event as ever."""
        settled = await self._web.answer(plan, request, scope, ends)
        if settled is not None:
            await self._call(plan.function, request, scope, ends, settled)

    async def _call(
        self,
        plan: FunctionPlan,
        request: HttpRequest,
        scope: Scope,
        ends: tuple[Receive, Send],
        settled: Result | None = None,
    ) -> None:
        """Decide, unless that is settled; run the version that was chosen, and answer."""
        headers, (receive, send) = request.headers, ends
        try:
            if "content-length" in headers or "transfer-encoding" in headers:
                request.body = await read_body(receive)
            result = settled or plan.result(
                decide(plan.book.snapshot, plan.target, request, self._draw)
            )
        except CallerGone:
            return
        except RoutingError as error:
            await send_error(plan.book, plan.stage, error, (scope, send, request))
            return
        outcome = None
        if len(request.body) > MAX_EVENT_BODY:
            answer = failed_answer(406, TOO_LARGE, request.id)
        else:
            if b"%" in scope["raw_path"]:
                request.path = as_sent(request.path)
            outcome = await result.runner.invoke(plan.event(request, scope), request.id)
            answer = answer_of(outcome, request.id, integrated=plan.integrated)
        if not reply(scope, answer, result.said, request.id):
            await send_answer(send, answer, result.said, request.id)
        cell = result.malformed if answer is MALFORMED else result.cell
        book = plan.book
        book.observer.note(cell, answer[0], request, book.snapshot.revision, outcome)
        if result.ticket is not None:
            result.ticket.settle(cell.kind(answer[0]), ran=outcome is not None)

    async def _forward(
        self, plan: HttpPlan, request: HttpRequest, scope: Scope, ends: tuple[Receive, Send]
    ) -> None:
        passage = Passage(scope, request.path, request.headers, request.id)
        plan.book.note(plan.cell, await self._forwarder.forward(plan, passage, *ends), request)
