"""What an access log asks for, as requests that every version of the example can answer; pure.

A line becomes a request by what it says and by nothing else, so that the same log is the same
traffic in every process and in every run.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

BOB: Final = "Bob"
"""The name of the one user that a rule singles out; the busiest client address bears it."""

OTHERS: Final = "others"
"""Everybody else."""

ORDERS: Final = 100
"""Orders 1 to 100 exist in every version of the example."""

NAMED: Final = 5
"""Malformed lines whose numbers are told."""

_ITEMS: Final = ("tea", "cup", "kettle")
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_LINE: Final = re.compile(
    r"(?P<client>[0-9A-Za-z.:_-]+) [^\[]*\[[^\]]*\] "
    r'"(?P<method>[A-Z]+) (?P<target>[^\s"]+)(?: HTTP/[0-9.]+)?" [1-5][0-9]{2} (?:[0-9]+|-)(?:\s|$)'
)


class Entry(NamedTuple):
    """What one line of the log says.

    Attributes:
        client: The client address.
        method: The HTTP method.
        target: The request target, with its query.
    """

    client: str
    method: str
    target: str


class Step(NamedTuple):
    """One request, but for the stage it goes to.

    Attributes:
        who: `BOB` or `OTHERS`.
        method: The HTTP method.
        path: The path behind the stage.
        name: The path as the API declares it, under which statistics are kept.
        headers: The headers, `User` among them.
        body: The body, if there is one.
    """

    who: str
    method: str
    path: str
    name: str
    headers: Mapping[str, str]
    body: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """The usable lines of an access log, in order, and what was left out.

    Attributes:
        entries: The usable lines.
        malformed: How many lines could not be read.
        numbers: The first few of their line numbers.
    """

    entries: tuple[Entry, ...]
    malformed: int
    numbers: tuple[int, ...]

    @property
    def complaint(self) -> str | None:
        """What was left out, in one sentence; `None` if nothing was."""
        if not self.malformed:
            return None
        lines = self.malformed + len(self.entries)
        some = ", ".join(map(str, self.numbers)) + (", ..." if self.malformed > NAMED else "")
        verb = "is" if self.malformed == 1 else "are"
        return f"{self.malformed:,} of {lines:,} lines {verb} malformed and left out: line {some}"


def parse(lines: Iterable[str]) -> Log:
    """Read lines in common or combined format; empty ones do not count as lines."""
    entries, malformed = [], []
    for number, line in enumerate(lines, start=1):
        match = _LINE.match(line)
        if match:
            entries.append(Entry(*match.group("client", "method", "target")))
        elif line.strip():
            malformed.append(number)
    return Log(tuple(entries), len(malformed), tuple(malformed[:NAMED]))


def busiest(entries: Iterable[Entry]) -> str:
    """The client address with the most lines; of several, the one that came first."""
    return Counter(entry.client for entry in entries).most_common(1)[0][0]


def steps(log: Log) -> tuple[Step, ...]:
    """Every line as a request to the example's APIs.

    A target that ends in `/` is a list and becomes `GET /orders`; any other becomes
    `GET /orders/{id}` with an id that the target's path determines. What carries a body in the log
    places an order. `HEAD` and the rest become `GET`, because the example answers nothing else.

    Raises:
        ValueError: No line is usable.
    """
    if not log.entries:
        raise ValueError("no line of the access log is in common or combined format")
    bob = busiest(log.entries)
    return tuple(_step(entry, bob) for entry in log.entries)


def _step(entry: Entry, bob: str) -> Step:
    who = BOB if entry.client == bob else OTHERS
    headers = {"User": BOB if who == BOB else entry.client}
    path = _path(entry.target)
    code = crc32(path.encode())
    if entry.method in _WITH_BODY:
        wish = {"item": _ITEMS[code % len(_ITEMS)], "quantity": code % 12 + 1}
        headers["Content-Type"] = "application/json"
        return Step(who, "POST", "/orders", "/orders", headers, json.dumps(wish))
    if path.endswith("/"):
        return Step(who, "GET", "/orders", "/orders", headers, None)
    return Step(who, "GET", f"/orders/{code % ORDERS + 1}", "/orders/{id}", headers, None)


def _path(target: str) -> str:
    """The path of a target, which proxies log as a whole URL."""
    if target.startswith("/"):
        return target.partition("?")[0]
    try:
        return urlsplit(target).path or "/"
    except ValueError:  # a broken IPv6 address, for example
        return target
