"""Several gateways on one database: a change of one is live on all, and an outage loses nothing.

The whole measurement, with its figures, is `python -m benchmarks.nodes`; this is the same with
less of everything.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from benchmarks.databases import Database
from benchmarks.nodes import Trouble, cluster, contended, spread
from benchmarks.nodes_judged import Accepted, Outcome, disordered, missing
from gateway.app import Gateway, Setup

pytestmark = pytest.mark.sockets

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
ALIAS = "/api/functions/orders/aliases/release"


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    """What each node is built from; the database is to be filled in."""
    for version in ("latest", "v1", "v2"):
        folder = tmp_path / "orders" / version
        folder.mkdir(parents=True)
        (folder / "index.py").write_text(OK)
    (tmp_path / "stages.toml").write_text(STAGES)
    return Setup(tmp_path / "stages.toml", tmp_path / "node" / "state.db")


def panel(gateway: Gateway) -> httpx.AsyncClient:
    """A client of a node's control plane."""
    transport = httpx.ASGITransport(gateway.control)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def test_nodes_that_start_together_apply_the_file_once(setup: Setup, space: str) -> None:
    """One is first, and the others have it from the database; nobody fails."""

    async def scenario() -> list[int]:
        setups = [
            replace(setup, database=space, state=setup.file and setup.file.parent / f"{n}" / "s.db")
            for n in range(3)
        ]
        gateways = await asyncio.gather(*map(Gateway.open, setups))
        revisions = [gateway.live.snapshot.revision for gateway in gateways]
        for gateway in gateways:
            await gateway.close()
        return revisions

    assert asyncio.run(scenario()) == [1, 1, 1]


def test_a_node_needs_no_file_but_the_database(setup: Setup, space: str, tmp_path: Path) -> None:
    """Code comes from there, too, into a cache of its own."""

    async def scenario() -> tuple[object, object]:
        first = await Gateway.open(replace(setup, database=space))
        other = await Gateway.open(Setup(state=tmp_path / "other" / "s.db", database=space))
        found = first.live.snapshot, other.live.snapshot
        await first.close()
        await other.close()
        return found

    first, other = asyncio.run(scenario())
    assert first == other
    assert len(list((tmp_path / "other" / "code").iterdir())) > 1


def test_code_that_is_not_here_keeps_no_node_from_starting(
    setup: Setup, space: str, tmp_path: Path
) -> None:
    """Where others declare: it says so, and serves all the rest."""

    async def scenario() -> tuple[tuple[str, ...], int]:
        await (await Gateway.open(replace(setup, database=space))).close()
        (tmp_path / "orders" / "latest" / "index.py").unlink()
        node = await Gateway.open(Setup(state=tmp_path / "other" / "s.db", database=space))
        await node.close()
        return node.warnings, node.live.snapshot.revision

    (warning,), revision = asyncio.run(scenario())
    assert warning.startswith("warning[")
    assert "version $LATEST" in warning
    assert revision == 1


def test_without_its_database_a_node_says_so_and_serves(setup: Setup, own: Database) -> None:
    """503 and when to try again for changes; how old its state is for everybody else."""

    async def scenario() -> tuple[httpx.Response, str, str, str]:
        gateway = await Gateway.open(replace(setup, database=own.space()))
        async with panel(gateway) as client:
            here = (await client.get("/readyz")).text
            assert (await client.put(ALIAS, json={"version": "2"})).status_code == 200
            await asyncio.to_thread(own.stop)
            refused = await client.put(ALIAS, json={"version": "1"})
            away = (await client.get("/readyz")).text
            metrics = (await client.get("/metrics")).text
            assert (await client.get(ALIAS)).json()["version"] == "2"
        await gateway.close()
        return refused, here, away, metrics

    refused, here, away, metrics = asyncio.run(scenario())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["code"] == "state-unusable"
    assert "cret" not in refused.text
    assert here.startswith("ready revision=1 age=")
    assert away.startswith("ready revision=2 age=")
    assert "\ngateway_state_age_seconds " in metrics


def test_changes_of_every_node_are_live_on_all(database: Database, tmp_path: Path) -> None:
    """None is lost or out of order, also when all write at once."""
    url = database.space()

    async def scenario() -> tuple[list[float], Outcome]:
        asked, _ = await spread(nodes, 10)
        return asked, await contended(nodes, 4, 40)

    with cluster(tmp_path, url, 2) as nodes:
        asked, outcome = asyncio.run(scenario())
    assert len(asked) == 10
    assert (len(outcome.accepted), outcome.refused) == (40, 0)
    assert missing(url, outcome.accepted) == []
    assert disordered(outcome.accepted) == []


def test_an_outage_loses_no_request_and_no_change(own: Database, tmp_path: Path) -> None:
    """Callers notice nothing; changes are refused meanwhile and accepted afterwards."""
    url = own.space()
    with cluster(tmp_path, url, 2) as nodes:
        outcome = asyncio.run(Trouble(nodes, writers=1).outage(own, 0.2, 0.5, 0.2))
    assert outcome.answers > 20
    assert outcome.lost == []
    assert outcome.refused > 0
    assert len(outcome.caught_up) == 1
    assert missing(url, outcome.accepted) == []
    assert disordered(outcome.accepted) == []


def test_the_judge_sees_what_is_lost_and_out_of_order(space: str, setup: Setup) -> None:
    """Otherwise the tests above could not fail."""

    async def make() -> None:
        await (await Gateway.open(replace(setup, database=space))).close()

    asyncio.run(make())
    assert missing(space, [Accepted(0, 1, 1, "never written")]) == ["'never written' at revision 1"]
    early, late = Accepted(0, 1, 3, "a"), Accepted(2, 3, 2, "b")
    beside = Accepted(0.5, 4, 1, "c")
    assert disordered([early, late, beside]) == ["'b' has revision 2, after 3"]
