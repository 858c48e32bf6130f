"""What was seen on the wire as a line of a recording, with the secrets taken out first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from gateway.traffic.recording import Answered, Headers, Recorded, write

REDACTED: Final = "[redacted]"
"""Stands for the value of a header that nobody may know; it is not sent again."""

SECRETS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
"""Headers whose values are not written down unless somebody asks for them, in lower case."""

_OWN: Final = b"x-gateway-"


class Seen(Protocol):
    """A request and its answer, as bytes and numbers."""

    @property
    def at(self) -> float:
        """Seconds since the recording began."""

    @property
    def method(self) -> str:
        """The HTTP method."""

    @property
    def path(self) -> str:
        """The path without the stage, as it travels."""

    @property
    def query(self) -> bytes:
        """What follows the question mark."""

    @property
    def headers(self) -> Iterable[tuple[bytes, bytes]]:
        """The request's headers."""

    @property
    def body(self) -> bytes:
        """The request's body."""

    @property
    def stage(self) -> str:
        """The stage it was sent to."""

    @property
    def status(self) -> int:
        """The answer's status."""

    @property
    def seconds(self) -> float:
        """How long the answer took."""

    @property
    def said(self) -> Mapping[bytes, bytes]:
        """The answer's headers by name, in lower case."""


def line_of(seen: Seen, hidden: frozenset[str] = SECRETS) -> bytes:
    """A line of a recording, with its end.

    Args:
        seen: What was seen.
        hidden: The headers whose values are left out, in lower case.
    """
    headers: Headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in seen.headers
    )
    recorded = Recorded(
        at=seen.at,
        method=seen.method,
        path=seen.path,
        query=seen.query.decode("latin-1"),
        headers=redacted(headers, hidden),
        body=seen.body,
        stage=seen.stage,
        answer=_answered(seen),
    )
    return write(recorded)


def redacted(headers: Headers, hidden: frozenset[str]) -> Headers:
    """Headers without the values of those that nobody may know, named in lower case."""
    return tuple((name, REDACTED if name.lower() in hidden else value) for name, value in headers)


def _answered(seen: Seen) -> Answered:
    def word(name: bytes) -> str | None:
        value = seen.said.get(_OWN + name)
        return None if value is None else value.decode("latin-1")

    revision = word(b"revision")
    return Answered(
        status=seen.status,
        seconds=round(seen.seconds, 6),
        version=word(b"version"),
        reason=word(b"reason"),
        revision=int(revision) if revision is not None and revision.isdecimal() else None,
    )
