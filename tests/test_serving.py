"""Serving: two listeners until a signal, what runs beside them, and what is never exposed."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from gateway.app import Gateway, Setup
from gateway.controlplane.events import Event
from gateway.controlplane.watching import Watcher
from gateway.dataplane.server import PortInUse, bind
from gateway.serving import Addresses, Exposed, Unverified, serve
from gateway.setup import Role

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[[apis]]
method = "GET"
path = "/user/{id}"
function = "echo"

[[apis]]
method = "ANY"
path = "^~/back"
http = { url = "http://HOST:PORT" }

[stages.dev]
alias = "$DEFAULT"
"""
CODE = 'async def main_handler(event, context):\n    return {"statusCode": 200, "body": "TEXT"}\n'

pytestmark = pytest.mark.sockets


class Served:
    """A gateway that is being served.

    Attributes:
        data: Where callers reach it.
        control: Where it is steered.
        events: What it told.
    """

    def __init__(self, line: str, events: asyncio.Queue[Event]) -> None:
        *data, self.control = re.findall(r"http://\S+", line)
        self.data = data[0] if data else ""
        self.events = events


Scenario = Callable[[Served, httpx.AsyncClient], Awaitable[None]]


class Shop:
    """A folder, and what happens while it is served."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "stages.toml"
        self.code = root / "functions" / "echo" / "latest" / "index.py"
        self.code.parent.mkdir(parents=True)
        self.edit("first")
        self.file.write_text(STAGES.replace("HOST:PORT", "127.0.0.1:9"))
        self.lines: list[str] = []

    def edit(self, text: str) -> None:
        self.code.write_text(CODE.replace("TEXT", text))

    def run(
        self,
        scenario: Scenario,
        where: Addresses | None = None,
        *,
        number: int = signal.SIGTERM,
        token: str | None = None,
        watch: bool = True,
        accept_any: bool = False,
        role: Role = Role.ALL,
    ) -> None:
        """Serve, let the scenario happen, and stop by a signal."""

        async def whole() -> None:
            setup = Setup(
                self.file, seed=1, token=token, accept_any_signature=accept_any, role=role
            )
            gateway = await Gateway.open(setup)
            ready, told = asyncio.Event(), asyncio.Queue[Event]()

            def said(line: str) -> None:
                self.lines.append(line)
                ready.set()

            addresses = where or Addresses(port=0, control_port=0)
            serving = asyncio.create_task(
                serve(gateway, addresses, said, watch=watch, tell=told.put_nowait)
            )
            waiting = asyncio.create_task(ready.wait())
            await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                waiting.cancel()
                await serving
            async with httpx.AsyncClient(trust_env=False) as client:
                await scenario(Served(self.lines[-1], told), client)
            os.kill(os.getpid(), number)
            await serving

        asyncio.run(whole())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A served gateway freezes the heap of its process; a test process goes on living."""
    yield Shop(tmp_path)
    gc.unfreeze()


def loaded() -> list[str]:
    """What the process holds of any version."""
    return [name for name in sys.modules if name.startswith("gateway_functions")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_gateway_is_served_until_a_signal(shop: Shop, number: signal.Signals) -> None:
    """Both planes answer when the ready line is out; afterwards nothing of it is left."""
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    async def scenario(served: Served, client: httpx.AsyncClient) -> None:
        assert (await client.get(f"{served.data}/dev/user/7")).text == "first"
        assert (await client.get(f"{served.control}/readyz")).status_code == 200

    shop.run(scenario, number=number)
    shape = r"gateway ready data=http://127\.0\.0\.1:\d+ control=http://127\.0\.0\.1:\d+ revision=1"
    assert re.fullmatch(shape, shop.lines[0])
    assert (len(shop.lines), loaded()) == (1, [])
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


async def nothing(_served: Served, _client: httpx.AsyncClient) -> None:
    """No story."""


@pytest.mark.parametrize("plane", ["data", "control"])
def test_a_gateway_whose_port_is_taken_is_not_half_served(shop: Shop, plane: str) -> None:
    """The other listener is given back, and so is everything that was loaded."""
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        where = Addresses(port=port, control_port=0)
        if plane == "control":
            where = Addresses(port=0, control_port=port)
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port}: "):
            shop.run(nothing, where)
    assert (shop.lines, loaded()) == ([], [])


def test_one_port_cannot_serve_both_planes(shop: Shop) -> None:
    """It is refused like any port that is taken."""
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    with pytest.raises(PortInUse, match=f"127.0.0.1:{port}: "):
        shop.run(nothing, Addresses(port=port, control_port=port))


def test_the_control_plane_stays_on_this_machine_wherever_callers_come_from(shop: Shop) -> None:
    """It tells whoever asks everything, environment variables included."""
    shop.run(nothing, Addresses(host="0.0.0.0", port=0, control_port=0))
    assert re.search(r"data=http://0\.0\.0\.0:\d+ control=http://127\.0\.0\.1:\d+ ", shop.lines[0])


def test_a_control_plane_that_others_reach_needs_a_token(shop: Shop) -> None:
    """Without one it does not start; with one it asks everybody for it."""
    everywhere = Addresses(port=0, control_port=0, control_host="0.0.0.0")
    with pytest.raises(Exposed, match=r"'0\.0\.0\.0' only with a token"):
        shop.run(nothing, everywhere)
    assert (shop.lines, loaded()) == ([], [])

    async def scenario(served: Served, client: httpx.AsyncClient) -> None:
        url = served.control.replace("0.0.0.0", "127.0.0.1") + "/api/snapshot"
        assert (await client.get(url)).status_code == 401
        headers = {"Authorization": "Bearer secret"}
        assert (await client.get(url, headers=headers)).status_code == 200

    shop.run(scenario, everywhere, token="secret")


def test_signatures_go_unchecked_on_this_machine_alone(shop: Shop) -> None:
    """With a token too: nobody who steers through the cloud's API needs it then."""
    everywhere = Addresses(port=0, control_port=0, control_host="0.0.0.0")
    with pytest.raises(Unverified, match=r"may not listen on '0\.0\.0\.0'"):
        shop.run(nothing, everywhere, token="secret", accept_any=True)
    assert (shop.lines, loaded()) == ([], [])
    shop.run(nothing, accept_any=True)
    assert len(shop.lines) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "127.1"])
@pytest.mark.parametrize("plane", ["data", "control"])
def test_a_back_end_is_never_the_gateway_itself(shop: Shop, host: str, plane: str) -> None:
    """However its address is spelled, no caller gets through to the control plane."""

    async def scenario(served: Served, client: httpx.AsyncClient) -> None:
        port = getattr(served, plane).rpartition(":")[2]
        shop.file.write_text(STAGES.replace("HOST", host).replace("PORT", port))
        body = {"file": str(shop.file)}
        applied = await client.post(f"{served.control}/api/apply", json=body)
        assert applied.status_code == 200, applied.text
        answer = await client.get(f"{served.data}/dev/back/api/snapshot")
        assert (answer.status_code, answer.json()) == (502, {"message": "Bad Gateway."})

    shop.run(scenario, watch=False)


async def next_event(served: Served, name: str) -> Event:
    """The next event of a kind."""
    async with asyncio.timeout(20):
        while True:
            event = await served.events.get()
            if event.name == name:
                return event


def test_edits_of_code_and_file_are_picked_up_while_serving(shop: Shop) -> None:
    """Good ones take effect; broken ones are told, and what was good goes on."""

    async def scenario(served: Served, client: httpx.AsyncClient) -> None:
        url = f"{served.data}/dev/user/7"
        shop.edit("second")
        await next_event(served, "reload")
        assert (await client.get(url)).text == "second"
        shop.code.write_text("def broken(:\n")
        error = await next_event(served, "error")
        assert "SyntaxError" in str(error.data["text"])
        assert (await client.get(url)).text == "second"
        text = shop.file.read_text()
        shop.file.write_text(text.replace("[stages.dev]", "[stages.nowhere]"))
        error = await next_event(served, "error")
        assert "stages.toml:" in str(error.data["text"])
        assert "error[unknown-stage]" in str(error.data["text"])
        shop.file.write_text(text.replace("/user/{id}", "/person/{id}"))
        changed = await next_event(served, "revision")
        assert changed.id == 2
        assert (await client.get(f"{served.data}/dev/person/7")).text == "second"
        assert (await client.get(url)).status_code == 404

    shop.run(scenario)


def test_without_watching_nothing_is_picked_up(shop: Shop) -> None:
    """Until somebody asks for it."""

    async def scenario(served: Served, client: httpx.AsyncClient) -> None:
        shop.edit("second")
        shop.file.write_text(shop.file.read_text().replace("/user/{id}", "/person/{id}"))
        assert (await client.get(f"{served.data}/dev/user/7")).text == "first"
        await client.post(f"{served.control}/api/apply", content=b"")
        assert (await client.get(f"{served.data}/dev/person/7")).text == "first"
        assert (await next_event(served, "revision")).id == 2

    shop.run(scenario, watch=False)


def test_a_watch_that_breaks_is_told_and_serving_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system grants only so many watches."""

    async def broken(_watcher: Watcher) -> None:
        raise OSError("inotify watch limit reached")

    monkeypatch.setattr(Watcher, "run", broken)

    async def scenario(served: Served, client: httpx.AsyncClient) -> None:
        error = await next_event(served, "error")
        assert error.data["message"] == "watching for edits has ended: inotify watch limit reached"
        assert (await client.get(f"{served.data}/dev/user/7")).text == "first"

    shop.run(scenario)


def test_a_stream_of_events_does_not_keep_the_gateway_from_stopping(shop: Shop) -> None:
    """It is ended; a stopped gateway has nothing more to tell."""

    async def scenario(served: Served, client: httpx.AsyncClient) -> None:
        async def listen() -> list[str]:
            lines = []
            async with client.stream("GET", f"{served.control}/api/events") as stream:
                async for line in stream.aiter_lines():
                    lines.append(line)
                    hello.set()
            return lines

        hello = asyncio.Event()
        listening = asyncio.create_task(listen())
        await hello.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        lines = await asyncio.wait_for(listening, 5)
        assert "event: hello" in lines
        (data,) = [line for line in lines if line.startswith("data: ")]
        assert json.loads(data.removeprefix("data: ")) == {"revision": 1}

    shop.run(scenario)


def test_who_is_only_steered_has_no_listener_for_callers(shop: Shop) -> None:
    """Others answer them; it tells where, as far as it knows."""

    async def scenario(served: Served, client: httpx.AsyncClient) -> None:
        told = await client.get(f"{served.control}/api/addresses")
        assert told.json() == {"data": "http://h.example:9"}
        asked = {"stage": "dev", "method": "GET", "path": "/user/7"}
        explained = await client.post(f"{served.control}/api/explain", json=asked)
        assert explained.json()["version"] == "$LATEST"

    where = Addresses(host="h.example", port=9, control_port=0)
    shop.run(scenario, where, role=Role.CONTROL)
    assert re.fullmatch(r"gateway ready control=http://127\.0\.0\.1:\d+ revision=1", shop.lines[0])
