"""Code that was uploaded before: tools put a zip into the object store and name it in a request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.objects import Objects
from gateway.core.errors import listed

BUCKET: Final = "CosBucketName"
OBJECT: Final = "CosObjectName"


async def fetched(objects: Objects, sources: Mapping[str, object]) -> bytes:
    """The bytes of the upload that a request names.

    Args:
        objects: Keeps the uploads.
        sources: The request's `CosBucketName`, with or without the account's number behind it, and
            its `CosObjectName`.

    Raises:
        CloudError: There is no such upload.
    """
    bucket, key = (str(sources.get(name) or "") for name in (BUCKET, OBJECT))
    for name, value in ((BUCKET, bucket), (OBJECT, key)):
        if not value:
            message = f"the code is in the object store, and {name} is missing"
            fail(f"InvalidParameterValue.{name}", message)
    data = await asyncio.to_thread(_read, objects, bucket, key.removeprefix("/"))
    if data is None:
        known = await asyncio.to_thread(objects.listed, bucket)
        message = f"there is no object {key!r:.200} in the bucket {bucket!r:.80}"
        if known:
            message += f"; there is {listed(each.key for each in known[:20])}"
        fail(("ResourceNotFound.CosObject", f"InvalidParameterValue.{OBJECT}"), message)
    return data


def _read(objects: Objects, bucket: str, key: str) -> bytes | None:
    stored = objects.named(bucket, key)
    if stored is None:
        return None
    try:
        with objects.open(stored) as file:
            return file.read()
    except FileNotFoundError:  # another upload took its place
        return None
