"""How a mistake is drawn: the caret is below the right cells, whatever the line holds."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import ConfigurationInvalid, Diagnostic, render
from gateway.config.diagnostics import WIDEST


def drawn(line: str, column: int, length: int = 1, number: int = 12) -> list[str]:
    """A diagnostic's line and caret."""
    found = Diagnostic("stages.toml", number, column, "code", "message", "", line, length)
    return str(found).split("\n")[1:]


def test_the_whole_text() -> None:
    """Place, code and sentence; the line; the caret; the hint."""
    found = Diagnostic(
        file="stages.toml",
        line=12,
        column=23,
        code="unknown-version",
        message="alias 'release' names version '7'; it has 1, 2, 3, 4 and $LATEST",
        hint="publish it first",
        source_line='release = { version = "7" }',
        length=3,
    )
    assert str(found) == (
        "stages.toml:12:23: error[unknown-version]: "
        "alias 'release' names version '7'; it has 1, 2, 3, 4 and $LATEST\n"
        '   12 | release = { version = "7" }\n'
        "      |                       ^^^\n"
        "      = hint: publish it first"
    )


@pytest.mark.parametrize(
    ("line", "column", "length", "expected"),
    [
        pytest.param("abc = 1", 7, 1, ["   12 | abc = 1", "      |       ^"], id="plain"),
        pytest.param("\tabc", 2, 3, ["   12 |     abc", "      |     ^^^"], id="a tab is 4 cells"),
        pytest.param("a\tbc", 3, 2, ["   12 | a   bc", "      |     ^^"], id="a tab to its stop"),
        pytest.param("商店 x", 4, 1, ["   12 | 商店 x", "      |      ^"], id="wide before"),
        pytest.param("x 商店", 3, 2, ["   12 | x 商店", "      |   ^^^^"], id="wide meant"),
        pytest.param("e\u0301 x", 4, 1, ["   12 | e\u0301 x", "      |   ^"], id="combining"),
        pytest.param("\x1b[31m x", 7, 1, ["   12 | \ufffd[31m x", "      |       ^"], id="escape"),
        pytest.param("\u202ex", 2, 1, ["   12 | \ufffdx", "      |  ^"], id="direction"),
        pytest.param("abc", 4, 1, ["   12 | abc", "      |    ^"], id="behind the end"),
        pytest.param("abc", 2, 99, ["   12 | abc", "      |  ^^"], id="no longer than the line"),
        pytest.param("   ", 2, 1, [], id="an empty line is not shown"),
    ],
)
def test_the_caret(line: str, column: int, length: int, expected: list[str]) -> None:
    """Cells are counted, not characters."""
    assert drawn(line, column, length) == expected


def test_a_large_line_number_moves_the_margin() -> None:
    """The bars stay below each other."""
    assert drawn("a", 1, number=1234567) == ["1234567 | a", "        | ^"]


@pytest.mark.parametrize("column", [1, 60, 500, 941, 1000])
def test_a_long_line_is_shown_around_the_caret(column: int) -> None:
    """The character that is meant stands above the caret."""
    line = "".join(chr(ord("a") + index % 26) for index in range(1000))
    shown, caret = drawn(line, column)
    assert len(shown) <= WIDEST + len("   12 | ……")
    assert shown[caret.index("^")] == line[column - 1]


def test_of_a_whole_file_only_its_name_is_shown() -> None:
    """There is no line to show."""
    found = Diagnostic("stages.toml", 0, 0, "missing-file", "there is no such file", "look")
    assert str(found) == (
        "stages.toml: error[missing-file]: there is no such file\n      = hint: look"
    )
    assert found.to_dict()["line"] is None


def test_as_json() -> None:
    """Every part, for programs."""
    found = Diagnostic("stages.toml", 1, 2, "code", "message", "hint", "line", 3)
    assert json.loads(json.dumps(found.to_dict())) == {
        "severity": "error",
        "code": "code",
        "message": "message",
        "hint": "hint",
        "file": "stages.toml",
        "line": 1,
        "column": 2,
        "length": 3,
        "source_line": "line",
    }


def test_an_invalid_configuration_says_everything() -> None:
    """The error's text is all diagnostics."""
    found = [Diagnostic("a", 1, 1, "x", "first"), Diagnostic("a", 2, 1, "y", "second")]
    error = ConfigurationInvalid(found)
    assert error.diagnostics == tuple(found)
    assert str(error) == render(found) == "a:1:1: error[x]: first\n\na:2:1: error[y]: second"


@given(st.text(max_size=300), st.integers(1, 320), st.integers(1, 320))
def test_any_line_can_be_drawn(line: str, column: int, length: int) -> None:
    """No line of a file can reach the terminal's control sequences, or fail."""
    for part in drawn(line, column, length):
        assert not any(
            unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} for character in part
        )
