"""The cloud's API 3.0 at the control plane's root: read, verify, run, answer.

Every answer has status 200 and exactly the media type that official clients look for; errors are
in the envelope. Nothing is done, and nothing is told, before the signature is verified.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from gateway.controlplane.cloud.access import Access
from gateway.controlplane.cloud.asked import Asked, Caller, Fields, check_namespace
from gateway.controlplane.cloud.errors import (
    UNSUPPORTED,
    CloudError,
    code_for,
    fail,
    is_missing,
    translated,
)
from gateway.controlplane.cloud.reading import read_request
from gateway.controlplane.cloud.received import (
    FORM,
    MAX_FORM,
    MAX_JSON,
    Parameters,
    Received,
    media_of,
    read_flat,
    read_parameters,
)
from gateway.controlplane.cloud.signatures import TC3
from gateway.controlplane.cloud.times import Times
from gateway.controlplane.problems import NO_HEADERS, send_json
from gateway.controlplane.rest.reading import read_limited
from gateway.controlplane.service import Control
from gateway.core.errors import GatewayError, nearest
from gateway.store.protocol import Author, StateAway

if TYPE_CHECKING:
    from gateway.controlplane.cloud.apis import Api

SECRET_ID: Final = "AKIDLOCALGATEWAY"  # noqa: S105 - a name, and no secret
"""The secret id that clients are given."""

SECRET_KEY: Final = "local-gateway-key"  # noqa: S105 - documented, and good on this machine alone
"""Its secret key, for a control plane that only this machine reaches."""

MAX_CLAIM: Final = 200
"""Characters of what a client says of itself that are taken down."""

_SAID: Final = ("Action", "Version", "Region", "RequestClient")
_log: Final = logging.getLogger("gateway.control")


def key_pair(token: str | None) -> dict[str, str]:
    """The secret key by secret id: whoever has the control plane's token signs with it.

    Args:
        token: What the control plane asks for; `None` where it asks for nothing.
    """
    return {SECRET_ID: SECRET_KEY if token is None else token}


class CloudApi:
    """ASGI: answers official clients of the cloud.

    Args:
        control: Who is asked.
        access: Tells who asks.
        clock: Seconds since 1970.
        new_id: Makes the ids of requests.
    """

    def __init__(
        self,
        control: Control,
        access: Access,
        *,
        clock: Callable[[], float] = time,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        self._control = control
        self._access = access
        self._times = Times(control.store)
        self._clock = clock
        self._new_id = new_id
        self._api_of: Callable[[str], Api] | None = None

    def takes(self, scope: Scope) -> bool:
        """Whether a request is one of this protocol; nothing is said about its signature."""
        if scope["path"] != "/" or scope["method"] not in {"GET", "POST"}:
            return False
        headers = _headers(scope)
        return (
            "x-tc-action" in headers
            or headers.get("authorization", "").startswith(TC3)
            or any(
                pair.startswith(b"Action=") for pair in scope.get("query_string", b"").split(b"&")
            )
            or (scope["method"] == "POST" and media_of(headers.get("content-type", "")) == FORM)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request_id = self._new_id()
        try:
            told = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return  # there is nobody left to answer
        content = {"Response": {**told, "RequestId": request_id}}
        await send_json(send, 200, content, NO_HEADERS)

    async def _answer(self, request: Request) -> Fields:
        headers = _headers(request.scope)  # the only reading of them: what is verified is obeyed
        action = headers.get("x-tc-action", "")
        try:
            received = await _receive(request, headers)
            flat = read_flat(received)
            who, said = self._access.who(received, flat), _said(headers, flat)
            action = said["Action"]
            return await self._run(
                action, read_parameters(received, flat), _caller(request, who, said)
            )
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - clients read no answer but the envelope
            found = translated(error, action)
            if found is None:
                _log.exception("the action %r failed", action)
                found = CloudError("InternalError", "something unexpected went wrong")
            return {"Error": {"Code": code_for(found.codes, action), "Message": str(found)}}

    async def _run(self, name: str, parameters: Parameters, caller: Caller) -> Fields:
        if self._api_of is None:  # in a thread: callers of stages are answered in between
            self._api_of = await asyncio.to_thread(_tables)
        api = self._api_of(caller.version)
        action = api.actions.get(name)
        if name in api.reasons:
            fail(UNSUPPORTED, f"this gateway does not do {name}: {api.reasons[name]}")
        if action is None:
            hint = nearest(name, (*api.actions, *api.reasons))
            message = f"there is no action {name!r:.80}" if name else "the request names no action"
            fail("InvalidAction", f"{message}; {hint}" if hint else message)
        given = read_request(action.request, parameters)
        check_namespace(given.Namespace)
        asked = Asked(self._control, given, caller, self._times, self._clock, self._new_id)
        try:
            return await action.run(asked)
        except GatewayError as error:
            if not is_missing(error, name) or not await self._hears_news():
                raise
        return await action.run(asked)

    async def _hears_news(self) -> bool:
        """Whether another node has written something that was not live here."""
        seen = self._control.live.snapshot.revision
        with suppress(StateAway):
            await self._control.writer.catch_up()
        return self._control.live.snapshot.revision > seen


def _tables() -> Callable[[str], Api]:
    """What finds the table of an API; all of them take long to load, and most never need them."""
    from gateway.controlplane.cloud.apis import api_of

    return api_of


def _said(headers: Mapping[str, str], flat: Mapping[str, str]) -> dict[str, str]:
    """What a request says beside its parameters: the older scheme says it, signed, among them."""
    if "authorization" not in headers and "Signature" in flat:
        return {name: flat.get(name, "") for name in _SAID}
    return {name: headers.get(f"x-tc-{name.lower()}", "") for name in _SAID}


def _caller(request: Request, who: str, said: Mapping[str, str]) -> Caller:
    program = said["RequestClient"] or request.headers.get("user-agent", "")
    address = request.client.host if request.client else "unknown"
    return Caller(
        author=Author(_shown(who), f"{address} {_shown(program)}".strip()),
        region=said["Region"],
        version=said["Version"],
        address=_address(request),
    )


async def _receive(request: Request, headers: Mapping[str, str]) -> Received:
    is_form = media_of(headers.get("content-type", "")) == FORM
    body = await read_limited(request, MAX_FORM if is_form else MAX_JSON)
    query = request.scope.get("query_string", b"").decode("latin-1")
    return Received(request.method, query, headers, body)


def _headers(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def _address(request: Request) -> str:
    """Where this control plane is, whatever name the client gave to it."""
    host, port = request.scope.get("server") or ("127.0.0.1", None)
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}" if port else f"http://{named}"


def _shown(text: str) -> str:
    """A claim, made fit for the audit log: it will be shown on terminals."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:MAX_CLAIM]
