"""`rebuild`: from nothing to the same snapshot, in as few changes as it takes."""

from __future__ import annotations

import json
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
    Change,
    DeleteVersion,
    Publish,
    PutAlias,
    PutBreaker,
    PutFault,
    PutFunction,
    PutResource,
    PutService,
    Release,
)
from gateway.core.decide import decide
from gateway.core.entries import Target
from gateway.core.faults import Fault
from gateway.core.functions import Configuration
from gateway.core.journal import change_plain, read_change
from gateway.core.rebuild import rebuild
from gateway.core.rules import RequestView, parse_rule
from gateway.core.snapshot import EMPTY, Snapshot
from gateway.core.split import Draw

Build = Callable[..., Snapshot]


def rebuilt(snapshot: Snapshot) -> Snapshot:
    """The snapshot as a checkpoint brings it back: through the text of a journal."""
    text = json.dumps(change_plain(rebuild(snapshot)))
    return apply(EMPTY, read_change(json.loads(text)))


def orders(snapshot: Snapshot) -> list[object]:
    """Everything whose order can be seen: lists of names, from the outside in."""
    functions, services = snapshot.functions, snapshot.services
    return [
        list(functions),
        *([list(f.versions), list(f.aliases)] for f in functions.values()),
        list(services),
        *(list(s.stages) for s in services.values()),
    ]


def check(snapshot: Snapshot) -> None:
    """What comes back is the same, but for the revision."""
    again = rebuilt(snapshot)
    assert replace(again, revision=snapshot.revision) == snapshot
    assert {name: set(entries) for name, entries in again.entries.items()} == {
        name: set(entries) for name, entries in snapshot.entries.items()
    }
    assert again.default_service == snapshot.default_service
    assert orders(again) == orders(snapshot)


def test_nothing_is_rebuilt_from_nothing() -> None:
    """No change at all."""
    assert rebuild(EMPTY).changes == ()


TROUBLES: dict[str, list[Change]] = {
    "the highest version deleted": [DeleteVersion("orders", "6")],
    "every version deleted": [DeleteVersion("orders", number) for number in "123456"],
    "a number passed over": [Publish("orders", number="20"), DeleteVersion("orders", "20")],
    "a version in the middle deleted": [DeleteVersion("orders", "3")],
    "configurations of their own": [
        PutFunction("orders", "newer", Configuration(timeout=9, environment={"A": "b"}), "words"),
        Publish("orders", description="seventh"),
        PutFunction("orders", "newest", Configuration(memory=64)),
        Publish("orders", configuration=Configuration("web.main")),
    ],
    "decimals that floats only come near": [
        PutAlias(
            "orders",
            "release",
            Route("1", {"2": Decimal("0.1"), "3": Decimal("0.2"), "4": Decimal("1E-12")}),
        )
    ],
    "rules in an order that counts": [
        PutAlias(
            "orders",
            "release",
            Route(
                "1",
                rules=(
                    parse_rule("invoke.headers.User prefix B", "2"),
                    parse_rule("invoke.headers.User exact Bob", "3"),
                ),
            ),
        )
    ],
    "$DEFAULT moved": [PutAlias("orders", "$DEFAULT", Route("2"), "words")],
    "a second service, a first stage released last": [
        PutService("second", "2nd"),
        PutService("another", ""),
        Release("second", "release", (), {"a": "b"}),
        Release("second", "dev", ()),
    ],
    "a fault": [PutFault("orders", "2", Fault(0.05))],
    "a breaker": [PutBreaker("orders", Breaker(0.5, pause=1.0))],
    "an empty resource": [PutResource("plans", "small", {})],
    "empty code": [PutFunction("empty", ""), Publish("empty")],
}


@pytest.mark.parametrize("changes", TROUBLES.values(), ids=TROUBLES.keys())
def test_what_is_easily_lost_comes_back(
    changes: list[Change], shop: Snapshot, build: Build
) -> None:
    """Equal in every part."""
    check(build(*changes, start=shop))


def test_numbers_stay_used(shop: Snapshot, build: Build) -> None:
    """The next version gets the same number as it would have got."""
    snapshot = build(Publish("orders", number="9"), DeleteVersion("orders", "9"), start=shop)
    for state in (snapshot, rebuilt(snapshot)):
        assert "10" in apply(state, Publish("orders")).functions["orders"].versions


@settings(max_examples=200)
@given(data=st.data())
def test_every_state_comes_back(data: st.DataObject, states: st.SearchStrategy[Snapshot]) -> None:
    """Wherever changes of any kind led to; and rebuilding it again takes the same changes."""
    snapshot = data.draw(states)
    check(snapshot)
    assert rebuild(rebuilt(snapshot)) == rebuild(snapshot)


@settings(max_examples=100)
@given(data=st.data(), shown=st.floats(0, 1, exclude_max=True))
def test_every_qualifier_decides_as_before(
    data: st.DataObject,
    shown: float,
    states: st.SearchStrategy[Snapshot],
    views: st.SearchStrategy[RequestView],
    fixed: Callable[[float], Draw],
) -> None:
    """The compiled entries are made anew, and give the same decisions."""
    snapshot, view = data.draw(states), data.draw(views)
    again = rebuilt(snapshot)
    for name, entries in snapshot.entries.items():
        for qualifier in entries:
            decisions = [
                decide(state, Target(name, qualifier), view, fixed(shown))
                for state in (snapshot, again)
            ]
            assert len({(found.version, found.reason) for found in decisions}) == 1
