"""The process above a web version's server: the server never outlives the gateway.

Run as a program: it starts the command of its arguments in a process group of its own, and ends
the group when standard input closes. The gateway holds the other end of that pipe; however the
gateway ends, killed or not, the pipe closes. It imports the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import Final

GRACE_SECONDS: Final = 3.0
"""How long a server may take to end by itself."""

WATCH: Final = "gateway-guard"
"""The name of the thread that waits for the pipe to close."""

NOT_STARTED: Final = 127
"""The exit code when the command cannot be run, as shells have it."""


def guard(command: list[str], pipe: int, grace: float = GRACE_SECONDS) -> int:
    """Run a command until it ends or the pipe closes.

    Args:
        command: What to run.
        pipe: A file descriptor; nothing is ever written to its other end.
        grace: Seconds between asking the command to end and killing it.

    Returns:
        The exit code of the command; 128 and the number of the signal that ended it.
    """
    try:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603 - the user's own program
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_STARTED
    ended = threading.Event()
    watched = server.pid, pipe, ended, grace
    threading.Thread(target=_watch, args=watched, name=WATCH, daemon=True).start()
    code = server.wait()
    ended.set()
    _end(server.pid, signal.SIGKILL)  # what it left running
    return code if code >= 0 else 128 - code


def _watch(group: int, pipe: int, ended: threading.Event, grace: float) -> None:
    os.read(pipe, 1)
    if not ended.is_set():
        _end(group, signal.SIGTERM)
    if not ended.wait(grace):
        _end(group, signal.SIGKILL)


def _end(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:], sys.stdin.fileno()))
