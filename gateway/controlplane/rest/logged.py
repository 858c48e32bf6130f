"""The invocation log as REST tells it: found by what one remembers of a request, or followed."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from gateway.controlplane.entries import entry_plain
from gateway.controlplane.history import moment
from gateway.controlplane.logbook import Logbook
from gateway.controlplane.problems import rejected
from gateway.controlplane.rest.answers import Answer
from gateway.controlplane.rest.bodies import Limit, Query, refuse_value
from gateway.controlplane.rest.operation import Asked, Reply
from gateway.store.logged import Entry, Wanted

MAX_WAIT: Final = 30.0
"""Seconds that a reader may wait for something new."""

_STATUS: Final = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?")


def _statuses(text: str) -> str:
    if text and _STATUS.fullmatch(text) is None:
        refuse_value(
            "bad-status", "a status such as 200, a range such as 430-499, a class such as 5xx"
        )
    return text


def _time(text: str) -> str:
    if text:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            refuse_value("bad-time", "a time in ISO 8601, such as 2025-01-31T12:00:00Z")
    return text


Time = Annotated[str, AfterValidator(_time)]


class LogQuery(Query):
    """Which entries of the invocation log, newest first."""

    stage: str = ""
    function: str = ""
    alias: str = Field("", description="The qualifier that was named.")
    version: str = ""
    reason: str = ""
    status: Annotated[str, AfterValidator(_statuses)] = Field("", examples=["5xx", "430-499"])
    errors: bool = Field(default=False, description="Only errors.")
    since: Time = ""
    until: Time = ""
    slower: float | None = Field(None, ge=0, description="At least so many seconds.")
    text: str = Field("", max_length=200, description="In path, body, output or error.")
    before: int | None = Field(None, ge=1, description="Only entries with a smaller number.")
    after: int | None = Field(
        None, ge=0, description="Only entries with a greater number, oldest first."
    )
    wait: float = Field(
        0, ge=0, le=MAX_WAIT, description="With `after`: seconds to wait for something new."
    )
    limit: Limit = 100


class LoggedSummary(Answer):
    """One executed request at a glance."""

    number: int
    request_id: str
    at: str
    source: str
    stage: str
    function: str
    alias: str
    version: str
    reason: str
    revision: int
    status: int
    kind: str = Field(description="The kind of error; empty for none.")
    seconds: float
    method: str
    path: str
    output: str


class Logged(LoggedSummary):
    """One executed request with everything that is kept of it."""

    headers: dict[str, str]
    body: str
    body_cut: bool
    duration: float
    memory: int
    error: dict[str, Any] | None


class Log(Answer):
    """Entries of the invocation log."""

    left_out: int = Field(description="Invocations that were not kept since the start.")
    newest: int = Field(description="The number of the newest entry.")
    entries: list[LoggedSummary]


async def list_logged(asked: Asked) -> Reply:
    """What was answered."""
    query, logbook = asked.parsed(LogQuery), asked.control.logbook
    wanted = _wanted(query)
    asked.control.observer.settle()
    found = await _found(logbook, wanted, query)
    plain = {
        "left_out": logbook.left_out,
        "newest": await logbook.log.newest(),
        "entries": [_summary(entry) for entry in found],
    }
    return Reply(plain, asked.snapshot.revision)


async def get_logged(asked: Asked) -> Reply:
    """Everything that is kept of one request."""
    return Reply(_plain(await entry_named(asked)), asked.snapshot.revision)


async def entry_named(asked: Asked) -> Entry:
    """The entry that the URL names.

    Raises:
        Rejected: There is none.
    """
    request_id = asked.names["i"]
    asked.control.observer.settle()
    entry = await asked.control.logbook.get(request_id)
    if entry is None:
        message = f"the invocation log has no request {request_id!r}"
        raise rejected(404, "invocation-not-logged", message)
    return entry


async def _found(logbook: Logbook, wanted: Wanted, query: LogQuery) -> list[Entry]:
    """What there is, or what comes within the time that the reader waits."""
    waits = query.wait if query.after is not None else 0
    found: list[Entry] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(waits or None):
            while True:
                news = logbook.news
                found = await logbook.find(wanted, query.limit)
                if found or not waits:
                    break
                await news.wait()
    return found


def _wanted(query: LogQuery) -> Wanted:
    return Wanted(
        stage=query.stage,
        function=query.function,
        qualifier=query.alias,
        version=query.version,
        reason=query.reason,
        status=_range(query.status),
        errors=query.errors,
        since=_seconds(query.since),
        until=_seconds(query.until),
        slower=query.slower,
        text=query.text,
        before=query.before,
        after=query.after,
    )


def _range(text: str) -> tuple[int, int] | None:
    match = _STATUS.fullmatch(text)
    if match is None:
        return None
    if match[1]:
        return int(match[1]) * 100, int(match[1]) * 100 + 99
    return int(match[2]), int(match[3] or match[2])


def _seconds(text: str) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def _plain(entry: Entry) -> dict[str, object]:
    plain = entry_plain(entry)
    plain["alias"] = plain.pop("qualifier")
    return {**plain, "at": moment(entry.at)}


def _summary(entry: Entry) -> dict[str, object]:
    plain = _plain(entry)
    return {name: plain[name] for name in LoggedSummary.model_fields}
