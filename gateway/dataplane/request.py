"""A request as rules and handlers read it: every part decoded once, and only if it is read."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl

from gateway.core.routes import NO_PARAMETERS

if TYPE_CHECKING:
    from gateway.dataplane.asgi import Scope
    from gateway.dataplane.features_usage import Holder

MAX_RULE_BODY: Final = 1 << 18
"""Bytes of a body that rules look into; a longer one has no JSON for them, whatever it holds."""

OWN_PREFIXES: Final = ("x-gateway-", "x_gateway_", "x-gateway_", "x_gateway-")
"""Headers that only the gateway sets, in every spelling that a CGI-like back end folds into one."""

TEXTS: Final = "gateway.texts"
"""An extension of ASGI: gives the headers as text, from a server that has them already."""

_UNREAD: Final = object()
_NO_EXTENSIONS: Final[dict[str, Any]] = {}


class _Names(dict[bytes, str]):
    """Header names as text: callers send the same few again and again."""

    def __missing__(self, raw: bytes) -> str:
        name = raw.decode("latin-1")
        if name.startswith(OWN_PREFIXES):
            name = ""
        if len(self) < _NAMES_LIMIT:
            self[raw] = name
        return name


_NAMES_LIMIT: Final = 1024
_names: Final = _Names()


def read_headers(raw: Collection[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header names in lower case with their values; repeated ones joined as RFC 9110 5.2 says.

    Headers that only the gateway sets are left out.
    """
    names = _names
    headers = {names[name]: value.decode("latin-1") for name, value in raw}
    if len(headers) != len(raw):
        headers = _joined(raw)
    if "" in headers:
        del headers[""]
    return headers


def _joined(raw: Collection[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = _names[name_bytes], value_bytes.decode("latin-1")
        if name in headers:
            value = headers[name] + ("; " if name == "cookie" else ", ") + value
        headers[name] = value
    return headers


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of a request as `read_headers` gives them, for its own use."""
    texts = scope.get("extensions", _NO_EXTENSIONS).get(TEXTS)
    if texts is None:
        return read_headers(scope["headers"])
    known: dict[str, str] = texts()
    return known


class Declared(NamedTuple):
    """What a request has of the parameters that its API declares.

    Attributes:
        queries: Query parameters.
        headers: Headers, under the names that the API has for them.
    """

    queries: Mapping[str, str]
    headers: Mapping[str, str]


class HttpRequest:
    """One HTTP request; a `RequestView` for rules.

    Attributes:
        id: The request id that the gateway gave it.
        began: When it came, in seconds of the monotonic clock.
        method: Its method.
        path: The path without the stage, as it travels.
        headers: Names in lower case.
        parameters: Values of the API path's parameters.
        body: The whole body.
        query_string: The query as it travels.
        declared: Its declared parameters; only there if its API declares some.
        holder: Whose key signed it; only there if its API asks for one.
    """

    __slots__ = (
        "_json",
        "_query",
        "began",
        "body",
        "declared",
        "headers",
        "holder",
        "id",
        "method",
        "parameters",
        "path",
        "query_string",
    )
    declared: Declared
    holder: Holder

    def __init__(
        self,
        headers: dict[str, str],
        query: bytes = b"",
        parameters: Mapping[str, str] = NO_PARAMETERS,
        body: bytes = b"",
    ) -> None:
        self.id = self.method = self.path = ""
        self.began = 0.0
        self.headers = headers
        self.parameters = parameters
        self.body = body
        self.query_string = query
        self._query: dict[str, str] | None = None
        self._json: object = _UNREAD

    def queries(self) -> dict[str, str]:
        """Every query parameter; the last value where one is repeated."""
        if self._query is None:
            raw = self.query_string
            text = raw.decode("latin-1") if raw else ""
            self._query = dict(parse_qsl(text, keep_blank_values=True)) if raw else {}
        return self._query

    def header(self, _name: str, folded: str) -> str | None:
        """HTTP folds the case of header names."""
        return self.headers.get(folded)

    def query(self, name: str) -> str | None:
        """The value of a query parameter."""
        return self.queries().get(name)

    def path_parameter(self, name: str) -> str | None:
        """The value of a path parameter."""
        return self.parameters.get(name)

    def cookie(self, name: str) -> str | None:
        """The value of a cookie, without the quotes that RFC 6265 allows around it."""
        for part in self.headers.get("cookie", "").split(";"):
            key, separator, value = part.strip().partition("=")
            if separator and key == name:
                return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        return None

    def json(self) -> object:
        """The body as JSON; `None` where it is none, or too long for rules."""
        if self._json is _UNREAD:
            self._json = _parse(self.body)
        return self._json


def _parse(body: bytes) -> object:
    if not body or len(body) > MAX_RULE_BODY:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
