"""Whether a history of one alias, changed and read through several nodes, is linearizable; pure.

The journal says which write came after which, so that nothing has to be searched for: each write
needs a moment between its request and its answer, in the order of the journal, and each read one
between the write that it saw and the next. Such moments exist if and only if the earliest ones do,
which is one pass over the journal. That a register whose writes are known in order can be judged so
is from Gibbons and Korach, "Testing Shared Memories" (SIAM J. Comput. 26, 1997); what linearizable
means is from Herlihy and Wing (1990).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Final

START: Final = 1
"""The revision that is there before anybody asks for anything."""


class Kind(Enum):
    """What was asked for, and what became of it."""

    WRITTEN = "written"
    SAME = "written already"
    REFUSED = "refused as stale"
    UNKNOWN = "written or not"
    READ = "read"
    LOOK = "read of the node's own"


@dataclass(frozen=True, slots=True)
class Operation:
    """One request and its answer.

    Attributes:
        kind: What it was.
        began: When it was sent.
        ended: When the answer was there; infinity where none came.
        value: What was to be written, or what was read.
        revision: What the answer says; 0 where there was none.
        expected: The revision to which a write was to be applied; `None` for any.
        node: The process that was asked.
    """

    kind: Kind
    began: float
    ended: float
    value: str
    revision: int = 0
    expected: int | None = None
    node: str = ""

    def __str__(self) -> str:
        """As a complaint names it."""
        at = f" at revision {self.revision}" if self.revision else ""
        only = "" if self.expected is None else f" if {self.expected}"
        return f"{self.value!r}{only} {self.kind.value}{at} ({self.began:.6f} to {self.ended:.6f})"


@dataclass(slots=True)
class _Bounds:
    """Between which moments each revision must have come."""

    after: dict[int, tuple[float, str]] = field(default_factory=dict)
    until: dict[int, tuple[float, str]] = field(default_factory=dict)

    def comes_after(self, revision: int, moment: float, why: object) -> None:
        if moment > self.after.get(revision, (-inf, ""))[0]:
            self.after[revision] = moment, str(why)

    def comes_until(self, revision: int, moment: float, why: object) -> None:
        if moment < self.until.get(revision, (inf, ""))[0]:
            self.until[revision] = moment, str(why)


def judge(history: Sequence[Operation], journal: Mapping[int, str]) -> list[str]:
    """What is wrong with a history; nothing if it is linearizable.

    Whoever writes conditionally has seen the revision that he names before he asks.

    Args:
        history: What everybody asked for and was answered, in any order.
        journal: The value of the alias at each revision, from the first one on.
    """
    bounds = _Bounds()
    wrong = [*_misread(history, journal), *_owned(history, journal, bounds)]
    for one in history:
        if one.kind in {Kind.READ, Kind.SAME}:
            bounds.comes_until(one.revision, one.ended, one)
            bounds.comes_after(one.revision + 1, one.began, one)
        elif one.kind is Kind.LOOK:
            bounds.comes_until(one.revision, one.ended, one)
        elif one.kind is Kind.REFUSED:
            bounds.comes_until((one.expected or 0) + 1, one.ended, one)
    return [*wrong, *_placed(bounds, journal), *_backwards(history)]


def _misread(history: Iterable[Operation], journal: Mapping[int, str]) -> Iterator[str]:
    """Answers that the journal contradicts by itself."""
    for one in history:
        if one.revision and journal.get(one.revision) != one.value:
            yield f"{one}: the journal has {journal.get(one.revision)!r} there"
        condition = one.expected is not None and one.kind is not Kind.REFUSED
        wanted = one.revision - (one.kind is Kind.WRITTEN)
        if condition and one.kind is not Kind.UNKNOWN and one.expected != wanted:
            yield f"{one}: that was not its condition"
        if one.kind is Kind.REFUSED and (one.expected or 0) + 1 not in journal:
            yield f"{one}: nothing came after that revision"


def _owned(
    history: Iterable[Operation], journal: Mapping[int, str], bounds: _Bounds
) -> Iterator[str]:
    """Give each revision its write: the one that was answered so, or one that got no answer."""
    owners: dict[int, Operation] = {}
    free: dict[str, list[Operation]] = {}
    for one in sorted(history, key=lambda one: one.began):
        if one.kind is Kind.UNKNOWN:
            free.setdefault(one.value, []).append(one)
        elif one.kind is Kind.WRITTEN:
            if one.revision in owners:
                yield f"{one}: that revision is also {owners[one.revision]}"
            owners[one.revision] = one
    for revision in sorted(journal):
        if revision == START:
            continue
        owner = owners.get(revision) or _taken(free.get(journal[revision], []), revision)
        if owner is None:
            yield f"revision {revision} is {journal[revision]!r}, and nobody wrote that"
            continue
        bounds.comes_after(revision, owner.began, owner)
        bounds.comes_until(revision, owner.ended, owner)


def _taken(free: list[Operation], revision: int) -> Operation | None:
    """The earliest write without an answer that may have made a revision."""
    for place, one in enumerate(free):
        if one.expected in {None, revision - 1}:
            return free.pop(place)
    return None


def _placed(bounds: _Bounds, journal: Mapping[int, str]) -> Iterator[str]:
    """Take the earliest moment for each revision; complain where that is too late."""
    now, because = -inf, ""
    for revision in sorted({*journal, *bounds.after, *bounds.until}):
        after, why = bounds.after.get(revision, (-inf, ""))
        if after > now:
            now, because = after, why
        until, other = bounds.until.get(revision, (inf, ""))
        if now > until:
            yield f"revision {revision} is too late for {other}, because of {because}"


def _backwards(history: Iterable[Operation]) -> Iterator[str]:
    """Nodes that showed an earlier revision after a later one."""
    by_node: dict[str, list[Operation]] = {}
    for one in history:
        if one.revision:
            by_node.setdefault(one.node, []).append(one)
    for seen in by_node.values():
        ended = sorted(seen, key=lambda one: one.ended)
        place, newest = 0, ended[0]
        for one in sorted(seen, key=lambda one: one.began):
            while ended[place].ended < one.began:
                newest = max(newest, ended[place], key=lambda one: one.revision)
                place += 1
            if newest.ended < one.began and newest.revision > one.revision:
                yield f"{one}: the same node had answered {newest}"
