"""The object store's answers in XML, the only form that its clients read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from urllib.parse import quote
from xml.sax.saxutils import escape

from gateway.controlplane.objects.errors import ObjectRefused
from gateway.controlplane.objects.stored import Stored

_HEAD = "<?xml version='1.0' encoding='utf-8' ?>\n"
_KEY = re.compile(r"<Key>([^<]{1,4096})</Key>")


def error_xml(refused: ObjectRefused, resource: str, request_id: str) -> bytes:
    """What is wrong with a request."""
    parts = {
        "Code": refused.code,
        "Message": str(refused),
        "Resource": resource,
        "RequestId": request_id,
        "TraceId": request_id,
    }
    return _document("Error", "".join(_element(name, text) for name, text in parts.items()))


@dataclass(frozen=True, slots=True)
class Listing:
    """Objects of a bucket.

    Attributes:
        bucket: The bucket.
        prefix: How their keys begin.
        page: The objects.
        more: Whether there are others behind them.
        quoted: Whether keys are written as in addresses: not every character stands in XML.
    """

    bucket: str
    prefix: str
    page: Sequence[Stored]
    more: bool
    quoted: bool


def listing_xml(listing: Listing) -> bytes:
    """The objects of a bucket."""
    spelled = quote if listing.quoted else str
    parts = [
        _element("Name", listing.bucket),
        _element("EncodingType", "url") if listing.quoted else "",
        _element("Prefix", spelled(listing.prefix)),
        _element("MaxKeys", str(len(listing.page))),
        _element("IsTruncated", "true" if listing.more else "false"),
        _element("NextMarker", spelled(listing.page[-1].key)) if listing.more else "",
    ]
    parts += [f"<Contents>{_content(each, spelled)}</Contents>" for each in listing.page]
    return _document("ListBucketResult", "".join(parts))


def deleted_xml(keys: Sequence[str]) -> bytes:
    """Which objects are gone."""
    parts = (f"<Deleted>{_element('Key', key)}</Deleted>" for key in keys)
    return _document("DeleteResult", "".join(parts))


def keys_in(body: bytes) -> list[str]:
    """The keys of the objects that a request names for deletion."""
    return [unescape(key) for key in _KEY.findall(body.decode("utf-8", "replace"))]


def _content(stored: Stored, spelled: Callable[[str], str]) -> str:
    moment = datetime.fromtimestamp(stored.modified, UTC)
    return (
        _element("Key", spelled(stored.key))
        + _element("LastModified", moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
        + _element("ETag", f'"{stored.md5}"')
        + _element("Size", str(stored.size))
        + _element("StorageClass", "STANDARD")
    )


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _document(name: str, inner: str) -> bytes:
    return f"{_HEAD}<{name}>{inner}</{name}>".encode()
