"""Reading what a request brings: strictly, within limits, and every mistake at once.

JSON is refused where readers would differ about it: a key that is there twice, NaN and Infinity,
half a surrogate pair. What is checked here is the form; whether the state allows it is the law's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from gateway.controlplane.problems import Rejected, rejected
from gateway.core.errors import Place, Problem, listed, nearest
from gateway.core.shapes import kind_of

MAX_JSON: Final = 1 << 20
"""Bytes that a JSON body may have."""

MAX_DEPTH: Final = 64
"""How deep lists and objects of a JSON body may be nested."""

M = TypeVar("M", bound=BaseModel)

_KINDS: Final = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "an integer",
    "int_parsing": "an integer",
    "float_type": "a number",
    "dict_type": "an object",
    "list_type": "a list",
    "model_type": "an object",
}


async def read_limited(request: Request, limit: int) -> bytes:
    """The whole body.

    Raises:
        Rejected: It is longer than the limit; the rest is not read.
    """
    declared = request.headers.get("content-length", "")
    size, pieces = 0, []
    if declared.isdecimal() and int(declared) > limit:
        raise too_large(limit)
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise too_large(limit)
        pieces.append(piece)
    return b"".join(pieces)


def too_large(limit: int) -> Rejected:
    """The body is longer than it may be."""
    message = f"the body is larger than allowed: at most {limit} bytes"
    return rejected(413, "too-large", message)


def parse_json(body: bytes) -> object:
    """A body as JSON.

    Raises:
        Rejected: It is none, or readers would differ about it.
    """
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
        )
        _check_depth(value)
        # A lone surrogate is no text; it could neither be stored nor be sent.
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        _malformed(f"byte {error.start} is no UTF-8")
    except UnicodeEncodeError:
        _malformed("a string holds half a surrogate pair")
    except json.JSONDecodeError as error:
        _malformed(f"{error.msg} at line {error.lineno}, column {error.colno}")
    except RecursionError:
        _malformed(f"it is nested deeper than {MAX_DEPTH} levels")
    except ValueError as error:
        _malformed(str(error))
    return value


def validate(model: type[M], raw: object, what: str) -> M:
    """A body as its model.

    Args:
        model: The model.
        raw: The parsed body.
        what: What it is, for messages: `the body`.

    Raises:
        Rejected: With every mistake.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = explained(error, model, what)
        raise Rejected(422, problems[0].code, problems) from None


def read_query(model: type[M], raw: bytes) -> M:
    """Query parameters as their model.

    Raises:
        Rejected: With every mistake; one that is there twice is a mistake.
    """
    pairs = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
    values = dict(pairs)
    problems: list[Problem] = []
    if len(values) < len(pairs):
        twice = listed(dict.fromkeys(n for n, _ in pairs if [k for k, _ in pairs].count(n) > 1))
        problems.append(Problem("bad-query", f"the query names {twice} more than once"))
    try:
        found = model.model_validate(values)
    except ValidationError as error:
        problems += [
            Problem(p.code, p.message, (), p.hint) for p in explained(error, model, "the query")
        ]
    else:
        if not problems:
            return found
    raise Rejected(400, "bad-query", problems)


def explained(error: ValidationError, model: type[BaseModel], what: str) -> list[Problem]:
    """The mistakes that a model found, in the words of the other checks."""
    return [_explained(detail, model, what) for detail in error.errors(include_url=False)]


def _explained(detail: ErrorDetails, model: type[BaseModel], what: str) -> Problem:
    at: Place = tuple(part for part in detail["loc"] if part != "[key]")
    kind, given = detail["type"], detail["input"]
    name = str(at[-1]) if at else ""
    where = f"{name} of {what}" if at else what
    if kind == "extra_forbidden":
        known = sorted(model.model_fields)
        message = f"{what} has no key {name!r}; allowed: {listed(known)}"
        return Problem("unknown-key", message, at, nearest(name, known), on_key=True)
    if kind == "missing":
        return Problem("missing-key", f"{what} needs {name!r}", at[:-1])
    if kind in _KINDS:
        wanted, said = _KINDS[kind], kind_of(given)
        said = said.replace("a table", "an object")
        if kind == "int_parsing" or said == "a number":
            said = f"{given!r:.80}"
        return Problem("wrong-type", f"{where} must be {wanted}, not {said}", at)
    said = detail["msg"][:1].lower() + detail["msg"][1:]
    return Problem(_code(kind), f"{where} is {given!r:.80}; {said}", at)


def _code(kind: str) -> str:
    if "-" in kind:  # one of ours
        return kind
    bounds = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
    return "out-of-range" if kind in bounds else "bad-value"


def _object(pairs: Iterable[tuple[str, object]]) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is there more than once")
        found[key] = value
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text:.40} is too large for a number")
    return number


def _check_depth(value: object) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        if not inner:
            return
        level = inner
    raise RecursionError


def _malformed(why: str) -> NoReturn:
    raise rejected(400, "malformed-json", f"the body is no JSON that can be read: {why}") from None
