"""Web functions at their edges: guards, faults, callers who give up, and versions of two types."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import pytest

from gateway.store.protocol import Author

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

STAGES = """
[service]
name = "shop"

[functions.site]
source = "functions/site"
type = "web"
handler = "index.app"
timeout = 5

[functions.site.faults]
"1" = { errors = 1 }

[[apis]]
method = "ANY"
path = "/"
function = "site"

[stages.dev]
alias = "$DEFAULT"
[stages.prepub]
alias = "one"
[stages.release]
alias = "$DEFAULT"
deny = ["10.0.0.0/8"]

[functions.site.aliases]
one = { version = "1" }
"""
CODE = """
import asyncio
import gates_of_this_test as gates

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    gates.said.append(scope["type"])
    message = await receive()
    gates.inside.set()
    if scope["type"] == "websocket":
        assert message["type"] == "websocket.connect"
        if scope["query_string"] == b"accept":
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            return
    try:
        await asyncio.Event().wait()
    finally:
        gates.said.append("cancelled")
"""

Message = MutableMapping[str, Any]


@pytest.fixture
def site(make: Make, gates: Any) -> Caller:  # noqa: ANN401
    """A gateway before an application that waits."""
    gates.said, gates.inside = [], asyncio.Event()
    return make(STAGES, {"site/latest": CODE, "site/v1": CODE})


def socket(path: str, *, answers: bool = True, query: bytes = b"") -> dict[str, Any]:
    """A request for a WebSocket, from a server that gives whole answers or not."""
    return {
        "type": "websocket", "http_version": "1.1", "scheme": "ws", "path": path,
        "raw_path": path.encode(), "root_path": "", "query_string": query, "headers": [],
        "client": ("10.0.0.7", 5), "server": None, "subprotocols": [],
        "extensions": {"websocket.http.response": {}} if answers else {},
    }  # fmt: skip


class Ends:
    """A server's side of a connection."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.inbox.put_nowait({"type": "websocket.connect"})

    async def send(self, message: Message) -> None:
        """Keep what is sent."""
        self.sent.append(message)


def refusal(site: Caller, scope: dict[str, Any]) -> list[Message]:
    """What a caller is sent that is refused."""

    async def connect() -> list[Message]:
        ends = Ends()
        await site.gateway.plane(scope, ends.inbox.get, ends.send)
        return ends.sent

    return site.run(connect())


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/release/", 403, b"Endpoint IP address is not allowed."),
        ("/prepub/", 430, b"fault injected"),
    ],
)
def test_guards_and_faults_come_before_the_application(
    site: Caller,
    gates: Any,  # noqa: ANN401
    path: str,
    status: int,
    said: bytes,
) -> None:
    """For requests and for WebSockets."""
    answer = site(path)
    assert (answer.status_code, said in answer.content) == (status, True)
    start, body = refusal(site, socket(path))
    assert (start["status"], said in body["body"]) == (status, True)
    assert gates.said == []


def test_a_server_without_denials_is_told_to_close(site: Caller) -> None:
    """403 is all that its caller sees."""
    assert refusal(site, socket("/prepub/", answers=False)) == [
        {"type": "websocket.close", "code": 1008}
    ]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_caller_who_is_cut_off_takes_the_application_along(
    site: Caller,
    gates: Any,  # noqa: ANN401
    kind: str,
) -> None:
    """As the end of the server does."""

    async def scenario() -> None:
        task: asyncio.Future[Any]
        if kind == "http":
            task = asyncio.ensure_future(site.ask("/dev/"))
        else:
            ends = Ends()
            plane = site.gateway.plane(socket("/dev/"), ends.inbox.get, ends.send)
            task = asyncio.ensure_future(plane)
        await gates.inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)
        assert gates.said == [kind, "cancelled"]

    site.run(scenario())


def test_a_connection_is_not_moved_by_a_change(site: Caller, gates: Any) -> None:  # noqa: ANN401
    """It stays with its version; the next one is decided anew."""

    async def scenario() -> None:
        ends = Ends()
        scope = socket("/dev/", query=b"accept")
        plane = site.gateway.plane(scope, ends.inbox.get, ends.send)
        task = asyncio.ensure_future(plane)
        await gates.inside.wait()
        await site.gateway.service.publish("site", "", Author("test", ""))
        assert not task.done()
        ends.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await task
        assert [message["type"] for message in ends.sent] == ["websocket.accept"]
        said = dict(ends.sent[0]["headers"])
        assert (said[b"x-gateway-version"], said[b"x-gateway-revision"]) == (b"$LATEST", b"1")

    site.run(scenario())
