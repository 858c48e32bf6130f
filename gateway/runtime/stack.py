"""An error as its author wants to see it: the frames of the user's code and of what it called.

The frames of the gateway and of the import machinery are left out, and so is the private prefix
under which a version's modules are registered.
"""

from __future__ import annotations

import os.path
import traceback
from typing import Final

_OURS: Final = os.path.dirname(__file__) + os.sep  # noqa: PTH120 - compared as text per frame
_MACHINERY: Final = "<frozen importlib"


def error_name(error: BaseException) -> str:
    """The bare name of the error's type."""
    return type(error).__qualname__


def error_text(error: BaseException) -> str:
    """The error's message, even when its `__str__` is itself broken."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - user code may raise anything here
        return f"<unprintable {error_name(error)}>"


def user_stack(error: BaseException, folder: str, prefix: str) -> str:
    """The traceback of `error`, trimmed, as Python would print it.

    Args:
        error: What the user's code raised.
        folder: The version's folder; the report starts with the first frame inside it.
        prefix: The private module prefix to leave out of names and messages.
    """
    report = traceback.TracebackException.from_exception(error)
    inside = os.path.join(folder, "")  # noqa: PTH118 - compared as text per frame
    # A queue, not recursion: a chain of causes may be longer than Python's own stack.
    queue = [report]
    while queue:
        part = queue.pop()
        part.stack = traceback.StackSummary.from_list(_user_frames(part.stack, inside))
        followers = (part.__cause__, part.__context__, *(part.exceptions or ()))
        queue.extend(follower for follower in followers if follower is not None)
    return "".join(report.format()).replace(prefix, "")


def _user_frames(frames: traceback.StackSummary, inside: str) -> list[traceback.FrameSummary]:
    first = next((i for i, f in enumerate(frames) if f.filename.startswith(inside)), len(frames))
    return [f for f in frames[first:] if not f.filename.startswith((_OURS, _MACHINERY))]
