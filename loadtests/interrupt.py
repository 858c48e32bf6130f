"""Ctrl-C reaches Locust where Locust waits for it, and not some user in the middle of a request."""

from __future__ import annotations

import signal
from collections.abc import Callable

import gevent


def on_ctrl_c(note: Callable[[], None]) -> None:
    """From now on, Ctrl-C calls `note` and interrupts the greenlet that calls this: Locust's own.

    Otherwise gevent raises `KeyboardInterrupt` in whatever runs at that moment, usually a user,
    and prints its traceback.
    """
    locust = gevent.getcurrent()

    def handle() -> None:
        note()
        gevent.kill(locust, KeyboardInterrupt)

    gevent.signal_handler(signal.SIGINT, handle)
