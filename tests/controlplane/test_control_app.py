"""The application as a whole: health, the snapshot in full, and what has no path."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.controlplane.guard import HEADERS
from gateway.controlplane.rest.openapi import describing
from gateway.controlplane.rest.operations import OPERATIONS
from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.breaker import Breaker
from gateway.core.changes import (
    Batch,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutService,
    Release,
)
from gateway.core.faults import Fault, Latency
from gateway.core.functions import Configuration
from gateway.core.routes import parse_path
from gateway.core.rules import parse_rule
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, HttpBackend, MockBackend, Snapshot

Panel = Any

GOLDEN = Path(__file__).parent / "snapshot.json"


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
                PutFault("orders", "10", Fault(0.05, 503, Latency("uniform", (0.1, 0.5)))),
                PutFault("orders", "2", Fault(1.0)),
                PutBreaker("orders", Breaker(0.5)),
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
@pytest.mark.parametrize("query", ["", "?whatever=1"])
def test_probes_answer_in_one_line(standing: Panel, path: str, text: str, query: str) -> None:
    """Plain text, for people and for machines."""
    answer = standing("GET", path + query)
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_snapshot_is_told_in_full(panel: Panel, everything: Snapshot) -> None:
    """As the golden file has it: versions in their order, aliases as stages.toml writes them."""
    panel.gateway.live.swap(everything)
    answer = panel("GET", "/api/snapshot")
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert answer.json() == golden
    assert list(answer.json()) == list(golden)
    assert (answer.headers["content-type"], answer.headers["etag"]) == ("application/json", '"1"')


def test_what_is_told_is_what_is_live(panel: Panel) -> None:
    """A change shows on the next request, with a new tag."""
    panel("PUT", "/api/functions/orders/aliases/release", {"version": "2"})
    answer = panel("GET", "/api/snapshot")
    assert answer.json()["functions"]["orders"]["aliases"]["release"]["version"] == "2"
    assert answer.headers["etag"] == '"2"'
    assert panel("GET", "/readyz").text == "ready revision=2\n"


TAKEN = {(each.method, each.path) for each in describing(OPERATIONS)}
PATHS = sorted({path for _, path in TAKEN})


def concrete(path: str) -> str:
    """A path with names that exist."""
    names = {"{f}": "orders", "{a}": "release", "{v}": "1", "{s}": "dev"}
    for placeholder, name in names.items():
        path = path.replace(placeholder, name)
    return path


METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE")
UNTAKEN = [(m, p) for p in PATHS for m in METHODS if (m, p) not in TAKEN]


@pytest.mark.parametrize(("method", "path"), UNTAKEN)
def test_a_path_takes_its_methods_and_no_other(standing: Panel, method: str, path: str) -> None:
    """And names them all to whoever tried another; `OPTIONS` opens nothing to anybody."""
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
    answer = standing(method, concrete(path), headers=headers if method == "OPTIONS" else {})
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    allowed = set(answer.headers["allow"].split(", "))
    taken = {known for known, where in TAKEN if where == path}
    assert allowed == taken | ({"HEAD"} if "GET" in taken else set())
    assert not [name for name in answer.headers if name.startswith("access-control-")]


# What may be missing, and a stream, have tests of their own.
ELSEWHERE = {
    "events",
    "getBreaker",
    "getFault",
    "getInvocation",
    "getLogged",
    "getRollout",
    "getRun",
    "getRunReport",
    "record",
}
READS = [
    concrete(each.path) for each in OPERATIONS if each.method == "GET" and each.id not in ELSEWHERE
]


@pytest.mark.parametrize("path", READS)
def test_a_read_alters_nothing_and_may_be_a_head(standing: Panel, path: str) -> None:
    """Both have the revision, and the headers that keep pages of others away."""
    for method in ("GET", "HEAD"):
        answer = standing(method, path)
        assert answer.status_code == 200
        assert (answer.headers.get("etag") == '"1"') == path.startswith("/api/")
        assert {name.decode() for name, _ in HEADERS} <= set(answer.headers)
        assert standing.revision == 1


@pytest.mark.parametrize("path", [path for path in READS if path.startswith("/api/")])
def test_a_read_takes_no_parameter_that_it_does_not_know(standing: Panel, path: str) -> None:
    """A typo is never a silent default."""
    answer = standing("GET", path + "?lmit=3")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-query")


@pytest.mark.parametrize(
    "path", ["/api/functions/idle", "/api/functions/orders/aliases/spare", "/api/stages/dev"]
)
def test_what_takes_no_body_is_given_none(standing: Panel, path: str) -> None:
    """Whoever sends one means something else."""
    answer = standing("DELETE", path, {})
    assert (answer.status_code, answer.json()["code"]) == (400, "unexpected-body")
    assert standing.revision == 1


@pytest.mark.parametrize(
    "actor",
    [pytest.param(b"\xff", id="no text"), pytest.param(b"x" * 201, id="long"), b"a\tb", b"a\x7f"],
)
def test_an_odd_name_is_refused(standing: Panel, actor: bytes) -> None:
    """The audit log is read by people."""
    headers = [("X-Gateway-Actor", actor)]
    answer = standing("DELETE", "/api/functions/idle", headers=headers)
    assert (answer.status_code, answer.json()["code"], standing.revision) == (400, "bad-header", 1)


@pytest.mark.parametrize(
    ("sent", "who"),
    [("", "anonymous"), ("  ", "anonymous"), ("Bob ", "Bob"), ("x" * 200, "x" * 200)],
)
def test_who_asks_is_taken_down(panel: Panel, sent: str, who: str) -> None:
    """As far as it was said."""
    panel(
        "DELETE", "/api/functions/idle", headers={"X-Gateway-Actor": sent, "User-Agent": "a" * 300}
    )
    change = panel("GET", "/api/changes").json()["changes"][0]
    assert (change["who"], change["origin"]) == (who, "10.0.0.7 " + "a" * 200)


def test_what_a_program_calls_itself_does_not_steer_a_terminal(panel: Panel) -> None:
    """The audit log is shown on one."""
    panel("DELETE", "/api/functions/idle", headers=[("User-Agent", b"x\x9b31m\x1by")])
    change = panel("GET", "/api/changes").json()["changes"][0]
    assert change["origin"] == "10.0.0.7 x\N{REPLACEMENT CHARACTER}31m\N{REPLACEMENT CHARACTER}y"


def test_a_lifespan_is_answered(standing: Panel) -> None:
    """Servers that ask whether the application starts are told."""
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> Any:  # noqa: ANN401
        return next(received)

    async def send(message: Any) -> None:  # noqa: ANN401
        sent.append(message["type"])

    standing.run(standing.gateway.control({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
