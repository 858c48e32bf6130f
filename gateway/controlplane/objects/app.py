"""The cloud's object store as far as its tools need it: put, look, fetch, list and delete.

Every bucket is there, as nothing tells whose it would be. Nothing is done, and nothing is told,
before the signature is verified. Bodies go from the socket to a file and back, piece by piece.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from gateway.controlplane.objects.answer import Answer
from gateway.controlplane.objects.asked import place_of, read_asked, undone
from gateway.controlplane.objects.errors import ObjectRefused
from gateway.controlplane.objects.operations import OPERATIONS, Call
from gateway.controlplane.objects.signatures import Asked, Signers
from gateway.controlplane.objects.store import Objects

_log: Final = logging.getLogger("gateway.control")


class ObjectsApi:
    """ASGI: answers clients of the cloud's object store.

    Args:
        objects: Keeps the objects.
        signers: Tells who asks.
        new_id: Makes the ids of requests.
    """

    def __init__(
        self,
        objects: Objects,
        signers: Signers,
        *,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._objects = objects
        self._signers = signers
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request, answer = Request(scope, receive), Answer(send, self._new_id())
        try:
            asked = read_asked(request)
            self._signers.check(asked)
            await self._run(request, asked, answer)
        except ClientDisconnect:
            return  # there is nobody left to answer
        except ObjectRefused as refused:
            await answer.refused(refused, scope)
        except Exception:  # noqa: BLE001 - clients read no answer but XML
            _log.exception("the object store failed")
            message = "something unexpected went wrong"
            await answer.refused(ObjectRefused(500, "InternalError", message), scope)

    async def _run(self, request: Request, asked: Asked, answer: Answer) -> None:
        place = place_of(asked)
        kind = "object" if place.key else "bucket"
        row = f"{request.method} {kind}" + (f" {place.part}" if place.part else "")
        run = OPERATIONS.get(row)
        if run is None or "x-cos-copy-source" in asked.headers:
            undone(row)
        await run(self._objects, Call(request, asked.headers, dict(asked.query), place, answer))
