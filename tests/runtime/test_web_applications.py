"""Web versions in this process: what is an application, how it starts, runs and ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from gateway.runtime import HandlerNotFound, LoadError, Outcome, Runtime, UserCodeError
from gateway.runtime.threads import Threads
from gateway.runtime.web import WebRunner
from gateway.runtime.web_application import Application, load_application
from gateway.runtime.web_errors import InitTimeout, StartFailed
from gateway.runtime.web_place import Place

if TYPE_CHECKING:
    from gateway.core.functions import FunctionVersion

Make = Callable[..., "FunctionVersion"]
Message = MutableMapping[str, Any]

ASGI = """
import gates_of_this_test as gates

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        gates.said.append("start")
        scope["state"]["n"] = 7
        await send({"type": "lifespan.startup.complete"})
        await receive()
        gates.said.append("stop")
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"asgi"})
"""


PARTIAL = """
import functools
async def f(x, scope, receive, send): pass
app = functools.partial(f, 1)
"""


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module that versions import: what a test puts into it, they can wait for."""
    module = ModuleType("gates_of_this_test")
    module.said = []  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def web(make: Make, code: str, **more: object) -> FunctionVersion:
    """A web version whose application is `app`."""
    return make(code, type="web", handler="index.app", **more)


def runner_of(runtime: Runtime, version: FunctionVersion) -> WebRunner:
    """What serves it."""
    runner = runtime.runner(version)
    assert isinstance(runner, WebRunner)
    return runner


async def entered(runner: WebRunner) -> Place:
    """A place; there must be one."""
    place = await runner.enter("id")
    assert isinstance(place, Place), place
    return place


@pytest.mark.parametrize(
    ("code", "is_wsgi"),
    [
        ("async def app(scope, receive, send): pass", False),
        ("class A:\n async def __call__(self, scope, receive, send): pass\napp = A()", False),
        ("def wrapped(scope, receive, send): return None\napp = wrapped", False),
        (PARTIAL, False),
        ("def app(environ, start_response): return []", True),
        ("class A:\n def __call__(self, environ, start_response): return []\napp = A()", True),
        ("def app(*anything): return []", True),
        ("async def app(*anything): pass", False),
    ],
)  # fmt: skip
def test_how_an_application_can_be_called_says_what_it_is(
    make: Make, code: str, *, is_wsgi: bool
) -> None:
    """Functions, objects, partials; ASGI takes three arguments, WSGI two."""
    application = load_application(web(make, code), None, Threads())
    assert application.is_wsgi is is_wsgi
    application.close().result(5)


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("async def app(event, context): pass", HandlerNotFound, "is no web application; allowed"),
        ("class app:\n def __init__(self, scope): pass", HandlerNotFound, "no web application"),
        ("def app(one): pass", HandlerNotFound, "no web application"),
        ("app = {}.update", HandlerNotFound, "no web application"),
        ("app = 3", HandlerNotFound, "'app' is not callable"),
        ("1/0", UserCodeError, "ZeroDivisionError"),
    ],
)
def test_what_is_no_application_is_refused_when_it_is_proved(
    make: Make, runtime: Runtime, code: str, kind: type[LoadError], said: str
) -> None:
    """And nothing of it stays loaded."""
    version = web(make, code)
    with pytest.raises(kind, match=said):
        runtime.prove(version)

    async def enter() -> Place | Outcome:
        return await runner_of(runtime, version).enter("id")

    outcome = asyncio.run(enter())
    assert isinstance(outcome, Outcome)
    assert outcome.status == kind.status


def test_an_application_starts_before_its_first_request_and_ends_after_the_last(
    make: Make, runtime: Runtime, gates: ModuleType
) -> None:
    """Once, whoever asks at the same time; its state is copied for each request."""

    async def scenario() -> None:
        runner = runner_of(runtime, web(make, ASGI))
        runner.load()
        assert gates.said == []
        first, second = await asyncio.gather(entered(runner), entered(runner))
        assert gates.said == ["start"]
        assert isinstance(first.instance, Application)
        assert first.instance.state == {"n": 7}
        assert first.instance.state is not first.instance.state
        runner.drop()
        first.leave()
        await runtime.web.closed()
        assert gates.said == ["start"]
        second.leave()
        await runtime.web.closed()
        assert gates.said == ["start", "stop"]

    asyncio.run(scenario())


def test_a_reload_serves_new_requests_with_new_code_and_old_ones_with_old(
    make: Make, runtime: Runtime, gates: ModuleType
) -> None:
    """The old application ends when its last request has left."""

    async def scenario() -> None:
        runner = runner_of(runtime, web(make, ASGI))
        old = await entered(runner)
        runner.load()  # it runs: nothing happens
        assert gates.said == ["start"]
        runner.load(fresh=True)
        new = await entered(runner)
        assert new is not old
        assert gates.said == ["start", "start"]
        old.leave()
        await runtime.web.closed()
        assert gates.said == ["start", "start", "stop"]
        new.leave()
        runtime.close()
        await runtime.web.closed()
        assert gates.said[3:] == ["stop"]

    asyncio.run(scenario())


def test_a_dropped_version_serves_whoever_still_held_it(
    make: Make, runtime: Runtime, gates: ModuleType
) -> None:
    """It is loaded once more and unloaded again."""

    async def scenario() -> None:
        runner = runner_of(runtime, web(make, ASGI))
        runner.drop()
        place = await entered(runner)
        place.leave()
        assert place.closed
        await runtime.web.closed()
        again = await entered(runner)
        again.leave()
        await runtime.web.closed()
        assert gates.said == ["start", "stop"] * 2

    asyncio.run(scenario())


def test_no_more_requests_at_a_time_than_the_function_may_have(
    make: Make, runtime: Runtime
) -> None:
    """The next one is refused with 432, as for events."""

    async def scenario() -> None:
        code = "def app(environ, start_response): return []"
        runner = runner_of(runtime, web(make, code, concurrency=1))
        place = await entered(runner)
        refused = await runner.enter("id")
        assert isinstance(refused, Outcome)
        assert refused.status == 432
        place.leave()
        (await entered(runner)).leave()

    asyncio.run(scenario())


def test_an_invocation_is_refused_by_its_name(make: Make, runtime: Runtime) -> None:
    """Web functions answer requests alone."""
    code = "def app(environ, start_response): return []"
    outcome = asyncio.run(runtime.invoke(web(make, code), {}, "id"))
    assert (outcome.status, outcome.value) == (422, None)
    assert outcome.error is not None
    assert "InvalidParameterValue.FunctionType: function 'orders'" in str(outcome.error)


COMPLETE = "await send({'type': 'lifespan.startup.complete'}); await receive(); "
STARTS: dict[str, tuple[str, type[LoadError] | None]] = {
    "refuses": (
        "await send({'type': 'lifespan.startup.failed', 'message': 'Traceback\\nno database'})",
        StartFailed,
    ),
    "refuses without a reason": ("await send({'type': 'lifespan.startup.failed'})", StartFailed),
    "never starts": ("await receive()", InitTimeout),
    "has no lifespan": ("raise ValueError", None),
    "leaves": ("raise SystemExit", None),
    "returns": ("return", None),
    "never stops": (COMPLETE + "await receive()", None),
    "raises in the end": (COMPLETE + "raise ValueError", None),
    "does not stop": (COMPLETE + "await send({'type': 'lifespan.shutdown.failed'})", None),
}


@pytest.mark.parametrize("name", STARTS)
def test_an_application_that_does_not_start_is_told_and_tried_again(make: Make, name: str) -> None:
    """Unless it has no lifespan: then there is nothing to start."""
    body, expected = STARTS[name]
    code = f"async def app(scope, receive, send):\n    await receive()\n    {body}\n"

    async def scenario() -> None:
        application = load_application(web(make, code), None, Threads(), 0.05)
        for _ in range(2):
            if expected is None:
                await application.ready()
            else:
                with pytest.raises(expected) as caught:
                    await application.ready()
                assert caught.value.status in {443, 450}
                if name == "refuses":
                    assert "cannot start: no database" in str(caught.value)
        await asyncio.wrap_future(application.close())

    asyncio.run(scenario())


def test_an_application_that_is_closed_while_it_starts_is_stopped(
    make: Make, gates: ModuleType
) -> None:
    """Everybody who waited for it has gone."""
    code = """
import gates_of_this_test as gates
async def app(scope, receive, send):
    await receive()
    await gates.go.wait()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    gates.said.append("stop")
    gates.stopped.set()
    await send({"type": "lifespan.shutdown.complete"})
"""

    async def scenario() -> None:
        gates.go, gates.stopped = asyncio.Event(), asyncio.Event()  # type: ignore[attr-defined]
        application = load_application(web(make, code), None, Threads())
        waiting = asyncio.create_task(application.ready())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        application.close()
        gates.go.set()
        await gates.stopped.wait()
        assert gates.said == ["stop"]

    asyncio.run(scenario())


def scope_of(path: str = "/") -> dict[str, Any]:
    """A request as a server describes it."""
    return {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "root_path": "", "query_string": b"", "headers": [],
    }  # fmt: skip


async def answer(
    application: Application, send: Callable[[Message], Awaitable[None]] | None = None
) -> tuple[list[Message], BaseException | None]:
    """What an application sends, and what it raised."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def keep(message: Message) -> None:
        sent.append(message)

    running = application.start((scope_of(), receive, send or keep))
    await asyncio.wait([running.task])
    return sent, running.task.result()


WSGI_BODIES = {
    "a list": "start_response('200 OK', [('X-A', '1')]); return [b'a', b'b']",
    "a generator": "start_response('200 OK', [('X-A', '1')]); return (c for c in (b'a', b'b'))",
    "the old way": "start_response('200 OK', [('X-A', '1')])(b'ab'); return []",
}


@pytest.mark.parametrize("name", WSGI_BODIES)
def test_wsgi_answers_however_it_gives_its_pieces(make: Make, name: str) -> None:
    """In a thread that ends with the answer."""

    async def scenario() -> None:
        code = f"def app(environ, start_response):\n    {WSGI_BODIES[name]}\n"
        application = load_application(web(make, code), None, Threads())
        sent, error = await answer(application)
        assert error is None
        assert sent[0] == {
            "type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")],
        }  # fmt: skip
        assert b"".join(message["body"] for message in sent[1:]) == b"ab"
        application.close().result(5)

    asyncio.run(scenario())


@pytest.mark.parametrize(("raised", "status"), [("ValueError('x')", 430), ("SystemExit(3)", 439)])
@pytest.mark.parametrize("is_async", [True, False])
def test_what_an_application_raises_is_explained(
    make: Make, raised: str, status: int, *, is_async: bool
) -> None:
    """With its own frames; nothing of it reaches the event loop."""
    head = "async def app(a, b, c)" if is_async else "def app(environ, start_response)"
    version = web(make, f"{head}:\n    raise {raised}\n")

    async def scenario() -> None:
        application = load_application(version, None, Threads())
        sent, error = await answer(application)
        outcome = application.explain(error, "id")
        assert (sent, outcome.status) == ([], status)
        assert raised.partition("(")[0] in str(outcome.error)
        application.close().result(5)

    asyncio.run(scenario())


def test_wsgi_stops_with_its_next_piece_when_nobody_takes_them(make: Make) -> None:
    """However many it has; its iterable is closed, and the failure is told in the end."""
    code = """
def app(environ, start_response):
    start_response("200 OK", [])
    return Endless()

class Endless:
    closed = False
    def __iter__(self):
        while True:
            yield b"x"
    def close(self):
        Endless.closed = True
"""

    async def gone(_message: Message) -> None:
        raise OSError("gone")

    async def scenario() -> None:
        application = load_application(web(make, code), None, Threads())
        _, error = await answer(application, gone)
        assert isinstance(error, OSError)
        application.close().result(5)

    asyncio.run(scenario())


def test_asgi_is_cancelled_when_nobody_waits_any_more(make: Make, gates: ModuleType) -> None:
    """And may clean up."""
    code = """
import asyncio
import gates_of_this_test as gates
async def app(scope, receive, send):
    try:
        await asyncio.Event().wait()
    finally:
        gates.said.append("cleaned")
"""

    async def scenario() -> None:
        application = load_application(web(make, code), None, Threads())
        running = application.start((scope_of(), None, None))
        await asyncio.sleep(0)
        running.stop()
        await asyncio.wait([running.task])
        assert isinstance(running.task.result(), asyncio.CancelledError)
        assert gates.said == ["cleaned"]
        outcome = application.explain(None, "id")
        assert outcome.status == 430
        application.close().result(5)

    asyncio.run(scenario())
