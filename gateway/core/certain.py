"""Decisions that no draw settles: what is certain of a request whatever the dice show."""

from __future__ import annotations

from typing import Final

from gateway.core.decide import decide
from gateway.core.entries import Decision, Target
from gateway.core.rules import RequestView
from gateway.core.snapshot import Snapshot
from gateway.core.split import Split


class _Drawn(Exception):
    """Somebody asked for a draw."""


class _Refusing:
    """Dice that show nothing: whoever asks has nothing else to go by."""

    def random(self) -> float:
        raise _Drawn

    def even(self, _split: Split) -> float:
        raise _Drawn


_DICE: Final = _Refusing()


def certain(snapshot: Snapshot, target: Target, view: RequestView) -> Decision | None:
    """The decision for a request; `None` where a draw would settle it.

    Raises:
        RoutingError: No version can answer it.
    """
    try:
        return decide(snapshot, target, view, _DICE)
    except _Drawn:
        return None
