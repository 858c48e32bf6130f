"""What happened, by REST: metrics, their course, the invocation log and the text for Prometheus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.controlplane import logbook
from gateway.store.logged import Retention
from gateway.store.protocol import StateUnusable

Panel = Any
Open = Callable[..., Panel]


def call(panel: Panel, *paths: str, method: str = "GET", **more: Any) -> list[httpx.Response]:  # noqa: ANN401
    """Requests to the data plane."""

    async def scenario() -> list[httpx.Response]:
        transport = httpx.ASGITransport(panel.gateway.plane)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return [await client.request(method, path, **more) for path in paths]

    found: list[httpx.Response] = panel.run(scenario())
    return found


def log(panel: Panel, query: str = "") -> list[dict[str, Any]]:
    """Entries of the invocation log."""
    answer = panel("GET", f"/api/invocations{query}")
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def test_a_request_is_in_the_log_with_everything_that_is_kept(panel: Panel) -> None:
    """Found by its id, secrets hidden."""
    headers = {"User": "Bob", "Authorization": "Bearer secret", "Cookie": "a=secret"}
    (answer,) = call(panel, "/release/orders/7", method="POST", headers=headers, content="x" * 5000)
    request_id = answer.headers["x-api-requestid"]
    told = panel("GET", f"/api/invocations/{request_id}").json()
    expected = {
        "request_id": request_id, "source": "http", "stage": "release", "function": "orders",
        "alias": "release", "version": "1", "reason": "main", "revision": 1, "status": 403,
        "kind": "malformed", "method": "POST", "path": "/orders/7", "body_cut": True, "error": None,
        "output": "", "number": 1,
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected
    sent = answer.request.headers
    assert told["headers"] == {**sent, "authorization": "***", "cookie": "***"}
    assert "secret" not in json.dumps(told)
    assert told["body"] == "x" * 4096
    assert told["seconds"] >= told["duration"] > 0


def test_requests_that_reach_no_version_are_in_the_log_as_well(panel: Panel) -> None:
    """An unknown stage, an unknown path, a mock."""
    call(panel, "/qa/orders/1", "/release/nothing", "/release/ping")
    assert [(entry["stage"], entry["path"], entry["status"]) for entry in log(panel)] == [
        ("release", "/ping", 200),
        ("release", "/nothing", 404),
        ("", "/qa/orders/1", 404),
    ]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("?stage=dev", ["/orders/2"]),
        ("?function=orders&limit=1", ["/orders/2"]),
        ("?alias=release", ["/orders/1"]),
        ("?version=1&reason=main", ["/orders/1"]),
        ("?status=4xx&function=", ["/nothing", "/orders/2", "/orders/1"]),
        ("?status=404", ["/nothing"]),
        ("?status=404-499&stage=dev", ["/nothing"]),
        ("?text=ORDERS", ["/orders/2", "/orders/1"]),
        ("?before=2", ["/orders/1"]),
        ("?after=1", ["/orders/2", "/nothing"]),
        ("?errors=true", ["/orders/2", "/orders/1"]),
        ("?since=2999-01-01", []),
        ("?until=2000-01-01T00:00:00Z", []),
        ("?slower=60", []),
    ],
)
def test_entries_are_found_by_what_one_remembers(
    panel: Panel, query: str, paths: list[str]
) -> None:
    """Newest first."""
    call(panel, "/release/orders/1", "/dev/orders/2", "/dev/nothing")
    if "stage=dev" in query and "status" not in query:
        paths = ["/nothing", *paths]
    assert [entry["path"] for entry in log(panel, query)] == paths


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("?status=9xx", "5xx"),
        ("?status=abc", "5xx"),
        ("?since=yesterday", "ISO 8601"),
        ("?wait=100", "30"),
        ("?limit=0", "1"),
        ("?stages=dev", "stage"),
    ],
)
def test_a_wrong_question_is_told(panel: Panel, query: str, allowed: str) -> None:
    """With what is allowed."""
    answer = panel("GET", f"/api/invocations{query}")
    assert answer.status_code == 400
    assert allowed in answer.text


def test_an_unknown_request_is_not_found(panel: Panel) -> None:
    """With a code of its own."""
    answer = panel("GET", "/api/invocations/nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "invocation-not-logged")


def test_a_gateway_that_keeps_no_log_says_so(open_panel: Open) -> None:
    """What it answers is counted all the same."""
    panel = open_panel(retention=Retention(entries=0))
    (answer,) = call(panel, "/release/orders/1")
    told = panel("GET", "/api/invocations?status=&since=").json()
    assert (told["entries"], told["kept_entries"], told["left_out"]) == ([], 0, 0)
    one = panel("GET", f"/api/invocations/{answer.headers['x-api-requestid']}").json()
    assert one["detail"].endswith("; none is kept, as --log-entries is 0")
    assert panel("GET", "/api/metrics").json()["answered"] == 1


def test_an_entry_tells_who_answered_and_for_how_long_it_is_kept(open_panel: Open) -> None:
    """By the names that the gateway was given."""
    panel = open_panel(node="here", process="worker-3", retention=Retention(60.0, 7))
    call(panel, "/release/orders/1")
    told = panel("GET", "/api/invocations").json()
    assert (told["kept_seconds"], told["kept_entries"]) == (60.0, 7)
    assert [(entry["node"], entry["process"]) for entry in told["entries"]] == [
        ("here", "worker-3")
    ]


def test_whoever_follows_is_answered_when_something_comes(panel: Panel) -> None:
    """And not before; with nothing new, after the time that was asked for."""
    call(panel, "/release/orders/1")
    newest = panel("GET", "/api/invocations").json()["newest"]
    assert log(panel, f"?after={newest}&wait=0.01") == []

    async def scenario() -> tuple[bool, dict[str, Any]]:
        control = httpx.AsyncClient(
            transport=httpx.ASGITransport(panel.gateway.control), base_url="http://127.0.0.1:8081"
        )
        caller = httpx.AsyncClient(
            transport=httpx.ASGITransport(panel.gateway.plane), base_url="http://127.0.0.1"
        )
        async with control, caller:
            waiting = asyncio.create_task(control.get(f"/api/invocations?after={newest}&wait=30"))
            done, _ = await asyncio.wait([waiting], timeout=0.05)
            await caller.get("/release/orders/2")
            return bool(done), (await waiting).json()

    early, told = panel.run(scenario())
    assert not early
    assert [entry["path"] for entry in told["entries"]] == ["/orders/2"]


def test_of_too_many_the_errors_are_kept_and_the_rest_counted(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has bounds, and says what it left out."""
    book = panel.gateway.logbook
    now = book.clocks.now()
    monkeypatch.setattr(logbook, "BURST", 5)
    monkeypatch.setattr(book, "clocks", logbook.Clocks(book.clocks.wall, lambda: now))
    call(panel, *["/release/orders/1"] * 8, *["/dev/nothing"] * 10)
    told = panel("GET", "/api/invocations").json()
    assert [entry["path"] for entry in told["entries"]] == ["/orders/1"] * 8
    assert told["left_out"] == 10
    call(panel, *["/dev/nothing"] * 3)
    assert panel("GET", "/api/invocations").json()["left_out"] == 13


def test_of_many_alike_some_of_all_are_kept(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the first of them alone."""
    book = panel.gateway.logbook
    now = book.clocks.now()
    monkeypatch.setattr(logbook, "BURST", 4)
    monkeypatch.setattr(book, "clocks", logbook.Clocks(book.clocks.wall, lambda: now))
    call(panel, *[f"/dev/nothing/{number}" for number in range(8)])
    paths = [entry["path"] for entry in panel("GET", "/api/invocations").json()["entries"]]
    assert paths == [f"/nothing/{number}" for number in (6, 4, 2, 0)]


def test_a_log_that_cannot_be_written_is_told_once_and_requests_go_on(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for every request, and again after some could be written."""
    book = panel.gateway.logbook
    real = book.log.append
    told: list[object] = []
    monkeypatch.setattr(panel.gateway.events, "publish", told.append)

    async def refuse(_entries: object) -> None:
        raise StateUnusable("the disk is full")

    def once(path: str) -> None:
        assert call(panel, path)[0].headers["x-gateway-version"] == "1"
        panel.run(_flushed(panel))

    monkeypatch.setattr(book.log, "append", refuse)
    once("/release/orders/1")
    once("/release/orders/2")
    assert (len(told), book.left_out) == (1, 2)
    monkeypatch.setattr(book.log, "append", real)
    once("/release/orders/3")
    assert [entry["path"] for entry in log(panel)] == ["/orders/3"]


async def _flushed(panel: Panel) -> None:
    panel.gateway.observer.settle()
    await panel.gateway.logbook.flush()


def test_metrics_tell_counts_kinds_and_latency(panel: Panel) -> None:
    """Since the start, and of the last seconds."""
    call(panel, *["/release/orders/1"] * 3, "/dev/orders/1", "/dev/nothing")
    for query in ("", "?window=900"):
        told = panel("GET", f"/api/metrics{query}").json()
        assert (told["answered"], told["dropped"]) == (5, 0)
        rows = {(row["stage"], row["version"]): row for row in told["versions"]}
        assert set(rows) == {("release", "1"), ("dev", "$LATEST")}
        row = rows["release", "1"]
        assert (row["requests"], row["errors"], row["throttled"]) == (3, 3, 0)
        assert row["kinds"] == {"malformed": 3}
        assert 0 < row["latency"]["p50"] <= row["latency"]["p99"] <= row["latency"]["largest"]
        activity = {(row["function"], row["version"]): row for row in told["activity"]}
        assert activity["orders", "1"] == {
            "function": "orders", "version": "1", "running": 0, "starts": 1,
        }  # fmt: skip


@pytest.mark.parametrize(("step", "window"), [("1", 900), ("60", 86_400), ("60", 60), ("1", 1)])
def test_the_course_has_a_point_for_each_interval(panel: Panel, step: str, window: int) -> None:
    """Zeros where nothing happened; the last point is the one that goes on."""
    call(panel, *["/release/orders/1"] * 3)
    told = panel("GET", f"/api/metrics/course?step={step}&window={window}").json()
    assert (told["step"], told["points"]) == (int(step), max(1, window // int(step)))
    for row in told["versions"]:
        assert {len(row[name]) for name in ("requests", "errors", "p50", "p99")} == {told["points"]}
        assert row["errors"] == row["requests"]
    if window > 1:
        (row,) = told["versions"]
        assert sum(row["requests"]) == 3
        assert [p is not None for p in row["p99"]] == [bool(n) for n in row["requests"]]


def test_prometheus_reads_what_it_scrapes(panel: Panel) -> None:
    """With a parser that is not ours: names, labels and numbers."""
    call(panel, *["/release/orders/1"] * 3, "/dev/nothing")
    answer = panel("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }

    def sample(name: str, **labels: str) -> float:
        return samples[name, tuple(sorted(labels.items()))]

    whose = {"stage": "release", "function": "orders", "alias": "release", "version": "1"}
    assert sample("gateway_requests_total", **whose, reason="main", status="403 malformed") == 3
    assert sample("gateway_errors_total", **whose, reason="main", kind="malformed") == 3
    assert sample("gateway_request_seconds_count", **whose) == 3
    assert sample("gateway_request_seconds_bucket", **whose, le="+Inf") == 3
    assert sample("gateway_revision") == 1
    assert sample("gateway_starts_total", function="orders", version="1") == 1
    assert sample("gateway_invocations_running", function="orders", version="1") == 0
    assert sample("gateway_alias_weight", function="orders", alias="release", version="1") == 1
    assert sample("gateway_observations_dropped_total") == 0
    assert sample("gateway_log_left_out_total") == 0
    assert sample("process_resident_memory_bytes") > 0


def test_shares_are_told_with_their_verdict(panel: Panel) -> None:
    """Of every alias, since it leads where it leads."""
    call(panel, *["/release/orders/1"] * 3)
    found = {
        (each["function"], each["alias"]): each
        for each in panel("GET", "/api/shares").json()["aliases"]
    }
    release = found["orders", "release"]
    assert (release["requests"], release["outcome"]) == (3, "undecided")
    assert [(s["version"], s["configured"], s["observed"]) for s in release["versions"]] == [
        ("1", 1.0, 1.0)
    ]
    assert found["orders", "spare"]["requests"] == 0


def test_invocations_by_the_control_plane_are_in_the_log_as_well(panel: Panel) -> None:
    """With their routing key in the place of headers, and their event in that of the body."""
    body = {"event": {"a": 1}, "qualifier": "release", "routing_key": {"User": "Bob"}}
    told = panel("POST", "/api/functions/orders/invoke", body).json()
    failed = panel("POST", "/api/functions/orders/invoke", {"event": "fail"}).json()
    entry = panel("GET", f"/api/invocations/{told['request_id']}").json()
    assert (entry["source"], entry["function"], entry["alias"]) == ("invoke", "orders", "release")
    assert (entry["status"], entry["body"], entry["headers"]) == (200, '{"a":1}', {"User": "Bob"})
    (error,) = log(panel, "?errors=true")
    assert (error["request_id"], error["kind"]) == (failed["request_id"], "exception")
