"""`differences`: exactly the parts that changed, as they were and as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.breaker import Breaker
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.diff import Difference, brought, differences
from gateway.core.errors import Refused
from gateway.core.faults import Fault, Latency
from gateway.core.functions import Configuration
from gateway.core.plain import snapshot_plain
from gateway.core.resources import resource_shown
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, MockBackend, Snapshot

Build = Callable[..., Snapshot]

USUAL = {
    "handler": "index.main_handler",
    "timeout": 3.0,
    "memory": 128,
    "concurrency": 128,
    "environment": {},
    "isolation": "auto",
    "type": "event",
}
PING = Api("ping", "GET", parse_path("=/ping"), MockBackend("pong"))
FAULT_PLAIN = {"errors": 0.05, "status": 430, "latency": None}
PING_PLAIN = {
    "id": "ping",
    "method": "GET",
    "path": "=/ping",
    "mock": {"body": "pong", "status": 200, "headers": {}},
}


def version(number: str, code: str, **other: object) -> dict[str, object]:
    """A version as plain values."""
    return {"version": number, "description": "", "code": code, **USUAL, **other}


def alias(main: str, description: str = "", **other: object) -> dict[str, object]:
    """An alias as plain values."""
    silent: dict[str, object] = {"weights": {}, "rules": [], "split": "random", "sticky_by": None}
    return {"version": main, **silent, **other, "description": description}


@pytest.fixture(scope="module")
def full(build: Build, shop: Snapshot) -> Snapshot:
    """The shop with an alias, a small function and a service on one stage."""
    return build(
        PutAlias("orders", "release", Route("1")),
        PutFault("orders", "2", Fault(0.05)),
        PutFunction("payments", "code"),
        PutService("shop", "Shop", (PING,)),
        Release("shop", "dev", (PING,)),
        start=shop,
    )


ORDERS = ("functions", "orders")
PAYMENTS = ("functions", "payments")
SHOP = ("services", "shop")
CASES: dict[str, tuple[Change, list[Difference]]] = {
    "new code for $LATEST": (
        PutFunction("payments", "newer", Configuration(timeout=5), "words"),
        [
            Difference(
                (*PAYMENTS, "versions", "$LATEST"),
                version("$LATEST", "code"),
                version("$LATEST", "newer", timeout=5, description="words"),
            )
        ],
    ),
    "the same function again": (PutFunction("payments", "code"), []),
    "a new function": (
        PutFunction("stock", "code"),
        [
            Difference(
                ("functions", "stock", "versions", "$LATEST"), None, version("$LATEST", "code")
            ),
            Difference(("functions", "stock", "aliases", "$DEFAULT"), None, alias("$LATEST")),
        ],
    ),
    "a deleted function": (
        DeleteFunction("payments"),
        [
            Difference((*PAYMENTS, "versions", "$LATEST"), version("$LATEST", "code"), None),
            Difference((*PAYMENTS, "aliases", "$DEFAULT"), alias("$LATEST"), None),
        ],
    ),
    "a published version": (
        Publish("payments", description="first"),
        [Difference((*PAYMENTS, "versions", "1"), None, version("1", "code", description="first"))],
    ),
    "a deleted version": (
        DeleteVersion("orders", "3"),
        [Difference((*ORDERS, "versions", "3"), version("3", "code of 3"), None)],
    ),
    "a deleted version and its fault": (
        DeleteVersion("orders", "2"),
        [
            Difference((*ORDERS, "versions", "2"), version("2", "code of 2"), None),
            Difference((*ORDERS, "faults", "2"), FAULT_PLAIN, None),
        ],
    ),
    "a new fault": (
        PutFault("orders", "$LATEST", Fault(latency=Latency("normal", (0.2, 0.1)))),
        [
            Difference(
                (*ORDERS, "faults", "$LATEST"),
                None,
                {"errors": 0.0, "status": 430, "latency": {"normal": [0.2, 0.1]}},
            )
        ],
    ),
    "another fault": (
        PutFault("orders", "2", Fault(0.05, 503)),
        [Difference((*ORDERS, "faults", "2"), FAULT_PLAIN, {**FAULT_PLAIN, "status": 503})],
    ),
    "a fault put as it is": (PutFault("orders", "2", Fault(0.05)), []),
    "a cleared fault": (
        PutFault("orders", "2", None),
        [Difference((*ORDERS, "faults", "2"), FAULT_PLAIN, None)],
    ),
    "a breaker": (
        PutBreaker("orders", Breaker(0.5)),
        [Difference((*ORDERS, "breaker"), None, Breaker(0.5).to_dict())],
    ),
    "a moved alias": (
        PutAlias("orders", "release", Route("1", {"2": Decimal("0.1")}), "words"),
        [
            Difference(
                (*ORDERS, "aliases", "release"),
                alias("1"),
                alias("1", "words", weights={"2": 0.1}),
            )
        ],
    ),
    "an alias put as it is": (PutAlias("orders", "release", Route("1")), []),
    "a new alias": (
        PutAlias("orders", "prepub", Route("2")),
        [Difference((*ORDERS, "aliases", "prepub"), None, alias("2"))],
    ),
    "a deleted alias": (
        DeleteAlias("orders", "release"),
        [Difference((*ORDERS, "aliases", "release"), alias("1"), None)],
    ),
    "a service's name": (
        PutService("shop", "Store", (PING,)),
        [Difference((*SHOP, "name"), "Shop", "Store")],
    ),
    "a service's apis": (
        PutService("shop", "Shop"),
        [Difference((*SHOP, "apis"), [PING_PLAIN], [])],
    ),
    "a new service": (
        PutService("other", "Other"),
        [
            Difference(("services", "other", "name"), None, "Other"),
            Difference(("services", "other", "apis"), None, []),
        ],
    ),
    "a new stage": (
        Release("shop", "release", (PING,), {"a": "b"}),
        [
            Difference(
                (*SHOP, "stages", "release"), None, {"variables": {"a": "b"}, "apis": [PING_PLAIN]}
            )
        ],
    ),
    "other apis of a stage": (
        Release("shop", "dev", ()),
        [
            Difference(
                (*SHOP, "stages", "dev"),
                {"variables": {}, "apis": [PING_PLAIN]},
                {"variables": {}, "apis": []},
            )
        ],
    ),
    "a stage off the air": (
        Unrelease("shop", "dev"),
        [Difference((*SHOP, "stages", "dev"), {"variables": {}, "apis": [PING_PLAIN]}, None)],
    ),
    "a batch in the order of the snapshot": (
        Batch((Unrelease("shop", "dev"), DeleteAlias("orders", "release"))),
        [
            Difference((*ORDERS, "aliases", "release"), alias("1"), None),
            Difference((*SHOP, "stages", "dev"), {"variables": {}, "apis": [PING_PLAIN]}, None),
        ],
    ),
}


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES.keys())
def test_a_change_is_told_exactly(
    change: Change, expected: list[Difference], full: Snapshot
) -> None:
    """The parts it altered, before and after; backwards, the other way round."""
    after = apply(full, change)
    assert list(differences(full, after)) == expected
    assert set(map(str, differences(after, full))) == {
        str(Difference(found.path, found.after, found.before)) for found in expected
    }


def test_equal_snapshots_do_not_differ(full: Snapshot, build: Build, shop: Snapshot) -> None:
    """Not even when they share nothing, or are counted otherwise."""
    assert differences(full, full) == ()
    again = build(
        Batch(
            (
                PutAlias("orders", "release", Route("1")),
                PutFault("orders", "2", Fault(0.05)),
                PutFunction("payments", "code"),
                PutService("shop", "Shop", (PING,)),
                Release("shop", "dev", (PING,)),
            )
        ),
        start=shop,
    )
    assert again.revision != full.revision
    assert differences(full, again) == ()
    assert brought(full, again) == []


def test_from_nothing_everything_is_new(full: Snapshot) -> None:
    """Each part of the snapshot once."""
    found = differences(EMPTY, full)
    assert all(difference.before is None for difference in found)
    assert [difference.path for difference in found] == [
        *((*ORDERS, "versions", number) for number in ("$LATEST", "1", "2", "3", "4", "5", "6")),
        (*ORDERS, "faults", "2"),
        (*ORDERS, "aliases", "$DEFAULT"),
        (*ORDERS, "aliases", "release"),
        (*PAYMENTS, "versions", "$LATEST"),
        (*PAYMENTS, "aliases", "$DEFAULT"),
        (*SHOP, "name"),
        (*SHOP, "apis"),
        (*SHOP, "stages", "dev"),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(PutFunction("payments", "newer"), [("payments", "$LATEST")], id="new code"),
        pytest.param(
            PutFunction("payments", "code", Configuration(timeout=5)),
            [("payments", "$LATEST")],
            id="another configuration",
        ),
        pytest.param(PutFunction("payments", "code"), [], id="nothing new"),
        pytest.param(PutFunction("stock", "code"), [("stock", "$LATEST")], id="a new function"),
        pytest.param(Publish("payments"), [("payments", "1")], id="a published version"),
        pytest.param(PutAlias("orders", "release", Route("2")), [], id="a moved alias"),
        pytest.param(DeleteVersion("orders", "3"), [], id="a deleted version"),
        pytest.param(DeleteFunction("payments"), [], id="a deleted function"),
        pytest.param(
            Batch((PutFunction("orders", "newer"), Publish("orders"), Publish("payments"))),
            [("orders", "$LATEST"), ("orders", "7"), ("payments", "1")],
            id="several",
        ),
    ],
)
def test_versions_that_a_change_brings_are_told(
    change: Change, expected: list[tuple[str, str]], full: Snapshot
) -> None:
    """Those whose code has to load before the change is accepted."""
    after = apply(full, change)
    found = brought(full, after)
    assert [(version.function, version.number) for version in found] == expected
    assert all(after.functions[v.function].versions[v.number] is v for v in found)


def part(plain: dict[str, object], path: tuple[str, ...]) -> object:
    """The part of a snapshot, written as a whole, that a path names."""
    found: object = plain
    for key in path:
        assert isinstance(found, dict)
        found = found.get(key)
        if isinstance(found, list) and key == "versions":
            found = {version["version"]: version for version in found}
        if found is None:
            return None
    return found


def whole(snapshot: Snapshot) -> dict[str, object]:
    """Everything that a snapshot holds, resources as well."""
    shown = {
        group: {key: resource_shown(content) for key, content in kept.items()}
        for group, kept in snapshot.resources.items()
    }
    return {**snapshot_plain(snapshot), "resources": shown}


@settings(max_examples=200)
@given(data=st.data())
def test_differences_are_what_differs(
    data: st.DataObject,
    states: st.SearchStrategy[Snapshot],
    changes: st.SearchStrategy[Change],
) -> None:
    """Each is the part as both snapshots have it; none is told twice; none only where equal."""
    old = data.draw(states)
    try:
        new = apply(old, data.draw(changes))
    except Refused:
        new = data.draw(states)
    found = differences(old, new)
    before, after = whole(old), whole(new)
    for difference in found:
        assert difference.before == part(before, difference.path)
        assert difference.after == part(after, difference.path)
    assert len({difference.path for difference in found}) == len(found)
    equal = replace(old, revision=0) == replace(new, revision=0)
    assert equal == (found == () and last_numbers(old) == last_numbers(new))


def last_numbers(snapshot: Snapshot) -> dict[str, int]:
    """The highest number ever used, by function: no part shows it."""
    return {name: function.last for name, function in snapshot.functions.items()}
