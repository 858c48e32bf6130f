"""API paths: the cloud's four kinds in one compiled table whose look-up does not grow with it.

`=/user` exact, `^~/user` prefix, `/user/{id}` parameter, `/user` plain (exact or prefix); tried
in this order, within a kind the longest wins (CONTRACT 5.2, page 628/11795). Prefixes match
characters, not segments: `/user` also answers `/usertest`. Where the cloud is silent: a parameter
is one whole segment; of two parameter paths the one with the earlier literal segment wins; and an
API that has the path but not the method gives way to the next one that has both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from operator import itemgetter
from types import MappingProxyType
from typing import Final, Generic, TypeVar
from urllib.parse import quote

from gateway.core.errors import ApiNotFound, MethodNotSupported, Problem, Refused, listed, nearest

METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "ANY")

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")
_ALLOWED = re.compile(r"/[^\s?#\\{}]*")
NO_PARAMETERS: Final[Mapping[str, str]] = MappingProxyType({})

T = TypeVar("T")


class Kind(IntEnum):
    """The four kinds of path; a smaller one is tried first."""

    EXACT = 1
    PREFIX = 2
    PARAMETER = 3
    PLAIN = 4


@dataclass(frozen=True, slots=True)
class Path:
    """A checked path pattern.

    Attributes:
        text: As written, `^~/user`.
        kind: Which of the four kinds it is.
        literal: The text without its marker.
        parameters: Names of its parameters, from left to right.
    """

    text: str
    kind: Kind
    literal: str
    parameters: tuple[str, ...] = ()


def parse_path(text: str) -> Path:
    """Check a path pattern.

    Raises:
        Refused: With code `bad-path`.
    """
    kind, literal = _kind_of(text)
    bare = _PARAMETER.sub("", literal)
    parameters = tuple(_PARAMETER.findall(literal))
    marker = text.removesuffix(literal)
    if not literal.startswith("/"):
        _refuse(text, "must start with '/'", f"did you mean {marker + '/' + literal!r}?")
    if _ALLOWED.fullmatch(bare) is None:
        _refuse(text, "may not hold white space, '?', '#', '\\' or stray braces")
    if kind is not Kind.PARAMETER and parameters:
        _refuse(text, "has parameters behind '=' or '^~'", f"did you mean {literal!r}?")
    for segment in literal.split("/"):
        if "{" in segment and _PARAMETER.fullmatch(segment) is None:
            _refuse(text, f"has a parameter inside the segment {segment!r}", "use /{name}/")
    if len(set(parameters)) < len(parameters):
        _refuse(text, "names a parameter twice")
    return Path(text, kind, literal, parameters)


def check_method(method: str) -> str:
    """Check an API's method.

    Raises:
        Refused: With code `bad-method`.
    """
    if method in METHODS:
        return method
    message = f"the method {method!r} is unknown; allowed: {listed(METHODS)}"
    raise Refused([Problem("bad-method", message, hint=nearest(method.upper(), METHODS))])


def _kind_of(text: str) -> tuple[Kind, str]:
    if text.startswith("="):
        return Kind.EXACT, text[1:]
    if text.startswith("^~"):
        return Kind.PREFIX, text[2:]
    return (Kind.PARAMETER if "{" in text else Kind.PLAIN), text


def _refuse(text: str, why: str, hint: str = "") -> None:
    raise Refused([Problem("bad-path", f"the path {text!r} {why}", hint=hint)])


class _Prefixes(Generic[T]):
    """Prefix paths by length: one dictionary look-up for each length that occurs."""

    def __init__(self) -> None:
        self.paths: dict[str, dict[str, T]] = {}
        self.lengths: tuple[int, ...] = ()

    def add(self, literal: str, method: str, value: T) -> None:
        self.paths.setdefault(literal, {})[method] = value

    def seal(self) -> None:
        self.lengths = tuple(sorted({len(path) for path in self.paths}, reverse=True))

    def find(self, path: str, method: str, seen: list[str]) -> T | None:
        paths, size = self.paths, len(path)
        for length in self.lengths:
            if length <= size and (methods := paths.get(path[:length])) is not None:
                value = methods.get(method) or methods.get("ANY")
                if value is not None:
                    return value
                seen.append(path)
        return None


class _Shapes(Generic[T]):
    """Parameter paths by shape: one dictionary look-up for each arrangement of literal segments.

    Paths with the same number of segments and parameters at the same places share a dictionary
    from their literal segments to their methods. Shapes are tried with earlier literals first, so
    their number, and not that of the paths, bounds the work.
    """

    def __init__(self) -> None:
        self._shapes: dict[int, dict[tuple[bool, ...], _Shape[T]]] = {}
        self.sealed: dict[int, tuple[_Shape[T], ...]] = {}

    def add(self, path: Path, method: str, value: T) -> None:
        segments = path.literal.split("/")
        places = tuple(segment.startswith("{") for segment in segments)
        shapes = self._shapes.setdefault(len(segments), {})
        shape = shapes.setdefault(places, _Shape(places))
        key = shape.literals(segments)
        shape.paths.setdefault(key, {})[method] = (value, path.parameters)

    def seal(self) -> None:
        for size, shapes in self._shapes.items():
            self.sealed[size] = tuple(shapes[places] for places in sorted(shapes))

    def find(self, path: str, method: str, seen: list[str]) -> tuple[T, Mapping[str, str]] | None:
        segments = path.split("/")
        for shape in self.sealed.get(len(segments), ()):
            methods = shape.paths.get(shape.literals(segments))
            if methods is None or not all(values := shape.values(segments)):
                continue
            found = methods.get(method) or methods.get("ANY")
            if found is not None:
                return found[0], dict(zip(found[1], values))  # noqa: B905 - checking costs as much
            seen.append(path)
        return None


class _Shape(Generic[T]):
    """One arrangement of literal and parameter segments."""

    __slots__ = ("literals", "paths", "values")

    def __init__(self, places: tuple[bool, ...]) -> None:
        literals = [index for index, is_parameter in enumerate(places) if not is_parameter]
        values = [index for index, is_parameter in enumerate(places) if is_parameter]
        # The empty text before the first "/" is a literal segment of every path, so there is
        # always one; itemgetter gives a bare value for a single place and a tuple for more.
        self.literals: Callable[[list[str]], object] = itemgetter(*literals)
        self.values: Callable[[list[str]], Iterable[str]] = (
            itemgetter(*values) if len(values) > 1 else itemgetter(slice(values[0], values[0] + 1))
        )
        self.paths: dict[object, dict[str, tuple[T, tuple[str, ...]]]] = {}


class Table(Generic[T]):
    """Every released API of one stage, compiled for look-up.

    Args:
        entries: `(method, path, value)`; a value is what `match` gives back.

    Raises:
        Refused: With code `duplicate-api` when two entries have the same method and path; the
            problem's place is the index of the later one.
    """

    def __init__(self, entries: Iterable[tuple[str, Path, T]]) -> None:
        self._exact: dict[str, dict[str, T]] = {}
        self._prefixes: _Prefixes[T] = _Prefixes()
        self._shapes: _Shapes[T] = _Shapes()
        self._plain: _Prefixes[T] = _Prefixes()
        taken: set[tuple[str, str]] = set()
        for index, (method, path, value) in enumerate(entries):
            key = (method, _PARAMETER.sub("{}", path.text))
            if key in taken:
                message = f"another api has the method {method} and the path {path.text!r}"
                raise Refused([Problem("duplicate-api", message, (index,))])
            taken.add(key)
            self._add(method, path, value)
        self._prefixes.seal()
        self._shapes.seal()
        self._plain.seal()

    def match(self, method: str, path: str) -> tuple[T, Mapping[str, str]]:
        """The value for a request, with the values of its path parameters.

        Args:
            method: The request's method, upper case.
            path: The decoded path without the stage, starting with `/`.

        Raises:
            ApiNotFound: No API has the path.
            MethodNotSupported: Some have it, but none the method.
        """
        seen: list[str] = []
        methods = self._exact.get(path)
        if methods is not None:
            value = methods.get(method) or methods.get("ANY")
            if value is not None:
                return value, NO_PARAMETERS
            seen.append(path)
        value = self._prefixes.find(path, method, seen)
        if value is not None:
            return value, NO_PARAMETERS
        found = self._shapes.find(path, method, seen) if self._shapes.sealed else None
        if found is not None:
            return found
        value = self._plain.find(path, method, seen)
        if value is not None:
            return value, NO_PARAMETERS
        if seen:
            raise MethodNotSupported(method, quote(path))
        raise ApiNotFound(quote(path))

    def _add(self, method: str, path: Path, value: T) -> None:
        if path.kind is Kind.EXACT:
            self._exact.setdefault(path.literal, {})[method] = value
        elif path.kind is Kind.PREFIX:
            self._prefixes.add(path.literal, method, value)
        elif path.kind is Kind.PLAIN:
            self._plain.add(path.literal, method, value)
        else:
            self._shapes.add(path, method, value)
