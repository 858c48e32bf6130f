"""Triggers through the cloud's API: function URLs by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.controlplane.cloud.urls import url_of

Client = Any
Asking = Callable[[Any], Client]

T = {"FunctionName": "orders", "TriggerName": "url", "Type": "http"}
DATA = "http://127.0.0.1:9000"


def names(client: Client, **more: object) -> list[str]:
    """The names of the triggers of `orders`."""
    told = client("ListTriggers", FunctionName="orders", **more)
    return [trigger["TriggerName"] for trigger in told["Triggers"]]


def test_a_trigger_names_a_function_url(client: Client) -> None:
    """It tells the URL of its qualifier, and is listed; the revision goes up by one."""
    client.panel.gateway.service.data_url = DATA
    given = {"Qualifier": "release", "Description": "for callers"}
    told = client("CreateTrigger", **T, **given)["TriggerInfo"]
    assert {key: told[key] for key in ("TriggerName", "Type", *given)} == {
        "TriggerName": "url",
        "Type": "http",
        **given,
    }
    assert (told["Enable"], told["AvailableStatus"], told["BindStatus"]) == (1, "Available", "on")
    assert told["AddTime"] == told["ModTime"] != ""
    assert json.loads(told["TriggerDesc"]) == {
        "AuthType": "NONE",
        "NetConfig": {
            "EnableIntranet": False,
            "IntranetUrl": "",
            "EnableExtranet": True,
            "ExtranetUrl": "http://orders--release.fn.localhost:9000",
        },
    }
    assert client("ListTriggers", FunctionName="orders")["Triggers"] == [
        {**told, "BoundResources": ""}
    ]
    assert client("ListTriggers", FunctionName="idle")["TotalCount"] == 0
    assert client.panel.revision == 2


def test_what_is_in_use_is_not_made_again(client: Client) -> None:
    """Neither a name nor the URL of a qualifier; another function may have the same name."""
    client("CreateTrigger", **T, Qualifier="release")
    assert client.fails("CreateTrigger", **T, Qualifier="spare") == (
        "ResourceInUse.TriggerName",
        "function 'orders' has a trigger 'url' already",
    )
    code, message = client.fails(
        "CreateTrigger", **{**T, "TriggerName": "other"}, Qualifier="release"
    )
    assert (code, "'url' has the URL of 'release'" in message) == ("ResourceInUse.Trigger", True)
    client("CreateTrigger", **{**T, "FunctionName": "idle"})
    assert client.panel.revision == 3


def test_a_trigger_is_altered_where_it_is_named(client: Client) -> None:
    """Its description and its nets; what is not named stays."""
    client("CreateTrigger", **T, Description="first")
    nets = {"NetConfig": {"EnableIntranet": True, "EnableExtranet": False}}
    client("UpdateTrigger", **T, TriggerDesc=json.dumps(nets))
    (found,) = client("ListTriggers", FunctionName="orders")["Triggers"]
    told = json.loads(found["TriggerDesc"])["NetConfig"]
    assert (told["IntranetUrl"] != "", told["ExtranetUrl"]) == (True, "")
    assert found["Description"] == "first"
    client("UpdateTrigger", **T, Enable="OPEN", Qualifier="$LATEST", Description="")
    (altered,) = client("ListTriggers", FunctionName="orders")["Triggers"]
    assert altered == {**found, "Description": "", "ModTime": altered["ModTime"]}
    code, message = client.fails("UpdateTrigger", **T, Qualifier="release")
    assert (code, "it has url at $LATEST" in message) == ("ResourceNotFound.Trigger", True)


def test_a_url_cannot_be_closed(client: Client) -> None:
    """Whoever asks for it is told so; opening what is open alters nothing."""
    client("CreateTrigger", **T)
    client("UpdateTriggerStatus", **T, Enable="OPEN")
    for action in ("UpdateTrigger", "UpdateTriggerStatus"):
        code, message = client.fails(action, **T, Enable="CLOSE")
        assert (code, "always open" in message) == ("UnsupportedOperation", True)
    assert client.panel.revision == 2


def test_a_trigger_is_deleted(client: Client) -> None:
    """Once."""
    client("CreateTrigger", **T)
    client("DeleteTrigger", **T)
    assert names(client) == []
    assert client.fails("DeleteTrigger", **T)[0] == "ResourceNotFound.Trigger"


@pytest.mark.parametrize(
    ("qualifier", "action", "given"),
    [
        ("spare", "DeleteAlias", {"Name": "spare"}),
        ("3", "DeleteFunctionVersion", {"Qualifier": "3"}),
    ],
)
def test_a_trigger_goes_with_its_qualifier(
    client: Client, qualifier: str, action: str, given: dict[str, str]
) -> None:
    """Those of others stay."""
    client("CreateTrigger", **T)
    client("CreateTrigger", **{**T, "TriggerName": "gone"}, Qualifier=qualifier)
    client(action, FunctionName="orders", **given)
    assert names(client) == ["url"]


def test_a_trigger_goes_with_its_function(client: Client) -> None:
    """And is not there again when another function gets the name."""
    copied = {"FunctionName": "idle", "NewFunctionName": "copy"}
    client("CopyFunction", **copied)
    client("CreateTrigger", **{**T, "FunctionName": "copy"})
    client("DeleteFunction", FunctionName="copy")
    client("CopyFunction", **copied)
    assert client("ListTriggers", FunctionName="copy")["Triggers"] == []


def test_triggers_are_listed_page_by_page(client: Client) -> None:
    """Filtered and in the order that is asked for."""
    for name, qualifier in (("b", "$DEFAULT"), ("a", "release"), ("c", "1")):
        client("CreateTrigger", **{**T, "TriggerName": name}, Qualifier=qualifier)
    assert names(client) == ["b", "a", "c"]
    assert names(client, Order="DESC") == ["c", "a", "b"]
    assert names(client, Offset=1, Limit=1) == ["a"]
    assert sorted(names(client, OrderBy="mod_time")) == ["a", "b", "c"]
    assert names(client, Filters=[{"Name": "Qualifier", "Values": ["1", "$DEFAULT"]}]) == ["b", "c"]


def test_a_version_tells_the_triggers_of_its_number(client: Client) -> None:
    """In the form that GetFunction has for them."""
    client("CreateTrigger", **T)
    (told,) = client("GetFunction", FunctionName="orders")["Triggers"]
    assert (told["TriggerName"], "BoundResources" in told) == ("url", False)
    assert client("GetFunction", FunctionName="orders", Qualifier="1")["Triggers"] == []


def test_triggers_are_remembered(open_panel: Any, project: Path, asking: Asking) -> None:  # noqa: ANN401
    """They are part of the state, with their times."""
    state = project.parent / "state" / "g.db"
    first = asking(open_panel(state=state))
    told = first("CreateTrigger", **T)["TriggerInfo"]
    again = asking(open_panel(state=state))
    (found,) = again("ListTriggers", FunctionName="orders")["Triggers"]
    assert found == {**told, "BoundResources": ""}


A = {"FunctionName": "orders", "TriggerName": "SCF_API_SERVICE", "Type": "apigw"}


def described(path: str) -> str:
    """The TriggerDesc of an API."""
    api = {"isIntegratedResponse": "TRUE", "requestConfig": {"method": "GET", "path": path}}
    return json.dumps({"api": api, "release": {"environmentName": "test"}})


def test_an_api_is_a_trigger_too(client: Client) -> None:
    """Made and released in one revision, listed beside function URLs, and taken back in one."""
    told = client("CreateTrigger", **A, TriggerDesc=described("/a"), Qualifier="release")
    assert told["TriggerInfo"]["Qualifier"] == "release"
    assert client.panel.revision == 2
    client("CreateTrigger", **T)
    listed = client("ListTriggers", FunctionName="orders")["Triggers"]
    assert [each["Type"] for each in listed] == ["http", "apigw"]
    assert listed[1] == {**told["TriggerInfo"], "BoundResources": ""}
    client("UpdateTriggerStatus", **A, Enable="OPEN")
    client("DeleteTrigger", **A)
    assert names(client) == ["url"]
    assert client.panel.revision == 4


def test_of_several_apis_one_is_named_by_its_description(client: Client) -> None:
    """As it was given, or as it is told."""
    for path in ("/a", "/b"):
        client("CreateTrigger", **A, TriggerDesc=described(path))
    code, message = client.fails("DeleteTrigger", **A)
    assert (code, "2 apigw triggers" in message) == ("InvalidParameterValue.TriggerDesc", True)
    wrong = json.dumps({"api": {"requestConfig": "GET"}})
    assert client.fails("DeleteTrigger", **A, TriggerDesc=wrong)[0] == "ResourceNotFound.Trigger"
    client("DeleteTrigger", **A, TriggerDesc=described("/a"))
    (left,) = client("ListTriggers", FunctionName="orders")["Triggers"]
    assert json.loads(left["TriggerDesc"])["api"]["requestConfig"]["path"] == "/b"
    client("DeleteTrigger", **A, TriggerDesc=left["TriggerDesc"], Qualifier="$LATEST")
    assert names(client) == []


@pytest.mark.parametrize(
    ("function", "qualifier", "url"),
    [
        ("orders", "$DEFAULT", "http://orders.fn.localhost:9000"),
        ("orders", "$LATEST", "http://orders--latest.fn.localhost:9000"),
        ("Orders", "Release", "http://orders--release.fn.localhost:9000"),
        ("orders", "2", "http://orders--2.fn.localhost:9000"),
    ],
)
def test_every_qualifier_has_a_url(function: str, qualifier: str, url: str) -> None:
    """As function URLs are read."""
    assert url_of(function, qualifier, DATA) == url
    assert url_of(function, qualifier, "http://shop.test") == url.removesuffix(":9000")
