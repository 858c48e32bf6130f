"""The decision: rules in list order, then weights, then the main version; and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from math import nextafter, sqrt
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import PutAlias
from gateway.core.decide import decide
from gateway.core.entries import Target
from gateway.core.errors import FunctionNotFound, QualifierNotFound
from gateway.core.rules import RequestView
from gateway.core.snapshot import EMPTY, Snapshot
from gateway.core.split import Draw, Mode

Http = Callable[..., RequestView]
Routed = Callable[..., Snapshot]
Answer = Callable[[Snapshot, RequestView, Draw], tuple[str, str]]
Dice = Callable[[int], Draw]


class Shown(Draw, Protocol):
    """Dice that always show the same number and count how often they were asked."""

    asked: int


Fixed = Callable[[float], Shown]

BELOW_ONE = nextafter(1.0, 0.0)
RELEASE = Target("orders", "release")
BOB = "invoke.headers.User exact Bob"
MANY = 200_000


# Qualifiers


@pytest.mark.parametrize(
    ("qualifier", "version", "reason"),
    [
        pytest.param("3", "3", "pinned", id="digits name the version"),
        pytest.param("$LATEST", "$LATEST", "pinned", id="$LATEST names the editable code"),
        pytest.param("$DEFAULT", "$LATEST", "main", id="$DEFAULT is an alias, at first of $LATEST"),
        pytest.param("release", "1", "main", id="an alias leads to its main version"),
    ],
)
def test_a_qualifier_leads_to_a_version(
    *, qualifier: str, version: str, reason: str, routed: Routed, nobody: RequestView, fixed: Fixed
) -> None:
    """Each row is a qualifier, its version and the reason."""
    decision = decide(routed("1"), Target("orders", qualifier), nobody, fixed(0.5))
    assert decision.function == "orders"
    assert decision.qualifier == qualifier
    assert (decision.version, decision.reason) == (version, reason)


@pytest.mark.parametrize("qualifier", ["7", "01", "", "prepub", "$latest", "Release"])
def test_an_unknown_qualifier_is_an_error(
    qualifier: str, routed: Routed, nobody: RequestView, fixed: Fixed
) -> None:
    """The cloud's 442; qualifiers are case-sensitive."""
    with pytest.raises(QualifierNotFound) as caught:
        decide(routed("1"), Target("orders", qualifier), nobody, fixed(0.5))
    assert (caught.value.function, caught.value.qualifier) == ("orders", qualifier)
    assert caught.value.status == 442
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("snapshot", [EMPTY, None], ids=["nothing at all", "another function"])
def test_an_unknown_function_is_an_error(
    snapshot: Snapshot | None, routed: Routed, nobody: RequestView, fixed: Fixed
) -> None:
    """The cloud's 435."""
    with pytest.raises(FunctionNotFound) as caught:
        decide(snapshot or routed("1"), Target("payments", "release"), nobody, fixed(0.5))
    assert (caught.value.function, caught.value.status) == ("payments", 435)


# Rules, weights, main version


def test_first_rule_wins_when_both_hit(
    routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """List order decides, in either order."""
    rules = [("invoke.headers.User exists", "3"), (BOB, "4")]
    bob = http({"User": "Bob"})
    assert answer(routed("1", rules=rules), bob, fixed(0.5)) == ("3", "rule:1")
    assert answer(routed("1", rules=rules[::-1]), bob, fixed(0.5)) == ("4", "rule:1")


def test_a_later_rule_wins_when_the_earlier_misses(
    routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """Rules are counted from 1."""
    rules = [(BOB, "4"), ("invoke.headers.User exact Alice", "3")]
    assert answer(routed("1", rules=rules), http({"User": "Alice"}), fixed(0.5)) == ("3", "rule:2")


def test_no_rule_hits_goes_to_the_main_version(
    routed: Routed, answer: Answer, http: Http, nobody: RequestView, fixed: Fixed
) -> None:
    """The cloud calls it a miss."""
    snapshot = routed("1", rules=[(BOB, "4")])
    assert answer(snapshot, http({"User": "Eve"}), fixed(0.0)) == ("1", "main")
    assert answer(snapshot, nobody, fixed(0.0)) == ("1", "main")


def test_no_rule_hits_goes_to_the_weights(
    routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """And a hit never does."""
    snapshot = routed("1", weights={"2": "0.1"}, rules=[(BOB, "4")])
    assert answer(snapshot, http({"User": "Eve"}), fixed(0.05)) == ("2", "weight")
    assert answer(snapshot, http({"User": "Eve"}), fixed(0.1)) == ("1", "main")
    assert answer(snapshot, http({"User": "Bob"}), fixed(0.05)) == ("4", "rule:1")


def test_a_rule_may_lead_to_the_main_version(
    routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """Which keeps a user away from the weights."""
    snapshot = routed("1", weights={"2": "1"}, rules=[(BOB, "1")])
    assert answer(snapshot, http({"User": "Bob"}), fixed(0.0)) == ("1", "rule:1")
    assert answer(snapshot, http({"User": "Eve"}), fixed(0.0)) == ("2", "weight")


@pytest.mark.parametrize(
    ("split", "draw", "outcome"),
    [
        pytest.param("random", 0.05, ("2", "weight"), id="random, an additional version"),
        pytest.param("random", 0.95, ("3", "weight"), id="random, the other additional version"),
        pytest.param("random", 0.5, ("1", "main"), id="random, the main version"),
        pytest.param("even", 0.05, ("2", "weight"), id="even, an additional version"),
        pytest.param("even", 0.95, ("3", "weight"), id="even, the other additional version"),
        pytest.param("even", 0.5, ("1", "main"), id="even, the main version"),
        pytest.param("sticky", 0.05, ("2", "weight"), id="sticky without the key, additional"),
        pytest.param("sticky", 0.5, ("1", "main"), id="sticky without the key, main"),
    ],
)
def test_reasons_of_a_draw(
    *,
    split: Mode,
    draw: float,
    outcome: tuple[str, str],
    routed: Routed,
    answer: Answer,
    nobody: RequestView,
    fixed: Fixed,
) -> None:
    """`weight` for additional versions, `main` for what they leave over."""
    sticky_by = "invoke.headers.User" if split == "sticky" else None
    weights = {"2": "0.1", "3": "0.1"}
    snapshot = routed("1", weights=weights, split=split, sticky_by=sticky_by)
    assert answer(snapshot, nobody, fixed(draw)) == outcome


@pytest.mark.parametrize(
    ("weights", "rules", "user", "asked"),
    [
        pytest.param({}, [], "Eve", 0, id="nothing to draw for"),
        pytest.param({"2": "0.1"}, [(BOB, "4")], "Bob", 0, id="a rule hit"),
        pytest.param({"2": "0.1"}, [(BOB, "4")], "Eve", 1, id="a weighted choice"),
    ],
)
def test_the_dice_are_asked_at_most_once(
    *,
    weights: dict[str, str],
    rules: list[tuple[str, str]],
    user: str,
    asked: int,
    routed: Routed,
    answer: Answer,
    http: Http,
    fixed: Fixed,
) -> None:
    """And only for a weighted choice: so that a seed gives the same sequence of versions."""
    thrown = fixed(0.5)
    answer(routed("1", weights=weights, rules=rules), http({"User": user}), thrown)
    assert thrown.asked == asked


def test_equal_outcomes_are_one_object(routed: Routed, nobody: RequestView, fixed: Fixed) -> None:
    """A request costs look-ups; decisions were made with the snapshot."""
    snapshot = routed("1", weights={"2": "0.1"})
    first = decide(snapshot, RELEASE, nobody, fixed(0.05))
    assert decide(snapshot, RELEASE, nobody, fixed(0.01)) is first


def test_equal_seeds_give_equal_versions(
    routed: Routed, answer: Answer, nobody: RequestView, dice: Dice
) -> None:
    """In every mode that draws."""
    modes: tuple[Mode, ...] = ("random", "even")
    for split in modes:
        snapshot = routed("1", weights={"2": "0.3"}, split=split)
        runs = []
        for seed in (7, 7, 8):
            thrown = dice(seed)
            runs.append([answer(snapshot, nobody, thrown) for _ in range(200)])
        assert runs[0] == runs[1]
        assert runs[0] != runs[2]


# Shares


@pytest.mark.parametrize(
    ("weight", "version", "reason"),
    [("0", "1", "main"), ("1", "2", "weight"), ("0.0", "1", "main"), ("1.0", "2", "weight")],
)
@pytest.mark.parametrize("draw", [0.0, BELOW_ONE])
def test_weights_0_and_1_mean_never_and_always(
    *,
    weight: str,
    version: str,
    reason: str,
    draw: float,
    routed: Routed,
    answer: Answer,
    nobody: RequestView,
    fixed: Fixed,
) -> None:
    """At the lowest and at the highest draw there is."""
    outcome = answer(routed("1", weights={"2": weight}), nobody, fixed(draw))
    assert outcome == (version, reason)


@pytest.mark.parametrize("weight", ["0.01", "0.1", "0.5"])
def test_random_keeps_the_share_within_4_sigma(
    weight: str, routed: Routed, nobody: RequestView, dice: Dice
) -> None:
    """Over 200,000 decisions."""
    snapshot, thrown, share = routed("1", weights={"2": weight}), dice(11), float(weight)
    hits = sum(decide(snapshot, RELEASE, nobody, thrown).version == "2" for _ in range(MANY))
    assert abs(hits - MANY * share) < 4 * sqrt(MANY * share * (1 - share))


def test_random_draws_are_independent(routed: Routed, nobody: RequestView, dice: Dice) -> None:
    """What follows an additional version is no other share: no stickiness, no evening out."""
    snapshot, thrown = routed("1", weights={"2": "0.1"}), dice(12)
    hits = [decide(snapshot, RELEASE, nobody, thrown).version == "2" for _ in range(MANY)]
    followers = [after for before, after in pairwise(hits) if before]
    sigma = sqrt(len(followers) * 0.09)
    assert abs(sum(followers) - len(followers) * 0.1) < 4 * sigma


@pytest.mark.parametrize("weight", ["0.01", "0.1", "0.5"])
def test_sticky_keeps_the_share_within_4_sigma(
    weight: str, routed: Routed, http: Http, fixed: Fixed
) -> None:
    """Over 200,000 different keys; the dice are never asked."""
    thrown, share = fixed(0.0), float(weight)
    snapshot = routed("1", weights={"2": weight}, split="sticky", sticky_by="invoke.headers.User")
    hits = Counter[tuple[str, str]]()
    for number in range(MANY):
        decision = decide(snapshot, RELEASE, http({"User": f"user-{number}"}), thrown)
        hits[decision.version, decision.reason] += 1
    assert set(hits) == {("1", "sticky"), ("2", "sticky")}
    assert abs(hits["2", "sticky"] - MANY * share) < 4 * sqrt(MANY * share * (1 - share))
    assert thrown.asked == 0


@pytest.mark.parametrize("weight", ["0.1", "0.333333333333"])
def test_even_keeps_within_one_of_the_share_at_every_prefix(
    weight: str, routed: Routed, nobody: RequestView, dice: Dice
) -> None:
    """Through `decide`, over 100,000 decisions."""
    snapshot, thrown = routed("1", weights={"2": weight}, split="even"), dice(13)
    share, hits = Decimal(weight), 0
    for number in range(1, 100_001):
        hits += decide(snapshot, RELEASE, nobody, thrown).version == "2"
        assert abs(hits - number * share) < 1


# Sticky


def sticky(routed: Routed, weight: str) -> Snapshot:
    """The alias with one additional version, sticky by user."""
    return routed("1", weights={"2": weight}, split="sticky", sticky_by="invoke.headers.User")


def test_the_same_key_gets_the_same_version_whatever_the_dice_show(
    routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """Also in a snapshot that was built anew."""
    for user in ("Bob", "Alice", "Eve", ""):
        outcomes = {
            answer(sticky(routed, "0.5"), http({"User": user}), fixed(draw))
            for draw in (0.0, 0.5, BELOW_ONE)
        }
        assert len(outcomes) == 1
        assert {reason for _, reason in outcomes} == {"sticky"}


def test_raising_a_weight_only_moves_keys_towards_the_raised_version(
    routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """5,000 users over a ramp of 1..100 %: none ever goes back."""
    requests = [http({"User": f"user-{number}"}) for number in range(5_000)]
    thrown, raised, left = fixed(0.0), set[int](), set(range(5_000))
    for percent in range(1, 101):
        snapshot = sticky(routed, str(Decimal(percent) / 100))
        now = {n for n in range(5_000) if answer(snapshot, requests[n], thrown)[0] == "2"}
        assert raised <= now
        raised, left = now, left - now
    assert not left


def test_a_request_without_the_key_uses_a_random_draw(
    routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """And the reason says so."""
    stranger = http({"Other": "Bob"})
    assert answer(sticky(routed, "0.5"), stranger, fixed(0.4)) == ("2", "weight")
    assert answer(sticky(routed, "0.5"), stranger, fixed(0.6)) == ("1", "main")


def test_an_empty_key_is_a_key(routed: Routed, answer: Answer, http: Http, fixed: Fixed) -> None:
    """Only a missing one draws."""
    assert answer(sticky(routed, "0.5"), http({"User": ""}), fixed(0.9))[1] == "sticky"


def test_rules_come_before_stickiness(
    routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """A rule can take a user out of the split."""
    snapshot = routed(
        "1",
        weights={"2": "1"},
        rules=[(BOB, "4")],
        split="sticky",
        sticky_by="invoke.headers.User",
    )
    assert answer(snapshot, http({"User": "Bob"}), fixed(0.5)) == ("4", "rule:1")


@pytest.mark.parametrize("weights", [{}, {"2": "0"}], ids=["weights cleared", "weight 0"])
def test_a_roll_back_wins_over_stickiness_on_the_next_request(
    weights: dict[str, str], routed: Routed, answer: Answer, http: Http, fixed: Fixed
) -> None:
    """Every key of the additional version is back at once."""
    before = sticky(routed, "0.5")
    route = Route(
        "1",
        {name: Decimal(weight) for name, weight in weights.items()},
        split="sticky",
        sticky_by=before.functions["orders"].aliases["release"].route.sticky_by,
    )
    after = apply(before, PutAlias("orders", "release", route))
    requests = [http({"User": f"user-{number}"}) for number in range(500)]
    stuck = [request for request in requests if answer(before, request, fixed(0.0))[0] == "2"]
    assert len(stuck) > 200
    assert {answer(after, request, fixed(0.0))[0] for request in stuck} == {"1"}


# Even, side by side


def test_interleaved_aliases_do_not_disturb_each_other(
    routed: Routed, nobody: RequestView, dice: Dice
) -> None:
    """Each keeps its own count within one, in whatever order they are asked."""
    snapshot = routed("1", weights={"2": "0.1"}, split="even")
    route = Route("1", {"2": Decimal("0.3")}, split="even")
    snapshot = apply(snapshot, PutAlias("orders", "prepub", route))
    thrown, order = dice(14), dice(15)
    asked, hits = Counter[str](), Counter[str]()
    for _ in range(50_000):
        alias, share = ("release", "0.1") if order.random() < 0.7 else ("prepub", "0.3")
        asked[alias] += 1
        hits[alias] += decide(snapshot, Target("orders", alias), nobody, thrown).version == "2"
        assert abs(hits[alias] - asked[alias] * Decimal(share)) < 1


def test_a_swap_that_does_not_touch_the_alias_does_not_disturb_its_sequence(
    routed: Routed, nobody: RequestView, dice: Dice
) -> None:
    """Swaps after every third request, altered elsewhere or built anew: the count holds."""
    snapshot, thrown, hits = routed("1", weights={"2": "0.1"}, split="even"), dice(16), 0
    for number in range(1, 3_001):
        hits += decide(snapshot, RELEASE, nobody, thrown).version == "2"
        assert abs(hits - number * Decimal("0.1")) < 1
        if number % 3 == 0:
            other = Route(str(number % 5 + 1), {"6": Decimal("0.5")}, split="even")
            snapshot = apply(snapshot, PutAlias("orders", "prepub", other))
        if number % 30 == 0:
            snapshot = routed("1", weights={"2": "0.10"}, split="even")


# Properties


@settings(deadline=None)
@given(data=st.data())
def test_a_decision_is_always_a_version_that_the_alias_names(
    data: st.DataObject,
    routes: st.SearchStrategy[Route],
    views: st.SearchStrategy[RequestView],
    shop: Snapshot,
    fixed: Fixed,
) -> None:
    """With a reason that fits, and never a version of weight 0 by weight."""
    route, request = data.draw(routes), data.draw(views)
    draw = data.draw(st.floats(0, 1, exclude_max=True))
    snapshot = apply(shop, PutAlias("orders", "release", route))
    decision = decide(snapshot, RELEASE, request, fixed(draw))
    assert decision.version in {version for version, _ in route.named()}
    if decision.reason.startswith("rule:"):
        number = int(decision.reason.removeprefix("rule:"))
        assert route.rules[number - 1].version == decision.version
        assert [rule.hits(request) for rule in route.rules[:number]] == [False] * (number - 1) + [
            True
        ]
        return
    assert not any(rule.hits(request) for rule in route.rules)
    if decision.version == route.version:
        assert decision.reason in {"main", "sticky"}
        assert sum(route.weights.values()) < 1 or not route.weights
    else:
        assert decision.reason in {"weight", "sticky"}
        assert route.weights[decision.version] > 0


@settings(deadline=None)
@given(data=st.data())
def test_a_decision_is_monotone_in_the_draw(
    data: st.DataObject,
    routes: st.SearchStrategy[Route],
    shop: Snapshot,
    nobody: RequestView,
    fixed: Fixed,
) -> None:
    """As the draw rises, versions come in the order of the layout, and none comes back."""
    snapshot = apply(shop, PutAlias("orders", "release", data.draw(routes)))
    draws = data.draw(st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=20))
    found = [decide(snapshot, RELEASE, nobody, fixed(draw)).version for draw in sorted(draws)]
    split = snapshot.entries["orders"]["release"].split
    order = list(split.versions) if split else [found[0]]
    positions = [order.index(version) for version in found]
    assert positions == sorted(positions)
