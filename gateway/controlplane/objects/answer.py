"""One answer of the object store, sent as a head and a body or as an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.types import Scope, Send

from gateway.controlplane.objects.errors import ObjectRefused
from gateway.controlplane.objects.xml import error_xml

XML: Final = "application/xml"

Fields = Mapping[str, str]


class Answer:
    """Sends one answer.

    Args:
        send: ASGI's.
        request_id: What the request is known by.
    """

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id = request_id
        self._started = False

    async def start(self, status: int, size: int, fields: Fields) -> None:
        """The head."""
        every = {"x-cos-request-id": self._id, **fields}
        if status != 204:  # which has no length, not even 0
            every["content-length"] = str(size)
        raw = [(name.encode(), value.encode("latin-1")) for name, value in every.items()]
        self._started = True
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def body(self, data: bytes = b"", *, more: bool = False) -> None:
        """A piece of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def xml(self, status: int, data: bytes) -> None:
        """A whole answer in XML."""
        await self.start(status, len(data), {"content-type": XML})
        await self.body(data)

    async def empty(self, status: int, fields: Fields | None = None) -> None:
        """A whole answer without a body."""
        await self.start(status, 0, fields or {})
        await self.body()

    async def refused(self, refused: ObjectRefused, scope: Scope) -> None:
        """What is wrong; the connection ends, for there may be more of what was refused."""
        if self._started:
            raise refused  # the answer is cut short, and the server cuts the connection
        data = error_xml(refused, scope["path"], self._id)
        size = 0 if scope["method"] == "HEAD" else len(data)
        await self.start(refused.status, size, {"content-type": XML, "connection": "close"})
        await self.body(data if size else b"")
