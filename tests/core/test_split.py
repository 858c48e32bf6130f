"""Splits: the layout of weights, sticky draws that every machine agrees on, even sequences."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import nextafter, sqrt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gateway
from gateway.core.split import MODES, Draw, EvenSequence, Split, as_mode

BELOW_ONE = nextafter(1.0, 0.0)
RELEASE = ("orders", "release")
KEYS = [f"user-{number}" for number in range(5_000)]


def laid_out(weights: Mapping[str, str], main: str = "1") -> Split:
    """The split of `orders:release`."""
    return Split(RELEASE, main, {name: Decimal(weight) for name, weight in weights.items()})


def placed(split: Split, keys: Iterable[str] = KEYS) -> list[str]:
    """The version of each key."""
    return [split.versions[split.index(split.sticky_draw(key))] for key in keys]


def chosen(split: Split, dice: Draw, count: int) -> list[str]:
    """The versions of the next `count` choices of an even sequence."""
    sequence = EvenSequence(split)
    return [split.versions[split.index(sequence.step(dice))] for _ in range(count)]


# The layout


@pytest.mark.parametrize(
    ("weights", "versions", "bounds"),
    [
        pytest.param({}, ("1",), (), id="the main version alone"),
        pytest.param({"2": "0.1"}, ("2", "1"), (0.1,), id="one grows from below"),
        pytest.param(
            {"2": "0.1", "3": "0.3"}, ("2", "1", "3"), (0.1, 0.7), id="two from both ends"
        ),
        pytest.param(
            {"2": "0.1", "3": "0.2", "4": "0.3", "5": "0.1"},
            ("2", "4", "1", "5", "3"),
            (0.1, 0.4, 0.7, 0.8),
            id="the third next to the first, the fourth next to the second",
        ),
        pytest.param({"2": "0"}, ("2", "1"), (0.0,), id="nothing"),
        pytest.param({"2": "1"}, ("2", "1"), (1.0,), id="everything"),
    ],
)
def test_the_layout_grows_from_both_ends_and_leaves_the_main_version_the_middle(
    weights: Mapping[str, str], versions: tuple[str, ...], bounds: tuple[float, ...]
) -> None:
    """Versions and bounds, in order."""
    split = laid_out(weights)
    assert split.versions == versions
    assert split.bounds == bounds
    assert sum(split.shares) == 1


def test_bounds_are_rounded_once_and_do_not_drift() -> None:
    """Three times a tenth is 0.3, and ten times a tenth leave the main version nothing."""
    tenths = laid_out({str(version): "0.1" for version in range(2, 12)})
    assert tenths.bounds[2] == 0.3
    assert tenths.shares[tenths.versions.index("1")] == 0
    assert "1" not in {tenths.versions[tenths.index(step / 10_000)] for step in range(10_000)}


@pytest.mark.parametrize(
    ("weights", "draw", "version"),
    [
        pytest.param({"2": "0.1"}, 0.0, "2", id="the lowest draw"),
        pytest.param({"2": "0.1"}, nextafter(0.1, 0), "2", id="just below the bound"),
        pytest.param({"2": "0.1"}, 0.1, "1", id="the bound is the next version's"),
        pytest.param({"2": "0.1"}, BELOW_ONE, "1", id="the highest draw"),
        pytest.param({"2": "0"}, 0.0, "1", id="weight 0 means never, at the lowest draw"),
        pytest.param({"2": "0"}, BELOW_ONE, "1", id="weight 0 means never, at the highest draw"),
        pytest.param({"2": "1"}, 0.0, "2", id="weight 1 means always, at the lowest draw"),
        pytest.param({"2": "1"}, BELOW_ONE, "2", id="weight 1 means always, at the highest draw"),
        pytest.param({"2": "0", "3": "1"}, 0.0, "3", id="0 and 1, lowest"),
        pytest.param({"2": "0", "3": "1"}, BELOW_ONE, "3", id="0 and 1, highest"),
        pytest.param({"2": "1", "3": "0"}, BELOW_ONE, "2", id="1 and 0, highest"),
        pytest.param({"2": "0.5", "3": "0.5"}, 0.5, "3", id="nothing left for the main version"),
        pytest.param({"2": "0.5", "3": "0.5"}, nextafter(0.5, 0), "2", id="and just below"),
        pytest.param({"2": "0.000000000001"}, 0.0, "2", id="the smallest share"),
        pytest.param({"2": "0.000000000001"}, 1e-12, "1", id="behind the smallest share"),
        pytest.param({"2": "0.999999999999"}, BELOW_ONE, "1", id="what the largest leaves over"),
    ],
)
def test_draws_fall_into_the_stretches(
    weights: Mapping[str, str], draw: float, version: str
) -> None:
    """Each row is a draw and its version."""
    split = laid_out(weights)
    assert split.versions[split.index(draw)] == version


@settings(deadline=None)
@given(st.lists(st.integers(0, 250), max_size=4), st.lists(st.floats(0, BELOW_ONE), min_size=2))
def test_the_index_never_falls_as_the_draw_rises(numbers: list[int], draws: list[float]) -> None:
    """And stays inside the layout."""
    split = laid_out({str(i + 2): str(Decimal(n) / 1000) for i, n in enumerate(numbers)})
    found = [split.index(draw) for draw in sorted(draws)]
    assert found == sorted(found)
    assert set(found) <= set(range(len(split.versions)))


def test_equal_routes_make_equal_splits() -> None:
    """Which is how a sequence knows that it goes on; spelling of decimals does not count."""
    assert laid_out({"2": "0.1"}) == laid_out({"2": "0.10"})
    assert hash(laid_out({"2": "0.1"})) == hash(laid_out({"2": "0.10"}))
    assert laid_out({"2": "0.1"}) is not laid_out({"2": "0.1"})


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(laid_out({"2": "0.2", "3": "0.2"}), id="another weight"),
        pytest.param(laid_out({"2": "0.1"}), id="a weight less"),
        pytest.param(laid_out({"3": "0.2", "2": "0.1"}), id="another order, another layout"),
        pytest.param(laid_out({"2": "0.1", "3": "0.2"}, main="4"), id="another main version"),
        pytest.param(
            Split(("orders", "prepub"), "1", {"2": Decimal("0.1"), "3": Decimal("0.2")}),
            id="another alias",
        ),
    ],
)
def test_different_splits_are_not_equal(other: Split) -> None:
    """A sequence of one must not go on as the other's."""
    assert laid_out({"2": "0.1", "3": "0.2"}) != other


def test_modes_are_three() -> None:
    """In the order in which the documentation names them."""
    assert MODES == ("random", "even", "sticky")
    assert [as_mode(mode) for mode in MODES] == list(MODES)


# Sticky


@pytest.mark.parametrize(
    ("owner", "key", "digest"),
    [
        pytest.param(RELEASE, "Bob", "7accd794adc70c43", id="a name"),
        pytest.param(RELEASE, "Alice", "da378ae4193d25bf", id="another name"),
        pytest.param(RELEASE, "", "0a27f6c85c5820eb", id="an empty key"),
        pytest.param(RELEASE, "\u7528\u6237", "4b51d07891cf4708", id="beyond ASCII: UTF-8"),
        pytest.param(RELEASE, "\ud800", "1def6cf553b15894", id="half a surrogate pair"),
        pytest.param(RELEASE, "x" * 200, "829e923cb3a0ef57", id="more than a block of BLAKE2b"),
        pytest.param(("orders", "prepub"), "Bob", "8273de90991391ed", id="another alias"),
        pytest.param(("payments", "release"), "Bob", "9281acc8f18befda", id="another function"),
    ],
)
def test_sticky_draws_are_known_answers(owner: tuple[str, str], key: str, digest: str) -> None:
    """Any language with BLAKE2b agrees: the first 53 bits of these 8 bytes, over 2**53.

    The key of the hash is `b2sum -l 256` of function, NUL and alias; for `orders` and `release`
    it is 304ca940b4dc6f1130c66295ea0823e1b4180647922f39b315c6e1a0b9aa4f9f.
    """
    split = Split(owner, "1", {"2": Decimal("0.5")})
    assert split.sticky_draw(key) == float(Fraction(int(digest, 16) >> 11, 2**53))
    assert 0 <= split.sticky_draw(key) < 1


def test_every_process_puts_a_key_on_the_same_version() -> None:
    """A second interpreter with another hash seed agrees on every key."""
    program = (
        "from decimal import Decimal\n"
        "from gateway.core.split import Split\n"
        "s = Split(('orders', 'release'), '1', {'2': Decimal('0.3'), '3': Decimal('0.2')})\n"
        "print(*(s.versions[s.index(s.sticky_draw(f'user-{n}'))] for n in range(5000)))\n"
    )
    root = Path(gateway.__file__).parents[1]
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == placed(laid_out({"2": "0.3", "3": "0.2"}))


def moves(before: Sequence[str], after: Sequence[str]) -> Counter[tuple[str, str]]:
    """How many keys moved from where to where."""
    pairs = zip(before, after, strict=True)
    return Counter((old, new) for old, new in pairs if old != new)


def test_over_a_ramp_no_key_ever_leaves_the_raised_version() -> None:
    """From 0 to 100 % in steps of 1 %, 5,000 keys."""
    draws = [laid_out({"2": "0"}).sticky_draw(key) for key in KEYS]
    before: list[str] = []
    for percent in range(101):
        split = laid_out({"2": str(Decimal(percent) / 100)})
        after = [split.versions[split.index(draw)] for draw in draws]
        assert set(moves(before or after, after)) <= {("1", "2")}
        before = after
    assert set(before) == {"2"}


@pytest.mark.parametrize("raised", ["2", "3"])
def test_with_two_additional_versions_keys_move_only_from_the_main_version(raised: str) -> None:
    """Whichever of the two is raised, the other keeps its keys."""
    weights = {"2": 20, "3": 20}
    before = placed(laid_out({name: str(Decimal(w) / 100) for name, w in weights.items()}))
    for percent in range(21, 81):
        weights[raised] = percent
        after = placed(laid_out({name: str(Decimal(w) / 100) for name, w in weights.items()}))
        assert set(moves(before, after)) <= {("1", raised)}
        before = after
    assert set(before) == {"2", "3"}


@pytest.mark.parametrize("raised", ["2", "3", "4", "5"])
def test_with_more_additional_versions_no_key_leaves_the_raised_one(raised: str) -> None:
    """And of the others no more than was added changes places, within 4.5 sigma."""
    weights = dict.fromkeys(["2", "3", "4", "5"], Decimal("0.1"))
    before = placed(Split(RELEASE, "1", weights))
    for added in (Decimal("0.01"), Decimal("0.1"), Decimal("0.4")):
        changed = {**weights, raised: weights[raised] + added}
        moved = moves(before, placed(Split(RELEASE, "1", changed)))
        assert not [pair for pair in moved if pair[0] == raised]
        others = sum(count for pair, count in moved.items() if pair[1] != raised)
        share = float(added)
        assert others <= len(KEYS) * share + 4.5 * sqrt(len(KEYS) * share * (1 - share))
        towards = sum(count for pair, count in moved.items() if pair[1] == raised)
        sigma = sqrt(len(KEYS) * share * (1 - share))
        assert abs(towards - len(KEYS) * share) < 4.5 * sigma


@pytest.mark.parametrize("other", [("orders", "prepub"), ("payments", "release")])
def test_the_unlucky_keys_of_one_alias_are_not_those_of_another(other: tuple[str, str]) -> None:
    """Two aliases with 10 % each disagree on 2 * 0.1 * 0.9 of the keys, within 4.5 sigma."""
    weights = {"2": Decimal("0.1")}
    pairs = zip(
        placed(Split(RELEASE, "1", weights)), placed(Split(other, "1", weights)), strict=True
    )
    disagreed = sum(here != there for here, there in pairs)
    assert abs(disagreed - 5_000 * 0.18) < 4.5 * sqrt(5_000 * 0.18 * 0.82)


def test_a_salt_cannot_be_shifted_between_function_and_alias() -> None:
    """`ab:c` and `a:bc` are different owners."""
    one, two = (Split(owner, "1", {"2": Decimal("0.5")}) for owner in (("ab", "c"), ("a", "bc")))
    assert one.sticky_draw("Bob") != two.sticky_draw("Bob")


# Even

SHARES = ("0.01", "0.1", "0.13", "0.3", "0.333333333333", "0.5", "0.999", "0.666666666667")


@pytest.mark.parametrize("weight", SHARES)
def test_even_counts_are_within_one_at_every_prefix(
    weight: str, dice: Callable[[int], Draw]
) -> None:
    """For two versions, over 100,000 choices."""
    share = Fraction(weight)
    top, bottom = share.numerator, share.denominator
    count = 0
    for number, version in enumerate(chosen(laid_out({"2": weight}), dice(1), 100_000), start=1):
        count += version == "2"
        assert abs(count * bottom - number * top) < bottom


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param({"2": "0.1", "3": "0.3"}, id="three"),
        pytest.param({"2": "0.333333333333", "3": "0.333333333333"}, id="three thirds"),
        pytest.param({"2": "0.5", "3": "0.5"}, id="three, nothing left for the main version"),
        pytest.param({"2": "0", "3": "0.7"}, id="three, one with nothing"),
        pytest.param({"2": "0.01", "3": "0.2", "4": "0.39"}, id="four"),
        pytest.param({"2": "0.13", "3": "0.17", "4": "0.19", "5": "0.23"}, id="five"),
        pytest.param({str(v): "0.166666666666" for v in range(2, 7)}, id="six sixths"),
        pytest.param({str(v): "0.2" for v in range(2, 7)}, id="six, nothing for the main version"),
    ],
)
def test_even_counts_of_more_versions_are_within_their_number_less_one(
    weights: Mapping[str, str], dice: Callable[[int], Draw]
) -> None:
    """The documented bound, at every prefix of 20,000 choices, for every version."""
    split = laid_out(weights)
    shares = dict(zip(split.versions, split.shares, strict=True))
    counts = dict.fromkeys(shares, 0)
    bound = len(shares) - 1
    for number, version in enumerate(chosen(split, dice(2), 20_000), start=1):
        counts[version] += 1
        if number % 7 and number > 100:
            continue  # every prefix of the first hundred, then one in seven
        assert all(abs(counts[v] - number * share) <= bound for v, share in shares.items())
    assert all((counts[version] == 0) is (share == 0) for version, share in shares.items())


@settings(deadline=None, max_examples=60)
@given(numbers=st.lists(st.integers(0, 1000), min_size=1, max_size=5), seed=st.integers())
def test_even_counts_keep_their_bound_for_any_weights(
    numbers: list[int], seed: int, dice: Callable[[int], Draw]
) -> None:
    """Random weights that add up to at most 1, at every prefix of 200 choices."""
    total = max(1000, sum(numbers))
    weights = {str(i + 2): str(Decimal(n * 1000 // total) / 1000) for i, n in enumerate(numbers)}
    split = laid_out(weights)
    counts = Counter[str]()
    for number, version in enumerate(chosen(split, dice(seed), 200), start=1):
        counts[version] += 1
        for name, share in zip(split.versions, split.shares, strict=True):
            off = abs(counts[name] - number * share)
            assert off < 1 if len(split.versions) == 2 else off <= len(split.versions) - 1


@pytest.mark.parametrize(("weight", "version"), [("0", "1"), ("1", "2")])
@pytest.mark.parametrize("shown", [0.0, BELOW_ONE])
def test_even_means_never_and_always_at_0_and_1(
    weight: str, version: str, shown: float, fixed: Callable[[float], Draw]
) -> None:
    """Whatever the dice show."""
    assert set(chosen(laid_out({"2": weight}), fixed(shown), 1_000)) == {version}


@pytest.mark.parametrize("shown", [0.0, 0.5, BELOW_ONE])
@pytest.mark.parametrize("weight", SHARES)
def test_even_keeps_its_bound_whatever_the_dice_show(
    weight: str, shown: float, fixed: Callable[[float], Draw]
) -> None:
    """The dice choose between the two neighbours of N * weight, never anything else."""
    share, count = Fraction(weight), 0
    for number, version in enumerate(chosen(laid_out({"2": weight}), fixed(shown), 500), start=1):
        count += version == "2"
        assert abs(count - number * share) < 1


@pytest.mark.parametrize("weights", [{"2": "0.1"}, {"2": "0.1", "3": "0.3"}, {"2": "0"}])
def test_even_draws_lie_inside_the_stretch_of_the_version_whose_turn_it_is(
    weights: Mapping[str, str], dice: Callable[[int], Draw]
) -> None:
    """Never on a bound, where rounding could decide, and always in [0, 1)."""
    split, thrown = laid_out(weights), dice(5)
    sequence = EvenSequence(split)
    ends = (0.0, *split.bounds, 1.0)
    for _ in range(1_000):
        draw = sequence.step(thrown)
        index = split.index(draw)
        assert ends[index] < draw < ends[index + 1]


def out_of_step(hits: Sequence[bool], share: float) -> list[tuple[int, int]]:
    """Residue classes `(period, remainder)` whose share is off by more than 4.5 binomial sigma."""
    wrong = []
    for period in range(2, 11):
        for remainder in range(period):
            asked = hits[remainder::period]
            sigma = sqrt(len(asked) * share * (1 - share))
            if abs(sum(asked) - len(asked) * share) > 4.5 * sigma:
                wrong.append((period, remainder))
    return wrong


@pytest.mark.parametrize("weight", ["0.1", "0.2", "0.25", "0.5"])
def test_even_is_not_locked_to_periodic_traffic(weight: str, dice: Callable[[int], Draw]) -> None:
    """Of 100,000 requests every residue class modulo 2..10 gets the weight's share.

    The bound is 4.5 binomial sigma. For weights `1/q` blocks of `q` choices are independent and
    hold one hit each, so no class varies more than independent draws would.
    """
    hits = [version == "2" for version in chosen(laid_out({"2": weight}), dice(3), 100_000)]
    assert out_of_step(hits, float(weight)) == []


@pytest.mark.parametrize("weight", ["0.1", "0.2", "0.25", "0.5"])
def test_a_plain_accumulator_would_be_caught_in_lock_step(weight: str) -> None:
    """The check above can fail: exact counts by themselves come in a rhythm."""
    share = Fraction(weight)
    hits = [int((n + 1) * share) > int(n * share) for n in range(100_000)]
    assert abs(sum(hits) - 100_000 * share) < 1
    assert out_of_step(hits, float(weight)) != []


def test_each_single_choice_has_the_exact_share(dice: Callable[[int], Draw]) -> None:
    """At each of the first 12 positions, over 20,000 sequences, within 4.5 sigma."""
    split, thrown = laid_out({"2": "0.3", "3": "0.2"}), dice(4)
    counts = [Counter[str]() for _ in range(12)]
    for _ in range(20_000):
        for position, version in enumerate(chosen(split, thrown, 12)):
            counts[position][version] += 1
    for seen in counts:
        for version, share in (("1", 0.5), ("2", 0.3), ("3", 0.2)):
            sigma = sqrt(20_000 * share * (1 - share))
            assert abs(seen[version] - 20_000 * share) < 4.5 * sigma
