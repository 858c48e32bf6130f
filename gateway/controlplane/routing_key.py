"""A routing key as callers write it: a JSON object of scalars, each of which becomes its text.

Numbers stay as they were written and booleans as JSON writes them, because rules compare texts. A
value that is no scalar has no text that a rule could mean, and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from gateway.controlplane.limits import MAX_ROUTING_KEY
from gateway.core.errors import Problem, Refused
from gateway.core.shapes import kind_of

_AT: Final = "routing_key"
_ALLOWED: Final = "a JSON object of strings, numbers, true and false"


def routing_key_of(given: object, body: bytes) -> dict[str, str] | None:
    """The routing key that a request's body names.

    Args:
        given: Its value: JSON in a text, as the cloud has it, or an object; `None` for none.
        body: The body, a JSON object that was read and checked before; numbers in an object are
            as they are written there.

    Raises:
        Refused: It is no such object, it names something twice, or it is too long.
    """
    if given is None or isinstance(given, str):
        return None if given is None else parse_routing_key(given)
    if isinstance(given, Mapping) and not all(isinstance(value, str) for value in given.values()):
        given = json.loads(body, parse_int=str, parse_float=str)[_AT]
    _check_size(json.dumps(given, ensure_ascii=False, separators=(",", ":")))
    return _read(given)


def parse_routing_key(text: str) -> dict[str, str]:
    """A routing key from its JSON text.

    Raises:
        Refused: It is no such object, it names something twice, or it is too long.
    """
    _check_size(text)
    try:
        found = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=_constant, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        _refuse("bad-routing-key", f"is no JSON: {error}; allowed: {_ALLOWED}")
    return _read(found)


def _check_size(text: str) -> None:
    size = len(text.encode(errors="replace"))
    if size > MAX_ROUTING_KEY:
        _refuse("out-of-range", f"has {size} bytes; allowed: {MAX_ROUTING_KEY}")


def _read(found: object) -> dict[str, str]:
    """A routing key from JSON values, its numbers still the texts that were written."""
    if not isinstance(found, Mapping):
        _refuse("bad-routing-key", f"must be {_ALLOWED}, not {_said(found)}")
    problems = [
        Problem(
            "bad-routing-key",
            f"{name!r} of the routing key is {_said(value)};"
            " allowed: a string, a number, true or false",
            (_AT, name),
        )
        for name, value in found.items()
        if not isinstance(value, str | bool)
    ]
    if problems:
        raise Refused(problems)
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in found.items()
    }


def _said(value: object) -> str:
    return kind_of(value).replace("a table", "an object")


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _refuse(code: str, said: str) -> NoReturn:
    raise Refused([Problem(code, f"the routing key {said}", (_AT,))])
