"""What several workers answer is one recording: each line once, each count added."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from gateway.app import Gateway, Setup
from gateway.core.errors import StageNotFound
from gateway.dataplane.server import HttpServer, bind
from gateway.dataplane.tap import Tap
from gateway.workers.recording import Gathered, GatheringRecorder, Offering

pytestmark = pytest.mark.sockets

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[[apis]]
method = "GET"
path = "/ping/{id}"
mock = { body = "pong" }

[stages.release]
alias = "$DEFAULT"
"""
HIDDEN = frozenset({"authorization"})


class Shop:
    """A served gateway, whose recorder stands for those of several workers.

    Args:
        gateway: The gateway.
        server: Answers its callers.
        folder: Where workers and who gathers meet.
    """

    def __init__(self, gateway: Gateway, server: HttpServer, folder: Path) -> None:
        self.gateway = gateway
        self.folder = folder
        self.recorder = GatheringRecorder(Tap(gateway.live, monotonic), folder, 2)
        self._server = server

    def open(self, stage: str = "release", rate: float = 1000.0) -> Gathered:
        """Begin to record."""
        return self.recorder.open(stage, rate=rate, body=1024, hidden=HIDDEN)

    @asynccontextmanager
    async def worker(self, name: str) -> AsyncIterator[None]:
        """While a worker offers what it records."""
        path = self.folder / name
        offering = asyncio.create_task(Offering(self.gateway.service.recorder, path).run())
        await until(path.exists)
        yield
        offering.cancel()
        await asyncio.wait([offering])
        assert not path.exists()

    async def ask(self, which: str) -> None:
        """One request."""
        reader, writer = await asyncio.open_connection(*self._server.listener.getsockname())
        head = f"GET /release/ping/{which} HTTP/1.1\r\nHost: h\r\nAuthorization: secret\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode())
        assert (await reader.read()).endswith(b"pong")
        writer.close()

    async def heard(self, recording: Gathered, times: int) -> list[dict[str, Any]]:
        """Ask until a request was recorded by so many at once; gives its lines."""
        number, lines = 0, list[dict[str, Any]]()
        while True:
            number += 1
            await self.ask(str(number))
            while recording._waiting:
                lines += map(json.loads, (await recording.lines(64)).splitlines())
            paths = [line["path"] for line in lines]
            if any(paths.count(path) == times for path in paths):
                return lines


async def until(there: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    while not there():  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(0)


async def rest(recording: Gathered) -> bytes:
    """What is left of a recording once it is closed."""
    recording.close()
    found = b""
    while lines := await recording.lines(1):
        found += lines
    return found


def play(tmp_path: Path, scenario: Callable[[Shop], Awaitable[None]]) -> None:
    """Serve, and let something happen."""
    code = tmp_path / "functions" / "echo" / "latest" / "index.py"
    code.parent.mkdir(parents=True)
    code.write_text("def main_handler(event, context):\n    return {}\n")
    (tmp_path / "stages.toml").write_text(STAGES)
    (tmp_path / "s").mkdir()

    async def whole() -> None:
        gateway = await Gateway.open(Setup(tmp_path / "stages.toml", seed=1))
        server = HttpServer(gateway.plane, bind("127.0.0.1", 0))
        serving = asyncio.create_task(server.run_until_stopped())
        await server.ready.wait()
        try:
            await scenario(Shop(gateway, server, tmp_path / "s"))
        finally:
            server.stop(force=True)
            await serving
            await gateway.close()

    asyncio.run(whole())


def test_every_worker_is_recorded_also_one_that_comes_later(tmp_path: Path) -> None:
    """Its moments are counted from the beginning, and hidden headers stay hidden."""

    async def scenario(shop: Shop) -> None:
        async with shop.worker("1"):
            recording = shop.open()
            assert recording.stage == "release"
            first = await shop.heard(recording, 1)
            async with shop.worker("2"):
                lines = await shop.heard(recording, 2)
            alone = await shop.heard(recording, 1)
        moments = [line["at"] for line in lines]
        assert max(moments) - min(moments) < 60
        assert min(moments) >= max(line["at"] for line in first) - 1
        assert all(line["answer"]["status"] == 200 for line in (*first, *lines, *alone))
        assert "secret" not in json.dumps([first, lines, alone])
        await rest(recording)
        assert await recording.lines(1) == b""

    play(tmp_path, scenario)


def test_what_was_dropped_is_added_up(tmp_path: Path) -> None:
    """Each worker takes its share of the rate."""

    async def scenario(shop: Shop) -> None:
        async with shop.worker("1"), shop.worker("2"):
            recording = shop.open(rate=0.2)
            while recording.dropped().get("rate", 0) < 4:
                await shop.ask("1")
            await rest(recording)
        assert list(recording.dropped()) == ["rate"]
        assert recording.recorded == 2

    play(tmp_path, scenario)


def test_a_worker_that_was_killed_is_passed_over(tmp_path: Path) -> None:
    """Only its socket is left; nobody listens there."""

    async def scenario(shop: Shop) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(shop.folder / "0"))
        async with shop.worker("1"):
            recording = shop.open()
            await shop.heard(recording, 1)
            await rest(recording)

    play(tmp_path, scenario)


def test_a_worker_that_stops_sends_what_it_has(tmp_path: Path) -> None:
    """The recording goes on without it."""

    async def scenario(shop: Shop) -> None:
        async with shop.worker("1"):
            recording = shop.open()
            await shop.heard(recording, 1)
            for number in range(3):
                await shop.ask(f"last-{number}")
        left = [json.loads(line)["path"] for line in (await rest(recording)).splitlines()]
        assert left[-3:] == [f"/ping/last-{number}" for number in range(3)]

    play(tmp_path, scenario)


def test_a_reader_who_is_slow_gets_everything_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines wait at the worker for as long as they have no room here."""
    monkeypatch.setattr("gateway.workers.recording._WAITING", 2)

    async def scenario(shop: Shop) -> None:
        async with shop.worker("1"):
            recording = shop.open()
            await shop.heard(recording, 1)
            for number in range(10):
                await shop.ask(f"slow-{number}")
            await until(lambda: not recording._room.is_set())
            assert recording.recorded < 10 + 1
            found = await recording.lines(64)
            while found.count(b"slow") < 10:
                found += await recording.lines(64)
            await rest(recording)

    play(tmp_path, scenario)


def test_without_workers_there_is_nothing_and_a_stage_must_be_one(tmp_path: Path) -> None:
    """A recording that nobody fills ends like any other."""

    async def scenario(shop: Shop) -> None:
        assert await rest(shop.open()) == b""
        with pytest.raises(StageNotFound):
            shop.open("nowhere")

    play(tmp_path, scenario)
