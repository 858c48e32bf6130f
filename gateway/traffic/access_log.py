"""Access logs in common and combined format, as Apache and nginx write them.

A line is read by one expression whose parts cannot give back what they took, so that no line can
hang the import; what stands behind the known fields is left alone. A log has no bodies: requests
come without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from gateway.traffic.instants import log_time
from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording import Answered, Headers, Origin, Recorded
from gateway.traffic.skipping import TOO_LONG, Skipped
from gateway.traffic.view import FORWARDED
from gateway.traffic.wire import NoTarget, header_value, is_method, split_target, with_host

_QUOTED: Final = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_LINE: Final = re.compile(
    r"(?:(\S++) (?!- )(?=\S++ \S++ \S++ \[))?"  # the host, where Apache writes it in front
    rf'(\S++) \S++ ([^\["]*+)\[([^\]]*+)\] {_QUOTED} ([0-9]{{3}})\b'
    rf"(?: (?:[0-9]++|-)(?: {_QUOTED} {_QUOTED})?)?"
)
_USUAL: Final = re.compile(
    r'(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[!"$->@-\[\]-~]*+)(?:\?([!"$-\[\]-~]*+))?'
    r" HTTP/[0-9.]++"
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v"}
_NOTHING: Final = frozenset({"", "-"})


def looks_like(line: bytes) -> bool:
    """Whether a line is one of an access log."""
    return _LINE.match(line.decode("latin-1")) is not None


def read_access_log(lines: Iterable[bytes], file: str, skipped: Skipped) -> Iterator[Recorded]:
    """The requests of an access log, at seconds since 1970.

    Args:
        lines: Its lines, as `open_lines` gives them.
        file: What to call it.
        skipped: Counts the lines that are none of such a log.

    Raises:
        BadLine: Something was skipped, and that is not allowed.
    """
    match = _LINE.match
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            skipped(number, TOO_LONG)
            continue
        found = match(line.decode("latin-1"))
        if found is not None:
            request = _request(found, Origin(file, number), skipped)
            if request is not None:
                yield request
        elif line and not line.isspace():
            skipped(number, "not in common or combined format", line.decode("latin-1"))


def _request(found: re.Match[str], origin: Origin, skipped: Skipped) -> Recorded | None:
    host, client, user, time, request, status, referer, agent = found.groups()
    asked = _asked(request, origin.line, skipped)
    if asked is None:
        return None
    method, (path, query, named) = asked
    try:
        at = log_time(time)
    except ValueError:
        skipped(origin.line, "its time is none", time)
        return None
    user = user.strip()
    headers = _headers(client, referer, agent)
    if host or named:
        headers = with_host(headers, named or host)
    who = client if user in _NOTHING else user
    return Recorded(at, method, path, query, headers, b"", who, origin, None, _answer(status))


@cache
def _answer(status: str) -> Answered | None:
    """One object for each status: a log has few of them, and millions of lines."""
    return Answered(int(status)) if status >= "100" else None


def _asked(request: str, line: int, skipped: Skipped) -> tuple[str, tuple[str, str, str]] | None:
    """The method and the target of `GET /path HTTP/1.1`."""
    usual = _USUAL.fullmatch(request)
    if usual is not None:
        method, path, query = usual.groups("")
        return method, (path, query, "")
    if "\\" in request:
        request = _unescaped(request)
    method, _, rest = request.partition(" ")
    target, separator, protocol = rest.rpartition(" ")
    if not (separator and protocol.startswith("HTTP/")):
        target = rest  # HTTP/0.9 names no protocol
    if not is_method(method) or not target:
        why = "no request was read" if request in _NOTHING else "its request is none of HTTP"
        skipped(line, why, request)
        return None
    try:
        return method, split_target(target)
    except NoTarget:
        skipped(line, "its request names no path", request)
        return None


def _headers(client: str, referer: str | None, agent: str | None) -> Headers:
    headers = [(FORWARDED, client)]
    for name, value in (("Referer", referer), ("User-Agent", agent)):
        if value is None or value in _NOTHING:
            continue
        if "\\" in value:
            value = _unescaped(value)  # noqa: PLW2901 - the same value, as it was sent
        headers.append((name, value if value.isprintable() else header_value(value)))
    return tuple(headers)


def _unescaped(text: str) -> str:
    r"""`\x22` and `\"` as the bytes that they stand for."""
    return _ESCAPE.sub(_meant, text)


def _meant(found: re.Match[str]) -> str:
    code, letter = found.groups()
    return chr(int(code, 16)) if code else _LETTERS.get(letter, letter)
