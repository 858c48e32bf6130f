"""What engines cannot express is refused sentence by sentence, and what is left is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from gateway.config import load
from gateway.config.elsewhere import ENGINES, Wanted, Written, write
from gateway.core.apply import apply
from gateway.core.changes import PutService, Release
from gateway.core.errors import Refused
from gateway.core.snapshot import EMPTY, Snapshot

Shop = Callable[..., Path]

FILE = """
[service]
name = "shop"
[functions.orders]
source = "functions/orders"
[functions.orders.aliases]
release = { ROUTE }
[[apis]]
method = "ANY"
path = "PATH"
BACKEND
[stages.release]
alias = "release"
"""
PLAIN = 'version = "1", weights = { "2" = 0.1 }'


@pytest.fixture
def declared(shop: Shop) -> Callable[..., Snapshot]:
    """The state of a small shop."""
    folder = shop().parent

    def make(
        route: str = PLAIN, backend: str = 'function = "orders"', path: str = "/orders/{id}",
        more: str = "",
    ) -> Snapshot:  # fmt: skip
        text = FILE.replace("ROUTE", route).replace("BACKEND", backend).replace("PATH", path)
        (folder / "stages.toml").write_text(text + more)
        return apply(EMPTY, load(folder / "stages.toml").changes)

    return make


def wanted(engine: str, *, partial: bool = False, keep_stage: bool = True) -> Wanted:
    """Every version has an upstream."""
    versions = ("1", "2", "3", "4", "$LATEST")
    upstreams = {("orders", v): (f"orders-{v.strip('$').lower()}", 80) for v in versions}
    return Wanted(engine, upstreams, partial=partial, keep_stage=keep_stage)


def refused(snapshot: Snapshot, asked: Wanted) -> list[str]:
    """What is wrong; every problem has its stable code."""
    with pytest.raises(Refused) as info:
        write(snapshot, asked)
    assert {problem.code for problem in info.value.problems} == {"not-expressible"}
    return [problem.message for problem in info.value.problems]


BODY = 'version = "1", rules = [{ when = "invoke.body.$.user exact Bob", version = "2" }]'
EVEN = f'{PLAIN}, split = "even"'
BY_QUERY = f'{PLAIN}, split = "sticky", sticky_by = "invoke.query.user"'
FINE = 'version = "1", weights = { "2" = 0.1234567891 }'
HTTP = 'http = { url = "http://127.0.0.1:9" }'
MOCK = 'mock = { body = "costs $5" }'


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("given", "why", "instead"),
    [
        ({"route": BODY}, "it cannot read invoke.body.$.user", "later rules and weights apply"),
        ({"route": EVEN}, "knows no even split", "drawn independently"),
        ({"route": BY_QUERY}, "no stickiness by invoke.query.user", "drawn independently"),
        ({"route": FINE}, "weights have 10 decimals", "answered with 404"),
        ({"backend": HTTP}, "answered by another HTTP server", "answered with 404"),
        ({"backend": MOCK}, "answered by a fixed text", "answered with 404"),
        ({"backend": 'function = "orders"\ncors = true'}, "it has cors", "written without"),
        ({"more": 'throttle = 5\nallow = ["10.0.0.0/8"]\n'}, "it has throttle, allow", "without"),
    ],
    ids=["body", "even", "sticky by query", "decimals", "http", "mock", "features", "stage"],
)
def test_what_no_engine_can_express_is_refused_or_told(
    declared: Callable[..., Snapshot], engine: str, given: dict[str, str], why: str, instead: str
) -> None:
    """With `partial` the rest is written, and the list is at its head."""
    snapshot = declared(**given)
    assert any(why in message for message in refused(snapshot, wanted(engine)))
    written = write(snapshot, wanted(engine, partial=True))
    assert [lack for lack in written.lacks if why in lack.message and instead in lack.instead]
    head = [line for line in written.text.splitlines() if line.startswith("# - ")]
    assert any(why in line and instead in line for line in head)


def test_what_is_lacking_is_told_once_for_an_alias(declared: Callable[..., Snapshot]) -> None:
    """However many APIs lead to it."""
    more = '[[apis]]\nmethod = "GET"\npath = "=/x"\nfunction = "orders"\n'
    text = 'function = "orders"\n' + more
    assert len(refused(declared(route=EVEN, backend=text), wanted("nginx"))) == 1


def test_other_services_and_missing_aliases_are_told(declared: Callable[..., Snapshot]) -> None:
    """An API that leads nowhere is not taken along, nor is what only a host name reaches."""
    snapshot = apply(declared(), PutService("service-x", "other"))
    snapshot = apply(snapshot, Release("service-x", "release", ()))
    assert refused(snapshot, wanted("envoy")) == [
        "Envoy: service 'service-x' is reached by its host name only"
    ]
    lost = replace(declared(), functions={})
    assert "there is no 'release' of function 'orders'" in refused(lost, wanted("envoy"))[0]


def test_the_gateway_api_leaves_the_stage_and_has_no_order(
    declared: Callable[..., Snapshot],
) -> None:
    """What its specification leaves to implementations is no promise."""
    more = '[[apis]]\nmethod = "POST"\npath = "^~/orders/b"\nfunction = "orders"\n'
    more += '[[apis]]\nmethod = "GET"\npath = "^~/orders/b"\nfunction = "orders"\n'
    more += '[[apis]]\nmethod = "GET"\npath = "^~/other"\nfunction = "orders"\n'
    snapshot = declared(backend='function = "orders"\n' + more)
    messages = refused(snapshot, wanted("gateway-api", keep_stage=False))
    assert len(messages) == 3
    assert all("may take the same request" in message for message in messages[:2])
    assert "--keep-stage" in messages[2]


def test_the_gateway_api_has_sixteen_rules_at_most(declared: Callable[..., Snapshot]) -> None:
    """Those of the alias and the one for the rest."""
    rules = ", ".join(
        f'{{ when = "invoke.headers.User exact U{number}", version = "2" }}' for number in range(16)
    )
    snapshot = declared(route=f'version = "1", rules = [{rules}]')
    (message,) = refused(snapshot, wanted("gateway-api"))
    assert message.endswith("it takes 15 rules of an alias")
    assert not write(snapshot, wanted("envoy")).lacks


@pytest.mark.parametrize(
    ("upstreams", "code", "words"),
    [
        ({("orders", "1"): ("a", 1)}, "missing-upstream", "version '2' of function 'orders'"),
        (
            {("orders", "1"): ("a", 1), ("orders", "2"): ("b", 1), ("order", "2"): ("c", 1)},
            "unknown-upstream",
            "'order/2' is of no version",
        ),
        (
            {("orders", "1"): ("10.0.0.1", 1), ("orders", "2"): ("b.shop", 1)},
            "bad-upstream",
            "'orders/1=10.0.0.1:1' is no Service",
        ),
    ],
    ids=["missing", "unknown", "no service"],
)
def test_upstreams_are_those_of_versions(
    declared: Callable[..., Snapshot],
    upstreams: dict[tuple[str, str], tuple[str, int]],
    code: str,
    words: str,
) -> None:
    """Every version that may answer has one, and nothing else."""
    with pytest.raises(Refused, match=words) as info:
        write(declared(), Wanted("gateway-api", upstreams, keep_stage=True))
    assert info.value.code == code


def test_a_whole_weight_leaves_nobody_to_the_main_version(
    declared: Callable[..., Snapshot],
) -> None:
    """Weight 1 means always, and 0 never: neither needs the other's address."""
    snapshot = declared(route='version = "1", weights = { "2" = 1, "3" = 0 }')
    text = write(snapshot, Wanted("nginx", {("orders", "2"): ("b", 1)})).text
    assert "split_clients" not in text
    assert "upstream orders_2" in text


def test_an_empty_state_is_a_configuration_that_finds_nothing() -> None:
    """No service, no routes."""
    for engine in ENGINES:
        written: Written = write(EMPTY, Wanted(engine, {}, keep_stage=True))
        assert written.lacks == ()


def test_yaml_of_the_gateway_api_is_read_as_it_was_meant(
    declared: Callable[..., Snapshot],
) -> None:
    """A reader of its own checks the structure; schemas are checked beside the suite."""
    yaml = import_module("yaml")
    snapshot = declared(path="=/orders")
    text = write(snapshot, wanted("gateway-api")).text
    gateway, route = yaml.safe_load_all(text)
    assert gateway["kind"] == "Gateway"
    (rule,) = route["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "Exact", "value": "/release/orders"}}]
    backends = [(each["name"], each["port"], each["weight"]) for each in rule["backendRefs"]]
    assert backends == [("orders-2", 80, 10), ("orders-1", 80, 90)]


def test_json_is_yaml_too(declared: Callable[..., Snapshot]) -> None:
    """Texts are quoted as JSON quotes them."""
    text = write(declared(), wanted("envoy")).text
    assert json.dumps("gateway") in text


@pytest.mark.parametrize(
    ("engine", "coarse", "fine"),
    [
        ("nginx", "10.00%", "12.50%"),
        ("haproxy", "lt 429496729 }", "lt 536870912 }"),
        ("envoy", "weight: 100000000\n", "weight: 125000000\n"),
    ],
)
def test_a_sticky_key_is_measured_by_the_same_rule_whatever_the_weight(
    declared: Callable[..., Snapshot], engine: str, coarse: str, fine: str
) -> None:
    """More decimals must not send every key somewhere else."""
    sticky = 'version = "1", weights = {{ "2" = {} }}, split = "sticky", sticky_by = "{}"'
    for weight, words in ((0.1, coarse), (0.125, fine)):
        snapshot = declared(route=sticky.format(weight, "invoke.headers.User"))
        assert words in write(snapshot, wanted(engine)).text


@pytest.mark.parametrize("engine", ENGINES)
def test_a_stage_may_name_a_version_itself(declared: Callable[..., Snapshot], engine: str) -> None:
    """Then there is nothing to draw and no alias to tell."""
    route = 'version = "3", rules = [{ when = "invoke.headers.User prefix B", version = "4" }]'
    snapshot = declared(route=route, path="/", more='[stages.dev]\nalias = "2"\n')
    text = write(snapshot, wanted(engine)).text
    assert "pinned" in text
    assert "(?:B).*" in text
