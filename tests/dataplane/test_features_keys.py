"""Key pairs and usage plans: who is let in, what is told, and what runs out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.core.access import NO_ACCESS
from gateway.dataplane.features import Guards
from gateway.dataplane.plane import DataPlane
from gateway.dice import Dice

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

TODAY = 1_800_000_000.0
SECRET = "s3cret"
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
auth = "key"
cors = true

[[apis]]
method = "GET"
path = "=/ping"
mock = {{ body = "pong" }}
auth = "key"

[stages.dev]
alias = "$DEFAULT"

[stages.release]
alias = "$DEFAULT"

[keys.partner]
id = "AKIDpartner"
secret = "s3cret"

[keys.visitor]
id = "AKIDvisitor"
secret = "other"

[plans.gold]
keys = ["partner"]
stages = ["release"]
{limits}

[plans.second]
keys = ["partner", "visitor"]
stages = ["release"]
"""
ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")


class Clock:
    """Nanoseconds that pass when a test says so."""

    now = 0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the limits."""
    return Clock()


Locked = Callable[..., "Caller"]


@pytest.fixture
def locked(make: Make, clock: Clock) -> Locked:
    """A gateway whose APIs ask for a key; the plan `gold` has these limits."""

    def build(limits: str = "") -> Caller:
        caller = make(STAGES.format(limits=limits), {"echo/latest": ECHO})
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


def date(offset: float = 0.0) -> str:
    """A date as HTTP writes it, so many seconds after today's time."""
    return formatdate(TODAY + offset, usegmt=True)


def signed(
    headers: dict[str, str] | None = None,
    *,
    key: str = "AKIDpartner",
    secret: str = SECRET,
    algorithm: str = "sha1",
    names: str = "",
) -> dict[str, str]:
    """The headers of a request, with a signature of these or of all of them."""
    headers = {"x-date": date(), "source": "test"} if headers is None else headers
    names = names or " ".join(headers)
    text = "\n".join(f"{name}: {headers[name]}" for name in names.split())
    digest = hmac.new(secret.encode(), text.encode(), getattr(hashlib, algorithm)).digest()
    signature = base64.b64encode(digest).decode()
    said = f'hmac id="{key}", algorithm="hmac-{algorithm}", headers="{names}"'
    return {**headers, "Authorization": f'{said}, signature="{signature}"'}


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status and the text of a refusal."""
    return answer.status_code, answer.json()["message"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_who_signs_is_let_in(locked: Locked, algorithm: str) -> None:
    """With each of the cloud's algorithms; a function sees whose key it was."""
    answer = locked()("/release/echo", headers=signed(algorithm=algorithm))
    assert answer.status_code == 200
    assert answer.json()["requestContext"]["identity"] == {"secretId": "AKIDpartner"}


def test_a_signature_that_others_made_is_known() -> None:
    """HMAC-SHA1 of `date` and `source`, computed with openssl."""
    # printf 'date: Mon, 19 Mar 2018 12:08:40 GMT\nsource: AndriodApp' |
    #   openssl dgst -sha1 -hmac secret -binary | base64
    made = signed(
        {"date": "Mon, 19 Mar 2018 12:08:40 GMT", "source": "AndriodApp"}, secret="secret"
    )
    assert made["Authorization"].endswith('signature="lkriIVCFfvlcDh7h/1R9cmsBdVU="')


def test_an_answer_tells_of_the_plan(locked: Locked) -> None:
    """Of several plans with the key the first counts."""
    caller = locked("throttle = 10\nquota = 1000")
    caller("/release/echo", headers=signed())
    answer = caller("/release/ping", headers=signed())
    assert answer.text == "pong"
    assert answer.headers["x-secret-id"] == "AKIDpartner"
    assert answer.headers["x-usageplan-id"] == "gold"
    assert answer.headers["x-ratelimit-limit"] == "10"
    assert answer.headers["x-ratelimit-used"] == "2/1000"
    answer = caller("/release/ping", headers=signed(key="AKIDvisitor", secret="other"))
    assert answer.headers["x-usageplan-id"] == "second"
    assert answer.headers["x-ratelimit-limit"] == "unlimited"
    assert answer.headers["x-ratelimit-used"] == "1/unlimited"


def test_a_key_without_a_plan_of_the_stage_is_of_no_use(locked: Locked) -> None:
    """The signature is right all the same."""
    answer = locked()("/dev/echo", headers=signed())
    assert refused(answer) == (403, "Found no validate usage plan.")


UNVERIFIED = "HMAC signature cannot be verified"
FORM = "HMAC authorization format error."
MISSING = "HMAC id or signature missing."
GOOD = signed()["Authorization"]


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        pytest.param({}, MISSING, id="nothing"),
        pytest.param({"authorization": "Bearer x"}, FORM, id="another scheme"),
        pytest.param({"authorization": ""}, FORM, id="empty"),
        pytest.param({"authorization": "hmac id=AKID"}, FORM, id="no quotes"),
        pytest.param({"authorization": GOOD + " x"}, FORM, id="something behind"),
        pytest.param({"authorization": GOOD + ', id="b"'}, FORM, id="an id twice"),
        pytest.param({"authorization": 'hmac signature="QQ=="'}, MISSING, id="no id"),
        pytest.param({"authorization": 'hmac id="AKIDpartner"'}, MISSING, id="no signature"),
        pytest.param({"authorization": "hmac"}, MISSING, id="no fields"),
        pytest.param(
            {"authorization": GOOD.replace("hmac-sha1", "hmac-md5")},
            "HMAC algorithm hmac-md5 not supported.",
            id="another algorithm",
        ),
        pytest.param(
            {"authorization": GOOD.replace("x-date source", "")},
            "HMAC authorization headers is invalidate.",
            id="no headers",
        ),
        pytest.param(
            {"authorization": GOOD.replace('signature="', 'signature="!')},
            f"{UNVERIFIED}.",
            id="no Base64",
        ),
        pytest.param(signed(key="AKIDx"), "HMAC apikey is invalid for API.", id="an unknown key"),
        pytest.param(
            signed(secret="guessed"), "HMAC signature does not match.", id="another secret"
        ),
        pytest.param(
            {**signed(), "source": "forged"}, "HMAC signature does not match.", id="another value"
        ),
        pytest.param(
            {"x-date": date(), "authorization": GOOD},
            f"{UNVERIFIED}, a valid source header is required.",
            id="a signed header is missing",
        ),
        pytest.param(
            signed({"source": "test"}),
            f"{UNVERIFIED}, a valid date or x-date header is required.",
            id="no date",
        ),
        pytest.param(
            signed({"x-date": "yesterday"}),
            f"{UNVERIFIED}, a valid x-date header is required for HMAC Authentication.",
            id="no date in the date",
        ),
        pytest.param(
            signed({"x-date": "Mon, 19 Mar 2018 12:08:40 +0100"}),
            f"{UNVERIFIED}, a valid x-date header is required for HMAC Authentication.",
            id="another time zone",
        ),
        *(
            pytest.param(
                signed({"x-date": date(offset)}),
                f"{UNVERIFIED}, the x-date header is out of date for HMAC Authentication.",
                id=f"{offset} seconds",
            )
            for offset in (-901, 901)
        ),
    ],
)
def test_who_does_not_sign_is_told_what_is_wrong(
    locked: Locked, headers: dict[str, str], text: str
) -> None:
    """In the cloud's words; the answer tells of no plan."""
    answer = locked()("/release/echo", headers=headers)
    assert refused(answer) == (401, text)
    assert "x-secret-id" not in answer.headers


@pytest.mark.parametrize("offset", [-900, 0, 900])
def test_a_date_may_be_a_quarter_of_an_hour_off(locked: Locked, offset: int) -> None:
    """Either way: clocks differ."""
    headers = signed({"x-date": date(offset)})
    assert locked()("/release/echo", headers=headers).status_code == 200


def test_a_plain_date_is_not_held_against_the_clock(locked: Locked) -> None:
    """The cloud does not either; browsers cannot even set it."""
    headers = signed({"date": date(-86_400)})
    assert locked()("/release/echo", headers=headers).status_code == 200


def test_two_signatures_are_none(locked: Locked) -> None:
    """Which one would count?"""
    headers = list(signed().items())
    answer = locked()("/release/echo", headers=[*headers, headers[-1]])
    assert refused(answer) == (401, "HMAC do not support multiple HTTP header.")


def test_a_plan_has_a_limit_of_its_own(locked: Locked, clock: Clock) -> None:
    """Shared by its keys and by the APIs of its stages."""
    caller = locked("throttle = 2")
    targets = ["/release/echo", "/release/ping", "/release/echo"]
    statuses = [caller(target, headers=signed()).status_code for target in targets]
    assert statuses == [200, 200, 429]
    other = signed(key="AKIDvisitor", secret="other")
    assert caller("/release/echo", headers=other).status_code == 200
    clock.now += 500_000_000
    answers = [caller("/release/echo", headers=signed()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert refused(answers[1]) == (429, "API rate limit exceeded.")


def test_a_plan_runs_out(locked: Locked) -> None:
    """What is refused is not counted, and a change of something else gives nothing back."""
    caller = locked("quota = 2")
    assert caller("/release/echo", headers=signed(secret="guessed")).status_code == 401
    assert caller("/release/echo", headers=signed()).headers["x-ratelimit-used"] == "1/2"
    live = caller.gateway.live
    live.swap(replace(live.snapshot, revision=live.snapshot.revision + 1))
    assert caller("/release/echo", headers=signed()).status_code == 200
    answer = caller("/release/echo", headers=signed())
    assert refused(answer) == (429, "API quota exceeded.")
    assert answer.headers["x-ratelimit-used"] == "2/2"


def test_keys_are_in_force_at_once(locked: Locked) -> None:
    """Without a release: the stage is as it was."""
    caller = locked()
    live = caller.gateway.live
    [service] = live.snapshot.services.values()
    services = {service.id: replace(service, access=NO_ACCESS)}
    live.swap(replace(live.snapshot, services=services, revision=live.snapshot.revision + 1))
    answer = caller("/release/echo", headers=signed())
    assert refused(answer) == (401, "HMAC apikey is invalid for API.")


def test_a_browser_that_asks_first_needs_no_key(locked: Locked) -> None:
    """It cannot sign; what it asks for, it has to."""
    asking = {"origin": "https://page.test", "access-control-request-method": "GET"}
    caller = locked()
    assert caller("/release/echo", "OPTIONS", headers=asking).status_code == 204
    answer = caller("/release/echo", headers={"origin": "https://page.test"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "*")
