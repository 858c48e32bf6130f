"""The tap: copies what is asked for, alters nothing, and is gone when nobody records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.dataplane.exchange import REPLY
from gateway.dataplane.tap import Recorder, Tap
from gateway.dataplane.tap_tape import (
    FAST,
    FULL,
    LARGE,
    UNFINISHED,
    UNREAD,
    WAITING,
    WAITING_BYTES,
    Bounds,
    Captured,
    Tape,
)

Caller = Any
Make = Callable[..., Caller]

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[[apis]]
method = "ANY"
path = "/echo"
function = "echo"

[[apis]]
method = "POST"
path = "=/mock"
mock = { body = "pong" }

[stages.dev]
alias = "$DEFAULT"
[stages.release]
alias = "$DEFAULT"
"""
ECHO = """
async def main_handler(event, context):
    return {"statusCode": 201, "body": event["body"] if "body" in event else ""}
"""


class Clock:
    """Seconds as a test wants them."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shop(make: Make) -> Caller:
    """Two stages, a function and a mock."""
    return make(STAGES, {"echo/latest": ECHO})


def tapped(shop: Caller, stage: str = "release", bounds: Bounds | None = None) -> Tape:
    """A tape of a stage, with the tap in place."""
    tap = shop.gateway.plane.tap = shop.gateway.plane.tap or Tap(shop.gateway.live, Clock())
    tape: Tape = tap.open(stage, bounds or Bounds())
    return tape


def taken(shop: Caller, tape: Tape) -> list[Captured]:
    """Everything on a tape."""
    tape.close()
    found: list[Captured] = shop.run(tape.take(1000))
    return found


def captured(size: int = 0) -> Captured:
    """A request with a body of a size."""
    return Captured(0.0, "POST", "/", b"", [], b"x" * size, "release", 200, 0.1, {})


def test_a_request_is_copied_with_its_answer(shop: Caller) -> None:
    """And answered like any other."""
    tape = tapped(shop)
    answer = shop("/release/echo?a=%201", "POST", headers={"User": "Bob"}, content=b"tea")
    assert (answer.status_code, answer.text) == (201, "tea")
    [seen] = taken(shop, tape)
    assert (seen.method, seen.path, seen.query, seen.body) == ("POST", "/echo", b"a=%201", b"tea")
    assert (seen.stage, seen.status, seen.at) == ("release", 201, 0.0)
    assert dict(seen.headers)[b"user"] == b"Bob"
    assert seen.said[b"x-gateway-version"] == b"$LATEST"
    assert tape.recorded == 1
    assert tape.dropped() == {}


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/release/echo", "/echo"),
        ("/release/%65cho", "/%65cho"),
        ("/release", "/"),
        ("http://release.localhost:8080/echo", "/echo"),
        ("http://release.localhost:8080/release/echo", "/release/echo"),
    ],
    ids=["path", "encoded", "root", "host", "host-and-path"],
)
def test_the_path_is_kept_as_it_travels_without_the_stage(
    shop: Caller, target: str, path: str
) -> None:
    """Wherever the stage stands; errors of the gateway are traffic, too."""
    tape = tapped(shop)
    shop(target)
    assert [seen.path for seen in taken(shop, tape)] == [path]


@pytest.mark.parametrize(
    "target", ["/dev/echo", "/nowhere/echo", "http://x.y.localhost/echo"], ids=str
)
def test_other_stages_are_none_of_its_business(shop: Caller, target: str) -> None:
    """Nor are addresses that lead nowhere."""
    tape = tapped(shop)
    shop(target)
    assert taken(shop, tape) == []
    assert tape.dropped() == {}


def test_a_stage_has_several_names(shop: Caller) -> None:
    """The cloud calls `dev` `test`."""
    tape = tapped(shop, "test")
    shop("/dev/echo")
    shop("/test/echo")
    assert len(taken(shop, tape)) == 2


def test_the_stage_of_a_function_url_is_another(shop: Caller) -> None:
    """It has a name of its own, which no stage of the service has."""
    tape = tapped(shop)
    shop("http://echo.fn.localhost:8080/echo")
    assert taken(shop, tape) == []


def test_a_tap_follows_the_state(shop: Caller, make: Make) -> None:
    """A snapshot that came later is the one that routes."""
    tape = tapped(shop)
    live = shop.gateway.live
    live.swap(make(STAGES, {"echo/latest": ECHO}).gateway.live.snapshot)
    shop("/release/echo")
    assert len(taken(shop, tape)) == 1


def test_two_may_record_at_once(shop: Caller) -> None:
    """Each within its own bounds."""
    small, large = tapped(shop, bounds=Bounds(body=2)), tapped(shop)
    shop("/release/echo", "POST", content=b"tea")
    assert (taken(shop, small), small.dropped()) == ([], {LARGE: 1})
    assert [seen.body for seen in taken(shop, large)] == [b"tea"]


@pytest.mark.parametrize(
    ("target", "body", "limit", "why"),
    [
        ("/release/echo", b"x" * 11, 10, LARGE),
        ("/release/mock", b"tea", 10, UNREAD),
    ],
    ids=["too-large", "nobody-read-it"],
)
def test_a_body_that_is_not_there_whole_is_not_recorded(
    shop: Caller, target: str, body: bytes, limit: int, why: str
) -> None:
    """Half a request would be another one; it is answered all the same."""
    tape = tapped(shop, bounds=Bounds(body=limit))
    assert shop(target, "POST", content=body).is_success
    assert taken(shop, tape) == []
    assert tape.dropped() == {why: 1}


def test_a_websocket_passes(shop: Caller) -> None:
    """It is no request with an answer."""
    tap = Tap(shop.gateway.live, Clock())

    async def nothing(*_: object) -> None: ...

    scope = {"type": "websocket"}
    assert tap.around(scope, nothing, nothing) == (scope, nothing, nothing)  # type: ignore[arg-type,comparison-overlap]


def test_the_short_way_of_answering_is_not_taken(shop: Caller) -> None:
    """Nobody could look at it; every other extension stays."""
    tap = Tap(shop.gateway.live, Clock())
    tap.open("release", Bounds())

    async def nothing(*_: object) -> None: ...

    scope = {
        "type": "http", "method": "GET", "path": "/release/echo", "raw_path": b"/release/echo",
        "query_string": b"", "headers": [], "extensions": {REPLY: nothing, "other": {}},
    }  # fmt: skip
    around, _, _ = tap.around(scope, nothing, nothing)  # type: ignore[arg-type]
    assert around["extensions"] == {"other": {}}
    assert REPLY in scope["extensions"]


def test_a_rate_is_kept_and_what_is_beyond_it_counted() -> None:
    """Two a second, after a second's worth at once."""
    clock = Clock()
    tape = Tape("release", Bounds(rate=2), clock)
    assert [tape.admits() for _ in range(4)] == [True, True, False, False]
    clock.now += 0.5
    assert [tape.admits() for _ in range(2)] == [True, False]
    clock.now += 100
    assert [tape.admits() for _ in range(3)] == [True, True, False]
    assert tape.dropped() == {FAST: 4, UNFINISHED: 5}


def test_less_than_one_a_second_is_a_rate_too() -> None:
    """The first one is recorded at once."""
    clock = Clock()
    tape = Tape("release", Bounds(rate=0.1), clock)
    assert [tape.admits() for _ in range(2)] == [True, False]
    clock.now += 10
    assert tape.admits()


def test_who_reads_too_slowly_loses_and_nobody_waits() -> None:
    """By number and by size."""
    clock = Clock()
    tape = Tape("release", Bounds(rate=10_000), clock)
    for _ in range(WAITING + 3):
        tape.admits()
        tape.put(captured())
    assert (tape.recorded, tape.dropped()) == (WAITING, {FULL: 3})
    other = Tape("release", Bounds(), clock)
    for _ in range(3):
        other.admits()
        other.put(captured(WAITING_BYTES // 2))
    assert (other.recorded, other.dropped()) == (2, {FULL: 1})


def test_room_is_given_back() -> None:
    """What was taken does not count any more."""

    async def run() -> None:
        tape = Tape("release", Bounds(), Clock())
        for _ in range(5):
            tape.admits()
            tape.put(captured(WAITING_BYTES))
            assert len(await tape.take(10)) == 1
        assert tape.recorded == 5

    asyncio.run(run())


def test_a_reader_waits_for_the_next_and_learns_of_the_end() -> None:
    """What comes after the end is not put on it."""

    async def run() -> None:
        tape = Tape("release", Bounds(), Clock())
        taking = asyncio.ensure_future(tape.take(10))
        await asyncio.sleep(0)
        tape.put(captured())
        assert len(await taking) == 1
        taking = asyncio.ensure_future(tape.take(10))
        await asyncio.sleep(0)
        tape.close()
        assert await taking == []
        tape.put(captured())
        assert await tape.take(10) == []

    asyncio.run(run())


def test_while_nobody_records_there_is_no_tap(shop: Caller) -> None:
    """The last one to leave takes it away; leaving twice is leaving once."""
    plane = shop.gateway.plane
    recorder = Recorder(plane, Tap(shop.gateway.live, Clock()), lambda seen, _: seen.body + b"\n")
    first = recorder.open("release", rate=100, body=100, hidden=frozenset())
    second = recorder.open("dev", rate=100, body=100, hidden=frozenset())
    assert plane.tap is not None
    shop("/release/echo", "POST", content=b"tea")
    first.close()
    first.close()
    assert plane.tap is not None
    assert (first.stage, first.recorded, first.dropped()) == ("release", 1, {})
    assert shop.run(first.lines(10)) == b"tea\n"
    assert shop.run(first.lines(10)) == b""
    second.close()
    assert plane.tap is None


def test_a_stream_is_copied_when_it_is_over_and_a_cut_one_never(shop: Caller) -> None:
    """Until then it is unfinished."""
    tape = tapped(shop)
    tap = shop.gateway.plane.tap
    sent: list[Any] = []

    async def gone() -> Any:  # noqa: ANN401 - a message of ASGI
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:  # noqa: ANN401 - a message of ASGI
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": "/release/echo", "raw_path": b"/release/echo",
        "query_string": b"", "headers": [],
    }  # fmt: skip

    async def answer() -> None:
        _, receiving, sending = tap.around(scope, gone, send)
        assert await receiving() == {"type": "http.disconnect"}
        await sending({"type": "http.response.start", "status": 200, "headers": []})
        await sending({"type": "http.response.body", "body": b"a", "more_body": True})
        assert tape.dropped() == {UNFINISHED: 1}
        await sending({"type": "http.response.body", "body": b"b"})
        assert tape.dropped() == {}
        tap.around(scope, gone, send)

    shop.run(answer())
    assert [message.get("body") for message in sent] == [None, b"a", b"b"]
    assert (tape.recorded, tape.dropped()) == (1, {UNFINISHED: 1})
