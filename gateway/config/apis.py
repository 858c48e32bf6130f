"""`[[apis]]`: a method, a path and who answers; the order is that of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from gateway.config.backends import read_backend
from gateway.config.features import read_api_features
from gateway.core.errors import Place, Problem, Refused
from gateway.core.routes import METHODS, Path, check_method, parse_path
from gateway.core.shapes import Reader
from gateway.core.snapshot import Api

MAX_NAME: Final = 60
"""Longest name of an API, in characters."""

T = TypeVar("T")

_SHOWN = 60


@dataclass(slots=True)
class _Taken:
    """Who came first: a method and path, or a name, may be had once."""

    line_of: Callable[[Place], int]
    routes: dict[tuple[str, str], Place]
    names: dict[str, Place]


def read_apis(
    document: Reader, functions: Mapping[str, object], line_of: Callable[[Place], int]
) -> list[Api]:
    """Read `[[apis]]`; mistakes are added to the document's.

    Args:
        document: The whole file.
        functions: What the file declares, by name.
        line_of: The line of a place, for messages that name a second one.
    """
    if isinstance(document.get("apis"), Mapping):
        message = "apis of the file must be a list, not a table"
        document.wrong("wrong-type", message, "apis", hint="each api starts with [[apis]]")
        return []
    taken = _Taken(line_of, {}, {})
    found = [
        _read_api(
            Reader(raw, _what(raw, index), document.problems, ("apis", index)), functions, taken
        )
        for index, raw in enumerate(document.sequence("apis"))
    ]
    return [api for api in found if api is not None]


def functions_named(document: Reader) -> tuple[str, ...]:
    """The functions that APIs name, each once, whatever else is wrong with the API."""
    apis = document.get("apis")
    entries = apis if isinstance(apis, list) else ()
    names = (raw.get("function") for raw in entries if isinstance(raw, Mapping))
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


def _what(raw: object, index: int) -> str:
    """What messages call an API: its method and path, or its number where it has none."""
    if isinstance(raw, Mapping):
        method, path = raw.get("method"), raw.get("path")
        if isinstance(method, str) and isinstance(path, str) and len(method + path) <= _SHOWN:
            return f"api {f'{method} {path}'!r}"
    return f"api {index + 1}"


def _read_api(api: Reader, functions: Mapping[str, object], taken: _Taken) -> Api | None:
    method = _checked(api, "method", '"GET"', check_method)
    path = _checked(api, "path", '"/orders/{id}"', parse_path)
    backend = read_backend(api, functions)
    features = read_api_features(api, path)
    name = api.text("name")
    api.finish()
    if api.has("name") and isinstance(api.get("name"), str):
        _check_name(api, name)
    if method is None or path is None:
        return None
    _check_route(api, method, path, taken)
    key = name or f"{method} {path.text}"
    first = taken.names.setdefault(key, api.at)
    if name and first != api.at:
        line = taken.line_of((*first, "name"))
        api.wrong("duplicate-name", f"another api is named {name!r}, in line {line}", "name")
    return Api(key, method, path, backend, features) if backend is not None else None


def _checked(api: Reader, key: str, example: str, check: Callable[[str], T]) -> T | None:
    """A required text that the core checks; `None` after a mistake was recorded."""
    text = api.required(key, example)
    try:
        return None if text is None else check(text)
    except Refused as refused:
        api.problems += [problem.under(*api.at, key) for problem in refused.problems]
        return None


def _check_name(api: Reader, name: str) -> None:
    if name.partition(" ")[0] in METHODS:
        message = f"the name {name!r} looks like a method and a path, which name other apis"
        api.wrong("bad-name", message, "name")
    elif not 1 <= len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        message = f"the name {name!r} cannot name an api; allowed: 1 to {MAX_NAME} characters"
        api.wrong("bad-name", message, "name")


def _check_route(api: Reader, method: str, path: Path, taken: _Taken) -> None:
    shape = path.text
    for parameter in path.parameters:
        shape = shape.replace(f"{{{parameter}}}", "{}")
    first = taken.routes.setdefault((method, shape), api.at)
    if first == api.at:
        return
    line = taken.line_of(first)
    message = f"another api has the method {method} and the path {path.text!r}, in line {line}"
    hint = "names of parameters do not tell paths apart" if path.parameters else ""
    api.problems.append(Problem("duplicate-api", message, (*api.at, "path"), hint))
