"""A picture that is drawn over itself on a terminal; elsewhere one stands below the other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Self, TextIO

import click

_CLEAR = "\x1b[2J"
_HOME = "\x1b[H"
_LINE_END = "\x1b[K\n"
_BELOW = "\x1b[J"


@dataclass(slots=True)
class Screen:
    """Where pictures are drawn.

    Attributes:
        stream: Standard output.
        terminal: Whether that is a terminal.
        drawn: Whether there is a picture already.
    """

    stream: TextIO
    terminal: bool
    drawn: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Self:
        """The screen of a stream."""
        return cls(stream, stream.isatty())

    def size(self) -> tuple[int | None, int | None]:
        """Cells of a line, and lines, without the one of the cursor; `None` for any number."""
        if not self.terminal:
            return None, None
        width, height = shutil.get_terminal_size()
        return width, max(1, height - 1)

    def show(self, picture: str) -> None:
        """Draw a picture in place of the one before."""
        if not self.terminal:
            click.echo(f"{picture}\n")
            return
        # Not by way of click: without colours it would leave these marks out, too.
        context = click.get_current_context(silent=True)
        plain = context is not None and context.color is False
        lines = (click.unstyle(picture) if plain else picture).splitlines()
        text = "".join(f"{line}{_LINE_END}" for line in lines)
        self.stream.write(f"{'' if self.drawn else _CLEAR}{_HOME}{text}{_BELOW}")
        self.stream.flush()
        self.drawn = True
