"""Features of APIs and stages: limits, networks, origins, compression, encoded bodies."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane.asgi import Message, Scope
from gateway.dataplane.exchange import REPLY
from gateway.dataplane.features import Guards
from gateway.dataplane.features_callers import admission
from gateway.dataplane.features_gzip import SHORTEST, Compressing, takes_gzip
from gateway.dataplane.features_limits import Bucket, Limits, admitted
from gateway.dataplane.plane import DataPlane
from gateway.dice import Dice

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

SECOND = 1_000_000_000
TODAY = 1_800_000_000.0
ECHO = """
async def main_handler(event, context):
    return event
"""
STAGES = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[[apis]]
method = "ANY"
path = "/echo"
function = "echo"
integrated = false
{api}

[[apis]]
method = "GET"
path = "=/ping"
mock = {{ body = "pong" }}

{more}

[stages.dev]
alias = "$DEFAULT"
{stage}

[stages.release]
alias = "$DEFAULT"
"""


class Clock:
    """Time that passes when a test says so, in nanoseconds."""

    def __init__(self) -> None:
        self.now = 5 * SECOND

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@pytest.fixture
def clock() -> Clock:
    """The clock of `featured`."""
    return Clock()


Featured = Callable[..., "Caller"]


@pytest.fixture
def featured(make: Make, clock: Clock) -> Featured:
    """A gateway whose file has these lines in an API, in a stage and as further APIs."""

    def build(api: str = "", stage: str = "", more: str = "", code: str = ECHO) -> Caller:
        stages = STAGES.format(api=api, stage=stage, more=more)
        caller = make(stages, {"echo/latest": code})
        gateway = caller.gateway
        gateway.plane = DataPlane(
            live=gateway.live,
            invoker=gateway.faults,
            draw=Dice(1),
            observer=gateway.observer,
            now=gateway.observer.now,
            new_id=lambda: "0" * 32,
            forwarder=gateway.forwarder,
            guards=Guards(clock, lambda: TODAY),
        )
        return caller

    return build


# --- limits ---------------------------------------------------------------------------------------


def statuses(caller: Caller, target: str, number: int) -> list[int]:
    """What that many requests at the same time of the clock are answered with."""
    return [caller(target).status_code for _ in range(number)]


def test_an_api_answers_as_many_requests_as_its_limit_allows(
    featured: Featured, clock: Clock
) -> None:
    """Of one instant a second's worth; afterwards as many as time brings."""
    caller = featured(api="throttle = 2")
    assert statuses(caller, "/dev/echo", 3) == [200, 200, 429]
    clock.forward(0.5)
    assert statuses(caller, "/dev/echo", 2) == [200, 429]
    clock.forward(60)
    assert statuses(caller, "/dev/echo", 3) == [200, 200, 429]


def test_a_request_over_the_limit_is_told_in_the_clouds_words(featured: Featured) -> None:
    """With what every answer says, and it is counted."""
    caller = featured(api="throttle = 1")
    caller("/dev/echo")
    answer = caller("/dev/echo")
    assert answer.json() == {"message": "API rate limit exceeded."}
    assert answer.headers["x-gateway-stage"] == "dev"
    assert answer.headers["x-api-requestid"] == "0" * 32
    assert caller.gateway.observer.counters.total() == 2


def test_other_apis_and_other_stages_have_limits_of_their_own(featured: Featured) -> None:
    """The limit of an API holds in each stage by itself."""
    caller = featured(api="throttle = 1")
    assert statuses(caller, "/dev/echo", 2) == [200, 429]
    assert statuses(caller, "/release/echo", 2) == [200, 429]
    assert statuses(caller, "/dev/ping", 2) == [200, 200]


def test_the_limit_of_a_stage_is_shared_by_its_apis(featured: Featured) -> None:
    """And the lowest limit applies."""
    caller = featured(api="throttle = 1", stage="throttle = 3")
    assert statuses(caller, "/dev/echo", 2) == [200, 429]
    assert statuses(caller, "/dev/ping", 3) == [200, 200, 429]
    assert statuses(caller, "/release/ping", 4) == [200] * 4


def test_a_refused_request_costs_no_other_limit_anything(featured: Featured) -> None:
    """The first API is over its own limit; what it is refused is left for the second."""
    caller = featured(api="throttle = 1", stage="throttle = 2")
    statuses(caller, "/dev/echo", 10)
    assert statuses(caller, "/dev/ping", 2) == [200, 429]


def test_a_change_of_something_else_does_not_fill_a_limit(featured: Featured) -> None:
    """Limits outlive snapshots; one with another rate starts full."""
    from dataclasses import replace

    from gateway.core.features import StageFeatures

    caller = featured(api="throttle = 2", stage="throttle = 100")
    live = caller.gateway.live
    assert statuses(caller, "/dev/echo", 3) == [200, 200, 429]
    live.swap(replace(live.snapshot, revision=live.snapshot.revision + 1))
    assert statuses(caller, "/dev/echo", 1) == [429]
    service = live.snapshot.services["service-default"]
    dev = service.stages["dev"]
    faster = tuple(replace(a, features=replace(a.features, throttle=3)) for a in dev.apis)
    for features in (dev.features, StageFeatures()):
        stages = {**service.stages, "dev": replace(dev, apis=faster, features=features)}
        services = {service.id: replace(service, stages=stages)}
        live.swap(replace(live.snapshot, services=services, revision=live.snapshot.revision + 1))
        expected = [200, 200, 200, 429] if features is dev.features else [429] * 4
        assert statuses(caller, "/dev/echo", 4) == expected


@given(
    rate=st.integers(1, 1000),
    steps=st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(0, 50)), max_size=40),
)
def test_in_any_stretch_of_time_no_more_pass_than_time_brings(
    rate: int, steps: list[tuple[int, int]]
) -> None:
    """Token bucket: at most one burst and what the rate adds; and whatever it adds does pass."""
    now, buckets = 0, [Bucket(rate, 0)]
    passed: list[int] = []
    for wait, number in steps:
        now += wait
        for _ in range(number):
            if admitted(buckets, now):
                passed.append(now)
            else:
                spent = [t for t in passed if now - t < SECOND]
                assert spent, "refused, though nothing passed for a second"
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            brought = rate * SECOND + rate * (passed[last] - start)
            assert (last - first + 1) * SECOND <= brought


def test_a_clock_that_went_back_gives_nothing_away() -> None:
    """Time is only counted forwards."""
    bucket = Bucket(1, 10 * SECOND)
    assert admitted([bucket], 10 * SECOND)
    assert not admitted([bucket], 0)
    assert not admitted([bucket], 10 * SECOND)
    assert admitted([bucket], 11 * SECOND)


def test_a_bucket_is_known_by_its_name_and_rate() -> None:
    """Another rate is another bucket."""
    limits = Limits()
    first = limits.bucket(("a",), 5, 0)
    assert limits.bucket(("a",), 5, 9) is first
    assert limits.bucket(("b",), 5, 9) is not first
    assert limits.bucket(("a",), 6, 9) is not first


# --- networks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        pytest.param('allow = ["10.0.0.0/8"]', 200, id="allowed"),
        pytest.param('allow = ["192.168.0.0/16"]', 403, id="not allowed"),
        pytest.param('allow = ["192.168.0.0/16", "10.0.0.7"]', 200, id="one of several"),
        pytest.param('deny = ["10.0.0.7"]', 403, id="denied"),
        pytest.param('deny = ["10.0.0.8"]', 200, id="another denied"),
        pytest.param('allow = ["10.0.0.0/8"]\ndeny = ["10.0.0.7"]', 403, id="denied wins"),
        pytest.param("allow = []", 200, id="an empty list is none"),
    ],
)
def test_a_stage_lets_in_whom_its_networks_allow(
    featured: Featured, stage: str, status: int
) -> None:
    """The caller of these tests is 10.0.0.7, whatever its headers say."""
    caller = featured(stage=stage)
    forged = {"x-forwarded-for": "192.168.0.1", "x-real-ip": "10.0.0.8", "forwarded": "for=1.1.1.1"}
    for target in ("/dev/echo", "/dev/ping"):
        answer = caller(target, headers=forged)
        assert answer.status_code == status
        if status == 403:
            assert answer.json() == {"message": "Endpoint IP address is not allowed."}
    assert caller("/release/echo").status_code == 200


@pytest.mark.parametrize(
    ("allow", "deny", "host", "admitted_"),
    [
        pytest.param(["10.0.0.0/8"], [], "::ffff:10.1.2.3", True, id="IPv4 in IPv6 clothes"),
        pytest.param([], ["10.0.0.0/8"], "::ffff:10.1.2.3", False, id="the same, denied"),
        pytest.param(["fd00::/8"], [], "fd00::7", True, id="IPv6"),
        pytest.param(["fd00::/8"], [], "10.0.0.1", False, id="the other family"),
        pytest.param(["10.0.0.0/8"], [], "", False, id="nobody knows who"),
        pytest.param([], ["10.0.0.0/8"], "unix", True, id="nobody knows who is denied"),
    ],
)
def test_addresses_are_compared_as_addresses(
    allow: list[str], deny: list[str], host: str, admitted_: bool
) -> None:
    """Not as texts."""
    admits = admission(allow, deny)
    assert admits is not None
    assert admits(host) is admitted_


def test_a_connection_without_an_address_is_not_allowed(featured: Featured) -> None:
    """A socket of another family has none."""
    caller = featured(stage='allow = ["0.0.0.0/0", "::/0"]')
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/dev/ping",
        "raw_path": b"/dev/ping",
        "query_string": b"",
        "headers": [],
        "client": None,
    }
    caller.run(caller.gateway.plane(scope, receive, send))
    assert sent[0]["status"] == 403


# --- origins --------------------------------------------------------------------------------------

PAGE = {"origin": "https://page.test"}
ASKING = {**PAGE, "access-control-request-method": "GET"}


def test_pages_may_read_what_an_api_with_cors_answers(featured: Featured) -> None:
    """The cloud's star, and the headers that a page may read."""
    answer = featured(api="cors = true")("/dev/echo", headers=PAGE)
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"].split(",")
    assert exposed[:3] == ["X-Api-ID", "X-Service-RateLimit", "X-UsagePlan-RateLimit"]
    assert {"X-Gateway-Version", "X-Api-RequestId"} <= set(exposed)
    assert "access-control-allow-origin" not in featured()("/dev/echo", headers=PAGE).headers


def test_pages_may_read_refusals_too(featured: Featured) -> None:
    """Otherwise a page could not tell its user why."""
    caller = featured(api="cors = true\nthrottle = 1")
    caller("/dev/echo")
    answer = caller("/dev/echo", headers=PAGE)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (429, "*")


def test_what_a_function_says_of_origins_stays(featured: Featured) -> None:
    """Two such headers would be none to a browser."""
    code = """
    async def main_handler(event, context):
        headers = {"Access-Control-Allow-Origin": "https://page.test"}
        return {"statusCode": 200, "headers": headers}
    """
    api = "cors = true"
    more = '[[apis]]\nmethod = "GET"\npath = "/own"\nfunction = "echo"\ncors = true'
    answer = featured(api=api, more=more, code=code)("/dev/own", headers=PAGE)
    assert answer.headers.get_list("access-control-allow-origin") == ["https://page.test"]


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/dev/echo", id="an API for any method"),
        pytest.param("/dev/own", id="an API for another method"),
        pytest.param("/dev/caught/by-all", id="an API behind one for any method"),
    ],
)
def test_a_browser_that_asks_first_is_answered_without_the_back_end(
    featured: Featured, target: str
) -> None:
    """Whichever API takes `OPTIONS`, the one that is asked about says what pages may do."""
    more = """
    [[apis]]
    method = "GET"
    path = "/own"
    mock = { body = "own" }
    cors = true
    [[apis]]
    method = "GET"
    path = "=/caught/by-all"
    mock = { body = "caught" }
    cors = true
    [[apis]]
    method = "ANY"
    path = "^~/caught"
    function = "echo"
    """
    caller = featured(api="cors = true\nthrottle = 1", more=more)
    asking = {**ASKING, "access-control-request-headers": "User, content-type, <b>"}
    for _ in range(3):  # questions cost no limit anything
        answer = caller(target, "OPTIONS", headers=asking)
        assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-credentials"] == "true"
    methods = "GET,POST,PUT,DELETE,HEAD,OPTIONS,PATCH"
    assert answer.headers["access-control-allow-methods"] == methods
    allowed = answer.headers["access-control-allow-headers"].split(",")
    assert "User" in allowed
    assert "<b>" not in allowed
    assert len([name for name in allowed if name.lower() == "content-type"]) == 1
    assert answer.headers["x-gateway-stage"] == "dev"


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        pytest.param("/dev/ping", ASKING, 404, id="an API without CORS"),
        pytest.param("/dev/none", ASKING, 404, id="no API"),
        pytest.param("/none/own", ASKING, 404, id="no stage"),
        pytest.param("/dev/own", PAGE, 404, id="no question"),
        pytest.param(
            "/dev/own", {**ASKING, "access-control-request-method": "PUT"}, 404, id="another method"
        ),
        pytest.param("/dev/echo", ASKING, 200, id="the function's own OPTIONS"),
        pytest.param("/dev/only-options", ASKING, 200, id="about nothing else"),
    ],
)
def test_other_questions_are_ordinary_requests(
    featured: Featured, target: str, headers: dict[str, str], status: int
) -> None:
    """Pages may not call what nobody opened to them."""
    more = """
    [[apis]]
    method = "GET"
    path = "=/own"
    mock = { body = "own" }
    cors = true
    [[apis]]
    method = "OPTIONS"
    path = "=/only-options"
    mock = { body = "options" }
    """
    answer = featured(more=more)(target, "OPTIONS", headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_networks_come_before_questions(featured: Featured) -> None:
    """Who may not call is told nothing of an API."""
    caller = featured(api="cors = true", stage='deny = ["10.0.0.7"]')
    assert caller("/dev/echo", "OPTIONS", headers=ASKING).status_code == 403


@pytest.mark.parametrize(
    ("api", "whole"),
    [
        pytest.param("throttle = 5", True, id="a limit alone"),
        pytest.param("cors = true", False, id="CORS"),
        pytest.param("gzip = true", False, id="gzip"),
    ],
)
def test_a_server_that_takes_whole_answers_gets_what_features_add(
    featured: Featured, api: str, whole: bool
) -> None:
    """The short way is taken only where there is nothing to add."""
    caller = featured(api=api)
    replied: list[int] = []
    sent: list[Message] = []

    def take(status: int, _head: bytes, _body: bytes) -> bool:
        replied.append(status)
        return True

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/dev/echo",
        "raw_path": b"/dev/echo",
        "query_string": b"",
        "headers": [],
        "client": ("10.0.0.7", 1),
        "extensions": {REPLY: take, "other": {}},
    }
    caller.run(caller.gateway.plane(scope, receive, send))
    assert (len(replied), len(sent)) == ((1, 0) if whole else (0, 2))
    assert scope["extensions"] == {REPLY: take, "other": {}}


# --- compression ----------------------------------------------------------------------------------

LONG = "a" * (SHORTEST + 1)
SAYING = """
async def main_handler(event, context):
    said = event["queryString"]
    headers = {"Content-Type": said["type"], **({"ETag": said["etag"]} if "etag" in said else {})}
    if "cache" in said:
        headers["Cache-Control"] = said["cache"]
    if "range" in said:
        headers["Content-Range"] = "bytes 0-1/2"
    return {"statusCode": int(said.get("status", 200)), "headers": headers,
            "body": "a" * int(said["size"])}
"""
INTEGRATED = '[[apis]]\nmethod = "ANY"\npath = "/say"\nfunction = "echo"\ngzip = true'


def said(caller: Caller, query: str, method: str = "GET", accept: str = "gzip, br") -> Any:  # noqa: ANN401
    """What the function answers, compressed or not."""
    return caller(f"/dev/say?{query}", method, headers={"accept-encoding": accept})


@pytest.mark.parametrize("size", [SHORTEST + 1, 200_000])
@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/json; charset=utf-8",
        "application/problem%2Bjson",
        "image/svg%2Bxml",
    ],
)
def test_a_long_text_is_compressed(featured: Featured, kind: str, size: int) -> None:
    """And is what it was before, for who takes it."""
    answer = said(featured(more=INTEGRATED, code=SAYING), f'type={kind}&size={size}&etag="a"')
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["etag"] == 'W/"a"'
    assert int(answer.headers["content-length"]) < size
    assert answer.text == "a" * size


@pytest.mark.parametrize(
    ("query", "method", "accept"),
    [
        pytest.param(f"type=text/plain&size={SHORTEST}", "GET", "gzip", id="short"),
        pytest.param("type=image/png&size=9999", "GET", "gzip", id="no text"),
        pytest.param("type=text/event-stream&size=9999", "GET", "gzip", id="a stream of events"),
        pytest.param("type=text/plain&size=9999", "GET", "br", id="not accepted"),
        pytest.param("type=text/plain&size=9999", "HEAD", "gzip", id="no body"),
        pytest.param("type=text/plain&size=0&status=204", "GET", "gzip", id="none by status"),
        pytest.param("type=text/plain&size=9999&cache=no-transform", "GET", "gzip", id="forbidden"),
        pytest.param("type=text/plain&size=9999&range=1", "GET", "gzip", id="a part"),
    ],
)
def test_other_answers_pass_as_they_are(
    featured: Featured, query: str, method: str, accept: str
) -> None:
    """What is short, no text, not wanted, or not to be touched."""
    answer = said(featured(more=INTEGRATED, code=SAYING), query, method, accept)
    assert "content-encoding" not in answer.headers
    assert answer.is_success


def test_without_the_feature_nothing_is_compressed(featured: Featured) -> None:
    """It costs processor time, so it is asked for."""
    more = INTEGRATED.replace("gzip = true", "")
    answer = said(featured(more=more, code=SAYING), "type=text/plain&size=9999")
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("br;q=1.0, gzip;q=0.5, *;q=0", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("*;q=0", False),
        ("gzip;q=1.2.3", False),
        ("gzip;level=1", True),
        ("identity", False),
        ("", False),
    ],
)
def test_a_caller_says_what_it_takes(accepted: str, takes: bool) -> None:
    """RFC 9110 12.5.3."""
    assert takes_gzip(accepted) is takes


@pytest.mark.parametrize("known", [True, False], ids=["known length", "unknown length"])
def test_a_stream_is_compressed_piece_by_piece_if_its_length_is_known(known: bool) -> None:
    """One whose length nobody told passes as it comes."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def stream() -> None:
        compressing = Compressing(send, taken=True)
        headers = [(b"Content-Type", b"text/plain"), (b"ETag", b'W/"a"')]
        if known:
            headers.append((b"Content-Length", b"3000"))
        await compressing({"type": "http.response.start", "status": 200, "headers": headers})
        for part in (b"a", b"b", b"c"):
            body = {"type": "http.response.body", "body": part * 1000, "more_body": True}
            await compressing(body)
        await compressing({"type": "http.response.body", "body": b""})

    asyncio.run(stream())
    body = b"".join(message.get("body", b"") for message in sent)
    plain = b"a" * 1000 + b"b" * 1000 + b"c" * 1000
    names = [name.lower() for name, _ in sent[0]["headers"]]
    assert len(sent) == 5
    assert (gzip.decompress(body) if known else body) == plain
    assert (b"content-encoding" in names) is known
    assert b"content-length" not in names


# --- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "body", "encoded"),
    [("base64 = true", "aGVsbG8=", True), ("", "hello", False)],
    ids=["with base64", "without"],
)
def test_an_api_may_have_every_body_in_base64(
    featured: Featured, api: str, body: str, encoded: bool
) -> None:
    """Texts too; a request without a body has none all the same."""
    caller = featured(api=api)
    event = caller("/dev/echo", "POST", content=b"hello").json()
    assert (event["body"], event["isBase64Encoded"]) == (body, encoded)
    event = caller("/dev/echo").json()
    assert "body" not in event
    assert event["isBase64Encoded"] is False
