"""The caller's two ends of a WebSocket, as an application or a bridge sees them.

What is the gateway's to say is put into the answer, and a refusal is an answer like any other
where the server can give one.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from gateway.dataplane.answer import Header
from gateway.dataplane.asgi import Message, Receive, Scope, Send
from gateway.dataplane.web_ends import without_own

DENIAL: Final = "websocket.http.response"
"""The ASGI extension with which a connection is refused by a whole answer."""

ACCEPTED: Final = 101
REFUSED: Final = 403

_OPEN, _OPENED, _CLOSED = range(3)


class SocketEnds:
    """One connection.

    Args:
        scope: The server's.
        receive: The server's.
        send: The server's.

    Attributes:
        said: What the gateway adds to the head of the answer.
        status: 101 once it is accepted, or what it was refused with; 0 before.
        deaf: Whether it is too late for an answer of the application's.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.said: list[Header] = []
        self.status = 0
        self.deaf = False
        self._can_answer = DENIAL in (scope.get("extensions") or {})
        self._receive = receive
        self._send = send
        self._answered = asyncio.Event()
        self._asked = True  # nobody has received the opening yet
        self._over = False

    async def settled(self, task: asyncio.Task[Any], limit: float) -> bool:
        """Wait for an answer, or for the task's end; whether one of them came in time."""
        answered = asyncio.create_task(self._answered.wait())
        try:
            done, _ = await asyncio.wait(
                [task, answered], timeout=limit, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            answered.cancel()
        return bool(done)

    async def receive(self) -> Message:
        """ASGI's `receive`; the first message is the opening, which was read before."""
        if self._asked:
            self._asked = False
            return {"type": "websocket.connect"}
        message = await self._receive()
        self._over = self._over or message["type"] == "websocket.disconnect"
        return message

    async def send(self, message: Message) -> None:
        """ASGI's `send`."""
        if self.deaf:
            raise OSError("the connection was refused because the application took too long")
        kind = message["type"]
        if kind == "websocket.close" and not self.status and self._can_answer:
            await self._turn_away()
            return
        if kind in {"websocket.accept", f"{DENIAL}.start"}:
            headers = [*without_own(message.get("headers", ())), *self.said]
            message = {**message, "headers": headers}
        await self._send(message)
        if kind == "websocket.close":
            self._over = True
        if not self.status:
            statuses = {"websocket.accept": ACCEPTED, "websocket.close": REFUSED}
            self.status = statuses.get(kind) or message["status"]
            self._answered.set()

    async def _turn_away(self) -> None:
        """A close before the connection was accepted: an answer that says who gave it."""
        self.status = REFUSED
        self._answered.set()
        headers = [(b"content-length", b"0"), *self.said]
        await self._send({"type": f"{DENIAL}.start", "status": REFUSED, "headers": headers})
        await self._send({"type": f"{DENIAL}.body", "body": b""})

    async def deny(self, message: Message) -> None:
        """Refuse with a message of an ordinary answer; without one where the server has none."""
        kind = message["type"].removeprefix("http.response")
        if kind == ".start":
            self.status = message["status"]
        if self._can_answer:
            await self._send({**message, "type": f"{DENIAL}{kind}"})
        elif kind == ".start":
            await self._send({"type": "websocket.close", "code": 1008})

    async def end(self, *, failed: bool) -> None:
        """Close what the application left open."""
        if self.status == ACCEPTED and not self._over:
            self._over = True
            await self._send({"type": "websocket.close", "code": 1011 if failed else 1000})
