"""Counts over time in bounded memory: of too many intervals, each becomes twice as long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Final

INTERVALS: Final = 400
"""Intervals at most; a plot shows no more."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What came within some time.

    Attributes:
        begin: Its beginning.
        counts: How often each kind of thing came, by split and version.
    """

    begin: float
    counts: Counter[tuple[str, str]]


class Timeline:
    """What came when: by the time that was told, or by the number where the first told none.

    Attributes:
        width: The length of an interval.
        numbered: Whether moments are numbers of requests, because they have no times.
    """

    def __init__(self) -> None:
        self.width = 1.0
        self.numbered: bool | None = None
        self._counts: dict[int, Counter[tuple[str, str]]] = {}

    def see(self, at: float | None, number: int, split: str, version: str) -> None:
        """Count a request.

        Args:
            at: When it came, if it says so.
            number: Which one it was.
            split: What it belongs to.
            version: Who answered.
        """
        if self.numbered is None:
            self.numbered = at is None
        when = number if self.numbered else at
        if when is not None:
            self.add(when, split, version)

    def add(self, at: float, split: str, version: str, times: int = 1) -> None:
        """Count what came at a moment."""
        place = floor(at / self.width)
        counts = self._counts.get(place)
        if counts is None:
            counts = self._counts[place] = Counter()
        counts[split, version] += times
        while len(self._counts) > INTERVALS:
            self._double()

    def intervals(self) -> Iterator[Interval]:
        """Every interval in which something came, in order."""
        for place in sorted(self._counts):
            yield Interval(place * self.width, self._counts[place])

    def _double(self) -> None:
        self.width *= 2
        merged: dict[int, Counter[tuple[str, str]]] = {}
        for place, counts in self._counts.items():
            merged.setdefault(place // 2, Counter()).update(counts)
        self._counts = merged
