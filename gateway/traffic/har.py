"""HAR 1.2: what a browser's tools write down, one JSON document that is read entry by entry.

ijson parses the document as it comes, so that no more is held than one entry, which may have
`MAX_ENTRY` bytes. Browsers leave out and add what they like: of an entry only its time, its method
and its address are needed. The line of an origin is the entry's number.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from gateway.traffic.failures import Unreadable
from gateway.traffic.instants import iso_time
from gateway.traffic.recording import Answered, Headers, Origin, Recorded
from gateway.traffic.skipping import Skipped
from gateway.traffic.view import address_of
from gateway.traffic.wire import NoTarget, bytewise, header, is_method, split_target, with_host

MAX_ENTRY: Final = 64 * 1024 * 1024
"""Bytes from one entry to the next, contents of answers among them."""

MAX_DEPTH: Final = 100
"""How deeply lists and tables may be nested."""

_BOM: Final = b"\xef\xbb\xbf"
_CHUNK: Final = 1024 * 1024
_LIST: Final = ["log", "entries"]
_ELEMENTS: Final = 3  # the depth of that list, where an element begins and ends

Json = Any


class Stream(Protocol):
    """What is read."""

    file: str

    def read(self, size: int, /) -> bytes:
        """The next bytes."""


def read_har(stream: Stream, skipped: Skipped) -> Iterator[Recorded]:
    """The requests of a HAR file, at seconds since 1970.

    Args:
        stream: The file.
        skipped: Counts the entries that are no requests.

    Raises:
        BadLine: Something was skipped, and that is not allowed.
        Unreadable: It is no HAR, or breaks off.
    """
    number = 0
    for number, entry in enumerate(_entries(stream), start=1):
        request = _request(entry, Origin(stream.file, number), skipped)
        if request is not None:
            yield request
    if not number:
        sentence = 'it has no entries in \'log\'; a HAR file is {"log": {"entries": [...]}}'
        raise Unreadable(stream.file, sentence)


class _Bounded:
    """The bytes of a file behind its byte order mark, as long as entries are seen in them."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._first = True
        self.entries = 0
        self.since = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(_CHUNK if size < 0 else size)
        if self._first and data:
            self._first = False
            data = data.removeprefix(_BOM)
        self.since += len(data)
        if self.since > MAX_ENTRY:
            where = f"entry {self.entries + 1}"
            raise Unreadable(self._stream.file, f"{where} is longer than {MAX_ENTRY} bytes")
        return data


def _entries(stream: Stream) -> Iterator[Json]:
    import ijson  # type: ignore[import-untyped]  # a native module that no other import needs

    bounded = _Bounded(stream)
    try:
        events = ijson.basic_parse(bounded, use_float=True, buf_size=_CHUNK)
        for entry in _built(events, ijson.ObjectBuilder):
            bounded.entries, bounded.since = bounded.entries + 1, 0
            yield entry
    except (ijson.JSONError, ValueError, OverflowError) as error:
        words = " ".join(str(error).split())[:100]
        sentence = f"it is no JSON behind entry {bounded.entries}: {words or 'it breaks off'}"
        raise Unreadable(stream.file, sentence) from None


def _built(events: Iterable[tuple[str, Json]], builder: Callable[[], Any]) -> Iterator[Json]:
    """The elements of the list `log.entries`.

    Raises:
        ValueError: Something is nested too deeply.
    """
    keys, inside, entry = ["", ""], False, builder()
    for depth, event, value in _with_depth(events):
        if inside and depth >= _ELEMENTS:
            entry.event(event, value)
            if depth == _ELEMENTS:
                yield entry.value
                entry = builder()
        elif event == "map_key" and depth <= len(keys):
            keys[depth - 1] = value
        else:
            inside = depth == _ELEMENTS and event == "start_array" and keys == _LIST


def _with_depth(events: Iterable[tuple[str, Json]]) -> Iterator[tuple[int, str, Json]]:
    """Each event with the depth that it leads to."""
    depth = 0
    for event, value in events:
        if event.startswith("start_"):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError("it is nested too deeply")
        elif event.startswith("end_"):
            depth -= 1
        yield depth, event, value


def _request(entry: Json, origin: Origin, skipped: Skipped) -> Recorded | None:
    asked = _table(_table(entry).get("request"))
    method, url = asked.get("method"), asked.get("url")
    if not isinstance(method, str) or not isinstance(url, str) or not is_method(method):
        skipped(origin.line, "no method or no address", f"{method} {url}")
        return None
    try:
        path, query, host = split_target(bytewise(url))
        at = iso_time(str(entry.get("startedDateTime")))
    except NoTarget:
        skipped(origin.line, "its address is none of HTTP", url)
        return None
    except ValueError:
        skipped(origin.line, "its time is none", str(entry.get("startedDateTime")))
        return None
    headers = with_host(_headers(asked.get("headers")), host)
    body = _body(_table(asked.get("postData")))
    request = Recorded(at, method, path, query, headers, body, None, origin, None, _answer(entry))
    return request._replace(user=address_of(request))


def _headers(raw: Json) -> Headers:
    found = []
    for each in _list(raw):
        name, value = _table(each).get("name"), _table(each).get("value")
        if isinstance(name, str) and isinstance(value, str):
            if name == ":authority":  # HTTP/2's name of it
                name = "Host"
            pair = header(bytewise(name), bytewise(value))
            if pair is not None:
                found.append(pair)
    return tuple(found)


def _body(data: dict[str, Json]) -> bytes:
    text = data.get("text")
    if not isinstance(text, str):
        return _form(data.get("params"))
    raw = text.encode(errors="replace")
    if data.get("encoding") != "base64":
        return raw
    try:
        return b64decode(raw, validate=True)
    except ValueError:  # said, and not so
        return raw


def _form(raw: Json) -> bytes:
    """The body of a form of which only the fields were written down."""
    fields = [(_table(each).get("name"), _table(each).get("value")) for each in _list(raw)]
    pairs = [(name, value or "") for name, value in fields if isinstance(name, str)]
    return urlencode(pairs, errors="replace").encode()


def _answer(entry: Json) -> Answered | None:
    status, time = _table(entry.get("response")).get("status"), entry.get("time")
    known = isinstance(status, int) and 100 <= status <= 999
    seconds = time / 1000 if isinstance(time, int | float) and 0 <= time < 1e12 else None
    return Answered(status, seconds) if known else None


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
