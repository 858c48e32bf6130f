"""Handlers that block run in threads; the event loop waits for them, but not longer than allowed.

A thread cannot be stopped from outside. After its timeout, or when its client has gone, a handler
runs on and its seat stays taken until it really ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
from typing import TYPE_CHECKING

from gateway.runtime.outcome import OK, Outcome, out_of_threads, timed_out

if TYPE_CHECKING:
    from gateway.runtime.generation import Generation
    from gateway.runtime.threads import Job, Threads

Answer = asyncio.Future[Outcome | None]


async def invoke_threaded(
    generation: Generation, event: object, request_id: str, threads: Threads
) -> Outcome:
    """Run a blocking handler; the caller has taken a seat, which is given back here."""
    loop = asyncio.get_running_loop()
    answer: Answer = loop.create_future()
    timer = loop.call_later(generation.timeout, _settle, answer, None)
    try:
        threads.run(_job(generation, event, request_id, answer))
    except RuntimeError:
        # The operating system grants no further thread.
        timer.cancel()
        generation.leave()
        return out_of_threads(request_id)
    try:
        outcome = await answer
    finally:
        timer.cancel()
    return timed_out(generation.timeout, request_id) if outcome is None else outcome


def _job(generation: Generation, event: object, request_id: str, answer: Answer) -> Job:
    # The caller's context, so that what it set (a request id for logs) is seen in the thread.
    context = contextvars.copy_context()

    def job() -> None:
        outcome = context.run(_outcome, generation, event, request_id)
        generation.leave()
        # A closed loop has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            answer.get_loop().call_soon_threadsafe(_settle, answer, outcome)

    return job


def _outcome(generation: Generation, event: object, request_id: str) -> Outcome:
    try:
        value = generation.handler(event, generation.context(request_id))
        if inspect.iscoroutine(value):
            # An async handler behind a plain decorator: only calling it tells.
            value = asyncio.run(value)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
        return generation.explain(error, request_id)
    return Outcome(OK, value, None)


def _settle(answer: Answer, outcome: Outcome | None) -> None:
    if not answer.done():
        answer.set_result(outcome)
