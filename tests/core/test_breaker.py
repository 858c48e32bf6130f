"""Breakers as values: read with every mistake, written back, put into functions and taken away."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.apply import apply
from gateway.core.breaker import LONGEST, Breaker, parse_breaker
from gateway.core.changes import DeleteVersion, PutBreaker, PutFunction
from gateway.core.errors import Refused
from gateway.core.snapshot import Snapshot

Build = Callable[..., Snapshot]

SECONDS = st.floats(0, LONGEST, exclude_min=True)
BREAKERS = st.builds(
    Breaker,
    st.floats(0, 1, exclude_min=True),
    st.integers(1, 10_000),
    SECONDS,
    SECONDS,
    st.integers(1, 100),
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param({"errors": Decimal("0.5")}, Breaker(0.5, 20, 10.0, 5.0, 3), id="the usual"),
        pytest.param({"errors": 1, "requests": 1}, Breaker(1.0, 1), id="every one"),
        pytest.param(
            {"errors": 0.2, "requests": 100, "window": 30, "pause": Decimal("0.5"), "trials": 1},
            Breaker(0.2, 100, 30.0, 0.5, 1),
            id="all of it",
        ),
    ],
)
def test_what_is_written_is_read(raw: object, expected: Breaker) -> None:
    """In numbers of any type."""
    assert parse_breaker(raw, "the breaker") == expected


@given(BREAKERS)
def test_what_is_told_is_read_back(breaker: Breaker) -> None:
    """Without any loss."""
    assert parse_breaker(breaker.to_dict(), "") == breaker


WRONG = "the breaker of function 'orders'"


@pytest.mark.parametrize(
    ("raw", "sentences"),
    [
        pytest.param(0.5, [f"{WRONG} must be a table, not a number"], id="a number"),
        pytest.param({}, [f"{WRONG} needs 'errors'"], id="no share"),
        pytest.param({"errors": 0}, ["errors of", "is 0; allowed: more than 0"], id="none"),
        pytest.param({"errors": 1.5}, ["is 1.5; allowed: more than 0, at most 1"], id="above one"),
        pytest.param({"errors": float("nan")}, ["is inf; allowed: more than 0"], id="no value"),
        pytest.param({"errors": "5%"}, ["must be a number, not a string"], id="a text"),
        pytest.param({"errors": None}, ["must be a number, not null"], id="null"),
        pytest.param({"errors": True}, ["must be a number, not a boolean"], id="a flag"),
        pytest.param(
            {"errors": 0.5, "requests": 0}, ["is 0; allowed: 1 to 10000"], id="no request"
        ),
        pytest.param({"errors": 0.5, "requests": 1.5}, ["is 1.5; allowed: 1 to"], id="and a half"),
        pytest.param({"errors": 0.5, "trials": 101}, ["is 101; allowed: 1 to 100"], id="trials"),
        pytest.param({"errors": 0.5, "window": 901}, ["at most 900"], id="a long window"),
        pytest.param({"errors": 0.5, "pause": 0}, ["seconds, more than 0"], id="no pause"),
        pytest.param({"errors": 0.5, "pause": 10**400}, ["is inf; allowed: seconds"], id="endless"),
        pytest.param({"errors": 0.5, "pauses": 1}, ["no key 'pauses'; allowed: errors"], id="typo"),
        pytest.param(
            {"errors": 2, "requests": [], "window": -1},
            ["errors of", "requests of", "window of"],
            id="all at once",
        ),
    ],
)
def test_what_is_wrong_is_told_in_full(raw: object, sentences: list[str]) -> None:
    """With the value and what is allowed."""
    with pytest.raises(Refused) as refused:
        parse_breaker(raw, WRONG)
    told = "\n".join(problem.message for problem in refused.value.problems)
    for sentence in sentences:
        assert sentence in told


def test_a_duration_with_a_unit_is_told_how_to_be_written() -> None:
    """Other tools write `10s`; seconds are a number here, as everywhere in the file."""
    with pytest.raises(Refused) as refused:
        parse_breaker({"errors": 0.5, "window": "10s"}, "it")
    [problem] = refused.value.problems
    assert (problem.at, problem.hint) == (("window",), "write it as a number: window = 10")


def test_a_breaker_belongs_to_the_function(shop: Snapshot, build: Build) -> None:
    """Versions come and go under it, and new code leaves it."""
    breaker = Breaker(0.5)
    state = build(
        PutBreaker("orders", breaker),
        PutFunction("orders", "newer"),
        DeleteVersion("orders", "2"),
        start=shop,
    )
    assert state.functions["orders"].breaker == breaker
    assert apply(state, PutBreaker("orders", None)).functions["orders"].breaker is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(PutBreaker("orders", None), "unknown-breaker", id="none to take away"),
        pytest.param(PutBreaker("order", Breaker(0.5)), "unknown-function", id="no function"),
    ],
)
def test_what_is_not_there_is_refused(shop: Snapshot, change: PutBreaker, code: str) -> None:
    """By its name."""
    with pytest.raises(Refused) as refused:
        apply(shop, change)
    assert [problem.code for problem in refused.value.problems] == [code]
