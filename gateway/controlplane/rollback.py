"""Which earlier state a roll-back brings back: from the moves of one alias, and nothing else.

Without a revision it is the last state in which no weight divided the traffic: a release that
fails at 50 % goes back to the old version, not to 10 %. Where there never was one, it is the last
state without the versions whose share has grown since. A second roll-back goes further back and
never to the state that the first one left: whoever asks twice does not want the failure again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from gateway.core.errors import listed, refuse
from gateway.core.plain import Plain
from gateway.store.protocol import Record, Store

MOVES: Final = 10_000
"""How far a roll-back looks back, in moves of its alias."""

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Move:
    """One change of where an alias leads.

    Attributes:
        revision: The revision it made.
        after: The alias afterwards, as plain values; `None` where it was deleted.
        restores: For a roll-back, the revision whose state it brought back.
    """

    revision: int
    after: Plain | None
    restores: int | None = None


async def move_back(store: Store, function: str, alias: str, to_revision: int | None) -> Move:
    """The move whose state a roll-back brings back.

    Args:
        store: Keeps the journal.
        function: The alias's function.
        alias: Its name.
        to_revision: The revision whose state is meant; `None` for the one before.

    Raises:
        Refused: There is no such state.
    """
    path = ("functions", function, "aliases", alias)
    history = moves(await store.records(path=path, limit=MOVES), path)
    return earlier(history, alias) if to_revision is None else named(history, alias, to_revision)


def moves(records: Iterable[Record], path: tuple[str, ...]) -> list[Move]:
    """The moves of the alias at a path, from records, newest first."""
    return [
        Move(record.revision, difference.after, record.restores)
        for record in records
        for difference in record.differences
        if difference.path == path and not isinstance(difference.after, str | list)
    ]


def earlier(history: Sequence[Move], alias: str) -> Move:
    """The move whose state is brought back when nobody names a revision.

    Args:
        history: The alias's moves, newest first.
        alias: Its name, for messages.

    Raises:
        Refused: There is no earlier state.
    """
    current = history[0] if history else None
    before = current.revision if current else 0
    for move in history:
        # What a roll-back brought back is where the alias stands, not where it came from.
        if move.revision == before and move.restores is not None:
            before = move.restores
    candidates = [
        move
        for move in history
        if move.revision < before and move.after is not None and move.after != _after(current)
    ]
    if current is None or not candidates:
        refuse("nothing-to-roll-back", f"alias {alias!r} has no earlier state", _HINT)
    settled = next((move for move in candidates if not _divided(move.after)), None)
    return settled or _without_the_new(candidates[0], current, alias)


def named(history: Sequence[Move], alias: str, revision: int) -> Move:
    """The move that made the state which the alias had at a revision.

    Raises:
        Refused: There was no such alias then.
    """
    found = next((move for move in history if move.revision <= revision), None)
    if found is None or found.after is None:
        known = listed(str(move.revision) for move in history[:_SHOWN])
        message = f"alias {alias!r} did not exist at revision {revision}; it moved at {known}"
        refuse("unknown-revision", message)
    return found


_HINT = "its history has no state before this one that a roll-back did not leave"


def _after(move: Move | None) -> Plain | None:
    return move.after if move else None


def _without_the_new(earlier: Move, current: Move, alias: str) -> Move:
    """An earlier state, divided, without the versions that have gained from it since."""
    before, now = _shares(earlier.after), _shares(current.after)
    old = [version for version, share in before.items() if now.get(version, 0) <= share]
    if current.after is None:
        return earlier
    if len(old) != 1:
        message = f"alias {alias!r} never led to one version alone"
        refuse("nothing-to-roll-back", message, "name a revision, or set the alias")
    assert earlier.after is not None  # noqa: S101 - a candidate has a state
    after = {**earlier.after, "version": old[0], "weights": {}, "split": "random"}
    return Move(earlier.revision, {**after, "sticky_by": None})


def _shares(after: Plain | None) -> dict[str, float]:
    """The share of each version that draws; rules do not divide."""
    if after is None:
        return {}
    weights = after.get("weights", {})
    rest = 1 - sum(map(Decimal, map(str, weights.values())))
    return {after["version"]: float(rest), **weights}


def _divided(after: Plain | None) -> bool:
    """Whether weights divide the traffic: shares of nothing and of everything do not."""
    return any(0 < weight < 1 for weight in (after or {}).get("weights", {}).values())
