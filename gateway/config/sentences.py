"""What tomllib says, in this project's words and with the stretch of the line that is meant.

Its sentences differ between Python versions, so each is known by its gist, and one that is not
known is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.core.errors import Problem, nearest

TWICE: Final = (
    "Cannot overwrite",
    "Cannot declare",
    "Cannot redefine",
    "Cannot mutate",
    "Duplicate",
)
"""How sentences begin that are about something that was given before."""

_TOKEN = re.compile(r"[^\s,=\[\]{}#\"']+")


class Failure(NamedTuple):
    """Where tomllib stopped.

    Attributes:
        gist: Its sentence without the place.
        line: The text of the line.
        offset: How many characters of the line stand before the place.
        start: How many characters of the whole text stand before the line.
    """

    gist: str
    line: str
    offset: int
    start: int

    @property
    def character(self) -> str:
        """The character it stopped at; empty at the end of the line."""
        return self.line[self.offset : self.offset + 1]

    def token(self) -> re.Match[str] | None:
        """The word around the place."""
        around = (m for m in _TOKEN.finditer(self.line) if m.start() <= self.offset < m.end())
        return next(around, None)


def understood(failure: Failure) -> tuple[Problem, int, int]:
    """The problem, and the stretch of the line that it is about."""
    for gist, explain in _GISTS:
        if failure.gist.startswith(gist):
            return explain(failure)
    message = failure.gist[:1].lower() + failure.gist[1:]
    return Problem("syntax", message), failure.offset, failure.offset + 1


def _illegal(failure: Failure) -> tuple[Problem, int, int]:
    at = failure.offset
    if failure.character:
        message = f"the character {failure.character!r} may not stand in TOML"
        hint = f'in a string: "\\u{ord(failure.character):04x}"'
        return Problem("syntax", message, hint=hint), at, at + 1
    start = max(failure.line.rfind(quote, 0, at) for quote in "\"'")
    message = "the string is not closed before the end of its line"
    hint = "close it with the quote it began with"
    return Problem("syntax", message, hint=hint), max(start, 0), at


def _escape(failure: Failure) -> tuple[Problem, int, int]:
    start = max(failure.line.rfind("\\", 0, failure.offset + 1), 0)
    end = max(failure.offset, start + 2)
    message = f"the string has no valid escape {failure.line[start:end]!s}"
    hint = "write a backslash as \\\\, or the string in 'single quotes'"
    return Problem("syntax", message, hint=hint), start, end


def _value(failure: Failure) -> tuple[Problem, int, int]:
    token = failure.token()
    if token is None:
        message = "a value is missing here"
        hint = 'for example: "text", 3, 0.1, true, [1, 2], { key = "value" }'
        return Problem("syntax", message, hint=hint), failure.offset, failure.offset + 1
    word = token[0]
    hint = nearest(word.lower(), ("true", "false")) or f'a string stands in quotes: "{word}"'
    if word[0] in "0123456789+-.":
        hint = "numbers are written 3, 0.1 or -1e6, dates 2030-12-31; a string stands in quotes"
    message = f"{word!r} is no value: no number, no date, not true or false"
    return Problem("syntax", message, hint=hint), token.start(), token.end()


def _behind(failure: Failure) -> tuple[Problem, int, int]:
    token = failure.token()
    if token is not None and token.start() < failure.offset:
        return _value(failure)
    rest = failure.line[failure.offset :].rstrip()
    message = f"{rest!r} stands behind a complete value"
    hint = "one `key = value` a line"
    return Problem("syntax", message, hint=hint), failure.offset, failure.offset + len(rest)


def _equals(failure: Failure) -> tuple[Problem, int, int]:
    key = failure.line[: failure.offset].rstrip()
    start = len(key) - len(key.lstrip())
    message = f"the key {key.strip()!r} has no value"
    hint = f'for example: {key.strip()} = "text"'
    if failure.character == ":":
        hint = f"a key and its value are joined by '=': {hint.removeprefix('for example: ')}"
    return Problem("syntax", message, hint=hint), start, len(key)


def _frozen(failure: Failure) -> tuple[Problem, int, int]:
    key = failure.line.partition("=")[0].strip().strip("[]").strip()
    start = failure.line.find(key)
    message = f"{key!r} adds to a value that was complete before"
    hint = "neither a plain value nor a list or table in brackets can be extended later"
    return Problem("duplicate-key", message, hint=hint), start, start + len(key)


def _keyless(failure: Failure) -> tuple[Problem, int, int]:
    at = failure.offset
    if not failure.character:
        message = "the line ends where a key was to follow"
        hint = "a table in braces stays on one line and has no comma before its '}'"
        return Problem("syntax", message, hint=hint), at, at + 1
    token = failure.token()
    first, last = (token.start(), token.end()) if token else (at, at + 1)
    message = f"{failure.line[first:last]!r} cannot begin here; allowed: `key = value` or [table]"
    hint = "names of other characters than letters, digits, '-' and '_' stand in quotes"
    return Problem("syntax", message, hint=hint), first, last


def _unclosed(kind: str, mark: str) -> Callable[[Failure], tuple[Problem, int, int]]:
    def explain(failure: Failure) -> tuple[Problem, int, int]:
        message = f"the {kind} is not closed: ',' or {mark!r} is missing here or above"
        return Problem("syntax", message), failure.offset, failure.offset + 1

    return explain


def _header(failure: Failure) -> tuple[Problem, int, int]:
    header = failure.line.strip()
    wanted = "]]" if header.startswith("[[") else "]"
    message = f"the table header {header!r} does not end with {wanted!r}"
    return Problem("syntax", message), failure.offset, failure.offset + 1


_GISTS = (
    *((gist, _frozen) for gist in TWICE),
    ("Illegal character", _illegal),
    ("Found invalid character", _illegal),
    ("Unescaped", _escape),
    ("Invalid hex value", _escape),
    ("Escaped character", _escape),
    ("Invalid value", _value),
    ("Invalid date", _value),
    ("Expected newline", _behind),
    ("Expected '='", _equals),
    ("Expected ']", _header),
    ("Invalid statement", _keyless),
    ("Invalid initial character", _keyless),
    ("Unclosed array", _unclosed("list", "]")),
    ("Unclosed inline", _unclosed("table", "}")),
)
