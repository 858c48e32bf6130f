"""HTTP back ends: the request goes on and the answer comes back, streamed and never decoded.

The matched front path is cut off and the rest appended to the back end's path (CONTRACT 5.2).
Hop-by-hop headers stay behind (RFC 9110 7.6.1), forwarding headers are set anew, because nobody
in front is trusted, and redirects are passed on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.core.routes import Kind, Path
from gateway.dataplane.address import as_sent
from gateway.dataplane.answer import JSON_LINE, Header, line, pairs
from gateway.dataplane.asgi import Receive, Scope, Send
from gateway.dataplane.dialling import Dialler
from gateway.dataplane.exchange import BODILESS
from gateway.dataplane.plans import HttpPlan
from gateway.dataplane.request import OWN_PREFIXES
from gateway.dataplane.sender import CallerGone, Sender, while_there
from gateway.dataplane.texts import message_body

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.client import _RequestContextManager

CONNECT_SECONDS: Final = 2.0
"""How long a back end may take to accept a connection."""

_HOP_BY_HOP: Final = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
_REPLACED: Final = frozenset(
    (
        b"expect",
        b"forwarded",
        b"host",
        b"x-api-requestid",
        b"x-api-scheme",
        b"x-b3-traceid",
        b"x-client-proto",
        b"x-client-proto-ver",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
    )
)
_OWN: Final = tuple(prefix.encode() for prefix in OWN_PREFIXES)
_SAID_HERE: Final = frozenset((b"date", b"x-api-requestid"))
"""Headers of an answer that the gateway and its server say themselves."""

_STATUSES: Final = range(200, 600)
"""What a back end may answer with; it was not asked to switch protocols."""


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


class HttpForwarder:
    """Passes requests on through one pool of connections.

    Attributes:
        dialler: Makes the sockets.
    """

    def __init__(self) -> None:
        self.dialler = Dialler()
        self._session: ClientSession | None = None

    async def forward(self, plan: HttpPlan, passage: Passage, receive: Receive, send: Send) -> int:
        """Send a request and its answer through.

        Returns:
            The status that the caller saw; 499 when it went away.
        """
        import aiohttp  # costs 150 ms at start, and few environments have such back ends

        session = self._session or self._open()
        said = pairs(plan.said + line("x-api-requestid", passage.request_id))
        sender = Sender(receive, has_body=_has_body(passage.headers))
        started = False
        status, text = 502, "Bad Gateway."
        try:
            async with self._request(session, plan, passage, sender) as response:
                if response.status in _STATUSES:
                    started = True
                    await while_there(sender, response, _pass_back(response, said, send))
                    return response.status
        except TimeoutError:
            status, text = 504, "Gateway Time-out."
        except aiohttp.ClientError:
            pass  # refused, broken off, or no HTTP: a bad gateway
        if sender.gone:
            return 499
        if not started:
            body = message_body(text)
            headers = [*pairs(JSON_LINE), (b"content-length", b"%d" % len(body)), *said]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        return status

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> ClientSession:
        import aiohttp

        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0, socket_factory=self.dialler),
        )
        return self._session

    def _request(
        self, session: ClientSession, plan: HttpPlan, passage: Passage, sender: Sender
    ) -> _RequestContextManager:
        import aiohttp
        from yarl import URL

        scope, backend = passage.scope, plan.backend
        return session.request(
            scope["method"],
            URL(_target(backend.url, plan.front, passage), encoded=True),
            headers=list(_onward(passage)),
            data=sender.body() if sender.has_body else None,
            allow_redirects=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_SECONDS, sock_read=backend.timeout
            ),
        )


def _target(url: str, front: Path, passage: Passage) -> str:
    cut = passage.path if front.kind is Kind.PARAMETER else front.literal
    rest = as_sent(passage.path[len(cut) :])
    whole = f"{url.rstrip('/')}/{rest.lstrip('/')}" if rest else url
    query = passage.scope["query_string"].decode("latin-1")
    return f"{whole}{'?' + query if query else ''}"


def _has_body(headers: dict[str, str]) -> bool:
    return "content-length" in headers or "transfer-encoding" in headers


def _end_to_end(headers: Iterable[Header], connection: str) -> Iterable[Header]:
    named = {name.strip().lower().encode() for name in connection.split(",")}
    dropped = _HOP_BY_HOP | (named - {b"content-length", b"host"})
    return ((name, value) for name, value in headers if name.lower() not in dropped)


def _onward(passage: Passage) -> Iterable[tuple[str, str]]:
    scope, headers = passage.scope, passage.headers
    for name, value in _end_to_end(scope["headers"], headers.get("connection", "")):
        if name not in _REPLACED and not name.startswith(_OWN):
            yield name.decode("latin-1"), value.decode("latin-1")
    client = scope["client"][0] if scope["client"] else ""
    yield "X-Forwarded-For", client
    yield "X-Real-IP", client
    yield "X-Client-Proto", scope["scheme"]
    yield "X-Client-Proto-Ver", f"HTTP/{scope['http_version']}"
    yield "X-Api-Scheme", scope["scheme"]
    yield "X-Api-RequestId", passage.request_id
    yield "x-b3-traceid", passage.request_id


async def _pass_back(response: ClientResponse, said: list[Header], send: Send) -> None:
    raw = ((name.lower(), value) for name, value in response.raw_headers)
    kept = _end_to_end(raw, ",".join(response.headers.getall("Connection", ())))
    headers = [pair for pair in kept if not _said_here(pair[0])]
    if response.status in BODILESS:
        headers = [pair for pair in headers if pair[0] != b"content-length"]
    await send(
        {"type": "http.response.start", "status": response.status, "headers": [*headers, *said]}
    )
    async for chunk in response.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _said_here(name: bytes) -> bool:
    return name in _SAID_HERE or name.startswith(_OWN)


__all__ = ["CONNECT_SECONDS", "CallerGone", "HttpForwarder", "Passage"]
