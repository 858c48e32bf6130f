"""Explanations: the same decision as a request's, with everything that led to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import PutAlias, PutFault
from gateway.core.decide import decide
from gateway.core.entries import Target
from gateway.core.errors import QualifierNotFound
from gateway.core.explain import Bucket, Explanation, RuleTrace, explain
from gateway.core.faults import Fault
from gateway.core.routes import parse_path
from gateway.core.rules import RequestView
from gateway.core.snapshot import (
    Api,
    Backend,
    FunctionBackend,
    HttpBackend,
    MockBackend,
    Snapshot,
    Stage,
)
from gateway.core.split import Draw, Mode

Http = Callable[..., RequestView]
Routed = Callable[..., Snapshot]
Fixed = Callable[[float], Draw]

RULES = [
    ("invoke.headers.User exact Alice", "3"),
    ("invoke.headers.User exact Bob", "4"),
    ("invoke.headers.User exists", "5"),
]


def found(backend: Backend) -> tuple[Stage, Api, dict[str, str]]:
    """What a look-up gives for `GET /orders/7` on `release`."""
    api = Api("orders", "ANY", parse_path("/orders/{id}"), backend)
    return Stage("release", (api,)), api, {"id": "7"}


RELEASE = found(FunctionBackend("orders", "release"))


@pytest.mark.parametrize(
    ("headers", "outcomes", "version", "reason"),
    [
        pytest.param(
            {"User": "Alice"}, ["hit", "not reached", "not reached"], "3", "rule:1", id="1"
        ),
        pytest.param({"User": "Bob"}, ["miss", "hit", "not reached"], "4", "rule:2", id="second"),
        pytest.param({"User": "Eve"}, ["miss", "miss", "hit"], "5", "rule:3", id="the last"),
        pytest.param({}, ["miss", "miss", "miss"], "1", "main", id="none"),
    ],
)
def test_rules_are_told_up_to_the_one_that_hits(
    *,
    headers: Mapping[str, str],
    outcomes: list[str],
    version: str,
    reason: str,
    routed: Routed,
    http: Http,
    fixed: Fixed,
) -> None:
    """First hit wins; what comes after it was not reached."""
    told = explain(routed("1", rules=RULES), RELEASE, http(headers), fixed(0.5))
    assert [trace.outcome for trace in told.rules] == outcomes
    assert [trace.value for trace in told.rules] == [headers.get("User")] * 3
    assert told.rules[1] == RuleTrace(
        2, "invoke.headers.User exact Bob", "4", headers.get("User"), outcomes[1]
    )
    assert (told.version, told.reason, told.draw) == (version, reason, None)


@pytest.mark.parametrize(
    ("split", "headers", "draw", "version", "reason"),
    [
        pytest.param("random", {}, 0.05, "2", "weight", id="random"),
        pytest.param("random", {}, 0.5, "1", "main", id="the main version"),
        pytest.param("even", {}, 0.95, "3", "weight", id="even"),
        pytest.param("sticky", {}, 0.05, "2", "weight", id="sticky without a key"),
        pytest.param("sticky", {"User": "Bob"}, 0.47968814258436165, "1", "sticky", id="sticky"),
    ],
)
def test_the_draw_and_the_layout_are_told(
    *,
    split: Mode,
    headers: Mapping[str, str],
    draw: float,
    version: str,
    reason: str,
    routed: Routed,
    http: Http,
    fixed: Fixed,
) -> None:
    """Whoever makes the draw, dice or hash, it falls into the version's bucket."""
    by = "invoke.headers.User" if split == "sticky" else None
    weights = {"2": "0.1", "3": "0.3"}
    snapshot = routed("1", weights=weights, split=split, sticky_by=by)
    told = explain(snapshot, RELEASE, http(headers), fixed(draw))
    assert (told.version, told.reason, told.split) == (version, reason, split)
    assert told.draw == draw
    assert told.buckets == (
        Bucket("2", 0.0, 0.1, 0.1),
        Bucket("1", 0.1, 0.7, 0.6),
        Bucket("3", 0.7, 1.0, 0.3),
    )
    assert told.sticky_key == (headers.get("User") if split == "sticky" else None)


def test_the_api_and_the_stage_are_told(routed: Routed, nobody: RequestView, fixed: Fixed) -> None:
    """As plain values."""
    snapshot = routed("1")
    told = explain(snapshot, RELEASE, nobody, fixed(0.5))
    assert told.to_dict() == {
        "revision": snapshot.revision,
        "stage": "release",
        "api": "orders",
        "method": "ANY",
        "path": "/orders/{id}",
        "parameters": {"id": "7"},
        "backend": "function",
        "function": "orders",
        "qualifier": "release",
        "rules": (),
        "split": None,
        "buckets": (),
        "sticky_key": None,
        "draw": None,
        "version": "1",
        "reason": "main",
        "fault": None,
    }


def test_a_pinned_version_has_nothing_to_tell_but_itself(
    routed: Routed, nobody: RequestView, fixed: Fixed
) -> None:
    """No rules, no weights."""
    told = explain(routed("1"), found(FunctionBackend("orders", "3")), nobody, fixed(0.5))
    assert (told.version, told.reason, told.rules, told.buckets) == ("3", "pinned", (), ())


@pytest.mark.parametrize(
    ("backend", "name"),
    [(HttpBackend("http://127.0.0.1:9000"), "http"), (MockBackend("pong"), "mock")],
    ids=["http", "mock"],
)
def test_other_backends_have_no_version(
    backend: Backend, name: str, routed: Routed, nobody: RequestView, fixed: Fixed
) -> None:
    """Nothing is decided for them."""
    snapshot = routed("1")
    told = explain(snapshot, found(backend), nobody, fixed(0.5))
    assert told == Explanation(
        snapshot.revision, "release", "orders", "ANY", "/orders/{id}", {"id": "7"}, name
    )


def test_an_unknown_qualifier_is_the_same_error_as_a_requests(
    shop: Snapshot, nobody: RequestView, fixed: Fixed
) -> None:
    """An explanation fails as the request would."""
    with pytest.raises(QualifierNotFound):
        explain(shop, RELEASE, nobody, fixed(0.5))


@settings(deadline=None)
@given(data=st.data())
def test_an_explanation_never_differs_from_the_decision(
    *,
    data: st.DataObject,
    routes: st.SearchStrategy[Route],
    views: st.SearchStrategy[RequestView],
    shop: Snapshot,
    fixed: Fixed,
) -> None:
    """For any route, request and draw; and at most one rule hit."""
    snapshot = apply(shop, PutAlias("orders", "release", data.draw(routes)))
    request, draw = data.draw(views), data.draw(st.floats(0, 1, exclude_max=True))
    decision = decide(snapshot, Target("orders", "release"), request, fixed(draw))
    told = explain(snapshot, RELEASE, request, fixed(draw))
    assert (told.version, told.reason) == (decision.version, decision.reason)
    hits = [trace.number for trace in told.rules if trace.outcome == "hit"]
    assert [f"rule:{number}" for number in hits] == [decision.reason] * len(hits)
    if told.draw is not None:
        [bucket] = [b for b in told.buckets if b.low <= told.draw < b.high]
        assert bucket.version == decision.version


def test_a_fault_of_the_version_is_told(routed: Routed, http: Http, fixed: Fixed) -> None:
    """Only that of the version that answers."""
    snapshot = routed("1", weights={"2": "0.5"})
    snapshot = apply(snapshot, PutFault("orders", "2", Fault(0.25, 503)))
    told = [
        explain(snapshot, RELEASE, http(), fixed(draw)).to_dict()["fault"] for draw in (0.1, 0.9)
    ]
    assert told == [{"errors": 0.25, "status": 503, "latency": None}, None]
