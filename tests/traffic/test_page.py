"""A report is one file that draws without a network and escapes what it tells."""

from __future__ import annotations

import json
import re

import pytest

from gateway.traffic.page import LATEST, PALETTE, Plot, Table, Text, colour, page

EVIL = "<script>alert('</script>')</script>"
PLOT = Plot("Shares", [{"x": [1, 2], "y": [0.1, 0.2], "name": EVIL}], {"yaxis": {"title": "share"}})


def test_everything_that_is_told_is_escaped() -> None:
    """Text from a log cannot become markup, wherever it stands."""
    told = page(
        EVIL,
        EVIL,
        [Text(EVIL, (EVIL,)), Table(EVIL, (EVIL,), ((EVIL,),), note=EVIL)],
        {EVIL: EVIL},
    )
    assert "<script" not in told
    assert told.count("&lt;script&gt;alert(&#x27;&lt;/script&gt;&#x27;)&lt;/script&gt;") == 11


def test_the_data_of_a_plot_cannot_end_its_script() -> None:
    """It is JSON between tags, and reads back as it was."""
    told = page("t", "l", [PLOT])
    found = re.search(r'<script type="application/json" data-plot="plot-0">(.*?)</script>', told)
    assert found is not None
    assert json.loads(found[1])["data"][0]["name"] == EVIL


def test_nothing_is_fetched() -> None:
    """No element of the page names anything outside it."""
    told = page("t", "l", [PLOT])
    own = told.split("<script>")[0] + told.rsplit("<script>", 1)[1]
    assert re.search(r"\b(?:src|href)=|url\(|@import|https?://", own) is None
    assert "plotly.js" in told


def test_a_report_without_plots_carries_no_script() -> None:
    """It stays small."""
    assert len(page("t", "l", [Text("", ("only words",))])) < 3000


def test_columns_of_figures_are_aligned_to_the_right() -> None:
    """Those of words are not."""
    told = page("t", "l", [Table("h", ("A", "B"), (("a", "1"),), frozenset({"A"}))])
    assert '<td>a</td><td class="figure">1</td>' in told


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1", PALETTE[0]), ("2", PALETTE[1]), ("11", PALETTE[0]), ("$LATEST", LATEST)],
)
def test_a_version_has_its_colour(version: str, expected: str) -> None:
    """Neighbours differ."""
    assert colour(version) == expected


def test_what_is_no_number_has_a_colour_too() -> None:
    """A foreign log may name versions as it likes, and gets the same colour each time."""
    assert colour("blue") == colour("blue")
    assert colour("blue") in PALETTE
