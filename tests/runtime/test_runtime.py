"""The runtime keeps what is named, drops the rest when it has ended, and tells versions apart."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Callable

import pytest

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import HandlerNotFound, Runtime

Make = Callable[..., FunctionVersion]

VALUE = "async def main_handler(event, context):\n    import helper\n    return helper.V\n"
WAIT = "async def main_handler(event, context):\n    await event.wait()\n    return 'waited'\n"


def packages() -> set[str]:
    """Function and version of everything that is loaded."""
    private = (name.split(".") for name in sys.modules if name.startswith("gateway_functions."))
    return {parts[1].rpartition("__")[0] for parts in private}


def test_versions_side_by_side(runtime: Runtime, make: Make) -> None:
    """Each answers with its own code and its own context."""
    index = """
        async def main_handler(event, context):
            import helper
            return helper.V, context["function_version"], context["request_id"]
    """
    versions = [make({"index.py": index, "helper.py": f"V = {n}"}, n) for n in ("1", "2", "3")] + [
        make({"index.py": index, "helper.py": "V = 0"}, "$LATEST")
    ]
    for version in versions:
        runtime.prove(version)

    async def scenario() -> list[object]:
        calls = (runtime.invoke(version, {}, "r") for version in versions)
        return [outcome.value for outcome in await asyncio.gather(*calls)]

    expected = [(1, "1", "r"), (2, "2", "r"), (3, "3", "r"), (0, "$LATEST", "r")]
    assert asyncio.run(scenario()) == expected


def test_proving_twice_loads_once(runtime: Runtime, make: Make) -> None:
    """A version that is loaded is proved."""
    version = make(
        "COUNT = []\nasync def main_handler(e, c):\n    COUNT.append(1)\n    return len(COUNT)"
    )
    runner = runtime.runner(version)
    for expected in (1, 2):
        runtime.prove(dataclasses.replace(version))
        assert asyncio.run(runner.invoke({}, "r")).value == expected


def test_proving_refuses(runtime: Runtime, make: Make) -> None:
    """With the loader's own error."""
    with pytest.raises(HandlerNotFound):
        runtime.prove(make("", handler="index.none"))


def test_one_runner_per_version(runtime: Runtime, make: Make) -> None:
    """Equal versions share it; another configuration of the same number does not."""
    version = make(VALUE, environment={"A": "1"})
    equal = dataclasses.replace(version, configuration=Configuration(environment={"A": "1"}))
    other = dataclasses.replace(version, configuration=Configuration(environment={"A": "2"}))
    assert runtime.runner(version) is runtime.runner(equal)
    assert runtime.runner(version) is not runtime.runner(other)
    assert runtime.runner(other) is runtime.runner(other)
    assert runtime.runner(other).version is other


def test_what_is_not_retained_is_unloaded(runtime: Runtime, make: Make) -> None:
    """By version and configuration, whatever was never loaded included."""
    one, two = make(WAIT, "1"), make(WAIT, "2")
    slower = dataclasses.replace(two, configuration=Configuration(timeout=9))
    never = make(WAIT, "3")
    for version in (one, two, slower):
        runtime.prove(version)
    runtime.runner(never)
    assert packages() == {"orders__1", "orders__2"}
    runtime.retain([slower, never])
    assert packages() == {"orders__2"}
    runtime.retain(iter([slower]))
    assert packages() == {"orders__2"}
    runtime.retain([])
    assert packages() == set()


def test_what_runs_is_unloaded_when_it_has_ended(runtime: Runtime, make: Make) -> None:
    """The last invocation takes the code with it."""
    version = make(WAIT)
    runtime.prove(version)

    async def scenario() -> None:
        go = asyncio.Event()
        tasks = [asyncio.create_task(runtime.invoke(version, go, "r")) for _ in range(2)]
        await asyncio.sleep(0)
        runtime.retain([])
        assert packages() == {"orders__1"}
        go.set()
        assert [(await task).value for task in tasks] == ["waited", "waited"]
        assert packages() == set()

    asyncio.run(scenario())


def test_a_version_that_comes_back_is_loaded_again(runtime: Runtime, make: Make) -> None:
    """After a roll-back to it, for instance."""
    version = make({"index.py": VALUE, "helper.py": "V = 1"})
    for _ in range(2):
        runtime.prove(version)
        assert asyncio.run(runtime.invoke(version, {}, "r")).value == 1
        runtime.retain([])


def test_closing_unloads_everything(make: Make) -> None:
    """Twice is once."""
    runtime = Runtime()
    version = make(WAIT)
    runtime.prove(version)
    runtime.close()
    runtime.close()
    assert packages() == set()


def test_two_runtimes_do_not_disturb_each_other(runtime: Runtime, make: Make) -> None:
    """Each has its own generation of the same version."""
    version = make({"index.py": VALUE, "helper.py": "V = 1"})
    other = Runtime()
    runtime.prove(version)
    other.prove(version)
    assert asyncio.run(other.invoke(version, {}, "r")).value == 1
    other.close()
    assert asyncio.run(runtime.invoke(version, {}, "r")).value == 1
