"""The hosts that are answered here in the cloud's place; every other one is refused."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

SERVICES: Final = ("scf", "apigateway", "tag")
"""The services of the cloud's API whose hosts lead here."""

ALLOWED: Final = (
    ", ".join(f"{service}.tencentcloudapi.com" for service in SERVICES)
    + " and BUCKET.cos.REGION.myqcloud.com"
)
"""What a front answers, in words."""

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_API: Final = re.compile(rf"(?:{'|'.join(SERVICES)})(?:\.{_LABEL}){{0,2}}\.tencentcloudapi\.com")
_OBJECTS: Final = re.compile(
    rf"(?P<bucket>{_LABEL}\.)?cos(?:-internal)?\.{_LABEL}\.(?:myqcloud\.com|tencentcos\.cn)"
)


class Kind(Enum):
    """Who answers for a host."""

    API = "api"
    OBJECTS = "objects"


def kind_of(host: str) -> Kind | None:
    """Who answers for a host; `None` where nobody does.

    Args:
        host: A name without a port, in any case.
    """
    name = host.lower()
    if _API.fullmatch(name):
        return Kind.API
    return Kind.OBJECTS if _OBJECTS.fullmatch(name) else None


def certified(host: str) -> str:
    """The name that a certificate for a host has: one serves all buckets of a region.

    Args:
        host: A name that somebody answers for.
    """
    name = host.lower()
    match = _OBJECTS.fullmatch(name)
    return f"*.{name.partition('.')[2]}" if match is not None and match["bucket"] else name


def split_port(authority: str, default: int) -> tuple[str, int | None]:
    """The host and the port of an authority.

    Args:
        authority: A host, or a host and a port.
        default: The port where none is named.

    Returns:
        The port is `None` where it is no port.
    """
    host, colon, port = authority.rpartition(":")
    if not colon:
        return authority, default
    known = re.fullmatch(r"[0-9]{1,5}", port) is not None
    return host, int(port) if known else None


def refusal(host: str) -> str:
    """Why a request for a host is not answered."""
    return (
        f"the request is for {host!r:.120}; this front answers for {ALLOWED},"
        " and forwards to nowhere"
    )
