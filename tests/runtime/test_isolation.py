"""Where a version runs is what its configuration says, whatever kind of handler it has."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable

import pytest

from gateway.core.functions import ISOLATIONS, FunctionVersion
from gateway.runtime import Runtime

Make = Callable[..., FunctionVersion]

INDEX = """
import os, threading
{kind} main_handler(event, context):
    return os.getpid(), threading.current_thread() is threading.main_thread()
"""

HERE, BESIDE, AWAY = (True, True), (True, False), (False, True)
WHERE = {
    ("def", "auto"): BESIDE,
    ("def", "inline"): HERE,
    ("def", "thread"): BESIDE,
    ("def", "process"): AWAY,
    ("async def", "auto"): HERE,
    ("async def", "inline"): HERE,
    ("async def", "thread"): BESIDE,
    ("async def", "process"): AWAY,
}


def test_every_isolation_is_known() -> None:
    """The table below leaves none out."""
    assert {isolation for _, isolation in WHERE} == set(ISOLATIONS)


@pytest.mark.parametrize(
    ("kind", "isolation", "expected"), [(*key, value) for key, value in WHERE.items()]
)
def test_where_a_handler_runs(
    runtime: Runtime, make: Make, kind: str, isolation: str, expected: tuple[bool, bool]
) -> None:
    """In this process or not, in its main thread or not."""
    version = make(INDEX.format(kind=kind), isolation=isolation)
    runtime.prove(version)
    outcome = asyncio.run(runtime.invoke(version, {}, "r"))
    assert isinstance(outcome.value, tuple | list)
    process, in_main_thread = outcome.value
    assert (process == os.getpid(), in_main_thread) == expected


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("return 5", 200),
        ("raise ValueError", 430),
        ("raise SystemExit", 439),
        ("import time; time.sleep(0.02)", 433),
    ],
)
def test_how_a_plain_function_ends_inline(
    runtime: Runtime, make: Make, body: str, status: int
) -> None:
    """As in a thread, but for a late one: it is noticed when it is done."""
    version = make(f"def main_handler(e, c):\n    {body}", isolation="inline", timeout=0.01)
    runtime.prove(version)
    assert asyncio.run(runtime.invoke(version, {}, "r")).status == status


def test_a_thousand_blocked_invocations_leave_others_alone(runtime: Runtime, make: Make) -> None:
    """They hold their function's seats and nothing else; one more of them is refused."""
    bad = make("def main_handler(e, c): e.acquire()", function="bad", concurrency=1000, timeout=99)
    kinds = {"inline": "async def", "thread": "def", "process": "def"}
    good = [
        make(f"{kind} main_handler(e, c): return e", function=isolation, isolation=isolation)
        for isolation, kind in kinds.items()
    ]
    for version in (bad, *good):
        runtime.prove(version)
    gate = threading.Semaphore(0)

    async def scenario() -> None:
        blocked = [asyncio.create_task(runtime.invoke(bad, gate, "r")) for _ in range(1000)]
        await asyncio.sleep(0)
        assert (await runtime.invoke(bad, gate, "r")).status == 432
        for number in range(50):
            for version in good:
                assert (await runtime.invoke(version, number, "r")).value == number
        assert not any(task.done() for task in blocked)
        gate.release(1000)
        assert {(await task).status for task in blocked} == {200}

    asyncio.run(scenario())
