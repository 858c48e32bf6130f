"""What the object store does, one row for each operation; everything else is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final, NoReturn

from starlette.requests import Request

from gateway.controlplane.objects.answer import XML, Answer, Fields
from gateway.controlplane.objects.asked import Place, pieces_of
from gateway.controlplane.objects.errors import refuse
from gateway.controlplane.objects.store import Objects
from gateway.controlplane.objects.stored import Coming, Stored
from gateway.controlplane.objects.xml import Listing, deleted_xml, keys_in, listing_xml

MOST_LISTED: Final = 1000
"""Objects in one list."""

MAX_DELETION: Final = 1024 * 1024
"""Bytes of a request that names objects to delete."""

MAX_LIFECYCLE: Final = 64 * 1024
"""Bytes of a bucket's lifecycle."""

LIFECYCLES: Final = "?lifecycle"
"""Where the lifecycles of buckets are kept; no bucket has such a name."""

_PIECE: Final = 256 * 1024
_MEDIA: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Call:
    """One request and its answer.

    Attributes:
        request: Brings the body.
        headers: Names in lower case.
        query: The last value of each parameter.
        place: What the request is about.
        answer: Sends the answer.
    """

    request: Request
    headers: Mapping[str, str]
    query: Mapping[str, str]
    place: Place
    answer: Answer


Run = Callable[[Objects, Call], Awaitable[None]]


async def _put_object(objects: Objects, call: Call) -> None:
    declared = call.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > objects.room.largest:
        refuse(400, "EntityTooLarge", f"the object is above {objects.room.largest:,} bytes")
    coming = Coming(
        call.place.bucket,
        call.place.key,
        call.headers.get("content-type", _MEDIA),
        call.headers.get("content-md5", ""),
    )
    stored = await objects.put(coming, pieces_of(call.request))
    await call.answer.empty(200, {"etag": f'"{stored.md5}"'})


async def _head_object(objects: Objects, call: Call) -> None:
    stored = _stored(objects, call.place)
    await call.answer.start(200, stored.size, _fields(stored))
    await call.answer.body()


async def _get_object(objects: Objects, call: Call) -> None:
    stored = _stored(objects, call.place)
    try:
        file = objects.open(stored)
    except FileNotFoundError:
        _missing(call.place)
    with file:
        await call.answer.start(200, stored.size, _fields(stored))
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await call.answer.body(piece, more=True)
        await call.answer.body()


async def _delete_object(objects: Objects, call: Call) -> None:
    objects.delete(call.place.bucket, call.place.key)
    await call.answer.empty(204)


async def _here(_objects: Objects, call: Call) -> None:
    await call.answer.empty(200)


async def _list(objects: Objects, call: Call) -> None:
    prefix, marker = call.query.get("prefix", ""), call.query.get("marker", "")
    asked = call.query.get("max-keys", str(MOST_LISTED))
    if not asked.isdecimal():
        refuse(400, "InvalidArgument", f"max-keys is {asked!r:.40}; allowed: 0 to {MOST_LISTED}")
    most = min(int(asked[:9]), MOST_LISTED)
    found = await asyncio.to_thread(objects.listed, call.place.bucket, prefix)
    found = [each for each in found if each.key > marker]
    more, quoted = 0 < most < len(found), call.query.get("encoding-type") == "url"
    listing = Listing(call.place.bucket, prefix, found[:most], more, quoted)
    await call.answer.xml(200, listing_xml(listing))


async def _delete_bucket(objects: Objects, call: Call) -> None:
    if await asyncio.to_thread(objects.listed, call.place.bucket):
        refuse(
            409, "BucketNotEmpty", f"there are objects in {call.place.bucket!r}; delete them first"
        )
    await call.answer.empty(204)


async def _delete_many(objects: Objects, call: Call) -> None:
    keys = keys_in(await _small(call.request, MAX_DELETION))
    for key in keys:
        objects.delete(call.place.bucket, key)
    await call.answer.xml(200, deleted_xml(keys))


async def _put_lifecycle(objects: Objects, call: Call) -> None:
    body = await _small(call.request, MAX_LIFECYCLE)

    async def whole() -> AsyncIterator[bytes]:
        yield body

    await objects.put(Coming(LIFECYCLES, call.place.bucket, XML), whole())
    await call.answer.empty(200)


async def _get_lifecycle(objects: Objects, call: Call) -> None:
    stored = objects.find(LIFECYCLES, call.place.bucket)
    if stored is None:
        refuse(404, "NoSuchLifecycleConfiguration", f"{call.place.bucket!r} has no lifecycle")
    with objects.open(stored) as file:
        await call.answer.xml(200, file.read())


async def _delete_lifecycle(objects: Objects, call: Call) -> None:
    objects.delete(LIFECYCLES, call.place.bucket)
    await call.answer.empty(204)


async def _small(request: Request, most: int) -> bytes:
    """A body that is small."""
    body = b""
    async for piece in pieces_of(request):
        body += piece
        if len(body) > most:
            refuse(400, "EntityTooLarge", f"the body is above {most:,} bytes")
    return body


def _stored(objects: Objects, place: Place) -> Stored:
    return objects.find(place.bucket, place.key) or _missing(place)


def _missing(place: Place) -> NoReturn:
    refuse(404, "NoSuchKey", f"there is no object {place.key!r:.200} in {place.bucket!r:.80}")


def _fields(stored: Stored) -> Fields:
    return {
        "content-type": stored.media,
        "etag": f'"{stored.md5}"',
        "last-modified": formatdate(stored.modified, usegmt=True),
    }


OPERATIONS: Final[Mapping[str, Run]] = {
    "PUT object": _put_object,
    "HEAD object": _head_object,
    "GET object": _get_object,
    "DELETE object": _delete_object,
    "PUT bucket": _here,
    "HEAD bucket": _here,
    "GET bucket": _list,
    "DELETE bucket": _delete_bucket,
    "POST bucket delete": _delete_many,
    "PUT bucket lifecycle": _put_lifecycle,
    "GET bucket lifecycle": _get_lifecycle,
    "DELETE bucket lifecycle": _delete_lifecycle,
}
"""Everything that is done here."""
