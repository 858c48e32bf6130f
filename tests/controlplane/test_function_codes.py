"""One failure has one code, whichever way the function is reached: by HTTP, by invoke, or later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.controlplane.attempts import Policy
from gateway.controlplane.limits import EventTooLarge, WebFunction
from gateway.core import names
from gateway.core.entries import Target
from gateway.core.errors import FunctionNotFound, QualifierNotFound, RoutingError
from gateway.core.snapshot import Function

Panel = Any
Open = Callable[..., Panel]

DEFAULT = Target("orders", names.DEFAULT)
DEF = "def main_handler(event, context):\n"
ASYNC_DEF = f"async {DEF}"
WAITS = f"import asyncio\n{ASYNC_DEF}    await asyncio.Event().wait()\n"
LARGE = f"{DEF}    return {{'statusCode': 200, 'body': 'x' * ((6 << 20) + 1)}}\n"
GOOD = f"{DEF}    return 1\n"

CODES = [
    pytest.param(430, f"{DEF}    raise ValueError\n", "user code exception caught", id="430"),
    pytest.param(433, WAITS, "Invoking task timed out after 0.05 seconds", id="433"),
    pytest.param(437, "other = 1\n", "main_handler", id="437"),
    pytest.param(443, "1 / 0\n", "ZeroDivisionError", id="443"),
    pytest.param(439, f"{DEF}    raise SystemExit(3)\n", "User process exit", id="439"),
    pytest.param(407, LARGE, "ResponseTooLarge", id="407"),
]


class Ways:
    """The ways to a function, in one gateway.

    Attributes:
        panel: Asks the control plane.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel

    def by_http(self, content: bytes = b"") -> httpx.Response:
        """An API that names it."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.panel.gateway.plane)
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.post("http://127.0.0.1:8080/dev/orders/1", content=content)

        answer: httpx.Response = self.panel.run(ask())
        return answer

    def by_invoke(self) -> Any:  # noqa: ANN401 - JSON
        """The control plane, with the log."""
        return self.panel("POST", "/api/functions/orders/invoke", {"log": "tail"}).json()

    def later(self) -> Any:  # noqa: ANN401 - JSON
        """The control plane, without waiting."""
        asked = {"type": "event"}
        told = self.panel("POST", "/api/functions/orders/invoke", asked).json()
        return self.ended(told["request_id"])

    def ended(self, request_id: str) -> Any:  # noqa: ANN401 - JSON
        """What came of an invocation that nobody waited for."""
        task = self.panel.gateway.asynchronous._tasks.get(request_id)
        if task is not None:
            self.panel.run(asyncio.wait([task]))
        return self.panel("GET", f"/api/functions/orders/invocations/{request_id}").json()

    def orders(self) -> Function:
        """The function as it is live."""
        found: Function = self.panel.gateway.live.snapshot.functions["orders"]
        return found


Code = Callable[..., Ways]


@pytest.fixture
def code(open_panel: Open, project: Path) -> Code:
    """Opens a gateway whose `$LATEST` has this code, which need not load, and what else it has."""

    def build(text: str, **fields: object) -> Ways:
        index = project.parent / "functions" / "orders" / "latest" / "index.py"
        index.write_text(GOOD, encoding="utf-8")
        ways = Ways(open_panel(policy=Policy(retries=0, lifetime=0.5)))
        ways.panel("PUT", "/api/functions/orders/configuration", {"timeout": 0.05, **fields})
        index.write_text(text, encoding="utf-8")
        # As if it had been idle: it is loaded again when it is needed.
        ways.panel.gateway.runtime.runner(ways.orders().versions[names.LATEST]).drop()
        return ways

    return build


@pytest.mark.parametrize(("status", "text", "said"), CODES)
def test_a_failure_has_the_same_code_everywhere(
    code: Code, status: int, text: str, said: str
) -> None:
    """And the log tells it too."""
    ways = code(text)
    answer = ways.by_http()
    assert answer.status_code == status
    assert said in answer.json()["errorMessage"]
    invoked, later = ways.by_invoke(), ways.later()
    assert (later["status"], later["attempts"]) == ("FAILED", 1)
    for told in (invoked, later["result"]):
        assert (told["status"], told["value"]) == (status, None)
        assert told["error"]["statusCode"] == status
        assert said in told["error"]["errorMessage"]
    for request_id, log in (
        (invoked["request_id"], invoked["log"]),
        (later["request_id"], later["result"]["log"]),
    ):
        assert f"ERROR RequestId: {request_id} Result: " in log
        assert said in log


def test_a_function_that_runs_as_often_as_it_may_is_432(code: Code) -> None:
    """There is no queue; what nobody waits for is tried again until its time is over."""
    ways = code(WAITS, concurrency=1, timeout=900)
    ways.panel.gateway.runtime.prove(ways.orders().versions[names.LATEST])
    invoke = ways.panel.gateway.service.invoke
    running = ways.panel.run(begin(invoke(DEFAULT, None, {})))
    assert ways.by_http().status_code == 432
    told = ways.by_invoke()
    assert (told["status"], told["error"]["statusCode"]) == (432, 432)
    assert "ERROR RequestId: " in told["log"]
    later = ways.later()
    assert (later["status"], later["attempts"], later["result"]["status"]) == ("FAILED", 1, 432)
    running.cancel()
    ways.panel.run(asyncio.wait([running]))


async def begin(invocation: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
    """Let an invocation of loaded code run until its handler waits: one step is enough."""
    task = asyncio.create_task(invocation)
    await asyncio.sleep(0)
    return task


def test_an_event_that_is_too_large_is_406(code: Code) -> None:
    """By HTTP as an answer, by invoke as a refusal that names it."""
    ways = code(GOOD)
    answer = ways.by_http(b"x" * (6 * 1024 * 1024 + 1))
    assert answer.status_code == 406
    assert "RequestTooLarge" in answer.json()["errorMessage"]
    service = ways.panel.gateway.service
    for size, ask in (
        (6 * 1024 * 1024, service.invoke(DEFAULT, None, "x" * 6 * 1024 * 1024)),
        (128 * 1024, service.asynchronous.submit(DEFAULT, None, "x" * 128 * 1024)),
    ):
        with pytest.raises(EventTooLarge, match=f"RequestTooLarge: .* allowed: {size}") as refused:
            ways.panel.run(ask)
        assert (refused.value.status, refused.value.size) == (406, size + 2)


@pytest.mark.parametrize(
    ("target", "error", "status"),
    [
        pytest.param(Target("nothing", "release"), FunctionNotFound, 435, id="435"),
        pytest.param(Target("orders", "relase"), QualifierNotFound, 442, id="442"),
    ],
)
def test_what_nobody_has_is_refused_with_its_code(
    code: Code, target: Target, error: type[RoutingError], status: int
) -> None:
    """Over REST a function is in the URL (404) and a qualifier in the body (422)."""
    ways = code(GOOD)
    service = ways.panel.gateway.service
    for ask in (
        service.invoke(target, None, {}),
        service.asynchronous.submit(target, None, {}),
    ):
        with pytest.raises(error) as refused:
            ways.panel.run(ask)
        assert refused.value.status == status


def test_a_web_function_is_not_invoked_with_an_event(code: Code) -> None:
    """It answers HTTP requests (436)."""
    app = "async def main_handler(scope, receive, send):\n    raise ValueError\n"
    ways = code(app)
    answer = ways.panel("PUT", "/api/functions/orders/configuration", {"type": "web"})
    assert answer.status_code == 200, answer.text
    answer = ways.panel("POST", "/api/functions/orders/invoke", {})
    assert (answer.status_code, answer.json()["code"]) == (422, "web-function")
    with pytest.raises(WebFunction, match="is a web function") as refused:
        ways.panel.run(ways.panel.gateway.service.invoke(DEFAULT, None, {}))
    assert refused.value.status == 436
    assert ways.later()["result"]["status"] == 436
