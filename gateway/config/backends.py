"""Who answers an API: a function, another HTTP server, or a fixed text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.config.fields import seconds, strings, whole, wrong_key
from gateway.core import names
from gateway.core.errors import Problem, listed, nearest
from gateway.core.shapes import Reader
from gateway.core.snapshot import Backend, FunctionBackend, HttpBackend, MockBackend

BACKENDS: Final = ("function", "http", "mock")
"""The keys of an API that say who answers; it has exactly one of them."""

_STATUS = (range(200, 600), "200 to 599")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset({"connection", "content-length", "transfer-encoding", "x-api-requestid"})
_PORT = re.compile(r".*:([0-9]*)")

_URL_RULES = (
    (re.compile(r"(?i:https?)://.*", re.DOTALL), "must start with 'http://' or 'https://'"),
    (re.compile(r"[!-~]*"), "may only hold visible ASCII characters; encode others with '%'"),
    (re.compile(r"[^?#]*"), "may have no query and no fragment; callers send the query"),
    (re.compile(r"[^/]*//[^/@]*(/.*)?"), "may hold no user name; send credentials as a header"),
    (
        re.compile(r"[^/]*//([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[^/]*)?(/.*)?"),
        "needs a host, for example 'http://127.0.0.1:9000'",
    ),
)


def read_backend(api: Reader, functions: Mapping[str, object]) -> Backend | None:
    """The backend of one API; a function's qualifier is the stage's to say.

    Args:
        api: The API's table.
        functions: What the file declares, by name.
    """
    given = [key for key in BACKENDS if api.has(key)]
    if len(given) != 1:
        _wrong_count(api, given)
    found = [
        _read_function(api, functions),
        _read_http(api) if api.get("http") is not None else None,
        _read_mock(api) if api.get("mock") is not None else None,
    ]
    return next((backend for backend in found if backend is not None), None)


def _wrong_count(api: Reader, given: list[str]) -> None:
    if not given:
        message = f"{api.what} has nobody to answer it; allowed: one of {listed(BACKENDS)}"
        api.wrong("missing-backend", message, hint='for example: function = "orders"')
        return
    for key in given[1:]:
        message = f"{api.what} has {given[0]!r} and {key!r}; allowed: one of {listed(BACKENDS)}"
        wrong_key(api, Problem("two-backends", message, (key,)))


def _read_function(api: Reader, functions: Mapping[str, object]) -> FunctionBackend | None:
    name = api.text("function")
    integrated = api.flag("integrated", default=True)
    if not api.has("function"):
        if api.has("integrated"):
            message = f"'integrated' of {api.what} has no effect without 'function'"
            wrong_key(api, Problem("unused-key", message, ("integrated",)))
        return None
    if name not in functions and isinstance(api.get("function"), str):
        message = f"{api.what} names the function {name!r}; the file has {listed(functions)}"
        api.wrong("unknown-function", message, "function", hint=nearest(name, functions))
    return FunctionBackend(name, names.DEFAULT, integrated)


def _read_http(api: Reader) -> HttpBackend:
    at = (*api.at, "http")
    reader = Reader(api.get("http"), f"http of {api.what}", api.problems, at)
    url = reader.required("url", '"http://127.0.0.1:9000"')
    if url is not None:
        _check_url(reader, url)
    timeout = seconds(reader, "timeout", HttpBackend("").timeout)
    reader.finish()
    return HttpBackend(url or "", timeout)


def _check_url(reader: Reader, url: str) -> None:
    broken = next((why for rule, why in _URL_RULES if rule.fullmatch(url) is None), None)
    if broken is None:
        host = url.split("/")[2].rpartition("]")[2]
        port = _PORT.fullmatch(host)
        if ":" in host and not (port and port[1] and 0 < int(port[1]) < 65536):
            broken = "has no valid port; allowed: 1 to 65535"
    if broken is not None:
        reader.wrong("bad-url", f"the url {url!r} {broken}", "url")


def _read_mock(api: Reader) -> MockBackend:
    at = (*api.at, "mock")
    reader = Reader(api.get("mock"), f"mock of {api.what}", api.problems, at)
    body = reader.required("body", '"pong"')
    status = whole(reader, "status", MockBackend("").status, _STATUS)
    headers = strings(reader, "headers")
    for name, value in headers.items():
        _check_header(reader, name, value)
    reader.finish()
    return MockBackend(body or "", status, headers)


def _check_header(reader: Reader, name: str, value: str) -> None:
    folded = name.lower()
    if _TOKEN.fullmatch(name) is None:
        message = f"{name!r} cannot name a header; allowed: letters, digits and '-'"
        wrong_key(reader, Problem("bad-header", message, ("headers", name)))
    elif folded in _OURS or folded.startswith("x-gateway-"):
        message = f"the header {name!r} is set by the gateway itself"
        wrong_key(reader, Problem("bad-header", message, ("headers", name)))
    if _VALUE.fullmatch(value) is None:
        message = f"the value of the header {name!r} holds line ends or characters beyond Latin-1"
        reader.wrong("bad-header", message, "headers", name)
