"""Every invocation that is remembered, wherever it is: told as one kind of value.

What was waited for is in memory, what was not is in the table of the background, and requests
over HTTP are in the invocation log. An id is told once.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from gateway.controlplane.cloud.asked import Asked, function_named
from gateway.controlplane.limits import tail
from gateway.core import names
from gateway.core.snapshot import Function
from gateway.runtime.log import log_text
from gateway.runtime.outcome import OK, Outcome
from gateway.store.invocations import KEPT_ROWS, UNENDED, Invocation, InvocationNotFound
from gateway.store.logged import Entry, Wanted

MOST: Final = 10_000
"""Requests over HTTP that are looked at, the newest ones: the cloud tells of no more."""


async def remembered(asked: Asked, name: str, request_id: str) -> list[Invocation]:
    """Invocations of a function.

    Args:
        asked: Who asks.
        name: The function's name.
        request_id: The id of one; empty for every invocation.

    Raises:
        CloudError: There is no such function.
    """
    function = function_named(asked.snapshot, name)
    waited = await asked.control.recent.listed(name)
    known = [each for each in waited if request_id in {"", each.request_id}]
    known += await _unwaited(asked, name, request_id)
    ids = {each.request_id for each in known}
    entries = await _entries(asked, name, request_id)
    return known + [of_entry(e, function) for e in entries if e.request_id not in ids]


def of_entry(entry: Entry, function: Function) -> Invocation:
    """An entry of the invocation log as an invocation; what it returned is not kept.

    Args:
        entry: The entry.
        function: Its function; the version that ran may be gone.
    """
    error = None if entry.error is None else dict(entry.error)
    status = OK if error is None else int(error.get("statusCode", entry.status))
    outcome = Outcome(status, None, error, entry.output, entry.duration, entry.memory)
    version = function.versions.get(entry.version, function.versions[names.LATEST])
    log = log_text(entry.request_id, outcome, version.configuration.memory)
    return Invocation(
        request_id=entry.request_id,
        function=entry.function,
        qualifier=entry.qualifier,
        routing_key=None,
        event=None,
        at=entry.at,
        status="FINISHED" if error is None else "FAILED",
        attempts=1,
        ended_at=entry.at + entry.seconds,
        result={
            "version": entry.version,
            "status": status,
            "value": None,
            "value_kept": error is not None,
            "error": error,
            "seconds": entry.duration,
            "memory": entry.memory,
            "log": tail(log),
        },
    )


async def _unwaited(asked: Asked, name: str, request_id: str) -> list[Invocation]:
    table = asked.control.asynchronous
    if not request_id:
        return await table.listed(name, None, None, KEPT_ROWS + UNENDED)
    with suppress(InvocationNotFound):
        return [await table.get(name, request_id)]
    return []


async def _entries(asked: Asked, name: str, request_id: str) -> list[Entry]:
    asked.control.observer.settle()
    logbook = asked.control.logbook
    if not request_id:
        return await logbook.find(Wanted(function=name), MOST)
    entry = await logbook.get(request_id)
    return [entry] if entry is not None and entry.function == name else []
