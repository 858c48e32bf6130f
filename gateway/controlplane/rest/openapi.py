"""The OpenAPI document, made from the table of operations and the models that it names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway import __version__
from gateway.controlplane.rest.accounts import Problem
from gateway.controlplane.rest.operation import EVENTS, Asked, Operation, Reply, Run
from gateway.controlplane.rest.resource import MAX_CLAIM

Table = Mapping[str, Any]

_REF: Final = "#/components/schemas/{model}"

_NAMES: Final = {
    "f": ("A function.", "orders"),
    "a": ("An alias; `$DEFAULT` always exists.", "release"),
    "v": ("A published number, or `$LATEST`.", "1"),
    "i": ("The request id of an invocation.", "0f" * 16),
    "s": ("A stage, by any name that reaches it.", "prepub"),
}

_WHY: Final = {
    400: "Malformed: JSON, a header or a query parameter.",
    401: "The token is missing or another one.",
    403: "The request comes from a page of another site.",
    404: "What the URL names does not exist.",
    409: "It is in use, or cannot be done in the present state.",
    412: "The state is at another revision than `If-Match` says.",
    413: "The body is too large.",
    415: "The body has another media type.",
    421: "The request is for another host.",
    422: "The body, or what it asks for, breaks a rule.",
    500: "Something unexpected; the log has the rest.",
    503: "The state cannot be read or written.",
}

_ABOUT: Final = (
    "What can be asked of a running gateway. Every read and every write answers with "
    '`ETag: "<revision>"`; every write accepts it as `If-Match`. Failures are RFC 9457 problems '
    "with a stable `code`."
)

_ETAG: Final = {
    "description": "The revision.",
    "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
}


def _header(name: str, description: str, **schema: object) -> Table:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


_IF_MATCH: Final = _header("If-Match", "The revision to apply to.", pattern=r'^(\*|"[0-9]{1,18}")$')
_ACTOR: Final = _header("X-Gateway-Actor", "Who asks, for the audit log.", maxLength=MAX_CLAIM)
_NEWEST: Final = _header(
    "Cache-Control", "`no-cache` waits for whatever is acknowledged, by any node."
)
_LAST_EVENT: Final = _header("Last-Event-ID", "The last event seen.", pattern=r"^[0-9]{1,18}$")


def describing(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The same operations and the one that answers with the document about all of them."""
    document: dict[str, object] = {}

    async def tell(asked: Asked) -> Reply:
        if not document:  # it takes as long as a good part of the start, and few ask for it
            document.update(await asyncio.to_thread(openapi, every))
        return Reply(document, asked.snapshot.revision)

    every = (*operations, _own(tell))
    return every


def openapi(operations: Iterable[Operation]) -> dict[str, object]:
    """The document (OpenAPI 3.1)."""
    every = list(operations)
    schemas = _schemas(every)
    paths: dict[str, dict[str, object]] = {}
    for operation in every:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gateway control plane", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Either way: the token counts only where the gateway was started with one.
        "security": [{}, {"token": []}],
    }


def _own(tell: Run) -> Operation:
    return Operation(
        id="openapi",
        method="GET",
        path="/api/openapi.json",
        summary="This document",
        run=tell,
        answer="application/json",
    )


def _schemas(operations: list[Operation]) -> dict[str, object]:
    taken = [operation.body for operation in operations if operation.body]
    given = [operation.answer for operation in operations if not isinstance(operation.answer, str)]
    given += [operation.accepted for operation in operations if operation.accepted]
    given.append(Problem)
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    models += [(model, "validation") for model in dict.fromkeys(taken)]
    models += [(model, "serialization") for model in dict.fromkeys(given)]
    _, document = models_json_schema(models, ref_template=_REF)
    return dict(document["$defs"])


def _described(operation: Operation) -> dict[str, object]:
    found: dict[str, object] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": {str(status): _response(operation, status) for status in operation.statuses()},
    }
    parameters = [*_path_parameters(operation), *_query_parameters(operation)]
    if operation.alters:
        parameters += (_IF_MATCH, _ACTOR)
    if operation.reads:
        parameters.append(_NEWEST)
    if operation.answer == EVENTS:
        parameters.append(_LAST_EVENT)
    if parameters:
        found["parameters"] = parameters
    body = _body(operation)
    if body:
        found["requestBody"] = body
    if not operation.path.startswith("/api/"):
        found["security"] = [{}]
    return found


def _path_parameters(operation: Operation) -> list[Table]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _NAMES[name][0],
            "schema": {"type": "string", "minLength": 1, "examples": [_NAMES[name][1]]},
        }
        for name in re.findall(r"{(\w)}", operation.path)
    ]


def _query_parameters(operation: Operation) -> list[Table]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema()
    needed = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _without_null(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is no `null` in a query."""
    choices = [choice for choice in field.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) != 1:
        return field
    rest = {key: value for key, value in field.items() if key not in {"anyOf", "default"}}
    return {**choices[0], **rest}


def _body(operation: Operation) -> Table | None:
    if operation.uploads:
        files = {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}
        zipped = {"type": "string", "format": "binary"}
        schemas = {m: files if m.startswith("multipart/") else zipped for m in operation.media}
        content = {media: {"schema": schema} for media, schema in schemas.items()}
        return {"required": True, "content": content}
    if operation.body is None:
        return None
    schema = {"$ref": _REF.format(model=operation.body.__name__)}
    return {
        "required": not operation.optional,
        "content": {"application/json": {"schema": schema}},
    }


def _response(operation: Operation, status: int) -> Table:
    if status >= 400:
        schema = {"$ref": _REF.format(model=Problem.__name__)}
        return {
            "description": _WHY[status],
            "content": {"application/problem+json": {"schema": schema}},
        }
    answer = operation.accepted if operation.accepted and status == 202 else operation.answer
    if isinstance(answer, str):
        media = f"{answer}; charset=utf-8" if answer.startswith("text/plain") else answer
        content = {media: {"schema": {"type": "object"} if answer.endswith("json") else {}}}
    else:
        ref = {"$ref": _REF.format(model=answer.__name__)}
        content = {"application/json": {"schema": ref}}
    found: dict[str, object] = {"description": HTTPStatus(status).phrase, "content": content}
    if operation.path.startswith("/api/") and answer != EVENTS:
        found["headers"] = {"ETag": _ETAG}
    return found
