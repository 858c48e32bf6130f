"""The console without a browser: shells, twins, assets, the token's cookie, and what pages hold."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.app import Gateway, Setup
from gateway.console import Console
from gateway.console.app import COOKIE, POLICY
from gateway.console.pages import PAGES, page_of, shell, twin_of
from gateway.controlplane.guard import COOKIE as GUARDED

TOKEN = "sécret; =/+"
ASSETS = Path(str(files("gateway.console").joinpath("assets")))
SCRIPTS = sorted(path.name for path in ASSETS.glob("*.js"))
PATHS = ["/", "/functions", "/functions/orders", "/invocations", "/invocations/0f", "/rollouts/1"]


async def nowhere(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers what is no page."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nowhere"})


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode()


def ask(app: Console, target: str, method: str = "GET", **headers: str) -> Answer:
    """One request; the path goes in exactly as a server hands it on."""
    path, _, query = target.partition("?")
    sent: list[Message] = []
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "query_string": query.encode(),
        "headers": [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()],
    }

    async def receive() -> Message:
        raise AssertionError("the console reads no body")

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], fields, b"".join(each.get("body", b"") for each in sent[1:]))


CONSOLE = Console(nowhere)
CLOSED = Console(nowhere, TOKEN)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_a_shell_with_a_strict_policy(path: str) -> None:
    """It names its module; nothing else of it may run."""
    answer = ask(CONSOLE, path)
    found = page_of(path)
    assert found is not None
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == POLICY
    assert f'src="/assets/{found[0].module}.js"' in answer.text
    assert f"<title>{found[0].title} · gateway</title>" in answer.text
    assert ask(CONSOLE, path, "HEAD").status == 200


def test_the_policy_lets_nothing_of_others_in() -> None:
    """No script but this origin's, nothing inline, no frame around it, no form that goes away."""
    rules = dict(each.strip().split(" ", 1) for each in POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe-eval" not in POLICY
    assert "http" not in POLICY


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_shell_holds_no_script_and_no_style_of_its_own(page: Any) -> None:  # noqa: ANN401
    """Its navigation marks where one is, and every module that it names is there."""
    text = shell(page)
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|javascript:", text)
    for name in re.findall(r'"/assets/([^"]+)"', text):
        assert (ASSETS / name).is_file()
    marked = re.findall(r'<a href="([^"]+)" aria-current="page">', text)
    assert len(marked) == 1
    assert page.path == marked[0] or page.path.startswith(f"{marked[0]}/")


@pytest.mark.parametrize(
    ("path", "twin"),
    [
        ("/functions.json", "/api/functions"),
        ("/functions/orders.json", "/api/functions/orders"),
        ("/invocations.json?stage=release", "/api/invocations?stage=release"),
        ("/invocations/0f.json", "/api/invocations/0f"),
        ("/stages.json", "/api/shares"),
        ("/index.json", "/api/shares"),
        ("/rollouts.json", "/api/rollouts"),
    ],
)
def test_every_page_has_a_twin_for_programs(path: str, twin: str) -> None:
    """The same path with `.json` leads to the REST API, with its query."""
    answer = ask(CONSOLE, path)
    assert (answer.status, answer.headers["location"]) == (307, twin)


def test_every_page_has_a_twin_that_is_told() -> None:
    """Whatever pages there will be."""
    for page in PAGES:
        plain = page.path.replace("([^/]+)", "x")
        twin = twin_of("/index.json" if plain == "/" else f"{plain}.json")
        assert twin == page.twin.format("x")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/nothing.json"),
        ("GET", "/functions/"),
        ("GET", "/functions/a/b"),
        ("POST", "/functions"),
        ("DELETE", "/"),
        ("GET", "/assets/"),
        ("GET", "/assets/nothing.js"),
    ],
)
def test_what_is_no_page_is_left_to_others(method: str, path: str) -> None:
    """Pages are only looked at."""
    assert ask(CONSOLE, path, method).text == "nowhere"


@pytest.mark.parametrize("name", [*SCRIPTS, "console.css", "icon.svg", "plotly.min.js"])
def test_an_asset_is_asked_for_again_by_its_tag(name: str) -> None:
    """And sent once only."""
    answer = ask(CONSOLE, f"/assets/{name}")
    kind = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
    assert answer.status == 200
    assert answer.headers["content-type"] == kind.get(name.rpartition(".")[2], "image/svg+xml")
    assert answer.headers["cache-control"] == "no-cache"
    tag = answer.headers["etag"]
    again = ask(CONSOLE, f"/assets/{name}", if_none_match=tag)
    assert (again.status, again.content, again.headers["etag"]) == (304, b"", tag)
    assert ask(CONSOLE, f"/assets/{name}", if_none_match='"other"').content == answer.content


@pytest.mark.parametrize(
    "name",
    [
        "../app.py",
        "..%2fapp.py",
        "%2e%2e/app.py",
        "..\\app.py",
        "./api.js",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "api.js%00",
        "api.js/",
        "API.js",
        "../assets/api.js",
    ],
)
def test_no_path_leads_out_of_the_list(name: str) -> None:
    """Names are looked up, never followed."""
    assert ask(CONSOLE, f"/assets/{name}").text == "nowhere"


@pytest.mark.parametrize("name", SCRIPTS)
def test_modules_make_no_markup_and_no_code_of_text(name: str) -> None:
    """What a caller sent is only ever text."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    assert not re.search(rf"{forbidden}|https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"setAttribute\(\s*\"(style|on\w+)\"", text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_modules_import_what_there_is(name: str) -> None:
    """By whole paths of this origin, and only names that the other module gives."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    for names, path in re.findall(r'^import (?:\{([^}]*)\} from )?"([^"]+)"', text, re.MULTILINE):
        assert path.startswith("/assets/")
        other = (ASSETS / path.removeprefix("/assets/")).read_text(encoding="utf-8")
        for each in filter(None, (each.split(" as ")[0].strip() for each in names.split(","))):
            given = rf"^export (?:async )?(?:function|class|const) {each}\b"
            assert re.search(given, other, re.MULTILINE)
            uses = len(re.findall(rf"\b{each}\b", text))
            assert uses > 1, f"{each} is not used"


@pytest.mark.parametrize("name", SCRIPTS)
def test_modules_are_small_and_say_what_they_do(name: str) -> None:
    """As everywhere in this project."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    assert text.startswith("// ")
    assert len(text.splitlines()) <= 250


def test_a_token_in_the_address_becomes_a_cookie() -> None:
    """Once it is right: for this site alone, out of reach of scripts, and gone from the address."""
    answer = ask(CLOSED, "/functions/orders?token=s%C3%A9cret%3B%20%3D%2F%2B&alias=release")
    assert (answer.status, answer.headers["location"]) == (303, "/functions/orders")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=s%C3%A9cret%3B%20%3D%2F%2B;")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    ("console", "query"),
    [(CLOSED, "token=other"), (CLOSED, "token=s%E9cret"), (CONSOLE, "token=anything")],
    ids=["wrong", "other bytes", "none is asked for"],
)
def test_a_token_that_is_not_right_is_not_kept(console: Console, query: str) -> None:
    """It goes from the address all the same."""
    answer = ask(console, f"/?{query}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "set-cookie" not in answer.headers


def test_an_empty_token_is_a_page() -> None:
    """Nothing was said."""
    assert ask(CLOSED, "/?token=").status == 200


def test_the_guard_knows_the_cookie_by_its_name() -> None:
    """They are two rooms and one name."""
    assert COOKIE.encode() == GUARDED


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 401, id="nothing"),
        pytest.param({"cookie": "RIGHT"}, 200, id="no page, or an old browser"),
        pytest.param({"cookie": "RIGHT", "sec_fetch_site": "same-origin"}, 200, id="our page"),
        pytest.param({"cookie": "RIGHT", "sec_fetch_site": "none"}, 200, id="typed"),
        pytest.param({"cookie": "RIGHT", "sec_fetch_site": "same-site"}, 401, id="a neighbour"),
        pytest.param({"cookie": "RIGHT", "sec_fetch_site": "cross-site"}, 401, id="another site"),
        pytest.param({"cookie": f"{COOKIE}=other", "sec_fetch_site": "none"}, 401, id="wrong"),
        pytest.param({"cookie": "a=b; RIGHT; c=d"}, 200, id="among others"),
        pytest.param({"cookie": "RIGHT", "authorization": "Bearer other"}, 401, id="a header"),
    ],
)  # fmt: skip
def test_the_cookie_counts_from_our_own_pages(headers: dict[str, str], status: int) -> None:
    """Through the whole control plane, as a browser sends it."""

    async def scenario() -> tuple[int, int]:
        gateway = await Gateway.open(Setup(token=TOKEN, seed=1))
        transport = httpx.ASGITransport(gateway.control)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            entered = await client.get("/", params={"token": TOKEN})
            right = entered.headers["set-cookie"].partition(";")[0]
            client.cookies.clear()
            fields = {
                name.replace("_", "-"): value.replace("RIGHT", right)
                for name, value in headers.items()
            }
            page = await client.get("/functions")
            answer = await client.get("/api/functions", headers=fields)
        await gateway.close()
        return page.status_code, answer.status_code

    assert asyncio.run(scenario()) == (200, status)
