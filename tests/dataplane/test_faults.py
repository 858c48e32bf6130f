"""Faults as callers meet them: errors, waits, what the answer says, and that a run repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import Change, PutAlias, PutFault
from gateway.core.entries import Target
from gateway.core.faults import Drawn, Fault, Latency
from gateway.core.snapshot import Snapshot
from gateway.dataplane.breakers import Breakers
from gateway.dataplane.faults import Faults, Touched
from gateway.live import Live
from gateway.observe import Label, Seen
from gateway.runtime import Outcome

if TYPE_CHECKING:
    from gateway.core.functions import FunctionVersion
    from tests.dataplane.conftest import Caller, Make

STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"
timeout = 5
[functions.echo.aliases]
both = { version = "1", weights = { "2" = 0.5 }, split = "even" }
[functions.echo.faults]
2 = { errors = 0.5 }

[[apis]]
method = "ANY"
path = "/"
function = "echo"

[stages.dev]
alias = "1"
[stages.prepub]
alias = "2"
[stages.release]
alias = "both"
"""
CODE = 'async def main_handler(event, context):\n    return {"statusCode": 200, "body": "ran"}\n'
FOLDERS = ("echo/latest", "echo/v1", "echo/v2")
BRIEF = Latency("fixed", (0.001,))


@pytest.fixture
def shop(make: Make) -> Caller:
    """Version 2 fails half of the time."""
    return make(STAGES, dict.fromkeys(FOLDERS, CODE))


def change(caller: Caller, what: Change) -> None:
    """Put a change live."""
    live = caller.gateway.live
    live.swap(apply(live.snapshot, what))


def statuses(caller: Caller, path: str, number: int) -> list[int]:
    """The statuses of some requests, one after another."""
    return [caller(path).status_code for _ in range(number)]


def test_an_injected_error_looks_like_that_of_a_handler(shop: Caller) -> None:
    """But for a header, which no other answer has."""
    change(shop, PutFault("echo", "2", Fault(1.0)))
    failed = shop("/prepub/")
    request_id = failed.headers["x-api-requestid"]
    assert failed.status_code == 430
    assert failed.json() == {
        "errorCode": -1,
        "errorMessage": "fault injected",
        "requestId": request_id,
        "statusCode": 430,
    }
    assert failed.headers["x-gateway-fault"] == "error=430"
    assert failed.headers["x-gateway-version"] == "2"
    fine = shop("/dev/")
    assert (fine.status_code, "x-gateway-fault" in fine.headers) == (200, False)


def test_the_share_fails_and_is_counted_as_errors_of_the_version(shop: Caller) -> None:
    """And what was left alone says nothing."""
    answers = [shop("/release/") for _ in range(200)]
    hit = [answer for answer in answers if answer.status_code == 430]
    seen = shop.gateway.observer.counters.by_version()["release", "echo", "both"]
    assert seen == {"1": Seen(100, 0), "2": Seen(100, len(hit))}
    assert 35 <= len(hit) <= 65
    assert all(answer.headers.get("x-gateway-fault") == "error=430" for answer in hit)
    said = {answer.headers.get("x-gateway-fault") for answer in answers if answer not in hit}
    assert said == {None}


def test_another_status_can_be_asked_for(shop: Caller) -> None:
    """Any that counts as an error."""
    change(shop, PutFault("echo", "2", Fault(1.0, 503, BRIEF)))
    failed = shop("http://echo--2.fn.localhost/")
    assert failed.status_code == failed.json()["statusCode"] == 503
    assert failed.headers["x-gateway-fault"] == "latency=0.001, error=503"
    assert shop.gateway.observer.counters.cell(
        Label("fn", "echo", "2", "2", "pinned")
    ).statuses == {503: 1}


def test_latency_alone_lets_the_handler_answer(shop: Caller) -> None:
    """A little later."""
    change(shop, PutFault("echo", "2", Fault(latency=BRIEF)))
    answer = shop("/prepub/")
    assert (answer.status_code, answer.text) == (200, "ran")
    assert answer.headers["x-gateway-fault"] == "latency=0.001"


def test_a_run_repeats_with_its_seed(make: Make) -> None:
    """Whatever else is asked in between; another seed goes another way."""
    first, second, other = (
        make(STAGES, dict.fromkeys(FOLDERS, CODE), seed=seed) for seed in (7, 7, 8)
    )
    wanted = statuses(first, "/prepub/", 40)
    assert {200, 430} == set(wanted)
    statuses(second, "/dev/", 3)
    assert statuses(second, "/prepub/", 20) == wanted[:20]
    change(second, PutFault("echo", "1", Fault(0.5)))
    statuses(second, "/dev/", 3)
    assert statuses(second, "/prepub/", 20) == wanted[20:]
    assert statuses(other, "/prepub/", 40) != wanted


def test_faults_do_not_move_the_draws_of_a_split(make: Make) -> None:
    """The dice of the alias are others."""
    random = STAGES.replace(', split = "even"', "")
    quiet = random.replace("2 = { errors = 0.5 }", "")
    versions = []
    for stages in (random, quiet):
        caller = make(stages, dict.fromkeys(FOLDERS, CODE), seed=3)
        versions.append([caller("/release/").headers["x-gateway-version"] for _ in range(30)])
    assert versions[0] == versions[1]
    assert set(versions[0]) == {"1", "2"}


def test_a_fault_comes_and_goes_with_the_next_request(shop: Caller) -> None:
    """Like every change."""
    assert statuses(shop, "/dev/", 5) == [200] * 5
    change(shop, PutFault("echo", "1", Fault(1.0)))
    assert statuses(shop, "/dev/", 5) == [430] * 5
    change(shop, PutFault("echo", "1", None))
    assert statuses(shop, "/dev/", 5) == [200] * 5


def test_a_fault_follows_its_version_and_not_the_alias(shop: Caller) -> None:
    """Moving the alias away is the way out."""
    change(shop, PutFault("echo", "2", Fault(1.0)))
    change(shop, PutAlias("echo", "both", Route("2")))
    assert statuses(shop, "/release/", 3) == [430] * 3
    change(shop, PutAlias("echo", "both", Route("1")))
    assert statuses(shop, "/release/", 3) == [200] * 3


def test_invocations_meet_the_same_fault(shop: Caller) -> None:
    """As functions that were asked for directly do."""
    change(shop, PutFault("echo", "2", Fault(1.0, 431)))
    service = shop.gateway.service
    invoked = [
        shop.run(service.invoke(Target("echo", version), None, {})) for version in ("1", "2")
    ]
    assert [found.status for found in invoked] == [200, 431]
    assert isinstance(invoked[1].error, dict)
    assert invoked[1].error["errorMessage"] == "fault injected"
    assert invoked[1].error["requestId"] == invoked[1].request_id


def test_a_request_that_waits_is_decided_already(shop: Caller) -> None:
    """A swap in the middle of its wait is for the next one."""
    change(shop, PutFault("echo", "2", Fault(1.0, latency=BRIEF)))

    async def waiting() -> tuple[Any, Any]:
        asking = asyncio.ensure_future(shop.ask("/prepub/"))
        await asyncio.sleep(0)
        change(shop, PutFault("echo", "2", None))
        return await asking, await shop.ask("/prepub/")

    before, after = shop.run(waiting())
    assert (before.status_code, before.headers["x-gateway-revision"]) == (430, "2")
    assert (after.status_code, after.headers["x-gateway-revision"]) == (200, "3")


WEB = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})
"""


def test_web_versions_meet_faults_too(make: Make) -> None:
    """Before the application hears of the request; by a stage and by a function URL."""
    stages = STAGES.replace("timeout = 5", 'timeout = 5\ntype = "web"\nhandler = "index.app"')
    caller = make(stages, dict.fromkeys(FOLDERS, WEB))
    change(caller, PutFault("echo", "2", Fault(1.0, 503)))
    for url in ("/prepub/", "http://echo--2.fn.localhost/any"):
        failed = caller(url)
        assert (failed.status_code, failed.headers["x-gateway-fault"]) == (503, "error=503")
        assert failed.json()["errorMessage"] == "fault injected"
    change(caller, PutFault("echo", "2", Fault(latency=BRIEF)))
    late = caller("http://echo--2.fn.localhost/any")
    assert (late.text, late.headers["x-gateway-fault"]) == ("served", "latency=0.001")
    assert caller.gateway.observer.counters.cell(
        Label("fn", "echo", "2", "2", "pinned")
    ).statuses == {
        503: 1,
        200: 1,
    }
    fine = caller("/dev/")
    assert (fine.text, "x-gateway-fault" in fine.headers) == ("served", False)


# One request, without a gateway around it


class Fixed:
    """Runs every version, and every version answers the same."""

    def __init__(self) -> None:
        self.invoked = 0

    def runner(self, _version: FunctionVersion) -> Fixed:
        return self

    def running(self, _function: str) -> int:
        return self.invoked

    async def invoke(self, event: object, _request_id: str) -> Outcome:
        self.invoked += 1
        return Outcome(200, event, None, "said", 0.25)


def paused() -> tuple[list[float], Callable[[float], Awaitable[None]]]:
    """A pause that takes no time, and how long it would have taken."""
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    return waits, pause


@pytest.mark.parametrize(
    ("drawn", "waited", "status", "seconds", "said"),
    [
        pytest.param(Drawn(0, 0.5), [0.5], 200, 0.75, "latency=0.500", id="a wait"),
        pytest.param(Drawn(503, 0), [], 503, 0, "error=503", id="an error"),
        pytest.param(Drawn(430, 1), [1], 430, 1, "latency=1.000, error=430", id="both"),
        pytest.param(Drawn(0, 3), [3], 433, 3, "latency=3.000", id="as long as the limit"),
        pytest.param(Drawn(430, 99), [3], 433, 3, "latency=99.000, error=430", id="longer"),
    ],
)
def test_what_was_drawn_is_done(
    drawn: Drawn, waited: list[float], status: int, seconds: float, said: str
) -> None:
    """A wait counts as time that the invocation took, and never goes on behind the limit."""
    (waits, pause), runner = paused(), Fixed()
    touched = Touched(runner, drawn, 3.0, pause)
    outcome = asyncio.run(touched.invoke("event", "id"))
    assert (outcome.status, outcome.seconds, waits) == (status, seconds, waited)
    assert touched.said == f"x-gateway-fault: {said}\r\n".encode()
    assert runner.invoked == (status == 200)
    assert outcome.value == ("event" if status == 200 else None)
    assert outcome.error is None or outcome.error["requestId"] == "id"


def test_a_version_whose_function_is_gone_has_no_fault(shop: Caller) -> None:
    """An invocation that was decided before runs as it was decided."""
    snapshot = shop.gateway.live.snapshot
    version = snapshot.functions["echo"].versions["2"]
    live, runner = Live(snapshot), Fixed()
    breakers = Breakers(lambda: 0.0, lambda _: None)
    faults = Faults(runner, live, 1, paused()[1], breakers)
    outcomes = [asyncio.run(faults.invoke(version, n, "id")).status for n in range(20)]
    assert set(outcomes) == {200, 430}
    live.swap(Snapshot(snapshot.revision + 1))
    assert asyncio.run(faults.invoke(version, 1, "id")).value == 1
