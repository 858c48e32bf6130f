"""What may not ask is refused before anything is altered: on every route that alters something."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from gateway.controlplane.rest.operation import Operation
from gateway.controlplane.rest.operations import OPERATIONS
from gateway.core.alias import Route
from gateway.core.breaker import Breaker
from gateway.core.changes import Batch, PutAlias, PutBreaker, PutFault, PutResource
from gateway.core.faults import Fault
from gateway.rollout.plan import parse_plan
from gateway.rollout.rollout import GROUP, Rollout, Status
from gateway.store.protocol import Author, StateAway

ALTERING = [operation for operation in OPERATIONS if operation.alters]
SENDING = [operation for operation in OPERATIONS if operation.method != "GET"]
TOKEN = "wholly-secret"

each = pytest.mark.parametrize("operation", ALTERING, ids=lambda operation: operation.id)
every = pytest.mark.parametrize("operation", SENDING, ids=lambda operation: operation.id)


class Valid(NamedTuple):
    """A request that alters something."""

    path: str
    body: object = None
    content: bytes | None = None
    media: str = "application/json"


def zipped(code: str) -> bytes:
    """A zip with one handler."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", code)
    return buffer.getvalue()


CODE = zipped("def main_handler(event, context):\n    return 1\n")

REQUESTS: Mapping[str, Valid] = {
    "deleteFunction": Valid("/api/functions/idle"),
    "putConfiguration": Valid("/api/functions/orders/configuration", {"timeout": 9}),
    "putCode": Valid("/api/functions/orders/code", content=CODE, media="application/zip"),
    "publishVersion": Valid("/api/functions/orders/versions", {"description": "new"}),
    "deleteVersion": Valid("/api/functions/orders/versions/3"),
    "putBreaker": Valid("/api/functions/orders/breaker", {"errors": 0.25}),
    "deleteBreaker": Valid("/api/functions/orders/breaker"),
    "putFault": Valid("/api/functions/orders/versions/1/fault", {"errors": 0.05}),
    "deleteFault": Valid("/api/functions/orders/versions/2/fault"),
    "putAlias": Valid("/api/functions/orders/aliases/release", {"version": "2"}),
    "deleteAlias": Valid("/api/functions/orders/aliases/spare"),
    "rollBack": Valid("/api/functions/orders/aliases/spare/rollback", {"to_revision": 1}),
    "putStage": Valid("/api/stages/prepub", {"alias": "release"}),
    "deleteStage": Valid("/api/stages/release"),
    "apply": Valid("/api/apply", {}),
    "invokeFunction": Valid("/api/functions/orders/invoke", {"event": 1}),
    "abortInvocation": Valid("/api/functions/orders/invocations/none"),
    "previewAlias": Valid("/api/functions/orders/aliases/release/preview", {"version": "2"}),
    "previewRollBack": Valid("/api/functions/orders/aliases/spare/rollback/preview", {}),
    "sendAgain": Valid("/api/invocations/none/again"),
    "startRun": Valid("/api/runs", {"kind": "verify", "verify": {"stage": "release"}}),
    "stopRun": Valid("/api/runs/none/stop"),
    "startRollout": Valid("/api/rollouts", {"function": "orders", "alias": "release", "to": "2"}),
    "pauseRollout": Valid("/api/rollouts/running/pause"),
    "resumeRollout": Valid("/api/rollouts/paused/resume"),
    "promoteRollout": Valid("/api/rollouts/running/promote"),
    "abortRollout": Valid("/api/rollouts/paused/abort"),
    "explainRequest": Valid("/api/explain", {"stage": "dev", "path": "/orders/7"}),
}

Panel = Any


def send(panel: Panel, operation: Operation, **more: Any) -> httpx.Response:  # noqa: ANN401
    """The valid request of an operation, but for what is said otherwise."""
    valid = REQUESTS[operation.id]
    fields = {"Authorization": f"Bearer {TOKEN}"}
    if valid.content is not None:
        fields["Content-Type"] = valid.media
    fields |= more.get("headers", {})
    headers = {name: value for name, value in fields.items() if value}
    content = more.get("content", valid.content)
    answer: httpx.Response = panel(
        operation.method,
        valid.path + more.get("query", ""),
        valid.body if content is None else None,
        headers=headers,
        content=content,
    )
    return answer


def rollout(status: Status, alias: str) -> Rollout:
    """A rollout that is called as its status."""
    plan = parse_plan({"function": "orders", "alias": alias, "to": "2"})
    return Rollout(status, plan, Route("1"), status, 0, 0.0, 0.0)


def _moved_once(panel: Panel) -> Panel:
    """In a state in which every request of the table would alter something."""
    running, paused = rollout("running", "rolling"), rollout("paused", "resting")
    change = Batch(
        (
            PutAlias("orders", "spare", Route("1")),
            PutFault("orders", "2", Fault(errors=0.5)),
            PutBreaker("orders", Breaker(0.5)),
            PutAlias("orders", "rolling", running.route),
            PutAlias("orders", "resting", Route("1")),
            PutResource(GROUP, running.id, running.to_dict()),
            PutResource(GROUP, paused.id, paused.to_dict()),
        )
    )
    panel.run(panel.gateway.service.change(change, Author("a test", "here")))
    assert panel.revision == 2
    return panel


@pytest.fixture
def guarded(open_panel: Callable[..., Panel], project: Path) -> Panel:
    """A gateway with a token, and with a file that was edited since it was applied."""
    panel = _moved_once(open_panel(token=TOKEN))
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace('name = "shop"', 'name = "new name"'), encoding="utf-8")
    return panel


@pytest.fixture(scope="module")
def unmoved(open_standing: Callable[..., Panel]) -> Panel:
    """The same for all tests in which nothing is altered."""
    return _moved_once(open_standing(token=TOKEN))


def test_the_table_of_valid_requests_is_complete() -> None:
    """A new operation that takes something is tested here or nowhere."""
    assert {operation.id for operation in SENDING} == set(REQUESTS)


@each
def test_a_valid_request_alters_something(guarded: Panel, operation: Operation) -> None:
    """Otherwise the refusals below would prove nothing; the answer has the new revision."""
    answer = send(guarded, operation)
    assert answer.status_code in {200, 201}, answer.text
    assert answer.json()["changed"] is True
    assert guarded.revision == answer.json()["revision"] == 3
    assert answer.headers["etag"] == '"3"'


FORM = "application/x-www-form-urlencoded"
ATTACKS: Mapping[str, tuple[Mapping[str, Any], int, str]] = {
    "a foreign name": ({"headers": {"Host": "evil.example:8081"}}, 421, "misdirected-host"),
    "a name that begins well": ({"headers": {"Host": "localhost.evil"}}, 421, "misdirected-host"),
    "a form": (
        {"headers": {"Content-Type": FORM}, "content": b"a=b"},
        415,
        "unsupported-media-type",
    ),
    "plain text": (
        {"headers": {"Content-Type": "text/plain"}, "content": b"{}"},
        415,
        "unsupported-media-type",
    ),
    "a body of no type": (
        {"headers": {"Content-Type": " "}, "content": b"{}"},
        415,
        "unsupported-media-type",
    ),
    "a page elsewhere": ({"headers": {"Origin": "http://evil.example"}}, 403, "cross-site"),
    "another port": ({"headers": {"Origin": "http://127.0.0.1:3000"}}, 403, "cross-site"),
    "another scheme": ({"headers": {"Origin": "https://127.0.0.1:8081"}}, 403, "cross-site"),
    "a page of no origin": ({"headers": {"Origin": "null"}}, 403, "cross-site"),
    "a cross-site fetch": ({"headers": {"Sec-Fetch-Site": "cross-site"}}, 403, "cross-site"),
    "a same-site fetch": ({"headers": {"Sec-Fetch-Site": "same-site"}}, 403, "cross-site"),
    "no token": ({"headers": {"Authorization": ""}}, 401, "unauthorized"),
    "a wrong token": ({"headers": {"Authorization": "Bearer wrong"}}, 401, "unauthorized"),
    "another scheme of it": ({"headers": {"Authorization": f"Basic {TOKEN}"}}, 401, "unauthorized"),
    "an odd actor": ({"headers": {"X-Gateway-Actor": "a\tb"}}, 400, "bad-header"),
    "an unknown parameter": ({"query": "?dry=1"}, 400, "bad-query"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@every
def test_nothing_is_altered_by_what_is_refused(
    unmoved: Panel, operation: Operation, attack: str
) -> None:
    """Each refusal has its status and code, and tells no other origin anything."""
    more, status, code = ATTACKS[attack]
    answer = send(unmoved, operation, **more)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert unmoved.revision == 2
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "header", [pytest.param('"2"', id="the live revision"), pytest.param("*", id="any")]
)
@each
def test_a_change_may_name_the_revision_that_it_was_made_for(
    guarded: Panel, operation: Operation, header: str
) -> None:
    """And is made when that is the live one."""
    answer = send(guarded, operation, headers={"If-Match": header})
    assert answer.status_code in {200, 201}, answer.text
    assert guarded.revision == 3


@each
def test_a_stale_change_is_told_the_revision(unmoved: Panel, operation: Operation) -> None:
    """So that whoever asked can look again."""
    answer = send(unmoved, operation, headers={"If-Match": '"1"'})
    told = answer.json()
    assert (answer.status_code, told["code"], told["revision"]) == (412, "stale-revision", 2)
    assert unmoved.revision == 2


@pytest.mark.parametrize("header", ['W/"2"', "2", '"2", "3"', '"x"', "", '"' + "9" * 30 + '"'])
@each
def test_an_odd_revision_is_refused(unmoved: Panel, operation: Operation, header: str) -> None:
    """A precondition that cannot be read is never taken for none."""
    valid = REQUESTS[operation.id]
    fields = [("Authorization", f"Bearer {TOKEN}"), ("If-Match", header)]
    fields += [("Content-Type", valid.media)] if valid.content else []
    content = valid.content
    answer = unmoved(operation.method, valid.path, valid.body, headers=fields, content=content)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-header")
    assert unmoved.revision == 2


@each
def test_without_its_state_a_change_is_to_be_asked_for_again(
    guarded: Panel, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 and when; nothing is altered, and with the state it works."""

    async def away(*_: object, **__: object) -> None:
        raise StateAway("the state 'postgresql://db' cannot be used: it is away")

    with monkeypatch.context() as without:
        for part in ("commit", "records", "put_package", "package", "checkpoint"):
            without.setattr(guarded.gateway.service.store, part, away)
        answer = send(guarded, operation)
        assert (answer.status_code, answer.json()["code"]) == (503, "state-unusable"), answer.text
        assert answer.headers["retry-after"] == "1"
        assert guarded.revision == 2
    assert send(guarded, operation).status_code in {200, 201}
