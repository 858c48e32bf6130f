"""Stages and APIs over REST."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.core.access import Access, Key
from gateway.core.changes import PutService, Release, Unrelease
from gateway.core.features import StageFeatures
from gateway.core.routes import parse_path
from gateway.core.snapshot import Api, FunctionBackend
from gateway.store.protocol import Author

Panel = Any

ME = Author("me", "here")


def qualifiers(panel: Panel, stage: str) -> dict[str, str]:
    """What the stage has."""
    found: dict[str, str] = panel("GET", f"/api/stages/{stage}").json()["qualifiers"]
    return found


def test_stages_are_told_with_their_qualifiers(panel: Panel) -> None:
    """Each as on its own."""
    stages = panel("GET", "/api/stages").json()["stages"]
    assert [stage["stage"] for stage in stages] == ["dev", "release"]
    assert stages[0] == panel("GET", "/api/stages/dev").json()
    assert stages[0] == panel("GET", "/api/stages/test").json()
    release = panel("GET", "/api/stages/release").json()
    assert (release["service"], release["variables"]) == ("service-default", {"region": "local"})
    assert release["qualifiers"] == {"orders": "release"}
    assert len(release["apis"]) == 3


def test_apis_are_told_with_what_each_stage_has(panel: Panel) -> None:
    """`null` where no function answers."""
    orders, ping, old = panel("GET", "/api/apis").json()["apis"]
    assert orders["stages"] == {"dev": "$DEFAULT", "release": "release"}
    assert (orders["function"], orders["service"]) == ("orders", "service-default")
    assert ping["stages"] == old["stages"] == {"dev": None, "release": None}
    assert (ping["mock"]["body"], old["http"]["url"]) == ("pong", "http://127.0.0.1:9")


def test_an_api_that_is_only_released_any_more_is_told_too(panel: Panel) -> None:
    """After those that would be released next."""
    change = PutService("service-default", "shop", ())
    panel.run(panel.gateway.service.change(change, ME))
    apis = panel("GET", "/api/apis").json()["apis"]
    assert [api["id"] for api in apis] == ["ANY /orders/{id}", "GET =/ping", "ANY ^~/old/"]


def test_a_stage_is_released_for_the_first_time(panel: Panel) -> None:
    """With `$DEFAULT` where nobody says anything else."""
    answer = panel("PUT", "/api/stages/prepub", {})
    assert (answer.status_code, answer.json()["changed"]) == (201, True)
    assert qualifiers(panel, "prepub") == {"orders": "$DEFAULT"}
    assert panel("PUT", "/api/stages/prepub", {}).json()["changed"] is False


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({}, "release", id="what the stage had"),
        pytest.param({"alias": None}, "release", id="nothing said"),
        pytest.param({"alias": "spare"}, "spare", id="for all"),
        pytest.param({"alias": "spare", "aliases": {"orders": "2"}}, "2", id="for this one"),
        pytest.param({"aliases": {"orders": "$LATEST"}}, "$LATEST", id="for this one alone"),
    ],
)
def test_a_stage_is_released_anew(panel: Panel, body: object, expected: str) -> None:
    """Each API with the most particular qualifier; variables not named are cleared."""
    answer = panel("PUT", "/api/stages/release", body)
    assert answer.status_code == 200
    assert qualifiers(panel, "release") == {"orders": expected}
    assert panel("GET", "/api/stages/release").json()["variables"] == {}


def test_each_api_keeps_what_it_had(panel: Panel) -> None:
    """Two APIs of one function may lead to different versions."""
    apis = tuple(
        Api(name, "GET", parse_path(f"/{name}"), FunctionBackend("orders", qualifier))
        for name, qualifier in [("a", "1"), ("b", "2"), ("c", "$DEFAULT")]
    )
    service = panel.gateway.service
    panel.run(service.change(PutService("service-default", "shop", apis), ME))
    panel.run(service.change(Release("service-default", "dev", apis[:2]), ME))
    panel("PUT", "/api/stages/dev", {"variables": {"x": "1"}})
    told = panel("GET", "/api/stages/dev").json()
    assert [api["qualifier"] for api in told["apis"]] == ["1", "2", "1"]
    assert told["variables"] == {"x": "1"}


@pytest.mark.parametrize("path", ["/api/snapshot", "/api/changes", "/api/stages"])
def test_secrets_of_keys_are_not_told(panel: Panel, path: str) -> None:
    """Only the file that would build the same state has them."""
    service = panel.gateway.service
    access = Access({"partner": Key("AKIDpartner", "s3cret")})
    panel.run(service.change(PutService("service-default", "shop", (), access), ME))
    answer = panel("GET", path)
    assert "s3cret" not in answer.text
    assert ("AKIDpartner" in answer.text) is (path != "/api/stages")
    assert "s3cret" in panel("GET", "/api/export").json()["toml"]


def test_the_gate_of_a_stage_is_told_and_stays(panel: Panel) -> None:
    """A release does not say who may call, so it lets nobody in."""
    service = panel.gateway.service
    gate = StageFeatures(500, ("10.0.0.0/8",), ("10.0.0.7",))
    panel.run(service.change(Release("service-default", "release", (), {}, gate), ME))
    panel("PUT", "/api/stages/release", {"alias": "release"})
    told = panel("GET", "/api/stages/release").json()
    assert (told["throttle"], told["allow"]) == (500, ["10.0.0.0/8"])
    assert told["deny"] == ["10.0.0.7"]
    assert told["apis"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            {"alias": "relese"},
            [("unknown-qualifier", "/alias", "did you mean 'release'?")],
            id="alias",
        ),
        pytest.param(
            {"alias": "release", "aliases": {"orders": "9"}},
            [("unknown-qualifier", "/aliases/orders", "")],
            id="one of them",
        ),
        pytest.param(
            {"aliases": {"ordrs": "release", "idle": "release"}},
            [
                ("unknown-function", "/aliases/ordrs", "did you mean 'orders'?"),
                ("unknown-function", "/aliases/idle", ""),
            ],
            id="functions that no api names",
        ),
        pytest.param(
            {"variables": {"1": "x", "y": 2}, "alais": "release"},
            [
                ("bad-name", "/variables/1", ""),
                ("wrong-type", "/variables/y", ""),
                ("unknown-key", "/alais", "did you mean 'alias'?"),
            ],
            id="form",
        ),
    ],
)
def test_every_mistake_in_a_release_is_told_with_its_place(
    panel: Panel, body: object, told: list[tuple[str, str, str]]
) -> None:
    """Once, however many APIs it spoils."""
    answer = panel("PUT", "/api/stages/release", body)
    given = [(p["code"], p["pointer"], p["hint"]) for p in answer.json()["problems"]]
    assert (answer.status_code, panel.revision) == (422, 1)
    assert sorted(given) == sorted(told)


def test_a_mistake_that_spoils_several_apis_is_told_once(panel: Panel) -> None:
    """Whoever asked made it once."""
    apis = tuple(
        Api(name, "GET", parse_path(f"/{name}"), FunctionBackend("orders", "$DEFAULT"))
        for name in ("a", "b")
    )
    change = PutService("service-default", "shop", apis)
    panel.run(panel.gateway.service.change(change, ME))
    problems = panel("PUT", "/api/stages/dev", {"alias": "nobody"}).json()["problems"]
    assert [problem["pointer"] for problem in problems] == ["/alias"]


@pytest.mark.parametrize(
    ("method", "stage"),
    [("GET", "qa"), ("GET", "prepub"), ("PUT", "qa"), ("DELETE", "prepub"), ("DELETE", "qa")],
)
def test_a_stage_that_is_none_is_not_found(panel: Panel, method: str, stage: str) -> None:
    """Neither one that nothing is released to, nor one that cannot be."""
    answer = panel(method, f"/api/stages/{stage}", {} if method == "PUT" else None)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-stage")


def test_a_stage_is_taken_off_the_air(panel: Panel) -> None:
    """By any of its names."""
    assert panel("DELETE", "/api/stages/test").json()["changed"] is True
    assert panel("GET", "/api/stages/dev").status_code == 404


def test_who_is_second_to_take_a_stage_down_is_told(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone, whoever did it."""
    service = panel.gateway.service
    change = service.change

    async def second(ask: object, author: Author, **more: Any) -> object:  # noqa: ANN401
        await change(Unrelease("service-default", "dev"), ME)
        return await change(ask, author, **more)

    monkeypatch.setattr(service, "change", second)
    assert panel("DELETE", "/api/stages/dev").status_code == 404


def test_without_a_service_nothing_can_be_released(open_panel: Any) -> None:  # noqa: ANN401
    """A gateway without a file has none."""
    panel = open_panel(file=None)
    answer = panel("PUT", "/api/stages/dev", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-service")
    assert panel("GET", "/api/stages").json() == {"stages": []}
    assert panel("GET", "/api/apis").json() == {"apis": []}
    assert panel("GET", "/api/stages/dev").status_code == 404
