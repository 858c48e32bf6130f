"""Functions and versions through the cloud's API, with code that comes in the request."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from gateway.controlplane.cloud.answers import RUNTIME
from gateway.controlplane.cloud.times import PAGE, Times
from gateway.core.alias import Route
from gateway.core.changes import PutAlias
from gateway.store.protocol import Author

Client = Any


def variables(**values: str) -> dict[str, object]:
    """An environment as the cloud writes it."""
    return {"Variables": [{"Key": key, "Value": value} for key, value in values.items()]}


def answered(client: Client, function: str, qualifier: str = "$LATEST") -> Any:  # noqa: ANN401
    """Which code answers."""
    told = client("InvokeFunction", FunctionName=function, Qualifier=qualifier)
    return json.loads(told["Result"]["RetMsg"])["version"]


def code(version: str, file: str = "index.py") -> str:
    """The zip, in base64, of a handler that says which one it is."""
    text = f"async def main_handler(event, context):\n    return {{'version': {version!r}}}\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(file, text)
    return b64encode(buffer.getvalue()).decode()


def test_a_function_is_made_whole(client: Client) -> None:
    """It is there when the answer is, with `$LATEST` and `$DEFAULT`, in one revision."""
    client(
        "CreateFunction",
        FunctionName="made",
        Code={"ZipFile": code("first", "app.py")},
        Handler="app.main_handler",
        Description="as the cloud makes it",
        MemorySize=256,
        Timeout=7,
        Environment=variables(A="1", B=""),
        Runtime="Python3.6",
    )
    found = client("GetFunction", FunctionName="made")
    wanted = {
        "FunctionName": "made",
        "Handler": "app.main_handler",
        "Description": "as the cloud makes it",
        "MemorySize": 256,
        "Timeout": 7,
        "Environment": variables(A="1", B=""),
        "Runtime": RUNTIME,
        "Type": "Event",
        "Status": "Active",
        "AvailableStatus": "Available",
        "Namespace": "default",
        "Qualifier": "$LATEST",
        "FunctionVersion": "$LATEST",
        "Triggers": [],
    }
    assert {key: found[key] for key in wanted} == wanted
    assert found["CodeInfo"].startswith("async def main_handler")
    assert found["CodeSize"] > 100
    assert found["AddTime"] == found["ModTime"]
    (alias,) = client("ListAliases", FunctionName="made")["Aliases"]
    assert (alias["Name"], alias["FunctionVersion"]) == ("$DEFAULT", "$LATEST")
    assert (answered(client, "made"), client.panel.revision) == ("first", 2)


def test_a_function_is_a_web_function_if_it_says_so(looker: Client) -> None:
    """A type of its own is refused."""
    code, message = looker.fails("CreateFunction", FunctionName="made", Code={}, Type="Web")
    assert code == "InvalidParameterValue.Type"
    assert "allowed: Event, HTTP" in message


def test_code_is_altered_and_published_at_once(client: Client) -> None:
    """`$LATEST` alone by default; its description and configuration stay."""
    client("UpdateFunctionConfiguration", FunctionName="orders", Timeout=9, Description="kept")
    client("UpdateFunctionCode", FunctionName="orders", ZipFile=code("fourth"))
    assert (answered(client, "orders"), client.panel.revision) == ("fourth", 3)
    client(
        "UpdateFunctionCode",
        FunctionName="orders",
        Code={"ZipFile": code("fifth", "app.py")},
        Handler="app.main_handler",
        Publish="TRUE",
    )
    assert (answered(client, "orders"), answered(client, "orders", "4")) == ("fifth", "fifth")
    found = client("GetFunction", FunctionName="orders", Qualifier="4")
    assert (found["Handler"], found["Timeout"]) == ("app.main_handler", 9)
    assert client("GetFunction", FunctionName="orders")["Description"] == "kept"
    assert client.panel.revision == 4


def test_a_configuration_is_altered_where_it_is_named(client: Client) -> None:
    """And published at once if that is asked for, from a folder that goes on being edited."""
    given = {"MemorySize": 64, "Environment": variables(A="1")}
    client("UpdateFunctionConfiguration", FunctionName="orders", **given)
    client("UpdateFunctionConfiguration", FunctionName="orders", Timeout=4, Publish="TRUE")
    found = client("GetFunction", FunctionName="orders", Qualifier="4")
    assert (found["MemorySize"], found["Timeout"]) == (64, 4)
    assert found["Environment"] == variables(A="1")
    assert (found["Handler"], answered(client, "orders", "4")) == ("index.main_handler", "latest")
    cleared = {"Environment": {"Variables": [{"Key": ""}]}}
    client("UpdateFunctionConfiguration", FunctionName="orders", **cleared)
    assert client("GetFunction", FunctionName="orders")["Environment"] == variables()


def test_half_seconds_are_told_as_whole_ones(client: Client) -> None:
    """The cloud knows no others."""
    client.panel("PUT", "/api/functions/orders/configuration", {"timeout": 0.5})
    assert client("GetFunction", FunctionName="orders")["Timeout"] == 1


def test_versions_are_published_and_listed(client: Client) -> None:
    """Numbers go up by one and are never used again."""
    told = client("PublishVersion", FunctionName="orders", Description="the fourth")
    assert told["CodeSize"] > 100
    wanted = {
        "FunctionVersion": "4",
        "Description": "the fourth",
        "Handler": "index.main_handler",
        "MemorySize": 128,
        "Timeout": 3,
        "Runtime": RUNTIME,
        "Namespace": "default",
    }
    assert {key: told[key] for key in wanted} == wanted
    client("DeleteFunctionVersion", FunctionName="orders", Qualifier="4")
    assert client("PublishVersion", FunctionName="orders")["FunctionVersion"] == "5"
    client("DeleteFunction", FunctionName="orders", Qualifier="3")
    listed = client("ListVersionByFunction", FunctionName="orders")
    assert listed["FunctionVersion"] == ["1", "2", "5", "$LATEST"]
    assert [each["Version"] for each in listed["Versions"]] == listed["FunctionVersion"]
    assert (listed["TotalCount"], listed["Versions"][0]["Status"]) == (4, "Active")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"Offset": 1, "Limit": 2}, ["2", "3"]),
        ({"Order": "DESC", "Limit": 2}, ["$LATEST", "3"]),
        ({"OrderBy": "AddTime"}, ["1", "2", "3", "$LATEST"]),
        ({"OrderBy": "ModTime"}, ["1", "2", "3", "$LATEST"]),
        ({"Limit": 0}, []),
    ],
)
def test_versions_are_listed_in_the_order_that_is_asked_for(
    looker: Client, asked: dict[str, object], found: list[str]
) -> None:
    """Page by page."""
    listed = looker("ListVersionByFunction", FunctionName="orders", **asked)
    assert (listed["FunctionVersion"], listed["TotalCount"]) == (found, 4)


def test_functions_are_listed(client: Client) -> None:
    """By name, by description, by what they are."""
    client("CreateFunction", FunctionName="api", Code={"ZipFile": code("x")}, Description="the API")

    def names(**asked: object) -> list[str]:
        return [each["FunctionName"] for each in client("ListFunctions", **asked)["Functions"]]

    assert names() == ["orders", "idle", "api"]
    assert names(Orderby="FunctionName") == ["api", "idle", "orders"]
    assert names(Orderby="FunctionName", Order="DESC") == ["orders", "idle", "api"]
    assert names(SearchKey="d") == ["orders", "idle"]
    assert names(Description="API") == ["api"]
    assert names(Offset=1, Limit=1) == ["idle"]
    assert names(Orderby="AddTime", Order="DESC")[-1] in {"orders", "idle"}
    assert names(Orderby="ModTime")[0] in {"orders", "idle"}
    filters = [
        {"Name": "Type", "Values": ["Event"]},
        {"Name": "Status", "Values": ["Creating", "Active"]},
        {"Name": "Runtime", "Values": [RUNTIME]},
    ]
    assert names(Filters=filters) == names()
    assert names(Filters=[{"Name": "Type", "Values": ["HTTP"]}]) == []
    (one,) = client("ListFunctions", SearchKey="api")["Functions"]
    assert (one["Description"], one["Status"], one["Type"]) == ("the API", "Active", "Event")


def test_the_code_of_a_version_can_be_loaded(looker: Client) -> None:
    """Where the answer says, with the checksum that it says."""
    told = looker("GetFunctionAddress", FunctionName="orders", Qualifier="2")
    base, _, path = told["Url"].partition("/api/")
    assert base == "http://127.0.0.1:8081"
    answer = looker.panel("GET", "/api/" + path)
    assert answer.status_code == 200
    assert sha256(answer.content).hexdigest() == told["CodeSha256"]


def test_code_is_not_shown_to_whoever_does_not_want_it(looker: Client) -> None:
    """Nor is a text shown where the handler is in no file of that name."""
    assert "main_handler" in looker("GetFunction", FunctionName="orders")["CodeInfo"]
    assert looker("GetFunction", FunctionName="orders", ShowCode="FALSE")["CodeInfo"] == ""


def test_a_function_is_copied(client: Client) -> None:
    """Its `$LATEST`, with its configuration or without."""
    client("UpdateFunctionConfiguration", FunctionName="orders", Timeout=9, Description="one")
    client("CopyFunction", FunctionName="orders", NewFunctionName="copy")
    found = client("GetFunction", FunctionName="copy")
    assert (found["Timeout"], found["Description"]) == (9, "one")
    assert answered(client, "copy") == "latest"
    plain = {"NewFunctionName": "plain", "CopyConfiguration": False, "Description": "two"}
    client("CopyFunction", FunctionName="orders", TargetRegion="ap-guangzhou", **plain)
    found = client("GetFunction", FunctionName="plain")
    assert (found["Timeout"], found["Description"]) == (3, "two")
    client("PublishVersion", FunctionName="copy")
    client("CopyFunction", FunctionName="idle", NewFunctionName="copy", Override=True)
    listed = client("ListVersionByFunction", FunctionName="copy")["FunctionVersion"]
    assert listed == ["$LATEST"], "a namesake that is overridden is deleted"
    client("CopyFunction", FunctionName="orders", NewFunctionName="other", Override=True)
    assert answered(client, "other") == "latest"


def test_a_function_is_deleted_with_all_its_versions(client: Client) -> None:
    """And can be made again."""
    client("PublishVersion", FunctionName="idle")
    client("DeleteFunction", FunctionName="idle")
    assert client.fails("GetFunction", FunctionName="idle")[0] == "ResourceNotFound.FunctionName"


def test_what_is_short_is_listed_too(looker: Client) -> None:
    """There is one namespace and no trigger."""
    assert looker("ListTriggers", FunctionName="orders")["TotalCount"] == 0
    assert [each["Name"] for each in looker("ListNamespaces")["Namespaces"]] == ["default"]
    account = looker("GetAccount")
    (usage,) = account["AccountUsage"]["Namespace"]
    assert (usage["Functions"], usage["FunctionsCount"]) == (["orders", "idle"], 2)
    assert account["AccountLimit"]["Namespace"][0]["FunctionsCount"] == 50


def test_times_are_those_of_the_journal(client: Client) -> None:
    """As UTC; what was deleted and made again is new."""
    panel, moments = client.panel, iter(range(1_700_000_000, 1_800_000_000, 60))
    panel.gateway.writer._clock = lambda: float(next(moments))
    client("CreateAlias", FunctionName="orders", Name="a", FunctionVersion="1")
    client("UpdateAlias", FunctionName="orders", Name="a", FunctionVersion="2")
    found = client("GetAlias", FunctionName="orders", Name="a")
    assert (found["AddTime"], found["ModTime"]) == ("2023-11-14 22:13:20", "2023-11-14 22:14:20")
    client("DeleteAlias", FunctionName="orders", Name="a")
    client("CreateAlias", FunctionName="orders", Name="a", FunctionVersion="1")
    found = client("GetAlias", FunctionName="orders", Name="a")
    assert found["AddTime"] == found["ModTime"] == "2023-11-14 22:16:20"


def test_a_long_journal_is_read_page_by_page_and_once(client: Client) -> None:
    """What is new is read, and nothing twice."""
    panel = client.panel
    store = panel.gateway.service.store

    class Counting:
        """Counts what is read."""

        read = 0

        async def records(self, **asked: Any) -> Any:  # noqa: ANN401
            page = await store.records(**asked)
            self.read += len(page)
            return page

    async def whole() -> None:
        author = Author("test", "here")
        for number in range(PAGE + 2):
            change = PutAlias("orders", "moving", Route("12"[number % 2]))
            await panel.gateway.service.change(change, author)
        counting = Counting()
        times = Times(counting)  # type: ignore[arg-type]
        live = panel.revision
        await times.up_to(live)
        assert counting.read == live
        await times.up_to(live)
        assert counting.read == live, "nothing was new"
        assert times.added("functions", "orders", "aliases", "moving")
        assert times.added("functions", "orders", "aliases", "absent") == ""
        change = PutAlias("orders", "moving", Route("3"))
        await panel.gateway.service.change(change, author)
        await times.up_to(live + 1)
        assert counting.read <= live + PAGE
        fresh = Times(store)
        await asyncio.gather(fresh.up_to(live + 1), fresh.up_to(live + 1))
        where = ("functions", "orders", "aliases", "moving")
        assert fresh.altered(*where) == times.altered(*where)

    panel.run(whole())
