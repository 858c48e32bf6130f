"""The event that a function sees, in the cloud's shape (CONTRACT 5.3).

Where the cloud is silent: `path` is percent-encoded as it travelled, path parameters are decoded,
a repeated query parameter shows its last value, and a body that is no UTF-8 comes as Base64.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from gateway.core.snapshot import Api, FunctionBackend, Stage
from gateway.dataplane.asgi import Scope
from gateway.dataplane.request import HttpRequest

Event = dict[str, Any]
EventBuilder = Callable[[HttpRequest, Scope], Event]


def event_builder(service: str, stage: Stage, api: Api, backend: FunctionBackend) -> EventBuilder:
    """Everything that is the same in each event of one API, prepared once.

    Returns:
        `build(request, scope)`, which gives a fresh event each
        time; handlers may alter theirs.
    """
    pattern, api_method, stage_name = api.path.text, api.method, stage.name
    qualifier = backend.qualifier
    variables = dict(stage.variables)
    put_body = _put_encoded if api.features.base64 else _put_body

    def build(request: HttpRequest, scope: Scope) -> Event:
        headers = request.headers
        client = scope["client"]
        headers["x-api-requestid"] = headers["x-b3-traceid"] = request.id
        headers["x-api-scheme"] = "http"
        headers["x-qualifier"] = qualifier
        headers["requestsource"] = "APIGW"
        event: Event = {
            "requestContext": {
                "serviceId": service,
                "path": pattern,
                "httpMethod": api_method,
                "identity": {},
                "sourceIp": client[0] if client else "",
                "stage": stage_name,
            },
            "headers": headers,
            "pathParameters": dict(request.parameters),
            "queryString": request.queries(),
            "queryStringParameters": {},
            "headerParameters": {},
            "path": request.path,
            "httpMethod": scope["method"],
            "isBase64Encoded": False,
        }
        if variables:
            event["stageVariables"] = dict(variables)
        if request.body:
            put_body(event, request.body)
        return event

    told = _with_declared(build) if api.features.parameters else build
    return _with_key(told) if api.features.auth == "key" else told


def _with_key(build: EventBuilder) -> EventBuilder:
    """Tell whose key signed the request."""

    def telling(request: HttpRequest, scope: Scope) -> Event:
        event = build(request, scope)
        event["requestContext"]["identity"] = {"secretId": request.holder.key}
        return event

    return telling


def _with_declared(build: EventBuilder) -> EventBuilder:
    """Tell the declared parameters too; those of a path are declared by the path itself."""

    def telling(request: HttpRequest, scope: Scope) -> Event:
        event = build(request, scope)
        event["queryStringParameters"] = dict(request.declared.queries)
        event["headerParameters"] = dict(request.declared.headers)
        return event

    return telling


def _put_body(event: Event, body: bytes) -> None:
    try:
        event["body"] = body.decode()
    except UnicodeDecodeError:
        _put_encoded(event, body)


def _put_encoded(event: Event, body: bytes) -> None:
    event["body"] = b64encode(body).decode("ascii")
    event["isBase64Encoded"] = True
