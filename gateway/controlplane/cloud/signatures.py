"""Signatures of the cloud's API 3.0: pure arithmetic on texts, checked by published vectors.

Two schemes are in use. TC3-HMAC-SHA256 signs a canonical request with a key of the day; the older
one, v1, signs all parameters in the order of their names.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

TC3: Final = "TC3-HMAC-SHA256"
"""The name of the newer scheme."""

UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
"""What stands in for a body that is not signed."""

V1_METHODS: Final = {"HmacSHA1": "sha1", "HmacSHA256": "sha256"}
"""The older scheme's methods, each with its hash."""

_REQUEST: Final = "tc3_request"


@dataclass(frozen=True, slots=True)
class Scope:
    """What the key of a TC3 signature is good for.

    Attributes:
        date: The day in UTC, `2025-01-31`.
        service: The service's name, as the client has it.
    """

    date: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.service}/{_REQUEST}"


def day_of(timestamp: int) -> str:
    """The day in UTC of a moment in seconds since 1970."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")


def payload_hash(payload: bytes) -> str:
    """What a canonical request says of a body."""
    return sha256(payload).hexdigest()


def canonical_request(
    method: str, query: str, headers: Iterable[tuple[str, str]], hashed_payload: str
) -> str:
    """The text that TC3 signs the hash of.

    Args:
        method: `GET` or `POST`.
        query: The query as it was sent, not sorted; empty for `POST`.
        headers: The signed headers in their order; names in lower case.
        hashed_payload: What `payload_hash` says of the body.
    """
    listed = [(name, value.strip()) for name, value in headers]
    lines = "".join(f"{name}:{value}\n" for name, value in listed)
    signed = ";".join(name for name, _ in listed)
    return f"{method}\n/\n{query}\n{lines}\n{signed}\n{hashed_payload}"


def tc3_signature(secret_key: str, scope: Scope, timestamp: int, canonical: str) -> str:
    """The signature of a canonical request, in hexadecimal digits."""
    text = "\n".join((TC3, str(timestamp), str(scope), payload_hash(canonical.encode())))
    key = f"TC3{secret_key}".encode()
    for part in (scope.date, scope.service, _REQUEST):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def v1_text(method: str, host: str, parameters: Mapping[str, str], *, dotted: bool = False) -> str:
    """The text that v1 signs.

    Args:
        method: `GET` or `POST`.
        host: The host.
        parameters: Every parameter, flat and unencoded; `Signature` is left out.
        dotted: Whether `_` in names is read as `.`, as some clients do.
    """
    named = {
        name.replace("_", ".") if dotted else name: value
        for name, value in parameters.items()
        if name != "Signature"
    }
    pairs = "&".join(f"{name}={named[name]}" for name in sorted(named))
    return f"{method}{host}/?{pairs}"


def v1_signature(secret_key: str, text: str, method: str = "HmacSHA1") -> str:
    """The v1 signature of a text, in base64.

    Raises:
        KeyError: There is no such method.
    """
    digest = hmac.digest(secret_key.encode(), text.encode(), V1_METHODS[method])
    return b64encode(digest).decode()


def host_variants(host: str, service: str) -> tuple[str, ...]:
    """Every spelling of a host under which clients are known to sign.

    Clients sign the header as they send it, without its port, with a scheme in front of it, or
    with the name that the cloud has for the service.
    """
    bare = host.removeprefix("http://")
    name, separator, port = bare.rpartition(":")
    without_port = name if separator and port.isdecimal() else bare
    spelled = (host, bare, without_port, f"http://{bare}", f"{service}.tencentcloudapi.com")
    return tuple(dict.fromkeys(spelled))
