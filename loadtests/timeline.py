"""Answers by second, stage and version, in bounded memory; timelines add up without loss; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from typing import Any, Final

LONGEST: Final = 3_600
"""Entries that are kept; a longer run has wider ones, of two seconds, of four, and so on."""


class Timeline:
    """Counts by the second in which an answer came.

    Attributes:
        width: The seconds of one entry; a power of two.
    """

    __slots__ = ("_counts", "width")

    def __init__(self) -> None:
        self.width = 1
        self._counts: Counter[tuple[int, str, str]] = Counter()

    def count(self, seconds: float, stage: str, version: str) -> None:
        """Count one answer.

        Args:
            seconds: When it came, since the start.
            stage: The stage.
            version: The version.
        """
        entry = int(seconds) // self.width
        if entry >= LONGEST:
            self._widen(self.width * 2)
            self.count(seconds, stage, version)
            return
        self._counts[entry, stage, version] += 1

    def merge(self, other: Timeline) -> None:
        """Add what another process has counted; the wider entries hold."""
        self._widen(max(self.width, other.width))
        scale = self.width // other.width
        for (entry, stage, version), count in other._counts.items():
            self._counts[entry // scale, stage, version] += count

    def _widen(self, width: int) -> None:
        scale = width // self.width
        if scale > 1:
            narrow, self._counts, self.width = self._counts, Counter(), width
            for (entry, stage, version), count in narrow.items():
                self._counts[entry // scale, stage, version] += count

    def entries(self) -> list[dict[str, Any]]:
        """Everything in order of time, for programs: entries in which nothing came are left out."""
        told = []
        for entry, group in groupby(sorted(self._counts.items()), key=lambda item: item[0][0]):
            stages: dict[str, dict[str, int]] = {}
            for (_, stage, version), count in group:
                stages.setdefault(stage, {})[version] = count
            told.append({"second": entry * self.width, "seconds": self.width, "stages": stages})
        return told

    def to_data(self) -> dict[str, Any]:
        """Return everything as values that JSON and MessagePack know."""
        return {
            "width": self.width,
            "counts": [[*place, count] for place, count in self._counts.items()],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Timeline:
        """Read what `to_data` wrote."""
        timeline = cls()
        timeline.width = data["width"]
        for entry, stage, version, count in data["counts"]:
            timeline._counts[entry, stage, version] = count
        return timeline
