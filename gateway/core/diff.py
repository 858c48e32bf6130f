"""What differs between two snapshots, part by part: the record of a change, and its preview.

Snapshots share what a change did not touch, so a diff costs what the change cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.core.access import NO_ACCESS, access_shown
from gateway.core.breaker import Breaker
from gateway.core.faults import Fault
from gateway.core.functions import FunctionVersion
from gateway.core.plain import Plain, alias_plain, api_plain, stage_plain, version_plain
from gateway.core.resources import NONE, Group, resource_shown
from gateway.core.snapshot import Function, Service, Snapshot

T = TypeVar("T")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that is not the same in two snapshots.

    Attributes:
        path: Which part: `("functions", F, "versions", N)`, `("functions", F, "faults", N)`,
            `("functions", F, "breaker")`, `("functions", F, "aliases", A)`,
            `("services", S, "name")`, `("services", S, "apis")`,
            `("services", S, "access")` (without secrets), `("services", S, "stages", T)` or
            `("resources", G, K)` (without secrets).
        before: The part as plain values; `None` where there was none.
        after: The same afterwards; `None` where it is gone.
    """

    path: Path
    before: Plain | list[Plain] | str | None
    after: Plain | list[Plain] | str | None


def differences(old: Snapshot, new: Snapshot) -> tuple[Difference, ...]:
    """Every part that differs, functions first, in the order in which the new snapshot has them."""
    return (
        *_table(("functions",), (old.functions, new.functions), _function),
        *_table(("services",), (old.services, new.services), _service),
        *_table(("resources",), (old.resources, new.resources), _group),
    )


def brought(old: Snapshot, new: Snapshot) -> list[FunctionVersion]:
    """The versions of the new snapshot that the old one does not have, or has otherwise."""
    found = []
    for name, function in new.functions.items():
        known = old.functions.get(name)
        if function is known:
            continue
        versions = known.versions if known else {}
        found += [v for number, v in function.versions.items() if versions.get(number) != v]
    return found


Parts = Iterator[Difference]


def _table(
    path: Path,
    sides: tuple[Mapping[str, T], Mapping[str, T]],
    inner: Callable[[Path, T | None, T | None], Parts],
) -> Parts:
    old, new = sides
    for key in dict.fromkeys((*new, *old)):
        before, after = old.get(key), new.get(key)
        if before is not after:
            yield from inner((*path, key), before, after)


def _leaf(write: Callable[[Any], Any]) -> Callable[[Path, T | None, T | None], Parts]:
    """Compares values, and writes them only where they differ."""

    def compare(path: Path, before: T | None, after: T | None) -> Parts:
        if before != after:
            old = None if before is None else write(before)
            yield Difference(path, old, None if after is None else write(after))

    return compare


_version = _leaf(version_plain)
_fault = _leaf(Fault.to_dict)
_breaker = _leaf(Breaker.to_dict)
_alias = _leaf(alias_plain)
_stage = _leaf(stage_plain)
_apis = _leaf(lambda apis: [api_plain(api) for api in apis])
_name = _leaf(str)
_access = _leaf(access_shown)
_resource = _leaf(resource_shown)


def _function(path: Path, before: Function | None, after: Function | None) -> Parts:
    versions = [f.versions if f else {} for f in (before, after)]
    faults = [f.faults if f else {} for f in (before, after)]
    aliases = [f.aliases if f else {} for f in (before, after)]
    yield from _table((*path, "versions"), (versions[0], versions[1]), _version)
    yield from _table((*path, "faults"), (faults[0], faults[1]), _fault)
    breakers = [f.breaker if f else None for f in (before, after)]
    yield from _breaker((*path, "breaker"), breakers[0], breakers[1])
    yield from _table((*path, "aliases"), (aliases[0], aliases[1]), _alias)


def _group(path: Path, before: Group | None, after: Group | None) -> Parts:
    yield from _table(path, (before or NONE, after or NONE), _resource)


def _service(path: Path, before: Service | None, after: Service | None) -> Parts:
    names = [s.name if s else None for s in (before, after)]
    apis = [s.apis if s else None for s in (before, after)]
    stages = [s.stages if s else {} for s in (before, after)]
    yield from _name((*path, "name"), names[0], names[1])
    yield from _apis((*path, "apis"), apis[0], apis[1])
    access = [s.access if s and s.access != NO_ACCESS else None for s in (before, after)]
    yield from _access((*path, "access"), access[0], access[1])
    yield from _table((*path, "stages"), (stages[0], stages[1]), _stage)
