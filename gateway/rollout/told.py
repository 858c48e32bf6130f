"""A rollout as it is told: what is planned, what is seen, and what the guards say about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.rollout.controller import Rollouts
from gateway.rollout.judging import Counts, Finding, Seen
from gateway.rollout.rollout import Rollout


def rollout_plain(rollout: Rollout, seen: Seen, findings: Sequence[Finding]) -> dict[str, Any]:
    """Everything about a rollout as JSON values; times are seconds since 1970."""
    plan = rollout.plan
    back = rollout.status in {"aborted", "rolled-back"}
    return {
        "id": rollout.id,
        **plan.to_dict(),
        "from": rollout.base.version,
        "status": rollout.status,
        "step": rollout.step,
        "share": 0.0 if back else plan.steps[rollout.step],
        "started": rollout.started,
        "since": rollout.since,
        "reason": rollout.reason,
        "held": 0.0 if rollout.ended else seen.seconds,
        "seen": {"old": _counts(seen.old), "new": _counts(seen.new)},
        "findings": [
            {"guard": each.guard, "outcome": each.outcome.value, "sentence": each.sentence}
            for each in findings
        ],
    }


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "requests": counts.requests,
        "errors": counts.errors,
        "p50": counts.latency.quantile(0.5),
        "p99": counts.latency.quantile(0.99),
    }


class Desk:
    """Asks the controller, and tells in JSON values; what pages, REST and commands talk to.

    Args:
        rollouts: The controller.
    """

    def __init__(self, rollouts: Rollouts) -> None:
        self._rollouts = rollouts

    def listed(self) -> list[dict[str, Any]]:
        """Every rollout that is remembered, the newest first."""
        return [self._plain(rollout) for rollout in self._rollouts.all()]

    def one(self, rollout_id: str) -> dict[str, Any] | None:
        """One rollout; `None` where none has that id."""
        rollout = self._rollouts.get(rollout_id)
        return None if rollout is None else self._plain(rollout)

    async def start(self, raw: object, who: str, expected: int | None = None) -> dict[str, Any]:
        """Begin a rollout; see `Rollouts.start`."""
        return self._plain(await self._rollouts.start(raw, who, expected))

    async def act(
        self, rollout_id: str, verb: str, who: str, expected: int | None = None
    ) -> dict[str, Any]:
        """Pause, resume, promote or abort; see `Rollouts.act`."""
        return self._plain(await self._rollouts.act(rollout_id, verb, who, expected))

    def _plain(self, rollout: Rollout) -> dict[str, Any]:
        if rollout.ended:
            return rollout_plain(rollout, Seen(Counts(), Counts(), 0.0), ())
        return rollout_plain(rollout, *self._rollouts.found(rollout))
