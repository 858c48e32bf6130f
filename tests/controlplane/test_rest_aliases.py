"""Aliases over REST: their whole routing, their history, and back again."""

from __future__ import annotations

from typing import Any

import pytest

Panel = Any

RELEASE = "/api/functions/orders/aliases/release"
PLAIN: dict[str, object] = {
    "version": "1",
    "weights": {},
    "rules": [],
    "split": "random",
    "sticky_by": None,
    "description": "",
}
FULL = {
    "version": "1",
    "weights": {"2": 0.1, "3": 0.25},
    "rules": [{"when": "invoke.headers.User exact Bob", "version": "3"}],
    "split": "sticky",
    "sticky_by": "invoke.headers.User",
    "description": "what users see",
}


def test_an_alias_is_put_and_got_in_one_form(panel: Panel) -> None:
    """What is not named is cleared."""
    answer = panel("PUT", RELEASE, FULL)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert panel("GET", RELEASE).json() == FULL
    assert panel("GET", "/api/functions/orders/aliases").json()["aliases"]["release"] == FULL
    panel("PUT", RELEASE, {"version": "2"})
    assert panel("GET", RELEASE).json() == {**PLAIN, "version": "2"}


def test_a_new_alias_is_created(panel: Panel) -> None:
    """And the answer says so; the second time it is only replaced."""
    path = "/api/functions/orders/aliases/canary"
    answers = [panel("PUT", path, {"version": version}) for version in ("1", "2", "2")]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert [answer.json()["changed"] for answer in answers] == [True, True, False]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            {"version": "1", "weigts": {"2": 0.1}, "split": "evn"},
            [("unknown-value", "/split"), ("unknown-key", "/weigts")],
            id="keys and values",
        ),
        pytest.param(
            {"weights": {"2": 2, "x": 0.1}, "rules": [{"when": "User = Bob"}]},
            [
                ("missing-key", ""),
                ("bad-weight", "/weights/2"),
                ("unknown-version", "/weights/x"),
                ("missing-key", "/rules/0"),
                ("unknown-method", "/rules/0/when"),
            ],
            id="everywhere",
        ),
        pytest.param(
            {"version": "7", "weights": {"8": 0.1}},
            [("unknown-version", "/version"), ("unknown-version", "/weights/8")],
            id="versions",
        ),
        pytest.param([], [("wrong-type", ""), ("missing-key", "")], id="no object"),
    ],
)
def test_every_mistake_in_a_route_is_told_with_its_place(
    panel: Panel, body: object, told: list[tuple[str, str]]
) -> None:
    """By the same law as in stages.toml."""
    answer = panel("PUT", RELEASE, body)
    given = [(problem["code"], problem["pointer"]) for problem in answer.json()["problems"]]
    assert (answer.status_code, panel.revision) == (422, 1)
    assert sorted(given) == sorted(told)


def test_a_name_that_cannot_be_one_is_refused(panel: Panel) -> None:
    """It is in the URL, but it is no name of anything."""
    answer = panel("PUT", "/api/functions/orders/aliases/$X", {"version": "1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-name")


@pytest.mark.parametrize(
    ("alias", "code"), [("$DEFAULT", "alias-fixed"), ("release", "alias-in-use")]
)
def test_an_alias_that_is_needed_is_kept(panel: Panel, alias: str, code: str) -> None:
    """A spare one can go."""
    answer = panel("DELETE", f"/api/functions/orders/aliases/{alias}")
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert panel("DELETE", "/api/functions/orders/aliases/spare").json()["changed"] is True


def test_the_history_tells_who_moved_an_alias_and_when(panel: Panel) -> None:
    """Newest first, page by page, and only this alias."""
    headers = [("X-Gateway-Actor", "Ädam".encode()), ("User-Agent", b"test/1")]
    panel("PUT", RELEASE, {"version": "2"}, headers=headers)
    panel("PUT", "/api/functions/orders/aliases/spare", {"version": "3"})
    panel("PUT", RELEASE, {"version": "3"})
    moves = panel("GET", RELEASE + "/history").json()["moves"]
    assert [move["revision"] for move in moves] == [4, 2, 1]
    assert moves[0]["before"] == moves[1]["after"] == {**PLAIN, "version": "2"}
    assert (moves[1]["who"], moves[1]["origin"]) == ("Ädam", "10.0.0.7 test/1")
    assert (moves[2]["before"], moves[2]["who"]) == (None, "stages.toml")
    assert moves[0]["who"] == "anonymous"
    page = panel("GET", RELEASE + "/history?before=4&limit=1").json()["moves"]
    assert [move["revision"] for move in page] == [2]


def test_a_roll_back_brings_back_the_undivided_state(panel: Panel) -> None:
    """And says which."""
    panel("PUT", RELEASE, {"version": "1", "weights": {"2": 0.1}})
    panel("PUT", RELEASE, {"version": "1", "weights": {"2": 0.5}})
    answer = panel("POST", RELEASE + "/rollback")
    told = answer.json()
    assert (answer.status_code, told["restores"], told["alias"]) == (200, 1, PLAIN)
    assert panel("GET", RELEASE).json() == PLAIN
    (move, *_) = panel("GET", RELEASE + "/history").json()["moves"]
    assert move["restores"] == 1


def test_a_roll_back_may_name_a_revision(panel: Panel) -> None:
    """Even the one that is live, which alters nothing."""
    panel("PUT", RELEASE, {"version": "2"})
    panel("PUT", RELEASE, {"version": "3"})
    told = panel("POST", RELEASE + "/rollback", {"to_revision": 2}).json()
    assert (told["alias"]["version"], told["restores"]) == ("2", 2)
    again = panel("POST", RELEASE + "/rollback", {"to_revision": 4}).json()
    assert (again["alias"]["version"], again["changed"], again["restores"]) == ("2", False, None)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        pytest.param(RELEASE, {}, 409, "nothing-to-roll-back", id="nothing before"),
        pytest.param(
            "/api/functions/orders/aliases/fresh",
            {"to_revision": 1},
            404,
            "unknown-revision",
            id="before it was there",
        ),
        pytest.param(RELEASE, {"to_revision": 0}, 422, "out-of-range", id="no revision"),
        pytest.param(RELEASE, {"revision": 1}, 422, "unknown-key", id="another key"),
    ],
)
def test_a_roll_back_to_nowhere_is_refused(
    panel: Panel, path: str, body: object, status: int, code: str
) -> None:
    """With what is wrong."""
    panel("PUT", "/api/functions/orders/aliases/fresh", {"version": "1"})
    answer = panel("POST", path + "/rollback", body)
    assert (answer.status_code, answer.json()["code"], panel.revision) == (status, code, 2)


def test_a_roll_back_to_a_version_that_is_gone_is_refused(panel: Panel) -> None:
    """The place of the mistake is in no body that anybody sent."""
    panel("PUT", RELEASE, {"version": "3"})
    panel("PUT", RELEASE, {"version": "1"})
    panel("DELETE", "/api/functions/orders/versions/3")
    answer = panel("POST", RELEASE + "/rollback", {"to_revision": 2})
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, problem["code"]) == (422, "unknown-version")
    assert problem["pointer"] == ""
