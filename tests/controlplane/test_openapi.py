"""The OpenAPI document: complete, valid, and what the server really does."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS

from gateway.app import Gateway, Setup
from gateway.controlplane.rest.openapi import describing, openapi
from gateway.controlplane.rest.operations import OPERATIONS
from gateway.dataplane.server import HttpServer, bind

Document = Any
Panel = Any

EVERY = describing(OPERATIONS)


def test_the_document_is_served_as_it_is_made(panel: Panel, document: Document) -> None:
    """With the live revision, like every read."""
    answer = panel("GET", "/api/openapi.json")
    assert answer.json() == json.loads(json.dumps(document))
    assert answer.headers["etag"] == '"1"'


def test_every_operation_is_in_the_document(document: Document) -> None:
    """Under its stable name, once."""
    told = {
        (row["operationId"], method.upper(), path)
        for path, rows in document["paths"].items()
        for method, row in rows.items()
    }
    assert told == {(each.id, each.method, each.path) for each in EVERY}
    assert len({each.id for each in EVERY}) == len(EVERY)


def test_the_document_says_what_kind_it_is(document: Document) -> None:
    """Tools look there first."""
    assert document["openapi"] == "3.1.0"
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", document["info"]["version"])
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_every_schema_is_one(document: Document) -> None:
    """JSON Schema 2020-12, with references that lead somewhere, and none that is left over."""
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        whole = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema_rs.validator_for(whole)
    text = json.dumps(document)
    used = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert used == set(document["components"]["schemas"])


def test_the_document_describes_what_it_names(document: Document) -> None:
    """Every parameter, every answer and every operation has its words."""
    for path, rows in document["paths"].items():
        for row in rows.values():
            assert row["summary"]
            named = {each["name"] for each in row.get("parameters", []) if each["in"] == "path"}
            assert named == set(re.findall(r"{(\w)}", path))
            assert all(each["description"] for each in row["responses"].values())
            assert all(each.get("schema") for each in row.get("parameters", []))


@pytest.mark.parametrize("operation", EVERY, ids=lambda operation: operation.id)
def test_every_write_takes_a_precondition(document: Document, operation: Any) -> None:  # noqa: ANN401
    """And says what happens when it fails; a read takes none."""
    row = document["paths"][operation.path][operation.method.lower()]
    named = {each["name"] for each in row.get("parameters", [])}
    assert ("If-Match" in named) == ("412" in row["responses"]) == operation.alters
    assert operation.alters == (operation.method != "GET" and operation.id not in ASKING)


ASKING = {
    "invokeFunction",
    "abortInvocation",
    "explainRequest",
    "startRun",
    "stopRun",
    "previewAlias",
    "previewRollBack",
    "sendAgain",
}


class Served:
    """A gateway in a thread, with its control plane on a port of its own.

    Attributes:
        url: Where it answers.
    """

    def __init__(self, file: Path) -> None:
        self.url = ""
        self._file = file
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._loop: asyncio.AbstractEventLoop
        self._server: HttpServer

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        gateway = await Gateway.open(Setup(file=self._file, seed=1))
        try:
            self._server = HttpServer(gateway.control, bind("127.0.0.1", 0))
            self.url = self._server.url
            serving = asyncio.create_task(self._server.run_until_stopped())
            await self._server.ready.wait()
            self._ready.set()
            await serving
        finally:
            await gateway.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, write_project: Any) -> Iterator[Served]:  # noqa: ANN401
    """One server for all of them: whatever was done to its state, the next answers are right."""
    with Served(write_project(tmp_path_factory.mktemp("fuzzed"))) as server:
        yield server


@schemathesis.serializer("application/zip")
def _zip(_context: Any, value: Any) -> bytes:  # noqa: ANN401
    """Bytes that claim to be a zip."""
    return value if isinstance(value, bytes) else str(value).encode()


DOCUMENT: Any = json.loads(json.dumps(openapi(EVERY)))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT).exclude(operation_id=["events", "record"])
"""All but the streams, which do not end."""

# A value that the law refuses is not always one that the document could refuse, so whether a
# request that fits the document is accepted is not asked here.
UNASKED = ("positive_data_acceptance", "missing_required_header", "use_after_free")


@pytest.mark.sockets
@SCHEMA.parametrize()
@settings(
    max_examples=30,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_the_document_is_kept(case: Any, served: Served) -> None:  # noqa: ANN401
    """No failure of the server, no status, type or form that is not documented."""
    if case.query:
        case.query.pop("wait", None)  # nobody has the time
    excluded = [CHECKS.get_one(name) for name in UNASKED]
    case.call_and_validate(base_url=served.url, excluded_checks=excluded)
