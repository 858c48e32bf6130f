"""One rollout and its moves; pure. Nothing moves twice, and no step is ever skipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast

from gateway.core.alias import Route, parse_route
from gateway.core.errors import refuse
from gateway.core.typed import one_of, typed
from gateway.rollout.judging import Before, Finding, Seen
from gateway.rollout.plan import Plan, parse_plan
from gateway.verdict import Outcome

Status = Literal["running", "paused", "finished", "aborted", "rolled-back"]
STATUSES: Final[tuple[Status, ...]] = ("running", "paused", "finished", "aborted", "rolled-back")
ENDED: Final = frozenset(("finished", "aborted", "rolled-back"))

GROUP: Final = "rollouts"
"""What the journal calls rollouts among its resources."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout at one moment.

    Attributes:
        id: Its id.
        plan: What is to happen.
        base: Where the alias led before.
        status: What it does.
        step: The step that goes on, or went on last, from 0.
        since: When that step began, in seconds since 1970.
        started: When the first one began.
        reason: Why it is paused, or has ended; empty while it runs.
        before: What the old version did before the step.
    """

    id: str
    plan: Plan
    base: Route
    status: Status
    step: int
    since: float
    started: float
    reason: str = ""
    before: Before = field(default_factory=Before)

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more."""
        return self.status in ENDED

    @property
    def route(self) -> Route:
        """Where the alias should lead now."""
        step = -1 if self.status in {"aborted", "rolled-back"} else self.step
        return self.plan.route(self.base, step)

    def to_dict(self) -> dict[str, Any]:
        """The rollout as plain values; `read_rollout` reads them."""
        return {
            "plan": self.plan.to_dict(),
            "base": self.base.to_dict(),
            "status": self.status,
            "step": self.step,
            "since": self.since,
            "started": self.started,
            "reason": self.reason,
            "before": self.before.to_dict(),
        }


def read_rollout(rollout_id: str, raw: Mapping[str, Any]) -> Rollout:
    """The rollout that `to_dict` wrote.

    Raises:
        Refused, TypeError, ValueError, KeyError: It wrote none like this.
    """
    plan = parse_plan(raw["plan"])
    base, _ = parse_route(raw["base"], "the route before")
    before = raw["before"]
    limits = {typed(k, str): float(v) for k, v in typed(before["limits"], dict).items()}
    step = typed(raw["step"], int)
    if not 0 <= step < len(plan.steps):
        raise ValueError(f"there is no step {step}")
    return Rollout(
        id=rollout_id,
        plan=plan,
        base=base,
        status=cast("Status", one_of(raw["status"], STATUSES)),
        step=step,
        since=float(raw["since"]),
        started=float(raw["started"]),
        reason=typed(raw["reason"], str),
        before=Before(typed(before["requests"], int), typed(before["errors"], int), limits),
    )


def next_move(
    rollout: Rollout, findings: Sequence[Finding], seen: Seen, now: float
) -> Rollout | None:
    """What becomes of a running rollout; `None` where it goes on as it is.

    Args:
        rollout: The rollout.
        findings: What its guards say about the step.
        seen: What was answered in the step.
        now: Seconds since 1970.
    """
    if rollout.status != "running":
        return None
    failed = [finding for finding in findings if finding.outcome is Outcome.FAILED]
    if failed:
        reason = "; ".join(f"{finding.guard}: {finding.sentence}" for finding in failed)
        return replace(rollout, status="rolled-back", reason=reason, since=now)
    plan = rollout.plan
    if seen.seconds < plan.every or seen.new.requests < plan.requests:
        return None
    decided = all(finding.outcome is Outcome.PASSED for finding in findings)
    if not decided and plan.undecided == "wait":
        return None
    return advanced(rollout, seen, now)


def advanced(rollout: Rollout, seen: Seen, now: float) -> Rollout:
    """The rollout in its next step, or at its end after the last one."""
    before = Before(
        rollout.before.requests + seen.old.requests,
        rollout.before.errors + seen.old.errors,
        rollout.before.limits,
    )
    if rollout.step + 1 == len(rollout.plan.steps):
        return replace(rollout, status="finished", since=now, before=before)
    return replace(rollout, step=rollout.step + 1, since=now, before=before)


def asked(rollout: Rollout, verb: str, reason: str, now: float) -> Rollout:
    """The rollout after somebody asked for something.

    Args:
        rollout: The rollout.
        verb: `pause`, `resume`, `promote` (everything to the new version now) or `abort`.
        reason: Who asked, and why.
        now: Seconds since 1970.

    Raises:
        Refused: It cannot do that any more, or does it already.
    """
    if rollout.ended:
        refuse("rollout-ended", f"rollout {rollout.id!r} is {rollout.status}; start another one")
    if verb == "pause":
        if rollout.status == "paused":
            refuse("rollout-paused", f"rollout {rollout.id!r} is paused already")
        return replace(rollout, status="paused", reason=reason)
    if verb == "resume":
        if rollout.status == "running":
            refuse("rollout-running", f"rollout {rollout.id!r} runs already")
        return replace(rollout, status="running", reason="", since=now)
    if verb == "promote":
        last = len(rollout.plan.steps) - 1
        return replace(rollout, status="finished", step=last, reason=reason, since=now)
    return replace(rollout, status="aborted", reason=reason, since=now)
