"""The invocation log as REST tells it: found by what one remembers of a request, or followed."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext, suppress
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
from gateway.store.logged import STATUSES, Entry, Wanted, parse_statuses

MAX_WAIT: Final = 30.0
"""Seconds that a reader may wait for something new."""


def _statuses(text: str) -> str:
    if text and parse_statuses(text) is None:
        refuse_value("bad-status", STATUSES)
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
    node: str = Field(description="The machine that answered; empty for an older entry.")
    process: str = Field(description="Its process that answered; empty for an older entry.")


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

    left_out: int = Field(description="Invocations that no process kept, since the start.")
    newest: int = Field(description="The number of the newest entry.")
    kept_seconds: float = Field(description="How long an entry is kept.")
    kept_entries: int = Field(description="How many are kept; 0 where no log is kept at all.")
    entries: list[LoggedSummary]


async def list_logged(asked: Asked) -> Reply:
    """What was answered."""
    query, logbook = asked.parsed(LogQuery), asked.control.logbook
    wanted = _wanted(query)
    asked.control.observer.settle()
    await logbook.flush()
    newest = await logbook.log.newest()  # first: whoever follows from there on misses nothing
    found = await _found(logbook, wanted, query)
    plain = {
        "left_out": asked.control.peers.left_out(),
        "newest": max(newest, *(entry.number for entry in found), 0),
        "kept_seconds": logbook.log.retention.seconds,
        "kept_entries": logbook.log.retention.entries,
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
    logbook = asked.control.logbook
    entry = await logbook.get(request_id)
    if entry is None:
        message = f"the invocation log has no request {request_id!r}"
        if not logbook.log.retention.entries:
            message += "; none is kept, as --log-entries is 0"
        raise rejected(404, "invocation-not-logged", message)
    return entry


async def _found(logbook: Logbook, wanted: Wanted, query: LogQuery) -> list[Entry]:
    """What there is, or what comes within the time that the reader waits."""
    waits = query.wait if query.after is not None else 0
    found: list[Entry] = []
    with suppress(TimeoutError), logbook.following() if waits else nullcontext():
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
        status=parse_statuses(query.status),
        errors=query.errors,
        since=_seconds(query.since),
        until=_seconds(query.until),
        slower=query.slower,
        text=query.text,
        before=query.before,
        after=query.after,
    )


def _seconds(text: str) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def _plain(entry: Entry) -> dict[str, object]:
    plain = entry_plain(entry)
    plain["alias"] = plain.pop("qualifier")
    return {**plain, "at": moment(entry.at)}


def _summary(entry: Entry) -> dict[str, object]:
    plain = _plain(entry)
    return {name: plain[name] for name in LoggedSummary.model_fields}
