"""`rebuild`: the shortest story that leads to a snapshot, as changes like any others.

A checkpoint of a journal is such a story: recovery has one way in, `apply`, and needs no second
reader for stored states.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core import names
from gateway.core.access import NO_ACCESS
from gateway.core.changes import (
    Batch,
    Change,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutResource,
    PutService,
    Release,
)
from gateway.core.snapshot import Function, Service, Snapshot


def rebuild(snapshot: Snapshot) -> Batch:
    """Changes that build the snapshot from the empty one, all but its revision."""
    functions = [step for function in snapshot.functions.values() for step in _function(function)]
    services = [step for service in snapshot.services.values() for step in _service(service)]
    resources = [
        PutResource(group, key, content)
        for group, kept in snapshot.resources.items()
        for key, content in kept.items()
    ]
    return Batch((*functions, *services, *resources))


def _function(function: Function) -> Iterator[Change]:
    latest = function.versions[names.LATEST]
    yield PutFunction(function.name, latest.code, latest.configuration, latest.description)
    for number in sorted(function.versions.keys() - {names.LATEST}, key=int):
        version = function.versions[number]
        yield Publish(
            function.name, version.code, number, version.description, version.configuration
        )
    if function.last and str(function.last) not in function.versions:
        # Numbers are never used twice, so one that was deleted must stay used.
        yield Publish(function.name, "", str(function.last))
        yield DeleteVersion(function.name, str(function.last))
    for number, fault in function.faults.items():
        yield PutFault(function.name, number, fault)
    if function.breaker is not None:
        yield PutBreaker(function.name, function.breaker)
    for alias in function.aliases.values():
        yield PutAlias(function.name, alias.name, alias.route, alias.description)


def _service(service: Service) -> Iterator[Change]:
    access = None if service.access == NO_ACCESS else service.access
    yield PutService(service.id, service.name, service.apis, access)
    for stage in service.stages.values():
        said = (stage.apis, stage.variables, stage.features, stage.edition)
        yield Release(service.id, stage.name, *said)
