"""Runs by REST: a verification or a replay begun, followed, stopped, and its report."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from gateway.controlplane.history import moment
from gateway.controlplane.problems import rejected
from gateway.controlplane.rest.answers import Answer
from gateway.controlplane.rest.operation import Asked, Operation, Reply
from gateway.controlplane.rest.runs_bodies import RunBody, arguments_of, check_run
from gateway.controlplane.runs import Kind, Outcome, Run, Status
from gateway.controlplane.runs_files import offered

REPORT: Final = {
    # A report carries its own script and needs nothing else. It runs as a page of nobody: what is
    # in it, it can neither ask this origin nor tell anybody.
    "content-security-policy": (
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline';"
        " style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'self'"
    ),
    "x-frame-options": "SAMEORIGIN",
}
"""Headers of a report."""

_HTML: Final = "text/html"


class RunTold(Answer):
    """One run."""

    id: str
    kind: Kind
    status: Status
    outcome: Outcome | None = Field(description="`null` until it has ended.")
    exit_code: int | None
    sentence: str = Field(description="What came of it; until then, how far it is.")
    command: list[str] = Field(description="The same on a command line.")
    started: str
    ended: str | None
    report: bool = Field(description="Whether there is a report.")


class RunSeen(RunTold):
    """One run with what it has written."""

    lines: list[str]


class RunList(Answer):
    """Every run that is remembered, the newest first."""

    runs: list[RunTold]
    files: list[str] = Field(description="Recordings and logs of the project.")


async def list_runs(asked: Asked) -> Reply:
    """Every run."""
    runs = asked.control.runs
    plain = {"runs": [_told(run) for run in runs.all()], "files": offered(runs.place.folder)}
    return Reply(plain, asked.snapshot.revision)


async def start_run(asked: Asked) -> Reply:
    """Begin one."""
    runs, body = asked.control.runs, asked.parsed(RunBody).root
    arguments = arguments_of(body, runs.place.folder, asked.snapshot)
    run = await runs.start(body.kind, arguments)
    return Reply(_seen(run), asked.snapshot.revision, status=201)


async def get_run(asked: Asked) -> Reply:
    """One run."""
    return Reply(_seen(_named(asked)), asked.snapshot.revision)


async def stop_run(asked: Asked) -> Reply:
    """Ask it to stop."""
    run = _named(asked)
    asked.control.runs.stop(run)
    return Reply(_seen(run), asked.snapshot.revision)


async def get_report(asked: Asked) -> Reply:
    """Its report."""
    run = _named(asked)
    if run.report is None:
        why = "it has written none" if run.status == "ended" else f"it is {run.status}"
        raise rejected(404, "no-report", f"run {run.id!r} has no report: {why}")
    return Reply(run.report.read_bytes(), asked.snapshot.revision, media=_HTML, headers=REPORT)


def _named(asked: Asked) -> Run:
    found = asked.control.runs.get(asked.names["i"])
    if found is None:
        raise rejected(404, "unknown-run", f"there is no run {asked.names['i']!r}")
    return found


def _told(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "kind": run.kind,
        "status": run.status,
        "outcome": run.outcome,
        "exit_code": run.exit_code,
        "sentence": run.sentence,
        "command": ["gateway", *run.arguments],
        "started": moment(run.started),
        "ended": None if run.ended is None else moment(run.ended),
        "report": run.report is not None,
    }


def _seen(run: Run) -> dict[str, object]:
    return {**_told(run), "lines": run.lines}


_R: Final = "/api/runs"
RUN_OPERATIONS: Final = (
    Operation(
        id="listRuns",
        method="GET",
        path=_R,
        summary="Verifications and replays that are remembered, newest first",
        run=list_runs,
        answer=RunList,
    ),
    Operation(
        id="startRun",
        method="POST",
        path=_R,
        summary="Verify splits, or play a recording, beside the gateway",
        run=start_run,
        answer=RunSeen,
        status=201,
        body=RunBody,
        law=check_run,
        asks=True,
        errors=(409,),
    ),
    Operation(
        id="getRun",
        method="GET",
        path=_R + "/{i}",
        summary="One run: how far it is, and what came of it",
        run=get_run,
        answer=RunSeen,
    ),
    Operation(
        id="stopRun",
        method="POST",
        path=_R + "/{i}/stop",
        summary="Stop a run; it reports what was until then",
        run=stop_run,
        answer=RunSeen,
        asks=True,
    ),
    Operation(
        id="getRunReport",
        method="GET",
        path=_R + "/{i}/report",
        summary="The report of a run, as a page",
        run=get_report,
        answer=f"{_HTML}; charset=utf-8",
    ),
)
"""Every operation about runs."""
