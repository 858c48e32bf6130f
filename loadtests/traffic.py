"""What an access log asks for, as requests that every version of the example can answer; pure.

A line becomes a request by what it says and by nothing else, so that the same log is the same
traffic in every process and in every run.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from zlib import crc32

from gateway.traffic.access_log import read_access_log
from gateway.traffic.recording import Recorded
from gateway.traffic.skipping import Skipped
from gateway.traffic.wire import FRAMING, header_value

BOB: Final = "Bob"
"""The name of the one user that a rule singles out; the busiest user of a log bears it."""

OTHERS: Final = "others"
"""Everybody else."""

ORDERS: Final = 100
"""Orders 1 to 100 exist in every version of the example."""

_ITEMS: Final = ("tea", "cup", "kettle")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_NOT_SENT: Final = FRAMING | {"host"}


class Step(NamedTuple):
    """One request, but for the stage it goes to.

    Attributes:
        who: `BOB` or `OTHERS`.
        method: The HTTP method.
        path: The path behind the stage, with the query.
        name: The path as the API declares it, under which statistics are kept.
        headers: The headers, `User` among them.
        body: The body, if there is one.
        user: Who asks, by name.
    """

    who: str
    method: str
    path: str
    name: str
    headers: Mapping[str, str]
    body: str | bytes | None
    user: str = ""


@dataclass(frozen=True, slots=True)
class Log:
    """The usable lines of an access log, in order, and what was left out.

    Attributes:
        entries: The usable lines.
        malformed: How many lines could not be used.
        reasons: Why, one sentence for each reason.
    """

    entries: tuple[Recorded, ...]
    malformed: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def complaint(self) -> str | None:
        """What was left out, in one sentence; `None` if nothing was."""
        if not self.malformed:
            return None
        lines = self.malformed + len(self.entries)
        verb = "is" if self.malformed == 1 else "are"
        why = "; ".join(self.reasons)
        return f"{self.malformed:,} of {lines:,} lines {verb} left out: {why}"


def parse(lines: Iterable[bytes], file: str = "-") -> Log:
    """Read lines in common or combined format; empty ones do not count as lines.

    Raises:
        Unreadable: The file is damaged.
    """
    skipped = Skipped(file)
    entries = tuple(read_access_log(lines, file, skipped))
    return Log(entries, skipped.total, tuple(skipped.sentences()))


def busiest(entries: Iterable[Recorded]) -> str:
    """The user with the most lines; of several, the one that came first."""
    return Counter(entry.user or "" for entry in entries).most_common(1)[0][0]


def steps(log: Log) -> tuple[Step, ...]:
    """Every line as a request to the example's APIs.

    A target that ends in `/` is a list and becomes `GET /orders`; any other becomes
    `GET /orders/{id}` with an id that the target's path determines. What carries a body in the log
    places an order. `HEAD` and the rest become `GET`, because the example answers nothing else.

    Raises:
        ValueError: No line is usable.
    """
    if not log.entries:
        raise ValueError("no line of it is in common or combined format")
    bob = busiest(log.entries)
    return tuple(_step(entry, bob) for entry in log.entries)


def _step(entry: Recorded, bob: str) -> Step:
    who = BOB if entry.user == bob else OTHERS
    user = BOB if who == BOB else header_value(entry.user or "")
    headers = {"User": user}
    code = crc32(entry.path.encode())
    if entry.method in _WITH_BODY:
        wish = {"item": _ITEMS[code % len(_ITEMS)], "quantity": code % 12 + 1}
        headers["Content-Type"] = "application/json"
        return Step(who, "POST", "/orders", "/orders", headers, json.dumps(wish), user)
    if entry.path.endswith("/"):
        return Step(who, "GET", "/orders", "/orders", headers, None, user)
    return Step(who, "GET", f"/orders/{code % ORDERS + 1}", "/orders/{id}", headers, None, user)


def as_recorded(entry: Recorded) -> Step:
    """A recorded request, as it was but for the stage; whoever sends `User: Bob` is Bob."""
    headers: dict[str, str] = {}
    for name, value in entry.headers:
        if name.lower() not in _NOT_SENT:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    named = next((value for name, value in headers.items() if name.lower() == "user"), "")
    path = entry.path + (f"?{entry.query}" if entry.query else "")
    who = BOB if named == BOB else OTHERS
    name, user = "/(recording)", entry.user or named
    return Step(who, entry.method, path, name, headers, entry.body or None, user)
