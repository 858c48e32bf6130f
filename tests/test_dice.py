"""The dice: repeatable by seed, and one even sequence for each split, for as long as it lasts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.core.split import Split
from gateway.dice import Dice, Fixed


def split(weight: str = "0.3", alias: str = "release") -> Split:
    """A split of version 1 and an additional version 2."""
    return Split(("orders", alias), "1", {"2": Decimal(weight)})


def chosen(dice: Dice, layout: Split, count: int) -> list[str]:
    """The versions of so many even draws."""
    return [layout.versions[layout.index(dice.even(layout))] for _ in range(count)]


def test_the_same_seed_gives_the_same_draws() -> None:
    """Independent ones and even ones."""
    first, second, other = Dice(7), Dice(7), Dice(8)
    assert [first.random() for _ in range(9)] == [second.random() for _ in range(9)]
    assert chosen(first, split(), 50) == chosen(second, split(), 50)
    assert [first.random() for _ in range(9)] != [other.random() for _ in range(9)]


def test_without_a_seed_draws_differ() -> None:
    """Two gateways do not march in step."""
    assert [Dice().random() for _ in range(4)] != [Dice().random() for _ in range(4)]


def test_draws_lie_in_the_unit_interval() -> None:
    """1 is never drawn."""
    dice = Dice(1)
    assert all(0 <= dice.random() < 1 for _ in range(1000))
    assert all(0 <= dice.even(split()) < 1 for _ in range(1000))


def test_an_even_sequence_goes_on_for_as_long_as_its_split_is_equal() -> None:
    """A swap builds equal splits anew; that disturbs nothing."""
    undisturbed = chosen(Dice(3), split(), 60)
    dice = Dice(3)
    pieces = [version for _ in range(6) for version in chosen(dice, split(), 10)]
    assert pieces == undisturbed
    assert pieces.count("2") == 18


def test_another_split_of_the_same_alias_starts_a_sequence_of_its_own() -> None:
    """And keeps to its own weights from the first choice on."""
    dice = Dice(3)
    chosen(dice, split("0.3"), 5)
    assert chosen(dice, split("0"), 20) == ["1"] * 20
    assert chosen(dice, split("1"), 20) == ["2"] * 20
    count = 0
    for number, version in enumerate(chosen(dice, split("0.5"), 40), start=1):
        count += version == "2"
        assert abs(count - number / 2) < 1


def test_each_alias_has_a_sequence_of_its_own() -> None:
    """Requests to one alias do not use up the turns of another."""
    dice = Dice(3)
    layouts = [split(alias="release"), split(alias="prepub")]
    counts = [0, 0]
    for number in range(1, 101):
        for index, layout in enumerate(layouts):
            counts[index] += chosen(dice, layout, 1) == ["2"]
            assert abs(counts[index] - number * 0.3) < 1


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.999])
def test_fixed_dice_always_show_the_same(draw: float) -> None:
    """For what-if questions, in every mode."""
    fixed = Fixed(draw)
    assert [fixed.random(), fixed.random(), fixed.even(split())] == [draw] * 3
