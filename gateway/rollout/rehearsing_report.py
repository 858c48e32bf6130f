"""Many runs of a rehearsal: how often what happened, each share with an interval that holds it.

Every seed is run four times: with the fault and without it, moved by the guards and by the fixed
rule. All four see the same requests with the same draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final, Literal

from gateway.core.faults import Fault
from gateway.rollout.rehearsing import Ended, Fixed, Guarded, Rule, Run
from gateway.rollout.rehearsing_plan import Rehearsal
from gateway.rollout.rehearsing_traffic import Traffic
from gateway.verdict.intervals import clopper_pearson

CONFIDENCE: Final = 0.95
"""With which an interval holds the true share."""

Outcome = Literal["rolled-back", "finished", "running"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("rolled-back", "finished", "running")


@dataclass(slots=True)
class Tally:
    """Runs of one kind.

    Attributes:
        ended: Every run, in the order of the seeds.
    """

    ended: list[Ended] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        """How many ended so; `running` are those that were given up."""
        return sum(each.rollout.status == outcome for each in self.ended)

    def interval(self, outcome: Outcome) -> tuple[float, float]:
        """The interval of the share that ends so."""
        return clopper_pearson(self.count(outcome), len(self.ended), CONFIDENCE)

    def quantile(self, share: float, read: Callable[[Ended], float], outcome: str = "") -> float:
        """The number that so many runs keep to.

        Args:
            share: Of the runs, above 0.
            read: The number of a run.
            outcome: Only runs that ended so; empty for all.

        Returns:
            The number; 0 where there is no such run.
        """
        found = sorted(read(each) for each in self.ended if outcome in {"", each.rollout.status})
        return found[ceil(share * len(found)) - 1] if found else 0.0

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        told: dict[str, Any] = {"runs": len(self.ended)}
        for outcome in OUTCOMES:
            low, high = self.interval(outcome)
            told[outcome] = {"runs": self.count(outcome), "low": low, "high": high}
        told["seconds"] = self._spread(lambda each: each.seconds)
        told["given"] = self._spread(lambda each: each.given)
        told["hurt"] = self._spread(lambda each: each.hurt)
        told["hurt_users"] = self._spread(lambda each: each.users)
        return told

    def _spread(self, read: Callable[[Ended], float]) -> dict[str, float]:
        shares = {"p50": 0.5, "p95": 0.95, "largest": 1.0}
        return {name: self.quantile(share, read) for name, share in shares.items()}


@dataclass(slots=True)
class Pair:
    """The same runs by both rules.

    Attributes:
        guarded: Moved by the guards.
        fixed: Moved by the fixed rule.
    """

    guarded: Tally = field(default_factory=Tally)
    fixed: Tally = field(default_factory=Tally)

    def add(self, rehearsal: Rehearsal, traffic: Traffic, fault: Fault | None, seed: int) -> None:
        """Run both once more."""

        def ended(rule: Rule) -> Ended:
            return Run(rehearsal, traffic, fault, seed).play(rule)

        self.guarded.ended.append(ended(Guarded()))
        self.fixed.ended.append(ended(Fixed(rehearsal.fixed)))

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {"guards": self.guarded.to_plain(), "fixed": self.fixed.to_plain()}


class Report:
    """What came of a rehearsal.

    Args:
        rehearsal: What was rehearsed.
        traffic: On which traffic.
        seed: The seed of the first run; each further one has the next.

    Attributes:
        faulty: Runs with the fault; nothing where there is none.
        equal: Runs in which the new version behaves like the old one.
    """

    def __init__(self, rehearsal: Rehearsal, traffic: Traffic, seed: int) -> None:
        self.rehearsal = rehearsal
        self.traffic = traffic
        self.seed = seed
        self.faulty: Pair | None = None if rehearsal.fault is None else Pair()
        self.equal = Pair()

    def run(self, runs: int, tell: Callable[[int], None]) -> None:
        """Run it so often.

        Args:
            runs: How often.
            tell: Is given the number of runs that have ended, after each.
        """
        for number in range(runs):
            seed = self.seed + number
            if self.faulty is not None:
                self.faulty.add(self.rehearsal, self.traffic, self.rehearsal.fault, seed)
            self.equal.add(self.rehearsal, self.traffic, None, seed)
            tell(number + 1)

    @property
    def runs(self) -> int:
        """How many runs of each kind there were."""
        return len(self.equal.guarded.ended)

    @property
    def first(self) -> Ended:
        """The first run by the guards, with the fault where there is one."""
        return (self.faulty or self.equal).guarded.ended[0]

    @property
    def stated(self) -> bool:
        """Whether roll-backs of equal versions may well be as rare as the plan states."""
        return (
            self.equal.guarded.interval("rolled-back")[0]
            <= self.rehearsal.rollout.plan.false_rollback
        )

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        rehearsal, traffic = self.rehearsal, self.traffic
        fixed = rehearsal.fixed
        return {
            "plan": {**rehearsal.rollout.plan.to_dict(), "from": rehearsal.rollout.base.version},
            "fault": None if rehearsal.fault is None else rehearsal.fault.to_dict(),
            "old": rehearsal.old.to_dict(),
            "fixed": {"errors": fixed.errors, "window": fixed.window},
            "traffic": {
                "requests": len(traffic.times),
                "users": traffic.known,
                "seconds": traffic.lasts,
                "rate": traffic.rate,
                "before": rehearsal.playing.before,
                "longest": rehearsal.playing.longest,
            },
            "runs": self.runs,
            "seed": self.seed,
            "confidence": CONFIDENCE,
            "faulty": None if self.faulty is None else self.faulty.to_plain(),
            "equal": self.equal.to_plain(),
            "first": _first(self.first),
        }


def _first(ended: Ended) -> dict[str, Any]:
    rollout = ended.rollout
    return {
        "status": rollout.status,
        "step": rollout.step,
        "reason": rollout.reason,
        "seconds": ended.seconds,
        "given": ended.given,
        "hurt": ended.hurt,
        "hurt_users": ended.users,
    }
