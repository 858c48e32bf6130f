"""The law of every three-way merge: what the file changed wins, what it left alone stays as live.

It is the same for each part, however large: a part is a value on three sides, absent on any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.core.diff import Path
from gateway.core.entries import Target
from gateway.core.errors import Problem

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Kept:
    """A part that is live otherwise than the file has it, and stays so.

    Attributes:
        path: Which part, as in `gateway.core.diff`, down to single fields and variables.
        declared: What the file says, as plain values; `None` where it says nothing.
        live: What is live; `None` where it was taken away.
    """

    path: Path
    declared: object
    live: object


@dataclass(frozen=True, slots=True)
class Sides(Generic[T]):
    """One part on its three sides; `None` where there is none.

    Attributes:
        last: As the file had it when it was applied last.
        declared: As the file has it now.
        live: As it is live.
    """

    last: T | None
    declared: T | None
    live: T | None

    def part(self, read: Callable[[T], U | None]) -> Sides[U]:
        """A part of this one."""
        return Sides(
            None if self.last is None else read(self.last),
            None if self.declared is None else read(self.declared),
            None if self.live is None else read(self.live),
        )


class Ledger:
    """What a merge finds on its way.

    Attributes:
        kept: What stays as it is live.
        problems: Why the file cannot be applied.
        unpublished: The versions among them that cannot be published.
    """

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.problems: list[Problem] = []
        self.unpublished: set[Target] = set()

    def keep(self, path: Path, declared: object, live: object) -> None:
        """Record a part that stays as it is live."""
        self.kept.append(Kept(path, declared, live))

    def settle(
        self, path: Path, sides: Sides[T], write: Callable[[T], object] = lambda value: value
    ) -> T | None:
        """What a part becomes.

        Args:
            path: Which part.
            sides: Its three sides.
            write: Makes plain values of it, for the record of what is kept.
        """
        if sides.declared != sides.last:
            return sides.declared
        if sides.live != sides.declared:
            written = sides.part(write)
            self.keep(path, written.declared, written.live)
        return sides.live

    def table(self, path: Path, sides: Sides[Mapping[str, T]]) -> dict[str, T]:
        """What a table becomes, key by key; live ones first, in their order."""
        last, declared, live = sides.last or {}, sides.declared or {}, sides.live or {}
        found = {}
        for key in dict.fromkeys((*live, *declared, *last)):
            one = Sides(last.get(key), declared.get(key), live.get(key))
            value = self.settle((*path, key), one)
            if value is not None:
                found[key] = value
        return found
