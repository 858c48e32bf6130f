"""WebSocket connections to servers behind the gateway: messages cross unchanged, both ways.

The caller's connection is accepted only once the server behind has accepted its own. Each side's
close code reaches the other; a side that is lost is told to the other as RFC 6455 7.4 has it.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.dataplane.answer import JSON_LINE, Answer, line, pairs
from gateway.dataplane.asgi import Scope
from gateway.dataplane.backends_headers import RequestRefused, onward
from gateway.dataplane.dialling import CONNECT_SECONDS, Dialler
from gateway.dataplane.replies import send_answer
from gateway.dataplane.texts import message_body
from gateway.dataplane.web_socket_ends import ACCEPTED, SocketEnds

if TYPE_CHECKING:
    from aiohttp import ClientSession, ClientWebSocketResponse

MAX_MESSAGE: Final = 16 * 1024 * 1024
"""Bytes of the longest message, which is also the server's limit."""

CLOSE_SECONDS: Final = 5.0
"""How long a server may take to answer a close."""

NORMAL, GOING_AWAY, FAILED = 1000, 1001, 1011
_SAYING_NOTHING: Final = frozenset((0, 1005))
_LOST: Final = 1006


class Upstream(NamedTuple):
    """A connection to be opened.

    Attributes:
        authority: Where the server listens, as addresses name it.
        target: What it is asked for.
        host: What it is called in the request.
        scope: The caller's request.
        request_id: Its id.
        limit: Seconds until the server must have answered.
        said: What the gateway says in an answer, as header lines.
        late: The answer where the server does not answer in time.
        failed: The answer where it cannot be reached, or breaks off.
        is_tls: Whether it is spoken to over TLS.
    """

    authority: str
    target: bytes
    host: bytes
    scope: Scope
    request_id: str
    limit: float
    said: bytes
    late: Answer
    failed: Answer
    is_tls: bool = False


class Bridge:
    """Opens connections to servers and lets messages cross.

    Args:
        dialler: Makes the sockets.
    """

    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler
        self._session: ClientSession | None = None

    async def cross(self, upstream: Upstream, told: SocketEnds) -> int:
        """Open, accept, and carry messages until one side ends it; gives the caller's status."""
        import aiohttp  # costs 150 ms at start, and few environments have such connections

        await told.receive()  # that it is asked for
        told.said = pairs(upstream.said + line("x-api-requestid", upstream.request_id))
        try:
            async with asyncio.timeout(upstream.limit):
                server = await self._open(upstream)
        except TimeoutError:
            return await _refuse(upstream, upstream.late, told)
        except RequestRefused as refused:
            answer = refused.status, JSON_LINE, message_body(refused.text)
            return await _refuse(upstream, answer, told)
        except aiohttp.WSServerHandshakeError as error:
            # It answers, and takes no WebSocket, or not this one: the caller learns its status.
            said = (error.status, b"", b"") if error.status >= 400 else upstream.failed
            return await _refuse(upstream, said, told)
        except (aiohttp.ClientError, OSError):
            return await _refuse(upstream, upstream.failed, told)
        try:
            await told.send({"type": "websocket.accept", "subprotocol": server.protocol})
            await _carry(server, told)
        finally:
            await server.close(code=GOING_AWAY)
        return ACCEPTED

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def _open(self, upstream: Upstream) -> ClientWebSocketResponse:
        import aiohttp
        from yarl import URL

        request = onward(upstream.scope, upstream.target, upstream.host, upstream.request_id)
        _, _, head = request.head.partition(b"\r\n")
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in pairs(head)
            if name and not name.startswith(b"sec-websocket-")
        ]
        scheme = "wss" if upstream.is_tls else "ws"
        url = f"{scheme}://{upstream.authority}{upstream.target.decode('latin-1')}"
        return await (self._session or self._begin()).ws_connect(
            URL(url, encoded=True),
            headers=headers,
            protocols=upstream.scope.get("subprotocols", ()),
            max_msg_size=MAX_MESSAGE,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
        )

    def _begin(self) -> ClientSession:
        import aiohttp

        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0, socket_factory=self._dialler),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        )
        return self._session


async def _refuse(upstream: Upstream, answer: Answer, told: SocketEnds) -> int:
    await send_answer(told.deny, answer, upstream.said, upstream.request_id)
    return answer[0]


async def _carry(server: ClientWebSocketResponse, told: SocketEnds) -> None:
    """Carry messages until one side ends, and tell the other."""
    up = asyncio.create_task(_up(server, told))
    down = asyncio.create_task(_down(server, told))
    try:
        await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (up, down):
            task.cancel()
        await asyncio.wait([up, down])
    if not down.cancelled():
        code, reason = down.result()
        with contextlib.suppress(OSError):  # it has gone as well
            await told.send({"type": "websocket.close", "code": code, "reason": reason})
    elif not up.cancelled():
        code, reason = up.result()
        await server.close(code=code, message=reason.encode())


async def _up(server: ClientWebSocketResponse, told: SocketEnds) -> tuple[int, str]:
    """What the caller says; gives how it ended."""
    while (message := await told.receive())["type"] == "websocket.receive":
        text = message.get("text")
        try:
            if text is not None:
                await server.send_str(text)
            else:
                await server.send_bytes(message["bytes"])
        except OSError:  # the server has ended; how, is read on the other way
            await asyncio.Event().wait()
    code = message.get("code", NORMAL)
    return _said(code, GOING_AWAY), message.get("reason") or ""


async def _down(server: ClientWebSocketResponse, told: SocketEnds) -> tuple[int, str]:
    """What the server says; gives how it ended."""
    import aiohttp

    while True:
        message = await server.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            sent = {"type": "websocket.send", "text": message.data}
        elif message.type is aiohttp.WSMsgType.BINARY:
            sent = {"type": "websocket.send", "bytes": message.data}
        else:
            reason = message.extra if message.type is aiohttp.WSMsgType.CLOSE else ""
            return _said(server.close_code or 0, FAILED), reason or ""
        try:
            await told.send(sent)
        except OSError:  # the caller has gone; how, is read on the other way
            await asyncio.Event().wait()


def _said(code: int, lost: int) -> int:
    """A close code as it may be sent: some only say how a connection ended."""
    return NORMAL if code in _SAYING_NOTHING else lost if code == _LOST else code
