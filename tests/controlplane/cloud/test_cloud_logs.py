"""Logs and states of invocations through the cloud's API, waited for or not."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gateway.controlplane.cloud.remembered import of_entry
from gateway.core.entries import Target
from gateway.runtime.outcome import USER_EXCEPTION
from gateway.store.logged import Entry

Client = Any

F = {"FunctionName": "orders"}
SLEEPER = """
import asyncio

async def main_handler(event, context):
    print("asleep")
    await asyncio.sleep(60)
"""


def invoked(client: Client, event: object, qualifier: str = "$DEFAULT") -> str:
    """Invoke `orders`; gives the id."""
    given = {"Qualifier": qualifier, "Event": json.dumps(event)}
    told: str = client("InvokeFunction", **F, **given)["Result"]["FunctionRequestId"]
    return told


def unwaited(client: Client, event: object, function: str = "orders") -> str:
    """Invoke a function and do not wait; gives the id."""
    given = {"InvocationType": "Event", "ClientContext": json.dumps(event)}
    told: str = client("Invoke", FunctionName=function, **given)["Result"]["FunctionRequestId"]
    return told


def settled(client: Client, request_id: str) -> None:
    """Wait until a background invocation has ended, or waits for another attempt."""
    asynchronous = client.panel.gateway.asynchronous

    async def whole() -> None:
        async with asyncio.timeout(20):
            known = await asynchronous.get("orders", request_id)
            while known.status == "RUNNING" and known.retry_at is None:
                known = await asynchronous.get("orders", request_id)

    client.panel.run(whole())


def logs(client: Client, **more: object) -> list[Any]:
    """The logs of `orders`."""
    told = client("GetFunctionLogs", **F, **more)
    assert told["TotalCount"] >= len(told["Data"])
    return list(told["Data"])


@pytest.fixture
def busy(client: Client) -> tuple[Client, str, str]:
    """A client, a success and a failure."""
    fine = invoked(client, {"a": 1}, "2")
    broken = invoked(client, "fail", "release")
    return client, fine, broken


def test_a_success_is_told_in_full(busy: tuple[Client, str, str]) -> None:
    """With its log as the cloud lays it out."""
    client, fine, _ = busy
    (log,) = logs(client, FunctionRequestId=fine)
    assert json.loads(log["RetMsg"]) == {"event": {"a": 1}, "version": "v2"}
    assert (log["FunctionName"], log["RequestId"]) == ("orders", fine)
    assert (log["RetCode"], log["InvokeFinished"], log["RetryNum"]) == (0, 1, 0)
    assert log["Log"].startswith(f"START RequestId: {fine}\n")
    assert log["Duration"] > 0
    assert log["BillDuration"] >= log["Duration"]
    moment = datetime.strptime(log["StartTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=60)


def test_a_failure_is_told_with_its_code(busy: tuple[Client, str, str]) -> None:
    """As a log and as a status, which knows one number for all failures."""
    client, fine, broken = busy
    (log,) = logs(client, FunctionRequestId=broken)
    assert (log["RetCode"], json.loads(log["RetMsg"])["errorCode"]) == (USER_EXCEPTION, -1)
    assert f"ERROR RequestId: {broken} Result: " in log["Log"]
    for request_id, code in ((fine, 0), (broken, -1)):
        (told,) = client("GetRequestStatus", **F, FunctionRequestId=request_id)["Data"]
        assert (told["RequestId"], told["RetCode"]) == (request_id, code)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param({}, "broken fine", id="newest first"),
        pytest.param({"Order": "asc"}, "fine broken", id="oldest first"),
        pytest.param({"Limit": 1}, "broken", id="a page"),
        pytest.param({"Offset": 1}, "fine", id="the next page"),
        pytest.param({"OrderBy": "function_name", "Order": "asc"}, "fine broken", id="by name"),
        pytest.param({"Filter": {"RetCode": "is0"}}, "fine", id="successes"),
        pytest.param({"Filter": {"RetCode": "not0"}}, "broken", id="failures"),
        pytest.param({"Filter": {"RetCode": "UserCodeException"}}, "broken", id="exceptions"),
        pytest.param({"Filter": {"RetCode": "TimeLimitExceeded"}}, "", id="timeouts"),
        pytest.param({"Filter": {"RetCode": "ResourceLimitExceeded"}}, "", id="limits"),
        pytest.param({"Filter": {"RetCode": ""}}, "broken fine", id="no filter"),
        pytest.param({"Qualifier": "2"}, "fine", id="the version that was asked for"),
        pytest.param({"Qualifier": "release"}, "broken", id="the alias that was asked for"),
        pytest.param({"Qualifier": "1"}, "broken", id="the version that ran"),
        pytest.param({"FunctionRequestId": "nobody"}, "", id="an id of nothing"),
        pytest.param({"StartTime": "2999-01-01 00:00:00"}, "", id="after"),
        pytest.param({"EndTime": "1999-01-01 00:00:00"}, "", id="before"),
        pytest.param({"StartTime": "1999-01-01 00:00:00"}, "broken fine", id="since"),
    ],
)
def test_logs_are_chosen(
    busy: tuple[Client, str, str], given: dict[str, object], found: str
) -> None:
    """By outcome, qualifier, id and time, in the order that is asked for."""
    client, fine, broken = busy
    names = {fine: "fine", broken: "broken"}
    assert [names[log["RequestId"]] for log in logs(client, **given)] == found.split()


def test_without_a_function_all_are_told(busy: tuple[Client, str, str]) -> None:
    """The cloud does not insist on one either."""
    client, *known = busy
    told = client("InvokeFunction", FunctionName="idle", Event="{}")["Result"]
    found = client("GetFunctionLogs")
    assert found["TotalCount"] == 3
    assert {log["RequestId"] for log in found["Data"]} == {*known, told["FunctionRequestId"]}
    assert found["SearchContext"]["Limit"] == 20


@pytest.mark.parametrize(
    ("span", "count"),
    [
        pytest.param({}, 1, id="the last 15 minutes"),
        pytest.param({"EndTime": "2999-01-01 00:00:00"}, 1, id="until later"),
        pytest.param({"EndTime": "2999-01-01 00:00:00", "StartTime": "1999-01-01 00:00:00"}, 1),
        pytest.param({"EndTime": "2999-01-02 00:00:00", "StartTime": "2999-01-01 00:00:00"}, 0),
    ],
)
def test_a_status_is_looked_for_in_a_span(
    busy: tuple[Client, str, str], span: dict[str, str], count: int
) -> None:
    """An id of which nothing is known has no status, and that is no error."""
    client, fine, _ = busy
    given = {**F, "FunctionRequestId": fine, **span}
    assert client("GetRequestStatus", **given)["TotalCount"] == count
    assert client("GetRequestStatus", **{**given, "FunctionRequestId": "nobody"})["Data"] == []


def test_the_background_has_logs_as_well(client: Client) -> None:
    """What waits for another attempt runs, in the cloud's words; what was aborted has a number."""
    fine, broken = unwaited(client, {"a": 1}), unwaited(client, "fail")
    settled(client, fine)
    settled(client, broken)
    (log,) = logs(client, FunctionRequestId=fine)
    assert json.loads(log["RetMsg"])["event"] == {"a": 1}
    assert (log["RetCode"], log["InvokeFinished"]) == (0, 1)
    assert log["Log"].startswith("START RequestId")
    (told,) = client("GetRequestStatus", **F, FunctionRequestId=broken)["Data"]
    assert told["RetCode"] == 1
    client("TerminateAsyncEvent", **F, InvokeRequestId=broken)
    (log,) = logs(client, FunctionRequestId=broken)
    assert (log["RetCode"], log["InvokeFinished"]) == (3, 1)
    assert [log["RequestId"] for log in logs(client, Filter={"RetCode": "not0"})] == [broken]


def test_what_runs_is_told_as_running(client: Client) -> None:
    """It is no failure and has said nothing yet."""
    panel, service = client.panel, client.panel.gateway.service
    file = panel.gateway.setup.file.parent / "functions" / "idle" / "latest" / "index.py"
    file.write_text(SLEEPER)

    async def begun() -> asyncio.Task[Any]:
        await service.reload("idle", file.parent)
        running = asyncio.create_task(service.invoke(Target("idle", "$LATEST"), None, {}))
        await asyncio.sleep(0)
        return running

    async def cancelled(running: asyncio.Task[Any]) -> None:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    running = panel.run(begun())
    (log,) = client("GetFunctionLogs", FunctionName="idle")["Data"]
    assert (log["RetCode"], log["InvokeFinished"], log["Log"], log["RetMsg"]) == (2, 0, "", "")
    given = {"FunctionName": "idle", "FunctionRequestId": log["RequestId"]}
    (told,) = client("GetRequestStatus", **given)["Data"]
    assert told["RetCode"] == 1
    failures = {"Filter": {"RetCode": "not0"}}
    assert client("GetFunctionLogs", FunctionName="idle", **failures)["TotalCount"] == 0
    panel.run(cancelled(running))
    assert client("GetFunctionLogs", FunctionName="idle")["TotalCount"] == 0


def test_a_value_that_is_not_kept_is_not_invented(client: Client) -> None:
    """Large ones are answered and forgotten."""
    large = "x" * 70_000
    request_id = invoked(client, large)
    (log,) = logs(client, FunctionRequestId=request_id)
    assert (log["RetCode"], log["RetMsg"]) == (0, "")


def test_requests_over_http_have_logs_as_well(client: Client) -> None:
    """Whoever has the id of one can look it up; what it answered is not kept."""
    plane = client.panel.gateway.plane

    async def asked() -> httpx.Response:
        request = httpx.Request("GET", "http://127.0.0.1:8080/release/orders/7")
        answer = await httpx.ASGITransport(plane).handle_async_request(request)
        await answer.aread()
        return answer

    answer = client.panel.run(asked())
    ours = {"FunctionRequestId": answer.headers["x-api-requestid"]}
    (log,) = logs(client, **ours)
    assert (log["RetCode"], log["RetMsg"], log["InvokeFinished"]) == (0, "", 1)
    assert log["Log"].startswith(f"START RequestId: {ours['FunctionRequestId']}\n")
    assert logs(client, Qualifier="release") == logs(client, Qualifier="1") == logs(client) == [log]
    (told,) = client("GetRequestStatus", **F, **ours)["Data"]
    assert told["RetCode"] == 0
    assert client("GetFunctionLogs", FunctionName="idle", **ours)["Data"] == []


FAILED = Entry(
    "id", 5.0, "http", "release", "orders", "release", "9", "main", 3, 430, "function", 0.5,
    duration=0.25, memory=2**20, output="said\n",
    error={"errorCode": -1, "errorMessage": "as asked", "statusCode": 433},
)  # fmt: skip


def test_an_entry_of_the_log_is_an_invocation(looker: Client) -> None:
    """With the code of its function, also where the version that ran is gone."""
    orders = looker.panel.gateway.live.snapshot.functions["orders"]
    failed = of_entry(FAILED, orders)
    assert (failed.status, failed.ended_at, failed.attempts) == ("FAILED", 5.5, 1)
    assert failed.result is not None
    told = {name: failed.result[name] for name in ("status", "seconds", "memory", "version")}
    assert told == {"status": 433, "seconds": 0.25, "memory": 2**20, "version": "9"}
    assert failed.result["log"] == (
        "START RequestId: id\nsaid\nERROR RequestId: id Result: as asked\nEND RequestId: id\n"
        "Report RequestId: id Duration:250ms Memory:128MB MemUsage:1MB\n"
    )
    fine = of_entry(replace(FAILED, error=None, status=200), orders)
    assert fine.result is not None
    assert (fine.status, fine.result["status"], fine.result["value_kept"]) == (
        "FINISHED",
        200,
        False,
    )
