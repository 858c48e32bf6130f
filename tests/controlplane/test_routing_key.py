"""Routing keys: JSON objects of scalars, as texts that rules compare."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.controlplane.routing_key import parse_routing_key, routing_key_of
from gateway.core.errors import Problem, Refused


def problems(text: object) -> list[Problem]:
    """What is wrong with a routing key, given as text or as an object."""
    with pytest.raises(Refused) as refused:
        routing_key_of(text, json.dumps({"routing_key": text}).encode())
    return list(refused.value.problems)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param('{"User": "Bob"}', {"User": "Bob"}, id="a text"),
        pytest.param('{"userHash":30}', {"userHash": "30"}, id="a number of the cloud's example"),
        pytest.param('{"a": 1.50, "b": 1e3, "c": -0}', {"a": "1.50", "b": "1e3", "c": "-0"},
                     id="numbers as written"),
        pytest.param('{"a": 123456789012345678901234567890.0}',
                     {"a": "123456789012345678901234567890.0"}, id="a long number"),
        pytest.param('{"a": true, "b": false}', {"a": "true", "b": "false"}, id="booleans"),
        pytest.param('{"ü": "\\u00e9", "": ""}', {"ü": "é", "": ""}, id="any text"),
        pytest.param("{}", {}, id="nothing"),
    ],
)  # fmt: skip
def test_scalars_become_their_texts(written: str, read: dict[str, str]) -> None:
    """In a text of their own, and in the body of a request."""
    assert parse_routing_key(written) == read
    body = f'{{"event": [1.0, {{}}], "routing_key": {written}}}'.encode()
    assert routing_key_of(json.loads(body)["routing_key"], body) == read
    assert routing_key_of(written, b"") == read


def test_none_is_none() -> None:
    """There need not be a routing key."""
    assert routing_key_of(None, b"") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "is no JSON: Expecting value", id="empty"),
        pytest.param("{", "is no JSON: ", id="half"),
        pytest.param("User=Bob", "is no JSON: ", id="no JSON"),
        pytest.param('["a"]', "strings, numbers, true and false, not a list", id="a list"),
        pytest.param("3", "not a string", id="a number"),
        pytest.param("null", "not null", id="null"),
        pytest.param('{"a": NaN}', "NaN is no number of JSON", id="not a number"),
        pytest.param('{"a": 1, "a": 2}', "a name is there twice", id="twice"),
        pytest.param("[" * 1000, "is no JSON: ", id="deep"),
    ],
)
def test_what_is_no_routing_key_is_refused(text: str, said: str) -> None:
    """With what is allowed."""
    (problem,) = problems(text)
    assert (problem.code, problem.at) == ("bad-routing-key", ("routing_key",))
    assert said in problem.message
    assert problem.message.startswith("the routing key ")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(["User"], "a list", id="a list"),
        pytest.param(3, "a number", id="a number"),
        pytest.param(True, "a boolean", id="a boolean"),
    ],
)
def test_an_object_is_needed_in_a_body_too(given: object, kind: str) -> None:
    """Whatever JSON allows."""
    (problem,) = problems(given)
    allowed = "a JSON object of strings, numbers, true and false"
    assert problem.message == f"the routing key must be {allowed}, not {kind}"


def test_nested_values_are_refused_each_at_its_place() -> None:
    """They have no text that a rule could mean."""
    nested: dict[str, object] = {"a": [], "b": {}, "c": None, "d": 1}
    for given_ in (nested, json.dumps(nested)):
        found = problems(given_)
        assert [problem.at for problem in found] == [
            ("routing_key", "a"),
            ("routing_key", "b"),
            ("routing_key", "c"),
        ]
        said = ["a list", "an object", "null"]
        for problem, kind in zip(found, said, strict=True):
            name = problem.at[1]
            assert problem.message == (
                f"{name!r} of the routing key is {kind}; allowed: a string, a number, true or false"
            )


def test_the_last_byte_counts() -> None:
    """1,024 of them, in UTF-8, without spaces where it is an object."""
    room = (1024 - len('{"a":""}')) // 2
    fits = {"a": "ü" * room}
    assert routing_key_of(fits, b"") == fits
    assert parse_routing_key(json.dumps(fits, ensure_ascii=False, separators=(",", ":"))) == fits
    for given_ in ({"a": "ü" * room + "x"}, '{"a":"' + "ü" * room + 'x"}'):
        (problem,) = problems(given_)
        assert problem.code == "out-of-range"
        assert problem.message == "the routing key has 1025 bytes; allowed: 1024"


scalars = (
    st.text(max_size=5)
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)


@given(st.dictionaries(st.text(max_size=5), scalars, max_size=5))
def test_both_spellings_mean_the_same(values: dict[str, object]) -> None:
    """And a text is the one that JSON has for the value."""
    text = json.dumps(values)
    body = json.dumps({"event": None, "routing_key": values}).encode()
    found = routing_key_of(values, body)
    assert found == parse_routing_key(text)
    assert found == {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }
