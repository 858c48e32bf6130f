"""Functions, versions, code and invocations over REST."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.core.alias import Route
from gateway.core.changes import DeleteAlias, DeleteFunction, DeleteVersion, PutAlias
from gateway.store.protocol import Author

Panel = Any

MINE = "def main_handler(event, context):\n    return 'mine'\n"


def zipped(**files: str) -> bytes:
    """A zip with these files; `__` in a name is a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".py", content)
    return buffer.getvalue()


def upload(panel: Panel, path: str, data: bytes, media: str = "application/zip") -> Any:  # noqa: ANN401
    """Put code."""
    return panel("PUT", path, content=data, headers={"Content-Type": media})


def test_functions_are_listed_at_a_glance(panel: Panel) -> None:
    """Numbers in their order, `$LATEST` in full."""
    orders, idle = panel("GET", "/api/functions").json()["functions"]
    assert (orders["name"], orders["versions"]) == ("orders", ["1", "2", "3"])
    assert (orders["latest"]["version"], set(orders["aliases"])) == (
        "$LATEST",
        {"$DEFAULT", "release", "spare"},
    )
    assert (idle["name"], idle["versions"]) == ("idle", [])


def test_one_function_is_told_in_full(panel: Panel) -> None:
    """As the snapshot has it."""
    told = panel("GET", "/api/functions/orders")
    whole = panel("GET", "/api/snapshot").json()
    assert told.json() == whole["functions"]["orders"]
    assert told.headers["etag"] == '"1"'
    versions = panel("GET", "/api/functions/orders/versions").json()["versions"]
    assert versions == told.json()["versions"]
    for version in versions:
        assert (
            panel("GET", f"/api/functions/orders/versions/{version['version']}").json() == version
        )


@pytest.mark.parametrize(
    ("method", "path", "code", "hint"),
    [
        ("GET", "/api/functions/ordrs", "unknown-function", "did you mean 'orders'?"),
        ("DELETE", "/api/functions/x", "unknown-function", ""),
        ("GET", "/api/functions/ordrs/versions/1", "unknown-function", "did you mean 'orders'?"),
        ("GET", "/api/functions/orders/versions/9", "unknown-version", ""),
        ("GET", "/api/functions/orders/versions/latest", "unknown-version", ""),
        ("DELETE", "/api/functions/orders/versions/9", "unknown-version", ""),
        ("GET", "/api/functions/orders/code?version=9", "unknown-version", ""),
        ("GET", "/api/functions/ordrs/code", "unknown-function", "did you mean 'orders'?"),
        ("GET", "/api/functions/orders/aliases/relese", "unknown-alias", "did you mean 'release'?"),
        ("DELETE", "/api/functions/orders/aliases/x", "unknown-alias", ""),
        ("GET", "/api/functions/orders/aliases/x/history", "unknown-alias", ""),
        ("POST", "/api/functions/orders/aliases/x/rollback", "unknown-alias", ""),
        ("PUT", "/api/functions/x/aliases/release", "unknown-function", ""),
        ("POST", "/api/functions/x/versions", "unknown-function", ""),
        ("POST", "/api/functions/x/invoke", "unknown-function", ""),
        ("PUT", "/api/functions/x/configuration", "unknown-function", ""),
        ("GET", "/api/functions/", "not-found", ""),
        ("GET", "/api/functions/orders/", "not-found", ""),
        ("GET", "/api/functions/a%2Fb", "not-found", ""),
        ("GET", "/api/function", "not-found", ""),
        ("GET", "/nowhere", "not-found", ""),
    ],
)
def test_what_the_url_names_must_exist(
    standing: Panel, method: str, path: str, code: str, hint: str
) -> None:
    """Otherwise the nearest valid name is told."""
    answer = standing(method, path, {} if method in {"PUT", "POST"} else None)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (404, code)
    assert told["problems"][0]["hint"] == hint


def test_a_configuration_is_altered_field_by_field(panel: Panel) -> None:
    """What is not named stays; a published version keeps its own."""
    path = "/api/functions/orders/configuration"
    answer = panel("PUT", path, {"timeout": 9, "environment": {"A": "b"}, "description": "mine"})
    (difference,) = answer.json()["differences"]
    assert difference["path"] == ["functions", "orders", "versions", "$LATEST"]
    before, after = difference["before"], difference["after"]
    assert after == {**before, "timeout": 9, "environment": {"A": "b"}, "description": "mine"}
    panel("PUT", path, {"memory": 256})
    told = panel("GET", "/api/functions/orders/versions/$LATEST").json()
    assert told == {**after, "memory": 256}
    assert panel("GET", "/api/functions/orders/versions/1").json()["timeout"] == 3


@pytest.mark.parametrize("body", [{}, {"timeout": 3}, {"handler": "index.main_handler"}])
def test_a_change_that_alters_nothing_makes_no_revision(panel: Panel, body: object) -> None:
    """And says so."""
    answer = panel("PUT", "/api/functions/orders/configuration", body)
    assert answer.json() == {"revision": 1, "changed": False, "differences": []}
    assert answer.headers["etag"] == '"1"'


def test_a_configuration_with_mistakes_is_refused_whole(panel: Panel) -> None:
    """Every mistake has its place."""
    body = {"timeout": 0, "memory": 1, "environment": {"1": "x"}, "handlr": "x"}
    answer = panel("PUT", "/api/functions/orders/configuration", body)
    pointers = {problem["pointer"] for problem in answer.json()["problems"]}
    assert (answer.status_code, panel.revision) == (422, 1)
    assert pointers == {"/timeout", "/memory", "/environment/1", "/handlr"}


def test_a_handler_that_does_not_load_is_refused(panel: Panel) -> None:
    """With what the code raised."""
    answer = panel("PUT", "/api/functions/orders/configuration", {"handler": "index.other"})
    told = answer.json()
    assert (answer.status_code, told["code"], panel.revision) == (422, "broken-version", 1)
    (broken,) = told["broken"]
    assert (broken["function"], broken["version"]) == ("orders", "$LATEST")
    assert broken["code"] == "handler-not-found"


@pytest.mark.parametrize(
    "body", [pytest.param(None, id="no body"), {"description": "the fourth"}, {}]
)
def test_publishing_answers_with_the_number(panel: Panel, body: Any) -> None:  # noqa: ANN401
    """Of a version that is there from now on."""
    answer = panel("POST", "/api/functions/orders/versions", body)
    assert (answer.status_code, answer.json()["version"]) == (201, "4")
    told = panel("GET", "/api/functions/orders/versions/4").json()
    assert told["description"] == (body or {}).get("description", "")


def test_a_version_that_is_named_is_kept(panel: Panel) -> None:
    """By an alias, by a stage, or because it is the editable one."""
    for number, code in [("1", "version-in-use"), ("$LATEST", "version-fixed")]:
        answer = panel("DELETE", f"/api/functions/orders/versions/{number}")
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert panel("DELETE", "/api/functions/orders/versions/3").json()["changed"] is True
    assert panel("GET", "/api/functions/orders/versions/3").status_code == 404


def test_a_function_that_answers_somebody_is_kept(panel: Panel) -> None:
    """The others can go."""
    answer = panel("DELETE", "/api/functions/orders")
    assert (answer.status_code, answer.json()["code"]) == (409, "function-in-use")
    assert panel("DELETE", "/api/functions/idle").json()["changed"] is True
    assert panel("GET", "/api/functions/idle").status_code == 404


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("", "orders-latest.zip", "'latest'"),
        ("?version=$LATEST", "orders-latest.zip", "'latest'"),
        ("?version=%24LATEST", "orders-latest.zip", "'latest'"),
        ("?version=2", "orders-2.zip", "'v2'"),
    ],
)
def test_code_is_a_zip(panel: Panel, query: str, name: str, code: str) -> None:
    """Of a published version, or of the folder as it is now."""
    answer = panel("GET", f"/api/functions/orders/code{query}")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["index.py"]
        assert code in archive.read("index.py").decode()


def test_code_comes_back_as_it_was_put(panel: Panel) -> None:
    """And is what runs."""
    answer = upload(panel, "/api/functions/orders/code", zipped(index=MINE))
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    assert panel("POST", "/api/functions/orders/invoke").json()["value"] == "mine"
    again = upload(
        panel, "/api/functions/orders/code", panel("GET", "/api/functions/orders/code").content
    )
    assert again.json()["changed"] is False


@pytest.mark.parametrize("media", ["application/zip", "Application/ZIP"])
def test_code_for_a_new_name_makes_a_function(panel: Panel, media: str) -> None:
    """With its handler, and `$DEFAULT` for everybody."""
    data = zipped(src__app=MINE.replace("main_handler", "run"))
    answer = upload(panel, "/api/functions/fresh/code?handler=src.app.run", data, media)
    assert answer.status_code == 201
    told = panel("GET", "/api/functions/fresh").json()
    assert told["versions"][0]["handler"] == "src.app.run"
    assert panel("POST", "/api/functions/fresh/invoke").json()["value"] == "mine"


@pytest.mark.parametrize(
    ("path", "data", "status", "code"),
    [
        ("/api/functions/9/code", zipped(index=MINE), 422, "bad-name"),
        ("/api/functions/fresh/code", b"no zip", 422, "not-a-zip"),
        ("/api/functions/fresh/code", b"", 422, "not-a-zip"),
        ("/api/functions/fresh/code", zipped(), 422, "empty-package"),
        ("/api/functions/fresh/code", zipped(index="1 / 0"), 422, "broken-version"),
        ("/api/functions/fresh/code", zipped(other=MINE), 422, "broken-version"),
        ("/api/functions/fresh/code?handler=x", zipped(index=MINE), 400, "bad-query"),
        ("/api/functions/orders/code", zipped(index="1 / 0"), 422, "broken-version"),
    ],
)
def test_code_that_is_none_is_refused(
    panel: Panel, path: str, data: bytes, status: int, code: str
) -> None:
    """And what was there goes on running."""
    answer = panel("PUT", path, content=data, headers={"Content-Type": "application/zip"})
    assert (answer.status_code, answer.json()["code"], panel.revision) == (status, code, 1)
    assert {problem["pointer"] for problem in answer.json()["problems"]} == {""}
    assert panel("POST", "/api/functions/orders/invoke").json()["value"]["version"] == "latest"


ME = Author("somebody else", "here")


GONE = {
    "unknown-function": DeleteFunction("idle"),
    "unknown-alias": DeleteAlias("orders", "spare"),
    "unknown-version": DeleteVersion("orders", "3"),
}


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("PUT", "/api/functions/idle/configuration", {"timeout": 9}, "unknown-function"),
        ("PUT", "/api/functions/idle/aliases/x", {"version": "$LATEST"}, "unknown-function"),
        ("DELETE", "/api/functions/orders/aliases/spare", None, "unknown-alias"),
        ("DELETE", "/api/functions/orders/versions/3", None, "unknown-version"),
    ],
)
def test_who_is_second_to_delete_is_told_that_it_is_gone(
    raced: Callable[[object], Panel], method: str, path: str, body: object, code: str
) -> None:
    """With the same answer as if it had never been there."""
    panel = raced(GONE[code])
    answer = panel(method, path, body)
    assert (answer.status_code, answer.json()["code"], panel.revision) == (404, code, 2)


@pytest.fixture
def raced(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Panel]:
    """A gateway in which somebody else makes a change while a request is on its way."""
    service = panel.gateway.service
    change = service.change

    def build(first: object) -> Panel:
        async def second(ask: object, author: Author, **more: Any) -> object:  # noqa: ANN401
            await change(first, ME)
            return await change(ask, author, **more)

        monkeypatch.setattr(service, "change", second)
        return panel

    return build


def test_who_publishes_what_was_deleted_is_told_that_it_is_gone(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds out first."""
    service = panel.gateway.service
    publish = service.publish

    async def second(*given: Any, **more: Any) -> object:  # noqa: ANN401
        await service.change(DeleteFunction("idle"), ME)
        return await publish(*given, **more)

    monkeypatch.setattr(service, "publish", second)
    answer = panel("POST", "/api/functions/idle/versions")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-function")


def test_a_refusal_that_is_about_the_body_stays_one(panel: Panel) -> None:
    """Although the URL is looked at again."""
    answer = panel("PUT", "/api/functions/orders/aliases/x", {"version": "9"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown-version")


def test_the_code_of_latest_is_packed_when_it_is_asked_for(panel: Panel, project: Path) -> None:
    """A folder may hold what no package may."""
    latest = project.parent / "functions" / "orders" / "latest"
    (latest / "more.py").symlink_to(latest / "index.py")
    answer = panel("GET", "/api/functions/orders/code")
    assert answer.status_code == 422
    assert "more.py" in answer.json()["detail"]


def test_what_was_changed_here_is_what_decides(panel: Panel) -> None:
    """There is one live snapshot."""
    panel.run(panel.gateway.service.change(PutAlias("orders", "release", Route("3")), ME))
    assert panel("GET", "/api/functions/orders/aliases/release").json()["version"] == "3"
