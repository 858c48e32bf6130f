"""Exit codes of a load test: the same numbers that every command of the project ends with."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a load test ends."""

    PASSED = 0
    USAGE = 2
    UNREACHABLE = 3
    FAILED = 10
    ERRORS = 11
    UNDECIDED = 12
    INTERRUPTED = 130
