"""The decision: which version answers, and why. The only module that makes one.

A qualifier leads to a version (`pinned`) or to an alias: rules in list order, first hit wins;
then the weights; what they leave over goes to the main version. Everything here was compiled when
the snapshot was built, down to the `Decision` objects themselves; a request costs look-ups, the
rules' own tests, and at most one draw.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gateway.core.errors import FunctionNotFound, QualifierNotFound
from gateway.core.split import Draw, Mode, Split

if TYPE_CHECKING:
    from gateway.core.alias import Alias
    from gateway.core.rules import RequestView
    from gateway.core.snapshot import Snapshot


class Target(NamedTuple):
    """Whom a caller asks for.

    Attributes:
        function: A function's name.
        qualifier: A version, `$LATEST` or an alias.
    """

    function: str
    qualifier: str


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The chosen version and the reason; one object for each possible outcome of a snapshot.

    Attributes:
        function: The function's name.
        qualifier: What the caller named.
        version: The version that answers.
        reason: `pinned`, `rule:N` (counted from 1), `weight`, `sticky` or `main`.
    """

    function: str
    qualifier: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A qualifier, compiled for `decide`.

    Attributes:
        rules: Tests in list order, each with the decision of a hit.
        only: The decision when no rule hits and there is no weight.
        split: The layout of the weights; `None` exactly where `only` is given.
        mode: Where the split's draws come from.
        sticky: Reads the sticky key.
        drawn: The decision for each stretch of the layout when a draw settled it.
        stuck: The same when a sticky key settled it.
    """

    rules: tuple[tuple[Callable[[RequestView], bool], Decision], ...]
    only: Decision | None
    split: Split | None = None
    mode: Mode = "random"
    sticky: Callable[[RequestView], str | None] | None = None
    drawn: tuple[Decision, ...] = ()
    stuck: tuple[Decision, ...] = ()


def decide(snapshot: Snapshot, target: Target, request: RequestView, draw: Draw) -> Decision:
    """Which version answers this request.

    Args:
        snapshot: The frozen state; read only.
        target: The function and the qualifier that the API names.
        request: What rules may read.
        draw: The dice; asked at most once.

    Raises:
        FunctionNotFound: No such function.
        QualifierNotFound: The function has no such version or alias.
    """
    try:
        entry = snapshot.entries[target[0]][target[1]]
    except KeyError:
        raise _not_found(snapshot, target) from None
    for hits, decision in entry.rules:
        if hits(request):
            return decision
    if entry.only is not None:
        return entry.only
    return _choose(entry, request, draw)


def _choose(entry: Entry, request: RequestView, draw: Draw) -> Decision:
    split = entry.split
    assert split is not None  # noqa: S101 - an entry has `only` or a split
    if entry.mode == "even":
        return entry.drawn[bisect_right(split.bounds, draw.even(split))]
    if entry.sticky is not None:
        key = entry.sticky(request)
        if key is not None:
            return entry.stuck[bisect_right(split.bounds, split.sticky_draw(key))]
    return entry.drawn[bisect_right(split.bounds, draw.random())]


def _not_found(snapshot: Snapshot, target: Target) -> FunctionNotFound | QualifierNotFound:
    if target.function in snapshot.functions:
        return QualifierNotFound(target.function, target.qualifier)
    return FunctionNotFound(target.function)


def pin(function: str, version: str) -> Entry:
    """The entry of a version that callers name themselves."""
    return Entry((), Decision(function, version, version, "pinned"))


def compile_alias(alias: Alias) -> Entry:
    """The entry of an alias."""
    route = alias.route

    def decision(version: str, reason: str) -> Decision:
        return Decision(alias.function, alias.name, version, reason)

    rules = tuple(
        (rule.hits, decision(rule.version, f"rule:{number}"))
        for number, rule in enumerate(route.rules, start=1)
    )
    if not route.weights:
        return Entry(rules, decision(route.version, "main"))
    split = Split((alias.function, alias.name), route.version, route.weights)
    reasons = dict.fromkeys(route.weights, "weight") | {route.version: "main"}
    return Entry(
        rules,
        only=None,
        split=split,
        mode=route.split,
        sticky=route.sticky_by.first if route.sticky_by else None,
        drawn=tuple(decision(version, reasons[version]) for version in split.versions),
        stuck=tuple(decision(version, "sticky") for version in split.versions),
    )
