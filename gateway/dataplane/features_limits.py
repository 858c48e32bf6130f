"""Limits of requests per second: token buckets, shared by all connections of one process.

The algorithm is the token bucket of RFC 2697 with one rate and one burst: a bucket holds at most
what one second brings, and every request takes one token. Time is in whole nanoseconds and tokens
are counted in them, so nothing is ever rounded.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

_TOKEN: Final = 1_000_000_000


class Bucket:
    """One limit.

    Attributes:
        rate: Tokens that one window brings, and the most that it holds.
        seconds: How long a window is.
    """

    __slots__ = ("_at", "_level", "_token", "rate", "seconds")

    def __init__(self, rate: int, now: int, seconds: int = 1) -> None:
        self.rate = rate
        self.seconds = seconds
        self._token = _TOKEN * seconds
        self._level = rate * self._token
        self._at = now

    def ready(self, now: int) -> bool:
        """Whether there is a token at a time, in nanoseconds; a clock that went back is waited for.

        Several are asked before one is taken from, so that a refusal costs nobody a token.
        """
        if now > self._at:
            most = self.rate * self._token
            self._level = min(most, self._level + (now - self._at) * self.rate)
            self._at = now
        return self._level >= self._token

    def take(self) -> None:
        """Take the token that there is."""
        self._level -= self._token


class Limits:
    """Every bucket by name. They outlive snapshots: an unrelated change must not fill them."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def bucket(self, name: tuple[str, ...], rate: int, now: int, seconds: int = 1) -> Bucket:
        """The bucket of a name; a new one where the limit is another."""
        known = self._buckets.get(name)
        if known is None or (known.rate, known.seconds) != (rate, seconds):
            known = self._buckets[name] = Bucket(rate, now, seconds)
        return known


def admitted(buckets: Collection[Bucket], now: int) -> bool:
    """Whether every limit lets a request through; it takes from all of them, or from none."""
    if not all(bucket.ready(now) for bucket in buckets):
        return False
    for bucket in buckets:
        bucket.take()
    return True
