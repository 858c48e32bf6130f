"""What goes on in each version: invocations that run, and how often its code was started."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import Runtime
from gateway.runtime.generation import Activity

CODE = """
import asyncio
async def main_handler(event, context):
    await asyncio.sleep(event)
"""


@pytest.mark.parametrize("isolation", ["inline", "process"])
def test_starts_and_running_invocations_are_told(tmp_path: Path, isolation: str) -> None:
    """By function and version; a fresh load is one more start."""
    (tmp_path / "index.py").write_text(CODE)
    configuration = Configuration(handler="index.main_handler", isolation=isolation)
    version = FunctionVersion("orders", "1", str(tmp_path), configuration)
    runtime = Runtime()
    try:
        assert runtime.activity() == {}
        assert runtime.runner(version).activity() == Activity(0, 0)
        runtime.prove(version)
        assert runtime.activity() == {("orders", "1"): Activity(0, 1)}

        async def scenario() -> Activity:
            task = asyncio.create_task(runtime.invoke(version, 0.2, "id"))
            while not runtime.activity()["orders", "1"].running:  # noqa: ASYNC110 - a thread's
                await asyncio.sleep(0)
            seen = runtime.activity()["orders", "1"]
            await task
            return seen

        assert asyncio.run(scenario()) == Activity(1, 1)
        runtime.reload(version)
        assert runtime.activity() == {("orders", "1"): Activity(0, 2)}
    finally:
        runtime.close()
