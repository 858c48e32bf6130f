"""A replay as a command runs it: on the fast event loop, drawn while it lasts, ended by Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import shlex
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

from gateway import __version__
from gateway.cli.replay_progress import EVERY, Progress
from gateway.traffic.outcome import End
from gateway.traffic.pacer import Pacer, Survey
from gateway.traffic.recording import Recorded
from gateway.traffic.replay import Replay, turns
from gateway.traffic.replay_report import Facts
from gateway.traffic.replay_tally import ReplayTally
from gateway.traffic.sending import INTERRUPTED, Sender, Target


@dataclass(frozen=True, slots=True)
class Course:
    """Everything there is to a replay.

    Attributes:
        recording: What the recording is called.
        opened: Begins it anew.
        survey: What is known of it.
        target: Where it goes.
        speed: How many times faster; `None` for as fast as possible.
        concurrency: How many requests may be under way at a time.
        timeout: Seconds that an answer may take.
    """

    recording: str
    opened: Callable[[], Iterable[Recorded]]
    survey: Survey
    target: Target
    speed: float | None
    concurrency: int
    timeout: float


def run(course: Course) -> tuple[Facts, ReplayTally]:
    """Play it to its end, or until Ctrl-C."""
    with asyncio.Runner(loop_factory=_event_loop()) as runner:
        return runner.run(_run(course))


async def _run(course: Course) -> tuple[Facts, ReplayTally]:
    survey, tally = course.survey, ReplayTally()
    pacer = Pacer(survey, course.speed, perf_counter)
    async with Sender(course.target, course.timeout, pacer.elapsed) as sender:
        replay = Replay(sender, pacer, tally, course.concurrency)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, replay.stop)
        progress = Progress(survey.requests, paced=course.speed is not None)
        gc.collect()
        gc.freeze()  # a look at everything that was built so far would make a burst wait
        pacer.begin()
        drawing = asyncio.create_task(_draw(progress, tally, pacer))
        try:
            await replay.run(turns(course.opened(), pacer))
        finally:
            seconds = pacer.elapsed()
            gc.unfreeze()
            loop.remove_signal_handler(signal.SIGINT)
            drawing.cancel()
            with suppress(asyncio.CancelledError):
                await drawing
            progress.clear()
    left = survey.requests - tally.requests
    tally.lose(course.target.stage or "", End.NOT_SENT, INTERRUPTED, left)
    return _facts(course, seconds, interrupted=replay.interrupted), tally


def _facts(course: Course, seconds: float, *, interrupted: bool) -> Facts:
    return Facts(
        recording=course.recording,
        target=course.target.url,
        requests=course.survey.requests,
        seconds=round(seconds, 6),
        speed=course.speed,
        concurrency=course.concurrency,
        late=course.survey.late,
        interrupted=interrupted,
        about={"gateway": __version__, "command": shlex.join(["gateway", *sys.argv[1:]])},
    )


async def _draw(progress: Progress, tally: ReplayTally, pacer: Pacer) -> None:
    while True:
        await asyncio.sleep(EVERY)
        progress.show(tally, pacer.elapsed())


def _event_loop() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not made for this platform: asyncio's own loop plays, slower
        return None
    loop: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return loop
