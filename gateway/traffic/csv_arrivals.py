"""Arrival traces as CSV: when requests came, and whatever else the columns say of them.

A trace may have nothing but times; what each row asks for is then said once. Columns are found by
their names, or named for what they are.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.traffic.failures import Unreadable, suggestion
from gateway.traffic.instants import any_time
from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording import Answered, Headers, Origin, Recorded
from gateway.traffic.skipping import TOO_LONG, Skipped
from gateway.traffic.wire import NoTarget, bytewise, header, is_method, query_of, split_target

ROLES: Final = ("time", "gap", "method", "path", "query", "body", "user", "status", "seconds")
"""What a column can be, besides `header:NAME`."""

UNITS: Final[dict[str, float]] = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Units of times that are numbers."""

_HEADER: Final = "header:"
_NAMES: Final = {
    "time": ("time", "timestamp", "arrival", "arrival_time", "arrived_at", "at", "ts", "datetime"),
    "gap": ("gap", "interarrival", "inter_arrival", "iat"),
    "method": ("method", "verb"),
    "path": ("path", "uri", "url", "endpoint"),
    "query": ("query", "query_string"),
    "body": ("body", "payload"),
    "user": ("user", "user_id", "client", "customer"),
    "status": ("status", "status_code"),
    "seconds": ("seconds", "duration", "latency"),
}
_DELIMITERS: Final = ",;\t|"
_REQUEST: Final = re.compile(r"(?P<method>\S+) (?P<target>\S+)")


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a trace are.

    Attributes:
        named: Columns by role, where they are not found by their names.
        request: What a row asks for that does not say: `GET /orders/1`.
        unit: Seconds of one unit of times that are numbers.
    """

    named: Mapping[str, str] = field(default_factory=dict)
    request: str = "GET /"
    unit: float = 1.0

    def __post_init__(self) -> None:
        found = _REQUEST.fullmatch(self.request)
        if found is None or not is_method(found["method"]) or found["target"][0] != "/":
            message = f"{self.request!r} is no request; for example: 'GET /orders/1'"
            raise ValueError(message)
        for role in self.named:
            if role not in ROLES and not role.startswith(_HEADER):
                allowed = ", ".join((*ROLES, f"{_HEADER}NAME"))
                message = f"{role!r} is nothing that a column can be; allowed: {allowed}"
                raise ValueError(message + suggestion(role, ROLES))


def times_in(first: str) -> bool:
    """Whether a first line names columns, a time among them."""
    names = [name.strip().lower() for name in _split(first)]
    return len(names) >= 1 and bool({*_NAMES["time"], *_NAMES["gap"]} & set(names))


def read_csv(
    lines: Iterable[bytes], file: str, columns: Columns, skipped: Skipped
) -> Iterator[Recorded]:
    """The arrivals of a trace, at seconds since 1970, or since whatever its times count from.

    Args:
        lines: Its lines, as `open_lines` gives them.
        file: What to call it.
        columns: What its columns are.
        skipped: Counts the rows that are no arrivals.

    Raises:
        BadLine: Something was skipped, and that is not allowed.
        Unreadable: It has no column of times, or not those that were named.
    """
    numbered = _Numbered(lines, skipped)
    first = next(numbered, "")
    rows = csv.reader(numbered, delimiter=_delimiter(first))
    build = _builder(_split(first), file, columns)
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            skipped(numbered.number, "no row of CSV", str(error))
            continue
        if row is None:
            return
        request = build(row, Origin(file, numbered.number), skipped) if row else None
        if request is not None:
            yield request


class _Numbered:
    """Lines as text, without those that are too long, and the number of the last one."""

    def __init__(self, lines: Iterable[bytes], skipped: Skipped) -> None:
        self._lines = enumerate(lines, start=1)
        self._skipped = skipped
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for number, line in self._lines:
            self.number = number
            if len(line) <= MAX_LINE:
                return line.decode("utf-8-sig" if number == 1 else "utf-8", "replace") + "\n"
            self._skipped(number, TOO_LONG)
        raise StopIteration


Build = Callable[[list[str], Origin, Skipped], Recorded | None]


def _builder(names: list[str], file: str, columns: Columns) -> Build:
    places = _places(names, file, columns.named)
    method, target = columns.request.split(" ")
    reader = _Reader(places, columns.unit, Recorded(0.0, method, *split_target(target)[:2]))
    return reader.request


def _places(names: list[str], file: str, named: Mapping[str, str]) -> dict[str, int]:
    """The number of the column of every role."""
    clean = [name.strip() for name in names]
    folded = [name.lower() for name in clean]
    places = {
        role: folded.index(name)
        for role, known in _NAMES.items()
        for name in reversed(known)
        if name in folded
    }
    for role, name in named.items():
        if name not in clean:
            known = ", ".join(clean)
            sentence = f"it has no column {name!r}; it has {known}{suggestion(name, clean)}"
            raise Unreadable(file, sentence)
        places[role] = clean.index(name)
    if "time" not in places and "gap" not in places:
        sentence = f"none of its columns is known as a time: {', '.join(clean) or 'it has none'}"
        raise Unreadable(file, sentence, f"say which is: --column time={next(iter(clean), 'NAME')}")
    return places


class _Reader:
    """Makes requests of rows."""

    def __init__(self, places: Mapping[str, int], unit: float, usual: Recorded) -> None:
        self._places = places
        self._unit = unit
        self._usual = usual
        self._now = 0.0
        self._headers = [
            (bytewise(role.removeprefix(_HEADER)), place)
            for role, place in places.items()
            if role.startswith(_HEADER)
        ]

    def request(self, row: list[str], origin: Origin, skipped: Skipped) -> Recorded | None:
        """The request of a row, or `None` after it was counted as skipped."""
        try:
            at = self._time(row)
        except ValueError:
            skipped(origin.line, "its time is none", ",".join(row))
            return None
        method, target = self._cell(row, "method"), self._cell(row, "path")
        usual = self._usual
        path, query = usual.path, usual.query
        try:
            if target:
                path, query, _ = split_target(bytewise(target))
        except NoTarget:
            skipped(origin.line, "its path is none", target)
            return None
        if method and not is_method(method):
            skipped(origin.line, "its method is none of HTTP", method)
            return None
        query = query_of(bytewise(self._cell(row, "query"))) or query
        body = self._cell(row, "body").encode(errors="replace")
        user = self._cell(row, "user") or None
        headers = self._header_pairs(row)
        answer = self._answer(row)
        return Recorded(
            at, method or usual.method, path, query, headers, body, user, origin, None, answer
        )

    def _time(self, row: list[str]) -> float:
        if "time" in self._places:
            return any_time(self._cell(row, "time"), self._unit)
        self._now += any_time(self._cell(row, "gap"), self._unit)
        return self._now

    def _cell(self, row: list[str], role: str) -> str:
        place = self._places.get(role)
        return row[place].strip() if place is not None and place < len(row) else ""

    def _header_pairs(self, row: list[str]) -> Headers:
        pairs = (
            header(name, bytewise(row[place])) for name, place in self._headers if place < len(row)
        )
        return tuple(pair for pair in pairs if pair is not None)

    def _answer(self, row: list[str]) -> Answered | None:
        status = self._cell(row, "status")
        if not (status.isascii() and status.isdecimal() and 100 <= int(status[:4]) <= 999):
            return None
        try:
            seconds = any_time(self._cell(row, "seconds"))
        except ValueError:
            seconds = -1.0
        return Answered(int(status[:4]), seconds if seconds >= 0 else None)


def _split(first: str) -> list[str]:
    try:
        return next(csv.reader([first], delimiter=_delimiter(first)), [])
    except csv.Error:  # a carriage return in the middle, or a field without an end
        return []


def _delimiter(first: str) -> str:
    """What separates the names in the first line."""
    return max(_DELIMITERS, key=first.count)
