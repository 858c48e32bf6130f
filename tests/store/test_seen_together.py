"""Gateways that share a state see what all of them answered: in metrics, in shares, and in guards.

Two in one process, on one file and on one database; what one answers, the other tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.app import Gateway, Setup
from gateway.setup import Role

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "orders"

[functions.orders.aliases]
release = { version = "1" }

[[apis]]
method = "ANY"
path = "/orders"
function = "orders"

[stages.release]
alias = "release"
"""
OK = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'
BROKEN = 'async def main_handler(event, context):\n    raise ValueError("as asked")\n'
PATIENCE = 60.0
"""Seconds after which something that should become true is given up; it takes one or two."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A function whose second version fails."""
    for version, code in (("latest", OK), ("v1", OK), ("v2", BROKEN)):
        folder = tmp_path / "orders" / version
        folder.mkdir(parents=True)
        (folder / "index.py").write_text(code)
    (tmp_path / "stages.toml").write_text(STAGES)
    return tmp_path / "stages.toml"


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.sockets)])
def setup(request: pytest.FixtureRequest, project: Path) -> Setup:
    """What each gateway is built from."""
    state = project.parent / "node" / "state.db"
    if request.param == "file":
        return Setup(project, state, joined=True)
    return Setup(project, state, database=request.getfixturevalue("space"))


@dataclass
class Node:
    """One gateway, and those who ask it."""

    gateway: Gateway
    callers: httpx.AsyncClient
    panel: httpx.AsyncClient

    async def call(self, times: int) -> None:
        """Requests of callers."""
        for _ in range(times):
            await self.callers.get("/release/orders")

    async def tell(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """What its control plane answers."""
        return (await self.panel.get(path)).json()


@asynccontextmanager
async def nodes(*setups: Setup) -> AsyncIterator[list[Node]]:
    """Gateways; those that are still there in the end are closed."""
    found: list[Node] = []
    try:
        for setup in setups:
            gateway = await Gateway.open(setup)
            data, control = (
                httpx.AsyncClient(transport=httpx.ASGITransport(plane), base_url="http://127.0.0.1")
                for plane in (gateway.plane, gateway.control)
            )
            found.append(Node(gateway, data, control))
        yield found
    finally:
        for node in found:
            await node.gateway.close()


async def until(true: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Wait for something that becomes true."""
    async with asyncio.timeout(PATIENCE):
        while not await true():  # noqa: ASYNC110 - it becomes true in another gateway
            await asyncio.sleep(0.02)


def test_what_one_answers_the_other_tells(setup: Setup) -> None:
    """Exactly, in every view; and that it has ended."""
    one, two = replace(setup, node="a"), replace(setup, node="b", file=None)

    async def scenario() -> None:
        async with nodes(one, two) as (a, b):
            await a.call(2)
            await b.call(5)

            async def told() -> bool:
                return bool((await a.tell("/api/metrics"))["answered"] == 7)

            await until(told)
            (row,) = (await a.tell("/api/metrics"))["versions"]
            assert (row["version"], row["requests"], row["errors"]) == ("1", 7, 0)
            (lately,) = (await a.tell("/api/metrics?window=900"))["versions"]
            assert lately["requests"] == 7
            (course,) = (await a.tell("/api/metrics/course?window=900"))["versions"]
            assert sum(course["requests"]) == 7
            shares = (await a.tell("/api/shares"))["aliases"]
            assert {each["alias"]: each["requests"] for each in shares}["release"] == 7
            seen = (await a.tell("/api/nodes"))["nodes"]
            assert [(n["node"], n["own"], n["requests"], n["gone"]) for n in seen] == [
                ("a", True, 2, False), ("b", False, 5, False),
            ]  # fmt: skip
            assert await scraped(a) == {"": 2}
            await b.call(1)
            await b.gateway.close()

            async def gone() -> bool:
                return bool((await a.tell("/api/nodes"))["nodes"][1]["gone"])

            await until(gone)
            assert (await a.tell("/api/metrics"))["answered"] == 8

    asyncio.run(scenario())


async def scraped(node: Node) -> dict[str, float]:
    """Requests as Prometheus reads them, by process."""
    text = (await node.panel.get("/metrics")).text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "gateway_requests_total":
                process = sample.labels.get("process", "")
                found[process] = found.get(process, 0) + sample.value
    return found


def test_a_rollout_sees_the_errors_that_another_gateway_answered(setup: Setup) -> None:
    """The one that moves it has answered nothing at all, and puts everything back."""
    role = Role.ALL if setup.database else Role.WORKER  # who shares a file has one that moves it
    one, two = replace(setup, node="a"), replace(setup, node="b", file=None, role=role)
    plan = {"function": "orders", "alias": "release", "to": "2", "steps": [0.5, 1], "every": 600}

    async def scenario() -> None:
        async with nodes(one, two) as (a, b):
            following = asyncio.create_task(b.gateway.writer.follow())
            others = asyncio.create_task(a.gateway.writer.follow())
            leads = await a.gateway._store.leads()
            moving, asking = (a, b) if leads else (b, a)
            started = (await moving.panel.post("/api/rollouts", json=plan)).json()
            await until(lambda: _at(asking, started["revision"]))
            await asking.call(400)

            async def over() -> bool:
                found = await moving.tell(f"/api/rollouts/{started['id']}")
                return bool(found["status"] == "rolled-back")

            await until(over)
            assert moving.gateway.observer.counters.total() == 0
            for task in (following, others):
                task.cancel()
            await asyncio.gather(following, others, return_exceptions=True)

    asyncio.run(scenario())


async def _at(node: Node, revision: int) -> bool:
    return node.gateway.live.snapshot.revision >= revision


def test_workers_are_scraped_with_who_steers_them(project: Path) -> None:
    """Each for itself, so that no sum ever goes back; a worker keeps nothing of the others."""
    setup = Setup(project, project.parent / "node" / "state.db", joined=True, node="a")
    control = replace(setup, role=Role.CONTROL, process="control")
    workers = [
        replace(setup, file=None, role=Role.WORKER, process=f"worker-{number}") for number in (1, 2)
    ]

    async def scenario() -> None:
        async with nodes(control, *workers) as (steering, first, second):
            await first.call(3)
            await second.call(4)

            async def told() -> bool:
                return await scraped(steering) == {"worker-1": 3, "worker-2": 4}

            await until(told)
            assert (await steering.tell("/api/metrics"))["answered"] == 7
            assert first.gateway.observer.series.labels() == []
            text = (await steering.panel.get("/metrics")).text
            counts = [
                line
                for line in text.splitlines()
                if line.startswith("gateway_request_seconds_count")
            ]
            assert [line.rpartition(" ")[2] for line in counts] == ["3.0", "4.0"]

    asyncio.run(scenario())


def test_who_shares_nothing_has_nothing_beside_its_state(project: Path) -> None:
    """No file, and no task."""

    async def scenario() -> None:
        async with nodes(Setup(project, project.parent / "node" / "state.db")) as (node,):
            await node.call(1)
            (only,) = (await node.tell("/api/nodes"))["nodes"]
            assert (only["process"], only["own"], only["requests"]) == ("main", True, 1)

    asyncio.run(scenario())
    assert list((project.parent / "node").glob("*.seen.db*")) == []
