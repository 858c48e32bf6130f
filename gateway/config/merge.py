"""Applying a file is three-way: what it changed wins, what was changed live meanwhile survives.

Pure: the file as it was applied last, the file as it is now and the live state go in; the changes
that bring the live state to the merged one come out, proved against it, or every problem.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from gateway.config.declared import stated
from gateway.config.load import SERVICE
from gateway.config.merge_functions import merge_function
from gateway.config.merge_services import merge_service
from gateway.config.threeway import Kept, Ledger, Sides
from gateway.core import names
from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.entries import Target
from gateway.core.errors import Place, Problem, Refused
from gateway.core.snapshot import Function, FunctionBackend, Snapshot

__all__ = ["Kept", "Merge", "merge"]

_ORDER: Final = (
    PutFunction,
    Publish,
    PutFault,
    PutBreaker,
    PutAlias,
    PutService,
    Release,
    Unrelease,
    DeleteAlias,
    DeleteFunction,
)


@dataclass(frozen=True, slots=True)
class Merge:
    """What applying a file does.

    Attributes:
        changes: Brings the live state to the merged one; empty when nothing is to be done.
        kept: What is live otherwise than the file has it, and survives. Versions that were
            published live are not among them: no file has to name a version.
    """

    changes: Batch
    kept: tuple[Kept, ...]


def merge(live: Snapshot, last: Batch | None, declared: Batch) -> Merge:
    """Merge a file into the live state.

    Args:
        live: What routes now.
        last: What the file declared when it was applied last; `None` before the first time.
        declared: What it declares now; codes are compared, so both must spell them as `live` does.

    Raises:
        Refused: With every problem, each at its place in the file; nothing is to be applied.
    """
    ledger = Ledger()
    sides = Sides(None if last is None else stated(last), stated(declared), live)
    changes = list(merge_service(ledger, sides.part(lambda state: state.services.get(SERVICE))))
    needed = _targets(changes)
    known = sides.part(lambda state: state.functions)
    for name in dict.fromkeys((*(known.declared or ()), *(known.last or ()))):
        changes += merge_function(ledger, name, known.part(_named(name)), needed)
    changes.sort(key=lambda change: _ORDER.index(type(change)))
    problems = [*ledger.problems, *_objections(live, changes, ledger.unpublished)]
    if problems:
        raise Refused(problems)
    return Merge(Batch(tuple(changes)), tuple(ledger.kept))


def _named(name: str) -> Callable[[Mapping[str, Function]], Function | None]:
    return lambda functions: functions.get(name)


def _targets(changes: Iterable[Change]) -> set[Target]:
    """What the APIs that are about to be released name."""
    return {
        api.backend.target
        for change in changes
        if isinstance(change, Release)
        for api in change.apis
        if isinstance(api.backend, FunctionBackend)
    }


def _objections(
    state: Snapshot, changes: Iterable[Change], unpublished: Collection[Target]
) -> Iterator[Problem]:
    """What the law has against the changes, one after another, each mistake once.

    Args:
        state: What they are applied to.
        changes: In the order in which they will be applied.
        unpublished: Versions of the file that were refused before.
    """
    told: set[Problem] = set()
    for change in changes:
        try:
            state = apply(state, change)
        except Refused as refused:
            state = _without_mistakes(state, change, refused)
            named = _named_by(change)
            for problem in refused.problems:
                placed = _placed(change, problem)
                if named.get(problem.at) not in unpublished and placed not in told:
                    told.add(placed)
                    yield placed


def _without_mistakes(state: Snapshot, change: Change, refused: Refused) -> Snapshot:
    """The state as if the change had been possible: what names its part is not to blame."""
    if isinstance(change, PutAlias):
        return apply(state, replace(change, route=Route(names.LATEST)))
    if isinstance(change, Release):
        wrong = {problem.at for problem in refused.problems}
        apis = tuple(api for index, api in enumerate(change.apis) if (index,) not in wrong)
        return apply(state, replace(change, apis=apis))
    return state


def _named_by(change: Change) -> dict[Place, Target]:
    """The qualifiers that a change names, by place."""
    if isinstance(change, PutAlias):
        return {at: Target(change.function, version) for version, at in change.route.named()}
    if isinstance(change, PutFault):
        return {(): Target(change.function, change.version)}
    if isinstance(change, Release):
        return {
            (index,): api.backend.target
            for index, api in enumerate(change.apis)
            if isinstance(api.backend, FunctionBackend)
        }
    return {}


def _placed(change: Change, problem: Problem) -> Problem:
    """A problem of a change, at the place of the file that asks for the change."""
    match change:
        case PutAlias(function, name):
            weighted = problem.at[:1] == ("weights",)
            at: Place = ("functions", function, "aliases", name, *problem.at)
            return replace(problem, at=at, on_key=weighted)
        case PutFault(function, version):
            at = ("functions", function, "faults", version)
            return replace(problem, at=at, on_key=True)
        case DeleteAlias(function, name):
            return replace(problem, at=("functions", function, "aliases"))
        case DeleteFunction(name):
            return replace(problem, at=("functions", name))
        case Release(_, stage):
            return replace(problem, at=("stages", stage, "alias"))
        case _:
            return problem
