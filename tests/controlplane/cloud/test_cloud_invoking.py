"""Invocations through the cloud's API: qualifiers, routing keys, outcomes, logs."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import pytest

from gateway.controlplane.cloud.invoking import result_plain
from gateway.controlplane.invoking import Invoked

Client = Any


def result(client: Client, action: str = "InvokeFunction", **given: object) -> Any:  # noqa: ANN401
    """What an invocation of `orders` came to."""
    return client(action, FunctionName="orders", **given)["Result"]


def test_an_invocation_is_told_in_full(looker: Client) -> None:
    """What was returned is JSON in a text."""
    found = result(looker, Qualifier="2", Event='{"a": [1, "中"]}')
    returned = json.loads(found["RetMsg"])
    assert returned == {"event": {"a": [1, "中"]}, "version": "v2"}
    assert (found["InvokeResult"], found["ErrMsg"], found["Log"]) == (0, "", "")
    assert found["Duration"] > 0
    assert found["BillDuration"] >= found["Duration"]
    assert len(found["FunctionRequestId"]) == 32


@pytest.mark.parametrize(
    ("action", "qualifier", "version"),
    [
        pytest.param("InvokeFunction", None, "v1", id="InvokeFunction asks $DEFAULT"),
        pytest.param("Invoke", None, "latest", id="Invoke asks $LATEST"),
        pytest.param("Invoke", "$DEFAULT", "v1", id="an alias"),
        pytest.param("InvokeFunction", "3", "v3", id="a version"),
        pytest.param("InvokeFunction", "$LATEST", "latest", id="the editable one"),
    ],
)
def test_each_action_has_its_own_default(
    client: Client, action: str, qualifier: str | None, version: str
) -> None:
    """As the cloud has it."""
    client("UpdateAlias", FunctionName="orders", Name="$DEFAULT", FunctionVersion="1")
    given = {} if qualifier is None else {"Qualifier": qualifier}
    assert json.loads(result(client, action, **given)["RetMsg"])["version"] == version


def test_a_routing_key_is_what_headers_are_to_requests(client: Client) -> None:
    """But for the case of its names, which counts."""
    rule = {"Version": "3", "Key": "invoke.headers.User", "Method": "exact", "Expression": "Bob"}
    routing = {"AddtionVersionMatchs": [rule]}
    client(
        "UpdateAlias",
        FunctionName="orders",
        Name="release",
        FunctionVersion="1",
        RoutingConfig=routing,
    )

    def version(key: str) -> Any:  # noqa: ANN401
        found = result(client, Qualifier="release", RoutingKey=key)
        return json.loads(found["RetMsg"])["version"]

    assert version('{"User": "Bob"}') == "v3"
    assert [version(key) for key in ('{"user": "Bob"}', '{"User": "bob"}', "{}", "")] == ["v1"] * 4


def test_weights_draw_with_the_gateways_own_dice(client: Client) -> None:
    """Seeded here, so that the counts are the same every time."""
    routing = {"AdditionalVersionWeights": [{"Version": "2", "Weight": 0.5}]}
    named = {"FunctionName": "orders", "Name": "release"}
    client("UpdateAlias", **named, FunctionVersion="1", RoutingConfig=routing)
    counts = Counter(
        json.loads(result(client, Qualifier="release")["RetMsg"])["version"] for _ in range(200)
    )
    assert set(counts) == {"v1", "v2"}
    assert 70 <= counts["v2"] <= 130


def test_a_failure_of_the_handler_is_told_twice(looker: Client) -> None:
    """In `ErrMsg` and in `RetMsg`, as the cloud does."""
    found = result(looker, Event='"fail"', LogType="Tail")
    assert found["InvokeResult"] == 1
    assert found["ErrMsg"] == found["RetMsg"]
    error = json.loads(found["ErrMsg"])
    assert (error["errorCode"], error["statusCode"]) == (-1, 430)
    assert "as asked" in error["stackTrace"]
    assert f"ERROR RequestId: {found['FunctionRequestId']} Result: " in found["Log"]


def test_a_value_without_json_is_the_handlers_mistake(looker: Client) -> None:
    """A set, here."""
    found = result(looker, Event='"odd"')
    assert found["InvokeResult"] == 1
    assert "has no form in JSON" in json.loads(found["RetMsg"])["errorMessage"]


def test_the_tail_of_the_log_frames_the_invocation(looker: Client) -> None:
    """As the cloud lays it out."""
    found = result(looker, LogType="Tail")
    about = f"RequestId: {found['FunctionRequestId']}"
    lines = found["Log"].splitlines()
    assert (lines[0], lines[-2]) == (f"START {about}", f"END {about}")
    assert lines[-1].startswith(f"Report {about} Duration:")


def invoked(status: int, value: object = None, error: dict[str, object] | None = None) -> Invoked:
    """An invocation that came to this."""
    return Invoked("id", "1", "main", 1, status, value, error, 0.0016, 4096, "the log")


@pytest.mark.parametrize(
    ("found", "plain"),
    [
        pytest.param(invoked(200, "text"), (0, "text", ""), id="a text is not quoted"),
        pytest.param(invoked(200, None), (0, "null", ""), id="nothing"),
        pytest.param(invoked(200, 7), (0, "7", ""), id="a number"),
        pytest.param(
            invoked(433, None, {"errorMessage": "Invoking task timed out after 3 seconds"}),
            (1, "", "Invoking task timed out after 3 seconds"),
            id="time-out",
        ),
        pytest.param(
            invoked(430, None, {"statusCode": 430}),
            (1, '{"statusCode":430}', '{"statusCode":430}'),
            id="the function's fault",
        ),
        pytest.param(
            invoked(432, None, {"statusCode": 432}),
            (-1, '{"statusCode":432}', '{"statusCode":432}'),
            id="no fault of the function",
        ),
    ],
)
def test_every_outcome_has_its_form(found: Invoked, plain: tuple[int, str, str]) -> None:
    """As the cloud's documents show it."""
    told = result_plain(found, "None")
    assert (told["InvokeResult"], told["RetMsg"], told["ErrMsg"], told["Log"]) == (*plain, "")
    assert (told["Duration"], told["BillDuration"], told["MemUsage"]) == (1.6, 2, 4096)
    assert result_plain(found, "Tail")["Log"] == "the log"


def test_an_invocation_in_the_background_is_told_of_afterwards(client: Client) -> None:
    """Accepted at once; looked at, listed, and ended by whoever asks."""
    given = {"FunctionName": "orders", "InvocationType": "Event", "ClientContext": '{"a": 1}'}
    accepted = client("Invoke", **given)["Result"]
    assert {key: value for key, value in accepted.items() if value} == {
        "FunctionRequestId": accepted["FunctionRequestId"]
    }
    ours = {"InvokeRequestId": accepted["FunctionRequestId"]}

    async def ended() -> Any:  # noqa: ANN401
        asynchronous = client.panel.gateway.service.asynchronous
        await asyncio.gather(*asynchronous._tasks.values())

    client.panel.run(ended())
    found = client("GetAsyncEventStatus", **ours)["Result"]
    assert found == {"Status": "FINISHED", "StatusCode": 200, **ours}
    listed = client("ListAsyncEvents", FunctionName="orders")
    (event,) = listed["EventList"]
    assert listed["TotalCount"] == 1
    assert event["StartTime"] <= event["EndTime"]
    assert {key: event[key] for key in ("Status", "Qualifier", "InvokeType")} == {
        "Status": "FINISHED",
        "Qualifier": "$LATEST",
        "InvokeType": "Event",
    }
    code, _ = client.fails("TerminateAsyncEvent", FunctionName="orders", **ours)
    assert code == "FailedOperation.AsyncEventStatus"


def test_invocations_in_the_background_are_listed_as_asked_for(client: Client) -> None:
    """By status, by qualifier, by id, by time; what waits to be tried again can be ended."""
    for event in ('"fail"', "{}"):
        client("Invoke", FunctionName="orders", InvocationType="Event", ClientContext=event)
    service = client.panel.gateway.service

    async def settled() -> None:
        while True:
            known = await service.asynchronous.listed("orders", None, None, 10)
            if {each.retry_at is None for each in known} == {True, False} and any(
                each.ended_at for each in known
            ):
                return

    client.panel.run(settled())

    def listed(**asked: object) -> list[str]:
        found = client("ListAsyncEvents", FunctionName="orders", **asked)
        return [each["Status"] for each in found["EventList"]]

    assert listed() == ["FINISHED", "RUNNING"]
    assert listed(Order="ASC") == listed(Orderby="EndTime", Order="ASC") == ["RUNNING", "FINISHED"]
    assert listed(Status=["RUNNING", "FAILED"]) == ["RUNNING"]
    assert listed(Qualifier="1") == []
    assert listed(InvokeType=["CMQ"]) == []
    assert listed(InvokeType=["Event"], Limit=1) == ["FINISHED"]
    span = {"Start": "2000-01-01 00:00:00", "End": "2999-01-01 00:00:00"}
    assert listed(StartTimeInterval=span) == ["FINISHED", "RUNNING"]
    assert listed(EndTimeInterval=span) == ["FINISHED"]
    events = client("ListAsyncEvents", FunctionName="orders", Status=["RUNNING"])["EventList"]
    ours = {"InvokeRequestId": events[0]["InvokeRequestId"]}
    assert client("GetAsyncEventStatus", **ours)["Result"]["StatusCode"] == 0
    client("TerminateAsyncEvent", FunctionName="orders", **ours)
    (found,) = client("ListAsyncEvents", FunctionName="orders", **ours)["EventList"]
    assert found["Status"] == "ABORTED"


@pytest.mark.parametrize(
    ("key", "user"), [('{"User": "Bob"}', "v2"), ('{"User": 7}', "v1"), ("", "v1"), ("{}", "v1")]
)
@pytest.mark.parametrize("action", ["Invoke", "InvokeFunction"])
def test_both_actions_take_a_routing_key(client: Client, action: str, key: str, user: str) -> None:
    """With texts, and with numbers as a document shows them."""
    rule = {"Version": "2", "Key": "invoke.headers.User", "Method": "exact", "Expression": "Bob"}
    client(
        "UpdateAlias",
        FunctionName="orders",
        Name="release",
        FunctionVersion="1",
        RoutingConfig={"AddtionVersionMatchs": [rule]},
    )
    found = result(client, action, Qualifier="release", RoutingKey=key)
    assert json.loads(found["RetMsg"])["version"] == user
