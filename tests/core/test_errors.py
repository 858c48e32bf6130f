"""Errors: a type, a stable code, a sentence that names the thing, the value, what is allowed."""

from __future__ import annotations

import pytest

from gateway.core.errors import (
    ApiNotFound,
    FunctionNotFound,
    GatewayError,
    MethodNotSupported,
    Problem,
    QualifierNotFound,
    Refused,
    RoutingError,
    StageNotFound,
    listed,
    nearest,
)


@pytest.mark.parametrize(
    ("error", "code", "status", "message"),
    [
        pytest.param(
            StageNotFound("qa", ["dev", "release"]),
            "stage-not-found",
            404,
            "no stage 'qa'; known stages: dev, release",
            id="a stage",
        ),
        pytest.param(
            StageNotFound("qa", []),
            "stage-not-found",
            404,
            "no stage 'qa'; known stages: none",
            id="a stage where there is none",
        ),
        pytest.param(
            ApiNotFound("/x"), "api-not-found", 404, "no api matches the path '/x'", id="a path"
        ),
        pytest.param(
            MethodNotSupported("GET", "/x"),
            "method-not-supported",
            404,
            "the path '/x' has no api for the method GET",
            id="a method",
        ),
        pytest.param(
            QualifierNotFound("orders", "qa"),
            "qualifier-not-found",
            442,
            "function 'orders' has no version and no alias 'qa'",
            id="a qualifier: the cloud's 442",
        ),
        pytest.param(
            FunctionNotFound("orders"),
            "function-not-found",
            435,
            "no function 'orders'",
            id="a function: the cloud's 435",
        ),
    ],
)
def test_routing_errors(error: RoutingError, code: str, status: int, message: str) -> None:
    """Codes and statuses are stable, messages name what was asked for."""
    assert (error.code, error.status, str(error)) == (code, status, message)
    assert isinstance(error, GatewayError)


def test_a_refusal_tells_every_problem_and_has_the_code_of_the_first() -> None:
    """Nothing is lost between finding and telling."""
    refused = Refused(iter([Problem("one", "first"), Problem("two", "second")]))
    assert refused.code == "one"
    assert [problem.code for problem in refused.problems] == ["one", "two"]
    assert str(refused) == "first; second"
    assert isinstance(refused, GatewayError)


def test_a_problem_seen_from_further_out_keeps_all_but_its_place() -> None:
    """Whoever embeds a checked value says where it sits."""
    inner = Problem("code", "message", ("weights", "2"), "hint", on_key=True)
    outer = inner.under("aliases", 3)
    assert outer == Problem("code", "message", ("aliases", 3, "weights", "2"), "hint", on_key=True)
    assert inner.at == ("weights", "2")
    assert inner.under() == inner


def test_names_are_listed_as_people_read_them() -> None:
    """An empty list is said in a word."""
    assert listed(["a", "b"]) == "a, b"
    assert listed(iter("a")) == "a"
    assert listed([]) == "none"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("relese", "did you mean 'release'?", id="a typo"),
        pytest.param("qa", "", id="nothing near"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_nearest_name_is_a_hint(name: str, hint: str) -> None:
    """A name like no other gets no hint."""
    assert nearest(name, iter(["dev", "prepub", "release"])) == hint
