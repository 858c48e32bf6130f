"""The answer to a request that is one too many: of all, or of one function or back end."""

from __future__ import annotations

from typing import Final

from gateway.core.errors import RoutingError
from gateway.core.snapshot import Stage
from gateway.dataplane.answer import JSON_LINE
from gateway.dataplane.asgi import Scope, Send
from gateway.dataplane.fairness import Crowding
from gateway.dataplane.overload import Overloaded
from gateway.dataplane.plans import Plans
from gateway.dataplane.replies import reply, send_answer
from gateway.dataplane.request import HttpRequest
from gateway.dataplane.texts import error_body
from gateway.observe import Label

RETRY_AFTER: Final = b"retry-after: 1\r\n"
"""When to come again: what is refused at once may be taken a second later."""


async def send_overloaded(book: Plans, most: int, out: tuple[Scope, Send, HttpRequest]) -> None:
    """Answer without asking whom the request is for, and count that."""
    await _send(book, Overloaded(most), None, out)


async def send_crowding(
    book: Plans, error: Crowding, stage: Stage, out: tuple[Scope, Send, HttpRequest]
) -> None:
    """Answer in the place of whom the request is for, and count that."""
    await _send(book, error, stage, out)


async def _send(
    book: Plans, error: RoutingError, stage: Stage | None, out: tuple[Scope, Send, HttpRequest]
) -> None:
    scope, send, request = out
    answer = (error.status, JSON_LINE + RETRY_AFTER, error_body(error))
    said = book.said(stage) if stage else book.revision
    if not reply(scope, answer, said, request.id):
        await send_answer(send, answer, said, request.id)
    book.note(book.observer.cell(Label(stage.name if stage else "")), error.status, request)
