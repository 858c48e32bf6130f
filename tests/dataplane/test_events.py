"""What a function is given: the event in the cloud's shape, and nothing of the gateway's own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

PATTERNED = """
[service]
name = "shop"

[functions.echo]
source = "functions/echo"

[[apis]]
method = "ANY"
path = "/user/{id}/{part}"
function = "echo"
integrated = false

[[apis]]
method = "POST"
path = "=/only"
function = "echo"
integrated = false

[stages.dev]
alias = "$DEFAULT"
[stages.prepub]
alias = "$LATEST"
variables = { region = "local", tier = "2" }
"""
ECHO = 'async def main_handler(event, context):\n    return {"event": event, "context": context}\n'


@pytest.fixture
def shop(make: Make) -> Caller:
    """A path with two parameters, and stage variables on `prepub`."""
    return make(PATTERNED, {"echo/latest": ECHO})


def test_a_get_in_full(shop: Caller) -> None:
    """Contract 5.3: every key and no other; nothing for a body that is not there."""
    answer = shop(
        "/dev/user/7/name%20x?b=2&a=1",
        headers={"User-Agent": "curl/8", "Accept": "*/*", "X-Many": "Yes"},
    )
    request_id = answer.headers["x-api-requestid"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    assert answer.json()["event"] == {
        "requestContext": {
            "serviceId": "service-default",
            "path": "/user/{id}/{part}",
            "httpMethod": "ANY",
            "identity": {},
            "sourceIp": "10.0.0.7",
            "stage": "dev",
        },
        "headers": {
            "host": "127.0.0.1:8080",
            "user-agent": "curl/8",
            "accept": "*/*",
            "x-many": "Yes",
            "x-api-requestid": request_id,
            "x-b3-traceid": request_id,
            "x-api-scheme": "http",
            "x-qualifier": "$DEFAULT",
            "requestsource": "APIGW",
        },
        "pathParameters": {"id": "7", "part": "name x"},
        "queryString": {"b": "2", "a": "1"},
        "queryStringParameters": {},
        "headerParameters": {},
        "path": "/user/7/name%20x",
        "httpMethod": "GET",
        "isBase64Encoded": False,
    }


def test_a_post_in_full(shop: Caller) -> None:
    """The body as text; the API's own method and the request's stand side by side."""
    body = json.dumps({"item": "tea", "größe": 2}, ensure_ascii=False)
    answer = shop(
        "/dev/only", "POST", headers={"Content-Type": "application/json"}, content=body.encode()
    )
    request_id = answer.headers["x-api-requestid"]
    assert answer.json()["event"] == {
        "requestContext": {
            "serviceId": "service-default",
            "path": "=/only",
            "httpMethod": "POST",
            "identity": {},
            "sourceIp": "10.0.0.7",
            "stage": "dev",
        },
        "headers": {
            "host": "127.0.0.1:8080",
            "content-type": "application/json",
            "content-length": str(len(body.encode())),
            "x-api-requestid": request_id,
            "x-b3-traceid": request_id,
            "x-api-scheme": "http",
            "x-qualifier": "$DEFAULT",
            "requestsource": "APIGW",
        },
        "body": body,
        "pathParameters": {},
        "queryString": {},
        "queryStringParameters": {},
        "headerParameters": {},
        "path": "/only",
        "httpMethod": "POST",
        "isBase64Encoded": False,
    }


def test_stage_variables_and_the_qualifier_come_from_the_stage(shop: Caller) -> None:
    """`stageVariables` is there where the stage has some."""
    event = shop("/prepub/user/7/x").json()["event"]
    assert event["stageVariables"] == {"region": "local", "tier": "2"}
    assert event["requestContext"]["stage"] == "prepub"
    assert event["headers"]["x-qualifier"] == "$LATEST"
    assert "stageVariables" not in shop("/dev/user/7/x").json()["event"]


@pytest.mark.parametrize(
    ("body", "seen", "encoded"),
    [
        pytest.param(b"\xff\xfe\x00", "//4A", True, id="no UTF-8: Base64"),
        pytest.param(b"\x00\x01", "\x00\x01", False, id="control characters are UTF-8"),
        pytest.param("ü€😀".encode(), "ü€😀", False, id="UTF-8"),
        pytest.param(b"{broken", "{broken", False, id="broken JSON is text"),
    ],
)
def test_a_body_is_text_or_base64(echo: Caller, body: bytes, seen: str, encoded: bool) -> None:
    """And the event says which."""
    event = echo("/dev/", "PUT", content=body).json()["event"]
    assert (event["body"], event["isBase64Encoded"]) == (seen, encoded)


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        pytest.param("a=1&a=2", {"a": "2"}, id="repeated: the last one"),
        pytest.param("a", {"a": ""}, id="without a value"),
        pytest.param("a=&b=1", {"a": "", "b": "1"}, id="empty value"),
        pytest.param("q=a%20b+c", {"q": "a b c"}, id="spaces, both ways"),
        pytest.param("n=%C3%BC", {"n": "ü"}, id="UTF-8"),
        pytest.param("a=1=2&&", {"a": "1=2"}, id="equals sign in a value"),
        pytest.param("a=1;b=2", {"a": "1;b=2"}, id="a semicolon separates nothing"),
    ],
)
def test_a_query_is_decoded_once(echo: Caller, query: str, seen: dict[str, str]) -> None:
    """Every parameter is in `queryString`."""
    assert echo(f"/dev/?{query}").json()["event"]["queryString"] == seen


def test_repeated_headers_are_joined_as_their_kind_demands(echo: Caller) -> None:
    """RFC 9110 5.2 with a comma, RFC 6265 5.4 with a semicolon."""
    pairs = [("X-Tag", "a"), ("Cookie", "a=1"), ("x-tag", "b"), ("Cookie", "b=2"), ("X-TAG", "c")]
    headers = echo("/dev/", headers=pairs).json()["event"]["headers"]
    assert (headers["x-tag"], headers["cookie"]) == ("a, b, c", "a=1; b=2")


@pytest.mark.parametrize(
    "name",
    [
        "X-Gateway-Version",
        "x-gateway-anything",
        "X_Gateway_Version",
        "X-Gateway_Version",
        "X_Gateway-Version",
        "X-GATEWAY-",
    ],
)
def test_headers_that_only_the_gateway_sets_do_not_come_from_a_caller(
    echo: Caller, name: str
) -> None:
    """In every spelling that a CGI-like program folds into one; repeated or not."""
    for pairs in ([(name, "4")], [(name, "4"), (name, "5"), ("X-Other", "6")]):
        headers = echo("/dev/", headers=[*pairs, ("X-Gatewaycar", "kept")]).json()["event"][
            "headers"
        ]
        assert [found for found in headers if "gateway" in found] == ["x-gatewaycar"]


def test_headers_that_the_cloud_sets_replace_a_callers(echo: Caller) -> None:
    """A caller cannot choose its request id."""
    sent = {"X-Api-RequestId": "mine", "x-b3-traceid": "mine", "X-Qualifier": "9"}
    answer = echo("/dev/", headers={**sent, "RequestSource": "me", "X-Api-Scheme": "gopher"})
    headers = answer.json()["event"]["headers"]
    assert headers["x-api-requestid"] == headers["x-b3-traceid"] != "mine"
    assert (headers["x-qualifier"], headers["requestsource"]) == ("$DEFAULT", "APIGW")
    assert headers["x-api-scheme"] == "http"


def test_one_request_id_runs_through_everything(echo: Caller) -> None:
    """Header of the answer, event and context; a new one for each request."""
    seen = set()
    for _ in range(5):
        answer = echo("/dev/")
        told = answer.json()
        request_id = answer.headers["x-api-requestid"]
        assert told["event"]["headers"]["x-api-requestid"] == request_id
        assert told["context"]["request_id"] == request_id
        seen.add(request_id)
    assert len(seen) == 5


def test_the_context_names_the_version_and_not_the_alias(echo: Caller) -> None:
    """What was decided is what the function sees."""
    context = echo("/release/").json()["context"]
    assert (context["function_name"], context["function_version"]) == ("echo", "1")
    assert context["time_limit_in_ms"] == 5000


def test_handlers_may_alter_their_event(returning: Make) -> None:
    """The next request gets a fresh one, variables of the stage included."""
    code = """
        async def main_handler(event, context):
            seen = "spoilt" in event or "spoilt" in event["requestContext"]
            event["spoilt"] = event["requestContext"]["spoilt"] = event["pathParameters"] = 1
            context.clear()
            return seen
    """
    caller = returning(code, integrated=False)
    assert [caller("/dev/").json() for _ in range(3)] == [False] * 3


def test_a_connection_without_an_address_has_no_source(echo: Caller) -> None:
    """As with a server on a Unix socket."""
    sent: list[Any] = []

    async def receive() -> dict[str, object]:
        raise AssertionError("a request without a body was read")

    async def send(message: Any) -> None:  # noqa: ANN401
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/dev/",
        "raw_path": b"/dev/",
        "query_string": b"",
        "headers": [],
        "client": None,
    }
    echo.run(echo.gateway.plane(scope, receive, send))
    event = json.loads(sent[1]["body"])["event"]
    assert event["requestContext"]["sourceIp"] == ""


def test_many_different_header_names_are_read_rightly(echo: Caller) -> None:
    """More of them than are remembered as text."""
    for start in range(0, 1500, 100):
        pairs = [(f"X-Name-{number}", str(number)) for number in range(start, start + 100)]
        headers = echo("/dev/", headers=pairs).json()["event"]["headers"]
        assert [headers[name.lower()] for name, _ in pairs] == [value for _, value in pairs]
