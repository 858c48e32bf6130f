"""Exit codes: what a script may rely on."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Every code that a command ends with."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    CANNOT_START = 3
    INVALID = 4
    NOT_FOUND = 5
    CONFLICT = 6
    VERDICT_FAILED = 10
    LIMIT_EXCEEDED = 11
    UNDECIDED = 12
    INTERRUPTED = 130
