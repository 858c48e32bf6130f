"""The examples on Flask and Starlette: served with the lines of their own READMEs, and asked."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from gateway.app import Gateway, Setup
from gateway.dataplane.server import HttpServer, bind

pytestmark = pytest.mark.sockets

FOLDER = Path(__file__).parents[2] / "functions"
NAMES = ("guestbook-flask", "guestbook-starlette")
STAGES = """
[service]
name = "shop"

{lines}

[stages.dev]
alias = "$DEFAULT"
"""

Talk = Callable[[aiohttp.ClientSession, str], Awaitable[None]]


@pytest.fixture
def visit(tmp_path: Path) -> Callable[[str, Talk], None]:
    """Serve an example and talk to it: `visit(name, talk)`."""

    async def scenario(name: str, talk: Talk) -> None:
        gateway = await Gateway.open(Setup(installed(tmp_path, name), seed=1))
        server = HttpServer(gateway.plane, bind("127.0.0.1", 0), sockets=True)
        serving = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        try:
            async with aiohttp.ClientSession() as session:
                await talk(session, f"{server.url}/dev/guestbook")
        finally:
            server.stop(force=True)
            await serving
            await gateway.close()

    def go(name: str, talk: Talk) -> None:
        asyncio.run(asyncio.wait_for(scenario(name, talk), 30))

    return go


def installed(folder: Path, name: str) -> Path:
    """Copy an example, with a stages.toml that has the lines of its README; gives the file."""
    shutil.copytree(FOLDER / name, folder / "functions" / name)
    text = (FOLDER / name / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```toml\n(.+?)```", text, re.DOTALL)
    assert found, name
    stages = folder / "stages.toml"
    stages.write_text(STAGES.format(lines=found[1]), encoding="utf-8")
    return stages


@pytest.mark.parametrize("name", NAMES)
def test_entries_are_written_and_read(visit: Callable[[str, Talk], None], name: str) -> None:
    """The link of a new entry leads to it, at the same stage."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(url) as answer:
            assert await answer.json() == {"version": "$LATEST", "entries": []}
            assert answer.headers["X-Gateway-Function"] == name
        for number, text in enumerate(("hello", "grüezi"), 1):
            async with session.post(url, data=text.encode()) as answer:
                assert (answer.status, await answer.json()) == (201, {"number": number})
                link = answer.headers["Location"]
            assert link.endswith(f"/dev/guestbook/{number}")
            async with session.get(answer.url.join(URL(link))) as shown:
                assert await shown.json() == {"number": number, "text": text}
        async with session.get(url) as answer:
            assert (await answer.json())["entries"] == ["hello", "grüezi"]
        for path in ("/0", "/3", "/none"):
            async with session.get(url + path) as answer:
                assert answer.status == 404

    visit(name, talk)


def test_entries_are_streamed_as_they_are_written(visit: Callable[[str, Talk], None]) -> None:
    """Those that are there already come first."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        await session.post(url, data=b"first")
        async with session.get(f"{url}/events") as stream:
            assert stream.content_type == "text/event-stream"
            assert await stream.content.readuntil(b"\n\n") == b'data: "first"\n\n'
            await session.post(url, data=b"two\nlines")
            assert await stream.content.readuntil(b"\n\n") == b'data: "two\\nlines"\n\n'

    visit("guestbook-starlette", talk)


def test_messages_are_echoed(visit: Callable[[str, Talk], None]) -> None:
    """In order, until the caller closes."""

    async def talk(session: aiohttp.ClientSession, url: str) -> None:
        async with session.ws_connect(f"{url}/echo") as socket:
            for text in ("a", "ü", "x" * 100_000):
                await socket.send_str(text)
                assert await socket.receive_str() == text

    visit("guestbook-starlette", talk)
