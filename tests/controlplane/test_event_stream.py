"""Events over HTTP: hello, resuming, heartbeats, and an end whoever wants it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.types import Message

from gateway.app import Gateway
from gateway.controlplane.events import WAITING, Event, Subscription
from gateway.controlplane.stream import PAGE, EventStream
from gateway.core.alias import Route
from gateway.core.changes import PutAlias
from gateway.dataplane.server import HttpServer, bind
from gateway.store.protocol import Author

ME = Author("me", "here")
Panel = Any


class Heard(NamedTuple):
    """One event as a reader sees it."""

    name: str
    id: str | None
    data: dict[str, Any]


def read(text: str) -> list[Heard]:
    """The events of a stream; comments are left out."""
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        fields = dict(line.split(": ", 1) for line in lines)
        if fields:
            found.append(Heard(fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


class Reader:
    """Reads one stream through ASGI, as far as a test wants.

    Attributes:
        sent: Every message.
    """

    def __init__(self, gateway: Gateway, after: int | None = None, **settings: float) -> None:
        self.sent: list[Message] = []
        self._stream = EventStream(gateway.service, after, **settings)
        self._gone = asyncio.Event()
        self._came = asyncio.Condition()
        self._may_send = asyncio.Event()
        self._may_send.set()

    @property
    def text(self) -> str:
        """Everything that came."""
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    @property
    def complete(self) -> bool:
        """Whether the stream ended properly."""
        last = self.sent[-1]
        return last["type"] == "http.response.body" and not last.get("more_body", False)

    def stall(self) -> None:
        """Take nothing any more."""
        self._may_send.clear()

    def leave(self) -> None:
        """Close the connection."""
        self._gone.set()

    async def run(self, method: str = "GET") -> None:
        """Read until the end."""
        await self._stream({"type": "http", "method": method}, self._receive, self._send)

    async def wait_for(self, enough: Callable[[str], bool]) -> None:
        """Wait until enough has come."""
        async with self._came:
            await self._came.wait_for(lambda: enough(self.text))

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self._may_send.wait()
        async with self._came:
            self.sent.append(message)
            self._came.notify_all()


@contextlib.asynccontextmanager
async def reading(reader: Reader) -> AsyncIterator[asyncio.Task[None]]:
    """Reads in the background; the story ends when the stream does."""
    task = asyncio.create_task(reader.run())
    try:
        yield task
        await task
    finally:
        task.cancel()


async def move(gateway: Gateway, version: str) -> None:
    """One more revision."""
    await gateway.service.change(PutAlias("orders", "release", Route(version)), ME)


def test_a_stream_begins_with_a_hello_and_tells_what_happens(panel: Panel) -> None:
    """Each revision with its id, and everything else without one."""
    gateway = panel.gateway

    async def story() -> None:
        reader = Reader(gateway)
        async with reading(reader):
            await reader.wait_for(lambda text: "hello" in text)
            await move(gateway, "2")
            gateway.events.publish(Event.reload("orders", 0.5))
            await reader.wait_for(lambda text: "reload" in text)
            gateway.events.close()
        hello, moved, reload = read(reader.text)
        assert hello == Heard("hello", "1", {"revision": 1})
        assert (moved.name, moved.id, moved.data["who"]) == ("revision", "2", "me")
        assert moved.data["differences"][0]["after"]["version"] == "2"
        assert reload == Heard("reload", None, {"function": "orders", "seconds": 0.5})
        assert reader.complete

    panel.run(story())


@pytest.mark.parametrize("after", [0, 1, 3, 4, 99], ids=lambda after: f"after {after}")
def test_who_comes_back_is_told_what_was_missed(panel: Panel, after: int) -> None:
    """Each revision once and in order; a revision that there never was is no reason to wait."""
    gateway = panel.gateway

    async def story() -> None:
        for version in ("2", "3", "1"):
            await move(gateway, version)
        reader = Reader(gateway, after)
        async with reading(reader):
            await reader.wait_for(lambda text: "hello" in text)
            await move(gateway, "2")
            await reader.wait_for(lambda text: "id: 5" in text)
            gateway.events.close()
        hello, *moved = read(reader.text)
        assert (hello.id, hello.data) == (str(min(after, 4)), {"revision": 4})
        assert [event.id for event in moved] == [str(n) for n in range(min(after, 4) + 1, 6)]

    panel.run(story())


def test_a_long_absence_is_read_page_by_page(panel: Panel) -> None:
    """Nothing is left out between two pages."""
    gateway = panel.gateway

    async def story() -> None:
        for number in range(PAGE + 5):
            await move(gateway, str(number % 2 + 2))
        last = gateway.live.snapshot.revision
        reader = Reader(gateway, 0)
        async with reading(reader):
            await reader.wait_for(lambda text: f"id: {last}\n" in text)
            gateway.events.close()
        _, *moved = read(reader.text)
        assert [event.id for event in moved] == [str(n) for n in range(1, last + 1)]

    panel.run(story())


def test_a_change_while_the_past_is_told_is_told_once(panel: Panel) -> None:
    """After it."""
    gateway = panel.gateway

    async def story() -> None:
        reader = Reader(gateway, 0)
        reader.stall()
        task = asyncio.create_task(reader.run())
        await asyncio.sleep(0)
        await move(gateway, "2")
        reader._may_send.set()
        await reader.wait_for(lambda text: "id: 2\n" in text)
        gateway.events.close()
        await task
        assert [event.id for event in read(reader.text)[1:]] == ["1", "2"]

    panel.run(story())


def test_a_revision_that_was_told_is_not_told_again(panel: Panel) -> None:
    """Whoever publishes it, and however late."""
    gateway = panel.gateway

    async def story() -> None:
        await move(gateway, "2")
        (record, *_) = await gateway.service.store.records()
        reader = Reader(gateway, 1)
        async with reading(reader):
            await reader.wait_for(lambda text: "id: 2" in text)
            gateway.events.publish(Event.revision(record))
            gateway.events.close()
        assert [event.id for event in read(reader.text)] == ["1", "2"]

    panel.run(story())


def test_silence_is_broken_by_comments(panel: Panel) -> None:
    """So that whoever is between sees that the stream is alive."""
    gateway = panel.gateway

    async def story() -> None:
        reader = Reader(gateway, heartbeat=0.001)
        async with reading(reader):
            await reader.wait_for(lambda text: text.count(": still here\n\n") > 2)
            await move(gateway, "2")
            await reader.wait_for(lambda text: "id: 2" in text)
            gateway.events.close()
        assert [event.name for event in read(reader.text)] == ["hello", "revision"]

    panel.run(story())


def test_a_reader_that_leaves_is_forgotten(panel: Panel) -> None:
    """Nothing is kept for it."""
    gateway = panel.gateway

    async def story() -> None:
        reader = Reader(gateway)
        async with reading(reader):
            await reader.wait_for(lambda text: "hello" in text)
            reader.leave()
        assert gateway.events._subscriptions == set()

    panel.run(story())


def test_a_reader_that_takes_nothing_is_cut_off(panel: Panel) -> None:
    """Once its queue is full: it holds up nobody, and its connection is not kept for ever."""
    gateway = panel.gateway

    async def story() -> None:
        reader = Reader(gateway, parting=0.001)
        async with reading(reader):
            await reader.wait_for(lambda text: "hello" in text)
            reader.stall()
            for _ in range(WAITING + 2):
                gateway.events.publish(Event("reload"))
        assert not reader.complete
        assert gateway.events._subscriptions == set()

    panel.run(story())


def test_a_reader_that_lags_is_told(panel: Panel) -> None:
    """And then it is over; it may come back."""
    gateway = panel.gateway

    async def story() -> None:
        reader = Reader(gateway)
        async with reading(reader):
            await reader.wait_for(lambda text: "hello" in text)
            for _ in range(WAITING + 1):
                gateway.events.publish(Event("reload"))
        assert read(reader.text)[-1] == Heard("lagged", None, {"waiting": WAITING})
        assert reader.complete

    panel.run(story())


def test_an_error_while_sending_is_not_swallowed(panel: Panel) -> None:
    """The server cuts the connection and the log says why."""

    async def story() -> None:
        stream = EventStream(panel.gateway.service, None)

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                raise OSError("broken pipe")

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        await stream({"type": "http", "method": "GET"}, receive, send)

    with pytest.raises(OSError, match="broken pipe"):
        panel.run(story())


def test_a_head_has_no_events(panel: Panel) -> None:
    """It ends at once."""

    async def story() -> None:
        reader = Reader(panel.gateway)
        await reader.run("HEAD")
        assert (reader.text, reader.complete) == ("", True)

    panel.run(story())


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "9" * 30])
def test_an_id_that_no_event_had_is_refused(panel: Panel, value: str) -> None:
    """Whoever sends it did not get it here."""
    answer = panel("GET", "/api/events", headers={"Last-Event-ID": value})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-header")


@contextlib.asynccontextmanager
async def served(gateway: Gateway) -> AsyncIterator[HttpServer]:
    """The control plane on a port of its own."""
    server = HttpServer(gateway.control, bind("127.0.0.1", 0))
    task = asyncio.create_task(server.run_until_stopped())
    await server.ready.wait()
    try:
        yield server
    finally:
        server.stop(force=True)
        await task


@contextlib.asynccontextmanager
async def following(server: HttpServer, last: str = "") -> AsyncIterator[AsyncIterator[Heard]]:
    """Follows the events over a socket."""
    headers = {"Last-Event-ID": last} if last else {}
    url = f"{server.url}/api/events"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"

        async def events() -> AsyncIterator[Heard]:
            lines: list[str] = []
            async for line in response.aiter_lines():
                lines.append(line)
                if not line:
                    for event in read("\n".join(lines)):
                        yield event
                    lines.clear()

        yield events()


@pytest.mark.sockets
def test_events_come_over_a_socket_and_are_resumed(panel: Panel) -> None:
    """A reader that lost its connection misses nothing."""
    gateway = panel.gateway

    async def story() -> None:
        async with served(gateway) as server:
            async with following(server) as events:
                assert (await anext(events)).name == "hello"
                await move(gateway, "2")
                last = await anext(events)
                assert last.id == "2"
            await move(gateway, "3")
            await move(gateway, "1")
            async with following(server, last.id) as events:
                assert [(await anext(events)).id for _ in range(3)] == ["2", "3", "4"]
                await move(gateway, "2")
                assert (await anext(events)).id == "5"

    panel.run(story())


@pytest.mark.sockets
def test_a_server_that_stops_ends_its_streams(panel: Panel) -> None:
    """Properly, and without waiting for anybody to leave."""
    gateway = panel.gateway

    async def story() -> None:
        async with served(gateway) as server, following(server) as events:
            assert (await anext(events)).name == "hello"
            gateway.events.close()
            server.stop()
            assert [event async for event in events] == []

    panel.run(story())


@pytest.mark.sockets
def test_a_reader_that_closes_its_connection_is_forgotten(
    panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as the server sees it."""
    gateway = panel.gateway
    forgotten: list[Subscription] = []
    unsubscribe = gateway.events.unsubscribe

    async def story() -> None:
        gone = asyncio.Event()

        def noted(subscription: Subscription) -> None:
            unsubscribe(subscription)
            forgotten.append(subscription)
            gone.set()

        monkeypatch.setattr(gateway.events, "unsubscribe", noted)
        async with served(gateway) as server:
            async with following(server) as events:
                await anext(events)
                (subscription,) = gateway.events._subscriptions
            await gone.wait()
            assert forgotten == [subscription]
            assert gateway.events._subscriptions == set()

    panel.run(story())
