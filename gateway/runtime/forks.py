"""A process that a handler forks ends with the handler: it has nothing to answer to anybody.

It is a copy of the gateway with all its connections, in which a single thread goes on. What a
handler does in it until it returns, or raises, is the handler's business.
"""

from __future__ import annotations

import os

_forked = False


def _note() -> None:
    global _forked  # noqa: PLW0603 - of the process, and never again otherwise
    _forked = True


os.register_at_fork(after_in_child=_note)


def end_if_forked(*, failed: bool) -> None:
    """End this process at once, if it is one that a handler forked.

    Args:
        failed: Whether the handler raised in it.
    """
    if _forked:
        os._exit(int(failed))
