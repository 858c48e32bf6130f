"""Who may ask: this machine's names, this origin's pages, and whoever has the token.

The control plane listens on loopback, and every web page that this machine's browser shows can
send requests there. So a request is let in only under a name of this machine (a foreign name that
was made to point here is refused), from no page but its own, and with a body that no plain HTML
form can send. A read has no side effects, and its answer is never shared with another origin.

There is one exception. Clients of the cloud sign what they send, in forms and in queries too, and
put other hosts on it; who verifies signatures answers them. The key pair for this machine is
documented, so that a page could sign as well: nothing that a browser sends gets that far.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.controlplane.problems import Rejected, answer, rejected

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
"""Names under which the control plane always answers, with any port."""

HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""Headers of every answer that has none of that name."""

JSON: Final = ("application/json",)

Accepts = Callable[[str, str], Awaitable[tuple[str, ...]]]
"""The media types that a method may send to a path."""

CLOUD: Final = ".tencentcloudapi.com"
"""How the names end under which clients of the cloud reach this machine through a proxy."""

COOKIE: Final = b"gateway_token"
"""The cookie in which a browser keeps the token; pages of other sites cannot make it send that."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # OPTIONS is answered with 405 throughout
_SINGLE: Final = (b"authorization", b"content-type", b"if-match", b"last-event-id")
_SINGLE_ACTOR: Final = b"x-gateway-actor"
_BROWSER: Final = (b"origin", b"referer")
_BROWSER_PREFIX: Final = b"sec-fetch-"
_BROWSER_NAME: Final = b"mozilla/"  # every browser's User-Agent begins so, and no page alters it
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?")
_JSON_PARAMETERS: Final = re.compile(r"""\s*charset\s*=\s*"?utf-8"?\s*""", re.IGNORECASE)

Fields = dict[bytes, list[bytes]]


class Signed(Protocol):
    """Answers requests that are signed, after it has verified the signature."""

    def takes(self, scope: Scope) -> bool:
        """Whether a request is one that should be signed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Verify and answer."""


class Guard:
    """ASGI: lets requests in, and marks every answer.

    Args:
        app: Who answers.
        hosts: Names to answer under beside those of loopback; an IPv6 address in brackets.
        token: What a request to the API must bring; `None` lets everybody ask.
        accepts: Tells the media types that bodies may have; `None` where JSON alone is taken.
        signed: Who answers requests that are signed; `None` where nobody does.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Iterable[str] = (),
        token: str | None = None,
        accepts: Accepts | None = None,
        signed: Signed | None = None,
    ) -> None:
        self._signed = signed
        self._app = app
        self._hosts = frozenset(name.lower() for name in (*LOOPBACK_NAMES, *hosts))
        self._token = None if token is None else token.encode()
        self._accepts = accepts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or hand it on."""
        if scope["type"] == "websocket":  # there are none, and a page may try
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":  # the server's own lifespan
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                raw = list(message.get("headers", ()))
                known = {name.lower() for name, _ in raw}
                raw += [(name, value) for name, value in HEADERS if name not in known]
                message = {**message, "headers": raw}
            await send(message)

        try:
            app = await self._answerer(scope)
        except Rejected as rejected:
            await answer(rejected, marked)
        else:
            await app(scope, receive, marked)

    async def _answerer(self, scope: Scope) -> ASGIApp:
        """Who answers a request that is let in."""
        if self._signed is not None and self._signed.takes(scope):
            self._check_signed(scope)
            return self._signed
        await self._check(scope)
        return self._app

    def _check_signed(self, scope: Scope) -> None:
        """Let in what clients of the cloud send and no browser does."""
        fields = _fields(scope)
        # They may spell a host with its scheme, and through a proxy the cloud's own name.
        host = fields.get(b"host", [b""])[0].decode("latin-1").lower().removeprefix("http://")
        if not host.partition(":")[0].endswith(CLOUD):
            self._check_host({**fields, b"host": [host.encode("latin-1")]})
        _check_single(fields, (b"host", *_SINGLE))
        marks = [name for name in fields if name in _BROWSER or name.startswith(_BROWSER_PREFIX)]
        if any(value.lower().startswith(_BROWSER_NAME) for value in fields.get(b"user-agent", ())):
            marks.append(b"user-agent")
        if marks:
            said = ", ".join(name.decode("latin-1") for name in marks)
            message = f"the request comes from a browser ({said}); allowed: clients of the cloud"
            raise rejected(403, "cross-site", message)

    async def _check(self, scope: Scope) -> None:
        fields = _fields(scope)
        method, path = scope["method"], scope["path"]
        host = self._check_host(fields)
        _check_single(fields, (*_SINGLE, _SINGLE_ACTOR))
        if method not in _SAFE:
            _check_origin(fields, host)
        self._check_token(fields, path)
        if method not in _SAFE:
            allowed = JSON if self._accepts is None else await self._accepts(method, path)
            _check_media(fields, allowed)

    def _check_host(self, fields: Fields) -> str:
        given = fields.get(b"host", [])
        text = given[0].decode("latin-1").lower() if len(given) == 1 else ""
        match = _HOST.fullmatch(text)
        if match is None or match[1] not in self._hosts:
            said = " and ".join(repr(value.decode("latin-1")) for value in given) or "no host"
            allowed = ", ".join(sorted(self._hosts))
            message = f"the request is for {said}; the control plane answers as {allowed}"
            raise rejected(421, "misdirected-host", message)
        return text

    def _check_token(self, fields: Fields, path: str) -> None:
        if self._token is None or not (path == "/api" or path.startswith("/api/")):
            return
        given = fields.get(b"authorization", [b""])[0]
        scheme, _, token = given.partition(b" ")
        if not given and _from_our_page(fields):
            scheme, token = b"bearer", _cookie(fields)
        right = hmac.compare_digest(token.strip(), self._token)
        if scheme.lower() == b"bearer" and right:
            return
        what = "is another one" if given else "is missing"
        message = f"the token {what}; send 'Authorization: Bearer TOKEN' with the gateway's token"
        raise rejected(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})


def _from_our_page(fields: Fields) -> bool:
    """Whether a browser says that the request comes from a page of this origin, or from none."""
    return set(fields.get(b"sec-fetch-site", ())) <= {b"same-origin", b"none"}


def _cookie(fields: Fields) -> bytes:
    """The token that this browser keeps; empty where it keeps none."""
    pairs = (
        pair.strip().partition(b"=") for pair in b"; ".join(fields.get(b"cookie", ())).split(b";")
    )
    return next((unquote_to_bytes(value) for name, _, value in pairs if name == COOKIE), b"")


def _fields(scope: Scope) -> Fields:
    fields: Fields = {}
    for name, value in scope["headers"]:
        fields.setdefault(name.lower(), []).append(value)
    return fields


def _check_single(fields: Fields, names: Iterable[bytes]) -> None:
    for name in names:
        if len(fields.get(name, ())) > 1:
            message = f"the header {name.decode()!r} is there more than once; allowed: once"
            raise rejected(400, "bad-header", message)


def _check_origin(fields: Fields, host: str) -> None:
    """Only this origin's own pages, and programs that are no browser, may alter anything."""
    for site in fields.get(b"sec-fetch-site", ()):
        if site not in {b"same-origin", b"none"}:
            message = f"the request comes from a page of another site ({site.decode('latin-1')!r})"
            raise rejected(403, "cross-site", f"{message}; allowed: same-origin, none")
    for origin in fields.get(b"origin", ()):
        if origin.lower() != f"http://{host}".encode():
            said = repr(origin.decode("latin-1"))
            message = f"the request comes from a page of {said}; allowed: 'http://{host}'"
            raise rejected(403, "cross-site", message)


def _check_media(fields: Fields, allowed: tuple[str, ...]) -> None:
    """A body says what it is, in a type that makes a browser ask first."""
    framed = b"transfer-encoding" in fields or fields.get(b"content-length", [b"0"]) != [b"0"]
    if b"content-type" not in fields and not framed:
        return
    given = fields.get(b"content-type", [b""])[0].decode("latin-1")
    kind, _, parameters = given.partition(";")
    kind = kind.strip().lower()
    plain = kind not in JSON or not parameters or _JSON_PARAMETERS.fullmatch(parameters)
    if kind in allowed and plain:
        return
    said = repr(given) if given else "no Content-Type"
    message = f"the body has {said}; allowed: {', '.join(allowed)}"
    raise rejected(415, "unsupported-media-type", message)
