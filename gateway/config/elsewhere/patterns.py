"""Values, names and paths as regular expressions that match a text whole and need no look-around.

What RE2 and PCRE both read is written, and nothing else, so that one pattern means the same in
every engine. Where a text travels percent-encoded, each character is matched in both spellings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_PLAIN: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ /:@,;=&%~!<>'\""
)
_NEVER_BARE: Final = {"path": frozenset(b"%?#"), "form": frozenset(b"%&#+ ")}


@dataclass(frozen=True, slots=True)
class Alphabet:
    """How characters of a value are spelled where it travels.

    Attributes:
        coding: `none`, `path` (percent-encoding) or `form` (the same, and `+` for a space).
        any: What stands for one character of a value, whatever it is.
    """

    coding: str
    any: str

    def text(self, text: str) -> str:
        """A pattern for exactly this text."""
        return "".join(self.byte(byte) for byte in text.encode())

    def byte(self, byte: int) -> str:
        """A pattern for one byte of a text."""
        if self.coding == "none":
            return bare(byte)
        coded = f"%{_hexadecimal(byte >> 4)}{_hexadecimal(byte & 15)}"
        if byte > 126 or byte in _NEVER_BARE[self.coding]:
            return rf"(?:\+|{coded})" if self.coding == "form" and byte == 32 else coded
        return f"(?:{bare(byte)}|{coded})"

    def digit(self, low: int, high: int) -> str:
        """A pattern for one digit within bounds."""
        within = str(low) if low == high else f"[{low}-{high}]"
        return within if self.coding == "none" else f"(?:{within}|%3{within})"


PLAIN: Final = Alphabet("none", ".")
"""Texts as they are: headers, and paths that an engine has decoded."""

COOKIE: Final = Alphabet("none", "[^;]")
"""Values within a `Cookie` header."""

SEGMENT: Final = Alphabet("none", "[^/]")
"""Segments of a decoded path."""

CODED: Final = Alphabet("path", "(?:[^/%?]|%[^2/?]|%2[^Ff/?])")
"""Segments of a path as it travels."""

FORM: Final = Alphabet("form", "[^&]")
"""Values within a query string."""


def bare(byte: int) -> str:
    """A pattern for one byte that is spelled as it is."""
    if chr(byte) in _PLAIN:
        return chr(byte)
    return f"\\x{byte:02X}" if byte > 126 or byte < 32 else "\\" + chr(byte)


def one_of(patterns: Iterable[str]) -> str:
    """A pattern for what one of several matches."""
    return f"(?:{'|'.join(patterns)})"


def within(low: int, high: int, alphabet: Alphabet) -> str:
    """A pattern for integers within bounds, as rules read them: with signs and zeros."""
    choices = []
    zeros = alphabet.digit(0, 0) + "*"
    if high >= 0:
        sign = alphabet.text("+")
        spelled = [_spelled(each, alphabet) for each in _spans(max(low, 0), high)]
        choices.append(f"(?:{sign})?{zeros}{one_of(spelled)}")
    if low <= 0 <= high:
        choices.append(f"{alphabet.text('-')}{zeros}{alphabet.digit(0, 0)}")
    if low < 0:
        spelled = [_spelled(each, alphabet) for each in _spans(max(-high, 1), -low)]
        choices.append(f"{alphabet.text('-')}{zeros}{one_of(spelled)}")
    return one_of(choices)


def in_query(name: str, value: str | None) -> str:
    """A pattern for query strings whose last parameter of a name has a value; `None` for any."""
    spelled = FORM.text(name)
    if value is None:
        return f"(?:[^&]*&)*{spelled}(?:=[^&]*)?(?:&.*)?"
    return f"(?:[^&]*&)*{spelled}={value}(?:&{_other_parameter(name)})*"


def in_cookies(name: str, value: str | None) -> str:
    """A pattern for `Cookie` headers whose first cookie of a name has a value; `None` for any."""
    spelled = PLAIN.text(name)
    tail = r"[ \t]*(?:;.*)?"
    if value is None:
        return rf"(?:[^;]*;)*[ \t]*{spelled}=.*"
    before = rf"(?:[ \t]*{_other_cookie(name)};)*[ \t]*"
    return f'{before}{spelled}=(?:{value}|"{value}"){tail}'


def _other_parameter(name: str) -> str:
    """A pattern for every parameter that has another name, or none."""
    same, choices = "", []
    for char in name:
        high, low = _hexadecimal(ord(char) >> 4), _hexadecimal(ord(char) & 15).strip("[]")
        choices += [
            rf"{same}(?:%{high}?)?(?:=[^&]*)?",
            rf"{same}(?:[^{_in_class(char)}%&=]|%[^{high}&=]|%{high}[^{low}&=])[^&]*",
        ]
        same += FORM.text(char)
    return one_of([*choices, f"{same}[^&=][^&]*"])


def _other_cookie(name: str) -> str:
    """A pattern for every cookie that has another name, after white space."""
    same, choices = "", []
    for char in name:
        blank = r" \t" if not same else ""
        choices += [same, f"{same}[^{_in_class(char)};{blank}][^;]*"]
        same += PLAIN.text(char)
    return one_of([*choices, same, f"{same}[^=;][^;]*"])


def _in_class(char: str) -> str:
    return char if char.isalnum() or char == "_" else "\\" + char


def _hexadecimal(digit: int) -> str:
    """A pattern for one hexadecimal digit, in both cases."""
    return str(digit) if digit < 10 else f"[{digit:X}{digit:x}]"


def _spans(low: int, high: int) -> list[tuple[str, str]]:
    """Bounds of equal length whose every digit ranges freely between both; none overlap."""
    spans = []
    while low <= high:
        step = 1
        while low % (step * 10) == 0 and low + step * 10 - 1 <= high and low > 0:
            step *= 10
        last = low + step * min(9 - low // step % 10, (high - low + 1) // step - 1) + step - 1
        spans.append((str(low), str(last)))
        low = last + 1
    return spans


def _spelled(bounds: Sequence[str], alphabet: Alphabet) -> str:
    low, high = bounds
    return "".join(alphabet.digit(int(a), int(b)) for a, b in zip(low, high, strict=True))
