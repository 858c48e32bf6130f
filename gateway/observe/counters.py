"""Counters of answers: one dictionary increment a request, after the answer is out."""

from __future__ import annotations

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
        errors: Answers with a function status code (430 and above) or a server error.
    """

    requests: int = 0
    errors: int = 0


ERRORS_FROM: Final = 430
"""The lowest status that counts against a version; those below are the caller's mistakes."""


class Counters:
    """Counts answers by label and HTTP status."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[tuple[Label, int], int] = {}

    def answered(self, label: Label, status: int) -> None:
        """Count one answer."""
        key = (label, status)
        self._counts[key] = self._counts.get(key, 0) + 1

    def total(self) -> int:
        """Every answer so far."""
        return sum(self._counts.values())

    def by_version(self) -> dict[tuple[str, str, str], dict[str, Seen]]:
        """What each version answered, by stage, function and qualifier."""
        table: dict[tuple[str, str, str], dict[str, Seen]] = {}
        for (label, status), count in sorted(self._counts.items()):
            if label.version:
                versions = table.setdefault(label[:3], {})
                seen = versions.get(label.version, Seen())
                errors = count if status >= ERRORS_FROM else 0
                versions[label.version] = Seen(seen.requests + count, seen.errors + errors)
        return table
