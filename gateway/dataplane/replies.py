"""Handing an answer to the server: in one call where it offers that, else as ASGI does."""

from __future__ import annotations

from typing import Any, Final

from gateway.core.errors import RoutingError
from gateway.core.snapshot import Stage
from gateway.dataplane.answer import JSON_LINE, Answer, pairs
from gateway.dataplane.asgi import Scope, Send
from gateway.dataplane.exchange import BODILESS, REPLY
from gateway.dataplane.plans import FixedPlan, Plans
from gateway.dataplane.request import HttpRequest
from gateway.dataplane.texts import error_body
from gateway.observe import Label

_NO_EXTENSIONS: Final[dict[str, Any]] = {}


def reply(scope: Scope, answer: Answer, said: bytes, request_id: str) -> bool:
    """Hand over the whole answer at once, where the server offers to take it."""
    whole = scope.get("extensions", _NO_EXTENSIONS).get(REPLY)
    if whole is None:
        return False
    status, own, body = answer
    head = b"%b%bx-api-requestid: %b\r\n" % (own, said, request_id.encode())
    return bool(whole(status, head, body))


async def send_answer(send: Send, answer: Answer, said: bytes, request_id: str) -> None:
    """The ordinary way of ASGI."""
    status, own, body = answer
    headers = [*pairs(own + said), (b"x-api-requestid", request_id.encode())]
    if status in BODILESS:
        body = b""
    else:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_fixed(plan: FixedPlan, out: tuple[Scope, Send, HttpRequest]) -> None:
    """The answer that is always the same."""
    scope, send, request = out
    if not reply(scope, plan.answer, plan.said, request.id):
        await send_answer(send, plan.answer, plan.said, request.id)
    plan.book.note(plan.cell, plan.answer[0], request)


async def send_error(
    book: Plans, stage: Stage | None, error: RoutingError, out: tuple[Scope, Send, HttpRequest]
) -> None:
    """The gateway's own answer to a request that nobody takes."""
    scope, send, request = out
    answer = (error.status, JSON_LINE, error_body(error))
    said = book.said(stage) if stage else book.revision
    if not reply(scope, answer, said, request.id):
        await send_answer(send, answer, said, request.id)
    book.note(book.observer.cell(Label(stage.name if stage else "")), error.status, request)
