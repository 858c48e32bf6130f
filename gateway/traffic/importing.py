"""Importing: whatever production wrote down becomes one recording, in the order of time.

Logs are written when requests end, so that their lines are a little out of order: a window of
`WINDOW` requests puts them right. Times become seconds since the first request. Nothing else is
held, however long the file is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappushpop
from itertools import count, islice
from typing import Final

from gateway.traffic import access_log, gor, json_logs
from gateway.traffic.csv_arrivals import Columns, read_csv, times_in
from gateway.traffic.failures import BadLine, Unreadable
from gateway.traffic.har import read_har
from gateway.traffic.opening import Opened
from gateway.traffic.recording import Recorded, parse
from gateway.traffic.skipping import Skipped

WINDOW: Final = 1024
"""Requests among which order is put right."""

LATE: Final = "far out of order, put at the time of the one before"
"""What is told of a request that is further out of order than the window is long."""

_HEAD: Final = 64 * 1024
_TRIED: Final = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a file is to be read.

    Attributes:
        format: One of `FORMATS`; `None` to find out.
        columns: What the columns of a CSV trace are.
    """

    format: str | None = None
    columns: Columns = field(default_factory=Columns)


Importer = Callable[[Opened, Wanted, Skipped], Iterator[Recorded]]

FORMATS: Final[Mapping[str, Importer]] = {
    "access-log": lambda opened, _, skipped: access_log.read_access_log(
        opened.lines(), opened.file, skipped
    ),
    "nginx-json": lambda opened, _, skipped: json_logs.read_json_log(
        opened.lines(), opened.file, skipped
    ),
    "har": lambda opened, _, skipped: read_har(opened, skipped),
    "gor": lambda opened, _, skipped: gor.read_gor(opened.pieces(gor.END), opened.file, skipped),
    "csv": lambda opened, wanted, skipped: read_csv(
        opened.lines(), opened.file, wanted.columns, skipped
    ),
    "invocations": lambda opened, _, skipped: json_logs.read_json_log(
        opened.lines(), opened.file, skipped
    ),
    "recording": lambda opened, _, skipped: _again(opened, skipped),
}
"""What can be imported, with how each is read."""


def imported(opened: Opened, wanted: Wanted, skipped: Skipped) -> Iterator[Recorded]:
    """The requests of a file as a recording.

    Args:
        opened: The file.
        wanted: Its format, if it is known.
        skipped: Counts what is left out.

    Raises:
        BadLine: A line is none of the format, and nothing may be skipped.
        Unreadable: The format cannot be told, or the file breaks off.
    """
    chosen = wanted.format or detect(opened)
    return settled(FORMATS[chosen](opened, wanted, skipped), skipped)


def settled(requests: Iterable[Recorded], skipped: Skipped) -> Iterator[Recorded]:
    """What an importer found as a recording: in order, and up to where the file breaks off.

    Raises:
        BadLine: A line is none of the format, and nothing may be skipped.
        Unreadable: The file breaks off before the first request, or may not.
    """
    return ordered(_to_the_break(requests, skipped), skipped)


def ordered(requests: Iterable[Recorded], skipped: Skipped) -> Iterator[Recorded]:
    """Requests in the order of time, with seconds since the first one.

    Args:
        requests: Requests at any times, which are almost in order. One that is further out of
            order than the window is long follows at once where it stands.
        skipped: Is told of those.
    """
    numbers = count()
    source = ((request.at, next(numbers), request) for request in requests)
    window = list(islice(source, WINDOW))
    heapify(window)
    start = latest = window[0][0] if window else 0.0
    for item in source:
        at, _, request = heappushpop(window, item)
        if at < latest:
            skipped.passing(LATE)
        else:
            latest = at
        yield Recorded(latest - start, *request[1:])
    while window:
        at, _, request = heappop(window)
        latest = max(latest, at)
        yield Recorded(latest - start, *request[1:])


def _to_the_break(requests: Iterable[Recorded], skipped: Skipped) -> Iterator[Recorded]:
    """Requests up to where the file breaks off, if that may be, and if there are any."""
    request = None
    try:
        for request in requests:
            yield request
    except Unreadable as error:
        if skipped.strict or request is None:
            raise
        skipped.broken = error.sentence


def _again(opened: Opened, skipped: Skipped) -> Iterator[Recorded]:
    """A recording, which is imported to be altered."""
    for number, line in enumerate(opened.lines(), start=1):
        if line and not line.isspace():
            try:
                yield parse(line, number, opened.file)
            except BadLine as error:
                skipped(number, "no line of a recording", error.sentence)


def detect(opened: Opened) -> str:
    """The format of a file, told by its beginning; nothing of it is lost.

    Raises:
        Unreadable: It is none that is known, or there is nothing in it.
    """
    head = opened.head(_HEAD).removeprefix(b"\xef\xbb\xbf")
    lines = [line for line in head.splitlines()[:_TRIED] if line and not line.isspace()]
    if not lines:
        raise Unreadable(opened.file, "it is empty")
    found = _of_json(lines, head) if lines[0].lstrip()[:1] in {b"{", b"["} else _of_text(lines)
    if found is None:
        first = lines[0][:60].decode(errors="replace")
        sentence = f"its format cannot be told; it begins with {first!r}"
        raise Unreadable(opened.file, sentence, f"name it with --format: {', '.join(FORMATS)}")
    return found


def _of_json(lines: list[bytes], head: bytes) -> str | None:
    fields = next(filter(None, map(json_logs.fields_of, lines)), {})
    if "v" in fields and "at" in fields:
        return "recording"
    if json_logs.is_invocation(fields):
        return "invocations"
    if json_logs.looks_like(fields):
        return "nginx-json"
    return "har" if b'"log"' in head or b'"entries"' in head else None


def _of_text(lines: list[bytes]) -> str | None:
    if gor.looks_like(lines[0]):
        return "gor"
    if any(map(access_log.looks_like, lines)):
        return "access-log"
    return "csv" if times_in(lines[0].decode(errors="replace")) else None
