"""What happened when: counts and latencies by time, in bounded memory however long it takes.

Time is cut into slices of equal width. Where there would be more than `SLICES` of them, two
neighbours become one, and the width doubles. Timelines of several processes are added up at the
coarser width, without loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.verdict.sketch import Sketch

SLICES: Final = 600
"""How many slices there are at most."""

FINEST: Final = 0.125
"""Seconds of a slice in the beginning."""

Key = tuple[str, ...]
"""What is told apart: a stage, a stage and a version."""


class Timeline:
    """Counts by slice and key, with a sketch of what was measured where there was anything.

    Attributes:
        width: Seconds of a slice.
    """

    def __init__(self, width: float = FINEST) -> None:
        self.width = width
        self._slices: dict[int, dict[Key, Sketch]] = {}

    def add(self, when: float, key: Key, value: float) -> None:
        """Count something that happened at a time, and what was measured of it."""
        while when >= SLICES * self.width:
            self._widen()
        keys = self._slices.setdefault(max(0, int(when / self.width)), {})
        sketch = keys.get(key)
        if sketch is None:
            sketch = keys[key] = Sketch()
        sketch.add(value)

    def merge(self, other: Timeline) -> None:
        """Count everything that another timeline has counted, too."""
        while self.width < other.width:
            self._widen()
        factor = round(self.width / other.width)
        for place, keys in other._slices.items():
            _pour(self._slices.setdefault(place // factor, {}), keys)

    def keys(self) -> list[Key]:
        """Every key, in order."""
        return sorted({key for keys in self._slices.values() for key in keys})

    def row(self, key: Key) -> Iterator[tuple[float, Sketch]]:
        """The slices of a key from the first to the last of all, each with where it begins."""
        if self._slices:
            for place in range(min(self._slices), max(self._slices) + 1):
                yield place * self.width, self._slices.get(place, {}).get(key) or Sketch()

    def to_plain(self) -> dict[str, Any]:
        """The timeline as JSON can hold it; `from_plain` reads it."""
        slices = [
            [place, list(key), sketch.to_plain()]
            for place, keys in sorted(self._slices.items())
            for key, sketch in sorted(keys.items(), key=lambda pair: pair[0])
        ]
        return {"width": self.width, "slices": slices}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Timeline:
        """The timeline that `to_plain` told."""
        timeline = cls(float(plain["width"]))
        for place, key, sketch in plain["slices"]:
            keys = timeline._slices.setdefault(int(place), {})
            keys[tuple(key)] = Sketch.from_plain(sketch)
        return timeline

    def _widen(self) -> None:
        finer, self._slices = self._slices, {}
        self.width *= 2
        for place, keys in finer.items():
            _pour(self._slices.setdefault(place // 2, {}), keys)


def _pour(into: dict[Key, Sketch], keys: Mapping[Key, Sketch]) -> None:
    for key, sketch in keys.items():
        known = into.get(key)
        if known is None:
            known = into[key] = Sketch()
        known.merge(sketch)
