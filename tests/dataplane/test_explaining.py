"""An explanation sees what a request would carry, and fails as the request would."""

from __future__ import annotations

import pytest

from gateway.core.alias import parse_route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Publish, PutAlias, PutFunction, PutService, Release
from gateway.core.errors import RoutingError
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, FunctionBackend
from gateway.dataplane.explaining import explain_request
from gateway.dice import Dice, Fixed

BOB = {"when": "invoke.body.$.user exact Bob", "version": "2"}


def user_api(alias: str) -> Api:
    """One API with a parameter."""
    return Api("user", "POST", parse_path("/user/{id}"), FunctionBackend("echo", alias))


SNAPSHOT = apply(
    EMPTY,
    Batch(
        (
            PutFunction("echo", "nowhere"),
            Publish("echo"),
            Publish("echo"),
            PutAlias("echo", "ruled", parse_route({"version": "1", "rules": [BOB]}, "")[0]),
            PutAlias("echo", "split", parse_route({"version": "1", "weights": {"2": 0.5}}, "")[0]),
            PutService("s", "shop"),
            Release("s", "dev", (user_api("ruled"),)),
            Release("s", "release", (user_api("split"),)),
        )
    ),
)


def test_an_explanation_sees_what_a_request_would_carry() -> None:
    """Path parameters, query, headers and body; there is no code that could be loaded."""
    request = ("POST", "/user/a%20b?x=1", [("X", "y")], '{"user": "Bob"}')
    told = explain_request(SNAPSHOT, Fixed(0), "test", request)
    assert (told.stage, told.parameters) == ("dev", {"id": "a b"})
    assert (told.version, told.reason) == ("2", "rule:1")


def test_an_explanation_of_bytes_that_are_no_text_is_one_all_the_same() -> None:
    """A shell can hand over anything; what is undecodable is treated as a server would."""
    odd = b"\xff".decode(errors="surrogateescape")
    request = ("POST", f"/user/{odd}?{odd}", [("X", odd)], odd)
    told = explain_request(SNAPSHOT, Fixed(0.9), "release", request)
    assert (told.parameters, told.version) == ({"id": "\N{REPLACEMENT CHARACTER}"}, "1")


@pytest.mark.parametrize(
    ("stage", "method", "path", "code"),
    [
        pytest.param("qa", "POST", "/user/7", "stage-not-found", id="stage"),
        pytest.param("a/b", "POST", "/user/7", "stage-not-found", id="no stage's name"),
        pytest.param("dev", "POST", "/nowhere", "api-not-found", id="path"),
        pytest.param("dev", "GET", "/user/7", "method-not-supported", id="method"),
        pytest.param("dev", "POST", "/../../x", "bad-path", id="dots"),
    ],
)
def test_an_explanation_fails_as_a_request_would(
    stage: str, method: str, path: str, code: str
) -> None:
    """With the same typed errors."""
    with pytest.raises(RoutingError) as caught:
        explain_request(SNAPSHOT, Dice(1), stage, (method, path, [], ""))
    assert caught.value.code == code


def test_nothing_is_released_by_a_service_that_is_not_there() -> None:
    """The empty state knows no stage."""
    for stage in ("dev", "a/b"):
        with pytest.raises(RoutingError):
            explain_request(EMPTY, Dice(1), stage, ("GET", "/", [], ""))
