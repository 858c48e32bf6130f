"""Handlers that block run in threads or processes; the event loop waits, but not too long.

A thread cannot be stopped from outside. After its timeout, or when its client has gone, a handler
runs on and its seat stays taken until it really ends. A process can be: the thread that waits for
it kills it, so that the loop needs no timer of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from gateway.runtime.forks import end_if_forked
from gateway.runtime.outcome import OK, Outcome, out_of_threads, timed_out
from gateway.runtime.output import Said, speaker, text_of

if TYPE_CHECKING:
    from gateway.runtime.generation import Generation
    from gateway.runtime.pool import Pool
    from gateway.runtime.threads import Job, Threads

Answer = asyncio.Future[Outcome | None]
Work = Callable[[], Outcome]


async def invoke_threaded(
    generation: Generation, event: object, request_id: str, threads: Threads
) -> Outcome:
    """Run a blocking handler; the caller has taken a seat, which is given back here."""
    loop = asyncio.get_running_loop()
    answer: Answer = loop.create_future()
    said: Said = []
    timer = loop.call_later(generation.timeout, _settle, answer, None)
    try:
        threads.run(_job(generation, partial(_call, generation, event, request_id), answer, said))
    except RuntimeError:
        # The operating system grants no further thread.
        timer.cancel()
        generation.leave()
        return out_of_threads(request_id)
    try:
        outcome = await answer
    finally:
        timer.cancel()
    if outcome is None:
        outcome = timed_out(generation.timeout, request_id)
        outcome.output, outcome.seconds = text_of(said), generation.timeout
    return outcome


async def invoke_process(
    generation: Generation, pool: Pool, call: tuple[object, str], threads: Threads
) -> Outcome:
    """Run a handler in a process; the caller has taken a seat, which is given back here."""
    answer: Answer = asyncio.get_running_loop().create_future()
    try:
        threads.run(_job(generation, partial(pool.invoke, *call), answer, []))
    except RuntimeError:
        generation.leave()
        return out_of_threads(call[1])
    outcome = await answer
    assert outcome is not None  # noqa: S101 - for mypy: no timer settles this one
    return outcome


def _job(generation: Generation, work: Work, answer: Answer, said: Said) -> Job:
    # The caller's context, so that what it set (a request id for logs) is seen in the thread.
    context = contextvars.copy_context()
    context.run(speaker.set, said)

    def job() -> None:
        outcome = context.run(work)
        end_if_forked(failed=outcome.error is not None)
        # A process that could not be started has said something of its own.
        outcome.output = text_of(said) or outcome.output
        generation.leave()
        # A closed loop has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            answer.get_loop().call_soon_threadsafe(_settle, answer, outcome)

    return job


def _call(generation: Generation, event: object, request_id: str) -> Outcome:
    began = monotonic()
    try:
        value = generation.handler(event, generation.context(request_id))
        if inspect.iscoroutine(value):
            # An async handler in a thread, perhaps behind a plain decorator: only calling it tells.
            value = asyncio.run(value)
        outcome = Outcome(OK, value, None)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
        outcome = generation.explain(error, request_id)
    outcome.seconds = monotonic() - began
    return outcome


def _settle(answer: Answer, outcome: Outcome | None) -> None:
    if not answer.done():
        answer.set_result(outcome)
