"""A gateway from a stages.toml and handlers that the test writes, and a caller of it in process."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import httpx
import pytest

from gateway.app import Gateway, Setup

T = TypeVar("T")

ECHO = """
async def main_handler(event, context):
    return {"event": event, "context": context}
"""

SMALL = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"
timeout = 5

[functions.echo.aliases]
release = { version = "1" }

[[apis]]
method = "ANY"
path = "/"
function = "echo"
{integrated}

[stages.dev]
alias = "$DEFAULT"
[stages.prepub]
alias = "$DEFAULT"
[stages.release]
alias = "release"
"""


class Caller:
    """Calls one gateway through ASGI; everything happens in one event loop.

    Attributes:
        gateway: The gateway.
        run: Awaits something in that loop.
    """

    def __init__(self, gateway: Gateway, runner: asyncio.Runner) -> None:
        self.gateway = gateway
        self._runner = runner

    def run(self, awaitable: Awaitable[T]) -> T:
        """Await something in the gateway's loop."""

        async def waiting() -> T:
            return await awaitable

        return self._runner.run(waiting())

    async def ask(
        self,
        target: str = "/dev/",
        method: str = "GET",
        *,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        content: bytes | str | None = None,
    ) -> httpx.Response:
        """One request with exactly these headers, and `host`; a target may be a whole URL."""
        url = target if "://" in target else f"http://127.0.0.1:8080{target}"
        request = httpx.Request(method, url, headers=headers, content=content)
        transport = httpx.ASGITransport(self.gateway.plane, client=("10.0.0.7", 51000))
        response = await transport.handle_async_request(request)
        await response.aread()
        return response

    def __call__(self, target: str = "/dev/", method: str = "GET", **more: Any) -> httpx.Response:  # noqa: ANN401
        """`ask`, for tests that do nothing else at the same time."""
        return self.run(self.ask(target, method, **more))


Make = Callable[..., Caller]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Write functions and a stages.toml, and build the gateway; closed when the test is over."""
    made: list[Caller] = []
    # Built in a thread: some tests build theirs while a loop runs, for a back end.
    with asyncio.Runner() as runner, ThreadPoolExecutor(1) as builder:

        def build(
            stages: str, functions: Mapping[str, str] | None = None, *, seed: int | None = 1
        ) -> Caller:
            folder = tmp_path / f"gateway{len(made)}"
            for place, code in (functions or {}).items():
                index = folder / "functions" / place / "index.py"
                index.parent.mkdir(parents=True, exist_ok=True)
                index.write_text(textwrap.dedent(code), encoding="utf-8")
            folder.mkdir(exist_ok=True)
            (folder / "stages.toml").write_text(textwrap.dedent(stages), encoding="utf-8")
            opening = builder.submit(
                asyncio.run, Gateway.open(Setup(folder / "stages.toml", seed=seed))
            )
            made.append(Caller(opening.result(), runner))
            return made[-1]

        yield build
        for caller in made:
            runner.run(caller.gateway.close())


@pytest.fixture
def returning(make: Make) -> Make:
    """A gateway with the function `echo` behind every path: `returning(code)`.

    A text without `main_handler` is the value that the handler returns.
    """

    def build(code: str, *, integrated: bool = True) -> Caller:
        if "main_handler" not in code:
            code = f"import math\nasync def main_handler(event, context):\n    return {code}\n"
        flag = "" if integrated else "integrated = false"
        stages = SMALL.replace("{integrated}", flag)
        return make(stages, {"echo/latest": code, "echo/v1": code})

    return build


@pytest.fixture
def echo(returning: Make) -> Caller:
    """Answers with the event and the context, as JSON."""
    return returning(ECHO, integrated=False)


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that handlers import: what a test puts into it, they can wait for."""
    module = ModuleType("gates_of_this_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module
