"""What each action answers, field by field, held against the official SDK's own models."""

from __future__ import annotations

import importlib
import inspect
import io
import json
import re
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from gateway.controlplane.cloud.actions import ACTIONS

Client = Any
Asking = Callable[[Any], Client]

models: Any = importlib.import_module("tencentcloud.scf.v20180416.models")

_FIELD: Final = re.compile(r":type (\w+): (.+)")
_SCALARS: Final[dict[str, tuple[type, ...]]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}

F = {"FunctionName": "orders"}
A = {**F, "Name": "prepub"}
T = {**F, "TriggerName": "url", "Type": "http"}
RULED = {
    "FunctionVersion": "1",
    "RoutingConfig": {
        "AddtionVersionMatchs": [
            {"Version": "2", "Key": "invoke.headers.A", "Method": "exact", "Expression": "b"}
        ]
    },
}
WEIGHTED = {
    "FunctionVersion": "1",
    "RoutingConfig": {"AdditionalVersionWeights": [{"Version": "2", "Weight": 0.1}]},
}


def fields(model: type) -> dict[str, str]:
    """The fields of one of the SDK's classes, with their types in its own words."""
    return dict(_FIELD.findall(inspect.getdoc(model.__init__) or ""))  # type: ignore[misc]


def wrong(value: object, kind: str, at: str) -> Iterator[str]:
    """What in a value is not as the SDK has it."""
    if kind.startswith("list of "):
        if not isinstance(value, list):
            yield f"{at} is {value!r}, no list"
            return
        for number, each in enumerate(value):
            yield from wrong(each, kind.removeprefix("list of "), f"{at}.{number}")
    elif kind in _SCALARS:
        if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind != "bool"):
            yield f"{at} is {value!r}, no {kind}"
    elif not isinstance(value, dict):
        yield f"{at} is {value!r}, no structure"
    else:
        known = fields(getattr(models, kind.strip(":`").rpartition(".")[2]))
        yield from (f"{at}.{name} is missing" for name in known.keys() - value.keys())
        yield from (f"{at}.{name} is not the SDK's" for name in value.keys() - known.keys())
        for name in known.keys() & value.keys():
            yield from wrong(value[name], known[name], f"{at}.{name}")


def zipped() -> str:
    """The zip, in base64, of a handler."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "async def main_handler(event, context):\n    return 1\n")
    return b64encode(buffer.getvalue()).decode()


STORY: Final[list[tuple[str, dict[str, Any]]]] = [
    (
        "CreateFunction",
        {
            "FunctionName": "made",
            "Code": {"ZipFile": zipped()},
            "Environment": {"Variables": [{"Key": "A", "Value": "b"}]},
        },
    ),
    ("UpdateFunctionCode", {"FunctionName": "made", "ZipFile": zipped()}),
    ("UpdateFunctionConfiguration", {"FunctionName": "made", "Timeout": 5}),
    ("CopyFunction", {"FunctionName": "made", "NewFunctionName": "copy"}),
    ("CreateTrigger", {"FunctionName": "made", "TriggerName": "url", "Type": "http"}),
    ("GetFunction", {"FunctionName": "made"}),
    ("GetFunctionAddress", F),
    ("ListFunctions", {}),
    ("PublishVersion", F),
    ("ListVersionByFunction", F),
    ("CreateAlias", {**A, **RULED}),
    ("GetAlias", A),
    ("UpdateAlias", {**A, **WEIGHTED}),
    ("ListAliases", F),
    ("Invoke", F),
    ("Invoke", {**F, "InvocationType": "Event"}),
    ("InvokeFunction", {**F, "LogType": "Tail"}),
    ("InvokeFunction", {**F, "Event": '"fail"'}),
    ("GetFunctionLogs", F),
    ("GetRequestStatus", F),
    ("ListAsyncEvents", F),
    ("GetAsyncEventStatus", {}),
    ("CreateTrigger", T),
    ("UpdateTrigger", {**T, "Description": "said"}),
    ("UpdateTriggerStatus", {**T, "Enable": "OPEN"}),
    ("ListTriggers", F),
    ("DeleteTrigger", T),
    ("ListNamespaces", {}),
    ("GetAccount", {}),
    ("DeleteAlias", A),
    ("DeleteFunctionVersion", {**F, "Qualifier": "4"}),
    ("DeleteFunction", {"FunctionName": "copy"}),
]
"""Every action, with something to tell."""

NEVER_ENDS: Final = "TerminateAsyncEvent"
"""It answers nothing but its id; what it does is tested with what runs in the background."""


def test_the_story_has_every_action() -> None:
    """None is left out."""
    assert {action for action, _ in STORY} | {NEVER_ENDS} == set(ACTIONS)


def test_every_answer_is_the_sdks_own(client: Client) -> None:
    """Every field is there, with the right type, and no other one."""
    found: list[str] = []
    invoked = unwaited = ""
    for action, given in STORY:
        more = {
            "GetRequestStatus": {"FunctionRequestId": invoked},
            "GetAsyncEventStatus": {"InvokeRequestId": unwaited},
        }.get(action, {})
        told = client(action, **given, **more)
        assert "Error" not in told, (action, told)
        if action == "InvokeFunction":
            invoked = told["Result"]["FunctionRequestId"]
        elif "InvocationType" in given:
            unwaited = told["Result"]["FunctionRequestId"]
        found += wrong(told, f"{action}Response", action)
        getattr(models, f"{action}Response")()._deserialize(json.loads(json.dumps(told)))
        empty = [name for name, value in told.items() if value == []]
        assert action == "GetFunction" or not empty, f"{action} tells of no {empty}"
    assert found == []


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (1, "str", "is 1, no str"),
        (True, "int", "is True, no int"),
        (1.5, "int", "is 1.5, no int"),
        (None, "list of str", "is None, no list"),
        ([1], "list of str", ".0 is 1, no str"),
        ([], ":class:`x.y.Variable`", "is [], no structure"),
        ({"Key": "A"}, "Variable", ".Value is missing"),
        ({"Key": "A", "Value": "b", "C": 1}, "Variable", ".C is not the SDK's"),
    ],
)
def test_what_is_wrong_is_found(value: object, kind: str, said: str) -> None:
    """The check itself finds what it is for."""
    assert any(said in each for each in wrong(value, kind, "it"))
