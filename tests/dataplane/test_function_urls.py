"""Function URLs: whom a host name reaches, what the answer says, and how it is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Publish, PutAlias, PutFunction, PutService, Release
from gateway.core.entries import Target
from gateway.core.routes import parse_path
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, MockBackend, Snapshot
from gateway.dataplane.function_urls import FunctionUrls
from gateway.dataplane.texts import AmbiguousHost
from gateway.observe import Label, Seen

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

STAGES = """
[service]
name = "shop"

[functions.Orders]
source = "functions/Orders"
[functions.Orders.aliases]
Canary = { version = "1", rules = [{ when = "invoke.headers.User exact Bob", version = "2" }] }
release = { version = "1", weights = { "2" = 0.5 }, split = "even" }

[functions.a--b]
source = "functions/a--b"
[functions.a--b.aliases]
c = { version = "$LATEST" }

[functions.twin]
source = "functions/twin"
[functions.TWIN]
source = "functions/twin"

[functions.a1]
source = "functions/a1"
[functions.a1.aliases]
latest = { version = "1" }
"b--c" = { version = "1" }
x--c = { version = "1" }

[stages.dev]
alias = "$DEFAULT"
"""
CODE = """
import json
async def main_handler(event, context):
    seen = {"event": event, "version": context["function_version"]}
    return {"statusCode": 200, "body": json.dumps(seen)}
"""
FOLDERS = (
    "Orders/latest",
    "Orders/v1",
    "Orders/v2",
    "a--b/latest",
    "twin/latest",
    "a1/latest",
    "a1/v1",
)


@pytest.fixture
def shop(make: Make) -> Caller:
    """Functions without any API."""
    return make(STAGES, dict.fromkeys(FOLDERS, CODE))


@pytest.mark.parametrize(
    ("host", "said"),
    [
        pytest.param(
            "orders.fn", ("Orders", "$DEFAULT", "$LATEST", "main"), id="the default alias"
        ),
        pytest.param("orders--canary.fn", ("Orders", "Canary", "1", "main"), id="an alias"),
        pytest.param("ORDERS--CANARY.FN", ("Orders", "Canary", "1", "main"), id="any case"),
        pytest.param("orders--2.fn", ("Orders", None, "2", "pinned"), id="a version"),
        pytest.param("orders--latest.fn", ("Orders", None, "$LATEST", "pinned"), id="$LATEST"),
        pytest.param("orders--$latest.fn", ("Orders", None, "$LATEST", "pinned"), id="in full"),
        pytest.param(
            "orders--$default.fn", ("Orders", "$DEFAULT", "$LATEST", "main"), id="default"
        ),
        pytest.param("a--b.fn", ("a--b", "$DEFAULT", "$LATEST", "main"), id="dashes in a function"),
        pytest.param("a--b--c.fn", ("a--b", "c", "$LATEST", "main"), id="dashes and an alias"),
        pytest.param("a1--x--c.fn", ("a1", "x--c", "1", "main"), id="dashes in an alias"),
        pytest.param("a1--latest.fn", ("a1", "latest", "1", "main"), id="an alias called latest"),
    ],
)
def test_a_host_name_reaches_a_function_by_qualifier(
    shop: Caller, host: str, said: tuple[str | None, ...]
) -> None:
    """Without an API and without a stage; the answer says all that a stage's answer says."""
    answer = shop(f"http://{host}.localhost:8080/any/path?q=1", "PUT", content="hello")
    assert answer.status_code == 200, answer.text
    names = ("function", "alias", "version", "reason")
    assert tuple(answer.headers.get(f"x-gateway-{name}") for name in names) == said
    assert answer.json()["version"] == said[2]
    assert answer.headers["x-gateway-revision"] == "1"
    assert "x-gateway-stage" not in answer.headers


def test_the_event_has_the_shape_of_an_api_gateway_event(shop: Caller) -> None:
    """What an API would say of itself is that of an API for everything."""
    answer = shop("http://orders.fn.localhost/any/caf%C3%A9?q=1", "POST", content="hello")
    event = answer.json()["event"]
    assert event["requestContext"] == {
        "serviceId": "",
        "path": "/",
        "httpMethod": "ANY",
        "identity": {},
        "sourceIp": "10.0.0.7",
        "stage": "fn",
    }
    assert (event["path"], event["httpMethod"]) == ("/any/caf%C3%A9", "POST")
    assert (event["queryString"], event["body"]) == ({"q": "1"}, "hello")
    assert event["headers"]["x-qualifier"] == "$DEFAULT"
    assert event["pathParameters"] == {}


def test_rules_and_weights_hold_for_function_urls(shop: Caller) -> None:
    """The alias decides, as everywhere."""
    canary, release = (f"http://orders--{alias}.fn.localhost/" for alias in ("canary", "release"))
    bob = shop(canary, headers={"User": "Bob"}).headers
    assert (bob["x-gateway-version"], bob["x-gateway-reason"]) == ("2", "rule:1")
    versions = [shop(release).headers["x-gateway-version"] for _ in range(20)]
    assert versions.count("2") == 10


@pytest.mark.parametrize(
    ("host", "status", "message"),
    [
        pytest.param(
            "nobody.fn", 435, "FunctionNotFound: no function 'nobody'", id="unknown function"
        ),
        pytest.param(
            "nobody--x.fn", 435, "FunctionNotFound: no function 'nobody'", id="and a qualifier"
        ),
        pytest.param(
            "orders--9.fn",
            442,
            "QualifierNotFound: function 'Orders' has no version and no alias '9'",
            id="unknown version",
        ),
        pytest.param(
            "a--b--nope.fn",
            442,
            "QualifierNotFound: function 'a--b' has no version and no alias 'nope'",
            id="the longest function is meant",
        ),
        pytest.param(
            "twin.fn",
            404,
            "host names have no case, so 'twin' names several: twin@$DEFAULT, TWIN@$DEFAULT; "
            "release an API for the one that is meant",
            id="two functions",
        ),
        pytest.param("fn", 404, "There is no api match host[fn.localhost].", id="no function"),
        pytest.param(
            "x.orders.fn", 435, "FunctionNotFound: no function 'x.orders'", id="a deeper name"
        ),
    ],
)
def test_a_host_that_reaches_nothing_says_why(
    shop: Caller, host: str, status: int, message: str
) -> None:
    """With the cloud's codes for functions and qualifiers."""
    answer = shop(f"http://{host}.localhost/")
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    assert answer.headers["x-gateway-revision"] == "1"
    assert "x-gateway-stage" not in answer.headers
    assert shop.gateway.observer.counters.cell(Label()).statuses == {status: 1}


def test_answers_are_counted_under_fn(shop: Caller) -> None:
    """So that they can be told from those of stages."""
    for _ in range(2):
        shop("http://orders--release.fn.localhost/")
    assert shop.gateway.observer.counters.by_version() == {
        ("fn", "Orders", "release"): {"1": Seen(1, 0), "2": Seen(1, 0)}
    }


def test_a_moved_alias_is_followed_by_the_next_request(shop: Caller) -> None:
    """A function URL belongs to a snapshot like everything else."""
    url, live = "http://orders--release.fn.localhost/", shop.gateway.live
    assert shop(url).headers["x-gateway-revision"] == "1"
    live.swap(apply(live.snapshot, PutAlias("Orders", "release", Route("$LATEST"))))
    moved = shop(url).headers
    assert (moved["x-gateway-version"], moved["x-gateway-revision"]) == ("$LATEST", "2")


def test_a_service_is_reached_by_its_id(shop: Caller) -> None:
    """`{service-id}.localhost/{stage}{path}`, with the id in the event; the others stay away."""
    live, slash = shop.gateway.live, parse_path("/")
    own = Api("a", "ANY", slash, FunctionBackend("Orders", "2"))
    change = Batch(
        (
            PutService("service-x1Y2", "other", (own,)),
            Release("service-x1Y2", "release", (own,)),
            Release("service-x1Y2", "dev", (Api("m", "ANY", slash, MockBackend("hi")),)),
        )
    )
    live.swap(apply(live.snapshot, change))
    answer = shop("http://service-X1y2.localhost:8080/release/p")
    event = answer.json()["event"]
    assert event["requestContext"]["serviceId"] == "service-x1Y2"
    assert (event["path"], answer.headers["x-gateway-version"]) == ("/p", "2")
    assert shop("http://service-x1y2.localhost/test/").text == "hi"
    text = "There is no api match default env_mapping[qa]. (value must be release, dev)"
    assert shop("http://service-x1y2.localhost/qa/").json() == {"message": text}
    assert shop("http://service-default.localhost/dev/").status_code == 404
    assert shop("http://service-other.localhost/dev/").json() == {
        "message": "There is no api match host[service-other.localhost]."
    }


NAMES = st.from_regex(r"[aAbB](-{0,3}[abAB1]){0,3}", fullmatch=True).filter(lambda n: len(n) > 1)


@st.composite
def functions(draw: st.DrawFn) -> Snapshot:
    """A few functions whose names are easily mistaken for each other."""
    steps: list[PutFunction | Publish | PutAlias] = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        steps += [PutFunction(name, "code"), Publish(name)]
        aliases = draw(st.lists(NAMES, max_size=3, unique=True))
        steps += [PutAlias(name, alias, Route("1")) for alias in aliases]
    return apply(EMPTY, Batch(tuple(steps)))


@given(functions())
def test_a_label_reaches_what_it_spells_or_is_refused_as_ambiguous(snapshot: Snapshot) -> None:
    """Never another function, and never silently one of several."""
    urls = FunctionUrls(snapshot)
    spelled: dict[str, list[Target]] = {}
    for function in snapshot.functions.values():
        spelled.setdefault(function.name.lower(), []).append(Target(function.name, "$DEFAULT"))
        for qualifier in (*function.aliases, *function.versions):
            label = f"{function.name}--{qualifier}".lower()
            spelled.setdefault(label, []).append(Target(function.name, qualifier))
    for label, targets in spelled.items():
        if len(targets) == 1:
            stage = urls.stage(label.upper())
            assert stage.targets() == set(targets)
            assert urls.stage(label) is stage
        else:
            with pytest.raises(AmbiguousHost) as refused:
                urls.stage(label)
            assert all(f"{f}@{q}" in str(refused.value) for f, q in targets)


def test_the_body_of_a_miss_is_json(shop: Caller) -> None:
    """Like that of every other miss."""
    answer = shop("http://nobody.fn.localhost/")
    assert answer.headers["content-type"] == "application/json"
    assert set(json.loads(answer.content)) == {"message"}
