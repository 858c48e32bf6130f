"""What both versions of a rollout answered since a step began, counted from marks.

A mark is what had been answered when the step began here. A process that starts in the middle of a
step has none, makes one, and thereby begins the step again: it is held longer, never shorter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.observe import Interval, Observer
from gateway.rollout.judging import Counts, Seen
from gateway.rollout.rollout import Rollout

DRAWN: Final = frozenset(("main", "weight", "sticky"))
"""Reasons of requests that the draw decided; those of rules compare nothing."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """What had been answered when a step began.

    Attributes:
        step: Which step of which run: its number, and when it began.
        at: When the mark was made, in seconds of the monotonic clock.
        old, new: What the versions had answered.
    """

    step: tuple[int, float]
    at: float
    old: Interval
    new: Interval


class Watching:
    """Counts for rollouts.

    Args:
        observer: Has the counts.
        now: Seconds of the monotonic clock.
    """

    def __init__(self, observer: Observer, now: Callable[[], float]) -> None:
        self._observer = observer
        self._now = now
        self._marks: dict[str, _Mark] = {}

    def begin(self, rollout: Rollout) -> None:
        """A step begins now."""
        old, new = self._answered(rollout)
        step = rollout.step, rollout.since
        self._marks[rollout.id] = _Mark(step, self._now(), old, new)

    def seen(self, rollout: Rollout) -> Seen:
        """What was answered since the step began."""
        mark = self._marks.get(rollout.id)
        if mark is None or mark.step != (rollout.step, rollout.since):
            self.begin(rollout)
            mark = self._marks[rollout.id]
        old, new = self._answered(rollout)
        seconds = self._now() - mark.at
        return Seen(_since(old, mark.old), _since(new, mark.new), seconds)

    def whole(self, rollout: Rollout) -> Interval:
        """Everything that the old version answered since the start of this process."""
        return self._answered(rollout)[0]

    def forget(self, rollout_id: str) -> None:
        """A rollout has ended."""
        self._marks.pop(rollout_id, None)

    def _answered(self, rollout: Rollout) -> tuple[Interval, Interval]:
        plan = rollout.plan
        return self._by(plan.function, plan.alias, rollout.base.version), self._by(
            plan.function, plan.alias, plan.to
        )

    def _by(self, function: str, alias: str, version: str) -> Interval:
        self._observer.settle()
        found = Interval()
        for label in self._observer.series.labels():
            ours = (label.function, label.qualifier, label.version) == (function, alias, version)
            if ours and label.reason in DRAWN:
                found.merge(self._observer.series.whole(label))
        return found


def _since(now: Interval, mark: Interval) -> Counts:
    return Counts(
        now.requests - mark.requests,
        now.failed - mark.failed,
        now.latency.without(mark.latency),
    )
