"""How a verdict is shown: a table or JSON, a file of HTML, a line while it is not there yet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, NoReturn

import click

from gateway.cli.exits import Exit
from gateway.cli.failures import fail
from gateway.cli.picture import clean, in_line, json_text, table
from gateway.cli.talk import note
from gateway.traffic.observed_judging import Word
from gateway.traffic.verify_report_words import (
    HEADINGS,
    LATENCY,
    LEFT,
    Verified,
    document,
    latency_rows,
    rows,
    sentences,
)

if TYPE_CHECKING:
    from gateway.verdict import Look

CODES: Final = {
    Word.PASSED: Exit.OK,
    Word.FAILED: Exit.VERDICT_FAILED,
    Word.ERRORS: Exit.LIMIT_EXCEEDED,
    Word.UNDECIDED: Exit.UNDECIDED,
    Word.INTERRUPTED: Exit.INTERRUPTED,
}
_COLOURS: Final = {
    Word.PASSED: "green",
    Word.FAILED: "red",
    Word.ERRORS: "red",
    Word.UNDECIDED: "yellow",
    Word.INTERRUPTED: "yellow",
}
_OFTEN: Final = 0.2
"""Seconds between two drawings of the line."""


class Progress:
    """One line on a terminal, drawn again and again; nothing where there is none."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()
        self._next = 0.0

    def show(self, words: Callable[[], str]) -> None:
        """Draw the line anew, unless that was done a moment ago."""
        if self.shown and monotonic() >= self._next:
            self._next = monotonic() + _OFTEN
            click.echo(f"\r\x1b[K{in_line(words())}", nl=False, err=True)

    def clear(self) -> None:
        """Leave no trace."""
        if self.shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def so_far(counts: Mapping[str, Mapping[str, int]], looks: Mapping[str, Look]) -> str:
    """Observed shares and the verdict so far, of every split."""
    told = []
    for name, versions in counts.items():
        total = sum(versions.values())
        shares = ", ".join(
            f"{version} {100 * count / total:.2f} %"
            for version, count in sorted(versions.items())
            if total
        )
        look = looks.get(name)
        told.append(f"{name}: {shares or 'nothing'}" + (f", {look.outcome} so far" if look else ""))
    return "; ".join(told)


def conclude(verified: Verified, *, as_json: bool, html: Path | None) -> NoReturn:
    """Show everything and end the command with the right exit code."""
    code = CODES[verified.word]
    if as_json:
        told = {**document(verified), "exit_code": int(code)}
        click.echo(json_text(told))
    else:
        click.echo(_words(verified))
    if html is not None:
        _write(verified, html)
    raise click.exceptions.Exit(code)


def _words(verified: Verified) -> str:
    outcome, _, rest = verified.sentence.partition(":")
    last = f"{click.style(outcome, fg=_COLOURS[verified.word], bold=True)}:{clean(rest)}"
    lines = [clean(verified.source), "", _aligned(HEADINGS, rows(verified))]
    if verified.latency:
        lines += ["", _aligned(LATENCY, latency_rows(verified))]
    return "\n".join([*lines, "", *map(clean, sentences(verified)), last])


def _aligned(headings: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """A table whose figures stand on the right."""
    cells = [headings, *([clean(cell) for cell in line] for line in lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    head, *body = (
        [
            cell if heading in LEFT else cell.rjust(width)
            for heading, cell, width in zip(headings, line, widths, strict=True)
        ]
        for line in cells
    )
    return table(head, body)


def _write(verified: Verified, path: Path) -> None:
    from gateway.traffic.verify_report import report  # reads a script of megabytes

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report(verified), encoding="utf-8")
    except OSError as error:
        fail("unwritable", f"cannot write {str(path)!r}: {error.strerror}", Exit.USAGE)
    note(f"report: {path}")
