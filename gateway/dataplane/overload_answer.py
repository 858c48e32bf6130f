"""The answer to a request that is one too many."""

from __future__ import annotations

from typing import Final

from gateway.dataplane.answer import JSON_LINE
from gateway.dataplane.asgi import Scope, Send
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
    scope, send, request = out
    error = Overloaded(most)
    answer = (error.status, JSON_LINE + RETRY_AFTER, error_body(error))
    if not reply(scope, answer, book.revision, request.id):
        await send_answer(send, answer, book.revision, request.id)
    book.note(book.observer.cell(Label("")), error.status, request)
