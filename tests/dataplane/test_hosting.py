"""A hosted version answers every path, with the event that it has behind the gateway."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.apply import apply
from gateway.core.changes import Batch, Publish, PutFunction, PutService, Release
from gateway.core.features import ApiFeatures
from gateway.core.functions import Configuration
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, MockBackend, Snapshot
from gateway.dataplane.hosting import Hosted, hosted


def shop(*apis: Api) -> Snapshot:
    """A function with two versions, and a service that is released to two stages."""
    configuration = Configuration()
    functions = (
        PutFunction("orders", "c", configuration),
        PutFunction("other", "c", configuration),
    )
    versions = (Publish("orders", "c", "1", "", configuration),)
    stages = (Release("s", "dev", apis), Release("s", "release", apis[:1], {"region": "local"}))
    return apply(EMPTY, Batch((*functions, *versions, PutService("s", "shop"), *stages)))


def api(method: str, path: str, function: str = "orders", **more: Any) -> Api:  # noqa: ANN401
    """An API of a function."""
    return Api(path, method, parse_path(path), FunctionBackend(function, "$DEFAULT"), **more)


def test_every_api_of_the_function_leads_to_the_version() -> None:
    """Those of others do not, and features are the engine's business."""
    mock = Api("ping", "GET", parse_path("=/ping"), MockBackend("pong"))
    guarded = api("GET", "/orders/{id}", features=ApiFeatures(throttle=1))
    before = shop(guarded, api("GET", "=/other", "other"), mock)
    after = hosted(before, "orders", "1")
    (service,) = after.services.values()
    dev, release = service.stages["dev"], service.stages["release"]
    found, parameters = dev.table.match("GET", "/orders/42")
    assert (found.backend, dict(parameters)) == (FunctionBackend("orders", "1"), {"id": "42"})
    assert found.features == ApiFeatures()
    for method, path in (("GET", "/other"), ("GET", "/ping"), ("PUT", "/"), ("POST", "/a/b")):
        rest, _ = dev.table.match(method, path)
        assert rest.backend == FunctionBackend("orders", "1")
    assert release.variables == {"region": "local"}
    assert after.functions is before.functions
    assert after.entries is before.entries


def test_an_api_that_takes_everything_is_the_rest() -> None:
    """Two of the same method and path would be refused."""
    after = hosted(shop(api("ANY", "/")), "orders", "$LATEST")
    (service,) = after.services.values()
    assert [each.id for each in service.stages["dev"].apis] == ["/"]


def test_without_stages_there_is_one() -> None:
    """A function that no API names is hosted all the same."""
    (service,) = hosted(EMPTY, "orders", "1").services.values()
    assert list(service.stages) == ["release"]


@pytest.mark.parametrize(
    ("host", "seen"),
    [
        (b"shop.example:80", b"shop.example:80"),
        (b"release.localhost", b"localhost"),
        (b"Release.LOCALHOST:8080", b"localhost:8080"),
        (b"localhost:8080", b"localhost:8080"),
    ],
)
@pytest.mark.parametrize(("stage", "path"), [("dev", "/dev/a%2Fb"), ("", "/a%2Fb")])
def test_the_stage_is_put_before_the_path_and_hosts_name_none(
    host: bytes, seen: bytes, stage: str, path: str
) -> None:
    """The path as it travels gets it too."""
    asked: list[Any] = []
    plane: Any = lambda scope, receive, send: asked.append((scope, receive, send))  # noqa: E731
    scope = {
        "type": "http",
        "path": "/a/b",
        "raw_path": b"/a%2Fb",
        "headers": [(b"host", host), (b"x-host", b"release.localhost")],
    }
    receive: Any = object()
    Hosted(plane, stage)(scope, receive, receive)
    (told, *ends) = asked[0]
    assert told["raw_path"].decode() == path
    assert told["path"] == path.replace("%2F", "/")
    assert told["headers"] == [(b"host", seen), (b"x-host", b"release.localhost")]
    assert ends == [receive, receive]
    assert scope["path"] == "/a/b"
