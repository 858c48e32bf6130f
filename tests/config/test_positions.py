"""Positions agree with tomllib: what it finds has a place, and the text there says the same."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.positions import Positions, Span
from gateway.core.errors import Place

KEYS = st.one_of(
    st.sampled_from(
        ["a", "b", "c", "a-b", "1", "$DEFAULT", "a.b", "", "ключ", "it's", 'q"q', "\\"]
    ),
    st.text(st.characters(codec="utf-8"), max_size=4),
)
SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(dt.date(1, 1, 1)),
    st.text(st.characters(codec="utf-8"), max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=5)


class Writer:
    """Writes a document in one of the many spellings that TOML has for it.

    Args:
        draw: Hypothesis's dice.
    """

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw

    def chance(self) -> bool:
        """A coin."""
        return bool(self.draw(st.booleans()))

    def document(self, table: dict[str, object]) -> str:
        """The whole text."""
        end = "\r\n" if self.chance() else "\n"
        return end.join(self.lines(table, ())) + end

    def lines(self, table: dict[str, object], outer: tuple[str, ...]) -> Iterator[str]:
        """A table's own pairs, then its tables with headers."""
        later: list[tuple[str, object]] = []
        for key, value in table.items():
            if (isinstance(value, dict) or is_tables(value)) and self.chance():
                later.append((key, value))
            else:
                yield from self.pairs((key,), value, comment=self.chance())
        for key, value in later:
            place = (*outer, self.key(key))
            header = self.draw(st.sampled_from([".", " . "])).join(place)
            if isinstance(value, dict):
                yield f"[ {header} ]"
                yield from self.lines(value, place)
            for element in value if isinstance(value, list) else ():
                yield f"[[{header}]] # element"
                yield from self.lines(element, place)

    def pairs(self, path: tuple[str, ...], value: object, *, comment: bool) -> Iterator[str]:
        """`key = value`, or dotted keys for every pair inside."""
        if isinstance(value, dict) and value and self.chance():
            for key, inner in value.items():
                yield from self.pairs((*path, key), inner, comment=comment)
            return
        key = ".".join(map(self.key, path))
        yield f"{key} = {self.value(value)}{' # a = 1' if comment else ''}"

    def key(self, key: str) -> str:
        """A key: bare, literal or quoted."""
        if key.isascii() and key.replace("-", "").replace("_", "").isalnum() and self.chance():
            return key
        if "'" not in key and key.isprintable() and self.chance():
            return f"'{key}'"
        return string(key)

    def value(self, value: object) -> str:
        """A value on one line, lists on several."""
        if isinstance(value, dict):
            pairs = [
                line for key, v in value.items() for line in self.pairs((key,), v, comment=False)
            ]
            return "{ " + ", ".join(pairs) + " }"
        if isinstance(value, list):
            gap = self.draw(st.sampled_from(["", " ", "\n  ", " # [\n"]))
            return f"[{gap}" + f",{gap}".join(map(self.value, value)) + f"{gap}]"
        if isinstance(value, str):
            return self.text(value)
        return scalar(value)

    def text(self, value: str) -> str:
        """A string, quoted in one of the ways that can hold it."""
        if value.isprintable() and "'" not in value and self.chance():
            quotes = "'" if self.chance() else "'''"
            return quotes + value + quotes
        if self.chance():
            return f'"""\n{string(value)[1:-1]}"""'
        return string(value)


def string(text: str) -> str:
    """A basic string; JSON's escapes are TOML's, except for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def scalar(value: object) -> str:
    """A number, a boolean or a date."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_tables(value: object) -> bool:
    """Whether a list can be written with `[[...]]`."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


@st.composite
def texts(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """TOML texts in every spelling."""
    return Writer(draw).document(draw(DOCUMENTS))


def paths(value: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Every place of a document with its value."""
    if place:
        yield place, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*place, index))


def cut(text: str, span: Span) -> str:
    """The text of a span."""
    return text.encode()[span.start : span.end].decode()


@given(texts())
def test_every_place_that_tomllib_finds_has_a_position(text: str) -> None:
    """The key's text means the key, the value's text means the value."""
    document = tomllib.loads(text)
    positions = Positions(text.encode())
    assert positions.repeated == []
    for place, value in paths(document):
        key, shown = positions.keys[place], cut(text, positions.values[place])
        if isinstance(place[-1], str):
            assert tomllib.loads(f"{cut(text, key)} = 0") == {place[-1]: 0}
        if not isinstance(value, dict) and not is_tables(value):
            assert tomllib.loads(f"x = {shown}") == {"x": value}
        else:
            assert shown


@given(st.text(st.characters(codec="utf-8"), max_size=200) | texts())
def test_any_text_has_positions(text: str) -> None:
    """Broken texts are read as far as they go."""
    data = text.encode()
    positions = Positions(data)
    for span in (*positions.keys.values(), *positions.values.values()):
        assert 0 <= span.start <= span.end <= len(data)


TEXT = """
name = "x"
dotted.key . "quo.ted" = 1
[a.b]
'literal' = { one = 1, two = [ { deep = true }, 2 ] }
[[list]]
first = 1
[[list]]
[list.inner]
second = 2
[[list.more]]
third = 3
["\\u0061".c]
d = 4
"""


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        pytest.param(("name",), "name", '"x"', id="a pair"),
        pytest.param(("dotted",), "dotted", "dotted", id="implied by a dotted key"),
        pytest.param(("dotted", "key"), "key", "key", id="implied in the middle"),
        pytest.param(("dotted", "key", "quo.ted"), '"quo.ted"', "1", id="the end of a dotted key"),
        pytest.param(("a",), "a", "a", id="implied by a header"),
        pytest.param(("a", "b"), "b", "a.b", id="a header"),
        pytest.param(("a", "b", "literal", "one"), "one", "1", id="in an inline table"),
        pytest.param(("a", "b", "literal", "two", 1), "2", "2", id="an element"),
        pytest.param(
            ("a", "b", "literal", "two", 0, "deep"), "deep", "true", id="in a table in a list"
        ),
        pytest.param(("list",), "list", "list", id="a list of tables"),
        pytest.param(("list", 0, "first"), "first", "1", id="in the first table of a list"),
        pytest.param(("list", 1, "inner", "second"), "second", "2", id="below the last table"),
        pytest.param(("list", 1, "more", 0, "third"), "third", "3", id="a list in a list"),
        pytest.param(("a", "c", "d"), "d", "4", id="an escaped key"),
    ],
)
def test_where_things_stand(place: Place, key: str, value: str) -> None:
    """One example for each form that TOML has."""
    positions = Positions(TEXT.encode())
    assert cut(TEXT, positions.keys[place]) == key
    assert cut(TEXT, positions.values[place]) == value


def test_a_place_that_is_not_there_is_shown_around_it() -> None:
    """A missing key stands where its table stands; of the whole file nothing does."""
    positions = Positions(TEXT.encode())
    table = positions.find(("a", "b"))
    assert positions.find(("a", "b", "missing"), on_key=True) == table
    assert positions.find(("missing",)) is None
    assert positions.find(()) is None


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        pytest.param('["\\ud800".a]\n[b]\n', False, id="a key that means nothing"),
        pytest.param("a =  ", False, id="a key without a value"),
        pytest.param("a.b = 1\n[a]\n[a.b]\n", False, id="given twice"),
        pytest.param("[]\n[[]]\n", True, id="headers without a name"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_broken_texts_are_read_as_far_as_they_go(text: str, *, broken: bool) -> None:
    """The first place where the grammar lost its way is kept."""
    assert (Positions(text.encode()).broken is not None) is broken
