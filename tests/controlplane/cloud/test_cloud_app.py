"""The protocol as a whole: the envelope, who is let in, and what is told to nobody else."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import MutableMapping
from time import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from gateway.controlplane.cloud.access import Access
from gateway.controlplane.cloud.actions import ACTIONS, REASONS
from gateway.controlplane.cloud.app import SECRET_ID, SECRET_KEY, CloudApi, key_pair
from gateway.controlplane.cloud.received import MAX_FORM
from gateway.controlplane.cloud.signatures import (
    Scope,
    canonical_request,
    day_of,
    payload_hash,
    tc3_signature,
    v1_signature,
    v1_text,
)
from gateway.store.protocol import StateUnusable

Client = Any
Panel = Any

HOST = "127.0.0.1:8081"
FORM = {"Host": HOST, "Content-Type": "application/x-www-form-urlencoded"}


def older(method: str, action: str, **parameters: str) -> str:
    """Parameters, signed by the older scheme."""
    flat = {
        "Action": action,
        "Version": "2018-04-16",
        "Timestamp": str(int(time())),
        "Nonce": "7",
        "SecretId": SECRET_ID,
        "Region": "ap-guangzhou",
        "RequestClient": "OLD",
        **parameters,
    }
    return urlencode(flat | {"Signature": v1_signature(SECRET_KEY, v1_text(method, HOST, flat))})


def error_of(answer: httpx.Response) -> str:
    """The code in an envelope."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    told = answer.json()
    assert list(told) == ["Response"]
    assert set(told["Response"]) == {"Error", "RequestId"}
    assert set(told["Response"]["Error"]) == {"Code", "Message"}
    return str(told["Response"]["Error"]["Code"])


def test_an_answer_is_in_the_envelope(looker: Client) -> None:
    """Status and media type are what official clients look for, and the headers the guard's."""
    answer = looker.post("GetAlias", b'{"FunctionName": "orders", "Name": "release"}')
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    (told,) = answer.json().values()
    assert (told["Name"], told["FunctionVersion"]) == ("release", "1")
    again = looker.post("GetAlias", b'{"FunctionName": "orders", "Name": "release"}').json()
    assert again["Response"]["RequestId"] != told["RequestId"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_older_scheme_is_spoken_too(looker: Client, method: str) -> None:
    """In the query, and as a form."""
    text = older(method, "GetAlias", FunctionName="orders", Name="release")
    query, content = ("?" + text, None) if method == "GET" else ("", text.encode())
    request = httpx.Request(method, f"http://{HOST}/{query}", headers=FORM, content=content)
    assert looker.send(request).json()["Response"]["Name"] == "release"


def test_the_older_scheme_is_not_overruled_by_headers(looker: Client) -> None:
    """Nobody signed them; what was signed counts."""
    text = older("GET", "GetAlias", FunctionName="orders", Name="release")
    headers = FORM | {"X-TC-Action": "DeleteAlias", "X-TC-Version": "2018-08-08"}
    request = httpx.Request("GET", f"http://{HOST}/?{text}", headers=headers)
    assert looker.send(request).json()["Response"]["Name"] == "release"


def test_the_action_that_was_verified_is_the_one_that_is_done(looker: Client) -> None:
    """Of two headers, the same one both times."""
    body, moment = b'{"FunctionName": "orders", "Name": "release"}', int(time())
    fields = [("content-type", "application/json"), ("host", HOST), ("x-tc-action", "GetAlias")]
    canonical = canonical_request("POST", "", fields, payload_hash(body))
    scope = Scope(day_of(moment), "scf")
    given = {
        "Host": HOST,
        "Content-Type": "application/json",
        "X-TC-Version": "2018-04-16",
        "X-TC-Timestamp": str(moment),
        "Authorization": (
            f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{scope}, SignedHeaders="
            "content-type;host;x-tc-action, Signature="
            + tc3_signature(SECRET_KEY, scope, moment, canonical)
        ),
    }

    def code(*actions: str) -> str:
        headers = [*given.items(), *(("X-TC-Action", action) for action in actions)]
        url = f"http://{HOST}/"
        answer = looker.send(httpx.Request("POST", url, headers=headers, content=body))
        return str(answer.json()["Response"].get("Error", {}).get("Code"))

    assert code("GetAlias") == "None"
    assert code("DeleteAlias", "GetAlias") == "None"
    assert code("GetAlias", "DeleteAlias") == "AuthFailure.SignatureFailure"
    assert looker.panel.revision == 1


def test_a_change_names_who_made_it(client: Client) -> None:
    """The secret id, the address and the program, whichever scheme it came by."""
    client("PublishVersion", FunctionName="idle")
    text = older("POST", "PublishVersion", FunctionName="idle").encode()
    client.send(httpx.Request("POST", f"http://{HOST}/", headers=FORM, content=text))
    changes = client.panel("GET", "/api/changes").json()["changes"]
    assert [(each["who"], each["origin"]) for each in changes[:2]] == [
        (SECRET_ID, "10.0.0.7 OLD"),
        (SECRET_ID, "10.0.0.7 SDK_TEST"),
    ]


def test_a_program_without_a_name_is_taken_by_its_user_agent(client: Client) -> None:
    """And steers no terminal."""
    body, headers = b'{"FunctionName": "idle"}', {"X-TC-RequestClient": "", "User-Agent": "a\tb"}
    client.post("PublishVersion", body, **headers)
    (newest, *_) = client.panel("GET", "/api/changes").json()["changes"]
    assert newest["origin"] == "10.0.0.7 a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        pytest.param({"X-TC-Version": ""}, b"{}", "MissingParameter", id="no version"),
        pytest.param({"X-TC-Version": "2017-03-12"}, b"{}", "NoSuchVersion", id="another API"),
        pytest.param({"X-TC-Action": "GetAliass"}, b"{}", "InvalidAction", id="unknown action"),
        pytest.param({"X-TC-Action": ""}, b"{}", "InvalidAction", id="no action"),
        pytest.param({}, b'{"Namespace": "x"}', "MissingParameter", id="missing parameter"),
        pytest.param({}, b"{", "InvalidParameter", id="no JSON"),
        pytest.param({}, b"[]", "InvalidParameter", id="no object"),
        pytest.param({"Content-Type": "text/plain"}, b"{}", "UnsupportedProtocol", id="no media"),
        pytest.param({"Content-Length": "99999999"}, b"{}", "LimitExceeded", id="too large"),
        pytest.param(
            {"X-TC-Timestamp": "1500000000"}, b"{}", "AuthFailure.InvalidAuthorization", id="old"
        ),
        pytest.param({"Authorization": "SKIP"}, b"{}", "AuthFailure.InvalidAuthorization", id="-"),
    ],
)
def test_what_is_wrong_with_a_request_is_in_the_envelope(
    looker: Client, headers: dict[str, str], body: bytes, code: str
) -> None:
    """With status 200, or clients would not read it."""
    assert error_of(looker.post("GetAlias", body, **headers)) == code


def test_the_nearest_action_is_named(looker: Client) -> None:
    """So is what is missing altogether."""
    assert (
        looker.fails("GetAliass")[1] == "there is no action 'GetAliass'; did you mean 'GetAlias'?"
    )
    assert looker.fails("")[1] == "the request names no action"
    assert looker.fails("Zzz")[1] == "there is no action 'Zzz'"


@pytest.mark.parametrize("action", sorted(REASONS))
def test_what_makes_no_sense_here_is_refused_with_a_sentence(looker: Client, action: str) -> None:
    """Nothing is answered as if it had been done."""
    code, message = looker.fails(action, FunctionName="orders")
    assert code == "UnsupportedOperation"
    assert message == f"this gateway does not do {action}: {REASONS[action]}"


def test_every_action_of_the_cloud_is_in_one_of_the_tables() -> None:
    """By the official client's own list."""
    client = importlib.import_module("tencentcloud.scf.v20180416.scf_client").ScfClient
    known = {name for name in vars(client) if name[0].isupper()}
    assert known == set(ACTIONS) | set(REASONS)
    assert not set(ACTIONS) & set(REASONS)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_nothing_is_told_to_whoever_has_another_key(looker: Client, action: str) -> None:
    """Whatever is asked for, and whether it exists or not."""
    body = b'{"FunctionName": "orders", "Name": "release"}'
    headers = looker.post("GetAlias", body).request.headers
    wrong = dict(headers) | {"authorization": headers["authorization"][:-4] + "0000"}
    wrong["x-tc-action"] = action
    revision = looker.panel.revision
    answer = looker.send(httpx.Request("POST", f"http://{HOST}/", headers=wrong, content=body))
    assert error_of(answer) == "AuthFailure.SignatureFailure"
    assert looker.panel.revision == revision


def test_with_a_token_the_token_is_the_key(open_panel: Any) -> None:  # noqa: ANN401
    """What is documented for loopback is worth nothing to a control plane that others reach."""
    assert key_pair(None) == {SECRET_ID: SECRET_KEY}
    assert key_pair("söcret") == {SECRET_ID: "söcret"}
    panel = open_panel(token="söcret")
    request = httpx.Request("GET", f"http://{HOST}/?{older('GET', 'ListFunctions')}", headers=FORM)

    async def send() -> httpx.Response:
        answer = await httpx.ASGITransport(panel.gateway.control).handle_async_request(request)
        await answer.aread()
        return answer

    assert error_of(panel.run(send())) == "AuthFailure.SignatureFailure"


def test_a_form_has_a_smaller_limit(looker: Client) -> None:
    """The cloud's."""
    body = b"A=" + b"x" * MAX_FORM
    request = httpx.Request("POST", f"http://{HOST}/", headers=FORM, content=body)
    assert error_of(looker.send(request)) == "LimitExceeded"


@pytest.mark.parametrize(
    ("raised", "code"), [(RuntimeError("surprise"), "InternalError"), (StateUnusable("full"), "")]
)
def test_what_nobody_foresaw_is_told_without_its_inside(
    looker: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    raised: Exception,
    code: str,
) -> None:
    """The log has the rest; a store that is full is no surprise."""

    async def broken(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(looker.panel.gateway.service, "publish", broken)
    with caplog.at_level(logging.ERROR, "gateway.control"):
        found, message = looker.fails("PublishVersion", FunctionName="orders")
    assert found == "InternalError"
    assert message == ("something unexpected went wrong" if code else "full")
    assert ("surprise" in caplog.text) == bool(code)


def test_whoever_has_gone_is_not_answered(looker: Client) -> None:
    """The body never came to its end."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", HOST.encode()), (b"x-tc-action", b"GetAlias")],
    }
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    looker.panel.run(looker.panel.gateway.control(scope, receive, send))
    assert sent == []


def test_signatures_may_be_left_unchecked(looker: Client) -> None:
    """By whoever builds it so; without a client's address, too."""
    control = looker.panel.gateway.service
    app = CloudApi(control, Access({}, time, accept_any=True), new_id=lambda: "id")
    headers = [(b"x-tc-action", b"GetFunctionAddress"), (b"x-tc-version", b"2018-04-16")]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"FunctionName=orders&Qualifier=1",
        "headers": headers,
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    looker.panel.run(app(scope, receive, send))
    told = json.loads(sent[1]["body"])["Response"]
    assert told["RequestId"] == "id"
    assert told["Url"] == "http://127.0.0.1/api/functions/orders/code?version=1"
    sent.clear()
    looker.panel.run(app({**scope, "server": ("::1", 8081)}, receive, send))
    url = json.loads(sent[1]["body"])["Response"]["Url"]
    assert url == "http://[::1]:8081/api/functions/orders/code?version=1"
