"""One file as bytes, text and places; what cannot be read is told like every other mistake."""

from __future__ import annotations

import os
from bisect import bisect_right
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal, NoReturn

from gateway.config.diagnostics import ConfigurationInvalid, Diagnostic
from gateway.config.positions import Positions, Span
from gateway.core.errors import Place, Problem

_UNQUOTED = ("must be a string, not a number", "must be a string, not a boolean")

Severity = Literal["error", "warning"]


class Source:
    """A file that was read.

    Args:
        file: Its name as the user gave it.
        data: Its bytes.
        text: The same, decoded.
    """

    def __init__(self, file: str, data: bytes, text: str = "") -> None:
        self.file = file
        self.data = data
        self.text = text
        self._lines: dict[int, str] = {}

    @cached_property
    def positions(self) -> Positions:
        """Where keys and values stand; made only when something is to be shown."""
        return Positions(self.data)

    @cached_property
    def _starts(self) -> list[int]:
        """Where each line starts; at the end, where one more would start."""
        starts = [0]
        while (end := self.data.find(b"\n", starts[-1])) >= 0:
            starts.append(end + 1)
        return [*starts, len(self.data) + 1]

    def line_of(self, place: Place) -> int:
        """The line of a place, for messages that name a second one."""
        span = self.positions.find(place, on_key=True)
        return bisect_right(self._starts, span.start) if span else 1

    def explain(
        self, problems: Iterable[Problem], severity: Severity = "error"
    ) -> list[Diagnostic]:
        """Problems as diagnostics, in the order of the file, each once."""
        found = [self._explained(problem, severity) for problem in _without_echoes(problems)]
        return sorted(dict.fromkeys(found), key=lambda found: (found.line, found.column))

    def at_bytes(self, span: Span, problem: Problem, severity: Severity = "error") -> Diagnostic:
        """A diagnostic for a stretch of bytes; of several lines only the first is shown."""
        line = bisect_right(self._starts, span.start)
        start, end = self._starts[line - 1], self._starts[line] - 1
        if line not in self._lines:
            whole = self.data[start:end].removesuffix(b"\r")
            self._lines[line] = whole.decode(errors="replace")
        before = self.data[start : span.start].decode(errors="replace")
        meant = self.data[span.start : min(span.end, end)].rstrip(b"\r").decode(errors="replace")
        return Diagnostic(
            file=self.file,
            line=line,
            column=len(before) + 1,
            code=problem.code,
            message=problem.message,
            hint=problem.hint,
            source_line=self._lines[line],
            length=max(1, len(meant)),
            severity=severity,
        )

    def _explained(self, problem: Problem, severity: Severity) -> Diagnostic:
        span = self.positions.find(problem.at, on_key=problem.on_key)
        if span is not None:
            return self.at_bytes(span, self._quoted(problem, span), severity)
        code, message, hint = problem.code, problem.message, problem.hint
        return Diagnostic(self.file, 1, 1, code, message, hint, severity=severity)

    def _quoted(self, problem: Problem, span: Span) -> Problem:
        """The problem with what to write, where only the quotes are missing."""
        if problem.hint or not problem.message.endswith(_UNQUOTED):
            return problem
        text = self.data[span.start : span.end].decode()
        return replace(problem, hint=f'write it in quotes: "{text}"')


def _without_echoes(problems: Iterable[Problem]) -> list[Problem]:
    """Problems without those that only follow from another: no table, hence no keys in it."""
    every = list(problems)
    untyped = {problem.at for problem in every if problem.code == "wrong-type"}
    return [p for p in every if not (p.code.startswith("missing-") and p.at in untyped)]


def read(path: str | os.PathLike[str], hint: str = "") -> Source:
    """Read a file.

    Args:
        path: The file.
        hint: What to do where there is none; empty for nothing to add.

    Raises:
        ConfigurationInvalid: It is missing, unreadable, or no UTF-8 text.
    """
    file = os.fspath(path)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        _refuse(file, "missing-file", "there is no such file", hint)
    except IsADirectoryError:
        meant = f"did you mean {str(Path(path) / 'stages.toml')!r}?"
        _refuse(file, "unreadable-file", "this is a folder, not a file", meant)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL character
        reason = getattr(error, "strerror", None) or str(error)
        _refuse(file, "unreadable-file", f"the file cannot be read: {reason}")
    return Source(file, data, _decoded(file, data))


def _decoded(file: str, data: bytes) -> str:
    if data.startswith(BOM_UTF8):
        problem = Problem("bad-encoding", "the file starts with a byte order mark", hint=_SAVE)
        raise ConfigurationInvalid([Source(file, data[3:]).at_bytes(Span(0, 0), problem)])
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        _refuse(file, "bad-encoding", "the file is UTF-16; TOML is UTF-8", _SAVE)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; TOML is UTF-8"
        problem = Problem("bad-encoding", message, hint=_SAVE)
        span = Span(error.start, error.end)
        raise ConfigurationInvalid([Source(file, data).at_bytes(span, problem)]) from None


_SAVE = "save it as 'UTF-8', without a byte order mark"


def _refuse(file: str, code: str, message: str, hint: str = "") -> NoReturn:
    raise ConfigurationInvalid([Diagnostic(file, 0, 0, code, message, hint)])
