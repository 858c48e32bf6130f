"""Guards: what a new version may not do, as people write it: `error_rate>old*1.5`, `p99>250ms`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.core.errors import refuse

ERROR_RATE: Final = "error_rate"

DEFAULT: Final = "error_rate>old"
"""The guard of a rollout that names none: not more failures than the version being replaced."""

_GUARD: Final = re.compile(
    r"\s*(?P<metric>error_rate|p(?P<percentile>[0-9]{1,2}(?:\.[0-9]{1,2})?))\s*>\s*"
    r"(?:(?P<old>old)(?:\s*\*\s*(?P<ratio>[0-9]+(?:\.[0-9]+)?))?"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>%|ms|s)?)\s*"
)
_ALLOWED: Final = (
    "METRIC>LIMIT with the metrics error_rate, p50, p90, p99 (any percentile) and the limits"
    " 0.01, 1%, 250ms, 0.5s, old, old*1.5"
)
MAX_RATIO: Final = 1000.0
MAX_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that a new version may not do.

    Attributes:
        text: As it was written.
        percentile: The share of requests that must be faster, 0.99 for `p99`; `None` where the
            guard is about errors.
        limit: The highest error rate, or the latency in seconds; `None` where the old version's
            is the limit.
        ratio: How many times the old version's is allowed.
    """

    text: str
    percentile: float | None
    limit: float | None
    ratio: float = 1.0

    @property
    def relative(self) -> bool:
        """Whether it compares with the version that is being replaced."""
        return self.limit is None


def parse_guard(text: str) -> Guard:
    """Read a guard.

    Raises:
        Refused: It is none.
    """
    match = _GUARD.fullmatch(text)
    if match is None:
        refuse("bad-guard", f"{text!r} is no guard; allowed: {_ALLOWED}")
    percentile = None if match["percentile"] is None else float(match["percentile"]) / 100
    spelled = re.sub(r"\s", "", text)
    if percentile is not None and not 0 < percentile < 1:
        refuse("bad-guard", f"{text!r} names no percentile; allowed: above 0 and below 100")
    if match["old"]:
        return Guard(spelled, percentile, None, _ratio(text, float(match["ratio"] or 1)))
    limit = float(match["number"])
    if percentile is None:
        return Guard(spelled, None, _rate(text, limit, match["unit"]))
    return Guard(spelled, percentile, _seconds(text, limit, match["unit"]))


def _ratio(text: str, ratio: float) -> float:
    if not 0 < ratio <= MAX_RATIO:
        refuse("bad-guard", f"{text!r} has the factor {ratio:g}; allowed: above 0 to {MAX_RATIO:g}")
    return ratio


def _rate(text: str, limit: float, unit: str | None) -> float:
    if unit not in {None, "%"}:
        refuse("bad-guard", f"{text!r} gives an error rate a time; allowed: 0.01 or 1%")
    rate = limit / 100 if unit else limit
    if not 0 <= rate < 1:
        refuse("bad-guard", f"{text!r} has the error rate {rate:g}; allowed: 0 to below 1")
    return rate


def _seconds(text: str, limit: float, unit: str | None) -> float:
    if unit not in {"ms", "s"}:
        refuse("bad-guard", f"{text!r} gives a latency no unit; allowed: 250ms or 0.5s")
    seconds = limit / 1000 if unit == "ms" else limit
    if not 0 < seconds <= MAX_SECONDS:
        refuse("bad-guard", f"{text!r} has the latency {seconds:g} s; allowed: above 0 to 3600 s")
    return seconds
