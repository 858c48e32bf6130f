"""Declared parameters of a request: checked, told to functions, and sent on to HTTP back ends.

What is not declared passes as it came; the texts of refusals are the cloud's (CONTRACT 5.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_plus

from gateway.core.parameters import Parameter, fits
from gateway.core.snapshot import Api, HttpBackend
from gateway.dataplane.answer import Header
from gateway.dataplane.asgi import Receive, Scope
from gateway.dataplane.bodies import MAX_EVENT_BODY, read_again, read_body
from gateway.dataplane.features_refusals import ParameterRefused
from gateway.dataplane.request import Declared, HttpRequest

_FORM: Final = "application/x-www-form-urlencoded"
_WORDS: Final = {
    "header": "header",
    "query": "querystring",
    "path": "path variable",
    "body": "body param",
}


class Parameters:
    """The parameters of one API, compiled.

    Args:
        api: The API.

    Attributes:
        in_body: Whether the body has to be read for them.
    """

    __slots__ = ("_constants", "_declared", "_dropped", "_forwarded", "in_body")

    def __init__(self, api: Api) -> None:
        features = api.features
        self._declared = features.parameters
        self._forwarded = isinstance(api.backend, HttpBackend)
        self._constants = tuple((c.place, c.name, c.value) for c in features.constants)
        moved = [p for p in self._declared if p.to is not None]
        named = [
            *((p.place, p.name) for p in moved),
            *((c.place, c.name) for c in features.constants),
        ]
        self._dropped = (
            frozenset(name.lower().encode("latin-1") for place, name in named if place == "header"),
            frozenset(name for place, name in named if place == "query"),
        )
        self.in_body = any(p.place == "body" for p in self._declared)

    async def read(
        self, request: HttpRequest, scope: Scope, receive: Receive
    ) -> tuple[Scope, Receive]:
        """Check a request; gives the scope and the body with which it goes on.

        Raises:
            ParameterRefused: A parameter is missing or no value of its kind.
            CallerGone: The caller went away before the body was complete.
        """
        form: Mapping[str, str] = {}
        if self.in_body:
            body = await read_body(receive) if _has_body(request.headers) else b""
            receive = read_again(body, receive)
            form = _form(request.headers, body)
        places = {
            "header": request.headers,
            "query": request.queries(),
            "path": request.parameters,
            "body": form,
        }
        found = [(p, _value(p, places[p.place])) for p in self._declared]
        values = [(p, value) for p, value in found if value is not None]
        request.declared = Declared(_at("query", values), _at("header", values))
        return (self._onward(scope, values) if self._forwarded else scope), receive

    def _onward(self, scope: Scope, values: Iterable[tuple[Parameter, str]]) -> Scope:
        """The scope with which an HTTP back end is asked."""
        headers: list[Header] = [
            h for h in scope["headers"] if h[0].lower() not in self._dropped[0]
        ]
        pairs = _kept(scope["query_string"], self._dropped[1])
        known = {name.lower() for name, _ in headers}, {_name(pair) for pair in pairs}
        sent = [*self._constants]
        for parameter, value in values:
            if parameter.to is not None:
                sent.append((parameter.to.place, parameter.to.name, value))
            elif parameter.default is not None and not _there(parameter, known):
                sent.append((parameter.place, parameter.name, value))
        for place, name, value in sent:
            if place == "header":
                headers.append((name.lower().encode("latin-1"), value.encode("latin-1", "replace")))
            else:
                pairs.append(f"{quote(name, safe='')}={quote(value, safe='')}".encode())
        return {**scope, "headers": headers, "query_string": b"&".join(pairs)}


def _value(parameter: Parameter, values: Mapping[str, str]) -> str | None:
    """What a request has for a parameter; its default where it has nothing."""
    value = values.get(parameter.key[1])
    if value is None:
        if parameter.default is None and parameter.required:
            raise ParameterRefused(f"{_WORDS[parameter.place]} {parameter.name} is required.")
        return parameter.default
    if not fits(parameter.kind, value):
        raise ParameterRefused(f"Get {parameter.name} params fail.")
    return value


def _form(headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
    if not body:
        return {}
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise ParameterRefused(f"req content type need {_FORM}.")
    if len(body) > MAX_EVENT_BODY:
        raise ParameterRefused("Get body params fail.")
    return dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))


def _has_body(headers: Mapping[str, str]) -> bool:
    return "content-length" in headers or "transfer-encoding" in headers


def _at(place: str, values: Iterable[tuple[Parameter, str]]) -> dict[str, str]:
    return {p.name: value for p, value in values if p.place == place}


def _kept(query: bytes, dropped: frozenset[str]) -> list[bytes]:
    """The pairs of a query as they were sent, without some names."""
    return [pair for pair in query.split(b"&") if pair and _name(pair) not in dropped]


def _name(pair: bytes) -> str:
    return unquote_plus(pair.partition(b"=")[0].decode("latin-1"))


def _there(parameter: Parameter, known: tuple[set[bytes], set[str]]) -> bool:
    if parameter.place == "header":
        return parameter.name.lower().encode("latin-1") in known[0]
    return parameter.name in known[1]
