"""Rollouts by REST: begun, looked at, paused, resumed, promoted, aborted."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from gateway.controlplane.history import moment
from gateway.controlplane.problems import rejected
from gateway.controlplane.rest.answers import Answer
from gateway.controlplane.rest.bodies import Body
from gateway.controlplane.rest.operation import Asked, Operation, Reply
from gateway.controlplane.rolling import Plain


class RolloutBody(Body):
    """A plan; what is not named is as usual."""

    function: str
    alias: str
    to: str = Field(description="The version that the alias moves to.")
    steps: list[float] = Field([0.01, 0.1, 0.5, 1], description="Ascending shares, the last one 1.")
    every: float = Field(60, description="Seconds that each step is held, at least.")
    requests: int = Field(0, description="Answers of the new version in each step, at least.")
    guards: list[str] = Field(
        ["error_rate>old"], examples=[["error_rate>1%", "p99>old*1.5", "p50>250ms"]]
    )
    tolerance: float = Field(0.03, description="How much worse than a limit matters.")
    false_rollback: float = Field(0.01, description="Greatest probability of a false roll-back.")
    miss: float = Field(0.05, description="Greatest probability that a step passes wrongly.")
    undecided: Literal["wait", "advance"] = "wait"


class VersionSeen(Answer):
    """What one version answered in the step that goes on, as far as the draw decided."""

    requests: int
    errors: int
    p50: float | None
    p99: float | None


class BothSeen(Answer):
    """What both versions answered."""

    old: VersionSeen
    new: VersionSeen


class Finding(Answer):
    """What one guard says."""

    guard: str
    outcome: Literal["passed", "failed", "undecided"]
    sentence: str


class Rollout(Answer):
    """A rollout at this moment."""

    id: str
    function: str
    alias: str
    from_: str = Field(alias="from")
    to: str
    status: Literal["running", "paused", "finished", "aborted", "rolled-back"]
    steps: list[float]
    step: int = Field(description="From 0.")
    share: float
    every: float
    requests: int
    guards: list[str]
    tolerance: float
    false_rollback: float
    miss: float
    undecided: Literal["wait", "advance"]
    started: str
    since: str = Field(description="When the step began, or when the rollout ended.")
    held: float = Field(description="Seconds that the step has been watched.")
    reason: str
    seen: BothSeen
    findings: list[Finding]


class MovedRollout(Rollout):
    """A rollout after somebody moved it."""

    revision: int
    changed: bool


class RolloutList(Answer):
    """Every rollout that is remembered, the newest first."""

    rollouts: list[Rollout]


async def list_rollouts(asked: Asked) -> Reply:
    """Every rollout."""
    found = [_told(each) for each in asked.control.rollouts.listed()]
    return Reply({"rollouts": found}, asked.snapshot.revision)


async def get_rollout(asked: Asked) -> Reply:
    """One rollout."""
    found = asked.control.rollouts.one(asked.names["i"])
    if found is None:
        raise rejected(404, "unknown-rollout", f"there is no rollout {asked.names['i']!r}")
    return Reply(_told(found), asked.snapshot.revision)


async def start_rollout(asked: Asked) -> Reply:
    """Begin one."""
    found = await asked.control.rollouts.start(asked.raw, asked.author.who, asked.expected)
    return _moved(asked, found, status=201)


async def pause_rollout(asked: Asked) -> Reply:
    """Stay in this step."""
    return await _act(asked, "pause")


async def resume_rollout(asked: Asked) -> Reply:
    """Begin this step again."""
    return await _act(asked, "resume")


async def promote_rollout(asked: Asked) -> Reply:
    """Everything to the new version, now."""
    return await _act(asked, "promote")


async def abort_rollout(asked: Asked) -> Reply:
    """Everything back to the old version, now."""
    return await _act(asked, "abort")


async def _act(asked: Asked, verb: str) -> Reply:
    found = await asked.control.rollouts.act(
        asked.names["i"], verb, asked.author.who, asked.expected
    )
    return _moved(asked, found)


def _moved(asked: Asked, found: Plain, status: int = 200) -> Reply:
    revision = asked.control.live.snapshot.revision
    return Reply({**_told(found), "revision": revision, "changed": True}, revision, status=status)


def _told(found: Plain) -> Plain:
    return {**found, "started": moment(found["started"]), "since": moment(found["since"])}


_R: Final = "/api/rollouts"
ROLLOUT_OPERATIONS: Final = (
    Operation(
        id="listRollouts",
        method="GET",
        path=_R,
        summary="Every rollout that is remembered, newest first",
        run=list_rollouts,
        answer=RolloutList,
    ),
    Operation(
        id="startRollout",
        method="POST",
        path=_R,
        summary="Move an alias to another version step by step, watched",
        run=start_rollout,
        answer=MovedRollout,
        status=201,
        body=RolloutBody,
    ),
    Operation(
        id="getRollout",
        method="GET",
        path=_R + "/{i}",
        summary="One rollout: its step, what is seen, what its guards say",
        run=get_rollout,
        answer=Rollout,
    ),
    *(
        Operation(
            id=f"{verb}Rollout",
            method="POST",
            path=f"{_R}/{{i}}/{verb}",
            summary=summary,
            run=run,
            answer=MovedRollout,
        )
        for verb, summary, run in (
            ("pause", "Stay in the step that goes on", pause_rollout),
            ("resume", "Begin the step that goes on again", resume_rollout),
            ("promote", "Give everything to the new version now", promote_rollout),
            ("abort", "Give everything back to the old version now", abort_rollout),
        )
    ),
)
"""Every operation about rollouts."""
