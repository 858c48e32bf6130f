"""One version as an HTTP server of its own: every method and path goes to it, whatever the alias.

The version is answered for by the data plane as ever. What is made here is a state in which
nothing else is left to decide, and, where paths come without a stage, the stage in front of them.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Final

from gateway.core.routes import parse_path
from gateway.core.snapshot import Api, FunctionBackend, Service, Snapshot, Stage
from gateway.dataplane.asgi import Receive, Scope, Send
from gateway.dataplane.plane import DataPlane

_REST: Final = parse_path("/")
_NAMED: Final = b".localhost"


def hosted(snapshot: Snapshot, function: str, version: str) -> Snapshot:
    """The same state with one version behind everything.

    Each stage keeps its name, its variables and the paths of the function's APIs, from which
    handlers have their path parameters; what no API takes goes to the version as well.

    Args:
        snapshot: A state that has the version.
        function: The function.
        version: The version's number, or `$LATEST`.
    """
    service = snapshot.default_service or Service("", "")
    stages = {
        name: Stage(name, _pinned(stage, function, version), stage.variables)
        for name, stage in (service.stages or {"release": Stage("release", ())}).items()
    }
    return replace(snapshot, services={service.id: replace(service, stages=stages)})


def _pinned(stage: Stage, function: str, version: str) -> tuple[Api, ...]:
    """The function's APIs of a stage, and one for all the rest."""
    apis = []
    for api in stage.apis:
        backend = api.backend
        if isinstance(backend, FunctionBackend) and backend.function == function:
            pinned = replace(backend, qualifier=version)
            apis.append(Api(api.id, api.method, api.path, pinned))
    if all((api.method, api.path) != ("ANY", _REST) for api in apis):
        apis.append(Api("rest", "ANY", _REST, FunctionBackend(function, version)))
    return tuple(apis)


class Hosted:
    """The data plane behind a proxy that names stages no longer, or still does.

    Args:
        plane: Answers.
        stage: What is put in front of every path; empty where paths begin with a stage.
    """

    def __init__(self, plane: DataPlane, stage: str) -> None:
        self._plane = plane
        self._stage = f"/{stage}" if stage else ""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """The ASGI entry."""
        stage = self._stage
        scope = {
            **scope,
            "path": stage + scope["path"],
            "raw_path": stage.encode() + scope["raw_path"],
            "headers": [(name, _nobody(name, value)) for name, value in scope["headers"]],
        }
        return self._plane(scope, receive, send)


def _nobody(name: bytes, value: bytes) -> bytes:
    """A host that a proxy passes on does not name a stage here, although it may look so."""
    if name != b"host" or _NAMED not in value.lower():
        return value
    _, colon, port = value.rpartition(b":")
    return b"localhost" + (colon + port if port.isdigit() else b"")
