"""Counters of answers: exact from the moment an answer is out, and never reset while serving."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple


class Label(NamedTuple):
    """What an answer is counted under; empty where a request got no further.

    Attributes:
        stage: The stage's own name.
        function: The function's name.
        qualifier: What the API names: an alias, a version or `$LATEST`.
        version: The version that answered.
        reason: Why that version.
    """

    stage: str = ""
    function: str = ""
    qualifier: str = ""
    version: str = ""
    reason: str = ""


class Seen(NamedTuple):
    """What one version answered.

    Attributes:
        requests: Every answer.
        errors: Answers with a function status code (430 and above) or a server error, and those
            that were malformed or too large.
    """

    requests: int = 0
    errors: int = 0


class Tally(NamedTuple):
    """What one version answered in one stage.

    Attributes:
        requests: Every answer.
        throttled: Answers to requests that came too fast, or too many at a time.
        kinds: Answers that were errors, by kind.
    """

    requests: int
    throttled: int
    kinds: dict[str, int]

    @property
    def errors(self) -> int:
        """Answers that were errors of any kind."""
        return sum(self.kinds.values())


Whose = tuple[str, str, str, str]
"""Stage, function, qualifier and version: a label without its reason."""

ERRORS_FROM: Final = 430
"""The lowest function status code; with those and the server errors a version failed."""

TOO_LARGE: Final = 407
"""What the gateway answers in place of an answer that is too large."""

THROTTLED: Final = frozenset((429, 432))
"""Statuses of requests that came too fast, or too many at a time."""

_KINDS: Final = {
    TOO_LARGE: "too-large",
    430: "exception",
    432: "throttled",
    433: "timeout",
    434: "memory",
    439: "exit",
    499: "caller-gone",
}


class Cell:
    """The answers of one label by HTTP status; whoever answers looks it up once and keeps it.

    Attributes:
        label: What is counted here.
        malformed: Whether these are answers that had no usable form: their status, 403, is one
            that a function may mean.
        statuses: Answers by HTTP status.
    """

    __slots__ = ("label", "malformed", "statuses")

    def __init__(self, label: Label, *, malformed: bool = False) -> None:
        self.label = label
        self.malformed = malformed
        self.statuses: dict[int, int] = {}

    def count(self, status: int) -> None:
        """Count one answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def kind(self, status: int) -> str:
        """The kind of error that an answer is; empty where it is none."""
        if self.malformed:
            return "malformed"
        if status < ERRORS_FROM and status != TOO_LARGE:
            return ""
        return _KINDS.get(status, "server" if status >= 500 else "function")


class Counters:
    """Counts answers by label and HTTP status."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells: dict[tuple[Label, bool], Cell] = {}

    def cell(self, label: Label, *, malformed: bool = False) -> Cell:
        """Where the answers of a label are counted."""
        known = self._cells.get((label, malformed))
        if known is None:
            known = self._cells[label, malformed] = Cell(label, malformed=malformed)
        return known

    def cells(self) -> list[Cell]:
        """Every cell in which something was counted, ordered by label."""
        used = [cell for cell in self._cells.values() if cell.statuses]
        return sorted(used, key=lambda cell: (cell.label, cell.malformed))

    def total(self) -> int:
        """Every answer so far."""
        return sum(sum(cell.statuses.values()) for cell in self._cells.values())

    def by_version(self) -> dict[tuple[str, str, str], dict[str, Seen]]:
        """What each version answered, by stage, function and qualifier."""
        table: dict[tuple[str, str, str], dict[str, Seen]] = {}
        for (*owner, version), tally in self.tallies().items():
            versions = table.setdefault((owner[0], owner[1], owner[2]), {})
            versions[version] = Seen(tally.requests, tally.errors)
        return table

    def tallies(self) -> dict[Whose, Tally]:
        """What each version answered in each stage, whatever the reason, ordered by label."""
        found: dict[Whose, Tally] = {}
        for cell in self.cells():
            if not cell.label.version:
                continue
            requests, throttled, kinds = found.get(cell.label[:4], Tally(0, 0, {}))
            for status, number in cell.statuses.items():
                kind = cell.kind(status)
                requests += number
                throttled += number if status in THROTTLED else 0
                if kind:
                    kinds[kind] = kinds.get(kind, 0) + number
            found[cell.label[:4]] = Tally(requests, throttled, kinds)
        return found

    @classmethod
    def together(cls, several: Iterable[Counters]) -> Counters:
        """Counters that have counted what several have, each for itself."""
        found = cls()
        for counters in several:
            for one in counters.cells():
                statuses = found.cell(one.label, malformed=one.malformed).statuses
                for status, number in one.statuses.items():
                    statuses[status] = statuses.get(status, 0) + number
        return found
