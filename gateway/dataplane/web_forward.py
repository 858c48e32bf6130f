"""Web versions with a server of their own: requests go on unchanged, through the back ends' pool.

The server sees the request as its caller sent it, its host included, but for the stage, which is
cut off, and for the headers that tell the server about itself.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.dataplane.backends_answer import BackendFailed, BackendSilent
from gateway.dataplane.backends_headers import RequestRefused, onward
from gateway.dataplane.dialling import Origin
from gateway.dataplane.forward import HttpForwarder, WayBack
from gateway.dataplane.sender import CallerGone, Sender
from gateway.runtime.outcome import EXITED, PROCESS_EXIT, USER_EXCEPTION, Outcome, failed, timed_out
from gateway.runtime.web_child import HOST, Child

if TYPE_CHECKING:
    from gateway.dataplane.asgi import Receive, Scope, Send

EXIT_SECONDS: Final = 0.25
"""How long a process that broke off may take to have ended, so that this is told as the reason."""

CALLER_LEFT: Final = 499


class ToChild(NamedTuple):
    """A request on its way to a server.

    Attributes:
        child: The server.
        scope: The request as the server is to see it.
        target: What the server is asked for.
        said: What the gateway says in the answer, as header lines.
        request_id: The request's id.
        limit: Seconds until the answer must have begun.
    """

    child: Child
    scope: Scope
    target: bytes
    said: bytes
    request_id: str
    limit: float


async def forward(
    forwarder: HttpForwarder, to: ToChild, receive: Receive, send: Send
) -> int | Outcome:
    """Send a request and its answer through.

    Returns:
        The status that the caller saw, 499 when it went away; or why there is no answer.
    """
    way_back = WayBack(to.scope, send, to.said)
    try:
        return await _through(forwarder, to, Sender(receive), way_back)
    except CallerGone:
        return CALLER_LEFT
    except RequestRefused as refused:
        return await way_back.say(refused.status, refused.text)
    except BackendSilent:
        outcome = timed_out(to.limit, to.request_id)
    except BackendFailed as failure:
        outcome = await _explained(to, failure)
    return outcome.status if way_back.started else outcome


async def _through(forwarder: HttpForwarder, to: ToChild, sender: Sender, way_back: WayBack) -> int:
    host = dict(to.scope["headers"]).get(b"host", to.child.authority.encode())
    request = onward(to.scope, to.target, host, to.request_id)
    origin = Origin(HOST, to.child.port, is_tls=False)
    async with sender:
        wire = await forwarder.ask(origin, request, to.limit, sender)
        # Once begun, an answer may take its time: a stream of events is silent now and then.
        wire.patient = True
        try:
            return await way_back.pass_back(wire)
        finally:
            forwarder.give_back(wire)


async def _explained(to: ToChild, failure: BackendFailed) -> Outcome:
    """A server that ended takes its connections along; that is the reason then."""
    if await asyncio.to_thread(to.child.exited_within, EXIT_SECONDS):
        outcome = failed(PROCESS_EXIT, EXITED, to.request_id)
        outcome.output = to.child.output
        return outcome
    said = f"user code exception caught: the server failed: {failure}"
    return failed(USER_EXCEPTION, said, to.request_id)
