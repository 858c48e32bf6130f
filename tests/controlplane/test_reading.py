"""Bodies and query parameters: read strictly, with every mistake at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from gateway.config import functions
from gateway.controlplane.problems import Rejected
from gateway.controlplane.rest import bodies
from gateway.controlplane.rest.operation import Asked
from gateway.controlplane.rest.reading import MAX_DEPTH, parse_json, read_query, validate
from gateway.core.alias import parse_route
from gateway.core.errors import Place, Refused
from gateway.core.shapes import Reader
from gateway.store.protocol import Author

Fails = Callable[[], object]


def failure(call: Fails) -> Rejected:
    """What the call is rejected with."""
    with pytest.raises(Rejected) as caught:
        call()
    return caught.value


def places(model: type[BaseModel], raw: object) -> set[Place]:
    """Where a model finds mistakes."""
    try:
        validate(model, raw, "the body")
    except Rejected as found:
        return {problem.at for problem in found.problems}
    return set()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON)
def test_json_is_read_as_it_is(value: object) -> None:
    """Whatever can be written."""
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "Expecting value at line 1, column 1", id="nothing"),
        pytest.param(b"{", "line 1, column 2", id="cut off"),
        pytest.param(b"{}{}", "Extra data at line 1, column 3", id="two"),
        pytest.param(b'{"a": 1, "a": 1}', "the key 'a' is there more than once", id="twice"),
        pytest.param(
            b'[{"x": {"a": 1, "a": 2}}]', "'a' is there more than once", id="twice inside"
        ),
        pytest.param(b"NaN", "NaN is no number of JSON", id="NaN"),
        pytest.param(b"[Infinity]", "Infinity is no number", id="infinity"),
        pytest.param(b"[-Infinity]", "-Infinity is no number", id="minus infinity"),
        pytest.param(b"1e999", "1e999 is too large for a number", id="overflow"),
        pytest.param(b"-1e999", "-1e999 is too large for a number", id="underflow"),
        pytest.param(b"1" * 5000, "4300 digits", id="endless integer"),
        pytest.param(b'"\\ud800"', "half a surrogate pair", id="surrogate"),
        pytest.param(b'{"\\udfff": 1}', "half a surrogate pair", id="surrogate key"),
        pytest.param(b'"\xff"', "byte 1 is no UTF-8", id="bytes"),
        pytest.param(b"\xef\xbb\xbf{}", "line 1, column 1", id="byte order mark"),
        pytest.param(b"[" * 65 + b"1" + b"]" * 65, "deeper than 64 levels", id="deep"),
        pytest.param(b"[" * 100_000, "deeper than 64 levels", id="abyss"),
        pytest.param(b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64 levels", id="deep keys"),
    ],
)
def test_what_readers_would_differ_about_is_refused(body: bytes, said: str) -> None:
    """As malformed, with the reason."""
    found = failure(lambda: parse_json(body))
    assert (found.status, found.code) == (400, "malformed-json")
    assert said in str(found)


def test_json_may_be_nested_as_deep_as_is_allowed() -> None:
    """To the level."""
    assert parse_json(b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH)


Told = list[tuple[str, Place, str]]


@pytest.mark.parametrize(
    ("model", "raw", "told"),
    [
        pytest.param(
            bodies.ConfigurationBody,
            {"timout": 3, "timeout": 0, "memory": 100, "concurrency": 1.5},
            [
                ("out-of-range", ("timeout",), ""),
                ("out-of-range", ("memory",), ""),
                ("wrong-type", ("concurrency",), ""),
                ("unknown-key", ("timout",), "did you mean 'timeout'?"),
            ],
            id="all at once",
        ),
        pytest.param(
            bodies.ConfigurationBody,
            {"environment": {"1a": "b", "c": 3}, "handler": "index.py", "description": None},
            [
                ("wrong-type", ("description",), ""),
                ("bad-name", ("environment", "1a"), ""),
                ("wrong-type", ("environment", "c"), ""),
            ],
            id="inside a table",
        ),
        pytest.param(
            bodies.ConfigurationBody,
            {"handler": "index", "environment": {"A": "x" * 5000}, "concurrency": 10**30},
            [
                ("bad-handler", ("handler",), ""),
                ("out-of-range", ("concurrency",), ""),
                ("out-of-range", ("environment",), ""),
            ],
            id="limits",
        ),
        pytest.param(bodies.InvokeBody, [], [("wrong-type", (), "")], id="no object"),
        pytest.param(bodies.AliasBody, {}, [("missing-key", (), "")], id="missing"),
        pytest.param(
            bodies.AliasBody,
            {"version": "1", "split": "evn", "rules": {}, "weights": []},
            [
                ("wrong-type", ("weights",), ""),
                ("wrong-type", ("rules",), ""),
                ("bad-value", ("split",), ""),
            ],
            id="kinds",
        ),
        pytest.param(
            bodies.ExplainBody,
            {"stage": "dev", "method": "G T", "path": "x", "draw": 1},
            [
                ("bad-name", ("method",), ""),
                ("bad-path", ("path",), ""),
                ("out-of-range", ("draw",), ""),
            ],
            id="request",
        ),
        pytest.param(
            bodies.ApplyBody,
            {"file": "stages.toml", "dry_run": 1},
            [("bad-path", ("file",), ""), ("wrong-type", ("dry_run",), "")],
            id="file",
        ),
        pytest.param(bodies.ApplyBody, {"file": "/a\0b"}, [("bad-path", ("file",), "")], id="NUL"),
    ],
)
def test_every_mistake_has_a_code_a_place_and_a_hint(
    model: type[BaseModel], raw: object, told: Told
) -> None:
    """In the words of the other checks."""
    found = failure(lambda: validate(model, raw, "the body"))
    assert found.status == 422
    given = [(problem.code, problem.at, problem.hint) for problem in found.problems]
    assert sorted(given) == sorted(told)


KEYS = "concurrency, description, environment, handler, isolation, memory, timeout, type"


@pytest.mark.parametrize(
    ("model", "raw", "sentence"),
    [
        (
            bodies.ConfigurationBody,
            {"memory": 100},
            "memory of the body is 100; allowed: 64, or 128 to 3072 in steps of 128",
        ),
        (
            bodies.ConfigurationBody,
            {"timeout": "3"},
            "timeout of the body must be a number, not a string",
        ),
        (
            bodies.ConfigurationBody,
            {"environment": "A=b"},
            "environment of the body must be an object, not a string",
        ),
        (
            bodies.ConfigurationBody,
            {"concurrency": 0},
            "concurrency of the body is 0; input should be greater than or equal to 1",
        ),
        (
            bodies.ConfigurationBody,
            {"environments": {}},
            f"the body has no key 'environments'; allowed: {KEYS}",
        ),
        (bodies.AliasBody, {}, "the body needs 'version'"),
        (bodies.InvokeBody, 3, "the body must be an object, not 3"),
        (bodies.InvokeBody, None, "the body must be an object, not null"),
    ],
)
def test_a_sentence_names_the_thing_the_value_and_what_is_allowed(
    model: type[BaseModel], raw: object, sentence: str
) -> None:
    """One for each mistake."""
    assert str(failure(lambda: validate(model, raw, "the body"))) == sentence


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "handler": st.sampled_from(
                ["index.main", "a.b.c", "index", "a/b.c", "1.a", "a.b\n", ""]
            ),
            "timeout": st.integers(-1, 1000) | st.just("3") | st.just(True),
            "memory": st.integers(0, 40).map(lambda n: n * 64 + n % 2) | st.just(3072),
            "concurrency": st.integers(-1, 2) | st.integers(9_999, 10_001),
            "environment": st.dictionaries(
                st.sampled_from(["A", "_b1", "1", "a-b", "", "Ä", "A\n"]),
                st.sampled_from(["", "x" * 4094, "ü" * 2047]) | st.integers(),
            ),
            "description": st.text(max_size=3) | st.just(1),
        },
    )
)
def test_a_configuration_is_allowed_exactly_when_the_file_may_have_it(
    raw: dict[str, object],
) -> None:
    """One law for both ways in."""
    reader = Reader(raw, "function 'orders'", [])
    functions._read_configuration(reader)
    reader.text("description")
    reader.finish()
    # Whether the environment is too large is said once its names and values are right.
    wrong = {p.at for p in reader.problems}
    inside = {at for at in wrong if at[1:]}
    found = places(bodies.ConfigurationBody, raw)
    assert found in ([wrong, wrong - {("environment",)}] if inside else [wrong])


@given(
    st.fixed_dictionaries(
        {"version": st.sampled_from(["1", "$LATEST", "x"]) | st.just(1)},
        optional={
            "weights": st.dictionaries(
                st.sampled_from(["2", "3"]), st.sampled_from([0, 0.1, 1, 2, -1, True, "1", None])
            )
            | st.none(),
            "rules": st.lists(
                st.fixed_dictionaries(
                    {"when": st.sampled_from(["invoke.headers.User exact Bob", "no"])},
                    optional={"version": st.just("3"), "x": st.none()},
                ),
                max_size=2,
            )
            | st.just("no"),
            "split": st.sampled_from(["random", "even", "sticky", "odd"]),
            "sticky_by": st.sampled_from([None, "invoke.headers.User", "User", 3]),
            "description": st.sampled_from(["", "x", None]),
            "other": st.none(),
        },
    )
)
def test_a_route_that_the_law_allows_is_one_for_the_document_too(raw: dict[str, object]) -> None:
    """The document never refuses what stages.toml may say."""
    try:
        parse_route(raw, "alias 'release'")
    except Refused:
        return
    assert places(bodies.AliasBody, raw) == set()


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (b"", (None, 100)),
        (b"before=7", (7, 100)),
        (b"limit=1000&before=1", (1, 1000)),
    ],
)
def test_query_parameters_are_read(query: bytes, values: tuple[int | None, int]) -> None:
    """As what they stand for."""
    found = read_query(bodies.HistoryQuery, query)
    assert (found.before, found.limit) == values


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (b"limit=0", "limit of the query is '0'; input should be greater than or equal to 1"),
        (b"limit=1001", "less than or equal to 1000"),
        (b"limit=x", "limit of the query must be an integer, not 'x'"),
        (b"limit=", "limit of the query must be an integer, not ''"),
        (b"limit=%ff", "must be an integer"),
        (b"limt=3", "the query has no key 'limt'; allowed: before, limit"),
        (b"limit=3&limit=3", "the query names limit more than once"),
        (b"before=0", "greater than or equal to 1"),
    ],
)
def test_a_mistake_in_the_query_is_told(query: bytes, said: str) -> None:
    """With a status that says that it is not in the body."""
    found = failure(lambda: read_query(bodies.HistoryQuery, query))
    assert (found.status, found.code) == (400, "bad-query")
    assert said in str(found)
    assert {problem.at for problem in found.problems} == {()}


def test_an_operation_gets_the_models_that_it_asked_for(standing: Any) -> None:  # noqa: ANN401
    """Another one is a mistake of ours."""
    control = standing.gateway.service
    query = validate(bodies.HistoryQuery, {}, "the query")
    asked = Asked(control, control.live.snapshot, {}, Author("me", "here"), query=query)
    assert asked.parsed(bodies.HistoryQuery) is query
    with pytest.raises(TypeError, match="takes no ApplyBody"):
        asked.parsed(bodies.ApplyBody)
