"""A runner is kept for as long as a route is; what is behind it may change."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.functions import FunctionVersion
from gateway.runtime import LoadError, Outcome, Runtime, UserCodeError

Make = Callable[..., FunctionVersion]

INDEX = "async def main_handler(event, context):\n    import helper\n    return helper.V\n"


def edit(version: FunctionVersion, text: str) -> None:
    """Write a version's `index.py` anew."""
    Path(version.code, "index.py").write_text(text)


def private(module: str) -> list[str]:
    """Under which private names a module is loaded."""
    return [
        name
        for name in sys.modules
        if name.startswith("gateway_functions.") and name.endswith(f".{module}")
    ]


def test_a_version_that_was_not_proved_is_loaded_when_invoked(runtime: Runtime, make: Make) -> None:
    """Once, although many ask at the same time, and without blocking the loop."""
    index = """
        import threading
        async def main_handler(event, context): return event
        WHERE = threading.current_thread() is threading.main_thread()
        assert not WHERE
    """
    runner = runtime.runner(make(index))

    async def scenario() -> list[Outcome]:
        return await asyncio.gather(*(runner.invoke(n, str(n)) for n in range(20)))

    assert asyncio.run(scenario()) == [Outcome(200, n, None) for n in range(20)]
    assert len(private("index")) == 1


def test_code_that_cannot_be_loaded_is_answered_as_the_cloud_does(
    runtime: Runtime, make: Make, tmp_path: Path
) -> None:
    """And not tried again for every request."""
    mark = tmp_path / "mark"
    version = make(f"open({str(mark)!r}, 'x').close()\nraise KeyError(1)")
    runner = runtime.runner(version)

    async def scenario() -> list[Outcome]:
        both = await asyncio.gather(runner.invoke({}, "r"), runner.invoke({}, "r"))
        return [*both, await runner.invoke({}, "r")]

    for outcome in asyncio.run(scenario()):
        assert outcome.status == 443
        assert outcome.error is not None
        assert outcome.error["requestId"] == "r"
        assert str(outcome.error["stackTrace"]).endswith("KeyError: 1\n")


def test_a_failure_is_forgotten_when_the_code_is_mended(runtime: Runtime, make: Make) -> None:
    """Proving tries again."""
    version = make("raise KeyError(1)")
    runner = runtime.runner(version)
    with pytest.raises(UserCodeError):
        runtime.prove(version)
    assert asyncio.run(runner.invoke({}, "r")).status == 443
    edit(version, "async def main_handler(e, c): return 5")
    runtime.prove(version)
    assert asyncio.run(runner.invoke({}, "r")).value == 5


def test_a_reload_is_seen_by_runners_that_exist(runtime: Runtime, make: Make) -> None:
    """What runs ends in the old code, what comes next runs in the new one."""
    index = """
        async def main_handler(event, context):
            await event.wait()
            import helper
            return helper.V
    """
    version = make({"index.py": index, "helper.py": "V = 1"}, "$LATEST")
    runner = runtime.runner(version)
    runtime.prove(version)

    async def scenario() -> list[object]:
        go = asyncio.Event()
        old = asyncio.create_task(runner.invoke(go, "r"))
        await asyncio.sleep(0)
        # The old code imports its helper late, so it must still be there.
        edit(version, "import helper\nasync def main_handler(e, c): return helper.V + 1")
        runtime.reload(version)
        new = await runner.invoke(go, "r")
        assert len(private("index")) == 2
        go.set()
        values = [(await old).value, new.value]
        assert len(private("index")) == 1
        return values

    assert asyncio.run(scenario()) == [1, 2]


def test_a_reload_that_fails_changes_nothing(runtime: Runtime, make: Make) -> None:
    """The old code stays in use, and says nothing about it."""
    version = make({"index.py": INDEX, "helper.py": "V = 1"}, "$LATEST")
    runtime.prove(version)
    edit(version, "raise KeyError")
    with pytest.raises(LoadError):
        runtime.reload(version)
    assert asyncio.run(runtime.invoke(version, {}, "r")).value == 1


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_a_request_that_comes_late_is_answered(runtime: Runtime, make: Make, kind: str) -> None:
    """Its version was dropped after the decision: it is loaded for the request, and goes again."""
    index = f"{kind} main_handler(event, context):\n    import helper\n    return helper.V\n"
    version = make({"index.py": index, "helper.py": "V = 1"})
    runner = runtime.runner(version)
    runtime.prove(version)
    runtime.retain(())
    assert private("index") == []

    async def scenario() -> list[object]:
        outcomes = await asyncio.gather(*(runner.invoke({}, str(n)) for n in range(3)))
        return [outcome.value for outcome in outcomes]

    for _ in range(2):
        assert asyncio.run(scenario()) == [1, 1, 1]
        assert private("index") == []


def test_a_client_that_leaves_does_not_stop_the_loading(runtime: Runtime, make: Make) -> None:
    """Others wait for the same."""
    hold = threading.Event()
    entered = threading.Event()
    sys.modules["doors_of_the_test"] = doors = type(sys)("doors_of_the_test")
    vars(doors).update(hold=hold, entered=entered)
    version = make(
        "import doors_of_the_test as d\nd.entered.set(); d.hold.wait()\n"
        "async def main_handler(e, c): return 5"
    )
    runner = runtime.runner(version)

    async def scenario() -> Outcome:
        leaving = asyncio.create_task(runner.invoke({}, "r"))
        staying = asyncio.create_task(runner.invoke({}, "r"))
        await asyncio.to_thread(entered.wait)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        hold.set()
        return await staying

    try:
        assert asyncio.run(scenario()).value == 5
    finally:
        del sys.modules["doors_of_the_test"]


def test_a_load_that_outlives_its_loop_is_kept(runtime: Runtime, make: Make) -> None:
    """The next loop finds it, or waits for a load of its own."""
    sys.modules["doors_of_the_test"] = doors = type(sys)("doors_of_the_test")
    vars(doors).update(hold=threading.Event(), entered=threading.Event())
    version = make(
        "import doors_of_the_test as d\nd.entered.set(); d.hold.wait()\n"
        "async def main_handler(e, c): return 5"
    )
    runner = runtime.runner(version)

    async def leave() -> None:
        task = asyncio.create_task(runner.invoke({}, "r"))
        await asyncio.to_thread(doors.entered.wait)
        task.cancel()

    async def come() -> Outcome:
        task = asyncio.create_task(runner.invoke({}, "r"))
        await asyncio.sleep(0)
        doors.hold.set()
        return await task

    try:
        asyncio.run(leave())
        assert asyncio.run(come()).value == 5
    finally:
        del sys.modules["doors_of_the_test"]
    assert len(private("index")) == 1
