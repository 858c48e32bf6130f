"""How much is sent when, and by whom: curves, pace, and users whose names matter."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.catalogue import SHAPES, TESTS
from loadtests.curves import users_at
from loadtests.pace import SLACK, Pace
from loadtests.run import FOLDER
from loadtests.source import SAMPLE, read_log
from loadtests.traffic import BOB, OTHERS
from loadtests.users import LOOKALIKES, SPELLINGS, keyed, lookalikes

STEPS = read_log(str(SAMPLE)).steps


@pytest.mark.parametrize("shape", SHAPES)
@given(passed=st.floats(0, 2), users=st.integers(1, 10_000))
def test_there_is_always_somebody_and_never_too_many(shape: str, passed: float, users: int) -> None:
    """From before the beginning to after the end."""
    assert 1 <= users_at(shape, passed, users) <= users


@pytest.mark.parametrize(
    ("shape", "course"),
    [
        ("ramp", [1, 25, 50, 75, 100, 100]),
        ("spike", [20, 20, 100, 20, 20, 20]),
        ("soak", [1, 100, 100, 100, 100, 100]),
    ],
)
def test_the_curves(shape: str, course: list[int]) -> None:
    """A hundred users, at a fifth of the time each."""
    assert [users_at(shape, fifth / 5, 100) for fifth in range(6)] == course


def test_without_a_rate_nobody_waits() -> None:
    """As fast as the answers come."""
    assert Pace(None).pause(5.0, 3) == 0


@given(st.floats(1, 1e4), st.integers(1, 100), st.integers(2, 200))
def test_requests_are_evenly_spaced_at_the_rate_of_the_users_there_are(
    rate: float, users: int, requests: int
) -> None:
    """Whoever asks first gets the next turn."""
    pace = Pace(rate)
    begun = pace.pause(1000.0, users)
    due = [begun, *(pace.pause(1000.0, users) for _ in range(requests - 1))]
    gaps = [later - earlier for earlier, later in pairwise(due) if earlier]
    assert all(gap == pytest.approx(1 / (rate * users), abs=1e-9) for gap in gaps)


def test_a_delay_is_caught_up_but_not_a_long_one() -> None:
    """There is no burst after a pause."""
    pace = Pace(10.0)
    at_once = sum(pace.pause(100.0, 10) == 0 for _ in range(100))
    assert at_once == pytest.approx(SLACK * 100, abs=1)


def test_many_users_take_turns() -> None:
    """Each has the next line, and none is Bob."""
    steps = keyed(STEPS, 1000)
    assert len({step.user for step in steps}) == 1000
    assert all(step.headers["User"] == step.user and step.who == OTHERS for step in steps)
    assert [step.path for step in steps[:420]] == [step.path for step in STEPS]


def test_users_who_look_like_bob_are_not_bob() -> None:
    """And Bob is Bob, however the header's name is spelled."""
    steps = lookalikes(STEPS)
    bobs = [step for step in steps if step.who == BOB]
    assert len(bobs) == sum(step.who == BOB for step in STEPS)
    assert {name for step in bobs for name in step.headers if name.lower() == "user"} == set(
        SPELLINGS
    )
    assert all(BOB in step.headers.values() for step in bobs)
    assert BOB not in LOOKALIKES
    assert {step.user for step in steps if step.who == OTHERS} >= set(LOOKALIKES)


@pytest.mark.parametrize("test", TESTS.values(), ids=TESTS)
def test_every_test_ends_and_has_its_file(test: object) -> None:
    """By a number of requests, by time, or when the last step is decided."""
    named = TESTS[test.name]  # type: ignore[attr-defined]
    assert named.requests or named.seconds or named.moves
    assert (FOLDER / named.locustfile).is_file()
