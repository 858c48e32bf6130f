"""What the control plane tells: health, readiness, and the live snapshot as JSON."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from gateway.controlplane import control_app
from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import (
    Batch,
    Publish,
    PutAlias,
    PutFunction,
    PutService,
    Release,
)
from gateway.core.functions import Configuration
from gateway.core.routes import parse_path
from gateway.core.rules import parse_rule
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, HttpBackend, MockBackend, Snapshot
from gateway.live import Live

GOLDEN = Path(__file__).parent / "snapshot.json"


def ask(live: Live, path: str, method: str = "GET", host: str = "127.0.0.1:8081") -> httpx.Response:
    """One request to the control plane."""

    async def scenario() -> httpx.Response:
        transport = httpx.ASGITransport(control_app(live))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path)

    return asyncio.run(scenario())


@pytest.fixture
def everything() -> Snapshot:
    """A snapshot with everything that can be in one."""
    rule = parse_rule("invoke.headers.User exact Bob", "10")
    key = parse_rule("invoke.query.u exists", "1").key
    configuration = Configuration(environment={"GREETING": "hello"})
    apis = (
        Api("list", "ANY", parse_path("/orders/{id}"), FunctionBackend("orders", "release")),
        Api("raw", "GET", parse_path("=/raw"), FunctionBackend("orders", "$LATEST", False)),
        Api("old", "ANY", parse_path("^~/old/"), HttpBackend("http://127.0.0.1:9", 2.5)),
        Api("ping", "GET", parse_path("=/ping"), MockBackend("pong", 418, {"X-A": "1"})),
    )
    return apply(
        EMPTY,
        Batch(
            (
                PutService("service-default", "shop"),
                PutFunction("orders", "/code/latest", configuration, "the editable one"),
                Publish("orders", "/code/v2", "2", "the second"),
                Publish("orders", "/code/v10", "10"),
                PutAlias(
                    "orders",
                    "release",
                    Route("2", {"10": Decimal("0.1")}, (rule,), "sticky", key),
                    "what users see",
                ),
                Release("service-default", "dev", apis, {"region": "local"}),
                Release("service-default", "release", apis[3:]),
            )
        ),
    )


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("/healthz", "ok\n", id="health"),
        pytest.param("/readyz", "ready revision=1\n", id="readiness names the revision"),
    ],
)
def test_probes_answer_in_one_line(everything: Snapshot, path: str, text: str) -> None:
    """Plain text, for people and for machines."""
    answer = ask(Live(everything), path)
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_snapshot_is_told_in_full(everything: Snapshot) -> None:
    """As the golden file has it: versions in their order, aliases as stages.toml writes them."""
    answer = ask(Live(everything), "/api/snapshot")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["etag"] == '"1"'
    assert answer.json() == json.loads(GOLDEN.read_text())
    assert list(answer.json()) == list(json.loads(GOLDEN.read_text()))


def test_the_empty_snapshot_is_told_too() -> None:
    """Nothing, at revision 0."""
    answer = ask(Live(), "/api/snapshot")
    assert answer.json() == {"revision": 0, "functions": {}, "services": {}}
    assert answer.headers["etag"] == '"0"'


def test_what_is_told_is_what_is_live(everything: Snapshot) -> None:
    """A swap shows on the next request, with a new tag."""
    live = Live(everything)
    before = ask(live, "/api/snapshot")
    live.swap(apply(everything, PutAlias("orders", "release", Route("10"))))
    after = ask(live, "/api/snapshot")
    versions = [
        answer.json()["functions"]["orders"]["aliases"]["release"]["version"]
        for answer in (before, after)
    ]
    assert versions == ["2", "10"]
    assert [before.headers["etag"], after.headers["etag"]] == ['"1"', '"2"']
    assert ask(live, "/readyz").text == "ready revision=2\n"


def test_what_is_not_there_is_not_found(everything: Snapshot) -> None:
    """And nothing is written by a request that only reads."""
    assert ask(Live(everything), "/nowhere").status_code == 404
    assert ask(Live(everything), "/api/snapshot", "POST").status_code == 405


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost:8081", "localhost"])
def test_the_control_plane_answers_under_the_names_of_this_machine(host: str) -> None:
    """With any port: several gateways may run."""
    assert ask(Live(), "/healthz", host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example:8081", "127.0.0.1.evil.example", "localhost.x"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/snapshot"])
def test_a_name_that_was_made_to_point_here_is_refused(host: str, path: str) -> None:
    """A page of another origin could read everything otherwise."""
    assert ask(Live(), path, host=host).status_code == 400
