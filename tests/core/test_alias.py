"""Aliases: a route that is wrong cannot be built, and every mistake is told where it sits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.alias import (
    Alias,
    Route,
    missing_versions,
    parse_route,
    parse_weight,
)
from gateway.core.errors import Problem, Refused
from gateway.core.rules import parse_key, parse_rule
from gateway.core.split import Mode

BOB = "invoke.headers.User exact Bob"
WHAT = "alias 'release'"


def told(problems: tuple[Problem, ...]) -> list[tuple[str, tuple[str | int, ...]]]:
    """Codes and places."""
    return [(problem.code, problem.at) for problem in problems]


# Weights


@pytest.mark.parametrize(
    ("value", "weight"),
    [
        pytest.param(0, "0", id="never, as an integer"),
        pytest.param(1, "1", id="always, as an integer"),
        pytest.param(0.0, "0", id="never"),
        pytest.param(1.0, "1", id="always"),
        pytest.param(0.1, "0.1", id="exactly as written, not the nearest binary fraction"),
        pytest.param(0.3, "0.3", id="so sums of tenths are exact"),
        pytest.param(1e-12, "0.000000000001", id="the smallest"),
        pytest.param(Decimal("0.25"), "0.25", id="a decimal"),
        pytest.param(Decimal("0.5000000000000000"), "0.5", id="zeros at the end do not count"),
        pytest.param(Decimal("0E-50"), "0", id="nor does the spelling of nothing"),
    ],
)
def test_weights_are_any_decimals_from_0_to_1(value: object, weight: str) -> None:
    """Both ends included."""
    assert parse_weight(value, "2") == Decimal(weight)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(-0.1, "the weight of version '2' is -0.1; allowed: 0 to 1", id="below 0"),
        pytest.param(1.1, "the weight of version '2' is 1.1; allowed: 0 to 1", id="above 1"),
        pytest.param(10, "the weight of version '2' is 10; allowed: 0 to 1", id="a percentage"),
        pytest.param(float("nan"), "the weight of version '2' is nan; allowed: 0 to 1", id="NaN"),
        pytest.param(Decimal("NaN"), "the weight of version '2' is NaN; allowed", id="decimal NaN"),
        pytest.param(Decimal("sNaN"), "the weight of version '2' is sNaN; allowed", id="loud NaN"),
        pytest.param(float("inf"), "the weight of version '2' is inf; allowed", id="infinite"),
        pytest.param(-float("inf"), "the weight of version '2' is -inf; allowed", id="minus it"),
        pytest.param("0.1", "version '2' must be a number, not a string", id="a text"),
        pytest.param(True, "version '2' must be a number, not a boolean", id="true is no 1"),
        pytest.param(None, "version '2' must be a number, not null", id="null"),
        pytest.param([0.1], "version '2' must be a number, not a list", id="a list"),
        pytest.param(1e-13, "version '2' has more than 12 decimals", id="thirteen decimals"),
        pytest.param(1 / 3, "version '2' has more than 12 decimals", id="a third as a float"),
    ],
)
def test_other_weights_are_refused(value: object, message: str) -> None:
    """Whether in a table or in a route that was built directly."""
    with pytest.raises(Refused) as caught:
        parse_weight(value, "2")
    [problem] = caught.value.problems
    assert problem.code == "bad-weight"
    assert message in problem.message
    with pytest.raises(Refused) as caught:
        Route("1", {"2": value})  # type: ignore[dict-item]
    assert told(caught.value.problems) == [("bad-weight", ("weights", "2"))]
    with pytest.raises(Refused) as caught:
        parse_route({"version": "1", "weights": {"2": value}}, WHAT)
    assert told(caught.value.problems) == [("bad-weight", ("weights", "2"))]


# Routes built directly


@pytest.mark.parametrize(
    ("version", "weights", "rules"),
    [
        pytest.param("1", {}, [], id="a version"),
        pytest.param("$LATEST", {"1": "0.1"}, [], id="the editable version as the main one"),
        pytest.param("1", {"$LATEST": "0.8"}, [], id="and as an additional one"),
        pytest.param("1", {"2": "0", "3": "1"}, [], id="never and always"),
        pytest.param("1", {"2": "0.3", "3": "0.3", "4": "0.4"}, [], id="exactly 1"),
        pytest.param("1", {str(v): "0.1" for v in range(2, 12)}, [], id="ten tenths are 1"),
        pytest.param("1", {"2": "0.1"}, [(BOB, "1")], id="a rule may name the main version"),
        pytest.param("1", {"2": "0.1"}, [(BOB, "2")], id="or an additional one"),
        pytest.param("1", {}, [(BOB, "2"), (BOB, "3")], id="two rules alike"),
    ],
)
def test_routes_that_can_be_built(
    version: str, weights: Mapping[str, str], rules: list[tuple[str, str]]
) -> None:
    """Any number of additional versions, and rules and weights together."""
    shares = {name: Decimal(weight) for name, weight in weights.items()}
    route = Route(version, shares, tuple(parse_rule(when, goal) for when, goal in rules))
    assert [name for name, _ in route.named()] == [version, *weights, *(goal for _, goal in rules)]


@pytest.mark.parametrize(
    ("parts", "code", "at", "message"),
    [
        pytest.param(
            {"version": "release"},
            "unknown-version",
            ("version",),
            "'release' is no version; allowed: a published number such as '1', or '$LATEST'",
            id="an alias as the main version",
        ),
        pytest.param(
            {"version": "1", "weights": {"v2": Decimal("0.1")}},
            "unknown-version",
            ("weights", "v2"),
            "'v2' is no version; allowed: a published number such as '1', or '$LATEST'",
            id="an additional version that is none",
        ),
        pytest.param(
            {"version": "1", "rules": (parse_rule(BOB, "2"), parse_rule(BOB, "02"))},
            "unknown-version",
            ("rules", 1, "version"),
            "'02' is no version; allowed: a published number such as '1', or '$LATEST'",
            id="a rule's version that is none",
        ),
        pytest.param(
            {"version": "1", "weights": {"1": Decimal("0.1")}},
            "main-version-weighted",
            ("weights", "1"),
            "version '1' is the main version and gets what the weights leave",
            id="a weight for the main version",
        ),
        pytest.param(
            {"version": "1", "weights": {"2": Decimal("0.6"), "3": Decimal("0.400000000001")}},
            "weights-above-one",
            ("weights",),
            "the weights add up to 1.000000000001; allowed: at most 1",
            id="weights above 1, by whatever little",
        ),
        pytest.param(
            {"version": "1", "split": "sticky"},
            "missing-key",
            ("split",),
            "split 'sticky' needs 'sticky_by'",
            id="sticky by nothing",
        ),
        pytest.param(
            {"version": "1", "split": "even", "sticky_by": parse_key("invoke.headers.User")},
            "unused-key",
            ("sticky_by",),
            "'sticky_by' has no effect with split 'even'",
            id="a key that nothing reads",
        ),
    ],
)
def test_routes_that_cannot_be_built(
    parts: dict[str, object], code: str, at: tuple[str | int, ...], message: str
) -> None:
    """Each with its code, its place and a sentence."""
    with pytest.raises(Refused) as caught:
        Route(**parts)  # type: ignore[arg-type]
    [problem] = caught.value.problems
    assert (problem.code, problem.at, problem.message) == (code, at, message)


@pytest.mark.parametrize("spelling", ["LATEST", "latest", "$latest", "Latest$"])
def test_another_spelling_of_the_editable_version_gets_a_hint(spelling: str) -> None:
    """It is the most likely of all typos."""
    with pytest.raises(Refused) as caught:
        Route(spelling)
    assert caught.value.problems[0].hint == "use '$LATEST'"


def test_a_weight_for_the_main_version_points_to_the_key() -> None:
    """The version is the mistake there, not its weight."""
    with pytest.raises(Refused) as caught:
        Route("1", {"1": Decimal("0.1")})
    assert caught.value.problems[0].on_key


def test_a_route_that_is_wrong_in_many_ways_tells_them_all() -> None:
    """In the order of the parts."""
    with pytest.raises(Refused) as caught:
        Route(
            "x",
            {"x": Decimal("0.9"), "3": Decimal("0.9")},
            (parse_rule(BOB, "y"),),
            split="sticky",
        )
    assert told(caught.value.problems) == [
        ("unknown-version", ("version",)),
        ("unknown-version", ("weights", "x")),
        ("main-version-weighted", ("weights", "x")),
        ("weights-above-one", ("weights",)),
        ("missing-key", ("split",)),
        ("unknown-version", ("rules", 0, "version")),
    ]


FULL = Route(
    "1",
    {"2": Decimal("0.1"), "3": Decimal("0.2")},
    (parse_rule(BOB, "4"),),
    "sticky",
    parse_key("invoke.headers.User"),
)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Route("1"), id="a plain one"),
        pytest.param(
            Route("5", FULL.weights, FULL.rules, "sticky", FULL.sticky_by), id="main version"
        ),
        pytest.param(
            Route("1", {"2": Decimal("0.1")}, FULL.rules, "sticky", FULL.sticky_by), id="weights"
        ),
        pytest.param(
            Route(
                "1",
                {"3": Decimal("0.2"), "2": Decimal("0.1")},
                FULL.rules,
                "sticky",
                FULL.sticky_by,
            ),
            id="order of weights",
        ),
        pytest.param(Route("1", FULL.weights, (), "sticky", FULL.sticky_by), id="rules"),
        pytest.param(Route("1", FULL.weights, FULL.rules, "even"), id="mode"),
        pytest.param(
            Route("1", FULL.weights, FULL.rules, "sticky", parse_key("invoke.headers.Id")),
            id="sticky key",
        ),
        pytest.param("route", id="no route"),
    ],
)
def test_routes_that_differ_are_not_equal(other: object) -> None:
    """In any part, and in the order of the weights, which is the layout's."""
    assert other != FULL


def test_routes_are_what_they_say() -> None:
    """Read twice, a route is the same; spelling of decimals does not count."""
    again, description = parse_route(FULL.to_dict(), WHAT)
    assert again == FULL
    assert hash(again) == hash(FULL)
    assert description == ""
    route = same = Route("1", {"2": Decimal("0.10")})
    assert route == same
    assert route == Route("1", {"2": Decimal("0.1")})
    assert hash(Route("1", {"2": Decimal("0.10")})) == hash(Route("1", {"2": Decimal("0.1")}))
    assert Alias("f", "a", again) == Alias("f", "a", FULL)


# Tables


def test_a_whole_table_is_read() -> None:
    """The spelling that stages.toml, the API and the journal share."""
    route, description = parse_route(
        {
            "version": "1",
            "weights": {"2": 0.1, "3": 0},
            "rules": [{"when": BOB, "version": "4"}, {"when": BOB, "version": "$LATEST"}],
            "split": "sticky",
            "sticky_by": "invoke.cookies.id",
            "description": "ours",
        },
        WHAT,
    )
    assert route.version == "1"
    assert list(route.weights.items()) == [("2", Decimal("0.1")), ("3", Decimal(0))]
    assert [(rule.when, rule.version) for rule in route.rules] == [(BOB, "4"), (BOB, "$LATEST")]
    assert route.split == "sticky"
    assert route.sticky_by is not None
    assert route.sticky_by.text == "invoke.cookies.id"
    assert description == "ours"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param({"version": "1"}, id="a version alone"),
        pytest.param(
            {
                "version": "1",
                "weights": {},
                "rules": [],
                "split": "random",
                "sticky_by": None,
                "description": "",
            },
            id="all defaults spelled out",
        ),
        pytest.param({"version": "1", "sticky_by": ""}, id="an empty key is none"),
    ],
)
def test_what_is_not_named_is_empty(raw: object) -> None:
    """All traffic to the main version."""
    assert parse_route(raw, WHAT) == (Route("1"), "")


def test_the_written_form_is_plain_data() -> None:
    """As REST shows it."""
    assert FULL.to_dict() == {
        "version": "1",
        "weights": {"2": 0.1, "3": 0.2},
        "rules": [{"when": BOB, "version": "4"}],
        "split": "sticky",
        "sticky_by": "invoke.headers.User",
    }
    assert Route("1").to_dict() == {
        "version": "1",
        "weights": {},
        "rules": [],
        "split": "random",
        "sticky_by": None,
    }


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param({}, [("missing-key", ())], id="no version"),
        pytest.param({"version": 1}, [("wrong-type", ("version",))], id="a number as the version"),
        pytest.param({"version": ""}, [("unknown-version", ("version",))], id="an empty version"),
        pytest.param(
            {"version": "1", "rules": [{"when": BOB, "version": ""}]},
            [("unknown-version", ("rules", 0, "version"))],
            id="a rule with an empty version",
        ),
        pytest.param(
            {"version": "7x"}, [("unknown-version", ("version",))], id="a version that is none"
        ),
        pytest.param(
            {"version": "1", "weight": {}}, [("unknown-key", ("weight",))], id="an unknown key"
        ),
        pytest.param(
            {"version": "1", "weights": [0.1]},
            [("wrong-type", ("weights",))],
            id="a list of weights",
        ),
        pytest.param(
            {"weights": {"2": 0.9, "3": 0.9}},
            [("missing-key", ()), ("weights-above-one", ("weights",))],
            id="no version, and weights above 1",
        ),
        pytest.param(
            {"version": "1", "weights": {"2": 2, "3": 0.6, "4": 0.6}},
            [("bad-weight", ("weights", "2")), ("weights-above-one", ("weights",))],
            id="a bad weight, and the others above 1",
        ),
        pytest.param(
            {"version": "1", "rules": {"when": BOB}}, [("wrong-type", ("rules",))], id="no list"
        ),
        pytest.param(
            {"version": "1", "rules": [{"when": BOB}]},
            [("missing-key", ("rules", 0))],
            id="a rule without a version",
        ),
        pytest.param(
            {"version": "1", "rules": [{"version": "2"}]},
            [("missing-key", ("rules", 0))],
            id="a rule without a condition",
        ),
        pytest.param(
            {"version": "1", "rules": [{"when": "", "version": "2"}]},
            [("bad-rule", ("rules", 0, "when"))],
            id="a rule with an empty condition",
        ),
        pytest.param(
            {"version": "1", "rules": [{"when": BOB, "version": "2", "weight": 1}]},
            [("unknown-key", ("rules", 0, "weight"))],
            id="a rule with an unknown key",
        ),
        pytest.param(
            {
                "version": "1",
                "rules": [
                    {"when": "User is Bob", "version": "2"},
                    {"when": BOB, "version": "x"},
                    {"version": "y"},
                ],
            },
            [
                ("unknown-method", ("rules", 0, "when")),
                ("missing-key", ("rules", 2)),
                ("unknown-version", ("rules", 1, "version")),
                ("unknown-version", ("rules", 2, "version")),
            ],
            id="versions of rules after and beside one that cannot be read",
        ),
        pytest.param(
            {"version": "1", "rules": [{"when": "User is Bob", "version": "x"}]},
            [
                ("unknown-method", ("rules", 0, "when")),
                ("unknown-version", ("rules", 0, "version")),
            ],
            id="both halves of one rule",
        ),
        pytest.param(
            {"version": "1", "split": "fair"}, [("unknown-value", ("split",))], id="a mode"
        ),
        pytest.param(
            {"version": "1", "split": "fair", "sticky_by": "invoke.headers.User"},
            [("unknown-value", ("split",))],
            id="a mode with a typo, told without the echo that its key has no effect",
        ),
        pytest.param(
            {"version": "1", "split": "sticky", "sticky_by": "User"},
            [("unknown-key", ("sticky_by",))],
            id="a sticky key with a typo, told without the echo that it is missing",
        ),
        pytest.param(
            {"version": "1", "split": "sticky", "sticky_by": 5},
            [("wrong-type", ("sticky_by",))],
            id="a sticky key of a wrong type",
        ),
        pytest.param(
            {"version": "1", "split": "sticky"}, [("missing-key", ("split",))], id="no sticky key"
        ),
        pytest.param(
            {"version": "1", "description": 5}, [("wrong-type", ("description",))], id="words"
        ),
    ],
)
def test_mistakes_are_told_where_they_sit(
    raw: object, expected: list[tuple[str, tuple[str | int, ...]]]
) -> None:
    """Each row is a table with all the mistakes in it, and none twice."""
    with pytest.raises(Refused) as caught:
        parse_route(raw, WHAT)
    assert told(caught.value.problems) == expected


def test_every_mistake_is_told_at_once() -> None:
    """A user who reads the list mends the file in one go."""
    raw = {
        "version": "latest",
        "weights": {"2": 1.5, "b": 0.5, "latest": 0.7},
        "rules": [{"when": "User exact Bob", "version": "4"}, {"when": BOB, "version": "old"}, 7],
        "split": "evn",
        "sticky_by": "headers.User",
        "colour": "red",
    }
    with pytest.raises(Refused) as caught:
        parse_route(raw, WHAT)
    assert set(told(caught.value.problems)) == {
        ("bad-weight", ("weights", "2")),
        ("unknown-key", ("rules", 0, "when")),
        ("wrong-type", ("rules", 2)),
        ("missing-key", ("rules", 2)),
        ("unknown-value", ("split",)),
        ("unknown-key", ("sticky_by",)),
        ("unknown-key", ("colour",)),
        ("unknown-version", ("version",)),
        ("unknown-version", ("weights", "b")),
        ("unknown-version", ("weights", "latest")),
        ("main-version-weighted", ("weights", "latest")),
        ("weights-above-one", ("weights",)),
        ("unknown-version", ("rules", 1, "version")),
    }
    messages = [problem.message for problem in caught.value.problems]
    assert "split of alias 'release' is 'evn'; allowed: random, even, sticky" in messages
    assert "rule 3 of alias 'release' must be a table, not a number" in messages


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(None, "null"), ("1", "a string"), (["1"], "a list"), (1, "a number"), (True, "a boolean")],
)
def test_anything_but_a_table_is_refused(raw: object, kind: str) -> None:
    """With what it is instead."""
    with pytest.raises(Refused) as caught:
        parse_route(raw, WHAT)
    assert caught.value.code == "wrong-type"
    assert caught.value.problems[0].message == f"alias 'release' must be a table, not {kind}"


@settings(deadline=None)
@given(data=st.data())
def test_what_a_route_writes_is_read_back_as_the_same_route(
    data: st.DataObject, routes: st.SearchStrategy[Route]
) -> None:
    """Any route, with any description; and what is read writes the same again."""
    route, words = data.draw(routes), data.draw(st.text())
    raw = route.to_dict()
    again, description = parse_route({**raw, "description": words}, WHAT)
    assert again == route
    assert list(again.weights.items()) == list(route.weights.items())
    assert again.to_dict() == raw
    assert description == words


@settings(deadline=None)
@given(st.decimals(0, 1, places=12, allow_nan=False))
def test_weights_survive_being_written_as_json_numbers(weight: Decimal) -> None:
    """Twelve decimals fit into a double."""
    raw = Route("1", {"2": weight}).to_dict()
    assert parse_route(raw, WHAT)[0].weights["2"] == weight


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["version", "weights", "rules", "when", "split", "sticky_by", "description", "2"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(raw=JUNK)
def test_no_input_makes_anything_but_a_route_or_a_refusal(raw: object) -> None:
    """Whatever JSON says."""
    try:
        route, _ = parse_route(raw, WHAT)
    except Refused as refused:
        problems = refused.problems
    else:
        problems = ()
        assert isinstance(raw, dict)
        assert route.version == raw["version"]
    assert len(set(problems)) == len(problems)


# Versions that the function does not have


def test_versions_that_the_function_does_not_have_are_told_with_their_places() -> None:
    """Every one of them, with what there is and the nearest."""
    route = Route("7", {"2": Decimal("0.1"), "11": Decimal("0.1")}, (parse_rule(BOB, "8"),))
    problems = missing_versions(route, WHAT, ["10", "$LATEST", "2", "1"])
    assert told(tuple(problems)) == [
        ("unknown-version", ("version",)),
        ("unknown-version", ("weights", "11")),
        ("unknown-version", ("rules", 0, "version")),
    ]
    assert problems[0].message == "alias 'release' names version '7'; it has 1, 2, 10 and $LATEST"
    assert problems[0].hint == ""
    assert problems[1].hint in {"did you mean '1'?", "did you mean '10'?"}


def test_a_function_without_published_versions_has_none() -> None:
    """The sentence still reads."""
    [problem] = missing_versions(Route("1"), WHAT, ["$LATEST"])
    assert problem.message == "alias 'release' names version '1'; it has only $LATEST"


@pytest.mark.parametrize("split", ["random", "even"])
def test_versions_that_the_function_has_are_no_problem(split: Mode) -> None:
    """$LATEST included."""
    route = Route("$LATEST", {"1": Decimal("0.1")}, split=split)
    assert missing_versions(route, WHAT, ["1", "$LATEST"]) == []
