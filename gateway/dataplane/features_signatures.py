"""Key pair authentication: a request signed with the secret of a key (CONTRACT 5.8).

The cloud documents the form, the algorithms, the texts of refusals and the 15 minutes; which text
answers which mistake is our reading of them.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from gateway.dataplane.features_refusals import Unauthorized

_ALGORITHMS: Final = frozenset(("hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"))
_LATEST: Final = timedelta(minutes=15).total_seconds()
_FIELD: Final = re.compile(r'\s*([a-z]+)\s*=\s*"([^"]*)"\s*(?:,|$)')
_UNVERIFIED: Final = "HMAC signature cannot be verified"


class Signed(NamedTuple):
    """What an `Authorization` header says.

    Attributes:
        id: The id of the key.
        algorithm: How it was signed.
        headers: The headers that were signed, in their order.
        signature: The signature.
    """

    id: str
    algorithm: str
    headers: tuple[str, ...]
    signature: bytes


def signed(authorization: str | None) -> Signed:
    """Read an `Authorization` header.

    Raises:
        Unauthorized: There is none, or none of this form.
    """
    if authorization is None:
        raise Unauthorized("HMAC id or signature missing.")
    scheme, _, rest = authorization.strip().partition(" ")
    fields = _fields(rest) if scheme.lower() == "hmac" else None
    if fields is None:
        raise Unauthorized("HMAC authorization format error.")
    if not fields.get("id") or not fields.get("signature"):
        raise Unauthorized("HMAC id or signature missing.")
    algorithm, names = fields.get("algorithm", ""), tuple(fields.get("headers", "").split())
    if algorithm.lower() not in _ALGORITHMS:
        raise Unauthorized(f"HMAC algorithm {algorithm} not supported.")
    if not names:
        raise Unauthorized("HMAC authorization headers is invalidate.")
    try:
        signature = b64decode(fields["signature"], validate=True)
    except ValueError:
        raise Unauthorized(f"{_UNVERIFIED}.") from None
    return Signed(fields["id"], algorithm.lower(), names, signature)


def verify(said: Signed, secret: str, headers: Mapping[str, str]) -> None:
    """Compare a signature with the right one, in constant time.

    Args:
        said: What was signed, and how.
        secret: The secret of the key.
        headers: The headers of the request.

    Raises:
        Unauthorized: A signed header is missing, or the signature is another one.
    """
    lines = []
    for name in said.headers:
        value = headers.get(name.lower())
        if value is None:
            raise Unauthorized(f"{_UNVERIFIED}, a valid {name} header is required.")
        lines.append(f"{name.lower()}: {value}")
    text = "\n".join(lines).encode("latin-1")
    right = hmac.digest(secret.encode(), text, said.algorithm.removeprefix("hmac-"))
    if not hmac.compare_digest(right, said.signature):
        raise Unauthorized("HMAC signature does not match.")


def check_date(headers: Mapping[str, str], now: float) -> None:
    """Hold `X-Date` against a clock; `Date` alone is asked for, and not for its time.

    Args:
        headers: The headers of the request.
        now: Seconds since the epoch.

    Raises:
        Unauthorized: There is neither, or `X-Date` is no GMT date of these minutes.
    """
    stated = headers.get("x-date")
    if stated is None:
        if "date" not in headers:
            raise Unauthorized(f"{_UNVERIFIED}, a valid date or x-date header is required.")
        return
    try:
        when = parsedate_to_datetime(stated)
    except (TypeError, ValueError):
        when = None
    if when is None or not stated.endswith(" GMT"):
        wanted = "a valid x-date header is required for HMAC Authentication."
        raise Unauthorized(f"{_UNVERIFIED}, {wanted}")
    if abs(now - when.timestamp()) > _LATEST:
        late = "the x-date header is out of date for HMAC Authentication."
        raise Unauthorized(f"{_UNVERIFIED}, {late}")


def _fields(text: str) -> dict[str, str] | None:
    """`name="value"` pairs; `None` where there is anything else, or a name twice."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _FIELD.match(text, at)
        if match is None or match[1] in found:
            return None
        found[match[1]] = match[2]
        at = match.end()
    return found
