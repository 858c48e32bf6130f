"""The data plane: one ASGI callable that answers callers.

One request sees one revision, from the first look-up to the last count: the snapshot is read once
and everything else hangs on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from gateway.core.decide import decide
from gateway.core.errors import RoutingError
from gateway.core.snapshot import Stage
from gateway.core.split import Draw
from gateway.dataplane.address import as_sent, locate
from gateway.dataplane.answer import (
    JSON_LINE,
    MALFORMED,
    Answer,
    function_error,
    integrated_answer,
    pairs,
    passthrough,
)
from gateway.dataplane.asgi import Receive, Scope, Send
from gateway.dataplane.exchange import BODILESS, REPLY
from gateway.dataplane.forward import CallerGone, Passage
from gateway.dataplane.plans import FixedPlan, FunctionPlan, HttpPlan, Invoker, Observer, Plans
from gateway.dataplane.request import HttpRequest, read_headers
from gateway.dataplane.texts import error_body
from gateway.live import Live
from gateway.observe import Label, count
from gateway.runtime import Outcome

MAX_EVENT_BODY: Final = 6 * 1024 * 1024
"""Bytes of a body towards a function, and of its answer (CONTRACT 5.4)."""

TOO_LARGE: Final = "RequestTooLarge: the body exceeds 6 MB"
NOT_SERIALISABLE: Final = "the handler's return value cannot be written as JSON"
_NO_EXTENSIONS: Final[dict[str, Any]] = {}


class Forwarder(Protocol):
    """Passes a request on to another HTTP server."""

    async def forward(self, plan: HttpPlan, passage: Passage, receive: Receive, send: Send) -> int:
        """Send the request and its answer through; gives the status that the caller saw."""


class DataPlane:
    """Answers callers.

    Args:
        live: Where the snapshot is read from, once a request.
        invoker: Runs versions.
        draw: The dice.
        observer: Keeps the tallies of answers.
        new_id: Makes request ids.
        forwarder: Serves HTTP back ends.
    """

    def __init__(  # noqa: PLR0913 - the composition root names every part once
        self,
        *,
        live: Live,
        invoker: Invoker,
        draw: Draw,
        observer: Observer,
        new_id: Callable[[], str],
        forwarder: Forwarder,
    ) -> None:
        self._live = live
        self._invoker = invoker
        self._draw = draw
        self._observer = observer
        self._new_id = new_id
        self._forwarder = forwarder
        self._plans = Plans(live.snapshot, invoker, observer)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """The ASGI entry: finds out whom the request is for and hands on what answers it.

        No coroutine of its own: the one it gives back is all that a request costs.
        """
        if scope["type"] != "http":
            return _refuse(scope, receive, send)
        plans = self._plans
        if plans.snapshot is not self._live.snapshot:
            plans = self._plans = Plans(self._live.snapshot, self._invoker, self._observer)
        request_id = self._new_id()
        headers = read_headers(scope["headers"])
        stage: Stage | None = None
        try:
            stage, path = locate(plans.snapshot, headers.get("host", ""), scope["path"])
            api, parameters = stage.table.match(scope["method"], path)
        except RoutingError as error:
            return _send_error(plans, stage, error, (scope, send, request_id))
        plan = plans.plan(stage, api)
        if isinstance(plan, FunctionPlan):
            request = HttpRequest(headers, scope["query_string"], parameters)
            request.path, request.id = path, request_id
            return self._call(plan, request, scope, (receive, send))
        if isinstance(plan, FixedPlan):
            return _send_fixed(plan, (scope, send, request_id))
        return self._forward(plan, Passage(scope, path, headers, request_id), receive, send)

    async def _call(
        self, plan: FunctionPlan, request: HttpRequest, scope: Scope, ends: tuple[Receive, Send]
    ) -> None:
        """Decide, run the version that was chosen, and answer."""
        headers, (receive, send) = request.headers, ends
        try:
            if "content-length" in headers or "transfer-encoding" in headers:
                request.body = await _read_body(receive)
            result = plan.result(decide(plan.book.snapshot, plan.target, request, self._draw))
        except CallerGone:
            return
        except RoutingError as error:
            await _send_error(plan.book, plan.stage, error, (scope, send, request.id))
            return
        if len(request.body) > MAX_EVENT_BODY:
            answer = _failed(406, TOO_LARGE, request.id)
        else:
            if b"%" in scope["raw_path"]:
                request.path = as_sent(request.path)
            outcome = await result.runner.invoke(plan.event(request, scope), request.id)
            answer = _answer(outcome, request.id, integrated=plan.integrated)
        if not _reply(scope, answer, result.said, request.id):
            await _send(send, answer, result.said, request.id)
        count(result.malformed if answer is MALFORMED else result.tally, answer[0])

    async def _forward(
        self, plan: HttpPlan, passage: Passage, receive: Receive, send: Send
    ) -> None:
        count(plan.tally, await self._forwarder.forward(plan, passage, receive, send))


def _answer(outcome: Outcome, request_id: str, *, integrated: bool) -> Answer:
    if outcome.error is not None:
        return function_error(outcome.status, outcome.error)
    answer = integrated_answer(outcome.value) if integrated else passthrough(outcome.value)
    if answer is None:
        return _failed(430, NOT_SERIALISABLE, request_id)
    if len(answer[2]) > MAX_EVENT_BODY:
        return _failed(407, "ResponseTooLarge: the answer exceeds 6 MB", request_id)
    return answer


def _failed(status: int, message: str, request_id: str) -> Answer:
    error = {
        "errorCode": -1,
        "errorMessage": message,
        "requestId": request_id,
        "statusCode": status,
    }
    return function_error(status, error)


async def _read_body(receive: Receive) -> bytes:
    """The whole body, or at least one byte more than is allowed.

    Raises:
        CallerGone: The caller went away before the body was complete.
    """
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= MAX_EVENT_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    return b"".join(parts)


def _reply(scope: Scope, answer: Answer, said: bytes, request_id: str) -> bool:
    """Hand over the whole answer at once, where the server offers to take it."""
    reply = scope.get("extensions", _NO_EXTENSIONS).get(REPLY)
    if reply is None:
        return False
    status, own, body = answer
    head = b"%b%bx-api-requestid: %b\r\n" % (own, said, request_id.encode())
    return bool(reply(status, head, body))


async def _send(send: Send, answer: Answer, said: bytes, request_id: str) -> None:
    """The ordinary way of ASGI."""
    status, own, body = answer
    headers = [*pairs(own + said), (b"x-api-requestid", request_id.encode())]
    if status in BODILESS:
        body = b""
    else:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_fixed(plan: FixedPlan, out: tuple[Scope, Send, str]) -> None:
    scope, send, request_id = out
    if not _reply(scope, plan.answer, plan.said, request_id):
        await _send(send, plan.answer, plan.said, request_id)
    count(plan.tally, plan.answer[0])


async def _send_error(
    book: Plans, stage: Stage | None, error: RoutingError, out: tuple[Scope, Send, str]
) -> None:
    scope, send, request_id = out
    answer = (error.status, JSON_LINE, error_body(error))
    said = book.said(stage) if stage else book.revision
    if not _reply(scope, answer, said, request_id):
        await _send(send, answer, said, request_id)
    count(book.observer.tally(Label(stage.name if stage else "")), error.status)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Web sockets have no API kind that takes them: closed before they are accepted."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
