"""What is in force for one API of one stage beside what was released: limits, networks, pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.core.changes import Release
from gateway.core.features import StageFeatures
from gateway.core.overlays import Cors, Overlay, Window
from gateway.dataplane.features import Guards
from gateway.dataplane.features_addresses import MOST, AddressLimit, AddressLimits
from gateway.dataplane.plane import DataPlane
from gateway.dice import Dice
from gateway.store.protocol import Author

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

SECOND = 1_000_000_000
STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[[apis]]
name = "echo"
method = "GET"
path = "/echo"
function = "echo"
integrated = false

[[apis]]
name = "ping"
method = "GET"
path = "=/ping"
mock = { body = "pong" }
cors = true

[stages.dev]
alias = "$DEFAULT"

[stages.release]
alias = "$DEFAULT"
"""
ECHO = """
async def main_handler(event, context):
    return event["httpMethod"]
"""

Overlaid = Callable[..., "Caller"]


class Clock:
    """Time that passes when a test says so, in nanoseconds."""

    def __init__(self) -> None:
        self.now = 5 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of `overlaid`."""
    return Clock()


@pytest.fixture
def overlaid(make: Make, clock: Clock) -> Overlaid:
    """A gateway whose stage `dev` has overlays, by the names of its APIs."""

    def build(**overlays: Overlay) -> Caller:
        caller = make(STAGES, {"echo/latest": ECHO})
        gateway = caller.gateway
        gateway.plane = DataPlane(
            live=gateway.live,
            invoker=gateway.faults,
            draw=Dice(1),
            observer=gateway.observer,
            now=gateway.observer.now,
            new_id=lambda: "0" * 32,
            forwarder=gateway.forwarder,
            guards=Guards(clock, lambda: 0.0),
        )

        def ask(snapshot: Any) -> Release:  # noqa: ANN401 - a snapshot
            service = snapshot.default_service
            apis = service.stages["dev"].apis
            return Release(service.id, "dev", apis, {}, StageFeatures(overlays=overlays))

        caller.run(gateway.service.change(ask, Author("test", "here")))
        return caller

    return build


def statuses(caller: Caller, target: str, number: int, host: str = "10.0.0.7") -> list[int]:
    """What that many requests of an address at one time are answered with."""

    async def ask() -> int:
        transport = httpx.ASGITransport(caller.gateway.plane, client=(host, 51000))
        request = httpx.Request("GET", f"http://127.0.0.1:8080{target}")
        return (await transport.handle_async_request(request)).status_code

    return [caller.run(ask()) for _ in range(number)]


def test_a_window_is_as_long_as_it_says(overlaid: Overlaid, clock: Clock) -> None:
    """Of one instant a window's worth; afterwards as many as time brings."""
    caller = overlaid(echo=Overlay((Window(2, 3600),)))
    assert statuses(caller, "/dev/echo", 3) == [200, 200, 429]
    clock.now += 1800 * SECOND - 1
    assert statuses(caller, "/dev/echo", 1) == [429]
    clock.now += 1
    assert statuses(caller, "/dev/echo", 2) == [200, 429]
    clock.now += 7200 * SECOND
    assert statuses(caller, "/dev/echo", 3) == [200, 200, 429]


def test_every_window_must_let_a_request_through(overlaid: Overlaid, clock: Clock) -> None:
    """The narrowest counts, and a refusal costs the others nothing."""
    caller = overlaid(echo=Overlay((Window(3, 3600), Window(1))))
    assert statuses(caller, "/dev/echo", 3) == [200, 429, 429]
    clock.now += SECOND
    assert statuses(caller, "/dev/echo", 1) == [200]
    clock.now += SECOND
    assert statuses(caller, "/dev/echo", 1) == [200]
    clock.now += SECOND
    assert statuses(caller, "/dev/echo", 1) == [429], "the hour's worth is gone"


def test_other_apis_and_other_stages_do_not_know_of_it(overlaid: Overlaid) -> None:
    """An overlay is of one API in one stage."""
    caller = overlaid(echo=Overlay((Window(1),), deny=("192.168.0.0/16",)))
    assert statuses(caller, "/dev/echo", 2) == [200, 429]
    assert statuses(caller, "/dev/ping", 2) == [200, 200]
    assert statuses(caller, "/release/echo", 2) == [200, 200]
    assert statuses(caller, "/dev/echo", 1, "192.168.0.1") == [403]
    assert statuses(caller, "/dev/ping", 1, "192.168.0.1") == [200]


def test_every_address_has_a_window_of_its_own(overlaid: Overlaid, clock: Clock) -> None:
    """Through changes of something else as well."""
    caller = overlaid(echo=Overlay((Window(1, 60, "address"),)))
    assert statuses(caller, "/dev/echo", 2) == [200, 429]
    assert statuses(caller, "/dev/echo", 2, "10.0.0.8") == [200, 429]

    def ask(snapshot: Any) -> Release:  # noqa: ANN401 - a snapshot
        service = snapshot.default_service
        return Release(service.id, "release", service.stages["release"].apis, {"a": "b"})

    caller.run(caller.gateway.service.change(ask, Author("test", "here")))
    assert statuses(caller, "/dev/echo", 1) == [429]
    clock.now += 60 * SECOND
    assert statuses(caller, "/dev/echo", 2) == [200, 429]


def test_addresses_cost_a_bounded_amount_of_memory() -> None:
    """The one that called longest ago is forgotten."""
    limit = AddressLimit(1, 60)
    first = limit.bucket("first", 0)
    second = limit.bucket("second", 0)
    for number in range(MOST - 2):
        limit.bucket(str(number), 0)
    assert limit.bucket("first", 0) is first
    limit.bucket("one more", 0)
    assert limit.bucket("first", 0) is first
    assert limit.bucket("second", 0) is not second


def test_a_limit_is_known_by_its_name_and_its_window() -> None:
    """Another window is another limit."""
    limits = AddressLimits()
    known = limits.limit(("a",), 1, 60)
    assert limits.limit(("a",), 1, 60) is known
    assert limits.limit(("b",), 1, 60) is not known
    assert limits.limit(("a",), 2, 60) is not known
    assert limits.limit(("a",), 2, 61).seconds == 61


def test_a_white_list_of_an_api_comes_after_that_of_its_stage(overlaid: Overlaid) -> None:
    """Both have to let a caller in."""
    caller = overlaid(echo=Overlay(allow=("10.0.0.0/8",)))
    assert statuses(caller, "/dev/echo", 1) == [200]
    assert statuses(caller, "/dev/echo", 1, "11.0.0.7") == [403]


CORS = Cors(
    ("https://a.example", "https://b.example"),
    ("GET", "PUT"),
    ("X-A",),
    ("X-B", "X-C"),
    credentials=True,
    age=600,
)
ASKS = {"Origin": "https://b.example", "Access-Control-Request-Method": "GET"}


def shared(answer: httpx.Response) -> dict[str, str]:
    """What an answer says of pages."""
    said = answer.headers.items()
    return {name[15:]: value for name, value in said if name.startswith("access-control-")}


def test_a_page_that_is_named_may_ask_and_read(overlaid: Overlaid) -> None:
    """And is told what it may send, and for how long."""
    caller = overlaid(echo=Overlay(cors=CORS))
    asked = caller("/dev/echo", "OPTIONS", headers=ASKS)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["vary"] == "Origin, Access-Control-Request-Headers"
    assert shared(asked) == {
        "allow-origin": "https://b.example",
        "allow-credentials": "true",
        "allow-methods": "GET,PUT",
        "allow-headers": "X-A",
        "max-age": "600",
    }
    answer = caller("/dev/echo", headers={"Origin": "https://b.example"})
    assert answer.json() == "GET"
    assert shared(answer) == {
        "allow-origin": "https://b.example",
        "allow-credentials": "true",
        "expose-headers": "X-B,X-C",
    }


@pytest.mark.parametrize("headers", [{"Origin": "https://c.example"}, {}], ids=["other", "none"])
def test_another_page_is_told_nothing(overlaid: Overlaid, headers: dict[str, str]) -> None:
    """A browser keeps the answer from it; other callers never look."""
    caller = overlaid(echo=Overlay(cors=CORS))
    answer = caller("/dev/echo", headers=headers)
    assert (answer.status_code, shared(answer)) == (200, {})
    if headers:
        asked = caller("/dev/echo", "OPTIONS", headers={**ASKS, **headers})
        assert (asked.status_code, shared(asked)) == (204, {})


def test_every_page_may_be_named_at_once(overlaid: Overlaid) -> None:
    """By a star, which names each of them where cookies are sent."""
    caller = overlaid(echo=Overlay(cors=Cors(("*",), ("GET",), ("*",))))
    asked = {**ASKS, "Access-Control-Request-Headers": "X-Z"}
    assert shared(caller("/dev/echo", "OPTIONS", headers=asked)) == {
        "allow-origin": "*",
        "allow-methods": "GET",
        "allow-headers": "X-Z",
    }
    caller = overlaid(echo=Overlay(cors=Cors(("*",), credentials=True)))
    assert shared(caller("/dev/echo", headers=ASKS))["allow-origin"] == "https://b.example"


def test_an_overlay_replaces_the_switch(overlaid: Overlaid) -> None:
    """Other overlays leave it as it is."""
    caller = overlaid(ping=Overlay(cors=CORS), echo=Overlay(deny=("::1",)))
    assert shared(caller("/dev/ping", headers={"Origin": "https://c.example"})) == {}
    assert shared(caller("/release/ping"))["allow-origin"] == "*"
    assert shared(caller("/dev/echo", headers=ASKS)) == {}
