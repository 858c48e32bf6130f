"""Lines of every format become records; what is none is told and passed over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.observed_records import (
    FORMATS,
    LONGEST,
    getter,
    named,
    recognised,
    written,
)

CLF = '10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12'


def read(name: str, *lines: str) -> list[Any]:
    """The records of some lines."""
    return list(named(name).read(lines))


@pytest.mark.parametrize(
    ("name", "lines", "records"),
    [
        pytest.param("json", ['{"v": 1}', "", "  "], [{"v": 1}], id="JSON, empty lines"),
        pytest.param("json", ["[1]", "{"], ["no JSON object"] * 2, id="no object"),
        pytest.param("json", ["[" * 100_000], ["no JSON object"], id="deep"),
        pytest.param("csv", ["a,b\n", "1,2\n"], [{"a": "1", "b": "2"}], id="CSV"),
        pytest.param("csv", ["\ufeffa\n", '"x\n', 'y"\n'], [{"a": "x\ny"}], id="quoted line end"),
        pytest.param(
            "csv", ["a,b\n", "1\n", "\n"], ["1 cells where there are 2 columns"], id="short row"
        ),
        pytest.param("csv", ["a\n", "\0\n"], [{"a": "\ufffd"}], id="NUL"),
        pytest.param("tsv", ["a\tb\n", "1\t2\n"], [{"a": "1", "b": "2"}], id="tabs"),
        pytest.param("keyvalue", ["a=1 b=two c="], [{"a": "1", "b": "two", "c": ""}], id="pairs"),
        pytest.param(
            "keyvalue",
            [r'level=info a="x \"y\" z"'],
            [{"level": "info", "a": 'x "y" z'}],
            id="quoted",
        ),
        pytest.param("keyvalue", ["none here"], ["no field=value pairs"], id="no pair"),
        pytest.param("common", ["x"], ["not in common"], id="another"),
        pytest.param(
            "json", ["x" * (LONGEST + 1)], ["longer than a million characters"], id="too long"
        ),
    ],
)
def test_lines_become_records(name: str, lines: Sequence[str], records: list[Any]) -> None:
    """Or a sentence on what is wrong with them; empty ones are nothing."""
    assert read(name, *lines) == records


def test_a_cell_without_end_is_one_bad_row() -> None:
    """The reader goes on after it, or ends."""
    found = read("csv", "a\n", '"' + "x" * 200_000 + "\n", "1\n")
    assert found[0].startswith("no row: ")


def test_an_access_log_has_its_fields_by_name() -> None:
    """Of the common format, and of a format string."""
    [record] = read("common", CLF)
    assert record["remote_addr"] == "10.0.0.1"
    [record] = written("$time_local|$status").read(["now|200"])
    assert record == {"time_local": "now", "status": "200"}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('{"a": 1}', "json"),
        (CLF, "common"),
        (f'{CLF} "-" "curl"', "combined"),
        ("a=1 b=2", "keyvalue"),
        ("a,b,c", None),
        ("", None),
    ],
)
def test_a_format_is_recognised_by_a_line(line: str, name: str | None) -> None:
    """But for tables, whose first line may be anything."""
    found = recognised(line)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("a", "1", id="number"),
        pytest.param("f", "0.25", id="decimal"),
        pytest.param("t", "true", id="true"),
        pytest.param("n", "false", id="false"),
        pytest.param("o.p", "deep", id="inside"),
        pytest.param("x.y", "flat", id="a name with a dot"),
        pytest.param("h.user", "Bob", id="pairs, no case"),
        pytest.param("h.none", None, id="no such pair"),
        pytest.param("a.b", None, id="inside a number"),
        pytest.param("o", None, id="an object"),
        pytest.param("e", None, id="empty"),
        pytest.param("d", None, id="dash"),
        pytest.param("z", None, id="absent"),
    ],
)
def test_a_field_is_found(name: str, value: str | None) -> None:
    """As text, wherever it is; what is empty or `-` is not there."""
    record = {
        "a": 1, "f": 0.25, "t": True, "n": False, "o": {"p": "deep"}, "x.y": "flat",
        "h": [["Other", "x"], "odd", ["User", "Bob"]], "e": "", "d": "-",
    }  # fmt: skip
    assert getter(name)(record) == value


@given(st.sampled_from(FORMATS), st.lists(st.text(max_size=80), max_size=5))
def test_no_line_breaks_a_reader(name: str, lines: list[str]) -> None:
    """Every line is a record, a sentence, or nothing."""
    for record in named(name).read(lines):
        assert isinstance(record, dict | str)


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_json_comes_back(record: dict[str, str]) -> None:
    """Whatever its names and values are."""
    assert read("json", json.dumps(record)) == ([record] if record else ["no JSON object"])
