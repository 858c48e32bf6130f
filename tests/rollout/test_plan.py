"""Plans: read whole or refused with every mistake, and the routes that they lead to."""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from gateway.core.alias import Route, parse_route
from gateway.core.errors import Refused
from gateway.rollout.plan import STEPS, Plan, fits, parse_plan

LEAST = {"function": "orders", "alias": "release", "to": "2"}
BASE, _ = parse_route(
    {"version": "1", "rules": [{"when": "invoke.headers.User exact Bob", "version": "2"}],
     "split": "sticky", "sticky_by": "invoke.headers.User"},
    "a route",
)  # fmt: skip


def test_what_is_not_named_is_as_usual() -> None:
    """Four steps, a minute each, no more failures than before."""
    plan = parse_plan(LEAST)
    assert (plan.steps, plan.every, plan.undecided) == (STEPS, 60, "wait")
    assert [guard.text for guard in plan.guards] == ["error_rate>old"]


def test_a_plan_is_read_as_it_was_written() -> None:
    """Plain values and back."""
    raw = {
        **LEAST, "steps": [0.05, 1], "every": 1.5, "requests": 10, "guards": ["p99>old*1.5"],
        "tolerance": 0.1, "false_rollback": 0.001, "miss": 0.2, "undecided": "advance",
    }  # fmt: skip
    assert parse_plan(raw).to_dict() == raw
    assert parse_plan(parse_plan(LEAST).to_dict()) == parse_plan(LEAST)


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"to": "release"}, ("to",)),
        ({"steps": []}, ("steps",)),
        ({"steps": [0.5]}, ("steps",)),
        ({"steps": [0.5, 0.5, 1]}, ("steps",)),
        ({"steps": [0, 1]}, ("steps",)),
        ({"steps": [0.1, "x", 1]}, ("steps",)),
        ({"steps": [0.1, True]}, ("steps",)),
        ({"steps": [nan, 1]}, ("steps",)),
        ({"steps": [i / 200 for i in range(1, 201)]}, ("steps",)),
        ({"every": -1}, ("every",)),
        ({"every": inf}, ("every",)),
        ({"every": "60"}, ("every",)),
        ({"requests": 1.5}, ("requests",)),
        ({"tolerance": 0}, ("tolerance",)),
        ({"false_rollback": 1}, ("false_rollback",)),
        ({"miss": 0}, ("miss",)),
        ({"guards": ["p99"]}, ("guards", 0)),
        ({"guards": ["error_rate>1%", 7]}, ("guards", 1)),
        ({"guards": ["error_rate>1%"] * 21}, ("guards",)),
        ({"undecided": "maybe"}, ("undecided",)),
        ({"stepz": [1]}, ("stepz",)),
    ],
)
def test_mistakes_are_told_with_their_place(
    change: dict[str, Any], at: tuple[str | int, ...]
) -> None:
    """One each here."""
    with pytest.raises(Refused) as refused:
        parse_plan({**LEAST, **change})
    assert [problem.at for problem in refused.value.problems] == [at]


def test_all_mistakes_are_told_at_once() -> None:
    """Also those of a table that is none."""
    with pytest.raises(Refused) as refused:
        parse_plan({"to": "x", "every": -1})
    assert len(refused.value.problems) == 4
    with pytest.raises(Refused):
        parse_plan([])


def test_steps_keep_rules_and_split() -> None:
    """Only the weights move; the last step makes the new version the main one."""
    plan = parse_plan({**LEAST, "steps": [0.1, 1]})
    first, last, back = (plan.route(BASE, step) for step in (0, 1, -1))
    assert (first.version, dict(first.weights)) == ("1", {"2": Decimal("0.1")})
    assert (last.version, dict(last.weights)) == ("2", {})
    assert (back.version, dict(back.weights)) == ("1", {})
    for route in (first, last, back):
        assert (route.rules, route.split, route.sticky_by) == (
            BASE.rules, BASE.split, BASE.sticky_by,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("to", "base", "code"),
    [
        ("9", Route("1"), "unknown-version"),
        ("1", Route("1"), "nothing-to-roll-out"),
        ("2", Route("1", {"3": Decimal("0.1")}), "traffic-divided"),
    ],
)
def test_a_plan_fits_where_the_alias_leads(to: str, base: Route, code: str) -> None:
    """Or it says why not."""
    found = fits(Plan("orders", "release", to), base, dict.fromkeys("123"))
    assert [problem.code for problem in found] == [code]
    assert fits(Plan("orders", "release", "2"), Route("1", {"2": Decimal("0.5")}), {"2": 0}) == []
