"""Rules, weights and swaps as callers see them over HTTP."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import PutAlias

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[functions.echo.aliases]
release = ALIAS
other = { version = "1", weights = { "2" = 0.5 } }

[[apis]]
method = "ANY"
path = "/user/{id}"
function = "echo"

[[apis]]
method = "ANY"
path = "/"
function = "echo"

[stages.dev]
alias = "$DEFAULT"
[stages.prepub]
alias = "other"
[stages.release]
alias = "release"
"""
VERSIONS = ("echo/latest", "echo/v1", "echo/v2")
OK = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'


@pytest.fixture
def routed(make: Make) -> Make:
    """A gateway whose `release` leads where the alias says."""

    def build(alias: str, code: str = OK, *, seed: int | None = 1) -> Caller:
        return make(STAGES.replace("ALIAS", alias), dict.fromkeys(VERSIONS, code), seed=seed)

    return build


async def versions(caller: Caller, count: int, target: str = "/release/") -> list[str]:
    """Which versions answered so many requests."""
    answers = [await caller.ask(target) for _ in range(count)]
    return [answer.headers["x-gateway-version"] for answer in answers]


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("when", "target", "headers", "body", "hit"),
    [
        pytest.param("headers.User exact Bob", "/", {"User": "Bob"}, None, True, id="header"),
        pytest.param("headers.User exact Bob", "/", {"uSER": "Bob"}, None, True, id="any case"),
        pytest.param("headers.User exact Bob", "/", {"User": "bob"}, None, False, id="value case"),
        pytest.param("headers.User exact Bob", "/", {}, None, False, id="no header"),
        pytest.param("headers.Age range [1,9]", "/", {"Age": "9"}, None, True, id="range"),
        pytest.param("headers.Age range (1,9)", "/", {"Age": "9"}, None, False, id="open range"),
        pytest.param("headers.Age range [1,9]", "/", {"Age": "old"}, None, False, id="no integer"),
        pytest.param("query.beta exists", "/?beta", {}, None, True, id="query"),
        pytest.param("query.u exact a b", "/?u=x&u=a%20b", {}, None, True, id="last of a query"),
        pytest.param("path.id exact a b", "/user/a%20b", {}, None, True, id="path parameter"),
        pytest.param("path.id exists", "/else", {}, None, False, id="no path parameter"),
        pytest.param(
            "cookies.u exact Bob", "/", {"Cookie": "a=1; u=Bob"}, None, True, id="cookie"
        ),
        pytest.param(
            "cookies.u exact Bob", "/", {"Cookie": 'u="Bob"'}, None, True, id="quoted cookie"
        ),
        pytest.param("cookies.u exists", "/", {"Cookie": "u; uu=1"}, None, False, id="no cookie"),
        pytest.param("cookies.u exists", "/", {}, None, False, id="no cookies at all"),
        pytest.param(
            "body.$.user.id exact 7", "/", JSON, b'{"user": {"id": 7}}', True, id="JSON body"
        ),
        pytest.param(
            "body.$.user.id exact 7", "/", JSON, b'{"user": {"id": 8}}', False, id="other body"
        ),
        pytest.param("body.$.user.id exists", "/", JSON, b'{"user": ', False, id="broken JSON"),
        pytest.param("body.$.user.id exists", "/", JSON, b"[" * 200_000, False, id="deep JSON"),
        pytest.param("body.$.user exists", "/", {}, None, False, id="no body"),
        pytest.param(
            "body.$.user exists", "/", JSON, b'{"user": 1, "pad": "%b"}' % (b"x" * 262_144), False,
            id="longer than rules look",
        ),
    ],
)  # fmt: skip
def test_a_rule_reads_the_request_as_it_was_sent(
    routed: Make, *, when: str, target: str, headers: dict[str, str], body: bytes | None, hit: bool
) -> None:
    """Rule 4: header, query, path, cookie and body."""
    rule = f'{{ when = "invoke.{when}", version = "2" }}'
    caller = routed(f'{{ version = "1", rules = [{rule}, {rule}] }}')
    answer = caller(f"/release{target}", "POST", headers=headers, content=body)
    expected = ("2", "rule:1") if hit else ("1", "main")
    seen = (answer.headers["x-gateway-version"], answer.headers["x-gateway-reason"])
    assert (answer.status_code, seen) == (200, expected)


def test_a_rule_cannot_be_reached_through_the_gateways_own_headers(routed: Make) -> None:
    """They are dropped on the way in, before rules read them."""
    rule = '{ when = "invoke.headers.X-Gateway-Version exists", version = "2" }'
    caller = routed(f'{{ version = "1", rules = [{rule}] }}')
    answer = caller("/release/", headers={"X-Gateway-Version": "2"})
    assert answer.headers["x-gateway-version"] == "1"


WEIGHTED = '{ version = "1", weights = { "2" = 0.3 } }'
EVEN = '{ version = "1", weights = { "2" = 0.3 }, split = "even" }'


@pytest.mark.parametrize("alias", [WEIGHTED, EVEN], ids=["random", "even"])
def test_the_same_seed_gives_the_same_sequence_of_versions(routed: Make, alias: str) -> None:
    """And another seed another one."""
    first, second, other = (routed(alias, seed=seed) for seed in (7, 7, 8))
    sequences = [caller.run(versions(caller, 60)) for caller in (first, second, other)]
    assert sequences[0] == sequences[1] != sequences[2]
    assert set(sequences[0]) == {"1", "2"}


def test_without_a_seed_one_is_taken_and_told(routed: Make) -> None:
    """So that a run can be repeated afterwards."""
    caller = routed(WEIGHTED, seed=None)
    again = routed(WEIGHTED, seed=caller.gateway.seed)
    assert caller.run(versions(caller, 60)) == again.run(versions(again, 60))


def test_even_keeps_within_one_of_its_share_at_every_prefix(routed: Make) -> None:
    """DESIGN 3, rule 5."""
    caller = routed(EVEN)
    count = 0
    for number, version in enumerate(caller.run(versions(caller, 200)), start=1):
        count += version == "2"
        assert abs(count - number * 0.3) < 1


@pytest.mark.parametrize(
    ("weight", "version"), [(0, "1"), (1, "2")], ids=["0 means never", "1 means always"]
)
@pytest.mark.parametrize("split", ["random", "even"])
def test_the_ends_of_a_weight_are_exact(
    routed: Make, weight: int, version: str, split: str
) -> None:
    """DESIGN 3, rule 6."""
    caller = routed(f'{{ version = "1", weights = {{ "2" = {weight} }}, split = "{split}" }}')
    assert set(caller.run(versions(caller, 50))) == {version}


def test_a_swap_that_does_not_touch_an_alias_does_not_disturb_its_sequence(routed: Make) -> None:
    """Within one of its share across the swaps, and the very sequence of an undisturbed gateway."""
    disturbed, quiet = routed(EVEN), routed(EVEN)
    live = disturbed.gateway.live
    seen: list[str] = []
    for step in range(20):
        seen += disturbed.run(versions(disturbed, 5))
        route = Route("1", {"2": Decimal(step) / 20})
        live.swap(apply(live.snapshot, PutAlias("echo", "other", route)))
    assert seen == quiet.run(versions(quiet, 100))
    assert seen.count("2") == 30


def test_a_change_takes_effect_on_the_next_request(routed: Make) -> None:
    """With the next revision, and for no other alias."""
    caller = routed('{ version = "1" }')
    live = caller.gateway.live
    before = caller("/release/")
    live.swap(apply(live.snapshot, PutAlias("echo", "release", Route("2"))))
    after = caller("/release/")
    told = [(a.headers["x-gateway-version"], a.headers["x-gateway-revision"]) for a in
            (before, after)]  # fmt: skip
    assert told == [("1", "1"), ("2", "2")]
    assert caller("/dev/").headers["x-gateway-version"] == "$LATEST"


def test_one_request_sees_one_revision(routed: Make, gates: ModuleType) -> None:
    """A swap while the handler waits changes nothing about its answer; the next one is new."""
    code = """
        import gates_of_this_test as gates

        async def main_handler(event, context):
            if "wait" in event["queryString"]:
                gates.reached.set()
                await gates.gate.wait()
            return {"statusCode": 200, "body": context["function_version"]}
    """
    caller = routed('{ version = "1" }', code)
    live = caller.gateway.live

    async def scenario() -> None:
        reached, gate = asyncio.Event(), asyncio.Event()
        vars(gates).update(reached=reached, gate=gate)
        waiting = asyncio.ensure_future(caller.ask("/release/?wait"))
        await reached.wait()
        live.swap(apply(live.snapshot, PutAlias("echo", "release", Route("2"))))
        new = await caller.ask("/release/")
        gate.set()
        old = await waiting
        told = [(a.text, a.headers["x-gateway-version"], a.headers["x-gateway-revision"]) for a in
                (old, new)]  # fmt: skip
        assert told == [("1", "1", "1"), ("2", "2", "2")]

    caller.run(scenario())
    counted = caller.gateway.observer.counters.by_version()["release", "echo", "release"]
    assert {version: seen.requests for version, seen in counted.items()} == {"1": 1, "2": 1}


def test_one_request_sees_one_revision_while_its_body_arrives(routed: Make) -> None:
    """The decision comes after the body and is still that of the revision that was read first."""
    caller = routed('{ version = "1" }')
    live = caller.gateway.live
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        live.swap(apply(live.snapshot, PutAlias("echo", "release", Route("2"))))
        return {"type": "http.request", "body": b"x"}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    scope: dict[str, object] = {
        "type": "http",
        "method": "POST",
        "path": "/release/",
        "raw_path": b"/release/",
        "query_string": b"",
        "headers": [(b"content-length", b"1")],
        "client": None,
    }
    caller.run(caller.gateway.plane(scope, receive, send))
    headers = sent[0]["headers"]
    assert isinstance(headers, list)
    assert (b"x-gateway-version", b"1") in headers
    assert (b"x-gateway-revision", b"1") in headers


MOCKED = """
[service]
name = "shop"

[[apis]]
method = "ANY"
path = "=/plain"
mock = { body = "pöng" }

[[apis]]
method = "ANY"
path = "=/full"
mock = { body = "{}", status = 418, headers = { "Content-Type" = "application/json", "X-A" = "1" } }

[[apis]]
method = "GET"
path = "=/empty"
mock = { body = "dropped", status = 204 }

[stages.dev]
alias = "$DEFAULT"
"""


def test_a_mock_always_answers_the_same(make: Make) -> None:
    """Whatever comes; a body that nobody reads included."""
    caller = make(MOCKED)
    for method in ("GET", "POST", "DELETE"):
        answer = caller("/dev/plain", method, content=b"ignored")
        assert (answer.status_code, answer.text) == (200, "pöng")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["content-length"] == "5"
    full = caller("/dev/full")
    assert (full.status_code, full.text, full.headers["x-a"]) == (418, "{}", "1")
    assert full.headers["content-type"] == "application/json"
    empty = caller("/dev/empty")
    assert (empty.status_code, empty.content) == (204, b"")
    assert "content-length" not in empty.headers
    assert caller.gateway.observer.counters.total() == 5
