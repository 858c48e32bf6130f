"""Limits of single addresses: a bucket for each that calls, the oldest forgotten first."""

from __future__ import annotations

from typing import Final

from gateway.dataplane.features_limits import Bucket

MOST: Final = 10_000
"""Addresses that are remembered: a limit must not cost any amount of memory."""


class AddressLimit:
    """One limit that every address has for itself.

    Attributes:
        rate: Tokens that one window brings to an address.
        seconds: How long a window is.
    """

    __slots__ = ("_buckets", "rate", "seconds")

    def __init__(self, rate: int, seconds: int) -> None:
        self.rate = rate
        self.seconds = seconds
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, host: str, now: int) -> Bucket:
        """The bucket of an address."""
        known = self._buckets.pop(host, None) or Bucket(self.rate, now, self.seconds)
        self._buckets[host] = known  # it called last now
        if len(self._buckets) > MOST:
            del self._buckets[next(iter(self._buckets))]
        return known


class AddressLimits:
    """Every such limit by name. They outlive snapshots, as the others do."""

    def __init__(self) -> None:
        self._limits: dict[tuple[str, ...], AddressLimit] = {}

    def limit(self, name: tuple[str, ...], rate: int, seconds: int) -> AddressLimit:
        """The limit of a name; a new one where it is another."""
        known = self._limits.get(name)
        if known is None or (known.rate, known.seconds) != (rate, seconds):
            known = self._limits[name] = AddressLimit(rate, seconds)
        return known
