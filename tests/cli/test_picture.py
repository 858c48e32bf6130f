"""Small pictures for the terminal."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.picture import (
    alias_words,
    clean,
    columns,
    in_line,
    json_text,
    percent,
    shares_of,
    table,
    traffic_picture,
)
from gateway.observe import Counters, Label


def test_columns_are_aligned_and_rows_end_with_text() -> None:
    """No white space at line ends."""
    assert columns([("a", "long", "x"), ("longer", "b", "")]) == "a       long  x\nlonger  b"


def test_styles_and_wide_characters_do_not_displace_columns() -> None:
    """A terminal shows no escape sequences, and some characters in two cells."""
    assert columns([(click.style("a", bold=True), "x"), ("日本", "x"), ("e\u0301", "x")]) == (
        "\x1b[1ma\x1b[0m     x\n日本  x\ne\u0301     x"
    )


def test_a_table_without_rows_has_its_headings() -> None:
    """In bold, where there is a terminal."""
    assert click.unstyle(table(("A", "B"), [])) == "A  B"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ntext", "plain\ntext"),
        ("a\tb", "a    b"),
        ("\x1b[2J", "\ufffd[2J"),
        ("a\rb\x7f", "a\ufffdb\ufffd"),
        ("\u202eabc", "\ufffdabc"),
        ("\ud800", "\ufffd"),
        ("日本 é", "日本 é"),
    ],
)
def test_text_of_others_does_not_steer_the_terminal(text: str, shown: str) -> None:
    """Its characters are shown, or something in their place."""
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("one", "one"),
        ("one\ntwo", "one ..."),
        ("\n one \n", "one"),
        ("a\x1bb", "a\ufffdb"),
    ],
)
def test_a_cell_has_one_line(text: str, shown: str) -> None:
    """And says that there are more."""
    assert in_line(text) == shown


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_json_can_be_written_to_every_output(value: object) -> None:
    """Also half a pair of surrogates, which JSON may name."""
    text = json_text(value)
    assert json.loads(text.encode()) == value
    assert json_text("日本\ud800") == '"\\u65e5\\u672c\\ud800"'
    assert json_text("日本") == '"日本"'


ALIAS: dict[str, Any] = {
    "version": "1",
    "weights": {},
    "rules": [],
    "split": "random",
    "sticky_by": None,
    "description": "",
}
BOB = {"when": "invoke.headers.User exact Bob", "version": "4"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "1"),
        ({"weights": {"2": 0.1}}, "1 90 %, 2 10 %"),
        ({"weights": {"2": 0.1, "3": 0.2}, "split": "even"}, "1 70 %, 2 10 %, 3 20 % (even)"),
        ({"weights": {"2": 1e-12}}, "1 99.9999999999 %, 2 0.0000000001 %"),
        ({"weights": {"2": 0}}, "1 100 %, 2 0 %"),
        ({"weights": {"2": 1.0}}, "1 0 %, 2 100 %"),
        ({"rules": [BOB]}, "invoke.headers.User exact Bob -> 4; else 1"),
        ({"rules": [BOB], "weights": {"2": 0.5}},
         "invoke.headers.User exact Bob -> 4; 1 50 %, 2 50 %"),
        ({"rules": [{**BOB, "when": "a\x1bb"}]}, "a\ufffdb -> 4; else 1"),
    ],
)  # fmt: skip
def test_an_alias_is_told_exactly(more: dict[str, object], words: str) -> None:
    """No share is rounded: 99.999 % is not 100 %."""
    assert alias_words({**ALIAS, **more}) == words


@given(st.lists(st.integers(0, 10**12), max_size=4))
def test_shares_of_an_alias_are_exact(parts: list[int]) -> None:
    """They add up to one."""
    scale = max(sum(parts), 1)
    weights = {str(n + 2): round(part / scale / 2, 12) for n, part in enumerate(parts)}
    shares = shares_of({**ALIAS, "weights": weights})
    assert sum(shares.values()) == 1
    assert list(shares) == ["1", *weights]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.1, "10 %"),
        (0.125, "12.5 %"),
        (1 / 3, "33.33 %"),
        (Decimal("0.99999"), "99.999 %"),
        (Decimal(1), "100 %"),
    ],
)
def test_shares_are_read_as_per_cent(share: float, text: str) -> None:
    """With up to four digits."""
    assert percent(share) == text


def test_traffic_of_nobody_is_one_line() -> None:
    """There is no table without rows."""
    counters = Counters()
    assert traffic_picture(counters) == "answered 0 requests"
    counters.cell(Label("dev")).count(404)
    assert traffic_picture(counters) == "answered 1 request"


def test_traffic_is_told_by_stage_and_version() -> None:
    """With shares within an alias, and errors."""
    counters = Counters()
    for version, times, status in (("1", 2700, 200), ("2", 290, 200), ("2", 10, 430)):
        cell = counters.cell(Label("release", "orders", "release", version, "main"))
        for _ in range(times):
            cell.count(status)
    counters.cell(Label("dev", "orders", "$DEFAULT", "$LATEST", "main")).count(200)
    assert click.unstyle(traffic_picture(counters)) == (
        "STAGE    FUNCTION  ALIAS     VERSION  REQUESTS  SHARE  ERRORS\n"
        "dev      orders    $DEFAULT  $LATEST  1         100 %  0\n"
        "release  orders    release   1        2,700     90 %   0\n"
        "release  orders    release   2        300       10 %   10\n"
        "answered 3,001 requests"
    )
