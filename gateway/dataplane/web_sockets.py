"""WebSocket connections are routed as requests of the method GET are, and decided for once.

The connection stays with its version, and with its revision, until one side ends it. What takes
no WebSocket is refused before the connection is accepted, with the answer that a request would
get, or with 403.
"""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.core.decide import decide
from gateway.core.errors import RoutingError
from gateway.core.snapshot import Stage
from gateway.core.split import Draw
from gateway.dataplane.answer import JSON_LINE, function_error
from gateway.dataplane.asgi import Receive, Scope, Send
from gateway.dataplane.backends_address import take_apart, target_of
from gateway.dataplane.forward import HttpForwarder
from gateway.dataplane.plans import GuardedPlan, HttpPlan, Plain, Plans
from gateway.dataplane.replies import send_answer, send_error
from gateway.dataplane.request import HttpRequest, read_headers
from gateway.dataplane.texts import message_body
from gateway.dataplane.web import Served, application_scope, target_in
from gateway.dataplane.web_bridge import Bridge, Upstream
from gateway.dataplane.web_plan import WebPlan
from gateway.dataplane.web_socket_ends import SocketEnds
from gateway.observe import Label
from gateway.runtime import Outcome
from gateway.runtime.outcome import EXITED, PROCESS_EXIT, failed, timed_out
from gateway.runtime.web_application import Application
from gateway.runtime.web_child import Child
from gateway.runtime.web_place import Place

REFUSED: Final = 403
_NO_SOCKET: Final = "This api takes no WebSocket connections."


class WebSockets:
    """Answers callers who ask for a WebSocket.

    Args:
        draw: The dice.
        forwarder: Knows whom no connection may be made to.
    """

    def __init__(self, draw: Draw, forwarder: HttpForwarder) -> None:
        self._draw = draw
        self._bridge = Bridge(forwarder.dialler)

    async def close(self) -> None:
        """Close every connection to back ends."""
        await self._bridge.close()

    async def connect(
        self,
        plans: Plans,
        arrived: tuple[str, float],
        scope: Scope,
        ends: tuple[Receive, Send],
    ) -> None:
        """Take one connection from its opening to its end; its id and when it came are known."""
        receive, send = ends
        if scope["type"] != "websocket":
            return  # a lifespan, which a server should not ask for
        await receive()  # that it is asked for
        told = SocketEnds(scope, receive, send)
        scope = {**scope, "method": "GET"}
        request = HttpRequest(read_headers(scope["headers"]), scope["query_string"])
        request.id, request.began = arrived
        request.method, request.path = "GET", scope["path"]
        stage: Stage | None = None
        try:
            host = request.headers.get("host", "")
            stage, request.path = plans.addresses.locate(host, request.path)
            api, request.parameters = stage.table.match("GET", request.path)
            plan = _admitted(plans.plan(stage, api), request, scope)
            await self._serve(plans, stage, plan, (request, scope, told))
        except RoutingError as error:
            await send_error(plans, stage, error, (scope, told.deny, request))

    async def _serve(
        self,
        plans: Plans,
        stage: Stage,
        plan: Plain,
        asked: tuple[HttpRequest, Scope, SocketEnds],
    ) -> None:
        request, scope, told = asked
        if isinstance(plan, WebPlan):
            served = self._decided(plan, request, scope)
            if served is not None:
                status = await self._by_version(served, told)
                plans.note(served.result.cell, status, request)
                if served.result.ticket is not None:
                    served.result.ticket.settle(served.result.cell.kind(status))
                return
        elif isinstance(plan, HttpPlan):
            status = await self._bridge.cross(_to_backend(plan, request, scope), told)
            plans.note(plan.cell, status, request)
            return
        answer = REFUSED, JSON_LINE, message_body(_NO_SOCKET)
        await send_answer(told.deny, answer, plans.said(stage), request.id)
        plans.note(plans.observer.cell(Label(stage.name)), REFUSED, request)

    def _decided(self, plan: WebPlan, request: HttpRequest, scope: Scope) -> Served | None:
        function = plan.function
        decision = decide(function.book.snapshot, function.target, request, self._draw)
        runner = plan.runner(decision)
        if runner is None:
            return None
        return Served(runner, function.result(decision), request, scope)

    async def _by_version(self, served: Served, told: SocketEnds) -> int:
        """Have a version answer; gives the status to be counted."""
        place = await served.place()
        if isinstance(place, Outcome):
            return await deny(served, place, told)
        if isinstance(place.instance, Application):
            return await _by_application(served, place, place.instance, told)
        try:
            return await self._bridge.cross(_to_child(served, place.instance), told)
        finally:
            place.leave()


def _to_backend(plan: HttpPlan, request: HttpRequest, scope: Scope) -> Upstream:
    where = take_apart(plan.backend.url)
    return Upstream(
        authority=f"{where.host.decode()}",
        target=target_of(where.path, plan.front, request.path, scope["query_string"]),
        host=where.host,
        scope=scope,
        request_id=request.id,
        limit=plan.backend.timeout,
        said=plan.said,
        late=(504, JSON_LINE, message_body("Gateway Time-out.")),
        failed=(502, JSON_LINE, message_body("Bad Gateway.")),
        is_tls=where.origin.is_tls,
    )


def _to_child(served: Served, child: Child) -> Upstream:
    request, limit = served.request, served.runner.version.configuration.timeout
    late, exited = timed_out(limit, request.id), failed(PROCESS_EXIT, EXITED, request.id)
    return Upstream(
        authority=child.authority,
        target=target_in(served.scope, request.path),
        host=request.headers.get("host", child.authority).encode("latin-1"),
        scope={**served.scope, "headers": served.headers()},
        request_id=request.id,
        limit=limit,
        said=served.result.said,
        late=function_error(late.status, late.error or {}),
        failed=function_error(exited.status, exited.error or {}),
    )


def _admitted(plan: GuardedPlan | Plain, request: HttpRequest, scope: Scope) -> Plain:
    """The plan behind a guard.

    Raises:
        RoutingError: The guard turns the caller away.
    """
    if not isinstance(plan, GuardedPlan):
        return plan
    plan.guard.ask(request, scope)
    return plan.inner


async def _by_application(
    served: Served, place: Place, application: Application, told: SocketEnds
) -> int:
    if application.is_wsgi:
        place.leave()
        answer = REFUSED, JSON_LINE, message_body(_NO_SOCKET)
        await send_answer(told.deny, answer, served.result.said, served.request.id)
        return REFUSED
    told.said = served.said
    scope = application_scope(served, application.state)
    del scope["method"]
    running = application.start((scope, told.receive, told.send))
    running.task.add_done_callback(lambda _: place.leave())
    limit = served.runner.version.configuration.timeout
    try:
        if not await told.settled(running.task, limit):
            told.deaf = True
            running.stop()
            return await deny(served, timed_out(limit, served.request.id), told)
        await asyncio.wait([running.task])
    except asyncio.CancelledError:
        running.stop()
        raise
    error = running.task.result()
    if told.status == 0:
        return await deny(served, application.explain(error, served.request.id), told)
    await told.end(failed=error is not None)
    return told.status


async def deny(served: Served, outcome: Outcome, told: SocketEnds) -> int:
    """Refuse a connection that a version gave no answer to."""
    answer = function_error(outcome.status, outcome.error or {})
    await send_answer(told.deny, answer, served.result.said, served.request.id)
    return outcome.status
