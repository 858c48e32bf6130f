"""Faults over REST: put, got, deleted, told in every place that tells of versions."""

from __future__ import annotations

from typing import Any

import pytest

Panel = Any

ORDERS = "/api/functions/orders"
FAULT = f"{ORDERS}/versions/2/fault"
PLAIN: dict[str, object] = {"errors": 0.0, "status": 430, "latency": None}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"errors": 0.05}, id="errors"),
        pytest.param({"errors": 1, "status": 599}, id="another status"),
        pytest.param({"latency": 0.25}, id="a latency"),
        pytest.param({"latency": {"uniform": [0, 0.5]}}, id="uniform"),
        pytest.param({"latency": {"exponential": 0.25}}, id="exponential"),
        pytest.param({"errors": 0.5, "latency": {"normal": [0.25, 0.5]}}, id="normal"),
    ],
)
def test_a_fault_is_put_got_and_deleted(panel: Panel, body: dict[str, object]) -> None:
    """In one form; and the function and the snapshot have it too."""
    answer = panel("PUT", FAULT, body)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"2"')
    told = {**PLAIN, **body}
    assert panel("GET", FAULT).json() == told
    assert panel("GET", ORDERS).json()["faults"] == {"2": told}
    assert panel("GET", "/api/snapshot").json()["functions"]["orders"]["faults"] == {"2": told}
    [difference] = panel("DELETE", FAULT).json()["differences"]
    assert difference == {
        "path": ["functions", "orders", "faults", "2"],
        "before": told,
        "after": None,
    }
    assert panel("GET", ORDERS).json()["faults"] == {}


def test_a_fault_is_replaced_as_a_whole(panel: Panel) -> None:
    """What is not named is cleared; the same once more is nothing."""
    answers = [
        panel("PUT", FAULT, body)
        for body in ({"errors": 1, "status": 500}, {"latency": 1}, {"latency": 1.0})
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert [answer.json()["changed"] for answer in answers] == [True, True, False]
    assert panel("GET", FAULT).json() == {**PLAIN, "latency": 1.0}


def test_an_explanation_tells_of_it(panel: Panel) -> None:
    """Only where that version answers."""
    panel("PUT", f"{ORDERS}/versions/1/fault", {"errors": 0.05})
    told = [
        panel("POST", "/api/explain", {"stage": stage, "path": "/orders/7"}).json()["fault"]
        for stage in ("release", "dev")
    ]
    assert told == [{**PLAIN, "errors": 0.05}, None]


def test_deleting_the_version_deletes_its_fault(panel: Panel) -> None:
    """The change tells of both."""
    panel("PUT", f"{ORDERS}/versions/3/fault", {"errors": 0.05})
    gone = panel("DELETE", f"{ORDERS}/versions/3").json()["differences"]
    assert [difference["path"][2] for difference in gone] == ["versions", "faults"]


@pytest.mark.parametrize(
    ("method", "path", "code", "sentence"),
    [
        pytest.param(
            "GET",
            FAULT,
            "unknown-fault",
            "version '2' of function 'orders' has no fault; there is none",
            id="get",
        ),
        pytest.param(
            "DELETE",
            FAULT,
            "unknown-fault",
            "version '2' of function 'orders' has no fault; there is none",
            id="delete",
        ),
        pytest.param(
            "PUT",
            f"{ORDERS}/versions/9/fault",
            "unknown-version",
            "function 'orders' has no version '9'; it has 1, 2, 3, $LATEST",
            id="no version",
        ),
        pytest.param(
            "PUT",
            "/api/functions/order/versions/1/fault",
            "unknown-function",
            "no function 'order'; there is orders, idle",
            id="no function",
        ),
    ],
)
def test_what_is_not_there_is_not_found(
    panel: Panel, method: str, path: str, code: str, sentence: str
) -> None:
    """With what there is."""
    answer = panel(method, path, {"errors": 0.1} if method == "PUT" else None)
    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert answer.json()["detail"] == sentence
    assert panel.revision == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param({}, [("empty-fault", "")], id="nothing"),
        pytest.param([], [("wrong-type", "")], id="no object"),
        pytest.param(
            {"errors": 2, "status": 200, "latency": {"uniform": [2, 1]}, "erors": 0.1},
            [
                ("out-of-range", "/errors"),
                ("out-of-range", "/status"),
                ("wrong-latency", "/latency/uniform"),
                ("unknown-key", "/erors"),
            ],
            id="everywhere",
        ),
    ],
)
def test_every_mistake_is_told_with_its_place(
    panel: Panel, body: object, told: list[tuple[str, str]]
) -> None:
    """By the same law as in stages.toml."""
    answer = panel("PUT", FAULT, body)
    found = [(problem["code"], problem["pointer"]) for problem in answer.json()["problems"]]
    assert (answer.status_code, found) == (422, told)


def test_a_fault_may_be_asked_for_with_head(panel: Panel) -> None:
    """As every read may."""
    panel("PUT", FAULT, {"errors": 0.05})
    answer = panel("HEAD", FAULT)
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (200, b"", '"2"')
