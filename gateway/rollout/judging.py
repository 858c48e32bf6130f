"""What is seen in a step, and what every guard says about it; pure.

A guard fails on evidence that may be looked at all the time, so that the stated rate of false
roll-backs holds for the whole rollout: it is shared out over steps and guards. A guard passes when
a rate that is beyond its limit by the tolerance has been ruled out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, exp, log
from typing import Any

from gateway.rollout.guards import Guard
from gateway.rollout.plan import Plan
from gateway.verdict import Outcome, Sketch
from gateway.verdict.guarding import evidence_above, evidence_worse, highest, lowest


@dataclass(frozen=True, slots=True)
class Counts:
    """What one version answered.

    Attributes:
        requests: Every answer.
        errors: Those that were errors.
        latency: From each request's head to its answer's end.
    """

    requests: int = 0
    errors: int = 0
    latency: Sketch = field(default_factory=Sketch)


@dataclass(frozen=True, slots=True)
class Seen:
    """What both versions answered since a step began, as far as the draw decided.

    Attributes:
        old: The version that is being replaced.
        new: The version that replaces it.
        seconds: How long the step has been going on.
    """

    old: Counts
    new: Counts
    seconds: float


@dataclass(frozen=True, slots=True)
class Before:
    """What the old version did before it got less to do.

    Attributes:
        requests: Its answers until the present step.
        errors: Those that were errors.
        limits: Latencies that guards compare with, in seconds, by the text of the guard.
    """

    requests: int = 0
    errors: int = 0
    limits: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"requests": self.requests, "errors": self.errors, "limits": dict(self.limits)}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one guard says.

    Attributes:
        guard: The guard, as it was written.
        outcome: Passed, failed, or undecided.
        sentence: What was seen.
    """

    guard: str
    outcome: Outcome
    sentence: str


def judge(plan: Plan, step: int, seen: Seen, before: Before) -> list[Finding]:
    """What every guard says.

    Args:
        plan: The plan.
        step: Which step is going on, from 0.
        seen: What was answered since it began.
        before: What the old version did before.
    """
    error = plan.false_rollback / (len(plan.steps) * max(1, len(plan.guards)))
    share = plan.steps[step]
    return [_finding(guard, plan, (share, error), (seen, before)) for guard in plan.guards]


def latency_limits(plan: Plan, old: Sketch, known: Mapping[str, float]) -> dict[str, float]:
    """The latencies that guards compare with, once the old version has shown enough of them.

    Args:
        plan: The plan.
        old: Latencies of the old version.
        known: Those that are settled; they stay.
    """
    limits = dict(known)
    for guard in plan.guards:
        if guard.percentile is None or not guard.relative or guard.text in limits:
            continue
        # Ten requests beyond the percentile: fewer would make a limit of chance.
        if old.total >= ceil(round(10 / (1 - guard.percentile), 6)):
            limits[guard.text] = (old.quantile(guard.percentile) or 0.0) * guard.ratio
    return limits


def _finding(
    guard: Guard, plan: Plan, rates: tuple[float, float], known: tuple[Seen, Before]
) -> Finding:
    if guard.percentile is not None:
        return _latency(guard, plan, rates[1], known)
    if guard.limit is not None:
        seen = known[0].new
        return _rate(guard, plan, (seen.errors, seen.requests, guard.limit, rates[1]), "failed")
    return _comparison(guard, plan, rates, known)


def _latency(guard: Guard, plan: Plan, error: float, known: tuple[Seen, Before]) -> Finding:
    seen, before = known
    limit = guard.limit if guard.limit is not None else before.limits.get(guard.text)
    if limit is None:
        return Finding(guard.text, Outcome.UNDECIDED, "the old version has answered too little")
    latency = seen.new.latency
    slow = latency.total - latency.at_most(limit)
    allowed = 1 - (guard.percentile or 0.0)
    what = f"took longer than {limit * 1000:.4g} ms"
    return _rate(guard, plan, (slow, latency.total, allowed, error), what)


def _rate(guard: Guard, plan: Plan, seen: tuple[int, int, float, float], what: str) -> Finding:
    """A rate by itself: bad requests, all requests, the highest rate, the error to be kept."""
    bad, total, limit, error = seen
    found = evidence_above(bad, total, limit)
    said = f"{bad:,} of {total:,} {what}; {_percent(limit)} may"
    if found >= -log(error):
        return Finding(guard.text, Outcome.FAILED, f"{said} (p = {exp(-found):.2g})")
    passed = total > 0 and highest(bad, total, plan.miss) <= limit + plan.tolerance
    return Finding(guard.text, Outcome.PASSED if passed else Outcome.UNDECIDED, said)


def _comparison(
    guard: Guard, plan: Plan, rates: tuple[float, float], known: tuple[Seen, Before]
) -> Finding:
    """The rate of the new version beside that of the old one in the same time."""
    (share, error), (seen, before) = rates, known
    new, old = seen.new, seen.old
    if share == 1:
        # Nothing is left to compare with, but what the old version did before.
        if not before.requests:
            return Finding(guard.text, Outcome.UNDECIDED, "the old version has answered too little")
        limit = min(0.999, highest(before.errors, before.requests, error / 2) * guard.ratio)
        return _rate(guard, plan, (new.errors, new.requests, limit, error / 2), "failed")
    found = evidence_worse(new.errors, old.errors, share, guard.ratio)
    said = (
        f"{new.errors:,} of {new.requests:,} failed, of the old version's"
        f" {old.errors:,} of {old.requests:,}"
    )
    if found >= -log(error):
        return Finding(guard.text, Outcome.FAILED, f"{said} (p = {exp(-found):.2g})")
    best = lowest(old.errors, old.requests, plan.miss / 2) * guard.ratio
    worst = highest(new.errors, new.requests, plan.miss / 2)
    passed = new.requests > 0 and worst <= best + plan.tolerance
    return Finding(guard.text, Outcome.PASSED if passed else Outcome.UNDECIDED, said)


def _percent(rate: float) -> str:
    return f"{rate * 100:.3g} %"
