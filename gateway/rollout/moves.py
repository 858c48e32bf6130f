"""What a move of a rollout changes, and when it may not be made; pure."""

from __future__ import annotations

from typing import Any, Final

from gateway.core.changes import Batch, Change, PutAlias, PutResource
from gateway.core.errors import Refused, listed, nearest, refuse
from gateway.core.resources import NONE
from gateway.core.snapshot import Snapshot
from gateway.rollout.plan import Plan, fits
from gateway.rollout.rollout import GROUP, Rollout, read_rollout

KEPT: Final = 20
"""Rollouts that are remembered after their end."""


def stored(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """Every rollout that is remembered, as plain values by id."""
    return {key: dict(raw) for key, raw in snapshot.resources.get(GROUP, NONE).items()}


def begun(plan: Plan, snapshot: Snapshot, now: float) -> Rollout:
    """A new rollout in its first step.

    Raises:
        Refused: It cannot begin.
    """
    function = snapshot.functions.get(plan.function)
    if function is None:
        hint = nearest(plan.function, snapshot.functions)
        refuse("unknown-function", f"there is no function {plan.function!r}", hint)
    alias = function.aliases.get(plan.alias)
    if alias is None:
        hint = nearest(plan.alias, function.aliases)
        known = listed(function.aliases)
        message = f"function {plan.function!r} has no alias {plan.alias!r}; it has {known}"
        refuse("unknown-alias", message, hint)
    problems = fits(plan, alias.route, function.versions)
    if problems:
        raise Refused(problems)
    for key, raw in stored(snapshot).items():
        other = read_rollout(key, raw)
        whose = other.plan.function, other.plan.alias
        if not other.ended and whose == (plan.function, plan.alias):
            message = f"alias {plan.alias!r} is in rollout {key!r}, which is {other.status}"
            refuse("rollout-in-the-way", message, "abort or promote that one first")
    rollout_id = f"{plan.function}-{plan.alias.strip('$')}-{snapshot.revision + 1}"
    return Rollout(rollout_id, plan, alias.route, "running", 0, now, now)


def moving(snapshot: Snapshot, rollout: Rollout) -> Change:
    """The change that puts the alias where the rollout has it now, and remembers the rollout.

    Raises:
        Refused: The alias is gone, and the rollout is to go on.
    """
    plan = rollout.plan
    function = snapshot.functions.get(plan.function)
    alias = function.aliases.get(plan.alias) if function else None
    if alias is not None:
        moved = PutAlias(plan.function, plan.alias, rollout.route, alias.description)
        return Batch((moved, kept(rollout)))
    if rollout.status != "aborted":
        refuse("unknown-alias", f"alias {plan.alias!r} of rollout {rollout.id!r} is gone")
    return kept(rollout)


def kept(rollout: Rollout) -> PutResource:
    """The change that remembers a rollout as it is."""
    return PutResource(GROUP, rollout.id, rollout.to_dict())


def forgotten(snapshot: Snapshot) -> list[str]:
    """Which ended rollouts make room for a new one."""
    ended = [
        (raw["started"], key)
        for key, raw in stored(snapshot).items()
        if read_rollout(key, raw).ended
    ]
    return [key for _, key in sorted(ended, reverse=True)[KEPT - 1 :]]


def disturbed(snapshot: Snapshot, rollout: Rollout) -> str:
    """Why a rollout cannot go on by itself; empty where it can."""
    plan = rollout.plan
    function = snapshot.functions.get(plan.function)
    alias = function.aliases.get(plan.alias) if function else None
    if function is None or alias is None:
        return "the alias is gone"
    if alias.route != rollout.route:
        return "somebody else moved the alias; resume puts it back to this step"
    return ""


def words(rollout: Rollout) -> str:
    """What a move has come to, in one line."""
    if rollout.status == "rolled-back":
        return f"rolled back; {rollout.reason}"
    if rollout.status == "finished":
        return f"finished with everything at {rollout.plan.to}"
    share = rollout.plan.steps[rollout.step]
    return f"step {rollout.step + 1} of {len(rollout.plan.steps)}: {share * 100:g} %"
