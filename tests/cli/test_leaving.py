"""The end of a process whose handlers left threads: told, and not waited for."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from gateway.cli import leaving

PROGRAM = """
import threading, time
from gateway.cli import leaving
leaving.GRACE_SECONDS = 0.05
before = frozenset(threading.enumerate())
threading.Thread(target=time.sleep, args=(600,), name="left").start()
leaving.leave(before)
print("the main program is over", flush=True)
"""


def test_a_process_ends_without_the_threads_that_were_left() -> None:
    """With the exit code of an ordinary end."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "the main program is over\n")
    assert done.stderr == "warning[threads-left]: handlers left threads running: left\n"


def test_nothing_is_said_where_nobody_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    """Daemons do not count, nor those that were there before."""
    over = threading.Event()
    threads = [threading.Thread(target=over.wait, daemon=daemon) for daemon in (True, False)]
    for thread in threads:
        thread.start()
    try:
        leaving.leave(frozenset({*threading.enumerate()} - {threads[0]}))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert capsys.readouterr() == ("", "")
