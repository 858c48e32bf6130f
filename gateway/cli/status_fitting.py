"""Tables that fit their terminal: what matters least goes first; what still does not fit is cut."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click

from gateway.cli.picture import cells, table

BARS: Final = "▁▂▃▄▅▆▇█"
_PLAIN_BARS: Final = "_.-:=+*#"
NARROWEST: Final = 10
"""Cells below which a course over time says nothing."""

_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        heading: Its heading.
        worth: Columns that are worth least go first.
        rest: Whether its cells may be shortened to what room is left; they are courses over time,
            a character a second, of which the last ones stay.
    """

    heading: str
    worth: int
    rest: bool = False


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """A table of at most so many cells a line, if it can be done by leaving columns out.

    Args:
        columns: The columns.
        rows: Their cells.
        width: How many cells a line may have; `None` for any.
    """
    shown = list(range(len(columns)))
    while width is not None and _least(columns, rows, shown) > width and len(shown) > 1:
        shown.remove(min(shown, key=lambda place: columns[place].worth))
    kept = [[row[place] for place in shown] for row in rows]
    if width is not None:
        room = width - sum(_fixed(columns, rows, shown))
        for row in kept:
            for index, place in enumerate(shown):
                if columns[place].rest:
                    row[index] = row[index][-max(room, NARROWEST) :]
    headings = [columns[place].heading for place in shown]
    return table(headings, kept)


def cut(line: str, width: int) -> str:
    """A line of at most so many cells; one that is cut loses its colours."""
    if cells(line) <= width:
        return line
    text = click.unstyle(line)
    while cells(text) > width - 1:
        text = text[:-1]
    return f"{text}…" if _can("…") else text


def sparkline(course: Sequence[float | None], top: float) -> str:
    """Numbers as bars, one character each, a space where there is none.

    Args:
        course: The numbers.
        top: The number of the highest bar.
    """
    bars = BARS if _can(BARS) else _PLAIN_BARS
    last = len(bars) - 1
    return "".join(
        " " if number is None else bars[min(last, int(number / top * last + 0.5)) if top else 0]
        for number in course
    )


def _fixed(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], shown: Sequence[int]
) -> list[int]:
    """The cells of each column whose width is its own, and the gap behind it."""
    return [
        max(cells(columns[place].heading), *(cells(row[place]) for row in rows), 0) + _GAP
        for place in shown
        if not columns[place].rest
    ]


def _least(columns: Sequence[Column], rows: Sequence[Sequence[str]], shown: Sequence[int]) -> int:
    rests = [columns[place].heading for place in shown if columns[place].rest]
    return sum(_fixed(columns, rows, shown)) + sum(map(len, rests)) - (0 if rests else _GAP)


def _can(text: str) -> bool:
    """Whether standard output can write a text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
