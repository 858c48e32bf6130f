"""Aliases through the cloud's API: the routes of everywhere else, within the cloud's limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.cloud.requests import Routing
from gateway.controlplane.cloud.routing import route_of, routing_plain
from gateway.core.alias import parse_route

Client = Any

EMPTY: dict[str, object] = {"AdditionalVersionWeights": [], "AddtionVersionMatchs": []}
BOB = {"Version": "2", "Key": "invoke.headers.User", "Method": "exact", "Expression": "Bob"}


def weights(*pairs: tuple[str, float]) -> dict[str, object]:
    """A routing by weight."""
    listed = [{"Version": version, "Weight": weight} for version, weight in pairs]
    return {"AdditionalVersionWeights": listed}


def matches(**changed: str) -> dict[str, object]:
    """A routing by a rule: Bob's, with something changed."""
    return {"AddtionVersionMatchs": [BOB | changed]}


def told(client: Client, name: str) -> Any:  # noqa: ANN401
    """An alias as REST tells it."""
    return client.panel("GET", f"/api/functions/orders/aliases/{name}").json()


def test_an_alias_is_made_altered_and_deleted(client: Client) -> None:
    """One revision each; what is not named is cleared, but for the description."""
    named = {"FunctionName": "orders", "Name": "next"}
    client("CreateAlias", **named, FunctionVersion="1", Description="soon")
    found = client("GetAlias", **named)
    assert found["AddTime"] == found["ModTime"] != ""
    assert (found["FunctionVersion"], found["RoutingConfig"]) == ("1", EMPTY)
    client("UpdateAlias", **named, FunctionVersion="1", RoutingConfig=weights(("2", 0.1)))
    found = client("GetAlias", **named)
    assert found["RoutingConfig"] == EMPTY | weights(("2", 0.1))
    assert found["Description"] == "soon"
    assert told(client, "next")["weights"] == {"2": 0.1}
    client("UpdateAlias", **named, FunctionVersion="2", Description="")
    found = client("GetAlias", **named)
    assert (found["FunctionVersion"], found["RoutingConfig"]) == ("2", EMPTY)
    assert found["Description"] == ""
    client("DeleteAlias", **named)
    assert client.fails("GetAlias", **named)[0] == "ResourceNotFound.Alias"
    assert client.panel.revision == 5


def test_an_alias_that_was_asked_for_already_makes_no_revision(client: Client) -> None:
    """Clients repeat themselves."""
    for _ in range(2):
        client(
            "UpdateAlias",
            FunctionName="orders",
            Name="release",
            FunctionVersion="1",
            RoutingConfig=weights(("2", 1)),
        )
    assert client.panel.revision == 2


@pytest.mark.parametrize("weight", [0, 1, 0.0, 0.01, 0.123456])
def test_a_weight_is_kept_exactly(client: Client, weight: float) -> None:
    """As a whole number, too."""
    given = {"FunctionName": "orders", "Name": "release", "FunctionVersion": "$LATEST"}
    client("UpdateAlias", **given, RoutingConfig=weights(("1", weight)))
    listed = client("GetAlias", FunctionName="orders", Name="release")["RoutingConfig"]
    assert listed["AdditionalVersionWeights"] == [{"Version": "1", "Weight": weight}]


@pytest.mark.parametrize(
    ("method", "expression"), [("exact", "Bob"), ("range", "[1,9]"), ("range", "(1, 9)")]
)
def test_a_rule_is_the_gateways_own(client: Client, method: str, expression: str) -> None:
    """And comes back as it was sent."""
    routing = matches(Method=method, Expression=expression)
    given = {"FunctionName": "orders", "Name": "release", "FunctionVersion": "1"}
    client("UpdateAlias", **given, RoutingConfig=routing)
    when = f"invoke.headers.User {method} {expression}"
    assert told(client, "release")["rules"] == [{"when": when, "version": "2"}]
    found = client("GetAlias", FunctionName="orders", Name="release")
    assert found["RoutingConfig"] == EMPTY | routing


def test_what_the_gateway_can_do_beyond_is_listed_as_far_as_it_goes(client: Client) -> None:
    """All weights and all rules, a method without an expression included."""
    body = {
        "version": "1",
        "weights": {"2": 0.1, "3": 0.2},
        "rules": [
            {"when": "invoke.headers.User   in  Bob, Alice", "version": "2"},
            {"when": "invoke.query.beta exists", "version": "3"},
        ],
    }
    client.panel("PUT", "/api/functions/orders/aliases/release", body)
    found = client("GetAlias", FunctionName="orders", Name="release")
    assert found["RoutingConfig"] == {
        **weights(("2", 0.1), ("3", 0.2)),
        "AddtionVersionMatchs": [
            BOB | {"Method": "in", "Expression": "Bob, Alice"},
            {
                "Version": "3",
                "Key": "invoke.query.beta",
                "Method": "exists",
                "Expression": "",
            },
        ],
    }


@given(
    main=st.sampled_from(["$LATEST", "1"]),
    weight=st.decimals(0, 1, places=6).map(float),
    user=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
    by_rule=st.booleans(),
)
def test_a_routing_comes_back_as_it_was_sent(
    main: str, weight: float, user: str, by_rule: bool
) -> None:
    """And the journal has the same one."""
    given = EMPTY | (matches(Expression=user) if by_rule else weights(("2", weight)))
    route = route_of(main, Routing.model_validate(given))
    assert routing_plain(route) == given
    assert parse_route(route.to_dict(), "it")[0] == route


def test_aliases_are_listed_page_by_page(client: Client) -> None:
    """`$DEFAULT` is one of them; the numbers are texts."""
    listed = client("ListAliases", FunctionName="orders")
    assert [alias["Name"] for alias in listed["Aliases"]] == ["$DEFAULT", "release", "spare"]
    assert listed["TotalCount"] == 3
    assert listed["Aliases"][1] == {
        key: value
        for key, value in client("GetAlias", FunctionName="orders", Name="release").items()
        if key != "RequestId"
    }
    listed = client("ListAliases", FunctionName="orders", Offset="1", Limit="1")
    assert ([alias["Name"] for alias in listed["Aliases"]], listed["TotalCount"]) == (
        ["release"],
        3,
    )


def test_aliases_may_be_asked_for_by_version(client: Client) -> None:
    """Whether it is their main version or not."""
    client(
        "UpdateAlias",
        FunctionName="orders",
        Name="release",
        FunctionVersion="1",
        RoutingConfig=weights(("2", 0.5)),
    )
    listed = client("ListAliases", FunctionName="orders", FunctionVersion="2")
    assert [alias["Name"] for alias in listed["Aliases"]] == ["release", "spare"]


TWO = {"AdditionalVersionWeights": [{"Version": "2", "Weight": 0.1}, {"Version": "3", "Weight": 0}]}


@pytest.mark.parametrize(
    ("routing", "code", "said"),
    [
        pytest.param(TWO, "RoutingConfig", "is 2; allowed: at most one", id="two versions"),
        pytest.param(
            weights(("2", 0.1)) | matches(Version="3"),
            "RoutingConfig",
            "by weight or by rule and not by both",
            id="weights and rules",
        ),
        pytest.param(
            {"AddtionVersionMatchs": [BOB, BOB | {"Expression": "Alice"}]},
            "RoutingConfig",
            "at most one",
            id="two rules",
        ),
        pytest.param(weights(("1", 0.1)), "AdditionalVersionWeights", "main version", id="main"),
        pytest.param(matches(Version="1"), "RoutingConfig", "main version", id="rule to main"),
        pytest.param(
            weights(("2", 1.1)), "AdditionalVersionWeights", "is 1.1; allowed: 0 to 1", id="above 1"
        ),
        pytest.param(
            weights(("2", -0.1)), "AdditionalVersionWeights", "is -0.1; allowed", id="below 0"
        ),
        pytest.param(
            weights(("2", 1e-13)), "AdditionalVersionWeights", "12 decimals", id="too fine"
        ),
        pytest.param(matches(Key="User"), "RoutingConfig", "invoke.headers.NAME", id="key"),
        pytest.param(
            matches(Key="invoke.query.User"), "RoutingConfig", "invoke.headers.NAME", id="query"
        ),
        pytest.param(
            matches(Key="invoke.headers.A exact"), "RoutingConfig", "'invoke.headers.A", id="two"
        ),
        pytest.param(matches(Method="in"), "RoutingConfig", "allowed: exact, range", id="method"),
        pytest.param(matches(Expression=""), "RoutingConfig", "white space", id="no expression"),
        pytest.param(matches(Expression=" Bob"), "RoutingConfig", "white space", id="space"),
        pytest.param(
            matches(Method="range", Expression="(1,9]"), "RoutingConfig", "no range", id="mixed"
        ),
        pytest.param(
            matches(Method="range", Expression="[9,1]"), "RoutingConfig", "no integer", id="none"
        ),
    ],
)
@pytest.mark.parametrize("action", ["CreateAlias", "UpdateAlias"])
def test_the_clouds_limits_are_kept(
    looker: Client, action: str, routing: dict[str, object], code: str, said: str
) -> None:
    """With its codes, and nothing is altered."""
    name = "new" if action == "CreateAlias" else "release"
    given = {"FunctionName": "orders", "Name": name, "FunctionVersion": "1"}
    found, message = looker.fails(action, **given, RoutingConfig=routing)
    assert found == f"InvalidParameterValue.{code}"
    assert said in message
    assert looker.panel.revision == 1
