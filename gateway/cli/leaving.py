"""The end of a process that served: threads that handlers have left running do not keep it."""

from __future__ import annotations

import os
import threading
from typing import Final

import click

from gateway.core.errors import listed

SOON_SECONDS: Final = 0.5
"""How long threads that end anyway are waited for before anything is said."""

GRACE_SECONDS: Final = 2.0
"""How long such threads have to end by themselves."""


def leave(before: frozenset[threading.Thread]) -> None:
    """Tell of threads that would be waited for, and see to it that they are not for long.

    Python ends only when every thread has that is no daemon, and no thread can be ended from
    outside.

    Args:
        before: The threads that there were before anything was served.
    """
    left = [each for each in threading.enumerate() if not each.daemon and each not in before]
    for thread in left:
        thread.join(SOON_SECONDS / len(left))  # a library's threads end just after its loop
    left = [each for each in left if each.is_alive()]
    if not left:
        return
    names = listed(sorted(each.name for each in left))
    click.echo(f"warning[threads-left]: handlers left threads running: {names}", err=True)
    threading.Thread(target=_end, args=(left,), name="gateway-end", daemon=True).start()


def _end(left: list[threading.Thread]) -> None:
    threading.main_thread().join()  # which is over when the interpreter waits for the others
    for thread in left:
        thread.join(GRACE_SECONDS / len(left))
    os._exit(0)
