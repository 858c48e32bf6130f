"""Web functions behind the gateway: real frameworks, real servers, and what is asked of both."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from gateway.observe import Label

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

STAGES = """
[service]
name = "shop"

[functions.site]
source = "functions/site"
type = "web"
handler = "index.app"
timeout = TIMEOUT
environment = { GREETING = "hello" }

[functions.site.aliases]
release = { version = "1", rules = [{ when = "invoke.headers.User exact Bob", version = "2" }] }

[[apis]]
method = "ANY"
path = "/"
function = "site"

[stages.dev]
alias = "$DEFAULT"
[stages.release]
alias = "release"
"""

STARLETTE = """
import asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route

async def home(request):
    return JSONResponse({
        "path": request.scope["path"], "root": request.scope["root_path"],
        "raw": request.scope["raw_path"].decode(), "url": str(request.url),
        "item": str(request.url_for("item", number="7")),
        "inner": str(request.url_for("inner:deep")),
        "headers": dict(request.headers), "query": dict(request.query_params),
    }, headers={"X-Own": "1", "X-Gateway-Version": "9", "Date": "never"})

async def item(request):
    return PlainTextResponse(VERSION + request.path_params["number"])

async def echo(request):
    return PlainTextResponse(await request.body(), 201)

async def slow(request):
    await asyncio.Event().wait()

async def leave(request):
    raise SystemExit(3)

async def nothing(scope, receive, send):
    pass

async def half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})

app = Starlette(routes=[
    Route("/", home), Route("/items/{number}", item, name="item"),
    Route("/echo", echo, methods=["POST"]), Route("/slow", slow), Route("/leave", leave),
    Mount("/nothing", nothing), Mount("/half", half),
    Mount("/in", routes=[Route("/deep", item, name="deep")], name="inner"),
])
"""

FLASK = """
import threading
from flask import Flask, request, url_for

app = Flask(__name__)

@app.route("/")
def home():
    return {
        "item": url_for("item", number="7", _external=True), "script": request.script_root,
        "path": request.path, "headers": {k.lower(): v for k, v in request.headers},
        "query": request.args,
    }

@app.route("/items/<number>")
def item(number):
    return VERSION + number

@app.route("/echo", methods=["POST"])
def echo():
    return request.get_data(), 201

@app.route("/slow")
def slow():
    import gates_of_this_test as gates
    gates.go.wait()
    return "late"
"""

Site = Callable[..., "Caller"]


@pytest.fixture
def site(make: Make) -> Site:
    """A gateway before three versions of one web function: `site(code)`."""

    def build(code: str, timeout: float = 5) -> Caller:
        places = {"latest": "L", "v1": "1", "v2": "2"}
        written = {f"site/{place}": f'VERSION = "{v}"\n{code}' for place, v in places.items()}
        return make(STAGES.replace("TIMEOUT", str(timeout)), written)

    return build


SCF = {
    "x-scf-memory": "128",
    "x-scf-timeout": "5000",
    "x-scf-version": "$LATEST",
    "x-scf-name": "site",
    "x-scf-namespace": "default",
    "x-scf-region": "local",
    "x-scf-appid": "1250000000",
    "x-scf-uin": "100000000001",
}


def test_starlette_is_mounted_at_its_stage(site: Site) -> None:
    """Links lead back to the same stage; the gateway says what only it may say."""
    answer = site(STARLETTE)("/dev/?a=1", headers={"X-Gateway-Stage": "mine", "X-Scf-Name": "me"})
    told = answer.json()
    headers = told.pop("headers")
    assert told == {
        "path": "/dev/",
        "root": "/dev",
        "raw": "/dev/",
        "url": "http://127.0.0.1:8080/dev/?a=1",
        "item": "http://127.0.0.1:8080/dev/items/7",
        "inner": "http://127.0.0.1:8080/dev/in/deep",
        "query": {"a": "1"},
    }
    request_id = answer.headers["x-api-requestid"]
    expected = {**SCF, "x-scf-request-id": request_id, "x-api-requestid": request_id}
    assert {name: headers[name] for name in expected} == expected
    assert "x-gateway-stage" not in headers
    assert answer.headers.get_list("x-gateway-version") == ["$LATEST"]
    assert answer.headers["x-own"] == "1"
    assert "date" not in answer.headers
    assert [answer.headers[f"x-gateway-{name}"] for name in ("stage", "function", "reason")] == [
        "dev", "site", "main",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "root", "path"),
    [
        ("/dev", "/dev", "/dev/"),
        ("/test/", "/test", "/test/"),
        ("/dev/x/%2e%2e/", "", "/"),
        ("http://dev.localhost:8080/", "", "/"),
    ],
)
def test_the_stage_is_the_root_as_it_was_addressed(
    site: Site, target: str, root: str, path: str
) -> None:
    """A host that names the stage leaves no root; nor does a path whose dots were resolved."""
    told = site(STARLETTE)(target).json()
    assert (told["root"], told["path"]) == (root, path)


def test_flask_is_mounted_at_its_stage(site: Site) -> None:
    """WSGI's words for the same."""
    answer = site(FLASK)("/dev/?a=1")
    told = answer.json()
    assert told["item"] == "http://127.0.0.1:8080/dev/items/7"
    assert (told["script"], told["path"], told["query"]) == ("/dev", "/", {"a": "1"})
    assert told["headers"]["x-scf-name"] == "site"
    assert answer.headers["x-gateway-version"] == "$LATEST"


@pytest.mark.parametrize("code", [STARLETTE, FLASK], ids=["starlette", "flask"])
def test_versions_stand_side_by_side_and_rules_choose(site: Site, code: str) -> None:
    """As for events; each answer is counted for its version."""
    caller = site(code)
    assert caller("/dev/items/7").text == "L7"
    assert caller("/release/items/7").text == "17"
    answer = caller("/release/items/7", headers={"User": "Bob"})
    assert (answer.text, answer.headers["x-gateway-reason"]) == ("27", "rule:1")
    label = Label("release", "site", "release", "2", "rule:1")
    assert caller.gateway.observer.counters.cell(label).statuses == {200: 1}


@pytest.mark.parametrize("code", [STARLETTE, FLASK], ids=["starlette", "flask"])
def test_a_body_of_any_length_goes_in_and_out(site: Site, code: str) -> None:
    """The limit of events does not count here."""
    body = bytes(range(256)) * 4 * 8192  # 8 MiB
    answer = site(code)("/dev/echo", "POST", content=body)
    assert (answer.status_code, answer.content) == (201, body)


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("/dev/slow", 433, "timed out after 0.1 seconds"),
        ("/dev/leave", 439, "User process exit"),
        ("/dev/nothing/", 430, "the application ended without an answer"),
    ],
)
def test_an_application_that_gives_no_answer(
    site: Site, target: str, status: int, said: str
) -> None:
    """The function status codes, counted as errors of the version."""
    caller = site(STARLETTE, 0.1)
    answer = caller(target)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
    assert said in answer.json()["errorMessage"]
    label = Label("dev", "site", "$DEFAULT", "$LATEST", "main")
    assert caller.gateway.observer.counters.cell(label).statuses == {status: 1}


def test_a_thread_that_is_too_slow_is_answered_for(site: Site, gates: Any) -> None:  # noqa: ANN401
    """Its seat stays taken until it has ended."""
    import threading

    gates.go = threading.Event()
    caller = site(FLASK, 0.1)
    assert caller("/dev/slow").status_code == 433
    gates.go.set()
    assert caller("/dev/items/1").text == "L1"


def test_a_version_that_takes_events_goes_on_taking_them(make: Make, tmp_path: Path) -> None:
    """A function that became a web application rolls back to what it was."""
    event = (
        "async def app(event, context):\n    return {'statusCode': 200, 'body': event['path']}\n"
    )
    stages = STAGES.replace("TIMEOUT", "3").replace('type = "web"', 'type = "event"')
    caller = make(stages, {f"site/{place}": event for place in ("latest", "v1", "v2")})
    assert caller("/release/a").text == "/a"
    folder = tmp_path / "gateway0"
    (folder / "stages.toml").write_text(STAGES.replace("TIMEOUT", "3"), encoding="utf-8")
    index = folder / "functions" / "site" / "latest" / "index.py"
    index.write_text(f'VERSION = "L"\n{STARLETTE}', encoding="utf-8")
    from gateway.store.protocol import Author

    caller.run(caller.gateway.service.apply_file(None, Author("test", "")))
    assert caller("/dev/items/7").text == "L7"
    answer = caller("/release/a", "POST", content=b"x", headers={"User": "Bob"})
    assert (answer.text, answer.headers["x-gateway-version"]) == ("/a", "2")
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, str]:
        await asyncio.sleep(0)
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/release/a", "headers": [], "query_string": b""}
    caller.run(cast("Any", caller.gateway.plane)(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_fault_on_purpose_touches_web_versions_too(make: Make) -> None:
    """Instead of the application."""
    stages = (
        STAGES.replace("TIMEOUT", "3") + '\n[functions.site.faults]\n"$LATEST" = { errors = 1 }\n'
    )
    caller = make(stages, {f"site/{p}": f'VERSION=""\n{FLASK}' for p in ("latest", "v1", "v2")})
    answer = caller("/dev/items/7")
    assert (answer.status_code, answer.headers["x-gateway-fault"]) == (430, "error=430")


SERVER = """
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        if self.path.startswith("/exit"):
            os._exit(5)
        if self.path.startswith("/cut"):
            self.close_connection = True
            return
        if self.path.startswith("/slow"):
            self.rfile.read()
            return
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size)
        told = json.dumps({
            "target": self.path, "body": len(body), "greeting": os.environ["GREETING"],
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(told)))
        self.send_header("X-Own", os.environ["SCF_FUNCTIONVERSION"])
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass

port = int(os.environ["PORT"])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def served(make: Make, tmp_path: Path) -> Callable[..., Caller]:
    """A gateway before a web function with a server of its own."""

    def build(timeout: float = 5, code: str = SERVER) -> Caller:
        folder = tmp_path / "gateway0" / "functions" / "site"
        for place in ("latest", "v1", "v2"):
            file = folder / place / "scf_bootstrap"
            file.parent.mkdir(parents=True)
            file.write_text(f"#!{sys.executable} -S\n{code}", encoding="utf-8")
            file.chmod(0o755)
        return make(STAGES.replace("TIMEOUT", str(timeout)))

    return build


@pytest.mark.sockets
def test_a_server_gets_requests_unchanged(served: Callable[..., Caller]) -> None:
    """But for the stage, and with what it is told about itself."""
    caller = served()
    sent = {"User": "Alice", "X-Scf-Name": "me", "Host": "shop.example"}
    answer = caller("/dev/a%2Fb/%C3%BC?x=%20", "POST", headers=sent, content=b"x" * 100_000)
    told = answer.json()
    assert (answer.status_code, answer.headers["x-own"]) == (201, "$LATEST")
    assert told["target"] == "/a%2Fb/%C3%BC?x=%20"
    assert (told["body"], told["greeting"]) == (100_000, "hello")
    request_id = answer.headers["x-api-requestid"]
    expected: Mapping[str, str] = {
        **SCF, "host": "shop.example", "user": "Alice", "x-scf-request-id": request_id,
    }  # fmt: skip
    assert {name: told["headers"][name] for name in expected} == expected
    assert answer.headers["x-gateway-function"] == "site"
    assert caller("/release").json()["target"] == "/"
    assert caller("/release", headers={"User": "Bob"}).headers["x-own"] == "2"
    assert caller("http://dev.localhost/x").json()["target"] == "/x"


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("/dev/exit", 439, "User process exit"),
        ("/dev/cut", 430, "the server failed"),
        ("/dev/slow", 433, "timed out after 0.3 seconds"),
    ],
)
def test_a_server_that_gives_no_answer(
    served: Callable[..., Caller], target: str, status: int, said: str
) -> None:
    """And the next request finds one that does."""
    caller = served(0.3)
    answer = caller(target)
    assert answer.status_code == status
    assert said in answer.json()["errorMessage"]
    assert caller("/dev/").status_code == 201
    label = Label("dev", "site", "$DEFAULT", "$LATEST", "main")
    assert caller.gateway.observer.counters.cell(label).statuses == {status: 1, 201: 1}


@pytest.mark.sockets
def test_a_request_that_no_server_may_get(served: Callable[..., Caller]) -> None:
    """It is refused as towards any back end."""
    caller = served()
    answer = caller("/dev/", headers={"Connection": "host"})
    assert (answer.status_code, answer.json()) == (400, {"message": "Bad Request."})
