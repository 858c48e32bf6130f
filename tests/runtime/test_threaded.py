"""Blocking handlers run in threads: beside each other, and answered on time."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

from gateway.core.functions import FunctionVersion
from gateway.runtime import Outcome, Runtime
from gateway.runtime.threads import Job, Threads

Make = Callable[..., FunctionVersion]
Event = dict[str, Any]

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")

HOLD = """
def main_handler(event, context):
    event["entered"].set()
    event["go"].wait()
    import helper
    event["result"] = helper.V
    return helper.V
"""


class Held(dict[str, Any]):
    """An event whose handler says that it was entered, and waits to be let go."""

    def __init__(self) -> None:
        super().__init__(entered=threading.Event(), go=threading.Event())

    async def inside(self) -> None:
        await asyncio.to_thread(self["entered"].wait)


def holding(make: Make, **configured: object) -> FunctionVersion:
    """A version whose handler waits for the test."""
    return make({"index.py": HOLD, "helper.py": "V = 7"}, **configured)


def answer(runtime: Runtime, version: FunctionVersion, event: object = None) -> Outcome:
    """Invoke a version once, in a loop of its own."""
    runtime.prove(version)
    return asyncio.run(runtime.invoke(version, event, "r"))


CALLABLES = {
    "function": "def main_handler(event, context): return event",
    "object": "class H:\n  def __call__(self, event, context): return event\nmain_handler = H()",
    "lambda": "main_handler = lambda event, context: event",
    "class": "class main_handler(str):\n  def __new__(cls, event, context): return event",
    "decorated coroutine": "async def inner(event, context): return event\n"
    "def main_handler(event, context): return inner(event, context)",
}


@pytest.mark.parametrize("index", CALLABLES.values(), ids=CALLABLES.keys())
def test_every_kind_of_callable(runtime: Runtime, make: Make, index: str) -> None:
    """Whatever gives a value when it is called; an async one behind a plain wrapper is awaited."""
    assert answer(runtime, make(index), {"n": 1}) == Outcome(200, {"n": 1}, None)


def test_it_runs_in_a_thread_of_ours(runtime: Runtime, make: Make) -> None:
    """And not on the loop."""
    index = "import threading\ndef main_handler(e, c): return threading.current_thread()"
    thread = answer(runtime, make(index)).value
    assert isinstance(thread, threading.Thread)
    assert thread.daemon
    assert thread.name.startswith("gateway-function-")


@pytest.mark.parametrize(
    ("statement", "status", "last"),
    [
        ("raise ValueError('no')", 430, "ValueError: no"),
        ("raise TimeoutError", 430, "TimeoutError"),
        ("raise StopIteration", 430, "StopIteration"),
        ("raise KeyboardInterrupt", 430, "KeyboardInterrupt"),
        ("import asyncio; raise asyncio.CancelledError", 430, "asyncio.exceptions.CancelledError"),
        ("raise SystemExit(2)", 439, "SystemExit: 2"),
        ("import sys; sys.exit()", 439, "SystemExit"),
    ],
)
def test_whatever_a_handler_raises_is_the_answer(
    runtime: Runtime, make: Make, statement: str, status: int, last: str
) -> None:
    """None of it ends the thread or the gateway."""
    version = make(f"def main_handler(event, context):\n    {statement}\n")
    outcome = answer(runtime, version)
    assert outcome.status == status
    assert outcome.error is not None
    stack = str(outcome.error.pop("stackTrace"))
    assert stack.splitlines()[1] == f'  File "{version.code}/index.py", line 2, in main_handler'
    assert stack.splitlines()[-1] == last
    said = {430: "user code exception caught", 439: "User process exit when running"}[status]
    assert outcome.error == {
        "errorCode": -1,
        "errorMessage": said,
        "requestId": "r",
        "statusCode": status,
    }


def test_the_handler_sees_the_callers_context_variables(runtime: Runtime, make: Make) -> None:
    """Such as a request id for logs."""
    version = make("def main_handler(event, context): return event.get()")
    runtime.prove(version)

    async def scenario() -> Outcome:
        VARIABLE.set("caller's")
        return await runtime.invoke(version, VARIABLE, "r")

    assert asyncio.run(scenario()).value == "caller's"


def test_a_timeout_is_answered_while_everything_else_is_served(
    runtime: Runtime, make: Make
) -> None:
    """The thread goes on: its seat is taken, and its code loaded, until it really ends."""
    slow = holding(make, timeout=0.05, concurrency=1)
    other = make("def main_handler(event, context): return 'other'", function="other")
    runtime.prove(slow)
    runtime.prove(other)
    held = Held()

    async def scenario() -> None:
        outcome = await runtime.invoke(slow, held, "r")
        assert outcome.status == 433
        assert outcome.error is not None
        assert outcome.error["errorMessage"] == "Invoking task timed out after 0.05 seconds"
        assert (await runtime.invoke(other, {}, "r")).value == "other"
        assert (await runtime.invoke(slow, {}, "r")).status == 432
        runtime.retain([other])

    asyncio.run(scenario())
    assert "result" not in held
    held["go"].set()
    ended = threading.Event()
    # The threads are used last in, first out: this job runs where the handler ran, or after it.
    while "result" not in held:
        ended.wait(0)
    assert held["result"] == 7


def test_the_seat_is_free_when_the_thread_has_ended(runtime: Runtime, make: Make) -> None:
    """Even if the loop that waited for it is closed by then."""
    version = holding(make, timeout=0.05, concurrency=1)
    runner = runtime.runner(version)
    runtime.prove(version)
    held = Held()
    assert asyncio.run(runner.invoke(held, "r")).status == 433
    held["go"].set()
    free = Held()
    free["go"].set()
    outcome = asyncio.run(runner.invoke(free, "r"))
    while outcome.status == 432:
        outcome = asyncio.run(runner.invoke(free, "r"))
    assert outcome == Outcome(200, 7, None)


def test_a_client_that_goes_away_leaves_the_thread_alone(runtime: Runtime, make: Make) -> None:
    """The caller is cancelled; the handler runs on."""
    version = holding(make)
    runtime.prove(version)
    held = Held()

    async def scenario() -> None:
        task = asyncio.create_task(runtime.invoke(version, held, "r"))
        await held.inside()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        held["go"].set()
        assert (await runtime.invoke(version, held, "r")).value == 7

    asyncio.run(scenario())


def test_the_limit_counts_all_versions_of_the_function(runtime: Runtime, make: Make) -> None:
    """Threads and coroutines together; the next one is refused at once."""
    threaded = holding(make, concurrency=2)
    inline = make("async def main_handler(e, c): await e", "2", concurrency=2)
    for version in (threaded, inline):
        runtime.prove(version)

    async def scenario() -> None:
        held, go = Held(), asyncio.Event()
        first = asyncio.create_task(runtime.invoke(threaded, held, "r"))
        second = asyncio.create_task(runtime.invoke(inline, go.wait(), "r"))
        await held.inside()
        for version in (threaded, inline):
            refused = await runtime.invoke(version, {}, "r")
            assert refused.status == 432
        held["go"].set()
        go.set()
        assert [outcome.status for outcome in await asyncio.gather(first, second)] == [200, 200]
        assert (await runtime.invoke(threaded, held, "r")).status == 200

    asyncio.run(scenario())


def test_many_at_once(runtime: Runtime, make: Make) -> None:
    """Fifty handlers that all wait for each other."""
    version = make("def main_handler(event, context): return event.wait()", concurrency=50)
    runtime.prove(version)
    barrier = threading.Barrier(50)

    async def scenario() -> list[Outcome]:
        calls = (runtime.invoke(version, barrier, str(n)) for n in range(50))
        return await asyncio.gather(*calls)

    assert {outcome.status for outcome in asyncio.run(scenario())} == {200}


def test_no_thread_to_be_had(runtime: Runtime, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operating system's limit is one like the function's; nothing is lost by it."""
    version = make("def main_handler(event, context): return 1", concurrency=1)
    runtime.prove(version)

    def refuse(_threads: Threads, _job: Job) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(Threads, "run", refuse)
        assert answer(runtime, version).status == 432
    assert answer(runtime, version).status == 200
