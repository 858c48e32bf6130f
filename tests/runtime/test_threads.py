"""Threads start on demand, are used again, end when they are idle, and never hold the process."""

from __future__ import annotations

import queue
import subprocess
import sys
import textwrap
import threading

import pytest

from gateway.runtime.threads import Job, Threads


class Recorder:
    """Jobs that note in which thread they ran, and wait until they are let go."""

    def __init__(self) -> None:
        self.ran: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()
        self.go = threading.Event()

    def note(self) -> None:
        self.ran.put(threading.current_thread())

    def hold(self) -> None:
        self.note()
        self.go.wait()


def test_one_thread_per_job_that_runs() -> None:
    """Nothing is queued: three jobs that wait for each other all run."""
    threads, recorder = Threads(), Recorder()
    meeting = threading.Barrier(3, action=recorder.go.set)

    def meet() -> None:
        recorder.note()
        meeting.wait()

    for _ in range(3):
        threads.run(meet)
    recorder.go.wait()
    workers = {recorder.ran.get() for _ in range(3)}
    threads.close()
    assert len(workers) == 3
    assert all(worker.daemon for worker in workers)
    assert all(worker.name.startswith("gateway-function-") for worker in workers)
    for worker in workers:
        worker.join()


def test_a_thread_is_used_again() -> None:
    """A thread that became idle gets the next job."""
    threads, recorder = Threads(), Recorder()
    threads.run(recorder.note)
    first = recorder.ran.get()
    while threads.idle == 0:
        threading.Event().wait(0)
    threads.run(recorder.note)
    assert recorder.ran.get() is first
    threads.close()
    first.join()


def test_idle_threads_end() -> None:
    """After the time they were given."""
    threads, recorder = Threads(idle_seconds=0), Recorder()
    threads.run(recorder.note)
    recorder.ran.get().join()
    assert threads.idle == 0


def test_busy_threads_end_after_their_job_once_closed() -> None:
    """Closing does not wait for them."""
    threads, recorder = Threads(), Recorder()
    threads.run(recorder.hold)
    worker = recorder.ran.get()
    threads.close()
    assert worker.is_alive()
    recorder.go.set()
    worker.join()
    assert threads.idle == 0


class LateInbox(queue.SimpleQueue[Job | None]):
    """An inbox whose owner gives up waiting in the moment in which it is given work."""

    def get(self, block: bool = True, timeout: float | None = None) -> Job | None:
        if timeout is not None:
            raise queue.Empty
        return super().get(block=block)


def test_a_job_that_comes_at_the_last_moment_is_done() -> None:
    """Who hands out work took the thread off the list just before its time was up."""
    inbox: LateInbox = LateInbox()
    inbox.put(print)
    assert Threads()._next(inbox) is print


@pytest.mark.timeout(60)
def test_a_stuck_handler_does_not_keep_the_process() -> None:
    """The interpreter ends while a thread waits for ever."""
    program = """
        import threading
        from gateway.runtime.threads import Threads
        started = threading.Event()
        def stuck():
            started.set()
            threading.Event().wait()
        Threads().run(stuck)
        started.wait()
        print("done")
    """
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("done\n", "")
