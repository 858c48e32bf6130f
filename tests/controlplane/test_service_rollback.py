"""Which earlier state a roll-back brings back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.rollback import Move, earlier, moves, named
from gateway.core.alias import Route
from gateway.core.changes import PutAlias
from gateway.core.diff import Difference
from gateway.core.errors import Refused
from gateway.core.plain import Plain
from gateway.store.protocol import Author, Record

PATH = ("functions", "orders", "aliases", "release")


def to(version: str, **weights: float) -> Plain:
    """An alias as plain values."""
    shares = {name.strip("v"): weight for name, weight in weights.items()}
    return {"version": version, "weights": shares}


def story(*steps: Plain | int | None) -> list[Move]:
    """Moves, newest first; a number is a roll-back to that revision."""
    found: list[Move] = []
    for revision, step in enumerate(steps, 1):
        if isinstance(step, int):
            after = next(move.after for move in found if move.revision == step)
            found.append(Move(revision, after, restores=step))
        else:
            found.append(Move(revision, step))
    return found[::-1]


@pytest.mark.parametrize(
    ("steps", "brought_back"),
    [
        pytest.param((to("1"), to("2")), 1, id="the version before"),
        pytest.param((to("1"), to("1", v2=0.1), to("1", v2=0.5)), 1, id="not the smaller share"),
        pytest.param((to("1"), to("1", v2=0.5), to("2")), 1, id="not the shift that led here"),
        pytest.param((to("1"), to("1", v2=0.5), to("1", v2=1)), 1, id="a share of 1 is settled"),
        pytest.param(
            (to("1", v2=0.1), to("1", v2=0.5)), 1, id="divided, when nothing else is there"
        ),
        pytest.param((to("1"), to("2"), 1, to("3")), 3, id="what a roll-back brought back"),
        pytest.param((to("1"), to("2"), to("3"), 2), 1, id="a second one goes further back"),
        pytest.param(
            (to("1"), to("2"), to("3"), 2, to("4"), 4), 1, id="also after another release"
        ),
        pytest.param((to("1"), to("2"), to("1")), 2, id="a return by hand is a move like others"),
        pytest.param((to("1"), None), 1, id="a deleted alias comes back"),
        pytest.param((None, to("1"), to("2")), 2, id="never to where there was no alias"),
        pytest.param((to("1"), to("2"), to("2")), 1, id="never to the same state"),
    ],
)
def test_it_goes_back_to_before_the_traffic_was_divided(
    steps: tuple[Plain | int | None, ...], brought_back: int
) -> None:
    """The revision whose state comes back."""
    assert earlier(story(*steps), "release").revision == brought_back


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        pytest.param((to("1", v2=0.1), to("1", v2=0.5)), "1", id="while it grew"),
        pytest.param((to("1", v2=0.1), to("1", v2=0.5), to("2")), "1", id="when it had everything"),
        pytest.param((to("2", v1=0.9), to("2", v1=0.5)), "1", id="by the weight of the old one"),
        pytest.param((to("1", v2=0.5), to("1", v2=0.4)), "2", id="when the main version grew"),
        pytest.param((to("1", v2=0.1), to("3")), None, id="neither is the new one"),
        pytest.param((to("1", v2=0.1, v3=0.1), to("3")), None, id="two were old"),
        pytest.param((to("1", v2=0.1), None), "divided", id="a deleted one comes back as it was"),
    ],
)
def test_what_was_always_divided_goes_back_to_what_lost(
    steps: tuple[Plain | int | None, ...], left: str | None
) -> None:
    """The old version alone, or nothing at all when nobody can tell which one that is."""
    history = story(*steps)
    if left is None:
        with pytest.raises(Refused, match="never led to one version alone"):
            earlier(history, "release")
        return
    found = earlier(history, "release")
    assert found.after is not None
    if left == "divided":
        assert found.after == history[-1].after
    else:
        assert (found.after["version"], found.after["weights"]) == (left, {})


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((), id="never moved"),
        pytest.param((to("1"),), id="moved once"),
        pytest.param((to("1"), to("2"), 1), id="rolled back already"),
        pytest.param((to("1"), to("2"), 1, to("3"), 3), id="rolled back twice"),
    ],
)
def test_there_may_be_nothing_to_go_back_to(steps: tuple[Plain | int | None, ...]) -> None:
    """Then it is refused: the failure that somebody fled from does not come back."""
    with pytest.raises(Refused) as caught:
        earlier(story(*steps), "release")
    assert caught.value.code == "nothing-to-roll-back"


STATES = [to("1"), to("2"), to("1", v2=0.5), to("2", v3=0.1), None]


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=8), st.integers(1, 10))
def test_asking_again_and_again_ends_and_never_returns(
    states: list[Plain | None], times: int
) -> None:
    """Each roll-back goes to an older revision than the one before."""
    history = story(*states)
    last = len(history) + 1
    for _ in range(times):
        try:
            found = earlier(history, "release")
        except Refused:
            return
        origin = found
        while origin.restores is not None:
            origin = next(move for move in history if move.revision == origin.restores)
        assert origin.revision < last
        last = origin.revision
        newest = history[0].revision
        history = [Move(newest + 1, found.after, found.revision), *history]


@pytest.mark.parametrize(
    ("revision", "made_by"), [(1, 1), (2, 2), (3, 3), (99, 3)], ids=["1", "2", "3", "later"]
)
def test_a_named_revision_is_the_state_at_that_time(revision: int, made_by: int) -> None:
    """It need not be one at which the alias moved."""
    assert named(story(to("1"), to("2"), to("3")), "release", revision).revision == made_by


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([], id="never moved"),
        pytest.param([Move(7, to("1"))], id="not there yet"),
        pytest.param([Move(3, None), Move(2, to("1"))], id="deleted by then"),
    ],
)
def test_an_alias_that_did_not_exist_cannot_come_back(history: list[Move]) -> None:
    """The refusal names revisions that can be named."""
    with pytest.raises(Refused) as caught:
        named(history, "release", 5)
    assert caught.value.code == "unknown-revision"
    assert "'release' did not exist at revision 5" in str(caught.value)


def test_moves_are_read_from_records_of_many_things() -> None:
    """Only the alias's own part counts."""
    other = Difference(("services", "s", "name"), None, "shop")
    ours = Difference(PATH, None, to("1"))
    change = PutAlias("orders", "release", Route("1", {"2": Decimal("0.1")}))
    author = Author("me", "here")
    records = [
        Record(5, 0.0, author, change, (other, ours), restores=2),
        Record(4, 0.0, author, change, (other,)),
    ]
    assert moves(records, PATH) == [Move(5, to("1"), 2)]
