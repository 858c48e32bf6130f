"""Where a request is addressed to: by host name, or by the first segment of the path."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from gateway.core import names
from gateway.core.snapshot import Service, Snapshot, Stage
from gateway.dataplane.function_urls import FunctionUrls
from gateway.dataplane.texts import BadPath, HostNotFound

_LOCAL: Final = ".localhost"
_FUNCTION_URL: Final = ".fn"
_SAFE: Final = "/:@!$&'()*+,;=~"


class Addresses:
    """The addresses of one snapshot.

    Args:
        snapshot: The frozen state.
    """

    __slots__ = ("_service", "_snapshot", "_urls")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._service = snapshot.default_service or _NOWHERE
        self._urls: FunctionUrls | None = None

    def locate(self, host: str, path: str) -> tuple[Stage, str]:
        """The stage a request is for, and its path without the stage.

        Args:
            host: The `Host` header.
            path: The decoded path.

        Raises:
            BadPath: The path climbs above its root.
            HostNotFound: The host is below `.localhost` and names no stage and no service.
            StageNotFound: The first segment names no stage of the service.
            FunctionNotFound, QualifierNotFound, AmbiguousHost: The host is a function URL that
                names no function, none of its qualifiers, or several of them.
        """
        if "/." in path:
            path = _without_dots(path)
        if _LOCAL in host.lower() and (name := _label(host)) is not None:
            return self._below_localhost(host, name, path)
        return _in_path(self._service, path)

    def _below_localhost(self, host: str, name: str, path: str) -> tuple[Stage, str]:
        if names.stage_name(name) in self._service.stages:
            return self._service.stage(name), path
        if name.endswith(_FUNCTION_URL):
            if self._urls is None:
                self._urls = FunctionUrls(self._snapshot)
            return self._urls.stage(name.removesuffix(_FUNCTION_URL)), path
        for service in self._snapshot.services.values():
            if service.id.lower() == name:
                return _in_path(service, path)
        raise HostNotFound(host)


def as_sent(path: str) -> str:
    """A decoded path in the form in which it travels."""
    return quote(path, safe=_SAFE)


def _in_path(service: Service, path: str) -> tuple[Stage, str]:
    end = path.find("/", 1)
    if end < 0:
        return service.stage(path[1:]), "/"
    return service.stage(path[1:end]), path[end:]


def _label(host: str) -> str | None:
    """What stands before `.localhost`, or `None` where there is nothing like it."""
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
