"""A gateway in this process: what it serves, how it is steered, and that nothing is left of it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.config import ConfigurationInvalid
from gateway.runtime import BrokenVersions
from gateway.testing import handlers, running_gateway
from gateway.testing.declared import declare
from gateway.testing.running import Refused

pytestmark = pytest.mark.sockets

TWO: dict[str, Any] = {"orders": {"1": "one", "2": "two"}}


def plain(event: Any, _context: Any) -> dict[str, Any]:  # noqa: ANN401 - any event
    """Answers its path."""
    return {"statusCode": 200, "body": event["path"]}


async def waited(event: Any, _context: Any) -> dict[str, Any]:  # noqa: ANN401 - any event
    """Answers its method."""
    return {"statusCode": 201, "body": event["httpMethod"]}


def test_a_version_is_a_text_a_folder_or_a_handler(tmp_path: Path) -> None:
    """Handlers are the test's own functions, async ones or others."""
    code = 'def main_handler(event, context):\n    return {"statusCode": 200, "body": "folder"}\n'
    (tmp_path / "index.py").write_text(code)
    versions: dict[str, Any] = {"1": "text", "2": tmp_path, "3": plain, "$LATEST": waited}
    apis = [{"method": "ANY", "path": "/it/{id}", "function": "it"}]
    aliases = {name: {"version": v} for name, v in (("dev", "1"), ("prepub", "2"))}
    stages = {"dev": "dev", "prepub": "prepub", "release": "3"}
    with running_gateway(
        functions={"it": versions}, aliases={"it": aliases}, stages=stages, apis=apis
    ) as gateway:
        assert gateway.client.get("/dev/it/1").text == "text"
        assert gateway.client.get("/prepub/it/1").text == "folder"
        assert gateway.client.get("/release/it/7").text == "/it/7"
        gateway.alias_set("dev", version="$LATEST")
        answer = gateway.client.put("/dev/it/1")
        assert (answer.status_code, answer.text) == (201, "PUT")
        assert gateway.client.get("/dev/it").status_code == 404


def test_stages_are_the_aliases_that_all_functions_have() -> None:
    """And dev leads to $DEFAULT, which every function has, with the code of the last version."""
    aliases = {
        "orders": {"release": {"version": "1"}, "prepub": {"version": "2"}},
        "other": {"release": {"version": "1"}},
    }
    functions = {**TWO, "other": {"1": "other"}}
    with running_gateway(functions=functions, aliases=aliases) as gateway:
        service = gateway.snapshot.default_service
        assert service is not None
        assert list(service.stages) == ["dev", "release"]
        assert gateway.client.get("/dev/orders").text == "two"
        assert gateway.client.get("/release/other/deep").text == "other"


def test_an_alias_is_moved_and_a_request_is_explained() -> None:
    """Rules may be given as a table; a draw settles a choice."""
    with running_gateway(functions=TWO, aliases={"orders": {"dev": {"version": "1"}}}) as gateway:
        rules = {"invoke.headers.User exact Bob": "2"}
        gateway.alias_set("dev", version="1", weights={"$LATEST": 0.25}, rules=rules)
        told = gateway.explain("GET", "/orders", stage="dev", headers={"User": "Bob"})
        assert (told["version"], told["reason"]) == ("2", "rule:1")
        told = gateway.explain("GET", "/orders", stage="dev", draw=0.2)
        assert (told["version"], told["reason"], told["draw"]) == ("$LATEST", "weight", 0.2)
        rule = {"when": "invoke.headers.User exact Eve", "version": "2"}
        gateway.alias_set("dev", function="orders", version="1", rules=[rule])
        assert gateway.explain("GET", "/orders", stage="dev")["reason"] == "main"
        assert gateway.revision == 3


def test_what_is_refused_says_why_and_changes_nothing() -> None:
    """With the code, the sentence and the nearest name."""
    functions = {**TWO, "other": {"1": "other"}}
    with running_gateway(functions=functions) as gateway:
        with pytest.raises(Refused, match=r"which function\? There are orders, other"):
            gateway.alias_set("dev", version="1")
        with pytest.raises(Refused, match="names version '9'") as refusal:
            gateway.alias_set("dev", function="orders", version="9")
        assert refusal.value.code == "unknown-version"
        with pytest.raises(Refused, match="no api matches the path '/nowhere'") as refusal:
            gateway.explain("GET", "/nowhere", stage="dev")
        assert refusal.value.code == "api-not-found"
        assert gateway.revision == 1


def test_a_gateway_that_cannot_start_leaves_nothing() -> None:
    """What is wrong is raised where it was started; no thread and no handler stay."""
    threads, kept = threading.active_count(), len(handlers._handlers)
    aliases: dict[str, Any] = {"orders": {"dev": {"version": "7"}}}
    with (
        pytest.raises(ConfigurationInvalid, match=r"names version '7'; it has 1 and \$LATEST"),
        running_gateway(functions={"orders": {"1": plain}}, aliases=aliases),
    ):
        pass
    with (
        pytest.raises(ConfigurationInvalid, match="has no folder 'latest'"),
        running_gateway(functions={"orders": {}}),
    ):
        pass
    with (
        pytest.raises(ConfigurationInvalid, match="needs 'source'"),
        running_gateway(functions=TWO, aliases={"other": {"dev": {"version": "1"}}}),
    ):
        pass
    assert (threading.active_count(), len(handlers._handlers)) == (threads, kept)


def test_code_that_does_not_load_is_told(tmp_path: Path) -> None:
    """With the version it belongs to."""
    (tmp_path / "index.py").write_text("1 / 0\n")
    with (
        pytest.raises(BrokenVersions, match="ZeroDivisionError"),
        running_gateway(functions={"orders": {"1": tmp_path}}),
    ):
        pass


def test_nothing_is_left_of_a_gateway_that_was_closed() -> None:
    """No thread, no handler, no socket; and once more does no harm."""
    threads, kept = threading.active_count(), len(handlers._handlers)
    with running_gateway(functions={"orders": {"1": plain}}, seed=None) as gateway:
        assert gateway.client.get("/dev/orders").text == "/orders"
        assert len(handlers._handlers) == kept + 2  # version 1, and $LATEST with the same code
        gateway.close()
    assert (threading.active_count(), len(handlers._handlers)) == (threads, kept)
    assert threading.active_count() == threads


def test_a_declaration_without_functions_has_dev_alone(tmp_path: Path) -> None:
    """Which is a file as good as any."""
    file, kept = declare(tmp_path, {}, {}, {}, ())
    assert "[stages.dev]" in file.read_text()
    assert kept == []


def test_two_gateways_serve_side_by_side() -> None:
    """Each on its own ports, with its own state and its own handlers."""
    with (
        running_gateway(functions={"one": {"1": "1"}}) as one,
        running_gateway(functions={"one": {"1": "2"}}) as two,
    ):
        assert len({one.url, one.control_url, two.url, two.control_url}) == 4
        assert (one.client.get("/dev/one").text, two.client.get("/dev/one").text) == ("1", "2")
