"""A mistake as people read it: file, line and column, a sentence, the line itself, a caret, a hint.

Columns count characters from 1. What is drawn on a terminal is measured in cells instead, so that
tabs and wide characters do not displace the caret; control and direction characters of the file
never reach the terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from gateway.core.errors import GatewayError

TAB: Final = 4
"""Cells from one tab stop to the next."""

WIDEST: Final = 100
"""Most characters of a source line that are shown; the caret is always among them."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake in a file.

    Attributes:
        file: The file's name as the user gave it.
        line: Counted from 1; 0 when the mistake is the file as a whole.
        column: In characters, counted from 1; 0 like `line`.
        code: Stable name of the kind of mistake, `kebab-case`.
        message: A sentence that names the thing, the value and what is allowed.
        hint: What to do about it; may be empty.
        source_line: The line of the file; empty when there is none to show.
        length: How many characters of the line are meant.
        severity: Warnings do not stop the file from being loaded.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    hint: str = ""
    source_line: str = ""
    length: int = 1
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """The diagnostic as text, with its line, a caret and the hint."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        lines = [f"{place}: {self.severity}[{self.code}]: {self.message}"]
        margin = " " * 5
        if self.source_line.strip():
            shown, caret = _drawn(self.source_line, self.column - 1, self.length)
            number = str(self.line).rjust(len(margin))
            margin = " " * len(number)
            lines += [f"{number} | {shown}".rstrip(), f"{margin} | {caret}"]
        if self.hint:
            lines.append(f"{margin} = hint: {self.hint}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """The diagnostic as JSON; what is unknown is null."""
        return {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "hint": self.hint or None,
            "file": self.file,
            "line": self.line or None,
            "column": self.column or None,
            "length": self.length if self.line else None,
            "source_line": self.source_line or None,
        }


class ConfigurationInvalid(GatewayError):
    """A file that cannot be used; what was live before stays live.

    Attributes:
        diagnostics: Every mistake found, in the order of the file; never empty.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(render(self.diagnostics))


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """All diagnostics as text, an empty line between two of them."""
    return "\n\n".join(map(str, diagnostics))


def _drawn(line: str, start: int, length: int) -> tuple[str, str]:
    """A line as a terminal shows it, and the carets below `length` characters from `start`."""
    first = max(0, min(start - WIDEST // 2, len(line) - WIDEST))
    cells = _cells(line[first : first + WIDEST])
    before = "…" if first else ""
    after = "…" if first + WIDEST < len(line) else ""
    shown = before + "".join(text for text, _ in cells) + after
    indent = len(before) + sum(width for _, width in cells[: start - first])
    meant = cells[start - first : start - first + length]
    return shown, " " * indent + "^" * max(1, sum(width for _, width in meant))


def _cells(line: str) -> list[tuple[str, int]]:
    """Each character of a line as it is shown, with the cells that it takes."""
    cells = []
    used = 0
    for character in line:
        text, width = _cell(character, used)
        cells.append((text, width))
        used += width
    return cells


def _cell(character: str, used: int) -> tuple[str, int]:
    if character == "\t":
        width = TAB - used % TAB
        return " " * width, width
    if " " <= character <= "~":
        return character, 1
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return "\N{REPLACEMENT CHARACTER}", 1
    if category in {"Mn", "Me"}:
        return character, 0
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1
