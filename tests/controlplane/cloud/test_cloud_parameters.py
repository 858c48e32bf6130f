"""Parameters in every encoding, and the fields that they become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.cloud import requests
from gateway.controlplane.cloud.errors import CloudError
from gateway.controlplane.cloud.reading import Request, read_request
from gateway.controlplane.cloud.received import (
    Parameters,
    Received,
    nested,
    read_flat,
    read_parameters,
)
from gateway.controlplane.problems import Rejected

JSON = {"content-type": "application/json; charset=utf-8"}
FORM = {"content-type": "Application/X-WWW-Form-Urlencoded"}

NAME = st.text(st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=5)
VALUE = st.recursive(
    st.text(max_size=5),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=12), st.dictionaries(NAME, inner, min_size=1)
    ),
    max_leaves=8,
)


def flattened(value: object, name: str = "") -> dict[str, str]:
    """Values as clients flatten them."""
    parts: dict[str, object]
    if isinstance(value, str):
        return {name: value}
    parts = value if isinstance(value, dict) else {str(i): v for i, v in enumerate(value)}  # type: ignore[arg-type, var-annotated]
    found: dict[str, str] = {}
    for key, part in parts.items():
        found |= flattened(part, f"{name}.{key}" if name else key)
    return found


@given(st.dictionaries(NAME, VALUE, max_size=4))
def test_flat_parameters_become_what_they_were(values: dict[str, Any]) -> None:
    """Whatever the order in which they are sent."""
    flat = flattened(values)
    assert nested(flat) == values
    assert nested(dict(sorted(flat.items(), reverse=True))) == values


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=3), max_size=8))
def test_any_names_are_read_or_refused(flat: dict[str, str]) -> None:
    """Nothing else comes of them."""
    try:
        found = nested(flat)
    except CloudError:
        assert any(f"{name}." in other for name in flat for other in flat)
    else:
        assert len(flattened_leaves(found)) == len(flat)


def flattened_leaves(value: object) -> list[str]:
    """Every text in a value."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [leaf for part in parts for leaf in flattened_leaves(part)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("flat", "said"),
    [
        ({"A": "1", "A.B": "2"}, "A.B is a value and has parts"),
        ({"A.B": "2", "A": "1"}, "A is a value and has parts"),
        ({"A.0.B": "2", "A.0": "1"}, "A.0 is a value and has parts"),
        ({".".join("A" * 17): ""}, "too deep: 17 levels"),
    ],
)
def test_names_that_contradict_each_other_are_refused(flat: dict[str, str], said: str) -> None:
    """They are a value, or an object."""
    with pytest.raises(CloudError, match=said):
        nested(flat)


@pytest.mark.parametrize(
    ("received", "values"),
    [
        pytest.param(Received("POST", "", JSON, b'{"A": [1]}'), {"A": [1]}, id="JSON"),
        pytest.param(Received("POST", "A=1", JSON), {}, id="no body"),
        pytest.param(Received("POST", "", FORM, b"A.0=x+y&B="), {"A": ["x y"], "B": ""}, id="form"),
        pytest.param(Received("GET", "A.10=b&A.9=a", {}), {"A": ["a", "b"]}, id="query"),
        pytest.param(Received("GET", "A=%E4%B8%AD", JSON, b"{}"), {"A": "中"}, id="query in UTF-8"),
    ],
)
def test_every_encoding_is_read(received: Received, values: dict[str, object]) -> None:
    """The method and the media type say which it is."""
    assert read(received).values == values


@pytest.mark.parametrize(
    ("received", "error", "said"),
    [
        pytest.param(Received("POST", "", JSON, b"[]"), CloudError, "JSON object", id="a list"),
        pytest.param(Received("POST", "", JSON, b"{"), Rejected, "no JSON", id="cut off"),
        pytest.param(
            Received("POST", "", {"content-type": "multipart/form-data; boundary=x"}, b"x"),
            CloudError,
            "'multipart/form-data'; allowed: application/json",
            id="parts",
        ),
        pytest.param(Received("POST", "", {}, b"x"), CloudError, "'of no type'", id="no type"),
        pytest.param(Received("GET", "A=1&B=2&A=3", {}), CloudError, "names A more", id="twice"),
    ],
)
def test_what_cannot_be_read_is_told(received: Received, error: type[Exception], said: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(error, match=said):
        read(received)


def read(received: Received) -> Parameters:
    """The parameters of a request."""
    return read_parameters(received, read_flat(received))


def flat(**values: str) -> Parameters:
    """Parameters that came as texts; `__` stands for a dot."""
    named = {name.replace("__", "."): value for name, value in values.items()}
    return Parameters(nested(named))


def test_texts_are_read_as_the_types_of_the_fields() -> None:
    """Numbers, switches, lists and structures."""
    found = read_request(
        requests.PutAlias,
        flat(
            FunctionName="f",
            Name="a",
            FunctionVersion="1",
            RoutingConfig__AdditionalVersionWeights__0__Version="2",
            RoutingConfig__AdditionalVersionWeights__0__Weight="0.1",
            RoutingConfig__AddtionVersionMatchs="",
        ),
    )
    assert found.RoutingConfig is not None
    (weight,) = found.RoutingConfig.AdditionalVersionWeights
    assert (weight.Version, weight.Weight) == ("2", 0.1)
    assert found.RoutingConfig.AddtionVersionMatchs == []
    for spelled in ("True", "true", "TRUE"):
        copied = read_request(
            requests.CopyFunction, flat(FunctionName="f", NewFunctionName="g", Override=spelled)
        )
        assert copied.Override is True
    page = read_request(requests.ListFunctions, flat(Limit="7", Filters=""))
    assert (page.Limit, page.Filters) == (7, [])


def test_what_nobody_knows_is_ignored() -> None:
    """Official clients send parameters that no document has."""
    given = {"FunctionName": "f", "Name": "a", "ShowTriggers": "TRUE", "Layers": [{"x": 1}]}
    found = read_request(requests.AliasRequest, Parameters(given, typed=True))
    assert found.model_dump() == {"Namespace": "default", "FunctionName": "f", "Name": "a"}


def test_null_is_what_was_not_given() -> None:
    """Clients send it for fields that were not set."""
    given = {"FunctionName": "f", "Qualifier": None, "Namespace": None}
    found = read_request(requests.GetFunction, Parameters(given, typed=True))
    assert (found.Qualifier, found.Namespace) == ("$LATEST", "default")


@pytest.mark.parametrize(
    ("model", "given", "code", "said"),
    [
        pytest.param(
            requests.AliasRequest,
            {},
            "MissingParameter",
            "FunctionName is missing; the parameter Name is missing",
            id="all that is missing",
        ),
        pytest.param(
            requests.CreateFunction,
            {"FunctionName": "f"},
            "MissingParameter.Code",
            "Code is missing",
            id="code",
        ),
        pytest.param(
            requests.AliasRequest,
            {"FunctionName": 7, "Name": "a"},
            "InvalidParameter",
            "FunctionName is 7; input should be a valid string",
            id="type",
        ),
        pytest.param(
            requests.PutAlias,
            {
                "FunctionName": "f",
                "Name": "a",
                "FunctionVersion": "1",
                "RoutingConfig": {"AdditionalVersionWeights": [{"Version": "2"}]},
            },
            "InvalidParameter.RoutingConfig",
            "RoutingConfig.AdditionalVersionWeights.0.Weight is missing",
            id="part of a routing",
        ),
        pytest.param(
            requests.ListFunctions,
            {"Limit": "7"},
            "InvalidParameter",
            "Limit is '7'; input should be a valid integer",
            id="text where JSON has numbers",
        ),
    ],
)
def test_what_a_request_lacks_is_told(
    model: type[Request], given: dict[str, object], code: str, said: str
) -> None:
    """By the names of the cloud."""
    with pytest.raises(CloudError, match=said) as caught:
        read_request(model, Parameters(given, typed=True))
    assert caught.value.codes == (code,)
