"""Inline handlers run on the event loop, inside the caller's own task, and cost next to nothing.

The first step is driven by hand: a handler that never waits needs no timer and no task. For one
that waits, an alarm cancels what it waits for. A handler that goes on after that is cut loose:
the answer is given on time, and the seat stays taken until the handler has ended.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from dataclasses import dataclass
from inspect import isawaitable
from time import monotonic
from types import CoroutineType, coroutine
from typing import TYPE_CHECKING, Any, Final, cast

from gateway.runtime.outcome import OK, Outcome, timed_out
from gateway.runtime.output import Said, speaker, text_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from gateway.runtime.generation import Generation

Running = Coroutine[Any, Any, object]

_stragglers: Final[set[asyncio.Task[None]]] = set()
"""Handlers that were cut loose; the event loop alone would not keep them alive."""


async def invoke_inline(generation: Generation, event: object, request_id: str) -> Outcome:
    """Run a handler on the event loop; the caller has taken a seat, which is given back here."""
    said: Said = []
    # Never set back, which would cost as much again: what the caller says in the same context
    # afterwards lands in a list that nobody reads.
    speaker.set(said)
    # Not the loop's time: up to Python 3.11 each look-up of the running loop is a system call.
    began = monotonic()
    try:
        running = generation.handler(event, generation.context(request_id))
        if type(running) is not CoroutineType:
            running = _as_coroutine(running)
        waits_for = running.send(None)
    except StopIteration as done:
        generation.leave()
        seconds = monotonic() - began
        # It never waited, so no alarm could ring; the cloud would have stopped it all the same.
        if seconds >= generation.timeout:
            return _told(timed_out(generation.timeout, request_id), said, began)
        return Outcome(OK, done.value, None, said[0].text() if said else "", seconds)
    except KeyboardInterrupt:
        generation.leave()
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
        generation.leave()
        return _told(generation.explain(error, request_id), said, began)
    suspended = _Suspended(running, waits_for)
    outcome = await _resume(generation, suspended, began + generation.timeout, request_id)
    return _told(outcome, said, began)


def _told(outcome: Outcome, said: Said, began: float) -> Outcome:
    outcome.output = text_of(said)
    outcome.seconds = monotonic() - began
    return outcome


async def _as_coroutine(value: object) -> object:
    """A handler that is no coroutine function may return a value, or anything to be awaited."""
    return await value if isawaitable(value) else value


@dataclass(slots=True)
class _Suspended:
    """A handler that was started and waits for something."""

    running: Running
    waits_for: object


@dataclass(slots=True)
class _Ended:
    """A handler that has returned or raised."""

    value: object
    error: BaseException | None


class _Alarm:
    """Cancels what the handler waits for, not the caller's task: that one belongs to the caller.

    Cancelling the task would also be indistinguishable from a client that has gone away.
    """

    __slots__ = ("rang", "waiting")

    def __init__(self) -> None:
        self.rang = False
        self.waiting: asyncio.Future[object] | None = None

    def ring(self) -> None:
        self.rang = True
        if self.waiting is not None:
            self.waiting.cancel()


async def _resume(
    generation: Generation, suspended: _Suspended, deadline: float, request_id: str
) -> Outcome:
    task = cast("asyncio.Task[object]", asyncio.current_task())
    cancelled_before = task.cancelling()
    alarm = _Alarm()
    timer = task.get_loop().call_later(deadline - monotonic(), alarm.ring)
    try:
        end = await _carry_on(suspended, alarm)
    except BaseException:
        # The operator's interrupt, or the caller was closed: not an outcome.
        generation.leave()
        raise
    finally:
        timer.cancel()
    if isinstance(end, _Ended):
        generation.leave()
    else:
        _cut_loose(generation, end)
    if task.cancelling() > cancelled_before:
        # The client went away, whatever the handler made of it.
        raise asyncio.CancelledError
    if alarm.rang:
        return timed_out(generation.timeout, request_id)
    # Without an alarm nothing is cut loose.
    return _outcome(generation, cast("_Ended", end), request_id)


def _outcome(generation: Generation, end: _Ended, request_id: str) -> Outcome:
    if end.error is None:
        return Outcome(OK, end.value, None)
    return generation.explain(end.error, request_id)


@coroutine
def _carry_on(suspended: _Suspended, alarm: _Alarm) -> Generator[Any, None, _Ended | _Suspended]:
    """Do what a task does with a coroutine, until it ends or goes on in spite of the alarm."""
    running, waits_for = suspended.running, suspended.waits_for
    while True:
        error: BaseException | None = None
        try:
            yield from _wait(waits_for, alarm)
        except GeneratorExit:
            running.close()
            raise
        except BaseException as thrown:  # noqa: BLE001 - it is the handler's to deal with
            error = thrown
        if alarm.rang:
            if _cancel(waits_for):
                return _Suspended(running, waits_for)
            error = asyncio.CancelledError()
        step = _step(running, error)
        if isinstance(step, _Ended):
            return step
        waits_for = step
        if alarm.rang:
            return _Suspended(running, waits_for)


def _step(running: Running, error: BaseException | None) -> object:
    """Resume the handler: what it waits for next, or how it ended."""
    try:
        return running.send(None) if error is None else running.throw(error)
    except StopIteration as done:
        return _Ended(done.value, None)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # noqa: BLE001 - whatever it is, it is the answer
        return _Ended(None, raised)


def _cancel(waits_for: object) -> bool:
    """Cancel what is waited for; whether that takes time."""
    return isinstance(waits_for, asyncio.Future) and waits_for.cancel() and not waits_for.done()


def _wait(waits_for: Any, alarm: _Alarm) -> Generator[Any, None, None]:  # noqa: ANN401 - opaque
    """Let the caller's task wait, in such a way that the alarm can always end it."""
    if not asyncio.isfuture(waits_for):
        yield waits_for  # a bare yield: the next step follows at once
        return
    # A plain future ends when it is cancelled. A task, or a group of them, may take its time over
    # it or refuse, so that one is waited for behind a shield.
    plain = type(waits_for) is asyncio.Future
    gate = waits_for if plain else asyncio.shield(waits_for)
    alarm.waiting = gate
    try:
        if plain:
            yield gate
        else:
            yield from gate
    except asyncio.CancelledError:
        if waits_for.done() or alarm.rang:
            raise
    else:
        return
    finally:
        alarm.waiting = None
    # The client went away. Cancelling a task means to cancel what it waits for, and wait for that.
    waits_for.cancel()
    yield waits_for


def _cut_loose(generation: Generation, suspended: _Suspended) -> None:
    # The caller's very context where Python (3.12) gives it, not a copy: the handler may still
    # reset variables that it set there.
    context = getattr(asyncio.current_task(), "get_context", contextvars.copy_context)()
    loop = asyncio.get_running_loop()
    task = loop.create_task(_finish_alone(generation, suspended), context=context)
    _stragglers.add(task)
    task.add_done_callback(_stragglers.discard)


async def _finish_alone(generation: Generation, suspended: _Suspended) -> None:
    try:
        await _carry_on(suspended, _Alarm())
    finally:
        generation.leave()
