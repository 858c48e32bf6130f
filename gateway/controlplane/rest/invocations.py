"""Invocations: run and answered, or accepted, looked at and aborted."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from gateway.controlplane.history import moment
from gateway.controlplane.invoking import Invoked
from gateway.controlplane.limits import MAX_EVENT
from gateway.controlplane.rest.bodies import InvocationsQuery, InvokeBody
from gateway.controlplane.rest.naming import function_named
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.controlplane.routing_key import routing_key_of
from gateway.core import names
from gateway.core.entries import Target
from gateway.core.errors import Problem, Refused, listed, nearest
from gateway.core.snapshot import Function
from gateway.store.invocations import Invocation

MAX_BODY: Final = 2 * MAX_EVENT + (64 << 10)
"""Bytes of a body with an event: JSON may spell what counts as three bytes with six."""


async def invoke(asked: Asked) -> Reply:
    """Run a function once, now or later."""
    name, body = asked.names["f"], asked.parsed(InvokeBody)
    _check_qualifier(function_named(asked.snapshot, name), body.qualifier)
    target = Target(name, body.qualifier)
    routing_key = routing_key_of(body.routing_key, asked.sent)
    if body.type == "event":
        accepted = await asked.control.asynchronous.submit(target, routing_key, body.event)
        plain = {"request_id": accepted.request_id, "status": accepted.status}
        return Reply(plain, asked.snapshot.revision, status=202)
    found = await asked.control.invoke(target, routing_key, body.event)
    return Reply(_invoked_plain(found, log=body.log == "tail"), found.revision)


async def list_invocations(asked: Asked) -> Reply:
    """Asynchronous invocations of a function."""
    query = asked.parsed(InvocationsQuery)
    found = await asked.control.asynchronous.listed(
        asked.names["f"], query.status, query.before, query.limit
    )
    return Reply({"invocations": [_summary(each) for each in found]}, asked.snapshot.revision)


async def get_invocation(asked: Asked) -> Reply:
    """What has become of one."""
    found = await asked.control.asynchronous.get(asked.names["f"], asked.names["i"])
    return Reply(_plain(found), asked.snapshot.revision)


async def abort_invocation(asked: Asked) -> Reply:
    """Abort one that has not ended."""
    found = await asked.control.asynchronous.abort(asked.names["f"], asked.names["i"])
    return Reply(_plain(found), asked.snapshot.revision)


def _check_qualifier(function: Function, qualifier: str) -> None:
    known = [*function.aliases, *sorted(function.versions, key=names.version_order)]
    if qualifier not in known:
        message = f"function {function.name!r} has no version and no alias {qualifier!r}"
        hint = nearest(qualifier, known)
        message = f"{message}; it has {listed(known)}"
        raise Refused([Problem("unknown-qualifier", message, ("qualifier",), hint)])


def _invoked_plain(found: Invoked, *, log: bool) -> dict[str, object]:
    plain = {field.name: getattr(found, field.name) for field in fields(found)}
    del plain["memory"], plain["output"]
    return {**plain, "log": found.log if log else None}


def _summary(found: Invocation) -> dict[str, object]:
    return {
        "request_id": found.request_id,
        "function": found.function,
        "qualifier": found.qualifier,
        "status": found.status,
        "at": moment(found.at),
        "attempts": found.attempts,
        "retry_at": None if found.retry_at is None else moment(found.retry_at),
        "ended_at": None if found.ended_at is None else moment(found.ended_at),
    }


def _plain(found: Invocation) -> dict[str, object]:
    return {**_summary(found), "routing_key": found.routing_key, "result": found.result}
