"""Changes as plain values: what is read is what was written, and nothing else is read."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.alias import Route
from gateway.core.breaker import Breaker
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteService,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutResource,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.faults import Fault, Latency
from gateway.core.functions import Configuration
from gateway.core.journal import UnknownChange, change_plain, read_change
from gateway.core.plain import Plain
from gateway.core.routes import parse_path
from gateway.core.rules import parse_key, parse_rule
from gateway.core.snapshot import Api, Edition, FunctionBackend, HttpBackend, MockBackend

CONFIGURATION = Configuration("web.main", 0.1, 64, 1, {"A": "b"})
ROUTE = Route(
    "1",
    {"2": Decimal("0.1"), "$LATEST": Decimal("1E-12")},
    (parse_rule("invoke.headers.User exact Bob", "4"),),
    "sticky",
    parse_key("invoke.headers.User"),
)
APIS = (
    Api("a", "GET", parse_path("/{id}"), FunctionBackend("orders", "release", integrated=False)),
    Api("b", "ANY", parse_path("^~/old/"), HttpBackend("http://127.0.0.1:9", 2.5)),
    Api("c", "ANY", parse_path("=/ping"), MockBackend("pong", 418, {"X-A": "1"})),
)
EVERY_KIND: list[Change] = [
    PutFunction("orders", "code", CONFIGURATION, "words"),
    DeleteFunction("orders"),
    Publish("orders"),
    Publish("orders", "code", "7", "words", CONFIGURATION),
    DeleteVersion("orders", "1"),
    PutAlias("orders", "release", ROUTE, "words"),
    DeleteAlias("orders", "release"),
    PutService("shop", "Shop", APIS),
    Release("shop", "dev", APIS, {"region": "local"}),
    Unrelease("shop", "dev"),
    Batch((Publish("orders"), Batch((DeleteFunction("orders"),)), Batch(()))),
    PutFault("orders", "1", Fault(0.05, 503, Latency("uniform", (0.1, 0.5)))),
    PutFault("orders", "$LATEST", Fault(0.05)),
    PutFault("orders", "1", None),
    DeleteService("shop"),
    PutResource("plans", "small", {"name": "small", "keys": ["a"], "more": {"rate": 1.5}}),
    PutResource("plans", "small", None),
    Release("shop", "dev", APIS, {}, edition=Edition("20261124", "words")),
    PutBreaker("orders", Breaker(0.5, 100, 30.0, 0.5, 1)),
    PutBreaker("orders", None),
]


@pytest.mark.parametrize("change", EVERY_KIND, ids=lambda change: type(change).__name__)
def test_every_kind_is_read_as_it_was_written(change: Change) -> None:
    """Directly, and through the text that a journal keeps."""
    plain = change_plain(change)
    assert read_change(plain) == change
    assert read_change(json.loads(json.dumps(plain))) == change


@settings(max_examples=300)
@given(data=st.data())
def test_every_change_is_read_as_it_was_written(
    data: st.DataObject, changes: st.SearchStrategy[Change]
) -> None:
    """And writing it again gives the same text."""
    change = data.draw(changes)
    text = json.dumps(change_plain(change))
    again = read_change(json.loads(text))
    assert again == change
    assert json.dumps(change_plain(again)) == text


def test_weights_keep_their_decimals_and_their_order() -> None:
    """The order is the layout of the split, and a share is exactly what was asked for."""
    route = Route("1", {"3": Decimal("0.3"), "2": Decimal("0.1"), "4": Decimal("1E-12")})
    again = read_change(json.loads(json.dumps(change_plain(PutAlias("orders", "a", route)))))
    assert isinstance(again, PutAlias)
    assert list(again.route.weights.items()) == list(route.weights.items())


def test_a_version_without_a_configuration_is_not_one_with_the_usual() -> None:
    """`None` is that of `$LATEST` at the time."""
    assert change_plain(Publish("orders"))["configuration"] is None
    assert read_change(change_plain(Publish("orders"))) == Publish("orders")


def changed(change: Change, *path: str | int, to: object) -> dict[str, Any]:
    """The plain form of a change with one value replaced."""
    plain: dict[str, Any] = json.loads(json.dumps(change_plain(change)))
    inner: Any = plain
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = to
    return plain


def without(change: Change, *path: str) -> dict[str, Any]:
    """The plain form of a change with one key left out."""
    plain = changed(change, *path, to=None)
    inner: Any = plain
    for part in path[:-1]:
        inner = inner[part]
    del inner[path[-1]]
    return plain


FUNCTION, PUBLISH, ALIAS = EVERY_KIND[0], EVERY_KIND[3], EVERY_KIND[5]
SERVICE, RELEASE = EVERY_KIND[7], EVERY_KIND[8]
FAULT = EVERY_KIND[11]
BREAKER = EVERY_KIND[18]
RESOURCE, NAMED = EVERY_KIND[15], EVERY_KIND[17]
CONFIGURED = (FUNCTION, "configuration")

MALFORMED: dict[str, object] = {
    "nothing": None,
    "a number": 1,
    "a text": "publish",
    "a list": [],
    "pairs": [["kind", "delete-function"], ["name", 1]],
    "an empty table": {},
    "no kind": {"name": "orders"},
    "an unknown kind": {"kind": "rename-function", "name": "orders"},
    "a kind that is no text": {"kind": 1, "name": "orders"},
    "a kind that is a list": {"kind": [], "name": "orders"},
    "an unknown field": {**change_plain(DeleteFunction("orders")), "force": True},
    "a missing field": {"kind": "delete-alias", "function": "orders"},
    "a resource of a kind that is no text": changed(RESOURCE, "group", to=1),
    "a resource that is no table": changed(RESOURCE, "content", to=["small"]),
    "a resource with a set in it": changed(RESOURCE, "content", "keys", to={1: 2}),
    "a resource with a moment in it": changed(RESOURCE, "content", "more", to=[object()]),
    "a resource without a content": without(RESOURCE, "content"),
    "an edition that is a text": changed(NAMED, "edition", to="20261124"),
    "an edition without words": without(NAMED, "edition", "description"),
    "an edition of a number": changed(NAMED, "edition", "version", to=1),
    "an edition with more": changed(NAMED, "edition", "more", to=1),
    "a missing field with a default": without(PUBLISH, "number"),
    "a name that is a number": changed(FUNCTION, "name", to=1),
    "a name that is null": changed(FUNCTION, "name", to=None),
    "a description that is null": changed(FUNCTION, "description", to=None),
    "code that is null": changed(FUNCTION, "code", to=None),
    "a published number that is no text": changed(PUBLISH, "number", to=7),
    "a configuration that is a text": changed(*CONFIGURED, to="usual"),
    "a configuration that is null": changed(*CONFIGURED, to=None),
    "a configuration without a handler": without(FUNCTION, "configuration", "handler"),
    "a handler that is a number": changed(*CONFIGURED, "handler", to=1),
    "a timeout that is a text": changed(*CONFIGURED, "timeout", to="3"),
    "a timeout that is a boolean": changed(*CONFIGURED, "timeout", to=True),
    "a memory with a fraction": changed(*CONFIGURED, "memory", to=64.5),
    "a concurrency that is null": changed(*CONFIGURED, "concurrency", to=None),
    "an environment that is a list": changed(*CONFIGURED, "environment", to=[["A", "b"]]),
    "a variable that is a number": changed(*CONFIGURED, "environment", to={"A": 1}),
    "a published configuration that is a list": changed(PUBLISH, "configuration", to=[]),
    "a route that is null": changed(ALIAS, "route", to=None),
    "a route without a version": without(ALIAS, "route", "version"),
    "a route without weights": without(ALIAS, "route", "weights"),
    "a route with an unknown key": changed(ALIAS, "route", "sticky", to=True),
    "a route with words": changed(ALIAS, "route", "description", to="words"),
    "a weight above one": changed(ALIAS, "route", "weights", to={"2": 1.5}),
    "a weight that is not a number": changed(ALIAS, "route", "weights", to={"2": float("nan")}),
    "a rule that is none": changed(ALIAS, "route", "rules", 0, "when", to="never"),
    "an unknown split": changed(ALIAS, "route", "split", to="odd"),
    "a fault that is a share": changed(FAULT, "fault", to=0.05),
    "a fault that does nothing": changed(FAULT, "fault", to={"errors": 0.0}),
    "a fault without a status": without(FAULT, "fault", "status"),
    "a fault with an unknown key": changed(FAULT, "fault", "share", to=0.05),
    "a fault of nothing": without(FAULT, "fault"),
    "a breaker that is a share": changed(BREAKER, "breaker", to=0.05),
    "a breaker without a share": without(BREAKER, "breaker", "errors"),
    "a breaker without trials": without(BREAKER, "breaker", "trials"),
    "a breaker of nothing": without(BREAKER, "breaker"),
    "a version with a fault that is a number": changed(FAULT, "version", to=1),
    "apis that are null": changed(SERVICE, "apis", to=None),
    "apis that are a text": changed(SERVICE, "apis", to=""),
    "an api that is a text": changed(SERVICE, "apis", to=["GET /"]),
    "an api without a backend": changed(
        SERVICE, "apis", to=[{"id": "a", "method": "GET", "path": "/"}]
    ),
    "an api with two backends": changed(RELEASE, "apis", 0, "mock", to={"body": "pong"}),
    "an api with an unknown key": changed(RELEASE, "apis", 0, "cache", to=1),
    "an api with an unknown method": changed(RELEASE, "apis", 0, "method", to="get"),
    "an api with a relative path": changed(RELEASE, "apis", 0, "path", to="x"),
    "an api with no name": changed(RELEASE, "apis", 0, "id", to=None),
    "a qualifier that is null": changed(RELEASE, "apis", 0, "qualifier", to=None),
    "integrated as a number": changed(RELEASE, "apis", 0, "integrated", to=1),
    "an http backend that is a text": changed(RELEASE, "apis", 1, "http", to="http://x"),
    "an http backend without a url": changed(RELEASE, "apis", 1, "http", to={"timeout": 1.0}),
    "an http backend with an unknown key": changed(RELEASE, "apis", 1, "http", "tls", to=True),
    "a mock without headers": without(RELEASE, "variables") | {"apis": [{"mock": {}}]},
    "a mock with a status that is a text": changed(RELEASE, "apis", 2, "mock", "status", to="200"),
    "variables that are a list": changed(RELEASE, "variables", to=[["a", "b"]]),
    "a variable of a stage that is null": changed(RELEASE, "variables", to={"a": None}),
    "a batch of no list": {"kind": "batch", "changes": {}},
    "a batch with an unknown kind in it": {"kind": "batch", "changes": [{"kind": "x"}]},
    "a batch with nothing in it": {"kind": "batch", "changes": [None]},
    "a batch with an unknown field": {"kind": "batch", "changes": [], "note": ""},
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_change_is_refused(raw: Plain) -> None:
    """Whatever it is; the error says what was read and why it cannot be."""
    with pytest.raises(UnknownChange, match="no change can be read from"):
        read_change(raw)


def test_a_refusal_shows_the_beginning_of_the_entry_and_the_reason() -> None:
    """A damaged entry may be long."""
    with pytest.raises(UnknownChange) as caught:
        read_change(changed(FUNCTION, "name", to=["x" * 1000]))
    assert len(str(caught.value)) < 1400
    with pytest.raises(UnknownChange) as caught:
        read_change({**change_plain(DeleteFunction("orders")), "force": True})
    assert str(caught.value) == (
        "no change can be read from {'kind': 'delete-function', 'name': 'orders', 'force': True}: "
        "ValueError: other fields: force"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=300)
@given(data=st.data(), value=JSON)
def test_a_damaged_entry_is_refused_or_is_another_change(
    data: st.DataObject, value: object, changes: st.SearchStrategy[Change]
) -> None:
    """One value replaced by any other: never another error, and never a change that differs."""
    plain: Any = json.loads(json.dumps(change_plain(data.draw(changes))))
    inner: Any = plain
    key: Any = data.draw(st.sampled_from(sorted(inner)))
    while isinstance(inner[key], dict | list) and inner[key] and data.draw(st.booleans()):
        inner = inner[key]
        keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
        key = data.draw(st.sampled_from(keys))
    inner[key] = value
    try:
        found = read_change(plain)
    except UnknownChange:
        return
    assert change_plain(found) == plain
