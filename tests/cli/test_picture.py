"""Small pictures for the terminal."""

from __future__ import annotations

import pytest

from gateway.cli.picture import columns, percent, traffic_picture
from gateway.observe import Counters, Label, count


def test_columns_are_aligned_and_rows_end_with_text() -> None:
    """No white space at line ends."""
    assert columns([("a", "long", "x"), ("longer", "b", "")]) == "a       long  x\nlonger  b"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.1, "10 %"), (0.125, "12.5 %"), (1 / 3, "33.33 %")],
)
def test_shares_are_read_as_per_cent(share: float, text: str) -> None:
    """With up to four digits."""
    assert percent(share) == text


def test_traffic_of_nobody_is_one_line() -> None:
    """There is no table without rows."""
    counters = Counters()
    assert traffic_picture(counters) == "answered 0 requests"
    count(counters.tally(Label("dev")), 404)
    assert traffic_picture(counters) == "answered 1 request"


def test_traffic_is_told_by_stage_and_version() -> None:
    """With shares within an alias, and errors."""
    counters = Counters()
    for version, times, status in (("1", 2700, 200), ("2", 290, 200), ("2", 10, 430)):
        tally = counters.tally(Label("release", "orders", "release", version, "main"))
        for _ in range(times):
            count(tally, status)
    count(counters.tally(Label("dev", "orders", "$DEFAULT", "$LATEST", "main")), 200)
    assert traffic_picture(counters) == (
        "STAGE    FUNCTION  ALIAS     VERSION  REQUESTS  SHARE  ERRORS\n"
        "dev      orders    $DEFAULT  $LATEST  1         100 %  0\n"
        "release  orders    release   1        2,700     90 %   0\n"
        "release  orders    release   2        300       10 %   10\n"
        "answered 3,001 requests"
    )
