"""Who asks the object store: the cloud has a scheme of its own for signing what is about objects.

A signature covers the method, the path, and those headers and parameters that it names, for a span
of time; it stands in a header or, in an address that was made for somebody else, in the query.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Final
from urllib.parse import quote

from gateway.controlplane.objects.errors import refuse
from gateway.core.errors import listed

MAX_SKEW: Final = 300
"""Seconds by which a client's clock may be ahead of this one."""

_PARTS: Final = (
    "q-sign-algorithm",
    "q-ak",
    "q-sign-time",
    "q-key-time",
    "q-header-list",
    "q-url-param-list",
    "q-signature",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for an object, as far as a signature covers it.

    Attributes:
        method: In upper case.
        path: Decoded.
        query: Names and values, decoded.
        headers: Names in lower case.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]


class Signers:
    """Tells whether a request was signed with a key that is known here.

    Args:
        keys: Secret keys by secret id.
        clock: Seconds since 1970.
        accept_any: Whether signatures are not checked at all.
    """

    def __init__(
        self, keys: Mapping[str, str], clock: Callable[[], float], *, accept_any: bool = False
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._accept_any = accept_any

    def check(self, asked: Asked) -> None:
        """Let a request pass.

        Raises:
            ObjectRefused: Nobody who is known here signed it, or long ago.
        """
        if self._accept_any:
            return
        given = dict(_given(asked))
        if not given.keys() >= set(_PARTS) or given["q-sign-algorithm"] != "sha1":
            message = "the request is not signed; set the client's secret id and secret key"
            refuse(403, "AccessDenied", message)
        key = self._keys.get(given["q-ak"])
        if key is None:
            message = f"the secret id {given['q-ak']!r:.80} is not known here"
            refuse(403, "InvalidAccessKeyId", f"{message}; known: {listed(self._keys)}")
        self._check_time(given["q-sign-time"])
        if not any(
            hmac.compare_digest(given["q-signature"].encode(), right.encode())
            for right in _signatures(asked, given, key)
        ):
            message = "the secret key is another one, or what was signed is not what came"
            refuse(403, "SignatureDoesNotMatch", message)

    def _check_time(self, span: str) -> None:
        start, _, end = span.partition(";")
        if not (start.isdecimal() and end.isdecimal()):
            message = f"q-sign-time is {span!r:.60}; allowed: two moments in seconds since 1970"
            refuse(403, "AccessDenied", message)
        now = self._clock()
        if not int(start) - MAX_SKEW <= now <= int(end):
            refuse(
                403, "RequestTimeTooSkewed", f"the signature is for {span:.60}, not for {now:.0f}"
            )


def signature(asked: Asked, given: Mapping[str, str], key: str) -> str:
    """The signature of a request.

    Args:
        asked: The request.
        given: The parts beside it: what is signed, and for how long.
        key: The secret key.
    """
    parts = (
        asked.method.lower(),
        asked.path,
        _pairs(asked.query, given["q-url-param-list"]),
        _pairs(asked.headers.items(), given["q-header-list"]),
        "",
    )
    digest = sha1("\n".join(parts).encode(), usedforsecurity=False).hexdigest()
    text = f"sha1\n{given['q-sign-time']}\n{digest}\n"
    return _hmac(_hmac(key, given["q-key-time"]), text)


def _signatures(asked: Asked, given: Mapping[str, str], key: str) -> Iterator[str]:
    """Those that are right: clients sign the host with its port, and without."""
    host = asked.headers.get("host", "")
    for spelled in dict.fromkeys((host, host.partition(":")[0])):
        headers = {**asked.headers, "host": spelled}
        yield signature(Asked(asked.method, asked.path, asked.query, headers), given, key)


def _given(asked: Asked) -> Iterator[tuple[str, str]]:
    """The parts of the signature, from where they stand."""
    header = asked.headers.get("authorization")
    if header is None:
        yield from (pair for pair in asked.query if pair[0] in _PARTS)
        return
    for part in header.split("&"):
        name, _, value = part.partition("=")
        yield name.strip(), value.strip()


def _pairs(known: Iterable[tuple[str, str]], names: str) -> str:
    """Those pairs that a signature names, as it covers them."""
    values = {_encoded(name).lower(): _encoded(value) for name, value in known}
    wanted = [name for name in names.split(";") if name]
    return "&".join(f"{name}={values.get(name, '')}" for name in wanted)


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _hmac(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), sha1).hexdigest()
