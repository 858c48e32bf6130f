"""Web versions answer requests as they come: bodies stream both ways and nothing is translated.

A request is decided before its body is read, so that rules on the body do not see it. A function
may have been of another type when a version was published; that version goes on taking events.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from gateway.core.decide import decide
from gateway.core.errors import RoutingError
from gateway.core.split import Draw
from gateway.dataplane.address import as_sent
from gateway.dataplane.answer import Header, function_error, line, pairs
from gateway.dataplane.asgi import Receive, Scope, Send
from gateway.dataplane.breakers import Shut
from gateway.dataplane.exchange import REPLY
from gateway.dataplane.faults import Touched
from gateway.dataplane.forward import HttpForwarder
from gateway.dataplane.plans import Result
from gateway.dataplane.replies import send_answer, send_error
from gateway.dataplane.request import TEXTS, HttpRequest
from gateway.dataplane.web_ends import OWN, Ends
from gateway.dataplane.web_forward import CALLER_LEFT, ToChild, forward
from gateway.dataplane.web_plan import WebPlan
from gateway.runtime import Outcome
from gateway.runtime.outcome import timed_out
from gateway.runtime.web import WebRunner
from gateway.runtime.web_application import Application
from gateway.runtime.web_child import Child
from gateway.runtime.web_place import Place

_REPLACED: Final = (*OWN, b"x-scf-", b"x-api-requestid")
"""Headers of a request that a web version hears from the gateway alone."""

_DOTS: Final = frozenset((".", ".."))


class Served(NamedTuple):
    """A request on its way into a web version.

    Attributes:
        runner: Serves the version that was decided for.
        result: What was prepared for the decision.
        request: The request as rules read it.
        scope: The ASGI scope.
    """

    runner: WebRunner
    result: Result
    request: HttpRequest
    scope: Scope

    @property
    def said(self) -> list[Header]:
        """What the gateway says in the answer."""
        return pairs(self.result.said + line("x-api-requestid", self.request.id))

    async def place(self) -> Place | Outcome:
        """Where to be served; or why nowhere, which may be a fault that was asked for."""
        fault, request_id = self.result.runner, self.request.id
        failed = await fault.begin(request_id) if isinstance(fault, Touched | Shut) else None
        return failed or await self.runner.enter(request_id)

    def headers(self) -> list[Header]:
        """The request's headers as the version sees them."""
        sent = [pair for pair in self.scope["headers"] if not pair[0].startswith(_REPLACED)]
        request_id = self.request.id.encode()
        own = ((b"x-scf-request-id", request_id), (b"x-api-requestid", request_id))
        return [*sent, *self.runner.headers, *own]


class Web:
    """Serves requests by web versions.

    Args:
        draw: The dice.
        forwarder: Has connections to servers in processes of their own.
    """

    def __init__(self, draw: Draw, forwarder: HttpForwarder) -> None:
        self._draw = draw
        self._forwarder = forwarder

    async def answer(
        self, plan: WebPlan, request: HttpRequest, scope: Scope, ends: tuple[Receive, Send]
    ) -> Result | None:
        """Decide and serve; the result, and nothing else, where the version takes events."""
        function = plan.function
        try:
            decision = decide(function.book.snapshot, function.target, request, self._draw)
        except RoutingError as error:
            await send_error(function.book, function.stage, error, (scope, ends[1], request))
            return None
        result, runner = function.result(decision), plan.runner(decision)
        if runner is None:
            return result
        served = Served(runner, result, request, scope)
        status = await self._serve(served, ends)
        function.book.note(result.cell, status, request)
        if result.ticket is not None:
            result.ticket.settle(result.cell.kind(status))
        return None

    async def _serve(self, served: Served, ends: tuple[Receive, Send]) -> int:
        place = await served.place()
        if isinstance(place, Outcome):
            return await send_failure(served, place, ends[1])
        if isinstance(place.instance, Application):
            return await serve_application(served, place, place.instance, ends)
        try:
            return await self._forward(served, place.instance, ends)
        finally:
            place.leave()

    async def _forward(self, served: Served, child: Child, ends: tuple[Receive, Send]) -> int:
        request, (receive, send) = served.request, ends
        to = ToChild(
            child,
            {**served.scope, "headers": served.headers()},
            target_in(served.scope, request.path),
            served.result.said + line("x-api-requestid", request.id),
            request.id,
            served.runner.version.configuration.timeout,
        )
        answered = await forward(self._forwarder, to, receive, send)
        if isinstance(answered, int):
            return answered
        return await send_failure(served, answered, send)


async def serve_application(
    served: Served, place: Place, application: Application, ends: tuple[Receive, Send]
) -> int:
    """Have an application in this process answer; gives the status that the caller saw."""
    request, (receive, send) = served.request, ends
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    limit = served.runner.version.configuration.timeout
    told = Ends(receive, send, served.said, has_body=has_body)
    scope = application_scope(served, application.state)
    running = application.start((scope, told.receive, told.send))
    running.task.add_done_callback(lambda _: place.leave())
    if await told.over(running, limit):
        return await send_failure(served, timed_out(limit, request.id), send)
    if told.gone:
        return CALLER_LEFT
    if told.complete:
        return told.status
    outcome = application.explain(running.task.result(), request.id)
    # Once begun, an answer can only be broken off, which the server does where one has no end.
    return outcome.status if told.status else await send_failure(served, outcome, send)


async def send_failure(served: Served, outcome: Outcome, send: Send) -> int:
    """Answer for a version that gave no answer; gives the status."""
    answer = function_error(outcome.status, outcome.error or {})
    await send_answer(send, answer, served.result.said, served.request.id)
    return outcome.status


def application_scope(served: Served, state: dict[str, Any]) -> Scope:
    """The scope as an application sees it: mounted at the stage, as ASGI has it.

    `path` is the whole path and `root_path` the stage at its beginning, so that applications
    route by the rest and make links that lead back to the same stage.
    """
    scope, path = served.scope, served.request.path
    root, raw_path = _root(scope, path)
    extensions: dict[str, Callable[..., Awaitable[None]]] = dict(scope.get("extensions") or {})
    for own in (REPLY, TEXTS):
        extensions.pop(own, None)
    return {
        **scope,
        "path": root + path,
        "raw_path": raw_path,
        "root_path": root,
        "headers": served.headers(),
        "extensions": extensions,
        "state": state,
    }


def target_in(scope: Scope, path: str) -> bytes:
    """The target of a request as it was sent, without the stage."""
    root, raw = _root(scope, path)
    if root:
        raw = raw[raw.index(b"/", 1) :]
    query: bytes = scope["query_string"]
    return b"%b?%b" % (raw, query) if query else raw


def _root(scope: Scope, path: str) -> tuple[str, bytes]:
    """The stage as it stands in the path, empty where the host names it; and the raw path."""
    whole, raw = scope["path"], scope["raw_path"]
    if "/." in whole and not _DOTS.isdisjoint(whole.split("/")):
        return "", as_sent(path).encode()  # its dots were resolved
    if path == "/" and whole.count("/") == 1 and whole != "/":
        return whole, raw + b"/"
    return whole[: len(whole) - len(path)], raw
