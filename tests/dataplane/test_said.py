"""Every answer says why: the `X-Gateway-*` headers, on each kind of answer those that apply."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[functions.echo.aliases]
plain = { version = "1" }
shared = { version = "1", weights = { "2" = 0.5 } }
ruled = { version = "1", rules = [
  { when = "invoke.headers.User exact Bob", version = "2" },
  { when = "invoke.headers.User exists", version = "$LATEST" },
] }
stuck = { version = "1", weights = { "2" = 0.5 }, split = "sticky", sticky_by = "invoke.query.u" }

[functions.raising]
source = "functions/raising"

[[apis]]
method = "ANY"
path = "=/echo"
function = "echo"

[[apis]]
method = "ANY"
path = "=/raising"
function = "raising"

[[apis]]
method = "POST"
path = "=/ping"
mock = { body = "pong" }

[stages.dev]
alias = "$DEFAULT"
aliases = { echo = "DEV" }
[stages.prepub]
alias = "$DEFAULT"
aliases = { echo = "PREPUB" }
[stages.release]
alias = "$LATEST"
"""
OK = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'
RAISING = "async def main_handler(event, context):\n    raise ValueError\n"


@pytest.fixture
def said(make: Make) -> Make:
    """A gateway whose `dev` and `prepub` lead to the given aliases."""

    def build(dev: str = "plain", prepub: str = "plain") -> Caller:
        stages = STAGES.replace("DEV", dev).replace("PREPUB", prepub)
        versions = ("echo/latest", "echo/v1", "echo/v2")
        return make(stages, {**dict.fromkeys(versions, OK), "raising/latest": RAISING})

    return build


def told(answer: httpx.Response) -> dict[str, str]:
    """What an answer says of itself."""
    return {
        name.removeprefix("x-gateway-"): value
        for name, value in answer.headers.multi_items()
        if name.startswith("x-gateway-")
    }


@pytest.mark.parametrize(
    ("alias", "headers", "version", "reason"),
    [
        pytest.param("plain", {}, "1", "main", id="main"),
        pytest.param("ruled", {"User": "Bob"}, "2", "rule:1", id="first rule"),
        pytest.param("ruled", {"User": "Eve"}, "$LATEST", "rule:2", id="second rule"),
        pytest.param("ruled", {}, "1", "main", id="no rule"),
    ],
)
def test_an_answer_names_stage_function_alias_version_reason_and_revision(
    said: Make, alias: str, headers: dict[str, str], version: str, reason: str
) -> None:
    """DESIGN 3, rule 7."""
    assert told(said(alias)("/dev/echo", headers=headers)) == {
        "stage": "dev",
        "function": "echo",
        "alias": alias,
        "version": version,
        "reason": reason,
        "revision": "1",
    }


def test_weights_give_the_reasons_weight_and_main(said: Make) -> None:
    """The additional version and the main one."""
    caller = said("shared")
    seen = {(t["version"], t["reason"]) for t in (told(caller("/dev/echo")) for _ in range(40))}
    assert seen == {("1", "main"), ("2", "weight")}


def test_a_sticky_key_gives_the_reason_sticky_and_no_key_a_draw(said: Make) -> None:
    """For the same key always the same version."""
    caller = said("stuck")
    keyed = [told(caller(f"/dev/echo?u={user}")) for user in range(20) for _ in range(2)]
    assert {t["reason"] for t in keyed} == {"sticky"}
    assert [t["version"] for t in keyed[0::2]] == [t["version"] for t in keyed[1::2]]
    assert {t["version"] for t in keyed} == {"1", "2"}
    assert {told(caller("/dev/echo"))["reason"] for _ in range(40)} == {"main", "weight"}


def test_a_pinned_version_has_no_alias(said: Make) -> None:
    """The stage names the version itself."""
    assert told(said()("/release/echo")) == {
        "stage": "release",
        "function": "echo",
        "version": "$LATEST",
        "reason": "pinned",
        "revision": "1",
    }


ANY_STAGE = {"stage": "dev", "revision": "1"}
DECIDED = {"function": "raising", "alias": "$DEFAULT", "version": "$LATEST", "reason": "main"}


@pytest.mark.parametrize(
    ("target", "method", "status", "expected"),
    [
        pytest.param("/dev/raising", "GET", 430, {**ANY_STAGE, **DECIDED}, id="function error"),
        pytest.param("/dev/ping", "POST", 200, ANY_STAGE, id="mock"),
        pytest.param("/dev/ping", "GET", 404, ANY_STAGE, id="unknown method"),
        pytest.param("/dev/nowhere", "GET", 404, ANY_STAGE, id="unknown path"),
        pytest.param("/qa/echo", "GET", 404, {"revision": "1"}, id="unknown stage"),
        pytest.param("http://qa.localhost/", "GET", 404, {"revision": "1"}, id="unknown host"),
    ],
)
def test_errors_say_as_much_as_is_known(
    said: Make, target: str, method: str, status: int, expected: dict[str, str]
) -> None:
    """And every answer has a request id, once."""
    answer = said()(target, method)
    assert (answer.status_code, told(answer)) == (status, expected)
    assert len(answer.headers.get_list("x-api-requestid")) == 1
    assert len(answer.headers["x-api-requestid"]) == 32


def test_an_alias_that_is_gone_is_the_clouds_442(said: Make) -> None:
    """No change can lead there; a gateway that meets it tells function and qualifier."""
    caller = said("plain", "ruled")
    live = caller.gateway.live
    entries = {"echo": {q: e for q, e in live.snapshot.entries["echo"].items() if q != "plain"}}
    live.swap(dataclasses.replace(live.snapshot, entries=entries, revision=2))
    answer = caller("/dev/echo")
    text = "QualifierNotFound: function 'echo' has no version and no alias 'plain'"
    assert (answer.status_code, answer.json()) == (442, {"message": text})
    assert told(answer) == {"stage": "dev", "revision": "2"}
    assert caller("/prepub/echo").status_code == 200


def test_a_function_that_is_gone_is_the_clouds_435(said: Make) -> None:
    """No change can lead there; a gateway that meets it answers all the same."""
    caller = said()
    live = caller.gateway.live
    live.swap(dataclasses.replace(live.snapshot, functions={}, entries={}, revision=9))
    answer = caller("/dev/echo")
    assert (answer.status_code, answer.json()) == (
        435,
        {"message": "FunctionNotFound: no function 'echo'"},
    )
    assert told(answer) == {"stage": "dev", "revision": "9"}


def test_a_caller_cannot_put_words_into_the_gateways_mouth(said: Make) -> None:
    """What a request says of itself is not in the answer."""
    answer = said()("/dev/echo", headers={"X-Gateway-Version": "7", "X-Gateway-Lie": "yes"})
    assert told(answer)["version"] == "1"
    assert "lie" not in told(answer)
