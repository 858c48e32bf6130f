"""Rollouts by REST, through the whole gateway: journalled, proved, live, and taken up again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

Panel = Any
Open = Callable[..., Panel]
PLAN = {"function": "orders", "alias": "release", "to": "2", "every": 0, "steps": [0.5, 1]}


def begin(panel: Panel, **more: object) -> dict[str, Any]:
    """A rollout that has begun."""
    answer = panel("POST", "/api/rollouts", {**PLAN, **more})
    assert answer.status_code == 201, answer.text
    rollout: dict[str, Any] = answer.json()
    return rollout


def alias(panel: Panel) -> tuple[str, dict[str, float]]:
    """Where the alias leads."""
    found = panel("GET", "/api/functions/orders/aliases/release").json()
    return found["version"], found["weights"]


def test_a_rollout_is_one_change_with_its_first_step(panel: Panel) -> None:
    """The alias and the rollout, at the revision that is answered."""
    before = panel("GET", "/api/snapshot").json()["revision"]
    answer = panel("POST", "/api/rollouts", PLAN)
    assert answer.headers["etag"] == f'"{before + 1}"'
    rollout = answer.json()
    assert (rollout["status"], rollout["from"], rollout["share"]) == ("running", "1", 0.5)
    assert alias(panel) == ("1", {"2": 0.5})
    (record,) = panel("GET", "/api/changes?limit=1").json()["changes"]
    assert record["origin"] == "starts the rollout to 2"
    assert panel("GET", f"/api/rollouts/{rollout['id']}").json()["id"] == rollout["id"]
    assert len(panel("GET", "/api/rollouts").json()["rollouts"]) == 1


@pytest.mark.parametrize(
    ("verbs", "status", "leads"),
    [
        (["pause"], "paused", ("1", {"2": 0.5})),
        (["pause", "resume"], "running", ("1", {"2": 0.5})),
        (["promote"], "finished", ("2", {})),
        (["abort"], "aborted", ("1", {})),
        (["pause", "abort"], "aborted", ("1", {})),
    ],
)
def test_people_steer_it(
    panel: Panel, verbs: list[str], status: str, leads: tuple[str, dict[str, float]]
) -> None:
    """Each is a change that takes effect at once."""
    rollout = begin(panel)["id"]
    for verb in verbs:
        answer = panel("POST", f"/api/rollouts/{rollout}/{verb}")
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert alias(panel) == leads


@pytest.mark.parametrize(
    ("more", "status", "code", "pointer"),
    [
        ({"to": "9"}, 422, "unknown-version", "/to"),
        ({"to": "1"}, 409, "nothing-to-roll-out", "/to"),
        ({"steps": [1, 0.5]}, 422, "bad-steps", "/steps"),
        ({"guards": ["x"]}, 422, "bad-guard", "/guards/0"),
        ({"evry": 1}, 422, "unknown-key", "/evry"),
        ({"every": "1m"}, 422, "wrong-type", "/every"),
    ],
)
def test_a_wrong_plan_is_refused_with_its_place(
    panel: Panel, more: dict[str, object], status: int, code: str, pointer: str
) -> None:
    """And nothing is changed."""
    answer = panel("POST", "/api/rollouts", {**PLAN, **more})
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, problem["code"], problem["pointer"]) == (status, code, pointer)
    assert alias(panel) == ("1", {})


def test_what_is_over_is_over(panel: Panel) -> None:
    """A conflict, and unknown ones are not found."""
    rollout = begin(panel)["id"]
    assert panel("POST", "/api/rollouts", PLAN).json()["code"] == "rollout-in-the-way"
    panel("POST", f"/api/rollouts/{rollout}/abort")
    answer = panel("POST", f"/api/rollouts/{rollout}/resume")
    assert (answer.status_code, answer.json()["code"]) == (409, "rollout-ended")
    assert panel("GET", "/api/rollouts/nothing").status_code == 404
    assert panel("POST", "/api/rollouts/nothing/pause").status_code == 404


def test_a_rollout_survives_a_restart(open_panel: Open, tmp_path: Path) -> None:
    """The next process goes on where it was."""
    state = tmp_path / "state.db"
    panel = open_panel(state=state)
    rollout = begin(panel)
    panel.run(panel.gateway.close())
    panel = open_panel(state=state)
    found = panel("GET", f"/api/rollouts/{rollout['id']}").json()
    assert (found["status"], found["step"], found["started"]) == (
        "running", 0, rollout["started"],
    )  # fmt: skip


def test_real_traffic_moves_it(panel: Panel) -> None:
    """The data plane answers, the controller looks, the alias moves to its end."""
    begin(panel, tolerance=0.4, guards=["p99>5s"])

    async def scenario() -> None:
        transport = httpx.ASGITransport(panel.gateway.plane)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as caller:
            for _ in range(2):
                for _ in range(60):
                    await caller.get("/release/orders/1")
                await panel.gateway.rollouts.look()
                await asyncio.sleep(0)

    panel.run(scenario())
    (found,) = panel("GET", "/api/rollouts").json()["rollouts"]
    assert (found["status"], found["reason"]) == ("finished", "")
    assert alias(panel) == ("2", {})
