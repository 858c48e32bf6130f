"""Reading raw tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.core.errors import Problem
from gateway.core.shapes import Reader, kind_of


def problems_of(reader: Reader) -> list[tuple[str, tuple[str | int, ...]]]:
    """Codes and places, in the order found."""
    return [(problem.code, problem.at) for problem in reader.problems]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        pytest.param(None, "null", id="none"),
        pytest.param(True, "a boolean", id="a boolean is no number"),
        pytest.param("x", "a string", id="a string is no list"),
        pytest.param({}, "a table", id="a table"),
        pytest.param([], "a list", id="a list"),
        pytest.param(1, "a number", id="an integer"),
        pytest.param(1.5, "a number", id="a float"),
        pytest.param(Decimal(1), "a number", id="a decimal"),
        pytest.param(date(2024, 1, 31), "a date or time", id="a date, which TOML has"),
    ],
)
def test_kinds_are_named_in_the_words_of_toml_and_json(value: object, name: str) -> None:
    """Messages say what was found."""
    assert kind_of(value) == name


def test_fields_are_read_by_type() -> None:
    """Each field comes back as the type it was asked for."""
    raw = {
        "name": "shop",
        "fast": True,
        "table": {"a": 1},
        "list": [1, 2],
        "mode": "even",
        "any": 7,
    }
    reader = Reader(raw, "it", [])
    assert reader.text("name") == "shop"
    assert reader.required("name", "x") == "shop"
    assert reader.flag("fast", default=False) is True
    assert reader.mapping("table") == {"a": 1}
    assert reader.sequence("list") == [1, 2]
    assert reader.choice("mode", ("random", "even"), "random") == "even"
    assert reader.get("any") == 7
    reader.finish()
    assert reader.problems == []


def test_missing_fields_have_defaults() -> None:
    """An empty table is read without a mistake."""
    reader = Reader({}, "it", [])
    assert reader.text("name", "shop") == "shop"
    assert reader.flag("fast", default=True) is True
    assert reader.mapping("table") == {}
    assert list(reader.sequence("list")) == []
    assert reader.choice("mode", ("random", "even"), "random") == "random"
    assert reader.get("any") is None
    assert not reader.has("any")
    assert reader.problems == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param({"name": 1}, "name of it must be a string, not a number", id="a string"),
        pytest.param({"name": None}, "name of it must be a string, not null", id="null"),
        pytest.param({"fast": 1}, "fast of it must be true or false, not a number", id="a flag"),
        pytest.param({"table": []}, "table of it must be a table, not a list", id="a table"),
        pytest.param({"list": "ab"}, "list of it must be a list, not a string", id="a list"),
        pytest.param({"list": {}}, "list of it must be a list, not a table", id="a list for keys"),
    ],
)
def test_a_field_of_a_wrong_type_is_reported_and_read_as_missing(
    raw: dict[str, object], message: str
) -> None:
    """The message names the field, the table, what is allowed and what is there."""
    reader = Reader(raw, "it", [], ("outer",))
    assert reader.text("name", "none") == "none"
    assert reader.flag("fast", default=False) is False
    assert reader.mapping("table") == {}
    assert list(reader.sequence("list")) == []
    key = next(iter(raw))
    assert reader.problems == [Problem("wrong-type", message, ("outer", key))]


def test_a_table_that_is_none_is_reported_and_read_as_an_empty_one() -> None:
    """The reading goes on."""
    reader = Reader("text", "alias 'release'", [], ("aliases", "release"))
    assert not reader.has("version")
    assert reader.keys() == []
    reader.finish()
    message = "alias 'release' must be a table, not a string"
    assert reader.problems == [Problem("wrong-type", message, ("aliases", "release"))]


def test_a_required_field_that_is_missing_is_reported_with_an_example() -> None:
    """The hint is the line to write."""
    reader = Reader({}, "alias 'release'", [], ("release",))
    assert reader.required("version", '"1"') is None
    [problem] = reader.problems
    assert problem.code == "missing-key"
    assert problem.message == "alias 'release' needs 'version'"
    assert problem.at == ("release",)
    assert problem.hint == 'for example: version = "1"'


def test_a_required_field_of_a_wrong_type_is_reported_once() -> None:
    """It is there, so it is not missing as well."""
    reader = Reader({"version": 1}, "it", [])
    assert reader.required("version", '"1"') is None
    assert problems_of(reader) == [("wrong-type", ("version",))]


def test_a_value_outside_a_closed_list_is_reported_with_the_nearest() -> None:
    """The default stands in for it."""
    reader = Reader({"split": "evn"}, "alias 'a'", [])
    assert reader.choice("split", ("random", "even"), "random") == "random"
    [problem] = reader.problems
    assert problem.code == "unknown-value"
    assert problem.at == ("split",)
    assert problem.message == "split of alias 'a' is 'evn'; allowed: random, even"
    assert problem.hint == "did you mean 'even'?"


def test_unknown_keys_are_reported_on_the_key_with_the_nearest_known_one() -> None:
    """A typo is never a silent default, and every typo is told."""
    reader = Reader({"weigths": {}, "version": "1", "zzz": 1}, "alias 'a'", [], ("a",))
    reader.mapping("weights")
    reader.required("version", '"1"')
    reader.finish()
    first, second = reader.problems
    assert (first.code, first.at, first.on_key) == ("unknown-key", ("a", "weigths"), True)
    assert first.message == "alias 'a' has no key 'weigths'; allowed: version, weights"
    assert first.hint == "did you mean 'weights'?"
    assert (second.at, second.hint) == (("a", "zzz"), "")


def test_keys_that_users_choose_are_never_unknown() -> None:
    """Aliases and functions are tables whose keys are names."""
    reader = Reader({"release": {}, "prepub": {}}, "the aliases", [])
    assert reader.keys() == ["release", "prepub"]
    reader.finish()
    assert reader.problems == []


def test_readers_of_one_input_share_their_problems() -> None:
    """Mistakes keep the order of the input and their own places."""
    problems: list[Problem] = []
    Reader({"a": 1}, "first", problems, ("first",)).text("a")
    Reader({}, "second", problems, ("second", 2)).wrong("odd", "is odd", "x", 3, hint="no")
    assert [problem.at for problem in problems] == [("first", "a"), ("second", 2, "x", 3)]
    assert problems[1].hint == "no"
