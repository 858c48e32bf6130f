"""A folder with a stages.toml and its functions, and ways to call the command line there."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.app import Gateway, Setup
from gateway.cli import main
from gateway.dataplane.limits import STEERING
from gateway.dataplane.server import HttpServer, bind

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
"$DEFAULT" = { version = "$LATEST" }
prepub = { version = "1", rules = [
  { when = "invoke.headers.User exact Bob", version = "2" },
  { when = "invoke.query.beta exists", version = "$LATEST" },
] }
release = { version = "1", weights = { "2" = 0.1 } }
even = { version = "1", weights = { "2" = 0.25 }, split = "even" }
stuck = { version = "1", weights = { "2" = 0.5 }, split = "sticky", sticky_by = "invoke.query.u" }

[functions.other]
source = "functions/other"

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[[apis]]
method = "GET"
path = "=/other"
function = "other"

[[apis]]
method = "GET"
path = "=/ping"
mock = { body = "pong" }

[[apis]]
method = "GET"
path = "^~/legacy"
http = { url = "http://127.0.0.1:9" }

[stages.dev]
alias = "$DEFAULT"
aliases = { orders = "DEV" }
[stages.prepub]
alias = "$DEFAULT"
aliases = { orders = "prepub" }
[stages.release]
alias = "$LATEST"
aliases = { orders = "release" }
"""
OK = 'async def main_handler(event, context):\n    return {"statusCode": 200}\n'

Shop = Callable[..., Path]
Call = Callable[..., Result]
Begin = Callable[..., "subprocess.Popen[str]"]
Process = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Write the shop, with some code replaced, and go into its folder."""

    def write(code: Mapping[str, str] | None = None, *, dev: str = "$DEFAULT") -> Path:
        places = ("orders/latest", "orders/v1", "orders/v2", "other/latest")
        for place, text in {**dict.fromkeys(places, OK), **(code or {})}.items():
            index = tmp_path / "functions" / place / "index.py"
            index.parent.mkdir(parents=True, exist_ok=True)
            index.write_text(textwrap.dedent(text))
        (tmp_path / "stages.toml").write_text(STAGES.replace("DEV", dev))
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return write


@pytest.fixture
def call() -> Call:
    """Call `gateway` in this process."""

    def run(*arguments: str, **more: object) -> Result:
        result = CliRunner().invoke(main, list(arguments), **more)  # type: ignore[arg-type]
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert "Traceback" not in result.stderr.replace("  Traceback", "")
        return result

    return run


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what changes the command line's colours."""
    plain = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "COLUMNS"}}
    return {**plain, "PYTHONIOENCODING": "utf-8", **more}


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Run `python -m gateway` to its end, in the shop's folder."""

    def run(*arguments: str | bytes) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(),
            timeout=60,
        )

    return run


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begin `python -m gateway`; killed if it is still there at the end."""
    begun: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "gateway", *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(),
            )
        )
        return begun[-1]

    yield run
    for process in begun:
        process.kill()
        process.communicate()


class Running:
    """A real gateway that serves both planes from a thread of its own.

    Attributes:
        url: Its control plane.
        data: Its data plane.
        gateway: The gateway; other threads only read it.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._ready = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self._ready.wait()
        assert self._thread.is_alive()

    def stop(self) -> None:
        """Let go of everything; once more does no harm."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop)
            self._thread.join()

    def _stop(self) -> None:
        self.gateway.events.close()
        for server in self.servers:
            server.stop(force=True)

    async def _run(self) -> None:
        self.loop = asyncio.get_running_loop()
        try:
            self.gateway = await Gateway.open(self._setup)
            self.servers = [
                HttpServer(self.gateway.plane, bind("127.0.0.1", 0)),
                HttpServer(self.gateway.control, bind("127.0.0.1", 0), edge=STEERING),
            ]
            self.data, self.url = (server.url for server in self.servers)
            tasks = [asyncio.create_task(server.run_until_stopped()) for server in self.servers]
            for server in self.servers:
                await server.ready.wait()
        finally:
            self._ready.set()
        await asyncio.gather(*tasks)
        await self.gateway.close()


StartGateway = Callable[..., Running]
Json = Any
Answered = Callable[..., Json]


@pytest.fixture
def start_gateway(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartGateway]:
    """Serve the shop; the command line finds it by itself."""
    started: list[Running] = []

    def start(code: Mapping[str, str] | None = None, **more: object) -> Running:
        folder = shop(code)
        gateway = Running(Setup(**{"file": folder / "stages.toml", "seed": 7, **more}))  # type: ignore[arg-type]
        started.append(gateway)
        monkeypatch.setenv("GATEWAY_CONTROL_URL", gateway.url)
        return gateway

    monkeypatch.delenv("GATEWAY_TOKEN", raising=False)
    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture
def running(start_gateway: StartGateway) -> Running:
    """The shop as it is, served."""
    return start_gateway()


@pytest.fixture
def answered(call: Call) -> Answered:
    """What a command writes as JSON, with nothing beside it."""

    def run(*arguments: str, **more: object) -> Json:
        result = call(*arguments, "--json", **more)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run
