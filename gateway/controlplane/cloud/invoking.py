"""Invocations in the cloud's words: by qualifier and routing key, with its codes for outcomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import ceil
from typing import Final, NamedTuple, NoReturn

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.asked import Asked, Fields, function_named
from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.cloud.requests import Invoke, InvokeFunction
from gateway.controlplane.invoking import Invoked
from gateway.controlplane.problems import to_json
from gateway.controlplane.routing_key import parse_routing_key
from gateway.core.entries import Target
from gateway.runtime.outcome import LIMIT_REACHED, TIMED_OUT

IN_BACKGROUND: Final = "Event"
"""The type of an invocation that nobody waits for."""

_BAD_JSON: Final = "InvalidParameterValue.Param"
_NOTHING_YET: Final[Fields] = {
    "InvokeResult": 0,
    "RetMsg": "",
    "ErrMsg": "",
    "Log": "",
    "MemUsage": 0,
    "Duration": 0,
    "BillDuration": 0,
}


class _Call(NamedTuple):
    """An invocation, by whichever of the two actions it came."""

    target: Target
    event: object
    routing_key: dict[str, str]


class Told(NamedTuple):
    """What the cloud says of an outcome.

    Attributes:
        fault: 0 for none, 1 for one of the function, -1 for another one.
        returned: What the handler returned, or how it failed, as a text.
        error: How it failed; empty for a success.
    """

    fault: int
    returned: str
    error: str


async def invoke(asked: Asked) -> Fields:
    """An invocation with a ClientContext, whose end is waited for or not."""
    given = asked.given(Invoke)
    limits.INVOCATION_TYPE.check(given.InvocationType)
    limits.LOG_TYPE.check(given.LogType)
    in_background = given.InvocationType == IN_BACKGROUND
    size = limits.BACKGROUND_EVENT if in_background else limits.EVENT
    size.check(_size(given.ClientContext))
    target = Target(given.FunctionName, given.Qualifier)
    call = _call(asked, target, given.ClientContext, given.RoutingKey)
    if not in_background:
        return await _run(asked, call, given.LogType)
    accepted = await asked.control.asynchronous.submit(call.target, call.routing_key, call.event)
    return {"Result": {**_NOTHING_YET, "FunctionRequestId": accepted.request_id}}


async def invoke_function(asked: Asked) -> Fields:
    """An invocation with an Event; its end is waited for."""
    given = asked.given(InvokeFunction)
    limits.LOG_TYPE.check(given.LogType)
    limits.EVENT.check(_size(given.Event))
    target = Target(given.FunctionName, given.Qualifier)
    return await _run(asked, _call(asked, target, given.Event, given.RoutingKey), given.LogType)


def result_plain(invoked: Invoked, log_type: str) -> Fields:
    """What came of an invocation.

    Args:
        invoked: The invocation.
        log_type: `Tail` for the end of its log.
    """
    milliseconds = invoked.seconds * 1000
    told = told_of(invoked.status, invoked.value, invoked.error)
    return {
        "InvokeResult": told.fault,
        "RetMsg": told.returned,
        "ErrMsg": told.error,
        "Log": invoked.log if log_type == "Tail" else "",
        "MemUsage": invoked.memory,
        "Duration": round(milliseconds, 3),
        "BillDuration": ceil(milliseconds),
        "FunctionRequestId": invoked.request_id,
    }


def _call(asked: Asked, target: Target, event: str, routing_key: str) -> _Call:
    function_named(asked.snapshot, target.function)
    limits.ROUTING_KEY.check(_size(routing_key))
    key = parse_routing_key(routing_key) if routing_key else {}
    return _Call(target, _read_event(event), key)


async def _run(asked: Asked, call: _Call, log_type: str) -> Fields:
    invoked = await asked.control.invoke(call.target, call.routing_key, call.event)
    return {"Result": result_plain(invoked, log_type)}


def told_of(status: int, value: object, error: Mapping[str, object] | None) -> Told:
    """An outcome in the cloud's words.

    Args:
        status: 200, or the function status code of a failure.
        value: What the handler returned.
        error: What failed; `None` for a success.
    """
    if error is None:
        return Told(0, value if isinstance(value, str) else to_json(value).decode(), "")
    if status == TIMED_OUT:
        return Told(1, "", str(error["errorMessage"]))
    said = to_json(error).decode()
    return Told(-1 if status == LIMIT_REACHED else 1, said, said)


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


def _read_event(text: str) -> object:
    """An event, which is JSON in a text; nothing at all is an empty object."""
    if not text:
        return {}
    try:
        return json.loads(text, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        fail(_BAD_JSON, f"the event is not JSON: {error}")


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
