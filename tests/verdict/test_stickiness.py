"""What is collected in parts is what would have been collected in one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.verdict import Stickiness
from gateway.verdict.stickiness import LONGEST

SEEN = st.lists(st.tuples(st.sampled_from("abcdefghijkl"), st.sampled_from("12")), max_size=60)


def collected(seen: list[tuple[str, str]], limit: int) -> Stickiness:
    """A collector that has seen this."""
    found = Stickiness(limit)
    for key, version in seen:
        found.see(key, version)
    return found


def same(one: Stickiness, other: Stickiness) -> bool:
    """Whether two collectors tell the same."""
    return one.to_plain() == other.to_plain()


def test_everything_is_kept_up_to_the_limit() -> None:
    """Requests add up by key and version."""
    found = Stickiness(2)
    found.see("a", "1")
    found.see("a", "1", 3)
    found.see("b", "2")
    found.see("b", "1")
    assert found.sightings == {"a": {"1": 4}, "b": {"2": 1, "1": 1}}
    assert (found.requests, len(found), found.limit, found.complete) == (6, 2, 2, True)


@given(SEEN, st.integers(1, 13))
def test_a_key_that_is_kept_has_all_of_its_requests(
    seen: list[tuple[str, str]], limit: int
) -> None:
    """And which ones are kept is settled by the keys, not by the order they came in."""
    found, whole = collected(seen, limit), collected(seen, 100)
    assert found.sightings == {key: whole.sightings[key] for key in found.sightings}
    assert len(found) == min(limit, len(whole))
    assert found.complete is (len(whole) <= limit)
    assert same(found, collected(sorted(seen, reverse=True), limit))
    assert found.requests == len(seen)


@given(SEEN, SEEN, SEEN, st.integers(1, 13), st.integers(1, 13))
def test_merged_parts_are_the_whole(
    first: list[tuple[str, str]],
    second: list[tuple[str, str]],
    third: list[tuple[str, str]],
    limit: int,
    other_limit: int,
) -> None:
    """In whatever order, through JSON, and at the lower limit of all."""
    one, two, three = collected(first, limit), collected(second, other_limit), Stickiness(limit)
    three.merge(collected(third, limit))
    two.merge(Stickiness.from_plain(json.loads(json.dumps(three.to_plain()))))
    one.merge(two)
    assert same(one, collected(first + second + third, min(limit, other_limit)))


def test_keys_that_are_kept_are_a_fair_sample() -> None:
    """A key is kept whatever it is called and whenever it comes."""
    found = collected([(f"user-{n:05}", str(n % 2)) for n in range(10_000)], 1000)
    kept = sorted(int(key[5:]) for key in found.sightings)
    assert len(kept) == 1000
    for low in range(0, 10_000, 2_500):  # 250 expected in each quarter, deviation 14
        assert 190 < sum(low <= number < low + 2_500 for number in kept) < 310


def test_long_keys_are_kept_by_their_beginning() -> None:
    """They stay different from each other, and the same in every process."""
    found = Stickiness()
    found.see("x" * 10_000, "1")
    found.see("x" * 10_000, "1")
    found.see("x" * 10_001, "2")
    found.see("y" * LONGEST, "1")
    found.see("\ud800", "1")
    assert sorted(map(len, found.sightings)) == [1, LONGEST, LONGEST, LONGEST]
    assert list(found.sightings.values())[:2] == [{"1": 2}, {"2": 1}]
    again = Stickiness()
    again.merge(found)
    assert same(again, found)


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param({}, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param({"limit": 0, "requests": 0, "complete": True, "sightings": {}}, id="limit"),
        pytest.param({"limit": 5, "requests": 0, "complete": True, "sightings": []}, id="a row"),
        pytest.param(
            {"limit": 5, "requests": 1, "complete": True, "sightings": {"a": {"1": "x"}}},
            id="a word for a count",
        ),
        pytest.param(
            {"limit": 5, "requests": 1, "complete": True, "sightings": {"a": {"1": 0}}},
            id="a count of nothing",
        ),
    ],
)
def test_what_is_no_collector_is_refused(plain: dict[str, object]) -> None:
    """The sentence shows what it is instead."""
    with pytest.raises(ValueError, match="this is no collector of keys: "):
        Stickiness.from_plain(plain)


def test_a_limit_is_a_number_of_keys() -> None:
    """None at all would judge nothing."""
    with pytest.raises(ValueError, match="limit is 0; allowed is a whole number, 1 or more"):
        Stickiness(0)
