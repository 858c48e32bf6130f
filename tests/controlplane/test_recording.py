"""Recording over REST: lines for as long as somebody reads them, and counts in between."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.types import Message

from gateway.app import Gateway
from gateway.controlplane.events import Event
from gateway.controlplane.recording import MEDIA, RecordingStream
from gateway.controlplane.rest.operations import OPERATIONS
from gateway.controlplane.rest.recording import MAX_BODY, MAX_RATE, SECRETS
from gateway.traffic import capturing
from gateway.traffic.recording import read

Panel = Any


class Reader:
    """Reads one recording through ASGI.

    Attributes:
        sent: Every message.
    """

    def __init__(self, gateway: Gateway, **settings: float) -> None:
        self.sent: list[Message] = []
        self._gateway = gateway
        recording = gateway.service.recorder.open(
            "release", rate=100, body=100, hidden=frozenset(SECRETS)
        )
        self._stream = RecordingStream(recording, gateway.events, 1, **settings)
        self._gone = asyncio.Event()
        self._may_send = asyncio.Event()
        self._may_send.set()
        self._came = asyncio.Condition()

    @property
    def lines(self) -> list[Any]:
        """Every line that came, as JSON."""
        whole = b"".join(message.get("body", b"") for message in self.sent)
        return [json.loads(line) for line in whole.splitlines()]

    def leave(self) -> None:
        """Close the connection."""
        self._gone.set()

    def stall(self) -> None:
        """Take nothing any more."""
        self._may_send.clear()

    async def run(self, method: str = "GET") -> None:
        """Read until the stream ends."""
        await self._stream({"method": method}, self._receive, self._send)

    async def until(self, what: str) -> None:
        """Wait until a line of this kind came."""
        async with self._came:
            await self._came.wait_for(lambda: what in json.dumps(self.lines))

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self._may_send.wait()
        self.sent.append(message)
        async with self._came:
            self._came.notify_all()


async def call(gateway: Gateway, target: str, method: str = "GET") -> int:
    """A caller's request."""
    request = httpx.Request(method, f"http://127.0.0.1{target}", headers={"Cookie": "a=b"})
    answer = await httpx.ASGITransport(gateway.plane).handle_async_request(request)
    await answer.aread()
    return answer.status_code


def test_what_callers_send_comes_as_lines(panel: Panel) -> None:
    """Between a beginning and an end that tell of the recording; secrets stay behind."""

    async def story() -> Reader:
        reader = Reader(panel.gateway)
        running = asyncio.ensure_future(reader.run())
        await reader.until("begun")
        assert await call(panel.gateway, "/release/orders/42?a=b") == 403  # odd, and answered
        assert await call(panel.gateway, "/dev/ping") == 200
        await reader.until("/orders/42")
        panel.gateway.events.close()
        await running
        return reader

    reader = panel.run(story())
    begun, line, ended = reader.lines
    assert begun == {
        "recording": "begun", "stage": "release", "recorded": 0, "dropped": {}, "revision": 1,
    }  # fmt: skip
    [recorded] = read([json.dumps(line).encode()])
    assert (recorded.path, recorded.query, recorded.stage) == ("/orders/42", "a=b", "release")
    assert ("cookie", capturing.REDACTED) in [(n.lower(), v) for n, v in recorded.headers]
    assert recorded.answer is not None
    assert (recorded.answer.version, recorded.answer.status) == ("1", 403)
    assert ended["recording"] == "ended"
    assert ended["recorded"] == 1
    assert not reader.sent[-1].get("more_body", False)
    assert panel.gateway.plane.tap is None


def test_counts_are_told_while_it_goes_on(panel: Panel) -> None:
    """Also where nothing comes, and events of others do not end it."""

    async def story() -> Reader:
        reader = Reader(panel.gateway, every=0.01)
        running = asyncio.ensure_future(reader.run())
        await reader.until("counts")
        panel.gateway.events.publish(Event.reload("orders", 0.1))
        await call(panel.gateway, "/release/ping")
        await reader.until("/ping")
        await reader.until('"recorded": 1')
        reader.leave()
        await running
        return reader

    assert panel.run(story()).lines[-1]["recording"] == "counts"
    assert panel.gateway.plane.tap is None


def test_a_reader_that_takes_nothing_does_not_hold_up_the_end(panel: Panel) -> None:
    """It has a moment, and is cut off."""

    async def story() -> Reader:
        reader = Reader(panel.gateway, parting=0.01)
        running = asyncio.ensure_future(reader.run())
        await reader.until("begun")
        reader.stall()
        await call(panel.gateway, "/release/ping")
        panel.gateway.events.close()
        await running
        return reader

    assert [line["recording"] for line in panel.run(story()).lines] == ["begun"]


def test_who_only_asks_for_the_head_records_nothing(panel: Panel) -> None:
    """And leaves nothing behind."""

    async def story() -> Reader:
        reader = Reader(panel.gateway)
        await reader.run("HEAD")
        return reader

    start, body = panel.run(story()).sent
    assert dict(start["headers"]) == {b"content-type": MEDIA.encode(), b"etag": b'"1"'}
    assert body["body"] == b""
    assert panel.gateway.plane.tap is None


def test_a_failure_while_sending_is_told(panel: Panel) -> None:
    """It ends the recording, and the server hears of it."""

    async def story() -> None:
        reader = Reader(panel.gateway)

        async def fail(message: Message) -> None:
            if message["type"] == "http.response.body":
                raise RuntimeError("as asked")

        with pytest.raises(RuntimeError, match="as asked"):
            await reader._stream({"method": "GET"}, reader._receive, fail)

    panel.run(story())
    assert panel.gateway.plane.tap is None


def test_it_is_served(panel: Panel) -> None:
    """With what is asked for in the query."""

    async def story() -> httpx.Response:
        query = "stage=release&rate=5&body_limit=10&redact=X-Key,%20User&keep=cookie"
        asking = asyncio.ensure_future(panel.ask("GET", f"/api/recording?{query}"))
        while panel.gateway.plane.tap is None:  # noqa: ASYNC110 - it is there within a few turns
            await asyncio.sleep(0)
        await call(panel.gateway, "/release/ping")
        panel.gateway.events.close()
        answer: httpx.Response = await asking
        return answer

    answer = panel.run(story())
    assert answer.headers["content-type"] == MEDIA
    assert b'["cookie","a=b"]' in answer.content.lower()


@pytest.mark.parametrize(
    ("query", "status", "code", "says"),
    [
        ("", 400, "missing-key", "needs 'stage'"),
        ("stage=nope", 422, "stage-not-found", "known stages: dev, release"),
        ("stage=dev&rate=0", 400, "out-of-range", "rate"),
        (f"stage=dev&rate={MAX_RATE + 1}", 400, "out-of-range", "rate"),
        (f"stage=dev&body_limit={MAX_BODY + 1}", 400, "out-of-range", "body_limit"),
        ("stage=dev&who=me", 400, "unknown-key", "who"),
    ],
)
def test_what_cannot_be_recorded_is_refused(
    panel: Panel, query: str, status: int, code: str, says: str
) -> None:
    """By name, with what is allowed."""
    answer = panel("GET", f"/api/recording?{query}")
    assert answer.status_code == status
    [problem] = answer.json()["problems"]
    assert problem["code"] == code
    assert says in problem["message"]
    assert panel.gateway.plane.tap is None


def test_the_address_of_the_data_plane_is_told(panel: Panel) -> None:
    """To whoever has something to send."""
    panel.gateway.service.data_url = "http://127.0.0.1:9"
    answer = panel("GET", "/api/addresses")
    assert answer.json() == {"data": "http://127.0.0.1:9"}


def test_the_document_says_that_a_stage_is_needed(panel: Panel) -> None:
    """And that the rest is not."""
    [operation] = [each for each in OPERATIONS if each.id == "record"]
    document = panel("GET", "/api/openapi.json").json()
    parameters = document["paths"][operation.path]["get"]["parameters"]
    needed = {each["name"] for each in parameters if each["required"]}
    assert needed == {"stage"}
    assert {each["name"] for each in parameters} > {"rate", "body_limit", "redact", "keep"}


def test_the_secrets_are_the_same_on_both_sides() -> None:
    """Who reads the wire and who asks for it know nothing of each other."""
    assert frozenset(SECRETS) == capturing.SECRETS
