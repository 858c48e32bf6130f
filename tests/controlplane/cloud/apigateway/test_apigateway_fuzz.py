"""Whatever is asked of API Gateway, and in whatever order: an answer, and a state that holds."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.controlplane.cloud.apigateway import requests
from gateway.controlplane.cloud.apigateway.actions import ACTIONS
from gateway.controlplane.cloud.apigateway.documented import DOCUMENTED
from gateway.controlplane.cloud.apigateway.settling import settled
from gateway.controlplane.cloud.documented import COMMON
from gateway.controlplane.cloud.reading import read_request
from gateway.controlplane.cloud.received import Parameters, nested
from gateway.core.apply import apply
from gateway.core.journal import change_plain, read_change
from gateway.core.rebuild import rebuild
from gateway.core.snapshot import EMPTY

Shop = Any

TEXTS = st.sampled_from(["", "a", "\x00", "中", "x" * 300, "/a", "/{id}", "orders", "$DEFAULT"])
SCALARS = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(-2, 2**70), st.floats(), st.text())
LIKELY: dict[str, list[object]] = {
    "ServiceName": ["shop", "x" * 51],
    "Protocol": ["http", "http&https", "HTTP", "https"],
    "NetTypes": [["OUTER"], ["INNER", "X"], []],
    "ServiceType": ["SCF", "HTTP", "MOCK", "TSF"],
    "RequestConfig": [
        {"Path": path, "Method": method}
        for path in ("/a", "=/b", "^~/c/", "/{id}", "d")
        for method in ("GET", "ANY", "get")
    ],
    "ServiceConfig": [{"Url": "http://127.0.0.1:9", "Path": "/x"}, {"Url": "x"}, {}],
    "RequestParameters": [[{"Name": "a", "Position": "QUERY"}], [{"Name": "a"}], []],
    "ServiceParameters": [
        [
            {
                "Name": "b",
                "Position": "HEADER",
                "RelevantRequestParameterPosition": "QUERY",
                "RelevantRequestParameterName": "a",
            }
        ],
        [],
    ],
    "ConstantParameters": [[{"Name": "c", "Position": "HEADER", "DefaultValue": "1"}], []],
    "ServiceScfFunctionName": ["orders", "idle"],
    "ServiceScfFunctionQualifier": ["$LATEST", "release", "1"],
    "AuthType": ["NONE", "SECRET"],
    "ServiceTimeout": [15],
    "EnvironmentName": ["test", "prepub", "release", "dev"],
    "Environment": ["test", "prepub", "release"],
    "EnvironmentNames": [["test", "release"], []],
    "Strategy": [1, 5000, -1],
    "BindType": ["API", "SERVICE"],
    "AccessKeyType": ["auto", "manual"],
    "MaxRequestNum": [-1, 5],
    "MaxRequestNumPreSec": [-1, 5],
    "PluginType": ["IPControl", "TrafficControl", "Cors"],
    "PluginData": [
        json.dumps({"type": "white_list", "blocks": "10.0.0.0/8"}),
        json.dumps({"expire_type": "day", "expire": 1, "api_rate_limit": 5}),
        json.dumps({"allow_origin": ["*"]}),
        "[",
    ],
}


Wish = tuple[str, dict[str, tuple[int, object]]]


def _wish(action: str) -> st.SearchStrategy[Wish]:
    """An action, and for each parameter the number of a likely value, or any value instead."""
    fields = ACTIONS[action].request.model_fields
    likely = st.tuples(st.integers(0, 2**16), st.just(...))
    choice = st.one_of([likely] * 9 + [st.tuples(st.just(-1), SCALARS)])
    needed = {name: choice for name, field in fields.items() if field.is_required()}
    others = {name: choice for name in fields if name not in needed}
    del others["Namespace"]
    return st.tuples(st.just(action), st.fixed_dictionaries(needed, optional=others))


WISHES = st.lists(st.sampled_from(sorted(ACTIONS)).flatmap(_wish), min_size=1, max_size=12)


def parameters(wish: Wish, shop: Shop) -> dict[str, Any]:
    """What is sent: likely values are about what there is at the moment."""
    there, found = shop.there(), {}
    for name, (number, value) in wish[1].items():
        likely = [*LIKELY.get(name, []), *there.get(name, [])] or ["a", "", "x" * 300]
        found[name] = value if number < 0 else likely[number % len(likely)]
    return found


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=25,
    deadline=None,
)
@given(wishes=WISHES)
def test_any_actions_in_any_order_are_answered(looked_at: Shop, wishes: list[Wish]) -> None:
    """With codes that are documented; and what follows from resources is always in force."""
    for wish in wishes:
        action, given_ = wish[0], parameters(wish, looked_at)
        told = looked_at.client(action, **given_)
        if "Error" in told:
            code = told["Error"]["Code"]
            assert code in COMMON | DOCUMENTED.get(action, frozenset()), (action, given_)
            assert code != "InternalError", (action, given_, told)
    state = looked_at.client.panel.gateway.live.snapshot
    assert settled(state, []).changes == (), "nothing is left to be done"
    again = apply(EMPTY, read_change(json.loads(json.dumps(change_plain(rebuild(state))))))
    assert (again.services, again.resources) == (state.services, state.resources)


SAMPLE = (
    "Action=CreateApi&Version=2018-08-08&Protocol=HTTP&ServiceId=service-7ef5b1dc&ApiName=index"
    "&ApiType=NORMAL&AuthType=NONE&ApiBusinessType=NORMAL&ServiceType=SCF"
    "&RequestConfig.Path=/user&RequestConfig.Method=ANY&ServiceTimeout=15&ResponseType=HTML"
    "&EnableCORS=true&IsBase64Encoded=false&ServiceScfFunctionName=B&ServiceScfFunctionType=EVENT"
    "&ServiceScfFunctionNamespace=default&ServiceScfIsIntegratedResponse=true"
    "&ServiceScfFunctionQualifier=$DEFAULT"
)


@pytest.mark.parametrize("spelled", [str.lower, str.title])
def test_flat_parameters_are_read_by_their_types(spelled: Any) -> None:  # noqa: ANN401
    """As clients of the older scheme send them, whichever way they spell what is true."""
    text = SAMPLE.replace("=true", f"={spelled('true')}").replace("=false", f"={spelled('false')}")
    given = read_request(requests.CreateApi, Parameters(nested(dict(parse_qsl(text)))))
    assert (given.RequestConfig.Path, given.RequestConfig.Method) == ("/user", "ANY")
    assert (given.ServiceTimeout, given.EnableCORS, given.IsBase64Encoded) == (15, True, False)
    assert given.ServiceScfIsIntegratedResponse is True
