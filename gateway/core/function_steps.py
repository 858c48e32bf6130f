"""The steps of changes that alter functions, their versions and their aliases.

Each takes a snapshot to the next one, all but its revision, or refuses; `apply` calls them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.core import names
from gateway.core.alias import Alias, Route, missing_versions
from gateway.core.changes import (
    DeleteAlias,
    DeleteFunction,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
)
from gateway.core.entries import Entry, compile_alias, pin
from gateway.core.errors import Refused, listed, nearest, refuse
from gateway.core.functions import FunctionVersion
from gateway.core.resources import without_triggers
from gateway.core.snapshot import Function, FunctionBackend, Snapshot


def known_function(snapshot: Snapshot, name: str) -> Function:
    """A function that exists."""
    function = snapshot.functions.get(name)
    if function is None:
        known = listed(snapshot.functions)
        hint = nearest(name, snapshot.functions)
        refuse("unknown-function", f"no function {name!r}; there is {known}", hint)
    return function


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
        resources=without_triggers(snapshot.resources, function.name, qualifier),
    )


def put_function(snapshot: Snapshot, change: PutFunction) -> Snapshot:
    """Create a function, or give `$LATEST` new code and configuration."""
    if not names.is_function(change.name):
        message = f"{change.name!r} cannot name a function; allowed: {names.FUNCTION_RULE}"
        refuse("bad-name", message)
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


def delete_function(snapshot: Snapshot, change: DeleteFunction) -> Snapshot:
    """Remove a function that no released API names."""
    known_function(snapshot, change.name)
    where = _answers(snapshot, change.name)
    if where:
        message = f"function {change.name!r} answers {where}"
        refuse("function-in-use", message, "release the stage without that api first")
    functions = {name: f for name, f in snapshot.functions.items() if name != change.name}
    entries = {name: e for name, e in snapshot.entries.items() if name != change.name}
    resources = without_triggers(snapshot.resources, change.name)
    return replace(snapshot, functions=functions, entries=entries, resources=resources)


def _answers(snapshot: Snapshot, function: str, qualifier: str | None = None) -> str:
    """Which released API names a function, or one qualifier of it; empty when none does."""
    for service in snapshot.services.values():
        for stage in service.stages.values():
            for api in stage.apis:
                backend = api.backend
                if (
                    isinstance(backend, FunctionBackend)
                    and backend.function == function
                    and qualifier in {None, backend.qualifier}
                ):
                    return f"{api.path.text!r} in stage {stage.name!r} of service {service.id!r}"
    return ""


def publish(snapshot: Snapshot, change: Publish) -> Snapshot:
    """Freeze code and configuration into a number."""
    function = known_function(snapshot, change.function)
    number = change.number or str(function.last + 1)
    if not names.is_number(number) or int(number) <= function.last:
        message = f"{number!r} cannot be published; allowed: numbers above {function.last}"
        refuse("bad-version", message)
    latest = function.versions[names.LATEST]
    frozen = replace(
        latest,
        number=number,
        code=latest.code if change.code is None else change.code,
        configuration=change.configuration or latest.configuration,
        description=change.description,
    )
    versions = {**function.versions, number: frozen}
    published = replace(function, versions=versions, last=int(number))
    return _with_function(snapshot, published, {number: pin(function.name, number)})


def delete_version(snapshot: Snapshot, change: DeleteVersion) -> Snapshot:
    """Remove a version that nobody names."""
    function = known_function(snapshot, change.function)
    if not names.is_number(change.number) or change.number not in function.versions:
        published = [number for number in function.versions if number != names.LATEST]
        message = f"{change.number!r} is no published version of {function.name!r}"
        refuse("unknown-version", f"{message}; it has {listed(published)}")
    holders = [
        alias.name
        for alias in function.aliases.values()
        if any(version == change.number for version, _ in alias.route.named())
    ]
    if holders:
        message = f"version {change.number!r} of {function.name!r} is named by {listed(holders)}"
        refuse("version-in-use", message, "point the alias somewhere else first")
    where = _answers(snapshot, function.name, change.number)
    if where:
        message = f"version {change.number!r} of {function.name!r} answers {where}"
        refuse("version-in-use", message, "release the stage with another qualifier first")
    versions = {n: v for n, v in function.versions.items() if n != change.number}
    faults = {n: fault for n, fault in function.faults.items() if n != change.number}
    return _without(snapshot, replace(function, versions=versions, faults=faults), change.number)


def put_fault(snapshot: Snapshot, change: PutFault) -> Snapshot:
    """Tell a version what to get wrong."""
    function = known_function(snapshot, change.function)
    if change.version not in function.versions:
        message = f"function {function.name!r} has no version {change.version!r}"
        known = sorted(function.versions, key=names.version_order)
        hint = nearest(change.version, known)
        refuse("unknown-version", f"{message}; it has {listed(known)}", hint)
    if change.fault is None and change.version not in function.faults:
        message = f"version {change.version!r} of {function.name!r} has no fault"
        known = sorted(function.faults, key=names.version_order)
        refuse("unknown-fault", f"{message}; faults are at {listed(known)}")
    faults = {n: fault for n, fault in function.faults.items() if n != change.version}
    if change.fault is not None:
        faults[change.version] = change.fault
    return _with_function(snapshot, replace(function, faults=faults), {})


def put_breaker(snapshot: Snapshot, change: PutBreaker) -> Snapshot:
    """Say when versions of a function are left alone."""
    function = known_function(snapshot, change.function)
    if change.breaker is None and function.breaker is None:
        refuse("unknown-breaker", f"function {function.name!r} has no breaker")
    return _with_function(snapshot, replace(function, breaker=change.breaker), {})


def put_alias(snapshot: Snapshot, change: PutAlias) -> Snapshot:
    """Point an alias somewhere."""
    function = known_function(snapshot, change.function)
    if not names.is_alias(change.name):
        message = f"{change.name!r} cannot name an alias; allowed: {names.ALIAS_RULE}"
        refuse("bad-name", message)
    what = f"alias {change.name!r} of function {function.name!r}"
    problems = missing_versions(change.route, what, function.versions)
    if problems:
        raise Refused(problems)
    alias = Alias(function.name, change.name, change.route, change.description)
    if function.aliases.get(change.name) == alias:
        return snapshot  # what is not altered keeps its compiled parts and its sequences
    altered = replace(function, aliases={**function.aliases, alias.name: alias})
    return _with_function(snapshot, altered, {alias.name: compile_alias(alias)})


def delete_alias(snapshot: Snapshot, change: DeleteAlias) -> Snapshot:
    """Remove an alias that no released API names."""
    function = known_function(snapshot, change.function)
    if change.name == names.DEFAULT:
        refuse("alias-fixed", f"{names.DEFAULT} cannot be deleted; point it somewhere else")
    if change.name not in function.aliases:
        message = f"function {function.name!r} has no alias {change.name!r}"
        known = listed(function.aliases)
        hint = nearest(change.name, function.aliases)
        refuse("unknown-alias", f"{message}; it has {known}", hint)
    where = _answers(snapshot, function.name, change.name)
    if where:
        message = f"alias {change.name!r} of {function.name!r} answers {where}"
        refuse("alias-in-use", message, "release the stage with another qualifier first")
    aliases = {name: a for name, a in function.aliases.items() if name != change.name}
    return _without(snapshot, replace(function, aliases=aliases), change.name)
