"""A declaration as a state, part by part, whether or not it could stand alone.

A file may name versions and aliases that only exist live. So nothing is checked or compiled here,
and what is made is for comparison alone: no request is ever decided with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gateway.core import names
from gateway.core.access import NO_ACCESS
from gateway.core.alias import Alias
from gateway.core.changes import (
    Batch,
    Change,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutService,
    Release,
)
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Function, Service, Snapshot, Stage


def stated(batch: Batch) -> Snapshot:
    """What a batch of `load` declares; only aliases that it names itself, `$DEFAULT` too.

    Args:
        batch: What `load` gave, with any codes.
    """
    functions: dict[str, Function] = {}
    services: dict[str, Service] = {}
    for change in _flat(batch):
        match change:
            case PutFunction(name, code, configuration, description):
                latest = FunctionVersion(name, names.LATEST, code, configuration, description)
                functions[name] = Function(name, {names.LATEST: latest}, {})
            case Publish():
                functions[change.function] = _published(functions[change.function], change)
            case PutAlias(function, name, route, description):
                alias = Alias(function, name, route, description)
                known = functions[function]
                functions[function] = replace(known, aliases={**known.aliases, name: alias})
            case PutFault() | PutBreaker():
                functions[change.function] = _told(functions[change.function], change)
            case PutService(key, name, apis, access):
                services[key] = Service(key, name, {}, apis, access or NO_ACCESS)
            case Release(key, name, apis, variables, features):
                known_service = services[key]
                stages = {**known_service.stages, name: Stage(name, apis, variables, features)}
                services[key] = replace(known_service, stages=stages)
            case _:
                raise ValueError(f"a declaration holds no {type(change).__name__}")
    return Snapshot(0, functions, services)


def _flat(batch: Batch) -> Iterator[Change]:
    for change in batch.changes:
        if isinstance(change, Batch):
            yield from _flat(change)
        else:
            yield change


def _told(function: Function, change: PutFault | PutBreaker) -> Function:
    if isinstance(change, PutBreaker):
        return replace(function, breaker=change.breaker)
    if change.fault is None:
        raise ValueError("a declaration holds no PutFault that takes a fault away")
    return replace(function, faults={**function.faults, change.version: change.fault})


def _published(function: Function, change: Publish) -> Function:
    number = change.number or str(function.last + 1)
    latest = function.versions[names.LATEST]
    version = FunctionVersion(
        function.name,
        number,
        latest.code if change.code is None else change.code,
        change.configuration or latest.configuration,
        change.description,
    )
    last = max(function.last, int(number))
    return replace(function, versions={**function.versions, number: version}, last=last)
