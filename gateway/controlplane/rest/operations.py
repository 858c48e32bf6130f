"""The table: every operation of the control plane, one row each.

Routes and the OpenAPI document are made from these rows, so neither knows more than the other.
"""

from __future__ import annotations

from typing import Final

from gateway.controlplane.rest import accounts, answers, bodies, stages, state
from gateway.controlplane.rest.again import AGAIN_OPERATIONS
from gateway.controlplane.rest.function_operations import FUNCTION_OPERATIONS
from gateway.controlplane.rest.observation_operations import OBSERVATION_OPERATIONS
from gateway.controlplane.rest.operation import Operation
from gateway.controlplane.rest.preview import PREVIEW_OPERATIONS
from gateway.controlplane.rest.recording import RECORDING_OPERATIONS
from gateway.controlplane.rest.rollouts import ROLLOUT_OPERATIONS
from gateway.controlplane.rest.runs import RUN_OPERATIONS

STREAM: Final = "text/event-stream"

_HEALTH: Final = (
    Operation(
        id="health",
        method="GET",
        path="/healthz",
        summary="Whether the process answers",
        run=state.healthy,
        answer=state.TEXT,
        query=None,
    ),
    Operation(
        id="readiness",
        method="GET",
        path="/readyz",
        summary="Which revision is live",
        run=state.ready,
        answer=state.TEXT,
        query=None,
    ),
)

_STAGES: Final = (
    Operation(
        id="listStages",
        method="GET",
        path="/api/stages",
        summary="Every stage of every service",
        run=stages.list_stages,
        answer=answers.Stages,
    ),
    Operation(
        id="getStage",
        method="GET",
        path="/api/stages/{s}",
        summary="One stage of the default service",
        run=stages.get_stage,
        answer=answers.Stage,
    ),
    Operation(
        id="putStage",
        method="PUT",
        path="/api/stages/{s}",
        summary="Release the service's APIs to a stage",
        run=stages.put_stage,
        answer=accounts.Done,
        created=True,
        body=bodies.StageBody,
        creates="s",
    ),
    Operation(
        id="deleteStage",
        method="DELETE",
        path="/api/stages/{s}",
        summary="Take a stage off the air",
        run=stages.delete_stage,
        answer=accounts.Done,
    ),
    Operation(
        id="listApis",
        method="GET",
        path="/api/apis",
        summary="Every API, with the qualifier that each stage has for it",
        run=stages.list_apis,
        answer=answers.Apis,
    ),
)

_STATE: Final = (
    Operation(
        id="getSnapshot",
        method="GET",
        path="/api/snapshot",
        summary="Everything that routes, at one revision",
        run=state.get_snapshot,
        answer=answers.Snapshot,
    ),
    Operation(
        id="explainRequest",
        method="POST",
        path="/api/explain",
        summary="Which version would answer a request, and why; nothing is invoked",
        run=state.explain,
        answer=answers.Explanation,
        body=bodies.ExplainBody,
        asks=True,
    ),
    Operation(
        id="diff",
        method="GET",
        path="/api/diff",
        summary="What applying the file would alter, and what it would not",
        run=state.diff,
        answer=accounts.Diff,
        errors=(409, 422),
    ),
    Operation(
        id="apply",
        method="POST",
        path="/api/apply",
        summary="Bring the live state to what a stages.toml declares",
        run=state.apply,
        answer=accounts.Applied,
        body=bodies.ApplyBody,
        optional=True,
    ),
    Operation(
        id="export",
        method="GET",
        path="/api/export",
        summary="A stages.toml that reproduces the live state",
        run=state.export,
        answer=accounts.Export,
    ),
    Operation(
        id="listChanges",
        method="GET",
        path="/api/changes",
        summary="The audit log, newest first",
        run=state.list_changes,
        answer=accounts.Changes,
        query=bodies.ChangesQuery,
        errors=(503,),
    ),
    Operation(
        id="events",
        method="GET",
        path="/api/events",
        summary="Everything that happens, as it happens",
        run=state.events,
        answer=STREAM,
    ),
)

OPERATIONS: Final = (
    *_HEALTH,
    *FUNCTION_OPERATIONS,
    *PREVIEW_OPERATIONS,
    *_STAGES,
    *_STATE,
    *OBSERVATION_OPERATIONS,
    *AGAIN_OPERATIONS,
    *ROLLOUT_OPERATIONS,
    *RECORDING_OPERATIONS,
    *RUN_OPERATIONS,
)
"""Every operation but the one that answers with the OpenAPI document, which knows them all."""
