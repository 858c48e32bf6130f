"""Texts that are no TOML: edges that the corpus of bad files does not need to show."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import gateway.config.sentences
from gateway.config import ConfigurationInvalid, Diagnostic, load

Write = Callable[[str | bytes], Path]


def mistake(path: Path) -> Diagnostic:
    """The only mistake of a file."""
    with pytest.raises(ConfigurationInvalid) as caught:
        load(path)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        pytest.param("a = " + "[" * 5000, 1, 1, "too deeply", id="deep lists"),
        pytest.param("a = " + "9" * 5000, 1, 1, "too long", id="thousands of digits"),
        pytest.param("a = 1e" + "9" * 50, 1, 1, "too long", id="a huge exponent"),
        pytest.param("a = 0x" + "f" * 5000, 1, 5, "64 bits", id="thousands of hex digits"),
        pytest.param("a = [1, 2, 9223372036854775808]", 1, 12, "64 bits", id="inside a list"),
        pytest.param("\n\na = [\n1,\n", 3, 1, "not closed", id="a list of several lines"),
        pytest.param("a = {", 1, 1, "not closed", id="a table at the end"),
        pytest.param('a = "x', 1, 5, "string", id="a string at the end"),
        pytest.param('a = """x"""\nb = "x', 2, 5, "string", id="a string after a long one"),
        pytest.param("a = '''x\nb = 1\n", 1, 5, "string", id="a long literal"),
        pytest.param("a = 'x\nb = 'y'\n", 1, 5, "before the end of its line", id="a literal"),
        pytest.param("b = 1\n[b.c]\nd = 1\n", 2, 2, "'b.c'", id="a table in a number"),
        pytest.param("a = [1]\n[[a]]\n", 2, 3, "'a'", id="an element of a complete list"),
        pytest.param("a = { b.c = 1, b = 2 }\n", 1, 16, "'a.b'", id="twice, first implied"),
        pytest.param("b = {}\n[b]\n", 2, 2, "'b'", id="a table twice"),
        pytest.param("[a]\n[b]\n[a]\n[b]\n", 3, 2, "'a'", id="the first of two"),
        pytest.param("a = { x = 1 }\na.y = 1\n[c]\n[c]\n", 2, 1, "'a.y'", id="frozen before twice"),
        pytest.param("a = 1\r\nb = \r\n", 2, 5, "missing", id="windows line ends"),
        pytest.param('a = "\\', 1, 5, "string", id="a lone backslash at the end"),
        pytest.param('a = "x" "\\q" = 1\n', 1, 9, "behind", id="a broken key behind a value"),
        pytest.param('"\\q" = 1\n', 1, 2, "escape", id="a broken key"),
        pytest.param('["\\q"]\n', 1, 3, "escape", id="a broken header"),
        pytest.param("[[]]\n[]\n", 1, 3, "cannot begin", id="an empty element header"),
        pytest.param("a = 1 # \x01\n", 1, 9, "'\\x01'", id="a control character in a comment"),
        pytest.param("a = 1\rb = 2\n", 1, 6, "behind", id="a lone carriage return"),
    ],
)
def test_a_text_that_is_no_toml(
    write: Write, text: str, line: int, column: int, words: str
) -> None:
    """Told at its place, and never with a traceback."""
    found = mistake(write(text))
    assert (found.line, found.column) == (line, column)
    assert words in found.message
    assert str(found)


def test_a_sentence_that_is_not_known_yet_is_passed_on(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later Python may have new ones."""
    monkeypatch.setattr(gateway.config.sentences, "_GISTS", ())
    found = mistake(write("a\n"))
    assert found.message == "expected '=' after a key in a key/value pair"


def test_a_sentence_without_a_place_is_passed_on(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be no place that can be understood."""

    def refuse(_text: str, *, parse_float: object) -> object:
        raise tomllib.TOMLDecodeError(f"Bad luck {parse_float is None}")

    monkeypatch.setattr(tomllib, "loads", refuse)
    assert mistake(write("a = 1\n")).code == "syntax"


def test_tables_may_nest_as_deep_as_keys_go(write: Write) -> None:
    """Dotted keys make deep tables without recursion, and so are they checked."""
    key = ".".join(["a"] * 2000)
    with pytest.raises(ConfigurationInvalid) as caught:
        load(write(f'[service]\nname = "x"\n[{key}]\n'))
    assert [found.code for found in caught.value.diagnostics] == ["unknown-key"]
