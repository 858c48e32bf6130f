"""Where a request is addressed to: stage by host name or by the first segment of the path."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from gateway.core import names
from gateway.core.snapshot import Service, Snapshot, Stage
from gateway.dataplane.texts import BadPath, HostNotFound

_LOCAL: Final = ".localhost"
_SAFE: Final = "/:@!$&'()*+,;=~"


def locate(snapshot: Snapshot, host: str, path: str) -> tuple[Stage, str]:
    """The stage a request is for, and its path without the stage.

    Args:
        snapshot: The frozen state.
        host: The `Host` header.
        path: The decoded path.

    Raises:
        BadPath: The path climbs above its root.
        HostNotFound: The host is below `.localhost` and names no stage.
        StageNotFound: The first segment names no stage of the service.
    """
    service = snapshot.default_service or _NOWHERE
    if "/." in path:
        path = _without_dots(path)
    if _LOCAL in host.lower() and (name := _label(host)) is not None:
        if names.stage_name(name) not in service.stages:
            raise HostNotFound(host)
        return service.stage(name), path
    end = path.find("/", 1)
    if end < 0:
        return service.stage(path[1:]), "/"
    return service.stage(path[1:end]), path[end:]


def as_sent(path: str) -> str:
    """A decoded path in the form in which it travels."""
    return quote(path, safe=_SAFE)


def _label(host: str) -> str | None:
    """The label before `.localhost`, or `None` where there is none."""
    name, separator, rest = host.lower().partition(_LOCAL)
    port = rest.removeprefix(".")
    return name if separator and (not port or port.startswith(":")) else None


def _without_dots(path: str) -> str:
    """RFC 3986 5.2.4, after decoding, so that `%2e%2e` climbs no further than `..` does."""
    segments = path.split("/")
    kept: list[str] = []
    for segment in segments[1:]:
        if segment == "..":
            if not kept:
                raise BadPath
            kept.pop()
        elif segment != ".":
            kept.append(segment)
    trailing = "/" if segments[-1] in {".", ".."} and kept else ""
    return "/" + "/".join(kept) + trailing


_NOWHERE: Final = Service("", "")
"""Stands for a service while there is none: no stage is found in it."""
