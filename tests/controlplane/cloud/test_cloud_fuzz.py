"""Whatever is sent, signed or not: an answer in the envelope, and no surprise of the gateway."""

from __future__ import annotations

import json
from time import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.controlplane.app import control_app
from gateway.controlplane.cloud.access import Access
from gateway.controlplane.cloud.actions import ACTIONS
from gateway.controlplane.cloud.documented import COMMON, DOCUMENTED

Panel = Any

TEXTS = st.sampled_from(
    [
        "orders",
        "idle",
        "release",
        "$DEFAULT",
        "$LATEST",
        "1",
        "2",
        "9",
        "",
        "\x00",
        "中",
        "x" * 1100,
    ]
)
SCALARS = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(-2, 2**70), st.floats(), st.text())
ROUTING = st.fixed_dictionaries(
    {},
    optional={
        "AdditionalVersionWeights": st.lists(
            st.fixed_dictionaries({"Version": TEXTS, "Weight": st.floats(0, 1) | SCALARS}),
            max_size=2,
        ),
        "AddtionVersionMatchs": st.lists(
            st.fixed_dictionaries(
                {
                    "Version": TEXTS,
                    "Key": st.sampled_from(["invoke.headers.User", "invoke.headers.\n"]) | SCALARS,
                    "Method": st.sampled_from(["exact", "range"]) | SCALARS,
                    "Expression": st.sampled_from(["[1,2]", "(1,2]"]) | SCALARS,
                }
            ),
            max_size=2,
        ),
    },
)


def _parameters(action: str) -> st.SearchStrategy[dict[str, object]]:
    fields: dict[str, st.SearchStrategy[object]] = {}
    for name in ACTIONS[action].request.model_fields:
        fields[name] = ROUTING | SCALARS if name == "RoutingConfig" else TEXTS | SCALARS
    fields["Namespace"] = st.just("default")
    return st.fixed_dictionaries({}, optional=fields)


CALLS = st.sampled_from(sorted(ACTIONS)).flatmap(
    lambda action: st.tuples(st.just(action), _parameters(action))
)


@pytest.fixture(scope="module")
def open_to_all(open_standing: Any) -> Any:  # noqa: ANN401
    """A gateway that leaves signatures unchecked."""
    panel = open_standing()
    access = Access({}, time, accept_any=True)
    app = control_app(panel.gateway.service, access=access)

    def ask(request: httpx.Request) -> httpx.Response:
        async def whole() -> httpx.Response:
            answer = await httpx.ASGITransport(app).handle_async_request(request)
            await answer.aread()
            return answer

        response: httpx.Response = panel.run(whole())
        return response

    return ask


def told(answer: httpx.Response) -> dict[str, Any]:
    """What the envelope holds."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    (response,) = answer.json().values()
    assert response["RequestId"]
    return dict(response)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=CALLS)
def test_any_parameters_are_answered(open_to_all: Any, call: tuple[str, Any]) -> None:  # noqa: ANN401
    """With fields of the action, or with a code that is documented for it."""
    action, parameters = call
    headers = {
        "Host": "127.0.0.1:8081",
        "X-TC-Action": action,
        "X-TC-Version": "2018-04-16",
        "Content-Type": "application/json",
    }
    body = json.dumps(parameters).encode()
    response = told(
        open_to_all(httpx.Request("POST", "http://127.0.0.1/", headers=headers, content=body))
    )
    if "Error" in response:
        code = response["Error"]["Code"]
        assert code in COMMON | DOCUMENTED[action]
        assert code != "InternalError", response


@given(query=st.binary(max_size=80), body=st.binary(max_size=80), method=st.sampled_from("GP"))
@pytest.mark.parametrize("media", ["application/json", "application/x-www-form-urlencoded", "x"])
def test_any_bytes_are_answered(
    looker: Any,  # noqa: ANN401
    media: str,
    query: bytes,
    body: bytes,
    method: str,
) -> None:
    """Nobody signed them."""
    url = f"http://127.0.0.1/?{quote(query, safe='&=.+')}"
    headers = {"Host": "127.0.0.1:8081", "X-TC-Action": "GetAlias", "Content-Type": media}
    name = {"G": "GET", "P": "POST"}[method]
    response = told(looker.send(httpx.Request(name, url, headers=headers, content=body)))
    assert response["Error"]["Code"] in {
        "AuthFailure.InvalidAuthorization",
        "AuthFailure.SecretIdNotFound",
        "InvalidParameter",
    }
