"""The example function: five versions side by side, each with its own prices and shape."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.functions import Configuration, FunctionVersion
from gateway.runtime import LoadedVersion, Runtime, load

FOLDER = Path(__file__).parents[2] / "functions" / "orders"
FOLDERS = {"1": "v1", "2": "v2", "3": "v3", "4": "v4", "$LATEST": "latest"}
NUMBERS = list(FOLDERS)

Answer = tuple[int, dict[str, Any]]


@pytest.fixture(scope="module")
def orders() -> Iterator[Runtime]:
    """All versions, proved."""
    runtime = Runtime()
    for number in NUMBERS:
        runtime.prove(version(number))
    yield runtime
    runtime.close()


def version(number: str) -> FunctionVersion:
    """A version as the gateway would know it."""
    return FunctionVersion("orders", number, str(FOLDER / FOLDERS[number]), Configuration())


def event(method: str, path: str, **more: object) -> dict[str, object]:
    """What API Gateway hands to a function; `/orders/{id}` is one API, `/orders` another."""
    order = path.removeprefix("/orders/")
    return {
        "httpMethod": method,
        "path": path,
        "pathParameters": {"id": order} if order != path else {},
        "queryString": {},
        "isBase64Encoded": False,
        **more,
    }


def ask(orders: Runtime, number: str, request: dict[str, object]) -> Answer:
    """Status and body of a version's answer."""
    outcome = asyncio.run(orders.invoke(version(number), request, "r"))
    assert (outcome.status, outcome.error) == (200, None)
    response = outcome.value
    assert isinstance(response, dict)
    assert response.keys() == {"isBase64Encoded", "statusCode", "headers", "body"}
    assert response["isBase64Encoded"] is False
    assert response["headers"] == {"Content-Type": "application/json"}
    return response["statusCode"], json.loads(response["body"])


# Order 42 is one of seven teas at 4.50 each; order 47 twelve kettles.
TEA = {"item": "tea", "quantity": 7}
NET, TAX, GROSS = 3150, 599, 3749


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param("1", {"id": 42, **TEA, "price": NET}, id="1: without tax"),
        pytest.param(
            "2", {"id": 42, **TEA, "price": NET, "tax": TAX, "total": GROSS}, id="2: with tax"
        ),
        pytest.param(
            "3", {"net": NET, "tax": TAX, "gross": GROSS, "currency": "EUR"}, id="3: new shape"
        ),
        pytest.param(
            "4", {"net": NET, "discount": 0, "tax": TAX, "gross": GROSS, "currency": "EUR"},
            id="4: no discount for seven",
        ),
        pytest.param(
            "$LATEST", {"net": NET, "discount": 0, "tax": TAX, "gross": GROSS, "currency": "EUR"},
            id="latest: in euros",
        ),
    ],
)  # fmt: skip
def test_one_order_in_every_version(
    orders: Runtime, number: str, expected: dict[str, object]
) -> None:
    """The same order, told in five ways."""
    status, body = ask(orders, number, event("GET", "/orders/42"))
    assert (status, body.pop("version")) == (200, number)
    if number in {"1", "2"}:
        assert body == expected
    else:
        assert body == {"order": {"id": 42, "lines": [TEA], "amounts": expected}}


@pytest.mark.parametrize("number", ["4", "$LATEST"])
def test_ten_pieces_or_more_cost_less(orders: Runtime, number: str) -> None:
    """From version 4 on."""
    _, body = ask(orders, number, event("GET", "/orders/47"))
    assert body["order"]["lines"] == [{"item": "kettle", "quantity": 12}]
    amounts = body["order"]["amounts"]
    assert (amounts["net"], amounts["discount"]) == (47880, 4788)
    assert amounts["gross"] == amounts["net"] - amounts["discount"] + amounts["tax"]


@pytest.mark.parametrize(
    ("query", "gross", "currency"),
    [
        pytest.param({"currency": "USD"}, GROSS * 108 // 100, "USD", id="known"),
        pytest.param({"currency": "XYZ"}, GROSS, "EUR", id="unknown"),
        pytest.param({"currency": ["USD", "CNY"]}, GROSS, "EUR", id="repeated"),
        pytest.param({}, GROSS, "EUR", id="none"),
        pytest.param(None, GROSS, "EUR", id="no query"),
    ],
)
def test_the_next_idea(orders: Runtime, query: object, gross: int, currency: str) -> None:
    """Other currencies, in `$LATEST` only."""
    request = event("GET", "/orders/42", queryString=query)
    _, body = ask(orders, "$LATEST", request)
    amounts = body["order"]["amounts"]
    assert (amounts["gross"], amounts["currency"]) == (gross, currency)
    _, published = ask(orders, "4", request)
    assert published["order"]["amounts"]["currency"] == "EUR"


@pytest.mark.parametrize("number", NUMBERS)
def test_placing_an_order(orders: Runtime, number: str) -> None:
    """It is found again, by this version only: each has its own memory."""
    wish = json.dumps({"item": "cup", "quantity": 2})
    encoded = base64.b64encode(wish.encode()).decode()
    status, placed = ask(orders, number, event("POST", "/orders", body=wish))
    assert status == 201
    again = ask(orders, number, event("POST", "/orders", body=encoded, isBase64Encoded=True))
    ids = [body["order"]["id"] if "order" in body else body["id"] for body in (placed, again[1])]
    assert ids == [101, 102]
    assert ask(orders, number, event("GET", "/orders/101")) == (200, placed)
    status, listed = ask(orders, number, event("GET", "/orders"))
    assert status == 200
    assert [order["id"] for order in listed["orders"]] == [102, 101, *range(100, 92, -1)]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    ("request_event", "status", "sentence"),
    [
        (event("GET", "/orders/7x"), 400, "an order's id is a whole number, not '7x'"),
        (event("GET", "/orders/²"), 400, "an order's id is a whole number, not '²'"),
        (event("GET", "/orders/9999999999"), 400, "an order's id is a whole number"),
        (event("GET", "/orders/999999"), 404, "no order 999999"),
        (event("GET", "/tea"), 404, "nothing at /tea; try /orders or /orders/42"),
        (event("DELETE", "/orders"), 405, "DELETE is not possible at /orders"),
        (event("POST", "/orders/42"), 405, "POST is not possible at /orders/42"),
        (event("POST", "/orders"), 400, "send JSON such as"),
        (event("POST", "/orders", body="{"), 400, "send JSON such as"),
        (event("POST", "/orders", body="[1]"), 400, "send JSON such as"),
        (event("POST", "/orders", body="{}"), 400, "send JSON such as"),
        (event("POST", "/orders", body="%", isBase64Encoded=True), 400, "send JSON such as"),
        (event("POST", "/orders", body='{"item": "car"}'), 400, "no item 'car'; items: tea, cup"),
        (event("POST", "/orders", body='{"item": []}'), 400, "no item []"),
        (event("POST", "/orders", body='{"item": "tea", "quantity": 0}'), 400, "not 0"),
        (event("POST", "/orders", body='{"item": "tea", "quantity": "2"}'), 400, "not '2'"),
        (event("POST", "/orders", body='{"item": "tea", "quantity": true}'), 400, "not True"),
    ],
)
def test_what_is_refused(
    orders: Runtime, number: str, *, request_event: dict[str, object], status: int, sentence: str
) -> None:
    """Every version says what is wrong, with the status that callers expect."""
    answered, body = ask(orders, number, request_event)
    assert answered == status
    assert list(body) == ["error"]
    assert sentence in body["error"]


def test_which_versions_run_on_the_loop() -> None:
    """The two that load tests compare with the rest."""
    kinds = {}
    for number in NUMBERS:
        loaded: LoadedVersion = load(version(number))
        kinds[number] = loaded.is_async
        loaded.unload()
    assert kinds == {"1": False, "2": True, "3": False, "4": False, "$LATEST": True}


@pytest.mark.parametrize("number", NUMBERS)
def test_memory_is_bounded(number: str) -> None:
    """However many orders a load test places."""
    runtime = Runtime()
    placing = event("POST", "/orders", body='{"item": "tea"}')

    async def scenario() -> list[object]:
        runner = runtime.runner(version(number))
        for _ in range(1005):
            await runner.invoke(placing, "r")
        numbers = ["42", "100", "101", "105", "106", "1105"]
        outcomes = [await runner.invoke(event("GET", f"/orders/{n}"), "r") for n in numbers]
        return [outcome.value["statusCode"] for outcome in outcomes]  # type: ignore[index]

    runtime.prove(version(number))
    assert asyncio.run(scenario()) == [200, 200, 404, 404, 200, 200]
    runtime.close()


def test_the_example_knows_nothing_of_the_gateway() -> None:
    """It would run in the cloud as it is."""
    for source in FOLDER.rglob("*.py"):
        assert "import gateway" not in source.read_text()
        assert "from gateway" not in source.read_text()


def test_running_it_leaves_nothing_in_its_folders(orders: Runtime) -> None:
    """No caches: a published folder is what was published."""
    ask(orders, "1", event("GET", "/orders/42"))
    assert {path.suffix for path in FOLDER.rglob("*") if path.is_file()} == {".py", ".md"}
