"""Arrival traces: columns by their names or as they are told, rows that are none."""

from __future__ import annotations

import pytest

from gateway.traffic.csv_arrivals import Columns, read_csv, times_in
from gateway.traffic.failures import BadLine, Unreadable
from gateway.traffic.opening import MAX_LINE
from gateway.traffic.recording import Answered, Origin, Recorded
from gateway.traffic.skipping import TOO_LONG, Skipped

USUAL = Columns()


def imported(
    text: str, columns: Columns = USUAL, *, strict: bool = False
) -> tuple[list[Recorded], dict[str, int]]:
    """The requests, and how many rows were skipped by their reasons."""
    skipped = Skipped("trace.csv", strict=strict)
    found = list(read_csv(text.encode().split(b"\n"), "trace.csv", columns, skipped))
    return found, {why: reason.count for why, reason in skipped.reasons.items()}


def test_a_trace_that_has_only_times() -> None:
    """What is asked for is said once."""
    found, skipped = imported(
        "TIMESTAMP,ContextTokens\n1970-01-01 00:00:01.5000000,4808\n1970-01-01 00:00:02,3\n",
        Columns(request="POST /orders?a=1"),
    )
    assert found == [
        Recorded(1.5, "POST", "/orders", "a=1", origin=Origin("trace.csv", 2)),
        Recorded(2.0, "POST", "/orders", "a=1", origin=Origin("trace.csv", 3)),
    ]
    assert not skipped


def test_a_trace_that_has_everything() -> None:
    """Columns are found by their names, in any case; what is empty is as usual."""
    text = (
        "\ufeffTime,Method,Path,Query,Body,User,Status,Duration\n"
        '1,PUT,/a b?c,d=ü,"x,\ny",Bob,201,0.5\n'
        "2,,,,,,,\n"
    )
    found, skipped = imported(text, Columns(request="GET /usual?q"))
    assert found == [
        Recorded(
            1.0,
            "PUT",
            "/a%20b",
            "d=%C3%BC",
            body=b"x,\ny",
            user="Bob",
            origin=Origin("trace.csv", 3),
            answer=Answered(201, 0.5),
        ),
        Recorded(2.0, "GET", "/usual", "q", origin=Origin("trace.csv", 4)),
    ]
    assert not skipped


def test_columns_can_be_named() -> None:
    """Also for headers, and against what their names say."""
    named = {"time": "arrived", "header:User": "customer", "header:Host": "time"}
    text = "time;arrived;customer\nx;1500;Bób\nshop;2500\n"
    found, _ = imported(text, Columns(named, unit=1e-3))
    assert [(each.at, each.headers) for each in found] == [
        (1.5, (("User", "B\xc3\xb3b"), ("Host", "x"))),
        (2.5, (("Host", "shop"),)),
    ]


@pytest.mark.parametrize("unit", [1.0, 1e-3])
def test_a_trace_of_gaps(unit: float) -> None:
    """Times are their sums."""
    found, _ = imported("gap\n0\n1\n2\n", Columns(unit=unit))
    assert [each.at for each in found] == [0.0, 1 * unit, 3 * unit]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    """Whichever the first line has most."""
    rows = [["ts", "path"], ["1", "/a"]]
    [request], _ = imported("\n".join(delimiter.join(row) for row in rows))
    assert (request.at, request.path) == (1.0, "/a")


@pytest.mark.parametrize(
    ("status", "duration", "answer"),
    [
        ("200", "", Answered(200)),
        ("200", "-1", Answered(200)),
        ("99", "1", None),
        ("1000", "1", None),
        ("²00", "1", None),
        ("ok", "1", None),
    ],
)
def test_answers(status: str, duration: str, answer: Answered | None) -> None:
    """Only what HTTP knows."""
    [request], _ = imported(f"ts,status,duration\n1,{status},{duration}\n")
    assert request.answer == answer


SKIPPED = {
    "no time": ("soon,GET,/a", "its time is none"),
    "no number": ("nan,GET,/a", "its time is none"),
    "no method": ("1,get it,/a", "its method is none of HTTP"),
    "no path": ("1,GET,a", "its path is none"),
    "a field that is too long": ("1,GET,/" + "x" * 200_000, "no row of CSV"),
    "a line that is too long": ("1,GET,/" + "x" * MAX_LINE, TOO_LONG),
}


@pytest.mark.parametrize(("row", "why"), SKIPPED.values(), ids=SKIPPED)
def test_rows_that_are_no_arrivals_are_counted(row: str, why: str) -> None:
    """And those around them are read."""
    found, skipped = imported(f"ts,method,path\n1,,\n{row}\n\n2,,\n")
    assert [request.at for request in found] == [1.0, 2.0]
    assert skipped == {why: 1}


@pytest.mark.parametrize(("row", "why"), SKIPPED.values(), ids=SKIPPED)
def test_such_a_row_stops_a_strict_import(row: str, why: str) -> None:
    """With its line."""
    with pytest.raises(BadLine, match=rf"^trace.csv:3: {why}"):
        imported(f"ts,method,path\n1,,\n{row}\n", strict=True)


def test_a_quote_that_is_never_closed_is_not_held() -> None:
    """It ends where a field may be no longer."""
    text = 'ts,path\n1,/a\n2,"/' + "\n".join(["x" * 1000] * 300) + "\n"
    found, skipped = imported(text)
    assert [request.at for request in found] == [1.0]
    assert skipped["no row of CSV"] >= 1


@pytest.mark.parametrize(
    "text", ["", "\n", "a\rb\n", "size,n\n1,2\n"], ids=["nothing", "a line", "a return", "sizes"]
)
def test_a_trace_without_times_is_refused(text: str) -> None:
    """With what to do about it."""
    with pytest.raises(Unreadable, match="none of its columns is known as a time") as refused:
        imported(text)
    assert "--column time=" in refused.value.hint


def test_a_column_that_is_not_there_is_refused() -> None:
    """With those that are, and the nearest."""
    sentence = "no column 'arived'; it has arrived, n; did you mean 'arrived'"
    with pytest.raises(Unreadable, match=sentence):
        imported("arrived,n\n", Columns({"time": "arived"}))


@pytest.mark.parametrize("request_line", ["", "GET", "GET a", "g(t /a", "GET /a b"])
def test_a_request_that_is_none_is_refused(request_line: str) -> None:
    """When it is given."""
    with pytest.raises(ValueError, match="is no request; for example: 'GET /orders/1'"):
        Columns(request=request_line)


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        ("tmie", "'tmie' is nothing that a column can be; allowed: time, gap, "),
        ("paths", "header:NAME; did you mean 'path'"),
    ],
)
def test_a_role_that_is_none_is_refused(role: str, sentence: str) -> None:
    """With those that are, and the nearest."""
    with pytest.raises(ValueError, match=sentence):
        Columns({role: "a"})


@pytest.mark.parametrize(
    ("first", "known"), [("TIMESTAMP,a", True), ("a;iat", True), ("ts", True), ("a,b", False)]
)
def test_a_first_line_with_a_time_is_known_when_seen(first: str, *, known: bool) -> None:
    """By the names of columns."""
    assert times_in(first) is known
