"""`gateway whatif`: the law of the data plane, asked of a file, a state, or a live gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from gateway.app import Gateway, Setup
from gateway.cli import whatif_state
from gateway.core.plain import snapshot_plain
from gateway.traffic.recording import Answered, Recorded, write

if TYPE_CHECKING:
    from tests.cli.conftest import Answered as Answers
    from tests.cli.conftest import Call, Running, Shop

PREPUB = ("--stage", "prepub", "--function", "orders")
DEV = ("--stage", "dev", "--function", "orders")
STUCK = """
[functions.orders.aliases.stuck]
version = "1"
weights = { "2" = 0.3, "$LATEST" = 0.2 }
split = "sticky"
sticky_by = "invoke.headers.User"
rules = [
  { when = "invoke.headers.User prefix b", version = "2" },
  { when = "invoke.cookies.sid exact s1", version = "$LATEST" },
  { when = "invoke.path.id exact ü", version = "2" },
  { when = "invoke.body.$.vip exact true", version = "2" },
  { when = "invoke.query.q exact a b", version = "1" },
]
"""


def recording(folder: Path, requests: list[Recorded]) -> str:
    """A file with some requests."""
    path = folder / "shop.jsonl"
    path.write_bytes(b"".join(map(write, requests)))
    return str(path)


def users(number: int) -> list[Recorded]:
    """One request of each user."""
    return [
        Recorded(float(n), "GET", "/orders/1", headers=(("User", f"{n}"),), user=f"{n}")
        for n in range(number)
    ]


async def sent(gateway: Gateway, stage: str, request: Recorded) -> Recorded:
    """The request with what the data plane answered it with."""
    path = f"/{stage}{request.path}"
    heads: dict[bytes, bytes] = {}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        heads.update(message.get("headers", ()))

    headers = [(n.lower().encode(), v.encode("latin-1")) for n, v in request.headers]
    headers += [(b"content-length", b"%d" % len(request.body))] if request.body else []
    scope = {
        "type": "http",
        "method": request.method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": request.query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "http_version": "1.1",
    }
    await gateway.plane(scope, receive, send)
    version = heads[b"x-gateway-version"].decode()
    return request._replace(answer=Answered(200, version=version))


def varied(number: int) -> list[Recorded]:
    """Requests that every rule and the sticky key have something to say about."""
    made = []
    for n in range(number):
        headers = [("User", f"{'abc'[n % 3]}{n}"), ("Cookie", f'x=1; sid="s{n % 5}"')]
        if n % 11 == 0:
            headers.append(("user", "again"))
        made.append(
            Recorded(
                float(n),
                "POST",
                f"/orders/{('1', '%C3%BC', 'x%20y')[n % 3 if n % 7 else 1]}",
                query=("", "q=b", "q=a%20b&q=c", "q=c&q=a+b")[n % 4],
                headers=tuple(headers),
                body=(b"", b'{"vip": true}', b'{"vip": 1}', b"{")[n % 4],
            )
        )
    return made


def test_it_agrees_with_what_the_gateway_did(shop: Shop, answered: Answers) -> None:
    """Request by request, whatever rules, keys and encodings have to say."""
    folder = shop()
    file = folder / "stages.toml"
    text = file.read_text(encoding="utf-8").replace('orders = "release" }', 'orders = "stuck" }')
    text = text.replace(
        'stuck = { version = "1", weights = { "2" = 0.5 }',
        'unused = { version = "1", weights = { "2" = 0.5 }',
    )
    file.write_text(text + STUCK, encoding="utf-8")

    async def record() -> list[Recorded]:
        gateway = await Gateway.open(Setup(file=file))
        try:
            return [await sent(gateway, "release", request) for request in varied(600)]
        finally:
            await gateway.close()

    requests = asyncio.run(record())
    found = answered("whatif", recording(folder, requests), "--stage", "release")
    assert found["recorded"] == {"same": 600, "other": 0, "drawn": 0, "first_other": None}
    assert {each["version"] for each in found["versions"] if each["now"]} == {"1", "2", "$LATEST"}
    hits = [rule["requests"] for rule in found["rules"]]
    assert min(hits) > 0, hits


def test_another_alias(shop: Shop, answered: Answers) -> None:
    """In full, as JSON."""
    folder = shop()
    given = (
        "version=1,weights=2:0.5,split=sticky,sticky_by=invoke.headers.User,"
        "rules=invoke.headers.User in 1, 2 -> $LATEST;invoke.query.x exists -> 2"
    )
    found = answered(
        "whatif", recording(folder, users(400)), "--stage", "release", "--alias", given
    )
    assert (found["stage"], found["function"], found["alias"]) == ("release", "orders", "release")
    assert found["then"] == {
        "version": "1",
        "weights": {"2": 0.5},
        "rules": [
            {"when": "invoke.headers.User in 1, 2", "version": "$LATEST"},
            {"when": "invoke.query.x exists", "version": "2"},
        ],
        "split": "sticky",
        "sticky_by": "invoke.headers.User",
    }
    assert found["requests"] == {
        "total": 400,
        "decided": 400,
        "elsewhere": 0,
        "unmatched": 0,
        "without_key": 0,
    }
    assert [(rule["number"], rule["requests"], rule["users"]) for rule in found["rules"]] == [
        (1, 2, 2),
        (2, 0, 0),
    ]
    assert found["drawn"] == {"now": 400, "then": 0}
    shares = {each["version"]: (each["now"], each["then"]) for each in found["versions"]}
    assert (shares["1"][0], shares["2"][0], shares["$LATEST"]) == (360.0, 40.0, (0, 2))
    assert shares["1"][1] + shares["2"][1] == 398
    assert found["users"] == {"total": 400, "moved": 0, "untold": 400}


def test_it_is_told_in_words(shop: Shop, call: Call) -> None:
    """With what moves, and with what cannot be known."""
    folder = shop()
    requests = [*users(100), Recorded(0.0, "GET", "/x"), Recorded(0.0, "GET", "/ping")]
    requests[0] = requests[0]._replace(answer=Answered(version="2"))
    requests[1] = requests[1]._replace(answer=Answered(version="1"), query="beta")
    file = recording(folder, requests)
    given = "version=2,rules=invoke.headers.User exact 7 -> 1"
    result = call("whatif", file, *PREPUB, "--alias", given)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "stage prepub  alias orders/prepub  revision 1",
        "now   invoke.headers.User exact Bob -> 2; invoke.query.beta exists -> $LATEST; else 1",
        "then  invoke.headers.User exact 7 -> 1; else 2",
        "VERSION  NOW  THEN",
        "1        99   1",
        "2        0    99",
        "$LATEST  1    0",
        "RULE                                    REQUESTS  USERS",
        "1     invoke.headers.User exact 7 -> 1  1         1",
        "100 of 102 requests are for the alias",
        "1 fits no api of the stage",
        "1 is answered by others",
        "1 request would move from $LATEST to 2",
        "98 requests would move from 1 to 2",
        "99 of 100 users would move (99 %)",
        "0 of 2 recorded answers agree with the alias as it is",
        "the first other one: GET /orders/1 at 0.0 s",
    ]


def test_draws_are_told_in_words(shop: Shop, call: Call) -> None:
    """Only their shares are known."""
    file = recording(shop(), [each._replace(answer=Answered(version="1")) for each in users(50)])
    given = (
        '{"version": "1", "weights": {"2": 0.5}, "split": "sticky", "sticky_by": "invoke.query.u"}'
    )
    result = call("whatif", file, "--stage", "release", "--alias", given)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[3:] == [
        "VERSION  NOW       THEN",
        "1        about 45  about 25",
        "2        about 5   about 25",
        "50 of 50 requests are for the alias",
        "50 requests are drawn now and 50 then: of those only the shares are known",
        "of 50 users it cannot be told whether they would move",
        (
            "50 requests have nothing at invoke.query.u and would be drawn; "
            "--set-header can give them a header"
        ),
        "50 recorded answers were drawn",
    ]


def test_without_an_alias_the_recording_is_checked(shop: Shop, call: Call) -> None:
    """Nothing is said of what would be."""
    file = recording(shop(), [Recorded(0.0, "GET", "/orders/1", answer=Answered(version="1"))])
    result = call("whatif", file, *PREPUB)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1:] == [
        "now  invoke.headers.User exact Bob -> 2; invoke.query.beta exists -> $LATEST; else 1",
        "VERSION  NOW",
        "1        1",
        "RULE                                       REQUESTS  USERS",
        "1     invoke.headers.User exact Bob -> 2   0         0",
        "2     invoke.query.beta exists -> $LATEST  0         0",
        "1 of 1 requests are for the alias",
        "1 of 1 recorded answers agree with the alias as it is",
    ]


def test_requests_may_be_altered_first(shop: Shop, answered: Answers) -> None:
    """As for a replay."""
    file = recording(shop(), [Recorded(0.0, "GET", "/shop", user="Bob")])
    found = answered(
        "whatif",
        file,
        *(*PREPUB, "--map-path", "/shop -> /orders/1"),
        *("--set-header", "User: {user}", "--loop", "3"),
    )
    assert found["rules"][0]["requests"] == 3


def test_what_is_remembered(shop: Shop, answered: Answers) -> None:
    """The state file, which stays as it is."""
    folder = shop()
    state = folder / "state.db"

    async def move() -> None:
        gateway = await Gateway.open(Setup(file=folder / "stages.toml", state=state))
        await gateway.close()

    asyncio.run(move())
    (folder / "stages.toml").unlink()
    before = state.read_bytes()
    file = recording(folder, users(3))
    found = answered("whatif", file, *DEV, "--state", str(state))
    assert (found["alias"], found["now"]["version"]) == ("$DEFAULT", "$LATEST")
    assert state.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"no database"], ids=["empty", "another file"])
def test_a_state_that_is_none_is_refused(shop: Shop, call: Call, data: bytes) -> None:
    """With a sentence."""
    folder = shop()
    (folder / "state.db").write_bytes(data)
    result = call("whatif", recording(folder, users(1)), "--stage", "dev", "--state", "state.db")
    assert result.exit_code in {3, 5}
    assert result.stderr.startswith("error[")


@pytest.mark.sockets
def test_the_running_gateway(
    running: Running, answered: Answers, call: Call, tmp_path: Path
) -> None:
    """As it is now."""
    assert call("alias", "set", "orders", "release", "--version", "2").exit_code == 0
    found = answered("whatif", recording(tmp_path, users(3)), "--stage", "release", "--live")
    assert (found["now"]["version"], found["revision"]) == ("2", 2)
    assert found["versions"] == [{"version": "2", "now": 3, "then": 3}]
    shown = json.loads(json.dumps(snapshot_plain(running.gateway.live.snapshot)))
    read: Any = snapshot_plain(whatif_state.snapshot_of(shown))
    [service] = shown["services"]
    assert read["services"][service]["stages"] == shown["services"][service]["stages"]
    assert read["functions"]["orders"]["aliases"] == shown["functions"]["orders"]["aliases"]


REFUSED = {
    "another stage": (["--stage", "relase"], 5, "did you mean 'release'?"),
    "no alias": (["--stage", "release", "--function", "other"], 5, "it uses orders@release"),
    "several aliases": (["--stage", "dev"], 2, "name one by --function"),
    "two places": (["--stage", "release", "--live", "--config", "x"], 2, "cannot be used together"),
    "a url of nobody": (["--stage", "release", "--control-url", "http://x"], 2, "with no --live"),
    "an unknown version": (["--stage", "release", "--alias", "version=7"], 4, "names version '7'"),
    "an unknown key": (["--stage", "release", "--alias", "versio=1"], 2, "did you mean 'version'?"),
    "no key": (["--stage", "release", "--alias", "1"], 2, "for example: version=1,weights=2:0.2"),
    "a key twice": (["--stage", "release", "--alias", "version=1,version=2"], 2, "given twice"),
    "half a weight": (["--stage", "release", "--alias", "version=1,weights=2"], 2, "is no weight"),
    "a percentage": (["--stage", "release", "--alias", "version=1,weights=2:20%"], 2, "write 0.2"),
    "half a rule": (["--stage", "release", "--alias", "version=1,rules=a"], 2, "is no rule"),
    "no split": (["--stage", "release", "--alias", "version=1,split=stick"], 2, "mean 'sticky'?"),
    "no JSON": (["--stage", "release", "--alias", "{"], 2, "is no JSON"),
    "a list": (["--stage", "release", "--alias", "@list.json"], 2, "must be a table"),
}


@pytest.mark.parametrize(("arguments", "code", "words"), REFUSED.values(), ids=REFUSED)
def test_mistakes(shop: Shop, call: Call, arguments: list[str], code: int, words: str) -> None:
    """Each with its exit code and what to do."""
    folder = shop()
    (folder / "list.json").write_text("[]", encoding="utf-8")
    if arguments[-1] == "dev":
        file = folder / "stages.toml"
        text = file.read_text(encoding="utf-8").replace('alias = "$LATEST"', 'alias = "$DEFAULT"')
        file.write_text(text, encoding="utf-8")
    result = call("whatif", recording(folder, users(1)), *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in " ".join(result.stderr.split())


def test_a_recording_that_is_none(shop: Shop, call: Call) -> None:
    """With its line."""
    folder = shop()
    (folder / "shop.jsonl").write_bytes(write(users(1)[0]) + b"{}\n")
    result = call("whatif", "shop.jsonl", "--stage", "release")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == "error[bad-line]: shop.jsonl:2: it has no 'v'\n"


def test_standard_input(shop: Shop, call: Call) -> None:
    """Once, for it cannot be read again."""
    shop()
    data = b"".join(map(write, users(3)))
    result = call("whatif", "-", "--stage", "release", "--json", input=data)
    assert json.loads(result.stdout)["requests"]["total"] == 3
    result = call("whatif", "-", "--stage", "release", "--loop", "2", input=data)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--loop needs a file" in result.stderr
