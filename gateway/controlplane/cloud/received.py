"""A request as it came, and its parameters: JSON, form or query, whichever the client speaks.

Flat parameters, `A.0.B=x`, become the lists and objects that they stand for; their values stay
texts until the fields of the action say what they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from gateway.controlplane.cloud.errors import fail
from gateway.controlplane.rest.reading import parse_json
from gateway.core.errors import listed

MAX_JSON: Final = 10 * 1024 * 1024
"""Bytes that a JSON body may have."""

MAX_FORM: Final = 1024 * 1024
"""Bytes that a form may have."""

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"

_MAX_DEPTH: Final = 16
_INDEX: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Received:
    """One request.

    Attributes:
        method: `GET` or `POST`.
        query: The query as it was sent.
        headers: The headers; names in lower case.
        body: The body.
    """

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def media(self) -> str:
        """The media type of the body, without its parameters."""
        return media_of(self.headers.get("content-type", ""))

    @property
    def is_flat(self) -> bool:
        """Whether the parameters are flat texts, in the query or in a form."""
        return self.method == "GET" or self.media == FORM


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a request brings.

    Attributes:
        values: The parameters as lists and objects.
        typed: Whether the values have their types already, as in JSON.
    """

    values: Mapping[str, object]
    typed: bool = False


def media_of(content_type: str) -> str:
    """The media type that a Content-Type names."""
    return content_type.partition(";")[0].strip().lower()


def read_flat(received: Received) -> dict[str, str]:
    """The parameters of a request as they were sent; none where they are JSON.

    Raises:
        CloudError: One is there twice.
    """
    if not received.is_flat:
        return {}
    is_get = received.method == "GET"
    text = received.query if is_get else received.body.decode("latin-1")
    pairs = parse_qsl(text, keep_blank_values=True)
    flat = dict(pairs)
    if len(flat) < len(pairs):
        given = Counter(name for name, _ in pairs)
        twice = [name for name, count in given.items() if count > 1]
        fail("InvalidParameter", f"the request names {listed(twice):.200} more than once")
    return flat


def read_parameters(received: Received, flat: Mapping[str, str]) -> Parameters:
    """The parameters of a request.

    Args:
        received: The request.
        flat: What `read_flat` says of it.

    Raises:
        Rejected: A JSON body cannot be read.
        CloudError: The parameters contradict each other, or are in a form that is not spoken.
    """
    if received.is_flat:
        return Parameters(nested(flat))
    if received.media != JSON:
        message = f"the body is {received.media or 'of no type'!r}; allowed: {listed((JSON, FORM))}"
        fail("UnsupportedProtocol", message)
    value = parse_json(received.body) if received.body else {}
    if not isinstance(value, dict):
        fail("InvalidParameter", "the body must be a JSON object with the action's parameters")
    return Parameters(value, typed=True)


def nested(flat: Mapping[str, str]) -> dict[str, object]:
    """Flat parameters as lists and objects: the order of a list is that of its numbers.

    Raises:
        CloudError: A name stands for a value and for an object, or is too deep.
    """
    root: dict[str, Any] = {}
    for name, value in flat.items():
        *outer, last = path = name.split(".")
        if len(path) > _MAX_DEPTH:
            fail("InvalidParameter", f"the parameter {name:.80} is too deep: {len(path)} levels")
        place = root
        for step in outer:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                _clash(name)
        if last in place:
            _clash(name)
        place[last] = value
    return {name: _listed(value) for name, value in root.items()}


def _clash(name: str) -> None:
    fail("InvalidParameter", f"the parameter {name:.80} is a value and has parts as well")


def _listed(value: object) -> object:
    """An object whose names are all numbers is a list."""
    if not isinstance(value, dict):
        return value
    parts = {name: _listed(part) for name, part in value.items()}
    if all(_INDEX.fullmatch(name) for name in parts):
        return [parts[name] for name in sorted(parts, key=int)]
    return parts
