"""The state as a whole over REST: explaining, applying, exporting, and what was done."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.controlplane import control_app

Panel = Any

RELEASE = "/api/functions/orders/aliases/release"


def edit(project: Path, old: str, new: str) -> None:
    """Edit the file."""
    text = project.read_text(encoding="utf-8")
    assert old in text
    project.write_text(text.replace(old, new), encoding="utf-8")


def test_a_request_is_explained(panel: Panel) -> None:
    """As it would be decided, by the draw that is given."""
    panel("PUT", RELEASE, {"version": "1", "weights": {"2": 0.5}})
    for draw, version, reason in [(0.1, "2", "weight"), (0.9, "1", "main")]:
        body = {"stage": "release", "path": "/orders/7?x=1", "draw": draw}
        answer = panel("POST", "/api/explain", body)
        told = answer.json()
        assert (told["version"], told["reason"], told["draw"]) == (version, reason, draw)
        assert told["parameters"] == {"id": "7"}
        assert answer.headers["etag"] == '"2"'
    own = panel("POST", "/api/explain", {"stage": "release", "path": "/orders/7"}).json()
    assert 0 <= own["draw"] < 1


@pytest.mark.parametrize(
    ("path", "backend"), [("/ping", "mock"), ("/old/x", "http"), ("/orders/1", "function")]
)
def test_every_back_end_is_explained(panel: Panel, path: str, backend: str) -> None:
    """With what there is to say."""
    told = panel("POST", "/api/explain", {"stage": "test", "path": path}).json()
    assert (told["backend"], told["stage"]) == (backend, "dev")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"stage": "qa"}, "stage-not-found"),
        ({"stage": "a/b"}, "stage-not-found"),
        ({"stage": "dev", "path": "/nowhere"}, "api-not-found"),
        ({"stage": "dev", "path": "/ping", "method": "POST"}, "method-not-supported"),
        ({"stage": "dev", "path": "/../../x"}, "bad-path"),
        ({"stage": "dev", "path": "x"}, "bad-path"),
        ({}, "missing-key"),
    ],
)
def test_what_no_version_can_answer_is_explained_to_nobody(
    panel: Panel, body: object, code: str
) -> None:
    """The body is wrong, not the URL."""
    answer = panel("POST", "/api/explain", body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_diff_tells_what_applying_would_alter_and_what_it_would_not(
    panel: Panel, project: Path
) -> None:
    """And alters nothing."""
    assert panel("GET", "/api/diff").json() == {"revision": 1, "differences": [], "kept": []}
    panel("PUT", RELEASE, {"version": "2"})
    edit(project, 'spare = { version = "2" }', 'spare = { version = "3" }')
    told = panel("GET", "/api/diff").json()
    (difference,) = told["differences"]
    assert difference["path"] == ["functions", "orders", "aliases", "spare"]
    assert (difference["before"]["version"], difference["after"]["version"]) == ("2", "3")
    (kept,) = told["kept"]
    assert kept["path"] == ["functions", "orders", "aliases", "release"]
    assert (kept["declared"]["version"], kept["live"]["version"]) == ("1", "2")
    assert panel.revision == told["revision"] == 2


def test_the_file_is_applied(panel: Panel, project: Path) -> None:
    """What it changed wins, what was changed live survives; a dry run does neither."""
    panel("PUT", RELEASE, {"version": "2"})
    edit(project, 'spare = { version = "2" }', 'spare = { version = "3" }')
    tried = panel("POST", "/api/apply", {"dry_run": True}).json()
    assert (tried["revision"], tried["changed"], panel.revision) == (2, True, 2)
    done = panel("POST", "/api/apply").json()
    assert (done["revision"], done["differences"]) == (3, tried["differences"])
    assert done["kept"] == tried["kept"]
    assert panel("GET", RELEASE).json()["version"] == "2"
    again = panel("POST", "/api/apply", {})
    assert (again.json()["changed"], again.json()["revision"]) == (False, 3)


def test_another_file_may_be_named(panel: Panel, project: Path) -> None:
    """By an absolute path; what is hardly meant is told."""
    other = project.with_name("other.toml")
    other.write_text('[service]\nname = "other"\n', encoding="utf-8")
    told = panel("POST", "/api/apply", {"file": str(other), "dry_run": True}).json()
    assert told["differences"]
    assert any("no-apis" in warning for warning in told["warnings"])
    lacking = panel("POST", "/api/apply", {"file": str(project.with_name("no.toml"))})
    assert (lacking.status_code, lacking.json()["code"]) == (422, "configuration-invalid")


def test_a_file_with_mistakes_is_told_as_in_a_terminal(panel: Panel, project: Path) -> None:
    """Every mistake with its line."""
    edit(project, 'release = { version = "1" }', 'release = { version = "9" }')
    for method, path in [("POST", "/api/apply"), ("GET", "/api/diff")]:
        answer = panel(method, path)
        told = answer.json()
        assert (answer.status_code, told["code"]) == (422, "configuration-invalid")
        (diagnostic,) = told["diagnostics"]
        assert (diagnostic["code"], diagnostic["line"]) == ("unknown-version", 9)
        assert "error[unknown-version]" in told["text"]
        assert "^" in told["text"]
        assert panel.revision == 1


def test_without_a_file_there_is_nothing_to_apply(open_panel: Any) -> None:  # noqa: ANN401
    """Unless one is named."""
    panel = open_panel(file=None)
    for method, path in [("GET", "/api/diff"), ("POST", "/api/apply")]:
        answer = panel(method, path)
        assert (answer.status_code, answer.json()["code"]) == (409, "no-configuration")
    assert panel("GET", "/api/snapshot").json() == {"revision": 0, "functions": {}, "services": {}}


def test_the_live_state_is_exported(panel: Panel, project: Path) -> None:
    """As the file that it came from, with what is different."""
    assert panel("GET", "/api/export").json()["toml"] == project.read_text(encoding="utf-8")
    panel("PUT", RELEASE, {"version": "3"})
    panel("POST", "/api/functions/orders/versions")
    told = panel("GET", "/api/export").json()
    assert 'release = { version = "3" }' in told["toml"]
    (package,) = told["packages"]
    assert package == {"function": "orders", "version": "4", "folder": "functions/orders/v4"}
    assert isinstance(told["notes"], list)


def test_the_audit_log_tells_everything_that_was_done(panel: Panel) -> None:
    """Newest first, page by page, and by part."""
    panel("PUT", RELEASE, {"version": "2"}, headers={"X-Gateway-Actor": "Bob"})
    panel("PUT", "/api/stages/dev", {"alias": "release"})
    changes = panel("GET", "/api/changes").json()["changes"]
    assert [change["revision"] for change in changes] == [3, 2, 1]
    assert (changes[1]["who"], changes[1]["origin"]) == ("Bob", "10.0.0.7")
    assert changes[1]["change"]["kind"] == "put-alias"
    assert changes[1]["differences"][0]["path"] == ["functions", "orders", "aliases", "release"]
    for query, revisions in [
        ("?limit=1", [3]),
        ("?before=3", [2, 1]),
        ("?path=functions/orders", [2, 1]),
        ("?path=/services/", [3, 1]),
        ("?path=functions/none", []),
        ("?path=", [3, 2, 1]),
    ]:
        found = panel("GET", "/api/changes" + query).json()["changes"]
        assert [change["revision"] for change in found] == revisions


def test_metrics_count_what_each_version_answered(panel: Panel) -> None:
    """Since the gateway started."""
    empty = panel("GET", "/api/metrics").json()
    assert (empty["answered"], empty["versions"]) == (0, [])

    async def call() -> int:
        transport = httpx.ASGITransport(panel.gateway.plane)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get("/release/orders/1")).status_code

    panel.run(call())
    told = panel("GET", "/api/metrics").json()
    (row,) = told["versions"]
    assert (told["answered"], told["since"]) == (1, empty["since"])
    assert (row["stage"], row["function"], row["qualifier"]) == ("release", "orders", "release")
    assert (row["version"], row["requests"]) == ("1", 1)


def test_the_clock_is_handed_in(panel: Panel) -> None:
    """Nobody below the composition root looks at one."""
    app = control_app(panel.gateway.service, clock=lambda: 0.25)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/api/metrics")

    assert panel.run(ask()).json()["since"] == "1970-01-01T00:00:00.250Z"


def test_events_are_served(panel: Panel) -> None:
    """A hub that is closed has nothing to tell but hello."""

    async def story() -> httpx.Response:
        asking = asyncio.ensure_future(panel.ask("GET", "/api/events"))
        await asyncio.sleep(0)
        panel.gateway.events.close()
        answer: httpx.Response = await asking
        return answer

    answer = panel.run(story())
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text == 'id: 1\nevent: hello\ndata: {"revision":1}\n\n'
