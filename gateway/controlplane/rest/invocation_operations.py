"""The table, its rows about invocations: waited for, or accepted, looked at and aborted."""

from __future__ import annotations

from typing import Final

from gateway.controlplane.rest import bodies, invocations, invoked
from gateway.controlplane.rest.operation import Operation

_F: Final = "/api/functions/{f}"
_I: Final = _F + "/invocations"

INVOCATION_OPERATIONS: Final = (
    Operation(
        id="invokeFunction",
        method="POST",
        path=_F + "/invoke",
        summary="Run a function once, by qualifier and routing key",
        run=invocations.invoke,
        answer=invoked.Invoked,
        body=bodies.InvokeBody,
        optional=True,
        asks=True,
        accepted=invoked.Accepted,
        limit=invocations.MAX_BODY,
        errors=(409, 503),
    ),
    Operation(
        id="listInvocations",
        method="GET",
        path=_I,
        summary="Asynchronous invocations of a function, newest first",
        run=invocations.list_invocations,
        answer=invoked.Invocations,
        query=bodies.InvocationsQuery,
        errors=(503,),
    ),
    Operation(
        id="getInvocation",
        method="GET",
        path=_I + "/{i}",
        summary="What has become of an asynchronous invocation",
        run=invocations.get_invocation,
        answer=invoked.Invocation,
        errors=(503,),
    ),
    Operation(
        id="abortInvocation",
        method="DELETE",
        path=_I + "/{i}",
        summary="Abort an asynchronous invocation that has not ended",
        run=invocations.abort_invocation,
        answer=invoked.Invocation,
        asks=True,
        errors=(409, 503),
    ),
)
"""Every operation about running a function."""
