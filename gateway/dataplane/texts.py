"""The gateway's own answers, in the cloud's words (CONTRACT 5.6).

The cloud documents the texts and shows `{"message": ...}` as their form; values such as the path
are filled in. Where two texts could fit, the choice is noted beside the entry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from gateway.core.errors import (
    ApiNotFound,
    FunctionNotFound,
    MethodNotSupported,
    QualifierNotFound,
    RoutingError,
    StageNotFound,
    listed,
)


class HostNotFound(RoutingError):
    """The host is below `.localhost` and names no stage and no service."""

    code = "host-not-found"
    status = 404

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(f"no stage answers on the host {host!r}")


class AmbiguousHost(RoutingError):
    """A function URL whose host fits several functions or aliases, which differ in case only."""

    code = "ambiguous-host"
    status = 404

    def __init__(self, label: str, fitting: Iterable[str]) -> None:
        self.label = label
        super().__init__(
            f"host names have no case, so {label!r} names several: {listed(fitting)}; "
            "release an API for the one that is meant"
        )


class BadPath(RoutingError):
    """The path climbs above its root."""

    code = "bad-path"
    status = 400

    def __init__(self) -> None:
        super().__init__("the path climbs above its root")


def _stage(error: StageNotFound) -> str:
    known = listed(error.known)
    return f"There is no api match default env_mapping[{error.stage}]. (value must be {known})"


_TEXTS: Final[dict[type[RoutingError], Callable[[Any], str]]] = {
    StageNotFound: _stage,
    HostNotFound: lambda error: f"There is no api match host[{error.host}].",
    ApiNotFound: lambda error: f"There is no api match uri[{error.path}].",
    # "Method Not Allowed." (405) is documented too; 404 is listed with the other routing misses.
    MethodNotSupported: lambda _error: "Could not support method.",
    FunctionNotFound: lambda error: f"FunctionNotFound: {error}",
    QualifierNotFound: lambda error: f"QualifierNotFound: {error}",
    AmbiguousHost: str,
    BadPath: lambda _error: "Bad Request.",
}


def error_body(error: RoutingError) -> bytes:
    """The body of the answer to a request that no version can take."""
    return message_body(_TEXTS.get(type(error), str)(error))


def message_body(text: str) -> bytes:
    """`{"message": text}`."""
    return json.dumps({"message": text}, ensure_ascii=False).encode()
