"""What a change of an alias would alter: told by REST, in words, and never done."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.rest.preview_words import alters, shares_of
from gateway.core.alias import Alias, parse_route

Panel = Any

RELEASE = "/api/functions/orders/aliases/release"
BOB = "invoke.headers.User exact Bob"
EVE = "invoke.headers.User exact Eve"


def alias(**route: Any) -> Alias:  # noqa: ANN401 - parts of a route
    """An alias."""
    parsed, description = parse_route({"version": "1", **route}, "an alias")
    return Alias("orders", "release", parsed, description)


def rules(*named: tuple[str, str]) -> list[dict[str, str]]:
    """Rules."""
    return [{"when": when, "version": version} for when, version in named]


def test_a_preview_tells_what_putting_the_same_body_does(panel: Panel) -> None:
    """The same differences, and nothing has happened."""
    body = {"version": "1", "weights": {"2": 0.1}, "rules": rules((BOB, "3"))}
    told = panel("POST", f"{RELEASE}/preview", body)
    assert (told.status_code, told.headers["etag"], panel.revision) == (200, '"1"', 1)
    done = panel("PUT", RELEASE, body).json()
    assert told.json() == {
        "revision": 1,
        "changed": True,
        "differences": done["differences"],
        "shares": [
            {"version": "1", "before": 1.0, "after": 0.9},
            {"version": "2", "before": 0.0, "after": 0.1},
        ],
        "sentences": [
            "version 1 gets 90 % instead of 100 %",
            "version 2 gets 10 %; it got nothing",
            f"rule 1 is new: {BOB} goes to version 3",
        ],
        "remarks": ["the next request to release follows it"],
    }


def test_a_preview_of_what_is_there_tells_so(panel: Panel) -> None:
    """Nothing is altered, so there is nothing to say."""
    told = panel("POST", f"{RELEASE}/preview", {"version": "1"}).json()
    assert (told["changed"], told["sentences"], told["remarks"]) == (False, [], [])
    assert told["shares"] == [{"version": "1", "before": 1.0, "after": 1.0}]


def test_a_preview_knows_new_aliases_and_who_follows_them(panel: Panel) -> None:
    """No stage names a new one."""
    told = panel("POST", "/api/functions/orders/aliases/canary/preview", {"version": "2"}).json()
    assert told["sentences"] == ["canary is a new alias", "version 2 gets 100 %; it got nothing"]
    assert told["remarks"] == ["no stage names canary: only invocations by name follow it"]
    assert panel("GET", "/api/functions/orders/aliases/canary").status_code == 404


def test_a_preview_remarks_what_is_hardly_meant(panel: Panel) -> None:
    """A version with a fault, a weight of nothing, a main version without a share."""
    panel("PUT", "/api/functions/orders/versions/3/fault", {"errors": 0.05})
    body = {"version": "1", "weights": {"2": 0, "3": 1}}
    told = panel("POST", f"{RELEASE}/preview", body).json()
    assert told["remarks"][1:] == [
        "version 3 is told to get something wrong: it has a fault",
        "version 2 has a weight of 0 and gets no request by it",
        "the main version 1 gets nothing: the weights add up to 1",
    ]


def test_a_preview_of_a_roll_back_tells_what_it_brings(panel: Panel) -> None:
    """What the roll-back itself does then, at a revision or by itself."""
    panel("PUT", RELEASE, {"version": "1", "weights": {"2": 0.25}})
    panel("PUT", RELEASE, {"version": "1", "weights": {"2": 0.5}})
    told = panel("POST", f"{RELEASE}/rollback/preview", {"to_revision": 2}).json()
    assert (told["restores"], told["revision"], panel.revision) == (2, 3, 3)
    assert told["sentences"] == [
        "version 1 gets 75 % instead of 50 %",
        "version 2 gets 25 % instead of 50 %",
    ]
    told = panel("POST", f"{RELEASE}/rollback/preview").json()
    done = panel("POST", f"{RELEASE}/rollback").json()
    assert (told["restores"], told["differences"]) == (done["restores"], done["differences"])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, (409, "nothing-to-roll-back")),
        ({"to_revision": 7}, (200, None)),
        ({"revision": 1}, (422, "unknown-key")),
    ],
    ids=["nothing", "the present", "key"],
)
def test_a_preview_of_a_roll_back_refuses_what_rolling_back_refuses(
    panel: Panel, body: object, told: tuple[int, str | None]
) -> None:
    """A revision that is the present one is no mistake; nothing would be altered."""
    for path in (f"{RELEASE}/rollback/preview", f"{RELEASE}/rollback"):
        answer = panel("POST", path, body)
        assert (answer.status_code, answer.json().get("code")) == told
        assert answer.json().get("changed", False) is False


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            {"version": "1", "weights": {"2": 2}}, [("bad-weight", "/weights/2")], id="weight"
        ),
        pytest.param({"version": "9"}, [("unknown-version", "/version")], id="version"),
        pytest.param(
            {"version": "1", "rules": rules(("User is Bob", "2"))},
            [("unknown-method", "/rules/0/when")],
            id="rule",
        ),
        pytest.param({"version": "1", "weigths": {}}, [("unknown-key", "/weigths")], id="key"),
    ],
)
def test_a_preview_refuses_what_putting_refuses(
    panel: Panel, body: object, told: list[tuple[str, str]]
) -> None:
    """In the same words, at the same places."""
    preview, put = panel("POST", f"{RELEASE}/preview", body), panel("PUT", RELEASE, body)
    assert [(p["code"], p["pointer"]) for p in preview.json()["problems"]] == told
    assert preview.json() == put.json()
    assert (preview.status_code, panel.revision) == (422, 1)


def test_a_preview_needs_a_function_that_there_is(panel: Panel) -> None:
    """The alias may be new, the function may not."""
    answer = panel("POST", "/api/functions/order/aliases/release/preview", {"version": "1"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-function")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(
            {"weights": {"2": 0.125}}, {},
            [
                "version 1 gets 100 % instead of 87.5 %",
                "version 2 gets nothing any more; it got 12.5 %",
            ],
            id="weight gone",
        ),
        pytest.param(
            {"rules": rules((BOB, "2"), (EVE, "3"))}, {"rules": rules((EVE, "2"))},
            [f"rule 1 is gone: {BOB} went to version 2", f"{EVE} goes to version 2 instead of 3"],
            id="rules",
        ),
        pytest.param(
            {"rules": rules((BOB, "2"), (EVE, "3"))}, {"rules": rules((EVE, "3"), (BOB, "2"))},
            ["rules are tried in another order"],
            id="order of rules",
        ),
        pytest.param(
            {"rules": rules((BOB, "2"), (BOB, "3"))}, {"rules": rules((BOB, "2"))},
            ["rules that one before them hides are others"],
            id="hidden rule",
        ),
        pytest.param(
            {"weights": {"2": 0.5}}, {"weights": {"2": 0.5}, "split": "even"},
            ["the choice is made by 'even' instead of 'random'"],
            id="split",
        ),
        pytest.param(
            {"split": "sticky", "sticky_by": "invoke.headers.User"},
            {"split": "sticky", "sticky_by": "invoke.query.u"},
            ["a user is known by invoke.query.u instead of invoke.headers.User"],
            id="sticky key",
        ),
        pytest.param(
            {"weights": {"2": 0.1, "3": 0.2}}, {"weights": {"3": 0.2, "2": 0.1}},
            ["the additional versions are in another order"],
            id="order of weights",
        ),
        pytest.param({}, {"description": "x"}, ["the description is another one"], id="words"),
    ],
)  # fmt: skip
def test_what_is_altered_is_told_in_words(
    before: dict[str, Any], after: dict[str, Any], told: list[str]
) -> None:
    """One sentence each."""
    assert list(alters(alias(**before), alias(**after))) == told


WEIGHTS = st.dictionaries(
    st.sampled_from("2345"), st.integers(0, 250).map(lambda n: n / 1000), max_size=4
)
RULES = st.lists(st.tuples(st.sampled_from((BOB, EVE)), st.sampled_from("123")), max_size=3)
ROUTES = st.builds(
    lambda weights, named, text: alias(weights=weights, rules=rules(*named), description=text),
    WEIGHTS,
    RULES,
    st.sampled_from(("", "x")),
)


@given(ROUTES, ROUTES)
def test_shares_are_whole_and_every_change_of_them_is_told(before: Alias, after: Alias) -> None:
    """And nothing is told of what stays."""
    assert sum(shares_of(after).values()) == 1
    assert list(alters(before, before)) == []
    changed = {
        version
        for version in {*shares_of(before), *shares_of(after)}
        if shares_of(before).get(version, 0) != shares_of(after).get(version, 0)
    }
    told = [text for text in alters(before, after) if text.startswith("version ")]
    assert {text.split()[1] for text in told} == changed
    assert len(told) == len(changed)
