"""From the journal to the live state: the same `apply` that made it makes it again.

There is no second way in. A checkpoint is a change like the others, so a start costs what the
state costs and not what its history costs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gateway.core.apply import apply
from gateway.core.changes import Batch, Change
from gateway.core.errors import Refused
from gateway.core.rebuild import rebuild
from gateway.core.snapshot import EMPTY, Snapshot
from gateway.store.protocol import Journal, StateUnusable, Store

EVERY: Final = 500
"""Revisions between two checkpoints: so many changes are replayed in some 100 ms."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a journal leads to.

    Attributes:
        snapshot: The state of its newest revision.
        declared: What stages.toml declared when it was applied last; `None` before that.
        replayed: How many changes were replayed after the checkpoint.
    """

    snapshot: Snapshot
    declared: Batch | None
    replayed: int


async def recover(store: Store) -> Recovered:
    """The state that a store remembers; an empty one leads to the empty state at revision 0.

    Raises:
        StateUnusable: The store cannot be read, or a change in it breaks a rule.
    """
    return replay(await store.load())


def replay(journal: Journal) -> Recovered:
    """The state that a journal leads to.

    Raises:
        StateUnusable: A change in it breaks a rule.
    """
    start = _step(journal, EMPTY, journal.checkpoint, "the checkpoint of ")
    snapshot = replace(start, revision=journal.revision)
    for change in journal.tail:
        snapshot = _step(journal, snapshot, change)
    return Recovered(snapshot, journal.declared, len(journal.tail))


def _step(journal: Journal, snapshot: Snapshot, change: Change, what: str = "") -> Snapshot:
    try:
        return apply(snapshot, change)
    except Refused as refused:
        where = f"{what}revision {journal.revision if what else snapshot.revision + 1}"
        message = f"{journal.source} cannot be used: {where} is refused: {refused}"
        raise StateUnusable(message) from refused


async def compact(store: Store, snapshot: Snapshot, every: int = EVERY) -> bool:
    """Remember a state as a checkpoint where its revision is one of every so many.

    Args:
        store: Where; its newest revision is the snapshot's or a later one.
        snapshot: The state.
        every: Revisions between two checkpoints.

    Returns:
        Whether it was remembered.

    Raises:
        StateUnusable: The store cannot be written.
    """
    if snapshot.revision == 0 or snapshot.revision % every:
        return False
    await store.checkpoint(snapshot.revision, rebuild(snapshot))
    return True
