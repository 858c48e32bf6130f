"""A line of a log is read as it was written: by the format string that nginx or Envoy was given.

Variables are `$name`, `${name}`, `%NAME%` and `%NAME(ARGUMENT)%`; everything else stands for
itself. No part of a pattern can give back what it took, so that a line is read in one pass
whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

COMMON: Final = (
    '$remote_addr $remote_ident $remote_user [$time_local] "$request" $status $body_bytes_sent'
)
"""What Apache's common log format is in nginx's words."""

COMBINED: Final = f'{COMMON} "$http_referer" "$http_user_agent"'
"""nginx's and Apache's combined format."""

ENVOY: Final = (
    '[%START_TIME%] "%METHOD% %PATH% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED%'
    ' %BYTES_SENT% %DURATION% %UPSTREAM_SERVICE_TIME% "%X_FORWARDED_FOR%" "%USER_AGENT%"'
    ' "%REQUEST_ID%" "%AUTHORITY%" "%UPSTREAM_HOST%"'
)
"""What Envoy writes unless it is told otherwise, each field by a short name."""

_VARIABLE: Final = re.compile(
    r"\$\{(?P<braced>\w+)\}|\$(?P<plain>\w+)|%(?P<envoy>[A-Z][A-Z0-9_.]*(?:\([^()%]*\))?(?::\d+)?)%"
)
_EXTRA: Final = re.compile(
    r' (?:(?P<name>[A-Za-z_][\w.-]*)=)?(?:"(?P<quoted>[^"]*+)"|(?P<bare>\S++))'
)
_SEVERAL: Final = r"[^\s,]++(?:(?:, | : )[^\s,]++)*+"
"""An upstream's variables list every server that was tried."""

Parse = Callable[[str], Mapping[str, str] | None]
"""Reads a line; `None` where it is not in the format."""


class UnreadableFormat(ValueError):
    """A format string that no line could be read by."""


def parser(written: str, *, extra: bool = False) -> Parse:
    """A reader of lines in a format.

    Args:
        written: The format string.
        extra: Whether further fields may follow, separated by single spaces and in double quotes
            where they hold one: they are called `1`, `2` and so on, and one that is written
            `name=value` by its name, too.

    Raises:
        UnreadableFormat: It has no variable, one twice, or two with nothing between them.
    """
    names, pattern = _pattern(written, r"\S++" if extra else r".*+")
    line = re.compile(pattern)

    def parse(text: str) -> Mapping[str, str] | None:
        match = line.match(text)
        if match is None:
            return None
        fields = dict(zip(names, match.groups(), strict=True))
        if match.end() == len(text):
            return fields
        return _with_extra(fields, text, match.end()) if extra else None

    return parse


def names_of(written: str) -> list[str]:
    """The names that the fields of a format go by."""
    return [_name(variable) for variable in _VARIABLE.finditer(written)]


def _with_extra(fields: dict[str, str], text: str, begin: int) -> Mapping[str, str] | None:
    """The fields and those that follow; `None` where what follows is no list of fields."""
    number = 0
    while begin < len(text):
        match = _EXTRA.match(text, begin)
        if match is None:
            return None
        number += 1
        value = match["quoted"] if match["quoted"] is not None else match["bare"]
        fields[str(number)] = value
        if match["name"]:
            fields[match["name"]] = value
        begin = match.end()
    return fields


def _pattern(written: str, last: str) -> tuple[list[str], str]:
    """The names of the fields, and the regular expression of a line."""
    found = list(_VARIABLE.finditer(written))
    if not found:
        raise UnreadableFormat(f"the log format {written!r} names no field; such as $upstream_addr")
    names, parts = [], [re.escape(written[: found[0].start()])]
    for variable, following in zip(found, [*found[1:], None], strict=True):
        name = _name(variable)
        literal = written[variable.end() : following.start() if following else len(written)]
        if name in names:
            raise UnreadableFormat(f"the log format names {name!r} twice")
        if following and not literal:
            between = f"{variable[0]} and {following[0]}"
            raise UnreadableFormat(f"the log format has nothing between {between}")
        names.append(name)
        parts.append(f"({_values(name, literal) or last})" + re.escape(literal))
    return names, "".join(parts)


def _name(variable: re.Match[str]) -> str:
    if variable["envoy"]:
        return variable["envoy"].lower()
    return variable["braced"] or variable["plain"]


def _values(name: str, literal: str) -> str:
    """What a field may hold: everything up to what follows it; empty where nothing does."""
    first = literal[:1]
    if name.startswith("upstream_") and first in {"", " "}:
        return _SEVERAL
    if first in {"", " "}:
        return r"\S++" if first else ""
    return f"[^{re.escape(first)}]*+"
