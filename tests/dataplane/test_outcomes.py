"""Everything that is no integrated answer: passthrough, function errors, sizes, callers gone."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from gateway.core.apply import apply
from gateway.core.changes import Batch, PutFunction
from gateway.core.functions import Configuration
from gateway.observe import Seen

if TYPE_CHECKING:
    from tests.dataplane.conftest import Caller, Make

SIX_MEGABYTES = 6 * 1024 * 1024
UNWRITABLE = "the handler's return value cannot be written as JSON"


@pytest.mark.parametrize(
    ("value", "body"),
    [
        pytest.param("None", b"null", id="None"),
        pytest.param("True", b"true", id="bool"),
        pytest.param("7", b"7", id="int"),
        pytest.param("1.5", b"1.5", id="float"),
        pytest.param('"ü€"', '"ü€"'.encode(), id="text"),
        pytest.param("[1, [2], {}]", b"[1, [2], {}]", id="list"),
        pytest.param("(1, 2)", b"[1, 2]", id="tuple"),
        pytest.param('{"a": None, 1: 2}', b'{"a": null, "1": 2}', id="dict"),
        pytest.param(
            '{"statusCode": 500, "body": "x"}', b'{"statusCode": 500, "body": "x"}', id="look-alike"
        ),
    ],
)
def test_passthrough_is_the_value_as_json(returning: Make, value: str, body: bytes) -> None:
    """Status 200 whatever the value looks like."""
    answer = returning(value, integrated=False)()
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-gateway-reason"] == "main"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("object()", id="object"),
        pytest.param("{1, 2}", id="set"),
        pytest.param('b"x"', id="bytes"),
        pytest.param("{(1, 2): 3}", id="tuple as a key"),
        pytest.param("math.nan", id="NaN"),
        pytest.param("[-math.inf]", id="infinity"),
        pytest.param('"\\ud800"', id="half a surrogate pair"),
        pytest.param(
            "(lambda deep: [deep := [deep] for _ in range(100_000)][-1])([])", id="nested too deep"
        ),
        pytest.param("(lambda a: (a.append(a), a)[1])([])", id="a list that holds itself"),
    ],
)
def test_a_value_without_json_is_an_error_of_the_function(returning: Make, value: str) -> None:
    """The cloud's shape, with status 430."""
    answer = returning(value, integrated=False)()
    assert answer.status_code == 430
    assert answer.json() == {
        "errorCode": -1,
        "errorMessage": UNWRITABLE,
        "requestId": answer.headers["x-api-requestid"],
        "statusCode": 430,
    }


@pytest.mark.parametrize("integrated", [True, False], ids=["integrated", "passthrough"])
@pytest.mark.parametrize("kind", ["async def", "def"])
def test_an_exception_is_told_with_the_authors_own_stack(
    returning: Make, kind: str, integrated: bool
) -> None:
    """Contract 3.5: errorCode -1, the words of the cloud, status 430."""
    code = f'{kind} main_handler(event, context):\n    raise KeyError("größe")\n'
    answer = returning(code, integrated=integrated)()
    told = answer.json()
    assert answer.status_code == 430
    assert answer.headers["content-type"] == "application/json"
    stack = told.pop("stackTrace")
    assert told == {
        "errorCode": -1,
        "errorMessage": "user code exception caught",
        "requestId": answer.headers["x-api-requestid"],
        "statusCode": 430,
    }
    assert stack.startswith("Traceback (most recent call last):")
    assert stack.endswith("KeyError: 'größe'\n")
    assert "index.py" in stack
    assert "dataplane" not in stack.replace("test_", "")


def test_an_exception_without_readable_text_is_told_all_the_same(returning: Make) -> None:
    """Half a surrogate pair cannot be encoded, and the caller still gets JSON."""
    code = 'async def main_handler(event, context):\n    raise ValueError("\\ud800")\n'
    answer = returning(code)()
    assert answer.status_code == 430
    assert json.loads(answer.content)["errorMessage"] == "user code exception caught"


def test_a_function_that_leaves_the_process_does_not_take_the_gateway_with_it(
    returning: Make,
) -> None:
    """The cloud's 439, and the next request is answered."""
    caller = returning("async def main_handler(event, context):\n    raise SystemExit(3)\n")
    for _ in range(2):
        answer = caller()
        assert answer.status_code == 439
        assert answer.json()["errorMessage"] == "User process exit when running"


TIMED = """
[service]
name = "shop"

[functions.waits]
source = "functions/waits"
timeout = 0.05

[functions.quick]
source = "functions/quick"

[[apis]]
method = "GET"
path = "=/waits"
function = "waits"

[[apis]]
method = "GET"
path = "=/quick"
function = "quick"

[stages.dev]
alias = "$DEFAULT"
"""
QUICK = 'async def main_handler(event, context):\n    return {"statusCode": 200, "body": "q"}\n'


@pytest.fixture
def gate(gates: ModuleType) -> Iterator[threading.Event]:
    """Opened at the end, whatever the test did: no thread stays behind."""
    gate = threading.Event()
    vars(gates)["gate"] = gate
    yield gate
    gate.set()


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            "import asyncio\nasync def main_handler(event, context):\n"
            "    await asyncio.Event().wait()\n",
            id="coroutine",
        ),
        pytest.param(
            "import gates_of_this_test\ndef main_handler(event, context):\n"
            "    gates_of_this_test.gate.wait()\n",
            id="thread",
        ),
    ],
)
@pytest.mark.usefixtures("gate")
def test_a_timeout_is_the_clouds_433_and_holds_nobody_up(make: Make, code: str) -> None:
    """Another request is answered while the first one waits."""
    caller: Caller = make(TIMED, {"waits/latest": code, "quick/latest": QUICK})

    async def scenario() -> None:
        waiting = asyncio.ensure_future(caller.ask("/dev/waits"))
        quick = await caller.ask("/dev/quick")
        assert (quick.status_code, waiting.done()) == (200, False)
        answer = await waiting
        assert answer.status_code == 433
        assert answer.json() == {
            "errorCode": -1,
            "errorMessage": "Invoking task timed out after 0.05 seconds",
            "requestId": answer.headers["x-api-requestid"],
            "statusCode": 433,
        }

    caller.run(scenario())


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        pytest.param("other = 1\n", 437, "main_handler", id="no handler"),
        pytest.param("1 / 0\n", 443, "ZeroDivisionError", id="code that does not import"),
    ],
)
def test_code_that_breaks_after_it_was_proved_is_told_at_request_time(
    make: Make, tmp_path: Path, code: str, status: int, says: str
) -> None:
    """Such as a version that another process put live."""
    caller = make(TIMED, {"waits/latest": QUICK, "quick/latest": QUICK})
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "index.py").write_text(code)
    live = caller.gateway.live
    change = Batch((PutFunction("quick", str(broken), Configuration()),))
    live.swap(apply(live.snapshot, change))
    for _ in range(2):
        answer = caller("/dev/quick")
        assert answer.status_code == status
        assert says in answer.json()["errorMessage"]
        assert answer.headers["x-gateway-version"] == "$LATEST"
        assert answer.headers["x-gateway-revision"] == "2"
    assert caller("/dev/waits").status_code == 200


LENGTH = """
async def main_handler(event, context):
    return {"statusCode": 200, "body": str(len(event.get("body", "")))}
"""


@pytest.mark.parametrize(
    ("size", "status"),
    [
        pytest.param(SIX_MEGABYTES, 200, id="6 MB"),
        pytest.param(SIX_MEGABYTES + 1, 406, id="a byte more"),
    ],
)
def test_a_body_towards_a_function_has_six_megabytes(
    returning: Make, size: int, status: int
) -> None:
    """The cloud's 406; the decision is made and told all the same."""
    answer = returning(LENGTH)("/dev/", "POST", content=b"x" * size)
    assert answer.status_code == status
    assert answer.headers["x-gateway-version"] == "$LATEST"
    if status == 200:
        assert answer.text == str(size)
    else:
        assert answer.json() == {
            "errorCode": -1,
            "errorMessage": "RequestTooLarge: the body exceeds 6 MB",
            "requestId": answer.headers["x-api-requestid"],
            "statusCode": 406,
        }


@pytest.mark.parametrize("integrated", [True, False], ids=["integrated", "passthrough"])
@pytest.mark.parametrize(
    ("extra", "status"),
    [pytest.param(0, 200, id="6 MB"), pytest.param(1, 407, id="a byte more")],
)
def test_an_answer_of_a_function_has_six_megabytes(
    returning: Make, integrated: bool, extra: int, status: int
) -> None:
    """The cloud's 407."""
    size = SIX_MEGABYTES + extra
    value = f'{{"statusCode": 200, "body": "x" * {size}}}' if integrated else f'"x" * {size - 2}'
    answer = returning(value, integrated=integrated)()
    assert answer.status_code == status
    if status == 200:
        assert len(answer.content) == size
    else:
        assert answer.json()["errorMessage"] == "ResponseTooLarge: the answer exceeds 6 MB"


async def feed(
    caller: Caller, messages: list[dict[str, object]], header: tuple[bytes, bytes]
) -> list[Any]:
    """A POST whose body comes in these messages; gives what was sent."""
    sent: list[Any] = []
    rest = iter(messages)

    async def receive() -> dict[str, object]:
        return next(rest)

    async def send(message: Any) -> None:  # noqa: ANN401
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/dev/",
        "raw_path": b"/dev/",
        "query_string": b"",
        "headers": [header],
        "client": ("10.0.0.7", 1),
    }
    await caller.gateway.plane(scope, receive, send)
    assert list(rest) == []
    return sent


def test_a_body_in_pieces_is_put_together(returning: Make) -> None:
    """A chunked request has no length; an empty piece is none."""
    caller = returning("event['body']", integrated=False)
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": b"one ", "more_body": True},
        {"type": "http.request", "more_body": True},
        {"type": "http.request", "body": b"two"},
    ]
    sent = caller.run(feed(caller, messages, (b"transfer-encoding", b"chunked")))
    assert sent[1]["body"] == b'"one two"'


def test_no_more_of_a_body_is_read_than_is_allowed(returning: Make) -> None:
    """An endless one does not fill the memory."""
    caller = returning("1", integrated=False)
    piece = {"type": "http.request", "body": b"x" * (SIX_MEGABYTES // 2), "more_body": True}
    last = {"type": "http.request", "body": b"x", "more_body": True}
    sent = caller.run(feed(caller, [piece, piece, last], (b"transfer-encoding", b"chunked")))
    assert sent[0]["status"] == 406


def test_a_caller_who_leaves_before_the_body_is_complete_gets_no_answer(returning: Make) -> None:
    """The function is not run and nothing is counted."""
    caller = returning("1", integrated=False)
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": b"half", "more_body": True},
        {"type": "http.disconnect"},
    ]
    assert caller.run(feed(caller, messages, (b"content-length", b"8"))) == []
    assert caller.gateway.observer.counters.total() == 0


def test_answers_are_counted_after_they_are_out(returning: Make) -> None:
    """By label and status; an answer that could not be sent is not counted."""
    caller = returning('{"statusCode": 201}')
    caller("/dev/")
    caller("/dev/")
    caller("/release/")
    caller("/qa/")
    counters = caller.gateway.observer.counters
    assert counters.total() == 4
    assert counters.by_version() == {
        ("dev", "echo", "$DEFAULT"): {"$LATEST": Seen(2, 0)},
        ("release", "echo", "release"): {"1": Seen(1, 0)},
    }

    async def refuse(_message: object) -> None:
        assert counters.total() == 4
        raise ConnectionError

    async def scenario() -> None:
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": "/dev/",
            "raw_path": b"/dev/",
            "query_string": b"",
            "headers": [],
            "client": None,
        }
        plane: Any = caller.gateway.plane
        with pytest.raises(ConnectionError):
            await plane(scope, None, refuse)

    caller.run(scenario())
    assert counters.total() == 4
