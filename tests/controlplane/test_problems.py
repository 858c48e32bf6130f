"""Errors as problems: each type with its status and code, and the unexpected told to nobody."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from gateway.config import ConfigurationInvalid
from gateway.config.diagnostics import Diagnostic
from gateway.controlplane.declaring import NoConfiguration
from gateway.controlplane.problems import Problems, Rejected, pointer, rejected, to_json, told
from gateway.core.errors import GatewayError, Place, Problem, QualifierNotFound, Refused
from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import BrokenVersions, UserCodeError
from gateway.store.protocol import StaleRevision, StateUnusable

VERSION = FunctionVersion("orders", "2", "/code", Configuration())
BROKEN = UserCodeError(VERSION, ("ZeroDivisionError", "division by zero"), "line 1")
WRONG = Diagnostic("stages.toml", 12, 9, "unknown-version", "no version", "add one", "line")


def refused(code: str) -> Refused:
    """A refusal with one problem."""
    return Refused([Problem(code, "a sentence", ("a", 1), "a hint")])


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(refused("bad-weight"), 422, "bad-weight", id="refused"),
        pytest.param(refused("alias-in-use"), 409, "alias-in-use", id="in use"),
        pytest.param(refused("unknown-revision"), 404, "unknown-revision", id="no such revision"),
        pytest.param(NoConfiguration(), 409, "no-configuration", id="no file"),
        pytest.param(StaleRevision(1, 2), 412, "stale-revision", id="stale"),
        pytest.param(BrokenVersions([BROKEN]), 422, "broken-version", id="broken"),
        pytest.param(ConfigurationInvalid([WRONG]), 422, "configuration-invalid", id="file"),
        pytest.param(QualifierNotFound("f", "q"), 422, "qualifier-not-found", id="routing"),
        pytest.param(StateUnusable("the disk is full"), 503, "state-unusable", id="state"),
        pytest.param(rejected(418, "teapot", "short and stout"), 418, "teapot", id="rejected"),
        pytest.param(GatewayError("who?"), 500, "unexpected", id="another of ours"),
        pytest.param(KeyError("secret"), 500, "unexpected", id="unexpected"),
    ],
)
def test_every_error_has_a_status_and_a_code(error: Exception, status: int, code: str) -> None:
    """And the same members, all of them."""
    found = told(error).to_dict()
    assert (found["status"], found["code"]) == (status, code)
    assert found["type"] == f"urn:gateway:problem:{code}"
    assert found["title"]
    assert found["detail"]
    assert found["problems"]
    assert "secret" not in str(found)


def test_every_mistake_is_told_with_its_place() -> None:
    """As a pointer into what was sent."""
    error = Refused([Problem("a", "one", ("x", 0)), Problem("b", "two", (), "so")])
    found = told(error).to_dict()
    assert found["detail"] == "one; two"
    assert found["problems"] == [
        {"code": "a", "message": "one", "pointer": "/x/0", "hint": ""},
        {"code": "b", "message": "two", "pointer": "", "hint": "so"},
    ]


@pytest.mark.parametrize(
    ("at", "text"),
    [
        pytest.param((), "", id="everything"),
        pytest.param(("weights", "2"), "/weights/2", id="keys"),
        pytest.param(("rules", 0, "when"), "/rules/0/when", id="index"),
        pytest.param(("a/b", "m~n", ""), "/a~1b/m~0n/", id="escapes"),
    ],
)
def test_a_place_is_a_json_pointer(at: Place, text: str) -> None:
    """RFC 6901."""
    assert pointer(at) == text


def test_some_errors_tell_more() -> None:
    """What a program would otherwise have to read out of a sentence."""
    assert told(StaleRevision(1, 2)).to_dict()["revision"] == 2
    broken = told(BrokenVersions([BROKEN, BROKEN])).to_dict()
    assert broken["broken"] == [BROKEN.to_dict()] * 2
    wrong = told(ConfigurationInvalid([WRONG])).to_dict()
    assert wrong["diagnostics"] == [WRONG.to_dict()]
    assert "stages.toml:12:9: error[unknown-version]: no version" in str(wrong["text"])


@pytest.mark.parametrize(
    ("status", "title"),
    [(413, "Content Too Large"), (422, "Unprocessable Content"), (421, "Misdirected Request")],
)
def test_titles_are_those_of_the_standard(status: int, title: str) -> None:
    """On every Python."""
    assert told(rejected(status, "x", "y")).to_dict()["title"] == title


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"a": [1, "ü"]}, '{"a":[1,"ü"]}'.encode(), id="UTF-8"),
        pytest.param("\ud800", b'"\\ud800"', id="half a pair"),
    ],
)
def test_json_is_short_and_always_utf_8(value: object, text: bytes) -> None:
    """Even where a handler returned what is no text."""
    assert to_json(value) == text
    assert json.loads(to_json(value)) == value


def run(error: Exception, *, after: bool = False) -> list[Message]:
    """What is sent when an application raises, before or after it began to answer."""
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        if after:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/x"}
    asyncio.run(Problems(app)(scope, receive, send))
    return sent


def test_a_problem_is_answered_with_its_headers(caplog: pytest.LogCaptureFixture) -> None:
    """A user's mistake is no line in the log."""
    with caplog.at_level(logging.DEBUG):
        start, body = run(Rejected(405, "no", [Problem("no", "never")], {"Allow": "GET"}))
    assert start["status"] == 405
    assert dict(start["headers"]) == {
        b"content-type": b"application/problem+json",
        b"content-length": str(len(body["body"])).encode(),
        b"allow": b"GET",
    }
    assert json.loads(body["body"])["code"] == "no"
    assert not [record for record in caplog.records if record.name == "gateway.control"]


@pytest.mark.parametrize(
    "error", [KeyError("secret"), StateUnusable("full")], ids=["unexpected", "unusable"]
)
def test_what_is_not_the_callers_fault_is_logged(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """With the traceback, which the caller never sees."""
    start, body = run(error)
    assert start["status"] >= 500
    assert b"secret" not in body["body"]
    (record,) = [record for record in caplog.records if record.name == "gateway.control"]
    assert record.exc_info
    assert record.exc_info[1] is error


def test_an_answer_that_has_begun_is_not_followed_by_another() -> None:
    """Only a cut connection can tell the caller."""
    with pytest.raises(KeyError):
        run(KeyError("late"), after=True)


def test_nobody_is_answered_who_has_gone() -> None:
    """It is no error either."""
    assert run(ClientDisconnect()) == []
