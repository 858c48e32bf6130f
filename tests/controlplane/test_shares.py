"""Shares by alias: counted for where it led when a request saw it, and judged all the time."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.controlplane.shares import Division, Shares
from gateway.core.alias import Route, parse_route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Publish, PutAlias, PutFunction
from gateway.core.snapshot import EMPTY, Snapshot
from gateway.observe import Cell, Label, Noted, Portion
from gateway.observe.portions import portions
from gateway.verdict import Outcome

HALF = Route("1", {"2": Decimal("0.5")})


def shop(route: Route) -> Snapshot:
    """A function whose alias leads there."""
    story = (PutFunction("f", "c"), Publish("f"), Publish("f"), PutAlias("f", "release", route))
    return apply(EMPTY, Batch(story))


def answers(version: str, times: int, revision: int = 1, reason: str = "weight") -> list[Portion]:
    """Answers of a version."""
    cell = Cell(Label("release", "f", "release", version, reason))
    noted: Noted = (cell, 200, 0.0, 1.0, revision)
    return portions([noted] * times)


def release(shares: Shares) -> Division:
    """What is told of the alias."""
    return next(each for each in shares.all() if each.alias == "release")


def test_nothing_is_known_before_the_first_request() -> None:
    """Undecided, with a band that holds everything."""
    found = release(Shares(shop(HALF)))
    assert found.look is not None
    assert (found.requests, found.look.outcome) == (0, Outcome.UNDECIDED)
    assert [(s.version, s.configured, s.observed, s.low, s.high) for s in found.shares] == [
        ("1", 0.5, None, 0.0, 1.0),
        ("2", 0.5, None, 0.0, 1.0),
    ]


@pytest.mark.parametrize(
    ("ones", "twos", "outcome"),
    [(5000, 5000, Outcome.PASSED), (6000, 4000, Outcome.FAILED), (5, 5, Outcome.UNDECIDED)],
)
def test_a_division_is_judged(ones: int, twos: int, outcome: Outcome) -> None:
    """With the observed share inside its band."""
    shares = Shares(shop(HALF))
    shares.take(answers("1", ones, reason="main") + answers("2", twos))
    found = release(shares)
    assert found.look is not None
    assert found.look.outcome is outcome
    for share in found.shares:
        assert share.observed is not None
        assert share.low < share.observed < share.high


def test_rules_take_whom_they_name_and_are_not_counted() -> None:
    """Nor is what other aliases and other functions answered."""
    shares = Shares(shop(HALF))
    shares.take(answers("2", 100, reason="rule:1"))
    shares.take(portions([(Cell(Label("x", "g", "release", "2", "main")), 200, 0.0, 1.0, 1)]))
    assert release(shares).requests == 0


def test_moving_an_alias_begins_anew_and_late_answers_count_for_what_they_saw() -> None:
    """Other changes leave the count alone."""
    first = shop(HALF)
    shares = Shares(first)
    shares.take(answers("1", 100))
    same = apply(first, PutAlias("f", "spare", Route("1")))
    shares.follow(same)
    assert release(shares).requests == 100
    moved = apply(same, PutAlias("f", "release", Route("1", {"2": Decimal("0.1")})))
    shares.follow(moved)
    shares.take(answers("2", 50, revision=same.revision))
    shares.take(answers("1", 7, revision=moved.revision))
    found = release(shares)
    assert (found.revision, found.requests) == (moved.revision, 7)
    assert [share.configured for share in found.shares] == [0.9, 0.1]


def test_where_keys_stick_there_is_no_verdict() -> None:
    """Requests of one user are no independent draws."""
    raw = {"version": "1", "weights": {"2": 0.5}, "split": "sticky",
           "sticky_by": "invoke.headers.User"}  # fmt: skip
    route, _ = parse_route(raw, "a route")
    shares = Shares(shop(route))
    shares.take(answers("2", 1000, reason="sticky"))
    found = release(shares)
    assert (found.look, found.requests) == (None, 1000)


def test_answers_of_a_revision_that_is_not_live_here_yet_wait_for_it() -> None:
    """Others are faster at times; what they answered counts for where the alias leads then."""
    first = shop(HALF)
    moved = apply(first, PutAlias("f", "release", Route("1", {"2": Decimal("0.1")})))
    shares = Shares(first)
    for _ in range(2):
        shares.take(answers("2", 3, revision=moved.revision))
    shares.take(answers("1", 1, revision=moved.revision + 1))
    shares.take(answers("1", 5, revision=first.revision))
    assert release(shares).requests == 5
    shares.follow(moved)
    assert (release(shares).revision, release(shares).requests) == (moved.revision, 6)
    shares.follow(apply(moved, PutAlias("f", "spare", Route("1"))))
    assert release(shares).requests == 7


def test_not_everything_that_is_early_can_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a bound; what waits already still counts."""
    monkeypatch.setattr("gateway.controlplane.shares.EARLY", 1)
    first = shop(HALF)
    shares = Shares(first)
    for revision in (first.revision + 1, first.revision + 2, first.revision + 1):
        shares.take(answers("2", 3, revision=revision))
    for name in ("a", "b"):
        first = apply(first, PutAlias("f", name, Route("1")))
        shares.follow(first)
    assert release(shares).requests == 6
