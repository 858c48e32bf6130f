"""What can be wrong with a file of traffic: the file, the line, and a sentence about it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class TrafficError(Exception):
    """Base of every error that a file of traffic can give.

    Attributes:
        code: Stable name of the kind of error.
        hint: What to do about it; empty where there is nothing to add.
    """

    code: ClassVar[str] = "bad-traffic"
    hint: str = ""


class Unreadable(TrafficError):
    """A file that cannot be read, or not to its end.

    Attributes:
        file: The file as it was named; `-` is standard input.
        sentence: What is wrong with it.
    """

    code = "unreadable-file"

    def __init__(self, file: str, sentence: str, hint: str = "") -> None:
        self.file = file
        self.sentence = sentence
        self.hint = hint
        super().__init__(f"{file}: {sentence}")


class BadLine(TrafficError):
    """A line that says no request.

    Attributes:
        file: The file as it was named.
        line: The number of the line, counted from 1.
        sentence: What is wrong with it.
    """

    code = "bad-line"

    def __init__(self, file: str, line: int, sentence: str) -> None:
        self.file = file
        self.line = line
        self.sentence = sentence
        super().__init__(f"{file}:{line}: {sentence}")


class NothingLeft(TrafficError):
    """A file of which no request is left: it had none, or all were left out."""

    code = "nothing-left"

    def __init__(self, file: str) -> None:
        super().__init__(f"no request is left of {file!r}")


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the valid name that looks most like `name`, or an empty text."""
    close = get_close_matches(name, list(allowed), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
