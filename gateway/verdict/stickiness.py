"""Which key was on which version, collected in bounded memory and merged without any loss.

Of more keys than it may hold, a collector keeps those whose digests are the smallest (the bottom-k
sample of E. Cohen and H. Kaplan, "Summarizing Data Using Bottom-k Sketches", PODC 2007). The
digest knows nothing of versions, so that what is kept is a fair sample of the keys. A key
that is among the smallest of all was so at every moment and in every process: each key that is
kept has all of its requests, and collectors that are merged hold what one alone would hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from heapq import heappush, heappushpop
from typing import Any, Final

LIMIT: Final = 100_000
"""Keys that are kept, unless told otherwise: about 50 MB, and enough to see one point."""

LONGEST: Final = 200
"""Longer keys, in characters, are kept as their beginning and a digest."""


class Stickiness:
    """Requests by key and version, within one revision.

    Memory is bounded: at most `limit` keys of at most `LONGEST` characters are kept, each with one
    number for every version that it was on.

    Args:
        limit: How many keys are kept, 1 or more.

    Attributes:
        requests: How many requests were seen, those of keys that are not kept included.
        complete: Whether every key that was seen is kept.
    """

    __slots__ = ("_limit", "_ranks", "_sightings", "complete", "requests")

    def __init__(self, limit: int = LIMIT) -> None:
        if limit < 1:
            raise ValueError(f"limit is {limit!r}; allowed is a whole number, 1 or more")
        self._limit = limit
        self._ranks: list[tuple[int, str]] = []  # a heap; the greatest digest, negated, is on top
        self._sightings: dict[str, dict[str, int]] = {}
        self.requests = 0
        self.complete = True

    def __len__(self) -> int:
        """How many keys are kept."""
        return len(self._sightings)

    @property
    def limit(self) -> int:
        """How many keys are kept at most."""
        return self._limit

    @property
    def sightings(self) -> Mapping[str, Mapping[str, int]]:
        """Requests by key and version, as `judge_sticky` takes them."""
        return self._sightings

    def see(self, key: str, version: str, times: int = 1) -> None:
        """Count requests of a key that a version answered.

        Args:
            key: The value of the sticky key.
            version: The version.
            times: How many requests.
        """
        self.requests += times
        if len(key) > LONGEST:
            key = f"{key[: LONGEST - 33]}~{_digest(key, 16):032x}"
        counts = self._sightings.get(key)
        if counts is None:
            counts = self._enter(key)
        if counts is not None:
            counts[version] = counts.get(version, 0) + times

    def merge(self, other: Stickiness) -> None:
        """Count everything that another collector has counted, too; the lower limit holds."""
        requests = self.requests + other.requests
        self._limit = min(self._limit, other.limit)
        kept = self._ranks
        self._ranks = []
        for rank in sorted(kept, reverse=True)[: self._limit]:
            heappush(self._ranks, rank)
        self.complete = self.complete and other.complete and len(kept) <= self._limit
        self._sightings = {key: self._sightings[key] for _, key in self._ranks}
        for key, counts in other.sightings.items():
            for version, times in counts.items():
                self.see(key, version, times)
        self.requests = requests

    def to_plain(self) -> dict[str, Any]:
        """The collector as JSON can hold it; `from_plain` reads it."""
        return {
            "limit": self._limit,
            "requests": self.requests,
            "complete": self.complete,
            "sightings": {key: dict(counts) for key, counts in self._sightings.items()},
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Stickiness:
        """The collector that `to_plain` told.

        Raises:
            ValueError: It told none like this.
        """
        try:
            found = cls(plain["limit"])
            for key, counts in plain["sightings"].items():
                for version, times in counts.items():
                    if type(times) is not int or times < 1:
                        raise ValueError(times)  # noqa: TRY301 - said in full below
                    found.see(key, version, times)
            requests, complete = int(plain["requests"]), bool(plain["complete"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no collector of keys: {plain!r:.80}") from error
        found.requests, found.complete = requests, found.complete and complete
        return found

    def _enter(self, key: str) -> dict[str, int] | None:
        """The place of a key that is not kept; `None` where it is not among the smallest."""
        rank = (-_digest(key, 8), key)
        if len(self._ranks) < self._limit:
            heappush(self._ranks, rank)
        else:
            self.complete = False
            dropped = heappushpop(self._ranks, rank)
            if dropped == rank:
                return None
            del self._sightings[dropped[1]]
        counts = self._sightings[key] = {}
        return counts


def _digest(key: str, size: int) -> int:
    """A number that only the key settles, in every process."""
    text = key.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=size, person=b"stickiness").digest())
