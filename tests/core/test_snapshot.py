"""The frozen state: what it holds and how its names are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest

from gateway.core.changes import Change, PutFunction, PutService, Release
from gateway.core.entries import Target
from gateway.core.errors import Refused, StageNotFound
from gateway.core.functions import Configuration
from gateway.core.routes import parse_path
from gateway.core.snapshot import (
    EMPTY,
    Api,
    Backend,
    FunctionBackend,
    HttpBackend,
    MockBackend,
    Service,
    Snapshot,
    Stage,
)


def api(name: str, method: str, path: str, backend: Backend | None = None) -> Api:
    """An API that answers with its own name."""
    return Api(name, method, parse_path(path), backend or MockBackend(name))


def test_nothing_is_there_before_the_first_change() -> None:
    """Revision 0."""
    assert EMPTY.revision == 0
    assert EMPTY.default_service is None
    assert list(EMPTY.versions()) == []
    assert Snapshot() == EMPTY


def test_the_first_service_answers_on_addresses_that_name_none(
    build: Callable[..., Snapshot],
) -> None:
    """However many come after it."""
    changes: list[Change] = [PutService("b", "second"), PutService("a", "first")]
    snapshot = build(*changes)
    assert snapshot.default_service == Service("b", "second")


def test_every_version_of_every_function_is_listed(
    build: Callable[..., Snapshot], shop: Snapshot
) -> None:
    """`$LATEST` included."""
    snapshot = build(PutFunction("payments", "code"), start=shop)
    listed = [(version.function, version.number) for version in snapshot.versions()]
    assert listed == [
        ("orders", "$LATEST"),
        *(("orders", str(number)) for number in range(1, 7)),
        ("payments", "$LATEST"),
    ]


def test_the_configuration_of_a_function_is_that_of_its_editable_version(
    build: Callable[..., Snapshot],
) -> None:
    """The one that can still be altered."""
    slow = Configuration(timeout=30)
    snapshot = build(PutFunction("orders", "code", slow))
    assert snapshot.functions["orders"].configuration is slow


@pytest.mark.parametrize(
    ("name", "stage"),
    [("dev", "dev"), ("test", "dev"), ("release", "release")],
    ids=["its own name", "the cloud's name", "another one"],
)
def test_a_stage_is_found_by_every_name_that_reaches_it(name: str, stage: str) -> None:
    """The cloud calls `dev` `test`."""
    stages = {name: Stage(name, ()) for name in ("dev", "release")}
    assert Service("shop", "shop", stages).stage(name) is stages[stage]


@pytest.mark.parametrize("name", ["prepub", "qa", "", "DEV"])
def test_a_stage_that_the_service_was_not_released_to_is_an_error(name: str) -> None:
    """With the ones it was."""
    service = Service("shop", "shop", {"dev": Stage("dev", ()), "release": Stage("release", ())})
    with pytest.raises(StageNotFound) as caught:
        service.stage(name)
    assert caught.value.stage == name
    assert caught.value.known == ("dev", "release")


def test_a_stage_finds_its_apis() -> None:
    """Its table was compiled with it."""
    one, two = api("one", "GET", "/a/{id}"), api("two", "ANY", "=/a/b")
    stage = Stage("dev", (one, two))
    assert stage.table.match("GET", "/a/7") == (one, {"id": "7"})
    assert stage.table.match("POST", "/a/b") == (two, {})


def test_a_stage_with_two_apis_alike_cannot_be_built() -> None:
    """At the place of the second."""
    with pytest.raises(Refused) as caught:
        Stage("dev", (api("one", "GET", "/a"), api("two", "GET", "/a")))
    assert caught.value.code == "duplicate-api"
    assert caught.value.problems[0].at == (1,)


def test_stages_are_what_they_were_released_with() -> None:
    """Compiled parts do not count."""
    assert Stage("dev", (api("a", "GET", "/a"),)) == Stage("dev", (api("a", "GET", "/a"),))
    assert Stage("dev", (api("a", "GET", "/a"),)) != Stage("dev", (api("a", "GET", "/b"),))
    assert Stage("dev", (), {"region": "local"}) != Stage("dev", ())


def test_a_stage_tells_which_functions_and_qualifiers_its_apis_name() -> None:
    """Each once; other backends name none."""
    stage = Stage(
        "dev",
        (
            api("a", "GET", "/a", FunctionBackend("orders", "release")),
            api("b", "GET", "/b", FunctionBackend("orders", "release")),
            api("c", "GET", "/c", FunctionBackend("orders", "3")),
            api("d", "GET", "/d", HttpBackend("http://127.0.0.1:9000")),
            api("e", "GET", "/e"),
        ),
    )
    assert stage.targets() == {Target("orders", "release"), Target("orders", "3")}


def test_what_the_data_plane_reads_cannot_be_altered(
    build: Callable[..., Snapshot], shop: Snapshot
) -> None:
    """Snapshots, functions, services, stages and entries are frozen."""
    release = Release("shop", "dev", (api("a", "GET", "/a"),))
    snapshot = build(PutService("shop", "shop"), release, start=shop)
    frozen = [
        (snapshot, "revision"),
        (snapshot.functions["orders"], "last"),
        (snapshot.functions["orders"].aliases["$DEFAULT"].route, "version"),
        (snapshot.services["shop"], "name"),
        (snapshot.services["shop"].stages["dev"], "apis"),
        (snapshot.entries["orders"]["$DEFAULT"], "only"),
    ]
    for value, name in frozen:
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, None)
