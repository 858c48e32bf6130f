"""A path and its operations: a request is read and checked, the operation runs, its answer is sent.

What the URL names is looked up twice at most: before anything is asked, and again when the law
refuses, because whoever deleted it meanwhile made this a 404 as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from gateway.controlplane.problems import Rejected, rejected, to_json
from gateway.controlplane.rest.naming import check_named
from gateway.controlplane.rest.operation import Asked, Operation, Reply
from gateway.controlplane.rest.reading import (
    parse_json,
    read_limited,
    read_query,
    validate,
)
from gateway.controlplane.rest.upload import read_upload
from gateway.controlplane.service import Control
from gateway.core.errors import Refused, RoutingError
from gateway.core.snapshot import Snapshot
from gateway.store.protocol import Author

ANONYMOUS: Final = "anonymous"
"""Who asks, when nobody says."""

MAX_CLAIM: Final = 200
"""Characters of a name or a program's name that are taken down."""

_TAG: Final = re.compile(r'"([0-9]{1,18})"')
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


class Resource:
    """ASGI: answers for one path.

    Args:
        control: Who is asked.
        operations: The operations of the path.
        since: When the gateway started, in seconds since 1970.
    """

    def __init__(self, control: Control, operations: Iterable[Operation], since: float) -> None:
        self._control = control
        self._operations = {operation.method: operation for operation in operations}
        self._since = since

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request, run the operation, send the answer."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        operation = self._operations.get(method)
        if operation is None:
            raise self._not_taken(scope)
        asked = await self._read(operation, Request(scope, receive))
        try:
            found = await operation.run(asked)
        except (Refused, RoutingError):
            check_named(self._control.live.snapshot, asked.names, operation.creates)
            raise
        if isinstance(found, Reply):
            await _send(found, send)
        else:
            await found(scope, receive, send)

    def _not_taken(self, scope: Scope) -> Rejected:
        known = dict.fromkeys(self._operations)
        if "GET" in known:
            known["HEAD"] = None
        allowed = ", ".join(known)
        message = f"{scope['path']} does not take {scope['method']}; allowed: {allowed}"
        return rejected(405, "method-not-allowed", message, {"Allow": allowed})

    async def _read(self, operation: Operation, request: Request) -> Asked:
        names: Mapping[str, str] = request.path_params
        if operation.reads and _wants_newest(request):
            await self._control.writer.catch_up()
        snapshot = await self._naming(operation, names)
        fields: dict[str, Any] = {
            "author": _author(request),
            "expected": _expected(request) if operation.alters else None,
            "last_event": _last_event(request),
        }
        if operation.query is not None:
            fields["query"] = read_query(operation.query, request.scope["query_string"])
        if operation.uploads:
            fields["package"] = await read_upload(request)
        elif operation.method != "GET":
            fields |= await _body(operation, request)
        return Asked(self._control, snapshot, names, since=self._since, **fields)

    async def _naming(self, operation: Operation, names: Mapping[str, str]) -> Snapshot:
        """The live snapshot, which has what the URL names."""
        snapshot = self._control.live.snapshot
        try:
            check_named(snapshot, names, operation.creates)
        except Rejected:
            if not operation.alters:
                raise
            await self._control.writer.catch_up()  # another node may have just made it
            snapshot = self._control.live.snapshot
            check_named(snapshot, names, operation.creates)
        return snapshot


async def _body(operation: Operation, request: Request) -> dict[str, object]:
    data = await read_limited(request, operation.limit)
    if operation.body is None:
        if data:
            message = f"{operation.method} {request.url.path} takes no body"
            raise rejected(400, "unexpected-body", message)
        return {}
    raw = {} if operation.optional and not data else parse_json(data)
    if operation.law is not None:
        operation.law(raw, request.path_params)
    return {"raw": raw, "body": validate(operation.body, raw, "the body"), "sent": data}


def _author(request: Request) -> Author:
    who = request.headers.get("x-gateway-actor", "").encode("latin-1")
    try:
        name = who.decode().strip() or ANONYMOUS
    except UnicodeDecodeError:
        name = ""
    if not name.isprintable() or not 0 < len(name) <= MAX_CLAIM:
        message = (
            f"X-Gateway-Actor is {who[:80]!r}; allowed: up to {MAX_CLAIM} printable characters"
        )
        raise rejected(400, "bad-header", message)
    address = request.client.host if request.client else "unknown"
    program = request.headers.get("user-agent", "")[:MAX_CLAIM]
    # It will be shown on terminals, and must not steer them.
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in program)
    return Author(name, f"{address} {shown}".strip())


def _expected(request: Request) -> int | None:
    given = request.headers.get("if-match", "*").strip()
    match = _TAG.fullmatch(given)
    if match is None and given != "*":
        message = (
            f"If-Match is {given!r:.80}; allowed: the ETag of an answer, such as '\"7\"', or '*'"
        )
        raise rejected(400, "bad-header", message)
    return int(match[1]) if match else None


def _wants_newest(request: Request) -> bool:
    """Whether whatever is acknowledged, by any node, must be in the answer."""
    given = ",".join(request.headers.getlist("cache-control"))
    return "no-cache" in {word.strip().lower() for word in given.split(",")}


def _last_event(request: Request) -> int | None:
    given = request.headers.get("last-event-id", "").strip()
    if given and _NUMBER.fullmatch(given) is None:
        message = f"Last-Event-ID is {given!r:.80}; allowed: the id of an event, a revision"
        raise rejected(400, "bad-header", message)
    return int(given) if given else None


async def _send(reply: Reply, send: Send) -> None:
    content = reply.content
    body = content if isinstance(content, bytes) else to_json(content)
    media = reply.media
    if media.startswith("text/"):
        media += "; charset=utf-8"
    fields = {"content-type": media, "content-length": str(len(body)), **reply.headers}
    if reply.revision is not None:
        fields["etag"] = f'"{reply.revision}"'
    raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
