"""`apply`: the pure step from one snapshot to the next, or a typed refusal.

A refusal leaves the old snapshot as it was; what a change does not touch is shared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NoReturn

from gateway.core import names
from gateway.core.alias import Alias, Route, missing_versions
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteVersion,
    Publish,
    PutAlias,
    PutFunction,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.entries import Entry, compile_alias, pin
from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.functions import FunctionVersion
from gateway.core.snapshot import Function, FunctionBackend, Service, Snapshot, Stage


def apply(snapshot: Snapshot, change: Change) -> Snapshot:
    """The snapshot after one change.

    Raises:
        Refused: The change breaks a rule; the old snapshot is as it was.
    """
    return replace(_STEPS[type(change)](snapshot, change), revision=snapshot.revision + 1)


def _refuse(code: str, message: str, hint: str = "") -> NoReturn:
    raise Refused([Problem(code, message, hint=hint)])


def _function(snapshot: Snapshot, name: str) -> Function:
    function = snapshot.functions.get(name)
    if function is None:
        known = listed(snapshot.functions)
        hint = nearest(name, snapshot.functions)
        _refuse("unknown-function", f"no function {name!r}; there is {known}", hint)
    return function


def _service(snapshot: Snapshot, name: str) -> Service:
    service = snapshot.services.get(name)
    if service is None:
        known = listed(snapshot.services)
        hint = nearest(name, snapshot.services)
        _refuse("unknown-service", f"no service {name!r}; there is {known}", hint)
    return service


def _with_function(
    snapshot: Snapshot, function: Function, entries: Mapping[str, Entry]
) -> Snapshot:
    """The snapshot with an altered function and the entries that were compiled anew."""
    known = snapshot.entries.get(function.name, {})
    return replace(
        snapshot,
        functions={**snapshot.functions, function.name: function},
        entries={**snapshot.entries, function.name: {**known, **entries}},
    )


def _without(snapshot: Snapshot, function: Function, qualifier: str) -> Snapshot:
    """The snapshot with a function that lost one version or alias."""
    entries = {q: e for q, e in snapshot.entries[function.name].items() if q != qualifier}
    return replace(
        snapshot,
        functions={**snapshot.functions, function.name: function},
        entries={**snapshot.entries, function.name: entries},
    )


def _with_service(snapshot: Snapshot, service: Service) -> Snapshot:
    return replace(snapshot, services={**snapshot.services, service.id: service})


def _put_function(snapshot: Snapshot, change: PutFunction) -> Snapshot:
    if not names.is_function(change.name):
        message = f"{change.name!r} cannot name a function; allowed: {names.FUNCTION_RULE}"
        _refuse("bad-name", message)
    latest = FunctionVersion(
        change.name, names.LATEST, change.code, change.configuration, change.description
    )
    known = snapshot.functions.get(change.name)
    if known is not None:
        versions = {**known.versions, names.LATEST: latest}
        return _with_function(snapshot, replace(known, versions=versions), {})
    default = Alias(change.name, names.DEFAULT, Route(names.LATEST))
    function = Function(change.name, {names.LATEST: latest}, {names.DEFAULT: default})
    entries = {names.LATEST: pin(change.name, names.LATEST), names.DEFAULT: compile_alias(default)}
    return _with_function(snapshot, function, entries)


def _delete_function(snapshot: Snapshot, change: DeleteFunction) -> Snapshot:
    _function(snapshot, change.name)
    for service in snapshot.services.values():
        for stage in service.stages.values():
            for api in stage.apis:
                backend = api.backend
                if isinstance(backend, FunctionBackend) and backend.function == change.name:
                    where = f"stage {stage.name!r} of service {service.id!r}"
                    message = f"function {change.name!r} answers {api.path.text!r} in {where}"
                    _refuse("function-in-use", message, "release the stage without that api first")
    functions = {name: f for name, f in snapshot.functions.items() if name != change.name}
    entries = {name: e for name, e in snapshot.entries.items() if name != change.name}
    return replace(snapshot, functions=functions, entries=entries)


def _publish(snapshot: Snapshot, change: Publish) -> Snapshot:
    function = _function(snapshot, change.function)
    number = change.number or str(function.last + 1)
    if not names.is_number(number) or int(number) <= function.last:
        message = f"{number!r} cannot be published; allowed: numbers above {function.last}"
        _refuse("bad-version", message)
    latest = function.versions[names.LATEST]
    frozen = replace(
        latest,
        number=number,
        code=latest.code if change.code is None else change.code,
        description=change.description,
    )
    versions = {**function.versions, number: frozen}
    published = replace(function, versions=versions, last=int(number))
    return _with_function(snapshot, published, {number: pin(function.name, number)})


def _delete_version(snapshot: Snapshot, change: DeleteVersion) -> Snapshot:
    function = _function(snapshot, change.function)
    if not names.is_number(change.number) or change.number not in function.versions:
        published = [number for number in function.versions if number != names.LATEST]
        message = f"{change.number!r} is no published version of {function.name!r}"
        _refuse("unknown-version", f"{message}; it has {listed(published)}")
    holders = [
        alias.name
        for alias in function.aliases.values()
        if any(version == change.number for version, _ in alias.route.named())
    ]
    if holders:
        message = f"version {change.number!r} of {function.name!r} is named by {listed(holders)}"
        _refuse("version-in-use", message, "point the alias somewhere else first")
    versions = {n: v for n, v in function.versions.items() if n != change.number}
    return _without(snapshot, replace(function, versions=versions), change.number)


def _put_alias(snapshot: Snapshot, change: PutAlias) -> Snapshot:
    function = _function(snapshot, change.function)
    if not names.is_alias(change.name):
        message = f"{change.name!r} cannot name an alias; allowed: {names.ALIAS_RULE}"
        _refuse("bad-name", message)
    what = f"alias {change.name!r} of function {function.name!r}"
    problems = missing_versions(change.route, what, function.versions)
    if problems:
        raise Refused(problems)
    alias = Alias(function.name, change.name, change.route, change.description)
    if function.aliases.get(change.name) == alias:
        return snapshot  # what is not altered keeps its compiled parts and its sequences
    altered = replace(function, aliases={**function.aliases, alias.name: alias})
    return _with_function(snapshot, altered, {alias.name: compile_alias(alias)})


def _delete_alias(snapshot: Snapshot, change: DeleteAlias) -> Snapshot:
    function = _function(snapshot, change.function)
    if change.name == names.DEFAULT:
        _refuse("alias-fixed", f"{names.DEFAULT} cannot be deleted; point it somewhere else")
    if change.name not in function.aliases:
        message = f"function {function.name!r} has no alias {change.name!r}"
        known = listed(function.aliases)
        hint = nearest(change.name, function.aliases)
        _refuse("unknown-alias", f"{message}; it has {known}", hint)
    aliases = {name: a for name, a in function.aliases.items() if name != change.name}
    return _without(snapshot, replace(function, aliases=aliases), change.name)


def _put_service(snapshot: Snapshot, change: PutService) -> Snapshot:
    known = snapshot.services.get(change.id)
    service = replace(known, name=change.name) if known else Service(change.id, change.name)
    return _with_service(snapshot, service)


def _release(snapshot: Snapshot, change: Release) -> Snapshot:
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
    stage = Stage(name, change.apis, change.variables)
    return _with_service(snapshot, replace(service, stages={**service.stages, name: stage}))


def _unrelease(snapshot: Snapshot, change: Unrelease) -> Snapshot:
    service = _service(snapshot, change.service)
    name = _stage(change.stage)
    if name not in service.stages:
        message = f"service {service.id!r} is not released to {name!r}"
        _refuse("unknown-stage", f"{message}; it is to {listed(service.stages)}")
    stages = {key: stage for key, stage in service.stages.items() if key != name}
    return _with_service(snapshot, replace(service, stages=stages))


def _stage(name: str) -> str:
    canonical = names.stage_name(name)
    if canonical not in names.STAGES:
        message = f"no stage {name!r}; allowed: {listed(names.STAGES)}"
        _refuse("unknown-stage", message, nearest(name, names.STAGES))
    return canonical


def _check_target(snapshot: Snapshot, backend: FunctionBackend) -> None:
    function = _function(snapshot, backend.function)
    known = {**function.versions, **function.aliases}
    if backend.qualifier not in known:
        message = f"function {function.name!r} has no version and no alias {backend.qualifier!r}"
        hint = nearest(backend.qualifier, known)
        _refuse("unknown-qualifier", f"{message}; it has {listed(known)}", hint)


def _batch(snapshot: Snapshot, change: Batch) -> Snapshot:
    for index, step in enumerate(change.changes):
        try:
            snapshot = _STEPS[type(step)](snapshot, step)
        except Refused as refused:
            raise Refused(problem.under(index) for problem in refused.problems) from None
    return snapshot


_STEPS: Final[Mapping[type, Callable[[Snapshot, Any], Snapshot]]] = {
    PutFunction: _put_function,
    DeleteFunction: _delete_function,
    Publish: _publish,
    DeleteVersion: _delete_version,
    PutAlias: _put_alias,
    DeleteAlias: _delete_alias,
    PutService: _put_service,
    Release: _release,
    Unrelease: _unrelease,
    Batch: _batch,
}
