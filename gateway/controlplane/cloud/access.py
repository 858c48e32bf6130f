"""Who asks: a request is answered only when its signature was made with a key that is known here.

Clients differ in the host that they sign; every spelling that official clients are known for is
tried. Nothing else is guessed.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.cloud.received import Received
from gateway.controlplane.cloud.signatures import (
    TC3,
    UNSIGNED_PAYLOAD,
    V1_METHODS,
    Scope,
    canonical_request,
    day_of,
    host_variants,
    payload_hash,
    tc3_signature,
    v1_signature,
    v1_text,
)
from gateway.core.errors import listed

MAX_SKEW: Final = 300
"""Seconds by which a client's clock may differ from this one."""

WRONG_SIGNATURE: Final = (
    "The provided credentials could not be validated. Please check your signature is correct."
)
"""The cloud's own words."""

_AUTHORIZATION: Final = re.compile(
    TC3 + r" +Credential=(?P<id>[^/, ]+)/(?P<date>[^/, ]+)/(?P<service>[^/, ]+)/tc3_request *,"
    r" *SignedHeaders=(?P<headers>[^, ]+) *, *Signature=(?P<signature>[0-9a-f]{64})"
)
_TIMESTAMP: Final = re.compile(r"[0-9]{1,11}")
_UNSIGNED: Final = "SKIP"
_ACTION: Final = "x-tc-action"


@dataclass(frozen=True, slots=True)
class _Claim:
    """A TC3 signature and what it claims."""

    secret_id: str
    scope: Scope
    headers: Sequence[str]
    signature: str
    timestamp: int


class Access:
    """Tells who asks.

    Args:
        keys: Secret keys by secret id.
        clock: Seconds since 1970.
        services: Names of services that TC3 signatures may be for; `None` for any, because some
            clients sign a part of the address instead.
        accept_any: Whether signatures are not checked at all.
    """

    def __init__(
        self,
        keys: Mapping[str, str],
        clock: Callable[[], float],
        *,
        services: Collection[str] | None = None,
        accept_any: bool = False,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._services = services
        self._accept_any = accept_any

    def who(self, received: Received, flat: Mapping[str, str]) -> str:
        """The secret id of whoever signed a request.

        Args:
            received: The request.
            flat: Its parameters, where they are flat.

        Raises:
            CloudError: Nobody who is known here did, or long ago.
        """
        given = received.headers.get("authorization")
        if self._accept_any:
            return _claimed(given or "", flat)
        if given is None and "Signature" not in flat:
            message = "the request is not signed; set the client's secret id and secret key"
            fail("AuthFailure.InvalidAuthorization", message)
        return self._v1(received, flat) if given is None else self._tc3(given, received)

    def _tc3(self, given: str, received: Received) -> str:
        claim = _read_claim(given, received.headers.get("x-tc-timestamp", ""))
        if self._services is not None and claim.scope.service not in self._services:
            message = f"the signature is for {claim.scope.service!r:.80}"
            message += f"; allowed: {listed(self._services)}"
            fail("AuthFailure.InvalidAuthorization", message)
        key = self._key(claim.secret_id)
        self._check_clock(claim.timestamp)
        right = (
            tc3_signature(key, claim.scope, claim.timestamp, canonical)
            for canonical in _canonical(received, claim)
        )
        _check(claim.signature, right)
        return claim.secret_id

    def _v1(self, received: Received, flat: Mapping[str, str]) -> str:
        method = flat.get("SignatureMethod", "HmacSHA1")
        if method not in V1_METHODS:
            message = f"SignatureMethod is {method!r:.80}; allowed: {listed(V1_METHODS)}"
            fail("InvalidParameterValue", message)
        secret_id = flat.get("SecretId", "")
        key = self._key(secret_id)
        self._check_clock(_read_timestamp(flat.get("Timestamp", ""), "Timestamp"))
        hosts = host_variants(received.headers.get("host", ""), "scf")
        right = (
            v1_signature(key, v1_text(received.method, host, flat, dotted=dotted), method)
            for host, dotted in product(hosts, (False, True))
        )
        _check(flat["Signature"], right)
        return secret_id

    def _key(self, secret_id: str) -> str:
        key = self._keys.get(secret_id)
        if key is None:
            message = f"the secret id {secret_id!r:.80} is not known here"
            fail("AuthFailure.SecretIdNotFound", f"{message}; known: {listed(self._keys)}")
        return key

    def _check_clock(self, timestamp: int) -> None:
        skew = timestamp - self._clock()
        if abs(skew) > MAX_SKEW:
            side = "ahead of" if skew > 0 else "behind"
            message = f"the request's clock is {abs(skew):.0f} seconds {side} this one"
            fail("AuthFailure.SignatureExpire", f"{message}; allowed: {MAX_SKEW}")


def _read_claim(given: str, timestamp: str) -> _Claim:
    parts = _AUTHORIZATION.fullmatch(given)
    if given == _UNSIGNED:
        message = "the request says that it is not signed; let the client sign"
        fail("AuthFailure.InvalidAuthorization", message)
    if parts is None:
        message = f"the Authorization is none of {TC3}: Credential, SignedHeaders and Signature"
        fail("AuthFailure.InvalidAuthorization", message)
    moment = _read_timestamp(timestamp, "X-TC-Timestamp")
    scope = Scope(parts["date"], parts["service"])
    headers = parts["headers"].lower().split(";")
    if scope.date != day_of(moment):
        message = f"the signature is of {scope.date!r:.40}, the request of {day_of(moment)}"
        fail("AuthFailure.InvalidAuthorization", message)
    if "host" not in headers:
        message = f"the signature covers {listed(headers):.200}; needed: host"
        fail("AuthFailure.InvalidAuthorization", message)
    return _Claim(parts["id"], scope, headers, parts["signature"], moment)


def _read_timestamp(text: str, what: str) -> int:
    if not text:
        fail("MissingParameter", f"the request has no {what}")
    if _TIMESTAMP.fullmatch(text) is None:
        fail("InvalidParameterValue", f"{what} is {text!r:.40}; allowed: seconds since 1970")
    return int(text)


def _canonical(received: Received, claim: _Claim) -> Iterator[str]:
    """Every canonical request that the client may have signed."""
    is_get = received.method == "GET"
    if received.headers.get("x-tc-content-sha256") == UNSIGNED_PAYLOAD:
        payload = UNSIGNED_PAYLOAD.encode()
    else:
        payload = b"" if is_get else received.body
    hashed = payload_hash(payload)
    query = received.query if is_get else ""
    fields = {name: received.headers.get(name, "") for name in claim.headers}
    action = fields.get(_ACTION, "")
    hosts = host_variants(fields["host"], claim.scope.service)
    for host, spelled in product(hosts, dict.fromkeys((action, action.lower()))):
        spelling = {"host": host, _ACTION: spelled}
        headers = [(name, spelling.get(name, value)) for name, value in fields.items()]
        yield canonical_request(received.method, query, headers, hashed)


def _check(given: str, right: Iterator[str]) -> None:
    if not any(hmac.compare_digest(given.encode(), each.encode()) for each in right):
        fail("AuthFailure.SignatureFailure", WRONG_SIGNATURE)


def _claimed(given: str, flat: Mapping[str, str]) -> str:
    """Whom a request that nobody checks says it is from."""
    parts = _AUTHORIZATION.fullmatch(given)
    return parts["id"] if parts else flat.get("SecretId") or "anyone"
