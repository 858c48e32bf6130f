"""Asynchronous invocations in the cloud's words: looked at, listed and ended."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.asked import (
    NOTHING,
    Asked,
    Fields,
    function_named,
    ordered,
    page,
)
from gateway.controlplane.cloud.errors import NO_EVENT, fail
from gateway.controlplane.cloud.invoking import IN_BACKGROUND
from gateway.controlplane.cloud.requests import (
    AsyncEvent,
    FunctionAsyncEvent,
    Interval,
    ListAsyncEvents,
)
from gateway.store.invocations import KEPT_ROWS, UNENDED, Invocation, InvocationNotFound

_ALL: Final = KEPT_ROWS + UNENDED


async def get_event_status(asked: Asked) -> Fields:
    """What has become of an invocation, of whichever function."""
    wanted = asked.given(AsyncEvent).InvokeRequestId
    found = await _found(asked, wanted)
    if found is None:
        fail(NO_EVENT, f"there is no asynchronous invocation {wanted!r:.80}")
    ended = found.result if found.status != "RUNNING" else None
    code = ended["status"] if ended else 0
    told = {"Status": found.status, "StatusCode": code, "InvokeRequestId": found.request_id}
    return {"Result": told}


async def list_events(asked: Asked) -> Fields:
    """The invocations of a function, newest first unless another order is asked for."""
    given = asked.given(ListAsyncEvents)
    function_named(asked.snapshot, given.FunctionName)
    limits.EVENT_ORDER.check(given.Orderby)
    for status in given.Status:
        limits.EVENT_STATUS.check(status)
    known = await asked.control.asynchronous.listed(given.FunctionName, None, None, _ALL)
    told = [
        _plain(each) for each in known if not given.InvokeType or IN_BACKGROUND in given.InvokeType
    ]
    found = ordered(
        [each for each in told if _fits(each, given)],
        lambda each: (each[given.Orderby], each["InvokeRequestId"]),
        given.Order,
    )
    return {"EventList": page(found, given.Offset, given.Limit), "TotalCount": len(found)}


async def terminate_event(asked: Asked) -> Fields:
    """End an invocation that waits or runs."""
    given = asked.given(FunctionAsyncEvent)
    function_named(asked.snapshot, given.FunctionName)
    await asked.control.asynchronous.abort(given.FunctionName, given.InvokeRequestId)
    return NOTHING


async def _found(asked: Asked, request_id: str) -> Invocation | None:
    """The invocation of an id; the cloud's action does not name the function."""
    for function in asked.snapshot.functions:
        with suppress(InvocationNotFound):
            return await asked.control.asynchronous.get(function, request_id)
    return None


def _fits(event: Fields, given: ListAsyncEvents) -> bool:
    return (
        (not given.Status or event["Status"] in given.Status)
        and given.Qualifier in {None, event["Qualifier"]}
        and given.InvokeRequestId in {None, event["InvokeRequestId"]}
        and _inside(event["StartTime"], given.StartTimeInterval)
        and _inside(event["EndTime"], given.EndTimeInterval)
    )


def _inside(moment: str, interval: Interval | None) -> bool:
    """Moments are written so that their texts are in their order."""
    return interval is None or interval.Start <= moment < interval.End


def _plain(invocation: Invocation) -> Fields:
    return {
        "InvokeRequestId": invocation.request_id,
        "InvokeType": IN_BACKGROUND,
        "Qualifier": invocation.qualifier,
        "Status": invocation.status,
        "StartTime": _moment(invocation.at),
        "EndTime": _moment(invocation.ended_at),
    }


def _moment(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
