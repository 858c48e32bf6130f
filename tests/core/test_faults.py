"""Faults: what they draw, how they are read and written, and where they may be put."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.apply import apply
from gateway.core.changes import Change, DeleteVersion, Publish, PutFault, PutFunction
from gateway.core.errors import Refused
from gateway.core.faults import Drawn, Fault, Latency, parse_fault
from gateway.core.plain import faults_plain
from gateway.core.snapshot import Snapshot

Build = Callable[..., Snapshot]

WHAT = "the fault of version '2'"


def shown(*draws: float) -> Callable[[], float]:
    """Dice that show these numbers and no other."""
    numbers: Iterator[float] = iter(draws)
    return lambda: next(numbers)


@pytest.mark.parametrize(
    ("fault", "draws", "drawn"),
    [
        pytest.param(Fault(0.1), (0.0999,), Drawn(430, 0), id="below the share"),
        pytest.param(Fault(0.1), (0.1,), Drawn(0, 0), id="at the share"),
        pytest.param(Fault(1.0, 503), (0.999999,), Drawn(503, 0), id="always"),
        pytest.param(Fault(latency=Latency("fixed", (2,))), (0.0,), Drawn(0, 2), id="never"),
        pytest.param(
            Fault(0.5, 500, Latency("uniform", (1, 3))), (0.4, 0.25), Drawn(500, 1.5), id="both"
        ),
        pytest.param(
            Fault(0.5, latency=Latency("uniform", (1, 3))), (0.6, 0.0), Drawn(0, 1), id="shortest"
        ),
        pytest.param(
            Fault(latency=Latency("exponential", (2,))), (0.9, 0.0), Drawn(0, 0), id="no time"
        ),
        pytest.param(
            Fault(latency=Latency("normal", (1, 5))), (0.9, 0.99, 0.5), Drawn(0, 0), id="clipped"
        ),
        pytest.param(
            Fault(latency=Latency("normal", (1, 5))), (0.9, 0.0, 0.3), Drawn(0, 1), id="the mean"
        ),
    ],
)
def test_a_request_is_drawn(fault: Fault, draws: tuple[float, ...], drawn: Drawn) -> None:
    """The first number settles the error, those that follow the latency."""
    assert fault.draw(shown(*draws)) == drawn


@pytest.mark.parametrize(
    ("latency", "mean", "deviation"),
    [
        pytest.param(Latency("fixed", (0.2,)), 0.2, 0.0, id="fixed"),
        pytest.param(Latency("uniform", (0.1, 0.5)), 0.3, 0.4 / 12**0.5, id="uniform"),
        pytest.param(Latency("exponential", (0.2,)), 0.2, 0.2, id="exponential"),
        pytest.param(Latency("normal", (0.5, 0.05)), 0.5, 0.05, id="normal"),
    ],
)
def test_latencies_have_the_spread_that_is_said(
    latency: Latency, mean: float, deviation: float
) -> None:
    """Mean and standard deviation of 20,000 draws with a seed."""
    dice = Random(7).random
    drawn = [latency.draw(dice) for _ in range(20_000)]
    assert fmean(drawn) == pytest.approx(mean, rel=0.03)
    assert pstdev(drawn) == pytest.approx(deviation, rel=0.03, abs=1e-9)


NUMBER = st.floats(0, 900) | st.integers(0, 900)
LATENCY: st.SearchStrategy[Any] = st.one_of(
    NUMBER.filter(bool),
    st.fixed_dictionaries(
        {"uniform": st.lists(NUMBER, min_size=2, max_size=2).filter(any).map(sorted)}
    ),
    st.fixed_dictionaries({"exponential": NUMBER.filter(bool)}),
    st.fixed_dictionaries({"normal": st.lists(NUMBER, min_size=2, max_size=2).filter(any)}),
)
RAW = st.fixed_dictionaries(
    {"errors": st.floats(0.001, 1)},
    optional={"status": st.integers(430, 599), "latency": LATENCY},
)


@given(raw=RAW)
def test_what_is_written_is_read_again(raw: dict[str, Any]) -> None:
    """And says what was asked for."""
    fault = parse_fault(raw, WHAT)
    again = fault.to_dict()
    assert parse_fault(again, WHAT) == fault
    assert again == {"status": 430, "latency": None, **raw}


@given(raw=RAW, seed=st.integers())
def test_every_draw_takes_the_same_number_of_dice(raw: dict[str, Any], seed: int) -> None:
    """So that equal seeds go wrong at the same requests, and no latency is negative."""
    fault, random = parse_fault(raw, WHAT), Random(seed)
    thrown: list[float] = []

    def dice() -> float:
        thrown.append(random.random())
        return thrown[-1]

    counts = set()
    for _ in range(5):
        before = len(thrown)
        status, latency = fault.draw(dice)
        counts.add(len(thrown) - before)
        assert latency >= 0
        assert status in {0, fault.status}
    assert len(counts) == 1


def test_decimals_and_whole_numbers_are_numbers() -> None:
    """As TOML and JSON give them."""
    raw = {"errors": Decimal("0.05"), "latency": {"uniform": [Decimal("0.1"), 1]}}
    assert parse_fault(raw, WHAT) == Fault(0.05, 430, Latency("uniform", (0.1, 1.0)))


@pytest.mark.parametrize(
    ("raw", "code", "at"),
    [
        pytest.param(None, "wrong-type", (), id="nothing"),
        pytest.param(0.05, "wrong-type", (), id="a share"),
        pytest.param({}, "empty-fault", (), id="an empty table"),
        pytest.param({"errors": 0, "latency": None}, "empty-fault", (), id="no errors"),
        pytest.param({"status": 503}, "empty-fault", (), id="a status alone"),
        pytest.param({"errors": 1.01}, "out-of-range", ("errors",), id="above one"),
        pytest.param({"errors": -0.1}, "out-of-range", ("errors",), id="negative"),
        pytest.param({"errors": True}, "wrong-type", ("errors",), id="a boolean"),
        pytest.param({"errors": float("nan")}, "out-of-range", ("errors",), id="not a number"),
        pytest.param({"errors": 10**400}, "out-of-range", ("errors",), id="a huge number"),
        pytest.param({"errors": 1, "status": 429}, "out-of-range", ("status",), id="no error"),
        pytest.param({"errors": 1, "status": 600}, "out-of-range", ("status",), id="no status"),
        pytest.param({"errors": 1, "status": 430.0}, "out-of-range", ("status",), id="a float"),
        pytest.param({"errors": 1, "status": True}, "out-of-range", ("status",), id="a flag"),
        pytest.param({"latency": 0}, "out-of-range", ("latency",), id="no time"),
        pytest.param({"latency": 901}, "out-of-range", ("latency",), id="too long"),
        pytest.param({"latency": True}, "wrong-type", ("latency",), id="a boolean latency"),
        pytest.param({"latency": [1, 2]}, "wrong-type", ("latency",), id="a list"),
        pytest.param({"latency": {}}, "wrong-latency", ("latency",), id="no spread"),
        pytest.param(
            {"latency": {"uniform": [1, 2], "normal": [1, 2]}},
            "wrong-latency",
            ("latency",),
            id="two spreads",
        ),
        pytest.param(
            {"latency": {"unifrom": [1, 2]}}, "unknown-key", ("latency", "unifrom"), id="a typo"
        ),
        *(
            pytest.param(
                {"latency": {kind: value}}, "wrong-latency", ("latency", kind), id=f"{kind} {value}"
            )
            for kind, value in (
                ("uniform", 1),
                ("uniform", [1]),
                ("uniform", [1, 2, 3]),
                ("uniform", [2, 1]),
                ("uniform", [0, 0]),
                ("uniform", [-1, 1]),
                ("uniform", [1, "2"]),
                ("uniform", [1, 901]),
                ("exponential", [1]),
                ("exponential", 0),
                ("exponential", True),
                ("exponential", "1"),
                ("normal", [0, 0]),
                ("normal", []),
                ("normal", [1, -1]),
            )
        ),
    ],
)
def test_what_is_no_fault_is_refused(raw: object, code: str, at: tuple[str, ...]) -> None:
    """With the place of the mistake and a sentence that names the fault."""
    with pytest.raises(Refused) as refused:
        parse_fault(raw, WHAT)
    [problem] = refused.value.problems
    assert (problem.code, problem.at) == (code, at)
    assert WHAT in problem.message


def test_a_fault_belongs_to_one_version_until_it_is_cleared(build: Build, shop: Snapshot) -> None:
    """Everything else stays the very same; new code and new versions do not touch it."""
    first, second = Fault(0.1), Fault(latency=Latency("fixed", (1.0,)))
    put = build(
        PutFault("orders", "10", first), start=build(Publish("orders", number="10"), start=shop)
    )
    function = put.functions["orders"]
    assert function.faults == {"10": first}
    assert put.entries["orders"]["1"] is shop.entries["orders"]["1"]
    both = build(
        PutFault("orders", "$LATEST", first),
        PutFault("orders", "2", first),
        PutFault("orders", "2", second),
        PutFunction("orders", "newer"),
        Publish("orders"),
        start=put,
    )
    assert both.functions["orders"].faults == {"10": first, "$LATEST": first, "2": second}
    assert list(faults_plain(both.functions["orders"])) == ["2", "10", "$LATEST"]
    cleared = build(PutFault("orders", "$LATEST", None), DeleteVersion("orders", "2"), start=both)
    assert cleared.functions["orders"].faults == {"10": first}


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        pytest.param(
            PutFault("carts", "1", Fault(0.1)),
            "unknown-function",
            "no function 'carts'; there is orders",
            id="no function",
        ),
        pytest.param(
            PutFault("orders", "9", Fault(0.1)),
            "unknown-version",
            "function 'orders' has no version '9'; it has 1, 2, 3, 4, 5, 6, $LATEST",
            id="no version",
        ),
        pytest.param(
            PutFault("orders", "1", None),
            "unknown-fault",
            "version '1' of 'orders' has no fault; faults are at none",
            id="nothing to clear",
        ),
    ],
)
def test_a_fault_of_nothing_is_refused(
    shop: Snapshot, change: Change, code: str, sentence: str
) -> None:
    """With what there is."""
    with pytest.raises(Refused) as refused:
        apply(shop, change)
    assert (refused.value.code, str(refused.value)) == (code, sentence)
