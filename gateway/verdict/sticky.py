"""A sticky split keeps two promises: no key is ever on two versions, and the keys are shared out.

The share is one of keys, not of requests: a key that comes a thousand times is one draw. A key on
two versions needs no test, a right split has none; what is tested is whether enough keys came more
than once for a split that is not sticky to have shown it. Everything here is about one revision:
when weights move, keys may move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from gateway.verdict.answers import Outcome, Verdict
from gateway.verdict.judge import judge
from gateway.verdict.question import USUAL, Question, checked_count

SHOWN: Final = 5
"""How many of the keys that moved are named."""

STAYED: Final = "one version"
MOVED: Final = "several versions"
"""What keys that came more than once are judged by."""

Sightings = Mapping[str, Mapping[str, int]]
"""Requests by key and version, within one revision."""


@dataclass(frozen=True, slots=True)
class MovedKey:
    """A key that was on several versions within one revision.

    Attributes:
        key: The key.
        counts: Its requests by version.
    """

    key: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StickyVerdict:
    """The answer to whether a split is sticky, and to whether its keys are shared out right.

    Attributes:
        outcome: Failed if either answer is, else undecided if either is, else passed.
        keys: Keys seen.
        repeated: Keys seen more than once; no others can show that they stay.
        moved: The first few keys that were on several versions, by name.
        moved_total: How many there were.
        consistency: Of the repeated keys, those on one version against those on several; the
            tolerance is a share of the repeated keys.
        shares: The share of each version by keys; those on several versions belong to none.
    """

    outcome: Outcome
    keys: int
    repeated: int
    moved: tuple[MovedKey, ...]
    moved_total: int
    consistency: Verdict
    shares: Verdict

    @property
    def consistent(self) -> bool:
        """Whether no key was on several versions."""
        return not self.moved_total

    @property
    def sentence(self) -> str:
        """The verdict in one plain sentence, beginning with the outcome."""
        return f"{self.outcome}: {self.finding}"

    @property
    def finding(self) -> str:
        """What was found, without the outcome."""
        if self.moved_total:
            return self._who_moved()
        of_keys = f"by keys, {_keys(self.shares.finding)}"
        if self.shares.outcome is Outcome.FAILED or self.consistency.outcome is Outcome.PASSED:
            return f"{of_keys}; no key of {self.repeated:,} that came again has moved"
        needed = self.consistency.requests_needed
        return (
            f"{self.repeated:,} keys came again, none has moved; {needed:,} are needed; {of_keys}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON knows."""
        return {
            "outcome": self.outcome.value,
            "keys": self.keys,
            "repeated": self.repeated,
            "moved": [asdict(moved) for moved in self.moved],
            "moved_total": self.moved_total,
            "consistency": self.consistency.to_dict(),
            "shares": self.shares.to_dict(),
            "sentence": self.sentence,
        }

    def _who_moved(self) -> str:
        first = self.moved[0]
        seen = " and ".join(f"{version} ({count:,})" for version, count in first.counts.items())
        others = self.moved_total - 1
        more = f", and so were {others:,} more keys" if others > 1 else ", and so was 1 more key"
        return (
            f"key {first.key!r} was on versions {seen} within one revision"
            f"{more if others else ''}; {self.repeated:,} of {self.keys:,} keys came again"
        )


def judge_sticky(
    sightings: Sightings, expected: Mapping[str, float], *, question: Question = USUAL
) -> StickyVerdict:
    """Answer whether every key stayed on its version, and whether the keys are shared out right.

    The stated false-alarm rate is the share's alone, because keys of a right split never move.

    Args:
        sightings: Requests by key and version, of one function's alias, within one revision.
        expected: Shares by version, which sum to 1.
        question: The tolerance, a share of keys, and the error rates.

    Raises:
        Unjudgeable: A count is no whole number of requests, or the shares are no shares.
    """
    homes, moved, repeated = Counter[str](), [], 0
    for key, counts in sightings.items():
        seen = _seen(key, counts)
        repeated += sum(seen.values()) > 1
        if len(seen) > 1:
            moved.append(MovedKey(key, seen))
        homes.update(seen.keys() if len(seen) == 1 else ())
    stays = {STAYED: repeated - len(moved), MOVED: len(moved)}
    consistency = judge(stays, {STAYED: 1.0}, question=question)
    shares = judge(homes, expected, question=question)
    return StickyVerdict(
        outcome=_worse(consistency.outcome, shares.outcome),
        keys=sum(homes.values()) + len(moved),
        repeated=repeated,
        moved=tuple(sorted(moved, key=lambda one: one.key)[:SHOWN]),
        moved_total=len(moved),
        consistency=consistency,
        shares=shares,
    )


def _seen(key: str, counts: Mapping[str, int]) -> dict[str, int]:
    """The versions that a key was on, in order of their names."""
    checked = {v: checked_count(f'sightings["{key}"]["{v}"]', counts[v]) for v in sorted(counts)}
    return {version: count for version, count in checked.items() if count}


def _worse(*outcomes: Outcome) -> Outcome:
    order = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.PASSED)
    return min(outcomes, key=order.index)


def _keys(finding: str) -> str:
    """A finding about requests, said of keys."""
    return finding.replace("requests", "keys").replace("request", "key")
