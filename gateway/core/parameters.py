"""Parameters that an API declares: where they are, what they may be, and where they go."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.core.typed import one_of, typed

PLACES: Final = ("header", "query", "path", "body")
"""Where a caller may put a parameter."""

TARGETS: Final = ("header", "query")
"""Where another HTTP server may be sent one."""

KINDS: Final = ("string", "int", "float", "boolean")
"""What a parameter may be; whatever it is, it travels as a text."""

TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What can name a header."""

_FITS: Final[Mapping[str, Callable[[str], object]]] = {
    "string": lambda _text: True,
    "int": re.compile(r"[+-]?[0-9]{1,30}").fullmatch,
    "float": re.compile(
        r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?"
    ).fullmatch,
    "boolean": re.compile(r"true|false").fullmatch,
}


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a parameter goes.

    Attributes:
        name: What it is called there.
        place: One of `TARGETS`.
    """

    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter.

    Attributes:
        name: Its name; of a header in any case.
        place: One of `PLACES`.
        required: Whether a request without it is refused.
        kind: One of `KINDS`; a request with another value is refused.
        default: What it is where a request has none.
        to: Where another HTTP server is sent it; `None` for where it came from.
    """

    name: str
    place: str
    required: bool = False
    kind: str = "string"
    default: str | None = None
    to: Goal | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: header names have no case."""
        return self.place, self.name.lower() if self.place == "header" else self.name


@dataclass(frozen=True, slots=True)
class Constant:
    """What another HTTP server is sent with every request.

    Attributes:
        name: Its name.
        place: One of `TARGETS`.
        value: Its value.
    """

    name: str
    place: str
    value: str


def fits(kind: str, text: str) -> bool:
    """Whether a text is a value of a kind."""
    return bool(_FITS[kind](text))


def parameter_plain(parameter: Parameter) -> dict[str, object]:
    """A parameter as a file writes it: only what is not as usual."""
    said: dict[str, object] = {"name": parameter.name, "in": parameter.place}
    if parameter.required:
        said["required"] = True
    if parameter.kind != "string":
        said["type"] = parameter.kind
    if parameter.default is not None:
        said["default"] = parameter.default
    if parameter.to is not None:
        said["to"] = {"name": parameter.to.name, "in": parameter.to.place}
    return said


def constant_plain(constant: Constant) -> dict[str, object]:
    """A constant as a file writes it."""
    return {"name": constant.name, "in": constant.place, "value": constant.value}


def read_parameter(raw: Mapping[str, Any]) -> Parameter:
    """The parameter that `parameter_plain` wrote.

    Raises:
        KeyError, TypeError, ValueError: It wrote none like this.
    """
    goal, default = raw.get("to"), raw.get("default")
    return Parameter(
        typed(raw["name"], str),
        one_of(raw["in"], PLACES),
        typed(raw.get("required", False), bool),
        one_of(raw.get("type", "string"), KINDS),
        None if default is None else typed(default, str),
        None if goal is None else Goal(typed(goal["name"], str), one_of(goal["in"], TARGETS)),
    )


def read_constant(raw: Mapping[str, Any]) -> Constant:
    """The constant that `constant_plain` wrote.

    Raises:
        KeyError, TypeError, ValueError: It wrote none like this.
    """
    return Constant(typed(raw["name"], str), one_of(raw["in"], TARGETS), typed(raw["value"], str))
