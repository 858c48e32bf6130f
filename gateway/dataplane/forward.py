"""HTTP back ends: the request goes on and the answer comes back, streamed and never decoded.

Redirects are passed on, bodies are never held whole, and who asked is told what there is to tell.
A back end that fails is told to the caller in the cloud's words, and to
whoever runs the gateway with the reason, once a minute for each back end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.dataplane.answer import JSON_LINE, line, pairs
from gateway.dataplane.asgi import Receive, Scope, Send
from gateway.dataplane.backends import Backends
from gateway.dataplane.backends_address import take_apart, target_of
from gateway.dataplane.backends_answer import BackendFailed, BackendSilent
from gateway.dataplane.backends_headers import Onward, RequestRefused, back, onward
from gateway.dataplane.backends_wire import Wire
from gateway.dataplane.dialling import Dialler, Origin
from gateway.dataplane.exchange import BODILESS, REPLY
from gateway.dataplane.plans import HttpPlan
from gateway.dataplane.sender import CallerGone, Sender
from gateway.dataplane.texts import message_body

TELL_SECONDS: Final = 60.0
"""How long nothing more is told of a back end that failed."""


class Passage(NamedTuple):
    """A request on its way through.

    Attributes:
        scope: The ASGI scope.
        path: The decoded path without the stage.
        headers: The request's headers, folded.
        request_id: Its id.
    """

    scope: Scope
    path: str
    headers: dict[str, str]
    request_id: str


class Trouble(NamedTuple):
    """A back end that failed.

    Attributes:
        url: The back end's.
        reason: What it did, or why it was not asked.
    """

    url: str
    reason: str

    def __str__(self) -> str:
        return f"the HTTP back end {self.url} failed: {self.reason}"


class HttpForwarder:
    """Passes requests on through one pool of connections.

    Args:
        tell: Is told of back ends that fail.

    Attributes:
        dialler: Makes the connections.
    """

    def __init__(self, tell: Callable[[Trouble], None] | None = None) -> None:
        self.dialler = Dialler()
        self._backends = Backends(self.dialler)
        self._tell = tell
        self._told: dict[str, float] = {}
        self._under_way: dict[str, int] = {}

    def under_way(self, url: str) -> int:
        """How many requests a back end is asked."""
        return self._under_way.get(url, 0)

    async def forward(self, plan: HttpPlan, passage: Passage, receive: Receive, send: Send) -> int:
        """Send a request and its answer through.

        Returns:
            The status that the caller saw; 499 when it went away.
        """
        url = plan.backend.url
        self._under_way[url] = self._under_way.get(url, 0) + 1
        try:
            return await self._forward(plan, passage, receive, send)
        finally:
            self._under_way[url] -= 1
            if not self._under_way[url]:
                del self._under_way[url]

    async def _forward(self, plan: HttpPlan, passage: Passage, receive: Receive, send: Send) -> int:
        said = plan.said + line("x-api-requestid", passage.request_id)
        answer = WayBack(passage.scope, send, said)
        sender = Sender(receive)
        try:
            place = take_apart(plan.backend.url)
            query = passage.scope["query_string"]
            target = target_of(place.path, plan.front, passage.path, query)
            request = onward(passage.scope, target, place.host, passage.request_id)
            async with sender:
                wire = await self.ask(place.origin, request, plan.backend.timeout, sender)
                try:
                    return await answer.pass_back(wire)
                finally:
                    self.give_back(wire)
        except CallerGone:
            return 499
        except RequestRefused as refused:
            return await answer.say(refused.status, refused.text)
        except BackendSilent as failure:
            status, text, reason = 504, "Gateway Time-out.", str(failure)
        except BackendFailed as failure:
            status, text, reason = 502, "Bad Gateway.", str(failure)
        self._report(Trouble(plan.backend.url, reason))
        return await answer.say(status, text)

    async def close(self) -> None:
        """Close every connection."""
        self._backends.close()

    def give_back(self, wire: Wire) -> None:
        """The request of a connection is over."""
        self._backends.give_back(wire)

    async def ask(self, origin: Origin, request: Onward, seconds: float, sender: Sender) -> Wire:
        """Send the request and wait for the head of the answer; then give the connection back.

        A kept connection may turn out to be dead; then a request that may arrive twice, and of
        which nothing but its head was sent, is sent once more.
        """
        fresh = False
        while True:
            wire = await self._backends.take(origin, seconds, fresh=fresh)
            try:
                wire.begin(request.head, seconds, is_head=request.method == "HEAD")
                sender.accompany(wire, request)
                await wire.head()
            except BaseException as failure:
                self._backends.give_back(wire)
                was_dead = isinstance(failure, BackendFailed) and wire.was_dead
                if not (was_dead and request.is_repeatable):
                    raise
                fresh = True
            else:
                return wire

    def _report(self, trouble: Trouble) -> None:
        if self._tell is None:
            return
        now = asyncio.get_running_loop().time()
        self._told = {url: at for url, at in self._told.items() if now - at < TELL_SECONDS}
        if trouble.url not in self._told:
            self._told[trouble.url] = now
            self._tell(trouble)


class WayBack:
    """The way back to the caller.

    Attributes:
        started: Whether an answer has begun.
    """

    __slots__ = ("_said", "_scope", "_send", "started")

    def __init__(self, scope: Scope, send: Send, said: bytes) -> None:
        self._scope = scope
        self._send = send
        self._said = said
        self.started = False

    async def pass_back(self, wire: Wire) -> int:
        """Pass an answer back: at once where it is here already, else piece by piece."""
        head = await wire.head()
        is_head, status = self._scope["method"] == "HEAD", head.status
        reply = self._scope.get("extensions", {}).get(REPLY)
        body = None
        if reply is not None and wire.is_answered and not is_head:
            body = await wire.piece()
            rows = b"".join([b"%b: %b\r\n" % pair for pair in back(head, with_length=False)])
            if reply(status, rows + self._said, body):
                return status
        headers = back(head, with_length=status not in BODILESS) + pairs(self._said)
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        if body is None:
            while body := await wire.piece():
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
        await self._send({"type": "http.response.body", "body": body})
        return status

    async def say(self, status: int, text: str) -> int:
        """Answer with a message of the gateway's own, unless another answer has begun."""
        if not self.started:
            body = message_body(text) if text else b""
            rows = (JSON_LINE if text else b"") + line("content-length", str(len(body)))
            headers = pairs(rows + self._said)
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
            await self._send({"type": "http.response.body", "body": body})
        return status


__all__ = ["CallerGone", "HttpForwarder", "Passage", "Trouble"]
