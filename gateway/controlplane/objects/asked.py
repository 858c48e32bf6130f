"""A request to the object store: which object of which bucket, and what is wanted of it.

The bucket is the first part of the host, or of the path where the host names none. Parameters that
would alter what is meant are never passed over.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request

from gateway.controlplane.objects.errors import refuse
from gateway.controlplane.objects.signatures import Asked

MAX_KEY: Final = 850
"""Bytes of an object's key."""

PIECE_SECONDS: Final = 60.0
"""How long the next piece of an upload may take."""

_PLAIN: Final = re.compile(r"q-.*|x-cos-.*|response-.*|sign|prefix|marker|max-keys|encoding-type")
_BUCKET: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,61}[a-z0-9])\.cos[.-]")
_BROWSER: Final = ("origin", "referer", "sec-fetch-site")


@dataclass(frozen=True, slots=True)
class Place:
    """What a request is about.

    Attributes:
        bucket: The bucket.
        key: The object; empty for the bucket itself.
        part: A part of a bucket or an object that the query names, such as `lifecycle`; empty for
            the thing itself.
    """

    bucket: str
    key: str
    part: str


def read_asked(request: Request) -> Asked:
    """A request as far as a signature covers it.

    Raises:
        ObjectRefused: A browser sends it: a page has no business here.
    """
    headers: dict[str, str] = {}
    for name, value in request.scope["headers"]:
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
    if any(name in headers for name in _BROWSER):
        refuse(
            403, "AccessDenied", "the request comes from a browser; allowed: clients of the cloud"
        )
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Asked(request.method, request.scope["path"], query, headers)


def place_of(asked: Asked) -> Place:
    """What a request is about.

    Raises:
        ObjectRefused: It names no bucket, or a key that is too long.
    """
    match = _BUCKET.match(asked.headers.get("host", "").lower())
    path = asked.path.removeprefix("/")
    bucket, key = (match[1], path) if match else (path.partition("/")[0], path.partition("/")[2])
    if not bucket:
        undone("the list of all buckets")
    if len(key.encode(errors="replace")) > MAX_KEY:
        refuse(400, "KeyTooLong", f"the key is above {MAX_KEY} bytes")
    parts = [
        name
        for name, value in asked.query
        if not (_PLAIN.fullmatch(name) or (name == "delimiter" and not value))
    ]
    return Place(bucket, key, ",".join(parts))


async def pieces_of(request: Request, seconds: float = PIECE_SECONDS) -> AsyncIterator[bytes]:
    """The body, piece by piece.

    Raises:
        ObjectRefused: The next piece takes too long.
    """
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(seconds):
                piece = await anext(stream, None)
        except TimeoutError:
            refuse(400, "RequestTimeout", f"nothing came for {seconds:.0f} seconds")
        if piece is None:
            return
        yield piece


def undone(what: str) -> NoReturn:
    """Refuse what the object store does not do.

    Raises:
        ObjectRefused: Always.
    """
    message = f"this gateway does not do {what:.120}"
    refuse(501, "NotImplemented", f"{message}; it keeps uploaded code packages and no more")
