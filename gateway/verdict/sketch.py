"""Quantiles of many positive numbers, such as latencies, in little memory and with a stated error.

The sketch is DDSketch (Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch
with relative-error guarantees", VLDB 2019): a number is counted in the bucket whose bounds are
powers of a base, so that every quantile is within `RELATIVE_ERROR` of the number that has that
rank. Sketches of several processes are added up bucket by bucket, in any order, without any loss.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import ceil, isfinite, log
from types import MappingProxyType
from typing import Any, Final

RELATIVE_ERROR: Final = 0.01
"""How far a quantile may be from the number that has its rank, as a share of that number."""

SMALLEST: Final = 1e-6
"""Numbers up to this one are counted together, and told as 0: a microsecond."""

LARGEST: Final = 1e6
"""Numbers above this one are counted as this one."""

_BASE: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_PER_LOG: Final = 1 / log(_BASE)
_ZERO: Final = ceil(log(SMALLEST) * _PER_LOG) - 1
"""The bucket of what is told as 0."""


class Sketch:
    """Counts of numbers, by bucket.

    At most about 1,400 buckets, whatever is counted.

    Args:
        counts: Counts by bucket of another sketch, to go on from.
        total: The sum of its numbers.
        largest: Its largest number.

    Attributes:
        counts: Counts by bucket.
        sum: The sum of everything that was counted.
        largest: The largest number that was counted, exactly.
    """

    __slots__ = ("counts", "largest", "sum")

    def __init__(
        self,
        counts: Mapping[int, int] = MappingProxyType({}),
        total: float = 0.0,
        largest: float = 0.0,
    ) -> None:
        self.counts = dict(counts)
        self.sum = total
        self.largest = largest

    @property
    def total(self) -> int:
        """How many numbers were counted."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """The mean of what was counted; `None` for nothing."""
        total = self.total
        return self.sum / total if total else None

    def add(self, value: float, times: int = 1) -> None:
        """Count a number.

        Args:
            value: The number; those below 0 count as 0.
            times: How often.
        """
        bucket = ceil(log(min(LARGEST, value)) * _PER_LOG) if value > SMALLEST else _ZERO
        self.counts[bucket] = self.counts.get(bucket, 0) + times
        if value > 0:
            self.sum += value * times
            self.largest = max(self.largest, value)

    def extend(self, values: Sequence[float]) -> None:
        """Count many numbers; in less time than one by one."""
        counts, get, total = self.counts, self.counts.get, 0.0
        for value in values:
            if SMALLEST < value <= LARGEST:
                bucket = ceil(log(value) * _PER_LOG)
                counts[bucket] = get(bucket, 0) + 1
                total += value
            else:
                self.add(value)
        self.sum += total
        self.largest = max(self.largest, max(values, default=0.0))

    def at_most(self, value: float) -> int:
        """How many numbers were at most this one, give or take `RELATIVE_ERROR` of it."""
        last = _bucket(value)
        return sum(count for bucket, count in self.counts.items() if bucket <= last)

    def merge(self, other: Sketch) -> None:
        """Count everything that another sketch has counted, too."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.sum += other.sum
        self.largest = max(self.largest, other.largest)

    def without(self, earlier: Sketch) -> Sketch:
        """What was counted since an earlier state of this sketch; its largest stays this one's."""
        counts = {
            bucket: count - earlier.counts.get(bucket, 0) for bucket, count in self.counts.items()
        }
        kept = {bucket: count for bucket, count in counts.items() if count > 0}
        return Sketch(kept, max(0.0, self.sum - earlier.sum), self.largest)

    def quantile(self, share: float) -> float | None:
        """The number that has at least this share of all numbers at or below it.

        Args:
            share: From 0 to 1; 0.5 is the median.

        Returns:
            The number, within `RELATIVE_ERROR`; `None` where nothing was counted.

        Raises:
            ValueError: The share is not within 0 and 1.
        """
        return self.quantiles((share,))[0]

    def quantiles(self, shares: Iterable[float]) -> list[float | None]:
        """Several quantiles at once, in the order asked for.

        Raises:
            ValueError: A share is not within 0 and 1.
        """
        ordered = sorted(self.counts)
        ranks = list(accumulate(self.counts[bucket] for bucket in ordered))
        found: list[float | None] = []
        for share in shares:
            if not 0 <= share <= 1:
                raise ValueError(f"{share!r} is no share; it must be within 0 and 1")
            if not ranks:
                found.append(None)
                continue
            bucket = ordered[bisect_left(ranks, max(1, ceil(share * ranks[-1])))]
            found.append(min(_middle(bucket), self.largest))
        return found

    def to_plain(self) -> dict[str, Any]:
        """The sketch as JSON can hold it; `from_plain` reads it."""
        counts = {str(bucket): self.counts[bucket] for bucket in sorted(self.counts)}
        return {"counts": counts, "sum": self.sum, "largest": self.largest}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Sketch:
        """The sketch that `to_plain` told.

        Raises:
            ValueError: It told none like this.
        """
        try:
            counts = {int(bucket): count for bucket, count in plain["counts"].items()}
            numbers = float(plain["sum"]), float(plain["largest"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no sketch: {plain!r:.80}") from error
        whole = all(type(count) is int and count > 0 for count in counts.values())
        if not whole or not all(isfinite(number) and number >= 0 for number in numbers):
            raise ValueError(f"this is no sketch: {plain!r:.80}")
        return cls(counts, *numbers)


def _bucket(value: float) -> int:
    """The bucket of a number; `add` has this for itself, because it is called so often."""
    return ceil(log(min(LARGEST, value)) * _PER_LOG) if value > SMALLEST else _ZERO


def _middle(bucket: int) -> float:
    """The number that is as far from the lower as from the upper bound, as a share of each."""
    return 0.0 if bucket <= _ZERO else 2 * _BASE**bucket / (_BASE + 1)
