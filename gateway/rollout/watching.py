"""What both versions of a rollout answered since a step began, whichever process answered it.

A step begins with the revision that made it: what requests that saw it, or a later one, were
answered counts, and nothing that was still under way before, however late it is heard of. A process
that starts in the middle of a step does not know what was seen, and thereby begins the step again:
it is held longer, never shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.observe import Interval, Observer, Portion
from gateway.rollout.judging import Counts, Seen
from gateway.rollout.rollout import Rollout
from gateway.verdict.sketch import Sketch

DRAWN: Final = frozenset(("main", "weight", "sticky"))
"""Reasons of requests that the draw decided; those of rules compare nothing."""


@dataclass(slots=True)
class _Mark:
    """What was answered since a step began.

    Attributes:
        step: Which step of which run: its number, and when it began.
        at: When the mark was made, in seconds of the monotonic clock.
        revision: The live revision then.
        alias: The function and the alias.
        versions: What each of both versions answered, the old one first.
    """

    step: tuple[int, float]
    at: float
    revision: int
    alias: tuple[str, str]
    versions: dict[str, Interval] = field(default_factory=dict)


class Watching:
    """Counts for rollouts.

    Args:
        observer: Tells what is answered.
        revision: The live revision.
        now: Seconds of the monotonic clock.
    """

    def __init__(
        self, observer: Observer, revision: Callable[[], int], now: Callable[[], float]
    ) -> None:
        self._observer = observer
        self._revision = revision
        self._now = now
        self._marks: dict[str, _Mark] = {}
        observer.sinks.append(self.take)

    def begin(self, rollout: Rollout) -> None:
        """A step begins now."""
        plan, step = rollout.plan, (rollout.step, rollout.since)
        alias, both = (plan.function, plan.alias), (rollout.base.version, plan.to)
        mark = _Mark(
            step, self._now(), self._revision(), alias, {name: Interval() for name in both}
        )
        self._marks[rollout.id] = mark

    def take(self, found: Sequence[Portion]) -> None:
        """Count answers; a sink of the observer."""
        for mark in self._marks.values():
            for label, revision, _, interval in found:
                if revision >= mark.revision and label[1:3] == mark.alias and label.reason in DRAWN:
                    seen = mark.versions.get(label.version)
                    if seen is not None:
                        seen.merge(interval)

    def seen(self, rollout: Rollout) -> Seen:
        """What was answered since the step began."""
        self._observer.settle()
        mark = self._marks.get(rollout.id)
        if mark is None or mark.step != (rollout.step, rollout.since):
            self.begin(rollout)
            mark = self._marks[rollout.id]
        old, new = (_counts(each) for each in mark.versions.values())
        return Seen(old, new, self._now() - mark.at)

    def whole(self, rollout: Rollout) -> Interval:
        """Everything that the old version answered, as far as this process knows."""
        plan = rollout.plan
        self._observer.settle()
        wanted, found = (plan.function, plan.alias, rollout.base.version), Interval()
        for label in self._observer.series.labels():
            if label[1:4] == wanted and label.reason in DRAWN:
                found.merge(self._observer.series.whole(label))
        return found

    def forget(self, rollout_id: str) -> None:
        """A rollout has ended."""
        self._marks.pop(rollout_id, None)


def _counts(interval: Interval) -> Counts:
    latency = Sketch(interval.latency.counts, interval.latency.sum, interval.latency.largest)
    return Counts(interval.requests, interval.failed, latency)
