"""The decision: which version answers, and why. The only module that settles it.

A qualifier leads to a version (`pinned`) or to an alias: rules in list order, first hit wins;
then the weights; what they leave over goes to the main version. Everything here was compiled when
the snapshot was built; a request costs look-ups, the rules' own tests, and at most one draw.
"""

from __future__ import annotations

from bisect import bisect_right

from gateway.core.entries import Decision, Entry, Target
from gateway.core.errors import FunctionNotFound, QualifierNotFound
from gateway.core.rules import RequestView
from gateway.core.snapshot import Snapshot
from gateway.core.split import Draw


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
