"""The steps of changes that alter services and what is released of them.

Each takes a snapshot to the next one, all but its revision, or refuses; `apply` calls them.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.core import names
from gateway.core.access import NO_ACCESS
from gateway.core.changes import (
    DeleteService,
    PutResource,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.errors import Problem, Refused, listed, nearest, refuse
from gateway.core.function_steps import known_function
from gateway.core.resources import NONE
from gateway.core.snapshot import FunctionBackend, Service, Snapshot, Stage


def _service(snapshot: Snapshot, name: str) -> Service:
    service = snapshot.services.get(name)
    if service is None:
        known = listed(snapshot.services)
        hint = nearest(name, snapshot.services)
        refuse("unknown-service", f"no service {name!r}; there is {known}", hint)
    return service


def _with_service(snapshot: Snapshot, service: Service) -> Snapshot:
    return replace(snapshot, services={**snapshot.services, service.id: service})


def put_service(snapshot: Snapshot, change: PutService) -> Snapshot:
    """Create a service, or alter its name and APIs."""
    known = snapshot.services.get(change.id)
    stages, access = (known.stages, known.access) if known else ({}, NO_ACCESS)
    if change.access is not None:
        access = change.access
    return _with_service(snapshot, Service(change.id, change.name, stages, change.apis, access))


def delete_service(snapshot: Snapshot, change: DeleteService) -> Snapshot:
    """Remove a service."""
    service = _service(snapshot, change.id)
    if service.stages:
        message = f"service {service.id!r} is released to {listed(service.stages)}"
        refuse("service-in-use", f"{message}; take it off these stages first")
    services = {key: other for key, other in snapshot.services.items() if key != service.id}
    return replace(snapshot, services=services)


def put_resource(snapshot: Snapshot, change: PutResource) -> Snapshot:
    """Keep something that routes nothing, or keep it no more."""
    group = {**snapshot.resources.get(change.group, NONE)}
    if change.content is None:
        group.pop(change.id, None)
    else:
        group[change.id] = change.content
    resources = {**snapshot.resources, change.group: group}
    return replace(snapshot, resources={name: each for name, each in resources.items() if each})


def release(snapshot: Snapshot, change: Release) -> Snapshot:
    """Publish APIs to a stage."""
    service = _service(snapshot, change.service)
    name = _stage(change.stage)
    problems: list[Problem] = []
    for index, api in enumerate(change.apis):
        if isinstance(api.backend, FunctionBackend):
            try:
                _check_target(snapshot, api.backend)
            except Refused as refused:
                problems += [problem.under(index) for problem in refused.problems]
    if problems:
        raise Refused(problems)
    stage = Stage(name, change.apis, change.variables, change.features, change.edition)
    return _with_service(snapshot, replace(service, stages={**service.stages, name: stage}))


def unrelease(snapshot: Snapshot, change: Unrelease) -> Snapshot:
    """Take a stage off the air."""
    service = _service(snapshot, change.service)
    name = _stage(change.stage)
    if name not in service.stages:
        message = f"service {service.id!r} is not released to {name!r}"
        refuse("unknown-stage", f"{message}; it is to {listed(service.stages)}")
    stages = {key: stage for key, stage in service.stages.items() if key != name}
    return _with_service(snapshot, replace(service, stages=stages))


def _stage(name: str) -> str:
    canonical = names.stage_name(name)
    if canonical not in names.STAGES:
        message = f"no stage {name!r}; allowed: {listed(names.STAGES)}"
        refuse("unknown-stage", message, nearest(name, names.STAGES))
    return canonical


def _check_target(snapshot: Snapshot, backend: FunctionBackend) -> None:
    function = known_function(snapshot, backend.function)
    known = {**function.versions, **function.aliases}
    if backend.qualifier not in known:
        message = f"function {function.name!r} has no version and no alias {backend.qualifier!r}"
        hint = nearest(backend.qualifier, known)
        refuse("unknown-qualifier", f"{message}; it has {listed(known)}", hint)
