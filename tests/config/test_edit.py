"""Editing a text: what is removed, added and replaced, and what stays around it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from gateway.config.edit import Editor, key_text, value_text
from gateway.config.positions import Positions
from gateway.config.statements import statements
from gateway.core.errors import Place


def flat(_place: Place) -> bool:
    """No table has a header of its own."""
    return False


def deep(_place: Place) -> bool:
    """Every table has a header of its own."""
    return True


def edited(old: str, new: dict[str, Any], section: Callable[[Place], bool] = flat) -> str:
    """The text, edited to hold other values; it does."""
    editor = Editor(old, section)
    editor.update((), tomllib.loads(old), new)
    text = editor.result()
    assert tomllib.loads(text) == new
    return text


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "nothing": ("a = 1", {"a": 1}, "a = 1\n"),
    "a value": ("a = 1 # why\n", {"a": 2}, "a = 2 # why\n"),
    "a value of another type": ("a = 1\n", {"a": {"b": 1}}, "a = { b = 1 }\n"),
    "a table that becomes a value": ("[t]\n[t.a]\nb = 1\n", {"t": {"a": 1}}, "[t]\na = 1\n"),
    "a value in a table that becomes a table": (
        "[a]\nb.c = 1\n",
        {"a": {"b": {"c": {"d": 1}}}},
        "[a]\nb.c = { d = 1 }\n",
    ),
    "a list of tables that becomes a table": (
        "[t]\nx = 1\n[[t.a]]\nb = 1\n[[t.a]]\n",
        {"t": {"x": 1, "a": {"b": 1}}},
        "[t]\nx = 1\na = { b = 1 }\n",
    ),
    "a new value in a table of dotted keys that has one with a header": (
        "a.b = 1\n\n[a.c]\nd = 1\n",
        {"a": {"b": 1, "c": {"d": 1}, "e": 2}},
        "a.b = 1\na.e = 2\n\n[a.c]\nd = 1\n",
    ),
    "a new value in an empty table": ("[a]\n[b]\n", {"a": {"c": 1}, "b": {}}, "[a]\nc = 1\n[b]\n"),
    "an empty table at the end": ("[a]\nb = 1\n[c]", {"c": {}}, "[c]\n"),
    "comments go with their line": (
        "# of a\na = 1\n# of b\n# and more\nb = 2\n\n# of nothing\n\nc = 3\n",
        {"a": 1, "c": 3},
        "# of a\na = 1\n\n# of nothing\n\nc = 3\n",
    ),
    "blank lines of one side stay": (
        "a = 1\n\nb = 2\n\nc = 3\n",
        {"a": 1, "c": 3},
        "a = 1\n\nc = 3\n",
    ),
    "the last lines leave no blank ones": ("a = 1\n\nb = 2\n", {"a": 1}, "a = 1\n"),
    "the first lines neither": ("a = 1\n\nb = 2\n", {"b": 2}, "b = 2\n"),
    "values in lists and tables": (
        "a = [ { b = 1 }, # one\n  { b = 2 } ]\n",
        {"a": [{"b": 1}, {"b": 3}]},
        "a = [ { b = 1 }, # one\n  { b = 3 } ]\n",
    ),
    "a list of another length": ("a = [ 1, 2 ]\n", {"a": [1, 2, 3]}, "a = [1, 2, 3]\n"),
    "a table with another key": (
        "a = { b = 0x10, 'c' = '''d''' }\n",
        {"a": {"c": "d", "e": 1, "b": 16}},
        "a = { 'c' = '''d''', e = 1, b = 0x10 }\n",
    ),
    "dotted keys in a table": (
        "a = { b.c = 1, b.d = 2, e.f = 3 }\n",
        {"a": {"b": {"c": 1, "d": 3}, "e": {"f": 3}}},
        "a = { b = { c = 1, d = 3 }, e = { f = 3 } }\n",
    ),
    "a table that loses everything": ("a = { b = 1 }\n", {"a": {}}, "a = {}\n"),
    "the order of keys": (
        "[t]\n[t.a]\nb = 1\nc = 2\n\n[d]\n",
        {"t": {"a": {"c": 2, "b": 1}}, "d": {}},
        "[t]\na = { c = 2, b = 1 }\n\n[d]\n",
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), CASES.values(), ids=CASES.keys())
def test_only_what_differs_is_edited(old: str, new: dict[str, Any], expected: str) -> None:
    """To the letter."""
    assert edited(old, new) == expected


def test_a_new_table_is_a_block_with_a_blank_line_around() -> None:
    """Inner tables are blocks of their own; a table of tables needs no header."""
    new = {"a": {"b": 1}, "c": {"d": {"e": 1}}, "f": {"x": 1, "y": {"z": 2}}}
    assert edited("[a]\nb = 1\n", new, deep) == (
        "[a]\nb = 1\n\n[c.d]\ne = 1\n\n[f]\nx = 1\n\n[f.y]\nz = 2\n"
    )


def test_a_block_does_not_swallow_the_pairs_that_follow() -> None:
    """A header ends the table before it."""
    old = "a.b = 1\nc = 2\n[d]\ne = 1\n"
    new = {"a": {"b": 1, "x": {"y": 1}}, "c": 2, "d": {"e": 1}}
    assert edited(old, new, deep) == "a.b = 1\nc = 2\n\n[a.x]\ny = 1\n\n[d]\ne = 1\n"


def test_values_in_tables_that_only_inner_headers_imply() -> None:
    """All new ones of a table are under one header."""
    old = "[a.b]\nc = 1\n"
    assert (
        edited(old, {"a": {"b": {"c": 1}, "d": 1, "e": 2}}) == "[a.b]\nc = 1\n\n[a]\nd = 1\ne = 2\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param('a\n"b"\\\x7f', r'"a\n\"b\"\\\u007f"', id="a string"),
        pytest.param(True, "true", id="a boolean"),
        pytest.param(Decimal("1E-12"), "0.000000000001", id="a small decimal"),
        pytest.param([], "[]", id="an empty list"),
        pytest.param({}, "{}", id="an empty table"),
        pytest.param(
            {"$LATEST": [{"2": Decimal("0.5")}]}, '{ "$LATEST" = [{ "2" = 0.5 }] }', id="all"
        ),
    ],
)
def test_values_are_written_on_one_line(value: object, text: str) -> None:
    """And are read as they were."""
    assert value_text(value) == text
    assert tomllib.loads(f"a = {text}", parse_float=Decimal) == {"a": value}


@pytest.mark.parametrize("key", ["a", "2", "a.b", "", "$LATEST", 'q"q', "ü", "a b"])
def test_keys_are_written_so_that_they_are_read(key: str) -> None:
    """In quotes where they need them, and where they look like numbers."""
    assert tomllib.loads(f"{key_text('x', key)} = 1") == {"x": {key: 1}}
    assert (key_text(key) == key) == (key == "a")


def test_statements_know_their_lines() -> None:
    """Comments right above belong to them; what is inside a value is none."""
    data = b"# top\n\n# of a\na = [ # in a\n  { b = 1 },\n]\n[[c]] # of c\n  d.e = 1\n[f]"
    found = [
        (s.place, s.header, data[s.first : s.end].decode().splitlines()[0], s.outer)
        for s in statements(data, Positions(data))
    ]
    assert found == [
        (("a",), False, "# of a", ()),
        (("c", 0), True, "[[c]] # of c", ("c", 0)),
        (("c", 0, "d", "e"), False, "  d.e = 1", ("c", 0)),
        (("f",), True, "[f]", ("f",)),
    ]
