"""Invocations over REST: waited for, or accepted, looked at and aborted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.controlplane.attempts import Policy
from gateway.controlplane.limits import MAX_EVENT
from gateway.controlplane.logbook import SWEEP_SECONDS
from gateway.controlplane.rest.invocations import MAX_BODY
from gateway.observe.observer import BEAT
from gateway.rollout.controller import BEAT as LOOK

Panel = Any
Open = Callable[..., Panel]
INVOKE = "/api/functions/orders/invoke"
ASYNC = "/api/functions/orders/invocations"


def submit(panel: Panel, event: object = None, **more: object) -> str:
    """Accept an invocation; gives its id."""
    answer = panel("POST", INVOKE, {"type": "event", "event": event, **more})
    assert answer.status_code == 202, answer.text
    request_id: str = answer.json()["request_id"]
    return request_id


Pauses = asyncio.Queue[float]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """The seconds of pauses that were begun, but for what goes on anyway; none of them ends."""
    begun: Pauses = asyncio.Queue()

    async def pause(seconds: float) -> None:
        if seconds not in {BEAT, LOOK, SWEEP_SECONDS}:
            begun.put_nowait(seconds)
        await asyncio.Event().wait()

    monkeypatch.setattr("gateway.app.sleep", pause)
    return begun


def ended(panel: Panel, request_id: str) -> Any:  # noqa: ANN401 - JSON
    """What is told of an invocation when nothing is done for it any more."""
    task = panel.gateway.asynchronous._tasks.get(request_id)
    if task is not None:
        panel.run(asyncio.wait([task]))
    return panel("GET", f"{ASYNC}/{request_id}").json()


@pytest.mark.parametrize(
    ("body", "version", "reason"),
    [
        pytest.param({"event": 1}, "latest", "main", id="default"),
        pytest.param({"event": {"a": [1.5]}, "qualifier": "2"}, "v2", "pinned", id="version"),
        pytest.param({"qualifier": "release"}, "v1", "main", id="alias"),
        pytest.param(
            {"qualifier": "ruled", "routing_key": {"User": "Bob"}}, "v3", "rule:1", id="rule"
        ),
        pytest.param(
            {"qualifier": "ruled", "routing_key": {"user": "Bob"}}, "v2", "main", id="case"
        ),
        pytest.param({"qualifier": "ruled", "routing_key": None}, "v2", "main", id="no key"),
    ],
)
def test_a_function_is_invoked_by_qualifier_and_routing_key(
    panel: Panel, body: dict[str, Any], version: str, reason: str
) -> None:
    """As the cloud does it."""
    rule = {"when": "invoke.headers.User exact Bob", "version": "3"}
    panel("PUT", "/api/functions/orders/aliases/ruled", {"version": "2", "rules": [rule]})
    answer = panel("POST", "/api/functions/orders/invoke", body)
    told = answer.json()
    assert told["value"] == {"event": body.get("event"), "version": version}
    assert (told["reason"], told["status"], told["error"]) == (reason, 200, None)
    assert (told["revision"], answer.headers["etag"]) == (2, '"2"')
    assert len(told["request_id"]) == 32


@pytest.mark.parametrize(
    ("event", "said"),
    [
        pytest.param("fail", "user code exception caught", id="raised"),
        pytest.param("odd", "the value that the handler returned has no form in JSON", id="a set"),
    ],
)
def test_what_the_handler_does_wrong_is_an_answer(panel: Panel, event: str, said: str) -> None:
    """It was invoked, so it is no failure of the request."""
    told = panel("POST", "/api/functions/orders/invoke", {"event": event}).json()
    assert (told["status"], told["value"]) == (430, None)
    assert said in told["error"]["errorMessage"]
    assert told["error"]["requestId"] == told["request_id"]


def test_a_qualifier_that_nobody_has_is_a_mistake_in_the_body(panel: Panel) -> None:
    """With the nearest one."""
    answer = panel("POST", "/api/functions/orders/invoke", {"qualifier": "relase"})
    (problem,) = answer.json()["problems"]
    assert answer.status_code == 422
    assert (problem["code"], problem["pointer"]) == ("unknown-qualifier", "/qualifier")
    assert problem["hint"] == "did you mean 'release'?"


def test_a_routing_key_may_hold_any_scalar(panel: Panel) -> None:
    """Numbers as they are written, in an object and in a text as the cloud has it."""
    rule = {"when": "invoke.headers.level exact 1.50", "version": "3"}
    panel("PUT", "/api/functions/orders/aliases/ruled", {"version": "2", "rules": [rule]})
    for key in ('{"level": 1.50}', '{"level":"1.50"}'):
        text = key.replace('"', '\\"')
        for body in (key, f'"{text}"'):
            content = f'{{"qualifier": "ruled", "routing_key": {body}}}'.encode()
            told = panel("POST", INVOKE, content=content).json()
            assert (told["version"], told["reason"]) == ("3", "rule:1")
    told = panel("POST", INVOKE, {"qualifier": "ruled", "routing_key": {"level": 1.5}}).json()
    assert told["version"] == "2"


def test_a_routing_key_is_no_request(panel: Panel) -> None:
    """Rules about what only a request has do not hit; those about a body read the event."""
    keys = ("query.a", "path.a", "cookies.a", "body.$.a")
    rules = [{"when": f"invoke.{key} exact 1", "version": "3"} for key in keys]
    panel("PUT", "/api/functions/orders/aliases/ruled", {"version": "2", "rules": rules})
    for event, reason in ((None, "main"), ({"a": "1"}, "rule:4")):
        body = {"qualifier": "ruled", "routing_key": {"a": "1"}, "event": event}
        assert panel("POST", INVOKE, body).json()["reason"] == reason


@pytest.mark.parametrize(
    ("key", "pointer"),
    [
        pytest.param({"User": ["Bob"]}, "/routing_key/User", id="nested"),
        pytest.param(["User"], "/routing_key", id="no object"),
        pytest.param("User=Bob", "/routing_key", id="no JSON"),
        pytest.param({"User": "x" * 1024}, "/routing_key", id="too long"),
    ],
)
@pytest.mark.parametrize("kind", ["sync", "event"])
def test_what_is_no_routing_key_is_a_mistake_in_the_body(
    panel: Panel, key: object, pointer: str, kind: str
) -> None:
    """Nothing was invoked."""
    answer = panel("POST", INVOKE, {"routing_key": key, "type": kind})
    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (422, pointer)
    assert panel("GET", ASYNC).json() == {"invocations": []}


@pytest.mark.parametrize(
    ("kind", "limit", "status"),
    [
        pytest.param("sync", 6 * 1024 * 1024, 200, id="sync"),
        pytest.param("event", 128 * 1024, 202, id="event"),
    ],
)
def test_an_event_has_a_size(
    open_panel: Open, project: Path, kind: str, limit: int, status: int
) -> None:
    """The last byte counts, and the answer says what the cloud would say."""
    index = project.parent / "functions" / "orders" / "latest" / "index.py"
    index.write_text("def main_handler(event, context):\n    return len(event)\n")
    panel, fits = open_panel(), "x" * (limit - 2)
    answer = panel("POST", INVOKE, {"event": fits, "type": kind})
    assert answer.status_code == status
    answer = panel("POST", INVOKE, {"event": fits + "x", "type": kind})
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, problem["code"], problem["pointer"]) == (
        413,
        "event-too-large",
        "/event",
    )
    assert problem["message"] == (
        f"RequestTooLarge: the event has {limit + 1} bytes; allowed: {limit}"
    )


def test_a_body_that_holds_more_than_any_event_is_not_read(panel: Panel) -> None:
    """It may be twice as long as an event, because of how JSON may spell it."""
    assert MAX_BODY > 2 * MAX_EVENT
    answer = panel("POST", INVOKE, content=b" " * (MAX_BODY + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_the_log_is_told_to_who_asks_for_it(panel: Panel) -> None:
    """As the cloud lays it out; with what failed."""
    assert panel("POST", INVOKE, {"event": 1}).json()["log"] is None
    told = panel("POST", INVOKE, {"event": "fail", "log": "tail"}).json()
    lines = told["log"].splitlines()
    about = f"RequestId: {told['request_id']}"
    assert lines[:2] == [f"START {about}", f"ERROR {about} Result: user code exception caught"]
    assert lines[-3:-1] == ["ValueError: as asked", f"END {about}"]
    assert lines[-1].startswith(f"Report {about} Duration:")
    assert told["seconds"] >= 0


def test_of_a_long_log_the_end_is_told(open_panel: Open, project: Path) -> None:
    """4,096 bytes of it, from a whole character on."""
    index = project.parent / "functions" / "orders" / "latest" / "index.py"
    index.write_text("def main_handler(event, context):\n    print('ü' * 4000)\n", encoding="utf-8")
    told = open_panel()("POST", INVOKE, {"log": "tail"}).json()
    assert 4090 < len(told["log"].encode()) <= 4096
    assert told["log"].startswith("üüü")
    assert f"üüü\nEND RequestId: {told['request_id']}\nReport " in told["log"]


def test_an_accepted_invocation_can_be_looked_at(panel: Panel) -> None:
    """From the moment on at which it was accepted."""
    key = {"User": "Bob", "level": 3}
    answer = panel("POST", INVOKE, {"type": "event", "event": 7, "routing_key": key})
    assert (answer.status_code, answer.headers["etag"]) == (202, '"1"')
    request_id = answer.json()["request_id"]
    assert answer.json() == {"request_id": request_id, "status": "RUNNING"}
    told = ended(panel, request_id)
    result = told.pop("result")
    for moment in ("at", "ended_at"):
        assert datetime.fromisoformat(told.pop(moment)).tzinfo is not None
    assert told == {
        "request_id": request_id,
        "function": "orders",
        "qualifier": "$DEFAULT",
        "routing_key": {"User": "Bob", "level": "3"},
        "status": "FINISHED",
        "attempts": 1,
        "retry_at": None,
    }
    assert result["value"] == {"event": 7, "version": "latest"}
    assert (result["status"], result["reason"], result["value_kept"]) == (200, "main", True)
    assert f"END RequestId: {request_id}" in result["log"]


def test_a_failed_one_tells_when_it_is_tried_again(pauses: Pauses, panel: Panel) -> None:
    """And what came of it so far."""
    request_id = submit(panel, "fail")
    assert 59 < panel.run(pauses.get()) <= 60
    told = panel("GET", f"{ASYNC}/{request_id}").json()
    assert (told["status"], told["attempts"], told["ended_at"]) == ("RUNNING", 1, None)
    assert told["result"]["status"] == 430
    gap = datetime.fromisoformat(told["retry_at"]) - datetime.fromisoformat(told["at"])
    assert gap.total_seconds() >= 60


def test_one_that_fails_each_time_has_failed(open_panel: Open) -> None:
    """After its retries."""
    panel = open_panel(policy=Policy(retries=1, delay=0))
    told = ended(panel, submit(panel, "fail"))
    assert (told["status"], told["attempts"]) == ("FAILED", 2)
    assert told["result"]["error"]["errorMessage"] == "user code exception caught"
    odd = ended(panel, submit(panel, "odd"))
    assert (odd["status"], odd["result"]["value"], odd["result"]["status"]) == ("FAILED", None, 430)


def test_invocations_are_listed(open_panel: Open) -> None:
    """Newest first, by status, in pages."""
    panel = open_panel(policy=Policy(retries=0))
    ids = [submit(panel, event) for event in (1, "fail", 2)]
    for each in ids:
        ended(panel, each)

    def listed(query: str = "") -> list[str]:
        found = panel("GET", f"{ASYNC}{query}").json()["invocations"]
        return [each["request_id"] for each in found]

    assert listed() == ids[::-1]
    assert listed("?limit=2") == [ids[2], ids[1]]
    assert listed(f"?before={ids[1]}") == [ids[0]]
    assert listed("?status=FAILED") == [ids[1]]
    assert listed("?status=ABORTED") == []
    assert panel("GET", "/api/functions/idle/invocations").json() == {"invocations": []}
    (first, *_) = panel("GET", ASYNC).json()["invocations"]
    assert "result" not in first


@pytest.mark.parametrize("query", ["?status=running", "?limit=0", "?limit=1001", "?after=x"])
def test_an_odd_question_is_refused(panel: Panel, query: str) -> None:
    """It is never answered with something else."""
    answer = panel("GET", ASYNC + query)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-query")


def test_one_is_aborted(pauses: Pauses, panel: Panel) -> None:
    """Once."""
    request_id = submit(panel, "fail")
    panel.run(pauses.get())
    answer = panel("DELETE", f"{ASYNC}/{request_id}")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["retry_at"]) == ("ABORTED", None)
    assert ended(panel, request_id) == answer.json()
    answer = panel("DELETE", f"{ASYNC}/{request_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "invocation-ended")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", f"{ASYNC}/nobody", "unknown-invocation"),
        ("DELETE", f"{ASYNC}/nobody", "unknown-invocation"),
        ("GET", f"{ASYNC}?before=nobody", "unknown-invocation"),
        ("GET", "/api/functions/nothing/invocations", "unknown-function"),
        ("DELETE", "/api/functions/nothing/invocations/x", "unknown-function"),
    ],
)
def test_what_is_not_there_is_not_found(panel: Panel, method: str, path: str, code: str) -> None:
    """Whatever is missing."""
    answer = panel(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_when_too_many_wait_no_further_one_is_accepted(
    open_panel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is fine in itself: a conflict."""
    monkeypatch.setattr("gateway.store.sqlite_invocations.UNENDED", 1)
    panel = open_panel()
    request_id = submit(panel, "fail")
    answer = panel("POST", INVOKE, {"type": "event"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-invocations")
    panel("DELETE", f"{ASYNC}/{request_id}")
    submit(panel)
