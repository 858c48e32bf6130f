"""Declared parameters and constants of an API, as a file says them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from gateway.config.fields import wrong_key
from gateway.core.errors import Problem, listed, nearest
from gateway.core.parameters import (
    KINDS,
    PLACES,
    TARGETS,
    TOKEN,
    Constant,
    Goal,
    Parameter,
    fits,
)
from gateway.core.routes import Path
from gateway.core.shapes import Reader

_LONGEST: Final = 100
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS: Final = frozenset(
    {"connection", "content-length", "expect", "host", "transfer-encoding", "x-api-requestid"}
)


def read_parameters(api: Reader, path: Path | None) -> tuple[Parameter, ...]:
    """`parameters` of one of `[[apis]]`.

    Args:
        api: The API's table.
        path: Its path; `None` where that has a mistake of its own.
    """
    found: list[Parameter] = []
    for index, raw in enumerate(api.sequence("parameters")):
        reader = Reader(raw, _what(raw, index, api), api.problems, (*api.at, "parameters", index))
        parameter = _read_parameter(reader, path, forwarded=api.has("http"))
        if parameter is None:
            continue
        if parameter.key in {each.key for each in found}:
            message = f"{api.what} has another {parameter.place} parameter {parameter.name!r}"
            reader.wrong("duplicate-name", message, "name")
        found.append(parameter)
    return tuple(found)


def read_constants(api: Reader) -> tuple[Constant, ...]:
    """`constants` of one of `[[apis]]`."""
    if api.has("constants") and not api.has("http"):
        message = f"'constants' of {api.what} has no effect without 'http'"
        wrong_key(api, Problem("unused-key", message, ("constants",)))
    found = []
    for index, raw in enumerate(api.sequence("constants")):
        what = f"constant {index + 1} of {api.what}"
        reader = Reader(raw, what, api.problems, (*api.at, "constants", index))
        name, place = _read_name(reader, TARGETS, '"X-Source"')
        value = reader.required("value", '"gateway"')
        reader.finish()
        if value is not None and place == "header" and _VALUE.fullmatch(value) is None:
            message = f"the value of {reader.what} holds line ends or characters beyond Latin-1"
            reader.wrong("bad-header", message, "value")
        found.append(Constant(name or "", place, value or ""))
    return tuple(found)


def _what(raw: object, index: int, api: Reader) -> str:
    name = raw.get("name") if isinstance(raw, dict) else None
    if isinstance(name, str) and len(name) <= _LONGEST:
        return f"parameter {name!r} of {api.what}"
    return f"parameter {index + 1} of {api.what}"


def _read_parameter(reader: Reader, path: Path | None, *, forwarded: bool) -> Parameter | None:
    name, place = _read_name(reader, PLACES, '"id"')
    required = reader.flag("required", default=False)
    kind = reader.choice("type", KINDS, "string")
    default = reader.text("default") if reader.has("default") else None
    reader.get("default")  # known, even where there is none
    goal = _read_goal(reader) if reader.get("to") is not None else None
    reader.finish()
    if default is not None:
        _check_default(reader, place, kind, default)
    if goal is not None and not forwarded:
        message = f"'to' of {reader.what} has no effect without 'http'"
        wrong_key(reader, Problem("unused-key", message, ("to",)))
    elif goal is not None and place == "body":
        message = f"'to' of {reader.what} has no effect: a body passes as it came"
        wrong_key(reader, Problem("unused-key", message, ("to",)))
    if name is None:
        return None
    if place == "path" and path is not None and name not in path.parameters:
        message = f"{reader.what} is not in the path; it has {listed(path.parameters)}"
        hint = nearest(name, path.parameters)
        reader.wrong("unknown-parameter", message, "name", hint=hint)
    return Parameter(name, place, required, kind, default, goal)


def _read_goal(reader: Reader) -> Goal:
    at = (*reader.at, "to")
    goal = Reader(reader.get("to"), f"'to' of {reader.what}", reader.problems, at)
    name, place = _read_name(goal, TARGETS, '"X-Id"')
    goal.finish()
    return Goal(name or "", place)


def _read_name(reader: Reader, places: Sequence[str], example: str) -> tuple[str | None, str]:
    """The name and the place; both are required."""
    name = reader.required("name", example)
    place = places[0]
    if reader.has("in"):
        place = reader.choice("in", places, place)
    else:
        reader.required("in", f'"{places[0]}"')
    if name is not None:
        _check_name(reader, name, place)
    return name, place


def _check_name(reader: Reader, name: str, place: str) -> None:
    if not 1 <= len(name) <= _LONGEST or not name.isprintable():
        message = f"{name!r} cannot name a parameter; allowed: 1 to {_LONGEST} characters"
        reader.wrong("bad-name", message, "name")
    elif place == "header" and TOKEN.fullmatch(name) is None:
        message = f"{name!r} cannot name a header; allowed: letters, digits and '-'"
        reader.wrong("bad-header", message, "name")
    elif place == "header" and (name.lower() in _OURS or name.lower().startswith("x-gateway-")):
        message = f"the header {name!r} is set by the gateway itself"
        reader.wrong("bad-header", message, "name")


def _check_default(reader: Reader, place: str, kind: str, default: str) -> None:
    if place in {"path", "body"}:
        why = "a path has it, or does not match" if place == "path" else "a body passes as it came"
        message = f"'default' of {reader.what} has no effect: {why}"
        wrong_key(reader, Problem("unused-key", message, ("default",)))
    elif not fits(kind, default):
        message = f"the default of {reader.what} is {default!r}, which is no {kind}"
        reader.wrong("bad-default", message, "default")
    elif place == "header" and _VALUE.fullmatch(default) is None:
        message = f"the default of {reader.what} holds line ends or characters beyond Latin-1"
        reader.wrong("bad-header", message, "default")
