"""Async handlers run in the caller's task: cheap, stopped on time, and never taken for it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest

from gateway.core.functions import FunctionVersion
from gateway.runtime import Outcome, Runner, Runtime

Make = Callable[..., FunctionVersion]
Event = dict[str, Any]

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


def handler(body: str) -> str:
    """The file of an async handler with this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"import asyncio, sys\nasync def main_handler(event, context):\n{lines}"


def answer(runtime: Runtime, version: FunctionVersion, event: Event | None = None) -> Outcome:
    """Invoke a version once, in a loop of its own."""
    runtime.prove(version)
    return asyncio.run(runtime.invoke(version, event or {}, "r"))


def reason(outcome: Outcome) -> tuple[int, str]:
    """Status and last line of what went wrong."""
    assert outcome.error is not None
    assert outcome.error["statusCode"] == outcome.status
    assert (outcome.error["errorCode"], outcome.error["requestId"]) == (-1, "r")
    said = str(outcome.error.get("stackTrace") or outcome.error["errorMessage"])
    return outcome.status, said.strip().splitlines()[-1]


async def the_others() -> None:
    """Wait for what handlers left behind on the loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


CALLABLES = {
    "function": "async def main_handler(event, context): return event",
    "object": "class H:\n  async def __call__(self, event, context): return event\n"
    "main_handler = H()",
    "method": "class H:\n  async def h(self, event, context): return event\nmain_handler = H().h",
    "partial": "from functools import partial\n"
    "async def h(x, event, context): return event\nmain_handler = partial(h, 1)",
}


@pytest.mark.parametrize("index", CALLABLES.values(), ids=CALLABLES.keys())
def test_every_kind_of_coroutine_callable(runtime: Runtime, make: Make, index: str) -> None:
    """All of them run on the loop and get the event."""
    assert answer(runtime, make(index), {"n": 1}) == Outcome(200, {"n": 1}, None)


WAITS = {
    "not at all": "return 5",
    "sleep(0)": "await asyncio.sleep(0)\nreturn 5",
    "sleep": "await asyncio.sleep(0.001)\nreturn 5",
    "task": "async def inner():\n  await asyncio.sleep(0)\n  return 5\n"
    "return await asyncio.create_task(inner())",
    "finished task": "async def inner(): return 5\nt = asyncio.create_task(inner())\n"
    "await asyncio.sleep(0)\nreturn await t",
    "gather": "async def inner(n):\n  await asyncio.sleep(0)\n  return n\n"
    "return sum(await asyncio.gather(*map(inner, [2, 3])))",
    "task group": "async def inner(): await asyncio.sleep(0)\n"
    "async with asyncio.TaskGroup() as g:\n  g.create_task(inner())\nreturn 5",
    "wait_for": "async def inner():\n  await asyncio.sleep(0)\n  return 5\n"
    "return await asyncio.wait_for(inner(), 5)",
    "own timeout": "try:\n  async with asyncio.timeout(0.001): await asyncio.Event().wait()\n"
    "except TimeoutError: return 5",
    "own timeout of a task": "try:\n"
    "  async with asyncio.timeout(0.001): await asyncio.create_task(asyncio.Event().wait())\n"
    "except TimeoutError: return 5",
    "failing task": "async def inner():\n  await asyncio.sleep(0)\n  raise KeyError\n"
    "try: await asyncio.create_task(inner())\nexcept KeyError: return 5",
    "failing future": "f = asyncio.get_running_loop().create_future()\n"
    "asyncio.get_running_loop().call_soon(f.set_exception, KeyError())\n"
    "try: await f\nexcept KeyError: return 5",
    "cancelled task": "t = asyncio.create_task(asyncio.Event().wait())\n"
    "asyncio.get_running_loop().call_soon(t.cancel)\n"
    "try: await t\nexcept asyncio.CancelledError: return 5",
    "shield": "f = asyncio.get_running_loop().create_future()\n"
    "asyncio.get_running_loop().call_soon(f.set_result, 5)\nreturn await asyncio.shield(f)",
    "queue": "q = asyncio.Queue()\nasyncio.get_running_loop().call_soon(q.put_nowait, 5)\n"
    "return await q.get()",
    "thread": "return await asyncio.to_thread(lambda: 5)",
    "many times": "for _ in range(50): await asyncio.sleep(0)\nreturn 5",
}


@pytest.mark.parametrize("body", WAITS.values(), ids=WAITS.keys())
def test_every_way_to_wait(runtime: Runtime, make: Make, body: str) -> None:
    """Driven by hand, a coroutine behaves as in a task."""
    assert answer(runtime, make(handler(body))) == Outcome(200, 5, None)


@pytest.mark.parametrize("wait", ["", "await asyncio.sleep(0)\n"], ids=["at once", "later"])
@pytest.mark.parametrize(
    ("statement", "status", "last"),
    [
        ("raise ValueError('no')", 430, "ValueError: no"),
        ("raise TimeoutError", 430, "TimeoutError"),
        ("raise asyncio.CancelledError", 430, "asyncio.exceptions.CancelledError"),
        ("raise GeneratorExit", 430, "GeneratorExit"),
        ("raise StopIteration(3)", 430, "RuntimeError: coroutine raised StopIteration"),
        ("raise BaseException('b')", 430, "BaseException: b"),
        ("raise SystemExit(2)", 439, "SystemExit: 2"),
        ("sys.exit()", 439, "SystemExit"),
        ("t = asyncio.create_task(asyncio.sleep(9)); t.cancel(); await t", 430,
         "asyncio.exceptions.CancelledError"),
    ],
)  # fmt: skip
def test_whatever_a_handler_raises_is_the_answer(
    runtime: Runtime, make: Make, *, wait: str, statement: str, status: int, last: str
) -> None:
    """None of it reaches the gateway, or is mistaken for a timeout or a client's leave."""
    outcome = answer(runtime, make(handler(wait + statement)))
    assert reason(outcome) == (status, last)
    assert outcome.error is not None
    expected = {430: "user code exception caught", 439: "User process exit when running"}
    assert outcome.error["errorMessage"] == expected[status]


def test_the_stack_trace_is_the_authors(runtime: Runtime, make: Make) -> None:
    """Character for character, for a handler that has waited."""
    version = make("async def main_handler(event, context):\n    await event\n    1 / 0\n")

    async def scenario() -> Outcome:
        return await runtime.invoke(version, asyncio.sleep(0), "r")

    outcome = asyncio.run(scenario())
    assert outcome.error is not None
    stack = str(outcome.error["stackTrace"]).splitlines()
    assert stack[0] == "Traceback (most recent call last):"
    assert stack[1] == f'  File "{version.code}/index.py", line 3, in main_handler'
    assert stack[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("wait", ["", "await asyncio.sleep(0)\n"], ids=["at once", "later"])
def test_a_keyboard_interrupt_stops_the_gateway(runtime: Runtime, make: Make, wait: str) -> None:
    """On the loop's thread it can only be the operator's; the seat is given back all the same."""
    version = make(handler(f"{wait}raise KeyboardInterrupt"), concurrency=1)
    runtime.prove(version)

    async def scenario() -> None:
        with pytest.raises(KeyboardInterrupt):
            await runtime.invoke(version, {}, "r")
        with pytest.raises(KeyboardInterrupt):
            await runtime.invoke(version, {}, "r")

    loop = asyncio.new_event_loop()
    task = loop.create_task(scenario())
    loop.run_until_complete(task)
    loop.close()


STUBBORN = {
    "waits for ever": "await asyncio.Event().wait()",
    "waits for a task": "await asyncio.create_task(asyncio.Event().wait())",
    "waits for a gather": "await asyncio.gather(asyncio.Event().wait(), asyncio.Event().wait())",
    "is always ready": "while True: await asyncio.sleep(0)",
    "answers its cancellation": "try: await asyncio.Event().wait()\n"
    "except asyncio.CancelledError: return 5",
    "raises upon its cancellation": "try: await asyncio.Event().wait()\nfinally: raise ValueError",
    "exits upon its cancellation": "try: await asyncio.Event().wait()\nfinally: sys.exit()",
    "has a task group": "async with asyncio.TaskGroup() as g:\n"
    "  g.create_task(asyncio.Event().wait())",
    "has a longer timeout": "async with asyncio.timeout(99): await asyncio.Event().wait()",
    "blocked the loop": "import threading\nthreading.Event().wait(0.06)\nreturn 5",
    "blocked the loop, then waits": "import threading\nthreading.Event().wait(0.06)\n"
    "await asyncio.Event().wait()",
}


@pytest.mark.parametrize("body", STUBBORN.values(), ids=STUBBORN.keys())
def test_a_timeout_is_a_timeout(runtime: Runtime, make: Make, body: str) -> None:
    """Whatever the handler makes of its cancellation; and its seat is free afterwards."""
    version = make(handler(body), timeout=0.05, concurrency=1)
    runtime.prove(version)

    async def scenario() -> list[Outcome]:
        first = await runtime.invoke(version, {}, "r")
        current = asyncio.current_task()
        assert current is not None
        assert current.cancelling() == 0
        # What the handler left behind (a group that ends its tasks) is done before the next one.
        await the_others()
        return [first, await runtime.invoke(version, {}, "r")]

    for outcome in asyncio.run(scenario()):
        assert reason(outcome) == (433, "Invoking task timed out after 0.05 seconds")


IGNORANT = {
    "future": "try: await asyncio.Event().wait()\nexcept asyncio.CancelledError: pass\n",
    "child": "async def child():\n"
    "  try: await asyncio.Event().wait()\n"
    "  except asyncio.CancelledError: await event['end'].wait()\n"
    "await asyncio.create_task(child())\n",
}


@pytest.mark.parametrize("body", IGNORANT.values(), ids=IGNORANT.keys())
def test_a_handler_that_goes_on_keeps_its_seat(runtime: Runtime, make: Make, body: str) -> None:
    """The answer is on time; the seat is taken, and the code loaded, until the handler ends."""
    version = make(
        {
            "index.py": handler(
                f"{body}await event['end'].wait()\nimport helper\nevent['ended'] = helper.V"
            ),
            "helper.py": "V = 7",
        },
        timeout=0.05,
        concurrency=1,
    )
    runtime.prove(version)

    async def scenario() -> None:
        event: Event = {"end": asyncio.Event()}
        assert (await runtime.invoke(version, event, "r")).status == 433
        assert (await runtime.invoke(version, {}, "r")).status == 432
        runtime.retain(())
        event["end"].set()
        await the_others()
        assert event["ended"] == 7

    asyncio.run(scenario())


def test_a_loop_that_ends_cancels_what_was_cut_loose(runtime: Runtime, make: Make) -> None:
    """No task is left over, and no warning."""
    body = "try: await asyncio.Event().wait()\nexcept asyncio.CancelledError: pass\n"
    version = make(handler(f"{body}await asyncio.Event().wait()"), timeout=0.05)
    assert answer(runtime, version).status == 433


CLIENTS = {
    "future": "await asyncio.Event().wait()",
    "task": "await asyncio.create_task(asyncio.Event().wait())",
    "gather": "await asyncio.gather(asyncio.Event().wait())",
    "ready": "while True: await asyncio.sleep(0)",
    "swallows": "try: await asyncio.Event().wait()\nexcept asyncio.CancelledError: return 5",
    "fails": "try: await asyncio.Event().wait()\nfinally: raise ValueError",
    "cleans up": "try: await asyncio.Event().wait()\nfinally: await asyncio.sleep(0)",
    "task cleans up": "async def child():\n"
    "  try: await asyncio.Event().wait()\n  finally: await asyncio.sleep(0)\n"
    "await asyncio.create_task(child())",
}


@pytest.mark.parametrize("body", CLIENTS.values(), ids=CLIENTS.keys())
def test_a_client_that_goes_away_cancels(runtime: Runtime, make: Make, body: str) -> None:
    """It is not a timeout and not an answer; the handler is told, and its seat is free."""
    version = make(
        handler(f"event['started'].set()\ntry:\n{_indented(body)}\nfinally: event['ended'] = True"),
        concurrency=1,
    )
    runtime.prove(version)

    async def scenario() -> None:
        for _ in range(2):
            event: Event = {"started": asyncio.Event()}
            task = asyncio.create_task(runtime.invoke(version, event, "r"))
            await event["started"].wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert event["ended"]

    asyncio.run(scenario())


def _indented(body: str) -> str:
    return "\n".join(f"  {line}" for line in body.splitlines())


def test_a_client_that_goes_away_as_the_time_is_up(runtime: Runtime, make: Make) -> None:
    """Both at once: the cancellation wins, because nobody waits for an answer."""
    version = make(
        handler("try: await asyncio.Event().wait()\nfinally: event['client'].cancel()"),
        timeout=0.05,
    )
    runtime.prove(version)

    async def scenario() -> None:
        event: Event = {}
        event["client"] = task = asyncio.create_task(runtime.invoke(version, event, "r"))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_an_invocation_that_is_dropped_closes_its_handler(runtime: Runtime, make: Make) -> None:
    """Closing the coroutine runs the handler's cleanup and frees the seat."""
    version = make(
        handler("try: await asyncio.Event().wait()\nfinally: event['closed'] = True"), concurrency=1
    )
    runtime.prove(version)
    event: Event = {}

    async def scenario() -> None:
        for _ in range(2):
            event.clear()
            invocation = runtime.invoke(version, event, "r")
            invocation.send(None)
            invocation.close()
            assert event == {"closed": True}

    asyncio.run(scenario())


def test_the_handler_runs_in_the_callers_context(runtime: Runtime, make: Make) -> None:
    """What the caller set is seen, and resetting a variable after a pause works."""
    version = make(
        handler(
            "variable = event['variable']\nbefore = variable.get()\ntoken = variable.set('own')\n"
            "await asyncio.sleep(0)\nvariable.reset(token)\nreturn before, variable.get()"
        )
    )
    runtime.prove(version)

    async def scenario() -> Outcome:
        VARIABLE.set("caller's")
        return await runtime.invoke(version, {"variable": VARIABLE}, "r")

    assert asyncio.run(scenario()).value == ("caller's", "caller's")


class Plain:
    """Something that can be awaited and is no coroutine."""

    def __await__(self) -> Generator[None, None, int]:
        yield
        return 5


def test_what_is_awaitable_is_awaited(runtime: Runtime, make: Make) -> None:
    """A coroutine function by declaration only may return any awaitable."""
    index = """
        import asyncio
        def main_handler(event, context): return event["awaitable"]
        main_handler._is_coroutine = asyncio.coroutines._is_coroutine
    """
    version = make(index)
    runner = runtime.runner(version)
    runtime.prove(version)
    assert isinstance(runner, Runner)
    assert runner._generation is not None
    # Declaring it is possible from Python 3.12 on only (`inspect.markcoroutinefunction`).
    runner._generation.inline = True
    event: dict[str, Awaitable[int]] = {"awaitable": Plain()}
    assert asyncio.run(runner.invoke(event, "r")) == Outcome(200, 5, None)


def test_the_concurrency_limit_is_answered_at_once(runtime: Runtime, make: Make) -> None:
    """No queue: the third of three is refused while two wait, and everything else is served."""
    version = make(handler("await event['go'].wait()\nreturn event['n']"), concurrency=2)
    other = make(handler("return 'other'"), function="other", concurrency=1)
    runtime.prove(version)
    runtime.prove(other)

    async def scenario() -> None:
        go = asyncio.Event()
        both = [
            asyncio.create_task(runtime.invoke(version, {"go": go, "n": n}, "r")) for n in (1, 2)
        ]
        await asyncio.sleep(0)
        refused = await runtime.invoke(version, {}, "r")
        assert reason(refused)[0] == 432
        assert (await runtime.invoke(other, {}, "r")).value == "other"
        go.set()
        assert [outcome.value for outcome in await asyncio.gather(*both)] == [1, 2]

    asyncio.run(scenario())


def test_a_handler_that_waits_does_not_stop_others(runtime: Runtime, make: Make) -> None:
    """A thousand at once, each with its own context."""
    version = make(
        handler("await asyncio.sleep(0)\nreturn context['request_id']"), concurrency=1000
    )
    runtime.prove(version)

    async def scenario() -> list[object]:
        runner = runtime.runner(version)
        outcomes = await asyncio.gather(*(runner.invoke({}, str(n)) for n in range(1000)))
        return [outcome.value for outcome in outcomes]

    assert asyncio.run(scenario()) == [str(n) for n in range(1000)]


def test_the_same_on_uvloop(runtime: Runtime, make: Make) -> None:
    """The loop of production: waiting, its timeout, and threads."""
    import uvloop

    waiting = make(handler("await asyncio.sleep(0.001)\nreturn 5"))
    late = make(handler("await asyncio.create_task(asyncio.Event().wait())"), "2", timeout=0.05)
    blocking = make("def main_handler(event, context): return 6", "3")
    for version in (waiting, late, blocking):
        runtime.prove(version)

    async def scenario() -> list[int]:
        versions = (waiting, late, blocking)
        return [(await runtime.invoke(version, {}, "r")).status for version in versions]

    assert uvloop.run(scenario()) == [200, 433, 200]
