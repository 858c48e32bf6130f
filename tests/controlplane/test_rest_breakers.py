"""Breakers over REST: put, got with how each version stands, deleted, told to Prometheus."""

from __future__ import annotations

from typing import Any

import pytest

Panel = Any

ORDERS = "/api/functions/orders"
BREAKER = f"{ORDERS}/breaker"
PLAIN: dict[str, object] = {
    "errors": 0.5,
    "requests": 20,
    "window": 10.0,
    "pause": 5.0,
    "trials": 3,
}


def open_circuit(panel: Panel, number: str) -> None:
    """Fail as often as it takes."""
    faults, function = panel.gateway.faults, panel.gateway.live.snapshot.functions["orders"]
    ticket = faults.breakers.ask(function.breaker, function.versions[number])
    ticket.settle("server")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"errors": 0.5}, id="the usual"),
        pytest.param({"errors": 1, "requests": 1, "trials": 1}, id="whole numbers"),
        pytest.param({"errors": 0.1, "window": 0.5, "pause": 900}, id="seconds"),
    ],
)
def test_a_breaker_is_put_got_and_deleted(panel: Panel, body: dict[str, object]) -> None:
    """In one form; and the function and the snapshot have it too."""
    answer = panel("PUT", BREAKER, body)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"2"')
    told = {**PLAIN, **body}
    found = panel("GET", BREAKER).json()
    assert found.pop("circuits")[0] == {
        "version": "$LATEST",
        "state": "closed",
        "opened": 0,
        "wait": 0.0,
    }
    assert found == told
    assert panel("GET", ORDERS).json()["breaker"] == told
    assert panel("GET", "/api/snapshot").json()["functions"]["orders"]["breaker"] == told
    [difference] = panel("DELETE", BREAKER).json()["differences"]
    assert difference == {
        "path": ["functions", "orders", "breaker"],
        "before": told,
        "after": None,
    }
    assert "breaker" not in panel("GET", ORDERS).json()


def test_a_breaker_is_replaced_as_a_whole(panel: Panel) -> None:
    """What is not named is as usual; the same once more is nothing."""
    bodies = ({"errors": 1, "pause": 1}, {"errors": 0.5}, {"errors": 0.5, "pause": 5})
    answers = [panel("PUT", BREAKER, body) for body in bodies]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert [answer.json()["changed"] for answer in answers] == [True, True, False]


def test_how_a_version_stands_is_told_to_people_and_to_prometheus(panel: Panel) -> None:
    """0 is closed, 1 half-open, 2 open; what has no breaker has no figure."""
    assert "gateway_breaker_state{" not in panel("GET", "/metrics").text
    panel("PUT", BREAKER, {"errors": 1, "requests": 1, "pause": 900})
    open_circuit(panel, "2")
    circuits = {each["version"]: each for each in panel("GET", BREAKER).json()["circuits"]}
    assert circuits["1"]["state"] == "closed"
    assert (circuits["2"]["state"], circuits["2"]["opened"]) == ("open", 1)
    assert 0 < circuits["2"]["wait"] <= 900
    told = panel("GET", "/metrics").text
    assert 'gateway_breaker_state{function="orders",version="1"} 0.0' in told
    assert 'gateway_breaker_state{function="orders",version="2"} 2.0' in told


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        pytest.param("GET", BREAKER, None, 404, "unknown-breaker", id="none to get"),
        pytest.param("DELETE", BREAKER, None, 404, "unknown-breaker", id="none to delete"),
        pytest.param(
            "PUT",
            "/api/functions/order/breaker",
            {"errors": 1},
            404,
            "unknown-function",
            id="no function",
        ),
        pytest.param("PUT", BREAKER, {}, 422, "missing-key", id="no share"),
        pytest.param("PUT", BREAKER, {"errors": 2}, 422, "out-of-range", id="too large a share"),
        pytest.param("PUT", BREAKER, {"errors": 1, "pauze": 1}, 422, "unknown-key", id="a typo"),
    ],
)
def test_what_is_wrong_is_refused(  # noqa: PLR0917 - the columns of a table
    panel: Panel, method: str, path: str, body: object, status: int, code: str
) -> None:
    """In the words of stages.toml, and nothing is altered."""
    answer = panel(method, path, body) if body is not None else panel(method, path)
    assert answer.status_code == status, answer.text
    assert code in answer.text
    assert panel.revision == 1
