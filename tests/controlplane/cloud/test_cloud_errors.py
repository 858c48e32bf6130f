"""Mistakes, action by action: what is missing, of another type, unknown, or in the way.

Each is answered with a code that the cloud documents for the action, or with a common one.
"""

from __future__ import annotations

import importlib
import io
import zipfile
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.controlplane.cloud.actions import ACTIONS
from gateway.controlplane.cloud.documented import COMMON, DOCUMENTED
from gateway.controlplane.cloud.errors import (
    NO_FUNCTION,
    NO_VERSION,
    NOT_FOUND,
    CloudError,
    code_for,
    translated,
)
from gateway.core.errors import Problem, Refused
from gateway.store.invocations import TooManyInvocations
from gateway.store.protocol import PackageNotFound, StaleRevision

Client = Any
Given = Mapping[str, Any]

F = {"FunctionName": "orders"}
A = {**F, "Name": "release"}
V = {**A, "FunctionVersion": "1"}
NEW = {"FunctionName": "made", "Code": {"ZipFile": "UEs="}}
COPY = {**F, "NewFunctionName": "made"}
EVENT = {**F, "InvokeRequestId": "nobody"}
T = {**F, "TriggerName": "url", "Type": "http"}

COMPLETE: dict[str, Given] = {
    "CreateFunction": NEW,
    "UpdateFunctionCode": F,
    "UpdateFunctionConfiguration": F,
    "CopyFunction": COPY,
    "GetFunction": F,
    "GetFunctionAddress": F,
    "ListFunctions": {},
    "DeleteFunction": F,
    "DeleteFunctionVersion": {**F, "Qualifier": "1"},
    "PublishVersion": F,
    "ListVersionByFunction": F,
    "CreateAlias": V,
    "UpdateAlias": V,
    "GetAlias": A,
    "ListAliases": F,
    "DeleteAlias": A,
    "Invoke": F,
    "InvokeFunction": F,
    "GetAsyncEventStatus": {"InvokeRequestId": "nobody"},
    "ListAsyncEvents": F,
    "TerminateAsyncEvent": EVENT,
    "GetFunctionLogs": {},
    "GetRequestStatus": {**F, "FunctionRequestId": "nobody"},
    "CreateTrigger": T,
    "UpdateTrigger": T,
    "UpdateTriggerStatus": {**T, "Enable": "OPEN"},
    "ListTriggers": F,
    "DeleteTrigger": T,
    "ListNamespaces": {},
    "GetAccount": {},
}
"""What each action needs."""

MISSING = {
    ("CreateFunction", "Code"): "MissingParameter.Code",
    ("GetFunction", "FunctionName"): "InvalidParameter.FunctionNameOrResourceIdRequired",
}
"""Codes of their own, where the cloud documents one."""

NEEDS = [(action, name) for action, given in COMPLETE.items() for name in given]
NAMING = sorted(action for action, given in COMPLETE.items() if "FunctionName" in given)


def zipped(text: str) -> str:
    """A zip with this index.py, in base64."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", text)
    return b64encode(buffer.getvalue()).decode()


def is_documented(code: str, action: str) -> bool:
    """Whether the cloud says that an action may answer so."""
    return code in COMMON or code in DOCUMENTED.get(action, frozenset())


def test_the_table_has_every_action() -> None:
    """So that none is left out below."""
    assert set(COMPLETE) == set(ACTIONS) == set(DOCUMENTED)


def test_every_code_is_one_of_the_official_clients() -> None:
    """By its own list; the common ones are in every client's."""
    errors = importlib.import_module("tencentcloud.scf.v20180416.errorcodes")
    official = {value for value in vars(errors).values() if isinstance(value, str)}
    for action, codes in DOCUMENTED.items():
        assert codes <= official, action


@pytest.mark.parametrize(("action", "name"), NEEDS)
def test_what_is_needed_and_missing_is_named(looker: Client, action: str, name: str) -> None:
    """With the one code of its own where there is one."""
    given = {key: value for key, value in COMPLETE[action].items() if key != name}
    code, message = looker.fails(action, **given)
    assert code == MISSING.get((action, name), "MissingParameter")
    assert message == f"the parameter {name} is missing"


@pytest.mark.parametrize(("action", "name"), NEEDS)
def test_what_is_of_another_type_is_named(looker: Client, action: str, name: str) -> None:
    """Nothing is made another value in silence."""
    code, message = looker.fails(action, **{**COMPLETE[action], name: 7})
    assert code == "InvalidParameter"
    assert message.startswith(f"the parameter {name} is 7; input should be ")


@pytest.mark.parametrize("action", sorted(COMPLETE))
def test_there_is_one_namespace(looker: Client, action: str) -> None:
    """Each action says so with its own code."""
    code, message = looker.fails(action, **COMPLETE[action], Namespace="other")
    assert code in {
        "ResourceNotFound.Namespace",
        "InvalidParameterValue.Namespace",
        "ResourceNotFound",
    }
    assert is_documented(code, action)
    assert message.startswith("there is no namespace 'other'; there is default")


@pytest.mark.parametrize("action", [action for action in NAMING if action != "CreateFunction"])
def test_a_function_that_is_not_there_is_named(looker: Client, action: str) -> None:
    """Official clients look for the code, and for words in the message."""
    given = {**COMPLETE[action], "FunctionName": "order"}
    code, message = looker.fails(action, **given)
    assert code in {
        "ResourceNotFound.FunctionName",
        "ResourceNotFound.Function",
        "ResourceNotFound",
    }
    assert is_documented(code, action)
    assert "'order'" in message
    assert "orders" in message
    assert NOT_FOUND in message
    assert looker.panel.revision == 1


UNKNOWN: list[tuple[str, Given, str]] = [
    ("GetFunction", {**F, "Qualifier": "9"}, "ResourceNotFound.Version"),
    ("GetFunctionAddress", {**F, "Qualifier": "9"}, "ResourceNotFound.FunctionVersion"),
    ("DeleteFunction", {**F, "Qualifier": "9"}, "ResourceNotFound.Qualifier"),
    ("DeleteFunctionVersion", {**F, "Qualifier": "9"}, "ResourceNotFound.Qualifier"),
    (
        "CreateAlias",
        {**V, "Name": "new", "FunctionVersion": "9"},
        "ResourceNotFound.FunctionVersion",
    ),
    ("UpdateAlias", {**V, "FunctionVersion": "nine"}, "ResourceNotFound.FunctionVersion"),
    (
        "UpdateAlias",
        {**V, "RoutingConfig": {"AdditionalVersionWeights": [{"Version": "9", "Weight": 0}]}},
        "ResourceNotFound.FunctionVersion",
    ),
    ("UpdateAlias", {**V, "Name": "relaese"}, "ResourceNotFound.Alias"),
    ("GetAlias", {**A, "Name": "relaese"}, "ResourceNotFound.Alias"),
    ("DeleteAlias", {**A, "Name": "relaese"}, "ResourceNotFound.Alias"),
    ("InvokeFunction", {**F, "Qualifier": "9"}, "ResourceNotFound.Qualifier"),
    ("Invoke", {**F, "Qualifier": "9"}, "ResourceNotFound"),
    (
        "Invoke",
        {**F, "Qualifier": "9", "InvocationType": "Event"},
        "ResourceNotFound",
    ),
    ("GetAsyncEventStatus", {"InvokeRequestId": "nobody"}, "ResourceNotFound.AsyncEvent"),
    ("TerminateAsyncEvent", EVENT, "ResourceNotFound.AsyncEvent"),
    ("GetFunctionLogs", {"FunctionName": "absent"}, "ResourceNotFound.FunctionName"),
    ("CreateTrigger", {**T, "Qualifier": "9"}, "ResourceNotFound.Qualifier"),
    ("UpdateTrigger", T, "ResourceNotFound.Trigger"),
    ("UpdateTriggerStatus", {**T, "Enable": "OPEN"}, "ResourceNotFound.Trigger"),
    ("DeleteTrigger", {**T, "Qualifier": "release"}, "ResourceNotFound.Trigger"),
]


@pytest.mark.parametrize(("action", "given", "code"), UNKNOWN)
def test_what_is_not_there_is_named(looker: Client, action: str, given: Given, code: str) -> None:
    """A version, an alias, an invocation."""
    found, message = looker.fails(action, **given)
    assert found == code
    assert is_documented(code, action)
    assert NOT_FOUND in message
    assert looker.panel.revision == 1


LONG = "x" * 1001
BIG = {"Variables": [{"Key": "A", "Value": "x" * 4096}]}
TWICE = {"Variables": [{"Key": "A", "Value": "1"}, {"Key": "A", "Value": "2"}]}
COS = {"CosBucketName": "b", "CosObjectName": "o"}

WRONG: list[tuple[str, Given, str, str]] = [
    ("CreateFunction", {**NEW, "FunctionName": "orders"}, "ResourceInUse.FunctionName", "already"),
    (
        "CreateFunction",
        {**NEW, "FunctionName": "-"},
        "InvalidParameterValue.FunctionName",
        "1 to 60",
    ),
    (
        "CreateFunction",
        {**NEW, "Handler": "main"},
        "InvalidParameterValue.Handler",
        "file.function",
    ),
    ("CreateFunction", {**NEW, "Description": LONG}, "InvalidParameterValue.Description", "1000"),
    ("CreateFunction", {**NEW, "MemorySize": 100}, "InvalidParameterValue.MemorySize", "steps"),
    ("CreateFunction", {**NEW, "MemorySize": 3200}, "LimitExceeded.Memory", "at most 3072 MB"),
    ("CreateFunction", {**NEW, "Timeout": 901}, "LimitExceeded.Timeout", "at most 900 seconds"),
    ("CreateFunction", {**NEW, "Timeout": 0}, "InvalidParameterValue", "1 to 900"),
    (
        "CreateFunction",
        {**NEW, "Runtime": "Nodejs18.15"},
        "InvalidParameterValue.Runtime",
        "Python",
    ),
    (
        "CreateFunction",
        {**NEW, "Environment": BIG},
        "InvalidParameterValue.EnvironmentExceededLimit",
        "is 4097; allowed: at most 4096 bytes",
    ),
    ("CreateFunction", {**NEW, "Environment": TWICE}, "InvalidParameterValue.Environment", "once"),
    (
        "CreateFunction",
        {**NEW, "Environment": {"Variables": [{"Key": "9", "Value": ""}]}},
        "InvalidParameterValue.Environment",
        "'9'",
    ),
    ("CreateFunction", NEW, "InvalidParameterValue.ZipFile", "cannot be used"),
    (
        "CreateFunction",
        {**NEW, "Code": {"ZipFile": "?"}},
        "InvalidParameterValue.ZipFileBase64BinasciiError",
        "not base64",
    ),
    ("CreateFunction", {**NEW, "Code": {}}, "InvalidParameterValue.Code", "there is no code"),
    ("CreateFunction", {**NEW, "Code": COS}, "ResourceNotFound.CosObject", "no object 'o'"),
    (
        "CreateFunction",
        {**NEW, "Code": {"ZipFile": "UEs=", "DemoId": "d"}},
        "InvalidParameterValue.Code",
        "one source",
    ),
    ("UpdateFunctionCode", F, "InvalidParameterValue.Code", "there is no code"),
    ("UpdateFunctionCode", {**F, **COS}, "InvalidParameterValue.CosObjectName", "no object 'o'"),
    ("UpdateFunctionCode", {**F, "Publish": "yes"}, "InvalidParameterValue", "TRUE, FALSE"),
    (
        "UpdateFunctionConfiguration",
        {**F, "Publish": "yes"},
        "InvalidParameterValue",
        "TRUE, FALSE",
    ),
    (
        "UpdateFunctionConfiguration",
        {**F, "MemorySize": 9},
        "InvalidParameterValue.MemorySize",
        "64",
    ),
    (
        "UpdateFunctionConfiguration",
        {**F, "Handler": "absent.main_handler"},
        "FailedOperation.UpdateFunctionConfiguration",
        "absent",
    ),
    ("CopyFunction", {**COPY, "NewFunctionName": "idle"}, "ResourceInUse.FunctionName", "already"),
    ("CopyFunction", {**COPY, "NewFunctionName": "9"}, "InvalidParameterValue.FunctionName", "'9'"),
    ("CopyFunction", {**COPY, "TargetNamespace": "n"}, "ResourceNotFound.Namespace", "'n'"),
    ("CopyFunction", {**COPY, "TargetRegion": "r"}, "UnsupportedOperation.Region", "'r'"),
    ("CopyFunction", {**COPY, "Description": LONG}, "InvalidParameterValue.Description", "1000"),
    ("ListFunctions", {"Order": "UP"}, "InvalidParameterValue.Order", "ASC, DESC"),
    ("ListFunctions", {"Orderby": "Size"}, "InvalidParameterValue", "FunctionName"),
    ("ListFunctions", {"Offset": -1}, "InvalidParameterValue.Offset", "-1"),
    ("ListFunctions", {"Limit": -1}, "InvalidParameterValue.Limit", "-1"),
    (
        "ListFunctions",
        {"Filters": [{"Name": "VpcId", "Values": []}]},
        "UnsupportedOperation",
        "Status, Runtime, Type",
    ),
    ("ListVersionByFunction", {**F, "Order": "UP"}, "InvalidParameterValue.Order", "ASC"),
    ("ListVersionByFunction", {**F, "OrderBy": "Size"}, "InvalidParameterValue", "AddTime"),
    ("ListVersionByFunction", {**F, "Limit": -1}, "InvalidParameterValue", "-1"),
    ("DeleteFunction", F, "FailedOperation.DeleteFunction", "answers '/orders/{id}'"),
    ("DeleteFunction", {**F, "Qualifier": "2"}, "UnsupportedOperation.AliasBind", "spare"),
    ("DeleteFunctionVersion", {**F, "Qualifier": "1"}, "UnsupportedOperation.AliasBind", "release"),
    (
        "DeleteFunctionVersion",
        {**F, "Qualifier": "$LATEST"},
        "InvalidParameterValue.Qualifier",
        "a published version",
    ),
    ("PublishVersion", {**F, "Description": LONG}, "InvalidParameterValue.Description", "is 1001"),
    ("CreateAlias", V, "ResourceInUse.Alias", "'release'"),
    ("CreateAlias", {**V, "Name": "$DEFAULT"}, "ResourceInUse.Alias", "'$DEFAULT'"),
    ("CreateAlias", {**V, "Name": "$other"}, "InvalidParameterValue.Name", "start with a letter"),
    (
        "CreateAlias",
        {**V, "Name": "n", "Description": LONG},
        "InvalidParameterValue.Description",
        "",
    ),
    ("CreateAlias", {**V, "RoutingConfig": []}, "InvalidParameter.RoutingConfig", "RoutingConfig"),
    ("DeleteAlias", {**A, "Name": "$DEFAULT"}, "InvalidParameterValue.Alias", "cannot be deleted"),
    ("DeleteAlias", A, "FailedOperation.DeleteAlias", "answers"),
    ("ListAliases", {**F, "Offset": "-1"}, "InvalidParameterValue", "digits"),
    ("Invoke", {**F, "InvocationType": "Later"}, "InvalidParameterValue", "RequestResponse, Event"),
    ("Invoke", {**F, "ClientContext": "{"}, "InvalidParameterValue.Param", "not JSON"),
    ("Invoke", {**F, "LogType": "All"}, "InvalidParameterValue", "None, Tail"),
    (
        "Invoke",
        {**F, "InvocationType": "Event", "ClientContext": f'"{"x" * 131_072}"'},
        "InvalidParameterValue",
        "is 131074; allowed: at most 131072 bytes",
    ),
    ("InvokeFunction", {**F, "Event": "NaN"}, "InvalidParameterValue.Param", "NaN is no number"),
    ("InvokeFunction", {**F, "RoutingKey": "[]"}, "InvalidParameterValue.Param", "a JSON object"),
    ("InvokeFunction", {**F, "RoutingKey": '{"a": null}'}, "InvalidParameterValue.Param", "null"),
    ("InvokeFunction", {**F, "RoutingKey": " " * 1025}, "InvalidParameterValue.Param", "is 1025"),
    (
        "InvokeFunction",
        {**F, "Event": f'"{"x" * 6_291_456}"'},
        "InvalidParameter.RequestTooLarge",
        "at most 6291456 bytes",
    ),
    ("ListAsyncEvents", {**F, "Status": ["DONE"]}, "InvalidParameterValue.Status", "RUNNING"),
    ("ListAsyncEvents", {**F, "Orderby": "Size"}, "InvalidParameterValue", "StartTime"),
    ("GetFunctionLogs", {"Order": "ASC"}, "InvalidParameterValue.Order", "desc, asc"),
    ("GetFunctionLogs", {"OrderBy": "size"}, "InvalidParameterValue.OrderBy", "duration"),
    ("GetFunctionLogs", {"Offset": -1}, "InvalidParameterValue.Offset", "0 and above"),
    ("GetFunctionLogs", {"Limit": -1}, "InvalidParameterValue", "0 and above"),
    ("GetFunctionLogs", {"Offset": 9990, "Limit": 11}, "LimitExceeded.Offset", "10001"),
    (
        "GetFunctionLogs",
        {"Filter": {"RetCode": "not1"}},
        "InvalidParameterValue.RetCode",
        "is0, not0",
    ),
    ("GetFunctionLogs", {"StartTime": "noon"}, "InvalidParameterValue.DateTime", "'noon'"),
    (
        "GetFunctionLogs",
        {"StartTime": "2025-01-02 00:00:00", "EndTime": "2025-01-01 00:00:00"},
        "InvalidParameterValue.StartTimeOrEndTime",
        "is before",
    ),
    (
        "GetFunctionLogs",
        {"StartTime": "2025-01-01 00:00:00", "EndTime": "2025-01-02 00:00:01"},
        "InvalidParameterValue.StartTimeOrEndTime",
        "at most 86400 seconds",
    ),
    (
        "GetRequestStatus",
        {**COMPLETE["GetRequestStatus"], "StartTime": "2025-01-01 00:00:00"},
        "InvalidParameterValue.StartTimeOrEndTime",
        "both",
    ),
    (
        "GetRequestStatus",
        {**COMPLETE["GetRequestStatus"], "EndTime": "2025-01-01T00:00:00"},
        "InvalidParameterValue.DateTime",
        "no moment",
    ),
    ("CreateTrigger", {**T, "Type": "htpp"}, "InvalidParameterValue.Type", "allowed: http, apigw"),
    ("CreateTrigger", {**T, "Type": "timer"}, "UnsupportedOperation", "the events of timer"),
    ("CreateTrigger", {**T, "Enable": "ON"}, "InvalidParameterValue.Enable", "OPEN, CLOSE"),
    ("CreateTrigger", {**T, "Enable": "CLOSE"}, "UnsupportedOperation", "always open"),
    ("CreateTrigger", {**T, "TriggerName": "a b"}, "InvalidParameterValue.TriggerName", "100"),
    (
        "CreateTrigger",
        {**T, "CustomArgument": "x"},
        "InvalidParameterValue.CustomArgument",
        "for timers",
    ),
    ("CreateTrigger", {**T, "TriggerDesc": "{"}, "InvalidParameterValue.TriggerDesc", "not JSON"),
    ("CreateTrigger", {**T, "TriggerDesc": "[]"}, "InvalidParameterValue.TriggerDesc", "object"),
    (
        "CreateTrigger",
        {**T, "TriggerDesc": '{"NetConfig": []}'},
        "InvalidParameterValue.TriggerDesc",
        "NetConfig is []",
    ),
    (
        "CreateTrigger",
        {**T, "TriggerDesc": '{"NetConfig": {"EnableExtranet": "yes"}}'},
        "InvalidParameterValue.TriggerDesc",
        "true or false",
    ),
    (
        "CreateTrigger",
        {**T, "TriggerDesc": '{"NetConfig": {"EnableExtranet": false}}'},
        "InvalidParameterValue.TriggerDesc",
        "one of them true",
    ),
    (
        "CreateTrigger",
        {**T, "TriggerDesc": '{"AuthType": "CAM"}'},
        "UnsupportedOperation",
        "'CAM'",
    ),
    (
        "CreateTrigger",
        {**T, "TriggerDesc": '{"CorsConfig": {}}'},
        "UnsupportedOperation",
        "no CorsConfig",
    ),
    (
        "CreateTrigger",
        {**T, "Type": "apigw", "TriggerDesc": "{"},
        "InvalidParameterValue.TriggerDesc",
        "no JSON",
    ),
    (
        "CreateTrigger",
        {**T, "Type": "apigw", "TriggerDesc": '{"service": {"serviceId": "service-0"}}'},
        "ResourceNotFound",
        "service-0",
    ),
    ("UpdateTrigger", {**T, "Type": "apigw"}, "UnsupportedOperation", "ModifyApi"),
    ("DeleteTrigger", {**T, "Type": "apigw"}, "ResourceNotFound.Trigger", "no apigw trigger"),
    (
        "DeleteTrigger",
        {**T, "Type": "apigw", "TriggerDesc": "{"},
        "InvalidParameterValue.TriggerDesc",
        "not JSON",
    ),
    (
        "DeleteTrigger",
        {**T, "Type": "apigw", "TriggerDesc": "[]"},
        "InvalidParameterValue.TriggerDesc",
        "a JSON object",
    ),
    ("UpdateTrigger", {**T, "Type": "kafka"}, "InvalidParameterValue.Type", "'kafka'"),
    ("UpdateTrigger", {**T, "CustomArgument": "x"}, "InvalidParameterValue", "for timers"),
    ("UpdateTrigger", {**T, "TriggerDesc": "{"}, "InvalidParameterValue.TriggerDesc", "JSON"),
    (
        "UpdateTriggerStatus",
        {**T, "Type": "", "Enable": "OPEN"},
        "InvalidParameterValue.Type",
        "''",
    ),
    ("DeleteTrigger", {**T, "Type": "cos"}, "UnsupportedOperation", "the events of cos"),
    ("ListTriggers", {**F, "Order": "UP"}, "InvalidParameterValue.Order", "ASC, DESC"),
    ("ListTriggers", {**F, "OrderBy": "Size"}, "InvalidParameterValue.OrderBy", "add_time"),
    (
        "ListTriggers",
        {**F, "Filters": [{"Name": "Type", "Values": []}]},
        "InvalidParameterValue.Filters",
        "TriggerName",
    ),
    ("ListTriggers", {**F, "Limit": -1}, "InvalidParameterValue", "-1"),
]


@pytest.mark.parametrize(("action", "given", "code", "said"), WRONG)
def test_what_is_wrong_is_told_and_nothing_is_altered(
    looker: Client, action: str, given: Given, code: str, said: str
) -> None:
    """The limits of the cloud, and what stands in the way."""
    found, message = looker.fails(action, **given)
    assert found == code
    assert is_documented(code, action)
    assert said in message
    assert looker.panel.revision == 1


def test_a_function_that_does_not_load_is_not_made(looker: Client) -> None:
    """The mistake is in the message; the cloud would tell it at the first invocation."""
    code = {"ZipFile": zipped("def main_handler(:\n")}
    found, message = looker.fails("CreateFunction", FunctionName="broken", Code=code)
    assert found == "FailedOperation.CreateFunction"
    assert "index.py" in message
    assert looker.panel.revision == 1


def test_a_web_function_is_not_invoked_with_events(client: Client) -> None:
    """Each action with its own code."""
    code = {"ZipFile": zipped("async def app(scope, receive, send):\n    pass\n")}
    made = {"FunctionName": "made", "Handler": "index.app", "Type": "HTTP", "Code": code}
    client("CreateFunction", **made)
    assert client("GetFunction", FunctionName="made")["Type"] == "HTTP"
    found, message = client.fails("InvokeFunction", FunctionName="made")
    assert found == "InvalidParameterValue.FunctionType"
    assert "web function" in message
    assert client.fails("Invoke", FunctionName="made")[0] == "InvalidParameterValue"


def test_fifty_functions_are_the_most(client: Client) -> None:
    """As in a namespace of the cloud; the gateway itself has no such limit."""
    for number in range(48):
        client("CopyFunction", FunctionName="idle", NewFunctionName=f"copy{number}")
    code, message = client.fails("CopyFunction", FunctionName="idle", NewFunctionName="another")
    assert code == "LimitExceeded.Function"
    assert "is 51; allowed: at most 50" in message
    assert client.fails("CreateFunction", **NEW)[0] == "LimitExceeded.Function"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused([Problem("something-new", "no", hint="do that")]), "FailedOperation.CreateAlias"),
        (StaleRevision(1, 2), "ResourceInUse"),
        (PackageNotFound("sha256:x"), "FailedOperation.CreateAlias"),
        (TooManyInvocations(9), "LimitExceeded"),
    ],
)
def test_what_happens_rarely_has_a_code_as_well(error: Exception, code: str) -> None:
    """A refusal that has no code of its own is a failure of the action."""
    found = translated(error, "CreateAlias")
    assert found is not None
    assert code_for(found.codes, "CreateAlias") == code
    assert str(error) in str(found)


def test_what_nobody_foresaw_is_not_translated() -> None:
    """It goes into the log."""
    assert translated(RuntimeError("x"), "CreateAlias") is None


def test_a_code_that_is_not_documented_becomes_the_general_one() -> None:
    """The first one that is documented goes before."""
    assert code_for(NO_FUNCTION, "DeleteAlias") == "ResourceNotFound.FunctionName"
    assert code_for(NO_VERSION, "InvokeFunction") == "ResourceNotFound.Qualifier"
    assert code_for(NO_VERSION, "GetAlias") == "ResourceNotFound"
    assert code_for(("LimitExceeded.Alias",), "NoSuchAction") == "LimitExceeded"
    assert CloudError("A.B", "text").codes == ("A.B",)
