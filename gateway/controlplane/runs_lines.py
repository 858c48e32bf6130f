"""What a program writes on a terminal, as the lines that a person would see in the end; pure."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections import deque
from typing import Final

KEPT: Final = 200
"""Lines that are kept; older ones are forgotten."""

LONGEST: Final = 2000
"""Characters of one line that are kept."""

_STEERING: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]")
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Screen:
    """Takes what is written, piece by piece.

    A carriage return begins the line anew, so that of a progress line only the last state is kept.
    """

    def __init__(self) -> None:
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._whole: deque[str] = deque(maxlen=KEPT)
        self._open = ""

    def write(self, data: bytes) -> None:
        """Take a piece."""
        text = (self._open + self._decoder.decode(data)).replace("\r\n", "\n")
        *whole, self._open = text.split("\n")
        self._whole.extend(shown for line in whole if (shown := _shown(line)))
        if len(self._open) > 4 * LONGEST:  # a line that never ends must not grow for ever
            self._open = self._open[-LONGEST:]

    def lines(self) -> list[str]:
        """What is to be seen now."""
        last = _shown(self._open)
        return [*self._whole, *([last] if last else [])]


def _shown(line: str) -> str:
    """The last state of a line, without what steers a terminal."""
    states = [_UNSEEN.sub("", _STEERING.sub("", state)).rstrip() for state in line.split("\r")]
    return next((state for state in reversed(states) if state), "")[:LONGEST]
