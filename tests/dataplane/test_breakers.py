"""Breakers as callers meet them: who is refused, what is counted, and that nobody is led astray."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.core.apply import apply
from gateway.core.breaker import Breaker
from gateway.core.changes import Change, PutBreaker, PutFault, PutFunction
from gateway.core.faults import Fault
from gateway.dataplane.breakers import Breakers, Shut, Standing, Ticket
from gateway.dataplane.circuit import State

if TYPE_CHECKING:
    import httpx

    from gateway.core.functions import FunctionVersion
    from tests.dataplane.conftest import Caller, Make

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"
timeout = 5
breaker = { errors = 0.5, requests = 4, window = 10, pause = 5, trials = 2 }
[functions.echo.aliases]
both = { version = "1", weights = { "2" = 0.5 }, split = "even" }

[[apis]]
method = "ANY"
path = "/"
function = "echo"
INTEGRATED

[stages.dev]
alias = "1"
[stages.prepub]
alias = "2"
[stages.release]
alias = "both"
"""
STATUS = """
async def main_handler(event, context):
    status = int(event["queryString"].get("status", "200"))
    if status == 0:
        raise ValueError("no status")
    if status == 1:
        return {"body": 1}
    return {"statusCode": status, "body": "ran"}
"""
FOLDERS = ("echo/latest", "echo/v1", "echo/v2")


class Clock:
    """Time that stands still until a test says otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def shop(make: Make, clock: Clock) -> Caller:
    """Every version fails when it is asked to."""
    caller = make(STAGES.replace("INTEGRATED", ""), dict.fromkeys(FOLDERS, STATUS))
    caller.gateway.faults.breakers.now = clock
    return caller


def change(caller: Caller, what: Change) -> None:
    """Put a change live."""
    live = caller.gateway.live
    live.swap(apply(live.snapshot, what))


def states(caller: Caller) -> dict[str, str]:
    """The state of each version's circuit."""
    gateway = caller.gateway
    return {
        each.version: each.state.value
        for each in gateway.faults.breakers.standings(gateway.live.snapshot)
    }


def failing(caller: Caller, stage: str = "dev", number: int = 4) -> list[httpx.Response]:
    """Some requests that fail."""
    return [caller(f"/{stage}/?status=500") for _ in range(number)]


def test_a_version_that_fails_is_left_alone_and_says_so(shop: Caller, clock: Clock) -> None:
    """At once, with when to come again and why; the log has the reason too."""
    told: list[Any] = []
    hub = shop.gateway.events.subscribe()
    assert [answer.status_code for answer in failing(shop)] == [500] * 4
    clock.now += 1.5
    answer = shop("/dev/")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "4"
    assert answer.headers["x-gateway-breaker"] == "open"
    assert (answer.headers["x-gateway-version"], answer.headers["x-gateway-reason"]) == (
        "1",
        "pinned",
    )
    error = answer.json()
    assert error["errorMessage"] == (
        "CircuitOpen: version '1' of function 'echo' has failed too often; it is tried again in 4 s"
    )
    assert error["requestId"] == answer.headers["x-api-requestid"]
    assert states(shop) == {"$LATEST": "closed", "1": "open", "2": "closed"}

    async def first() -> None:
        told.append(await anext(aiter(hub)))

    shop.run(first())
    shop.gateway.events.unsubscribe(hub)
    assert (told[0].name, dict(told[0].data)) == (
        "breaker",
        {"function": "echo", "version": "1", "state": "open", "wait": 5.0},
    )


def test_the_split_stays_as_it_was_configured(shop: Caller) -> None:
    """Half of the requests are answered by version 2; the others get no other version."""
    change(shop, PutFault("echo", "1", Fault(1.0)))
    answers = [shop("/release/") for _ in range(40)]
    versions = [answer.headers["x-gateway-version"] for answer in answers]
    assert abs(versions.count("1") - 20) <= 1
    for version, status in (("1", {430, 503}), ("2", {200})):
        found = {a.status_code for a, v in zip(answers, versions, strict=True) if v == version}
        assert found == status


def test_injected_errors_count_and_are_not_drawn_while_it_is_open(shop: Caller) -> None:
    """That is how a breaker is rehearsed."""
    change(shop, PutFault("echo", "1", Fault(1.0, 599)))
    answers = [shop("/dev/") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [599] * 4 + [503] * 2
    assert ["x-gateway-fault" in answer.headers for answer in answers] == [True] * 4 + [False] * 2


def test_after_the_pause_some_try_and_settle_it(shop: Caller, clock: Clock) -> None:
    """Good trials close it; one that fails makes half of them, and opens it again."""
    failing(shop)
    clock.now += 5
    assert [shop("/dev/").status_code for _ in range(2)] == [200, 200]
    assert states(shop)["1"] == "closed"
    failing(shop)
    clock.now += 5
    assert failing(shop, number=2)[1].status_code == 503
    assert states(shop)["1"] == "open"


def test_who_cannot_try_any_more_comes_again_in_a_second(make: Make, clock: Clock) -> None:
    """As many as may try are let through at a time, no more."""
    code = """
    import asyncio
    async def main_handler(event, context):
        if "wait" in event["queryString"]:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return {"statusCode": int(event["queryString"].get("status", "200")), "body": ""}
    """
    caller = make(STAGES.replace("INTEGRATED", ""), dict.fromkeys(FOLDERS, code))
    caller.gateway.faults.breakers.now = clock
    failing(caller)
    clock.now += 5

    async def together() -> list[httpx.Response]:
        return await asyncio.gather(*(caller.ask("/dev/?wait") for _ in range(5)))

    answers = caller.run(together())
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert states(caller)["1"] == "closed"


@pytest.mark.parametrize(
    ("target", "opens"),
    [
        pytest.param("?status=500", True, id="a server error"),
        pytest.param("?status=433", True, id="a status of functions"),
        pytest.param("?status=0", True, id="an exception"),
        pytest.param("?status=1", True, id="an answer of no form"),
        pytest.param("?status=404", False, id="the caller's mistake"),
        pytest.param("?status=499", False, id="a caller who went away"),
        pytest.param("", False, id="a good answer"),
    ],
)
def test_what_counts_as_an_error(shop: Caller, target: str, *, opens: bool) -> None:
    """The same as everywhere: what makes the errors of a version in every figure."""
    for _ in range(4):
        shop(f"/dev/{target}")
    assert (states(shop)["1"] == "open") == opens


def test_a_request_that_reached_nobody_tells_nothing(shop: Caller, clock: Clock) -> None:
    """A body that no function takes is the caller's: the circuit is tried by others."""
    failing(shop)
    clock.now += 5
    body = b"x" * (6 * 1024 * 1024 + 1)
    assert [shop("/dev/", "POST", content=body).status_code for _ in range(3)] == [406] * 3
    assert states(shop)["1"] == "half-open"
    assert [shop("/dev/").status_code for _ in range(2)] == [200, 200]


def test_other_code_starts_anew_and_an_unrelated_change_does_not(shop: Caller) -> None:
    """What failed is gone; but a swap alone mends nothing."""
    failing(shop)
    change(shop, PutFault("echo", "2", Fault(0.5)))
    assert shop("/dev/").status_code == 503
    breaker = shop.gateway.live.snapshot.functions["echo"].breaker
    assert breaker is not None
    change(shop, PutBreaker("echo", Breaker(*breaker.to_dict().values())))  # type: ignore[arg-type]
    assert shop("/dev/").status_code == 503
    change(shop, PutBreaker("echo", Breaker(0.9, 4)))
    assert shop("/dev/").status_code == 200
    change(shop, PutBreaker("echo", None))
    assert [answer.status_code for answer in failing(shop, number=9)] == [500] * 9
    assert states(shop) == {}


def test_new_code_of_latest_starts_anew(shop: Caller) -> None:
    """Whoever mended it wants it asked."""
    url = "http://echo--latest.fn.localhost/?status=500"
    assert [shop(url).status_code for _ in range(5)] == [500] * 4 + [503]
    latest = shop.gateway.live.snapshot.functions["echo"].versions["$LATEST"]
    put = PutFunction("echo", latest.code, latest.configuration, "mended")
    change(shop, put)
    assert shop(url).status_code == 500


def test_an_invocation_through_the_control_plane_is_not_counted(shop: Caller) -> None:
    """Whoever mends a version must be able to ask it."""
    failing(shop)
    version = shop.gateway.live.snapshot.functions["echo"].versions["1"]
    event: dict[str, object] = {"queryString": {}}
    outcome = shop.run(shop.gateway.faults.invoke(version, event, "id"))
    assert outcome.status == 200
    assert states(shop)["1"] == "open"


WEB = """
async def main_handler(scope, receive, send):
    status = int(scope["query_string"].decode().rpartition("=")[2] or "200")
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"ran"})
"""


def test_a_web_version_is_left_alone_as_well(make: Make, clock: Clock) -> None:
    """What it answers counts when it is out."""
    stages = STAGES.replace("INTEGRATED", "").replace("timeout = 5", 'timeout = 5\ntype = "web"')
    caller = make(stages, dict.fromkeys(FOLDERS, WEB))
    caller.gateway.faults.breakers.now = clock
    assert [answer.status_code for answer in failing(caller)] == [500] * 4
    answer = caller("/dev/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["errorMessage"].startswith("CircuitOpen: version '1'")
    clock.now += 5
    assert [caller("/dev/").status_code for _ in range(2)] == [200, 200]
    assert states(caller)["1"] == "closed"


def test_a_version_without_a_breaker_keeps_its_plan(make: Make) -> None:
    """And so costs nothing: the same result for every request."""
    stages = STAGES.replace("INTEGRATED", "").replace("breaker = {", "environment = { A = '' } #")
    caller = make(stages, dict.fromkeys(FOLDERS, STATUS))
    caller.gateway.faults.breakers = None  # type: ignore[assignment]  # nobody may ask
    assert [answer.status_code for answer in failing(caller, number=9)] == [500] * 9


def test_trials_that_nobody_ends_are_given_up(clock: Clock, shop: Caller) -> None:
    """After the time that the version may take and a little more."""
    told: list[Standing] = []
    breakers, version = Breakers(clock, told.append), _version(shop)
    breaker = Breaker(1.0, requests=1, trials=1)
    _ticket(breakers.ask(breaker, version)).settle("server")
    clock.now += 5
    assert isinstance(breakers.ask(breaker, version), Ticket)
    assert isinstance(breakers.ask(breaker, version), Shut)
    clock.now += version.configuration.timeout + 10
    _ticket(breakers.ask(breaker, version)).settle("")
    found = [(each.function, each.version, each.state, each.opened) for each in told]
    assert found == [
        ("echo", "1", State.OPEN, 1),
        ("echo", "1", State.HALF_OPEN, 1),
        ("echo", "1", State.CLOSED, 1),
    ]


def _version(caller: Caller) -> FunctionVersion:
    return caller.gateway.live.snapshot.functions["echo"].versions["1"]


def _ticket(asked: Ticket | Shut) -> Ticket:
    assert isinstance(asked, Ticket)
    return asked


def test_passed_through_values_are_counted_too(make: Make, clock: Clock) -> None:
    """A value that is no JSON is an error of the version."""
    code = "async def main_handler(event, context):\n    return {1, 2}\n"
    stages = STAGES.replace("INTEGRATED", "integrated = false")
    caller = make(stages, dict.fromkeys(FOLDERS, code))
    caller.gateway.faults.breakers.now = clock
    assert [caller("/dev/").status_code for _ in range(5)] == [430] * 4 + [503]
