"""A recording under another alias: what is settled, what is drawn, who would move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from gateway.core.alias import parse_route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, Publish, PutAlias, PutFunction, PutService, Release
from gateway.core.entries import Target
from gateway.core.errors import ApiNotFound
from gateway.core.routes import parse_path
from gateway.core.rules import RequestView
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, MockBackend, Snapshot
from gateway.traffic.recording import Answered, Recorded
from gateway.traffic.view import RecordedView
from gateway.traffic.whatif import DRAWN, Comparison, Question

TARGET = Target("orders", "release")
STICKY = {"split": "sticky", "sticky_by": "invoke.headers.User"}
BOB = {"when": "invoke.headers.User exact Bob", "version": "3"}
APIS = {
    "/orders": Api("a", "ANY", parse_path("/orders"), FunctionBackend(*TARGET)),
    "/other": Api("b", "ANY", parse_path("/other"), FunctionBackend("orders", "$DEFAULT")),
    "/mock": Api("c", "ANY", parse_path("/mock"), MockBackend("pong")),
}


def state(route: Mapping[str, object]) -> Snapshot:
    """Three versions, and the alias."""
    changes: list[Change] = [PutFunction("orders", "code"), *[Publish("orders")] * 3]
    changes += [PutAlias("orders", "release", parse_route(route, "it")[0])]
    changes += [PutService("shop", "shop"), Release("shop", "release", tuple(APIS.values()))]
    return apply(EMPTY, Batch(tuple(changes)))


def look(request: Recorded) -> tuple[Api, RequestView]:
    """The API of a request by its path."""
    api = APIS.get(request.path)
    if api is None:
        raise ApiNotFound(request.path)
    return api, RecordedView(request)


def asked(
    now: Mapping[str, object], then: Mapping[str, object] | None, requests: Iterable[Recorded]
) -> Comparison:
    """The comparison of two aliases over some requests."""
    snapshot = state(now)
    other = snapshot
    if then is not None:
        other = apply(snapshot, PutAlias("orders", "release", parse_route(then, "it")[0]))
    return Comparison(Question(snapshot, other, TARGET, "release"), look).over(requests)


def by(user: str | None, path: str = "/orders", answer: Answered | None = None) -> Recorded:
    """A request that a user sent."""
    headers = () if user is None else (("User", user),)
    return Recorded(0.0, "GET", path, headers=headers, answer=answer)


USERS = [f"user {n}" for n in range(2000)]


def test_a_raised_weight_moves_only_towards_the_raised_version() -> None:
    """And about as many users as it was raised by."""
    found = asked(
        {"version": "1", "weights": {"2": 0.1}, **STICKY},
        {"version": "1", "weights": {"2": 0.3}, **STICKY},
        [by(user) for user in USERS for _ in range(2)],
    )
    assert set(found.moves) == {("1", "1"), ("1", "2"), ("2", "2")}
    users = found.users()
    assert (users["total"], users["untold"]) == (2000, 0)
    assert users["moved"] == found.moves["1", "2"] / 2
    assert 0.15 < users["moved"] / 2000 < 0.25
    now, then = found.shares(then=False), found.shares(then=True)
    assert (now["1"] + now["2"], then["1"] + then["2"]) == (4000, 4000)
    assert then["2"] == found.moves["1", "2"] + found.moves["2", "2"]


def test_rules_hit_before_weights() -> None:
    """Each with its requests and its users."""
    route = {"version": "1", "rules": [BOB, {"when": "invoke.query.x exists", "version": "2"}]}
    found = asked(
        {"version": "1"},
        route,
        [by("Bob"), by("Bob"), by("Al"), by("Cy")._replace(query="x"), by(None)],
    )
    assert found.moves == {("1", "3"): 2, ("1", "1"): 2, ("1", "2"): 1}
    hits = [(rule.when, rule.version, rule.requests, len(rule.users)) for rule in found.rules]
    assert hits == [
        ("invoke.headers.User exact Bob", "3", 2, 0),
        ("invoke.query.x exists", "2", 1, 0),
    ]
    assert found.users() == {"total": 0, "moved": 0, "untold": 0}


def test_users_are_as_recorded() -> None:
    """Whoever moves with one request has moved."""
    requests = [by("Bob"), by("Al"), by("Al"), by("Cy")]
    named = [request._replace(user=f"u{n % 2}") for n, request in enumerate(requests)]
    found = asked({"version": "1"}, {"version": "1", "rules": [BOB]}, named)
    assert found.users() == {"total": 2, "moved": 1, "untold": 0}
    assert [sorted(rule.users) for rule in found.rules] == [["u0"]]


@pytest.mark.parametrize("split", ["random", "even"])
def test_of_draws_only_the_shares_are_known(split: str) -> None:
    """Each version gets its share of those that no rule settles."""
    route = {"version": "1", "weights": {"2": 0.25}, "split": split, "rules": [BOB]}
    found = asked({"version": "1"}, route, [by("Bob"), *(by(None) for _ in range(8))])
    assert found.moves == {("1", "3"): 1, ("1", DRAWN): 8}
    assert found.shares(then=False) == {"1": 9}
    assert found.shares(then=True) == {"1": 6.0, "2": 2.0, "3": 1}
    assert (found.drawn(then=False), found.drawn(then=True), found.keyless) == (0, 8, 0)


def test_a_sticky_split_without_a_key_is_drawn() -> None:
    """Which is said, for it is hardly meant."""
    route = {"version": "1", "weights": {"2": 0.5}, **STICKY}
    found = asked({"version": "1"}, route, [by(None)._replace(user="Al"), by("Bob")])
    assert (found.keyless, found.drawn(then=True)) == (1, 1)
    assert found.users()["total"] == 2
    assert found.users()["untold"] == 1


def test_a_user_is_told_by_the_key_that_is_now() -> None:
    """Where the alias that is to come has none."""
    now = {"version": "1", "weights": {"2": 1.0}, **STICKY}
    found = asked(now, {"version": "1"}, [by("Bob"), by("Bob"), by(None)])
    assert found.moves == {("2", "1"): 2, (DRAWN, "1"): 1}
    assert found.users() == {"total": 1, "moved": 1, "untold": 0}


def test_requests_for_others_are_counted_apart() -> None:
    """Those of another alias or back end, and those that fit no API."""
    requests = [by(None), by(None, "/other"), by(None, "/mock"), by(None, "/nowhere")]
    found = asked({"version": "1"}, None, requests)
    assert (found.requests, found.decided) == (4, 1)
    assert (found.elsewhere, found.unmatched) == (2, 1)


def test_recorded_answers_are_held_against_the_alias() -> None:
    """Those that say which version answered."""
    now = {"version": "1", "weights": {"2": 0.5}, "rules": [BOB]}
    requests = [
        by("Bob", answer=Answered(version="3")),
        by("Bob", answer=Answered(version="1")),
        by("Bob", answer=Answered(version="2")),
        by("Al", answer=Answered(version="2")),
        by("Bob", answer=Answered(status=200)),
        by("Bob"),
    ]
    found = asked(now, None, requests)
    agreement = found.agreement
    assert (agreement.same, agreement.other, agreement.drawn) == (1, 2, 1)
    assert agreement.first is requests[1]
    assert not found.question.hypothetical
