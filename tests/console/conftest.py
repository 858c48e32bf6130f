"""A real browser before a real gateway: what people see, and pictures of it to look at.

Pictures are kept in `reports/console/`. Whatever a page writes to its console as an error, and
whatever it asks of another origin, fails the test that opened it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as BrowserError

from gateway.app import Gateway, Setup
from gateway.dataplane.limits import STEERING
from gateway.dataplane.protocol import GatewayProtocol
from gateway.dataplane.server import HttpServer, bind

expect.set_options(timeout=20_000)

PICTURES = Path(__file__).parents[2] / "reports" / "console"
"""Where pictures are kept."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW = (
    "no Chromium is installed; install one: '.venv/bin/python -m playwright install --with-deps"
    " chromium', or 'apt-get install chromium'"
)

STAGES = """
[service]
name = "shop"

[functions.orders]
source = "functions/orders"

[functions.orders.aliases]
"$DEFAULT" = { version = "$LATEST" }
prepub = { version = "1" }
release = { version = "1" }

[[apis]]
method = "ANY"
path = "/orders/{id}"
function = "orders"

[stages.dev]
alias = "$DEFAULT"
[stages.prepub]
alias = "prepub"
[stages.release]
alias = "release"
"""

HANDLER = """
async def main_handler(event, context):
    if event["queryString"].get("fail") == VERSION:
        raise RuntimeError(f"order {event['pathParameters']['id']} cannot be read")
    return {"statusCode": 200, "body": VERSION}
"""


class Running:
    """A real gateway that serves both planes from a thread of its own.

    Attributes:
        url: Its control plane.
        data: Its data plane.
        gateway: The gateway; other threads only read it.
        folder: The folder of its project.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._ready = Event()
        self.folder = setup.file.parent if setup.file else Path()
        self._thread = Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self._ready.wait()
        assert self._thread.is_alive()

    def stop(self) -> None:
        """Let go of everything; once more does no harm."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop)
            self._thread.join()

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Ask the control plane, as a program does."""
        answer = httpx.request(method, self.url + path, json=body, timeout=30, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()

    def send(
        self, path: str, times: int, headers: dict[str, str] | None = None
    ) -> Counter[tuple[int, str]]:
        """Send so many requests to the data plane, eight at a time; gives statuses and versions."""
        # httpcore closes an idle connection that another thread has just been given.
        none_idle = httpx.Limits(max_keepalive_connections=0)
        with (
            httpx.Client(
                base_url=self.data, trust_env=False, timeout=30, limits=none_idle
            ) as client,
            ThreadPoolExecutor(8) as pool,
        ):
            answers = pool.map(lambda _: client.get(path, headers=headers), range(times))
            return Counter((a.status_code, a.headers["x-gateway-version"]) for a in answers)

    def _stop(self) -> None:
        self.gateway.events.close()
        for server in self._servers:
            server.stop(force=True)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            self.gateway = await Gateway.open(self._setup)
            self._servers = [
                HttpServer(self.gateway.plane, bind("127.0.0.1", 0)),
                HttpServer(self.gateway.control, bind("127.0.0.1", 0), edge=STEERING),
            ]
            self.data, self.url = (server.url for server in self._servers)
            self.gateway.service.data_url = self.data
            self.gateway.service.control_url = self.url
            tasks = [asyncio.create_task(server.run_until_stopped()) for server in self._servers]
            for server in self._servers:
                await server.ready.wait()
        finally:
            self._ready.set()
        await asyncio.gather(*tasks)
        for connection in [each for s in self._servers for each in s.server_state.connections]:
            assert isinstance(connection, GatewayProtocol)
            connection.abort()  # a browser keeps it
        await self.gateway.close()


def write_project(folder: Path, stages: str = STAGES, versions: int = 2) -> Path:
    """The files of a project with so many published versions; gives its stages.toml."""
    for place in ("latest", *(f"v{number}" for number in range(1, versions + 1))):
        index = folder / "functions" / "orders" / place / "index.py"
        index.parent.mkdir(parents=True, exist_ok=True)
        name = place.removeprefix("v")
        index.write_text(HANDLER.replace("VERSION", repr(name)), encoding="utf-8")
    file = folder / "stages.toml"
    file.write_text(textwrap.dedent(stages), encoding="utf-8")
    return file


Serve = Callable[..., Running]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve the project: `serve(versions=2, stages=..., token=...)`."""
    started: list[Running] = []

    def start(*, versions: int = 2, stages: str = STAGES, **more: Any) -> Running:  # noqa: ANN401
        file = write_project(tmp_path, stages, versions)
        started.append(Running(Setup(**{"file": file, "seed": 7, **more})))
        return started[-1]

    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture
def running(serve: Serve) -> Running:
    """The project as it is, served."""
    return serve()


@cache
def _installed() -> str | None:
    """An installed Chromium; empty text for the one that Playwright brings."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    with sync_playwright() as playwright:
        if Path(playwright.chromium.executable_path).exists():
            return ""
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=100)
    return "" if done.returncode == 0 else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium: an installed one, or Playwright's own, which is installed where there is none.

    Playwright keeps an event loop running in this thread, in which tests of other modules want to
    run their own: so each module has its browser.
    """
    found = _installed()
    if found is None:
        pytest.skip(HOW)
    # A sandbox inside a container needs rights that root there has not; pages are our own.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=found or None, args=arguments)
        except BrowserError as error:
            pytest.skip(f"Chromium cannot start ({error.message.splitlines()[0]}); {HOW}")
        yield opened
        opened.close()


@dataclass
class Watched:
    """What pages did that they must not do.

    Attributes:
        errors: What they wrote to their console as an error, and what they threw.
        foreign: What they asked of another origin.
    """

    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Look at a page from now on."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def _said(self, said: ConsoleMessage) -> None:
        # A preview that is refused, while one types, is an answer; browsers write down each.
        if said.type == "error" and not said.location["url"].endswith("/preview"):
            self.errors.append(said.text)

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob", "about"} and parts.hostname != "127.0.0.1":
            self.foreign.append(url)


OpenPage = Callable[..., Page]


@pytest.fixture
def watched() -> Watched:
    """What the pages of a test did that they must not do; a test may forgive what it provoked."""
    return Watched()


@pytest.fixture
def open_page(browser: Browser, watched: Watched) -> Iterator[OpenPage]:
    """Open a page of its own browser: `open_page(width=1100, scheme="light")`."""
    contexts: list[BrowserContext] = []

    def make(*, width: int = 1100, height: int = 800, scheme: Any = "light") -> Page:  # noqa: ANN401
        size: Any = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        watched.watch(page)
        return page

    yield make
    for context in contexts:
        context.close()
    assert watched.errors == []
    assert watched.foreign == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A wide and light page."""
    return open_page()


Traffic = Callable[[Running, str], AbstractContextManager[None]]


@contextmanager
def _sending(running: Running, path: str) -> Iterator[None]:
    over = Event()

    def send() -> None:
        while not over.is_set():
            running.send(path, 40)

    thread = Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def traffic() -> Traffic:
    """Sends requests to a path, again and again, inside a `with` statement."""
    return _sending


Picture = Callable[[Page, str], Path]


@pytest.fixture
def picture() -> Picture:
    """Keep a picture of a page under a name."""

    def take(page: Page, name: str) -> Path:
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take
