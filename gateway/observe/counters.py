"""Counters of answers: one dictionary increment a request, after the answer is out."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple


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

    def by_version(self) -> dict[tuple[str, str, str], Counter[str]]:
        """Versions with their answers, by stage, function and qualifier."""
        table: dict[tuple[str, str, str], Counter[str]] = {}
        for (label, _status), count in sorted(self._counts.items()):
            if label.version:
                table.setdefault(label[:3], Counter())[label.version] += count
        return table
