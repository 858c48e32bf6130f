"""What invocations have said and what became of them, in the cloud's words.

Those that were waited for, those in the background and requests over HTTP are told alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final, Self

from gateway.controlplane.cloud import limits
from gateway.controlplane.cloud.asked import Asked, Fields, page
from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.cloud.invoking import told_of
from gateway.controlplane.cloud.log_requests import GetFunctionLogs, GetRequestStatus
from gateway.controlplane.cloud.remembered import remembered
from gateway.runtime.outcome import LIMIT_REACHED, MEMORY_EXCEEDED, TIMED_OUT, USER_EXCEPTION
from gateway.store.invocations import Invocation

_RECENTLY: Final = 15 * 60.0
_MB: Final = 2**20
_WRONG_SPAN: Final = ("InvalidParameterValue.StartTimeOrEndTime",)
_RUNNING, _ABORTED = 2, 3  # beside 0 and the codes of failures
_OUTCOMES: Final[Mapping[str, Callable[[int], bool]]] = {
    "": lambda _code: True,
    "is0": lambda code: code == 0,
    "not0": lambda code: code not in {0, _RUNNING},
    "TimeLimitExceeded": lambda code: code == TIMED_OUT,
    "ResourceLimitExceeded": lambda code: code in {LIMIT_REACHED, MEMORY_EXCEEDED},
    "UserCodeException": lambda code: code == USER_EXCEPTION,
}
_KEYS: Final[Mapping[str, Callable[[Fields], Any]]] = {
    "function_name": lambda log: log["FunctionName"],
    "duration": lambda log: log["Duration"],
    "mem_usage": lambda log: log["MemUsage"],
    "start_time": lambda log: log["StartTime"],
}


@dataclass(frozen=True, slots=True)
class _Span:
    """A span of time, its ends included."""

    start: float
    end: float

    @classmethod
    def read(cls, start: str, end: str) -> Self:
        """The span that a request names; an end that it leaves out is far away.

        Raises:
            CloudError: One is no moment, or they are in the wrong order.
        """
        span = cls(_moment(start, 0.0), _moment(end, float("inf")))
        if span.end < span.start:
            fail(_WRONG_SPAN, f"EndTime {end!r} is before StartTime {start!r}; allowed: not before")
        return span

    def __contains__(self, at: float) -> bool:
        # Requests name whole seconds.
        return self.start <= int(at) <= self.end


async def get_logs(asked: Asked) -> Fields:
    """The logs of invocations, newest first unless another order is asked for."""
    given = asked.given(GetFunctionLogs)
    for limit, value in (
        (limits.LOG_END, given.Offset + given.Limit),
        (limits.LOG_ORDER, given.Order),
        (limits.LOG_ORDER_BY, given.OrderBy),
    ):
        limit.check(value)
    outcome = given.Filter.RetCode if given.Filter else ""
    limits.LOG_OUTCOME.check(outcome)
    span = _Span.read(given.StartTime, given.EndTime)
    if given.StartTime and given.EndTime:
        limits.LOG_SPAN.check(span.end - span.start)
    names = asked.snapshot.functions if given.FunctionName is None else (given.FunctionName,)
    known = [
        each for name in names for each in await remembered(asked, name, given.FunctionRequestId)
    ]
    wanted = [each for each in known if _fits(each, given.Qualifier) and each.at in span]
    logs = [_log_plain(each) for each in wanted]
    found = [log for log in logs if _OUTCOMES[outcome](log["RetCode"])]
    key = _KEYS[given.OrderBy]
    found.sort(key=lambda log: (key(log), log["StartTime"]), reverse=given.Order == "desc")
    context = {"Offset": "", "Limit": given.Limit, "Keyword": "", "Type": "Application"}
    shown = [_without_fractions(log) for log in page(found, given.Offset, given.Limit)]
    return {"TotalCount": len(found), "Data": shown, "SearchContext": context}


async def get_status(asked: Asked) -> Fields:
    """What has become of one invocation of the last 15 minutes, or of a span that is named."""
    given = asked.given(GetRequestStatus)
    if given.StartTime and not given.EndTime:
        fail(_WRONG_SPAN, "StartTime is there and EndTime is not; allowed: both, or EndTime alone")
    span = _Span.read(given.StartTime, given.EndTime)
    if not given.StartTime:
        span = _Span(asked.clock() - _RECENTLY, span.end)
    known = await remembered(asked, given.FunctionName, given.FunctionRequestId)
    found = [_status_plain(each) for each in known if each.at in span]
    return {"TotalCount": len(found), "Data": found}


def _fits(invocation: Invocation, qualifier: str) -> bool:
    """Whether an invocation asked for a qualifier, or ran that version."""
    version = (invocation.result or {}).get("version")
    return qualifier in {"", invocation.qualifier, version}


def _log_plain(invocation: Invocation) -> Fields:
    result = invocation.result or {}
    milliseconds = result.get("seconds", 0.0) * 1000
    running = invocation.status == "RUNNING"
    return {
        "FunctionName": invocation.function,
        "RetMsg": _returned(result),
        "RequestId": invocation.request_id,
        "StartTime": _text(invocation.at),
        "RetCode": _code(invocation),
        "InvokeFinished": 0 if running else 1,
        "Duration": round(milliseconds, 3),
        "BillDuration": ceil(milliseconds),
        "MemUsage": result.get("memory", 0),
        "Log": result.get("log", ""),
        "Level": "",
        "Source": "",
        "RetryNum": max(0, invocation.attempts - 1),
    }


def _status_plain(invocation: Invocation) -> Fields:
    log = _log_plain(invocation)
    code = {0: 0, _RUNNING: 1}.get(log["RetCode"], -1)
    kept = ("FunctionName", "RetMsg", "RequestId", "Duration", "RetryNum")
    return {
        **{name: log[name] for name in kept},
        "StartTime": log["StartTime"].partition(".")[0],
        "RetCode": code,
        "MemUsage": round(log["MemUsage"] / _MB, 3),
    }


def _without_fractions(log: Fields) -> Fields:
    return {**log, "StartTime": log["StartTime"].partition(".")[0]}


def _returned(result: Mapping[str, Any]) -> str:
    """What a handler returned, or how it failed; nothing where that is not kept, or not yet."""
    if not result.get("value_kept"):
        return ""
    return told_of(result["status"], result["value"], result["error"]).returned


def _code(invocation: Invocation) -> int:
    if invocation.status == "RUNNING":
        return _RUNNING
    if invocation.status == "ABORTED":
        return _ABORTED
    failed = invocation.status == "FAILED"
    return int((invocation.result or {})["status"]) if failed else 0


def _moment(text: str, absent: float) -> float:
    if not text:
        return absent
    try:
        return datetime.strptime(text, limits.MOMENT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        message = f"{text!r:.80} is no moment; allowed: such as '2025-01-31 12:30:00', in UTC"
        fail("InvalidParameterValue.DateTime", message)


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(f"{limits.MOMENT}.%f")
