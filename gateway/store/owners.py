"""Whether the process that owns something in the store still is."""

from __future__ import annotations

import os


def is_alive(process: int) -> bool:
    """Whether the process of a number still is, whoever's it is."""
    try:
        os.kill(process, 0)  # no signal: only the question
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
