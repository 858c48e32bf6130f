"""What a stages.toml cannot say, in sentences: nothing is left out of an export silently."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config.describe import stage_qualifiers
from gateway.config.load import SERVICE
from gateway.core import names
from gateway.core.errors import listed
from gateway.core.plain import configuration_plain
from gateway.core.snapshot import Api, Function, FunctionBackend, Service, Snapshot, Stage

Apis = tuple[Api, ...]


def function_remarks(function: Function) -> Iterator[str]:
    """What of a function a file cannot say."""
    usual = configuration_plain(function.configuration)
    numbers = sorted(function.versions.keys() - {names.LATEST}, key=int)
    for number in numbers:
        version = function.versions[number]
        own = configuration_plain(version.configuration)
        other = [f"{key} {own[key]!r}" for key in own if own[key] != usual[key]]
        if other:
            yield (
                f"version {number!r} of function {function.name!r} keeps {listed(other)}; "
                "in a file all versions share one configuration"
            )
        if version.description:
            yield (
                f"version {number!r} of function {function.name!r} has a description, "
                "which a file has no place for"
            )
    if function.last > int(numbers[-1] if numbers else 0):
        yield (
            f"function {function.name!r} has used the numbers up to {function.last}; "
            "the last ones were deleted, and from the file alone they would be used again"
        )


def service_remarks(service: Service, written: Apis) -> Iterator[str]:
    """What of the service a file cannot say.

    Args:
        service: The file's service.
        written: The APIs that the file has.
    """
    backends = [api.backend for api in service.apis]
    if any(isinstance(b, FunctionBackend) and b.qualifier != names.DEFAULT for b in backends):
        yield "apis that are not released yet name qualifiers, which a file leaves to its stages"
    if unqualified(service.apis) != unqualified(written):
        yield "the service has other apis than its stages; the file has those of the stages"
    for stage in service.stages.values():
        if unqualified(stage.apis) != unqualified(written):
            yield (
                f"stage {stage.name!r} has other apis than the file; "
                "a file releases the same apis to every stage"
            )
        yield from _split(stage)
        for api in stage.features.overlays:
            yield (
                f"stage {stage.name!r} has limits, networks or CORS for api {api!r} alone, "
                "which a file has no place for"
            )
    for name, plan in service.access.plans.items():
        if plan.apis:
            yield f"plan {name!r} is left out, because it opens single apis"


def other_services(snapshot: Snapshot) -> Iterator[str]:
    """The services that a file does not have."""
    for key, service in snapshot.services.items():
        if key != SERVICE:
            yield f"service {key!r} ({service.name!r}) is left out; a file has one service"


def kept_beside(snapshot: Snapshot) -> Iterator[str]:
    """What clients of the cloud made, and what routes nothing."""
    if snapshot.resources:
        said = listed(f"{group} ({len(kept)})" for group, kept in snapshot.resources.items())
        yield f"what clients of the cloud keep is left out: {said}"


def unqualified(apis: Apis) -> list[tuple[object, ...]]:
    """APIs without the qualifiers of a stage."""
    return [
        (api.id, api.method, api.path, api.backend.function, api.backend.integrated, api.features)
        if isinstance(api.backend, FunctionBackend)
        else (api.id, api.method, api.path, api.backend, api.features)
        for api in apis
    ]


def _split(stage: Stage) -> Iterator[str]:
    usual = stage_qualifiers(stage)
    for api in stage.apis:
        backend = api.backend
        if isinstance(backend, FunctionBackend) and backend.qualifier != usual[backend.function]:
            yield (
                f"api {api.id!r} in stage {stage.name!r} names {backend.qualifier!r} of function "
                f"{backend.function!r}; the file has {usual[backend.function]!r} for all its apis"
            )
