"""Logs with a JSON object on each line: nginx's, and the gateway's own log of invocations.

Both are read by the names that their fields have. nginx writes whatever names its `log_format`
gives, so that each part of a request is looked for under the usual ones, and `http_x_user` is the
header X-User, as nginx calls it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any, Final

from gateway.traffic.instants import any_time
from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording import Answered, Headers, Origin, Recorded
from gateway.traffic.skipping import TOO_LONG, Skipped
from gateway.traffic.view import FORWARDED
from gateway.traffic.wire import (
    NoTarget,
    bytewise,
    header,
    is_method,
    query_of,
    split_target,
    with_host,
)

Fields = dict[str, Any]

TIMES: Final = ("time_iso8601", "msec", "time_local", "@timestamp", "timestamp", "time", "ts", "at")
METHODS: Final = ("request_method", "method", "verb")
TARGETS: Final = ("request_uri", "uri", "path", "url", "target")
"""Where the parts of a request are looked for, in this order."""

_QUERIES: Final = ("args", "query_string", "query")
_CLIENTS: Final = ("remote_addr", "client_ip", "client", "realip_remote_addr")
_USERS: Final = ("user", "remote_user")
_HOSTS: Final = ("http_host", "host", "server_name")
_BODIES: Final = ("request_body", "body")
_STATUSES: Final = ("status", "response_code")
_SECONDS: Final = ("request_time", "seconds", "duration")
_HTTP: Final = "http_"
_SENT: Final = "http"
_NOTHING: Final = ("", "-", None)


def looks_like(fields: Fields) -> bool:
    """Whether an object has the parts of a request."""
    asked = "request" in fields or any(name in fields for name in TARGETS)
    return asked and any(name in fields for name in TIMES)


def is_invocation(fields: Fields) -> bool:
    """Whether an object is of the gateway's own log: it says which version answered, and why."""
    return looks_like(fields) and "version" in fields and "reason" in fields


def read_json_log(lines: Iterable[bytes], file: str, skipped: Skipped) -> Iterator[Recorded]:
    """The requests of a log, at seconds since 1970.

    Args:
        lines: Its lines, as `open_lines` gives them.
        file: What to call it.
        skipped: Counts the lines that are no requests.

    Raises:
        BadLine: Something was skipped, and that is not allowed.
    """
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE:
            skipped(number, TOO_LONG)
        elif line and not line.isspace():
            fields = fields_of(line)
            if fields is None:
                skipped(number, "no JSON object", line.decode("latin-1"))
            elif _is_sent(fields, number, skipped):
                request = _request(fields, Origin(file, number), skipped)
                if request is not None:
                    yield request


def _is_sent(fields: Fields, number: int, skipped: Skipped) -> bool:
    """Whether an object is of a request that can be sent again; others are told."""
    if not is_invocation(fields):
        return True
    if fields.get("source", _SENT) != _SENT:
        skipped.passing("invocations that no request of HTTP made")
        return False
    if fields.get("body_cut"):
        skipped(number, "its body was cut when it was logged")
        return False
    return True


def fields_of(line: bytes) -> Fields | None:
    """The object of a line; bytes that are no UTF-8 are replaced, as nginx may write them."""
    try:
        value = json.loads(line.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _request(fields: Fields, origin: Origin, skipped: Skipped) -> Recorded | None:
    method, target = _asked(fields)
    if not is_method(method) or not target:
        skipped(origin.line, "no request of HTTP", f"{method} {target}")
        return None
    try:
        path, query, host = split_target(bytewise(target))
        at = any_time(_first(fields, TIMES))
    except NoTarget:
        skipped(origin.line, "its request names no path", target)
        return None
    except ValueError:
        skipped(origin.line, "its time is none", str(_first(fields, TIMES)))
        return None
    if not query and (separate := _text(fields, _QUERIES)):
        query = query_of(bytewise(separate))
    client = _text(fields, _CLIENTS)
    headers = with_host(_headers(fields, client), host or bytewise(_text(fields, _HOSTS)))
    body = _text(fields, _BODIES).encode(errors="replace")
    user = _text(fields, _USERS) or client or None
    stage = _text(fields, ("stage",)) or None
    return Recorded(at, method, path, query, headers, body, user, origin, stage, _answer(fields))


def _asked(fields: Fields) -> tuple[str, str]:
    """The method and the target, from their own fields or from `GET /path HTTP/1.1`."""
    method, target = _text(fields, METHODS), _text(fields, TARGETS)
    if method and target:
        return method, target
    words = _text(fields, ("request",)).split(" ")
    if len(words) > 2 and words[-1].startswith("HTTP/"):
        words.pop()
    return method or words[0], target or " ".join(words[1:])


def _headers(fields: Fields, client: str) -> Headers:
    found = dict(_pairs(fields.get("headers")))
    for name, value in fields.items():
        if name.startswith(_HTTP) and isinstance(value, str) and value not in _NOTHING:
            found.setdefault(name.removeprefix(_HTTP).replace("_", "-").title(), value)
    if client:
        found.setdefault(FORWARDED, client)
    pairs = (header(bytewise(name), bytewise(value)) for name, value in found.items())
    return tuple(pair for pair in pairs if pair is not None)


def _pairs(raw: object) -> Iterator[tuple[str, str]]:
    """Headers as an object or as a list of pairs."""
    items = raw.items() if isinstance(raw, dict) else raw if isinstance(raw, list) else ()
    for item in items:
        if isinstance(item, list | tuple) and len(item) == 2:
            name, value = item
            if isinstance(name, str) and isinstance(value, str):
                yield name, value


def _answer(fields: Fields) -> Answered | None:
    status, revision = _number(fields, _STATUSES), _number(fields, ("revision",))
    seconds = _number(fields, _SECONDS)
    answer = Answered(
        status=int(status) if status is not None and 100 <= status <= 999 else None,
        seconds=seconds if seconds is not None and seconds >= 0 else None,
        version=_text(fields, ("version",)) or None,
        reason=_text(fields, ("reason",)) or None,
        revision=int(revision) if revision is not None and 0 <= revision < 2**63 else None,
    )
    return answer if any(value is not None for value in answer) else None


def _first(fields: Fields, names: tuple[str, ...]) -> Any:  # noqa: ANN401 - any value of JSON
    return next((fields[name] for name in names if fields.get(name) not in _NOTHING), None)


def _text(fields: Fields, names: tuple[str, ...]) -> str:
    value = _first(fields, names)
    return value if isinstance(value, str) else ""


def _number(fields: Fields, names: tuple[str, ...]) -> float | None:
    """A number, also as text, as nginx writes some."""
    value = _first(fields, names)
    try:
        number = float(value) if isinstance(value, int | float | str) else float("nan")
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
