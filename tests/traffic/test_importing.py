"""Importing as a whole: formats are told, order is put right, what is left out is said."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.failures import BadLine, Unreadable
from gateway.traffic.gor import END
from gateway.traffic.importing import FORMATS, LATE, WINDOW, Wanted, detect, imported, ordered
from gateway.traffic.opening import open_bytes
from gateway.traffic.recording import Recorded, write
from gateway.traffic.skipping import Skipped

LOG = b'192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12\n'
OWN = {"at": 1, "method": "GET", "path": "/", "version": "1", "reason": "main"}
SAMPLES = {
    "access-log": b"# a comment\n" + LOG,
    "nginx-json": b'{"time_iso8601": "1970-01-01T00:00:01Z", "request": "GET / HTTP/1.1"}\n',
    "har": b'\xef\xbb\xbf{\n "log": {"entries": [{"startedDateTime": "2015-12-20T10:03:36Z",'
    b' "request": {"method": "GET", "url": "http://shop/"}}]}}',
    "gor": b"1 ab 1439818823587396305 0\nGET / HTTP/1.1\r\n\r\n\n" + END + b"\n",
    "csv": b"TIMESTAMP,a\n1,2\n",
    "invocations": json.dumps(OWN).encode(),
    "recording": write(Recorded(7.0, "GET", "/")),
}


def file_of(tmp_path: Path, data: bytes) -> Path:
    """A file with something in it."""
    path = tmp_path / "in"
    path.write_bytes(data)
    return path


def result(
    path: Path, wanted: str | None = None, *, strict: bool = False
) -> tuple[list[Recorded], Skipped]:
    """The requests of a file, and what was skipped."""
    skipped = Skipped(str(path), strict=strict)
    with open_bytes(path) as opened:
        return list(imported(opened, Wanted(wanted), skipped)), skipped


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_format_is_told_by_its_beginning(tmp_path: Path, kind: str) -> None:
    """And read from there."""
    path = file_of(tmp_path, SAMPLES[kind])
    with open_bytes(path) as opened:
        assert detect(opened) == kind
    found, _ = result(path)
    assert [(request.at, request.method) for request in found] == [(0.0, "GET")]
    assert (found, [*FORMATS]) == (result(path, kind)[0], [*SAMPLES])


@pytest.mark.parametrize(
    "data",
    [b"Lorem ipsum\n", b'{"a": 1}\n', b"[1, 2]\n", b"a,b\n1,2\n", b"\x00\x01\x02", b"{\n"],
    ids=["words", "another object", "a list", "no times", "bytes", "half an object"],
)
def test_what_cannot_be_told_is_refused(tmp_path: Path, data: bytes) -> None:
    """With the beginning, and every name."""
    with pytest.raises(Unreadable, match="its format cannot be told; it begins with '") as refused:
        result(file_of(tmp_path, data))
    assert refused.value.hint == f"name it with --format: {', '.join(FORMATS)}"


@pytest.mark.parametrize("data", [b"", b"\n \n"], ids=["nothing", "blanks"])
def test_an_empty_file_is_refused(tmp_path: Path, data: bytes) -> None:
    """There is nothing to be told."""
    with pytest.raises(Unreadable, match="it is empty"):
        result(file_of(tmp_path, data))


def at(moments: list[float]) -> Iterator[Recorded]:
    """Requests at some times, with their place as their path."""
    return (Recorded(moment, "GET", f"/{n}") for n, moment in enumerate(moments))


@given(st.lists(st.integers(-100, 100).map(float), max_size=60))
def test_requests_come_in_the_order_of_time(moments: list[float]) -> None:
    """Those of one time as they stood; the first one at zero."""
    skipped = Skipped("a")
    found = [(each.at, each.path) for each in ordered(at(moments), skipped)]
    start = min(moments, default=0.0)
    wanted = sorted(enumerate(moments), key=lambda item: item[1])
    assert found == [(moment - start, f"/{n}") for n, moment in wanted]
    assert skipped.passed == {}


def test_order_is_put_right_within_the_window() -> None:
    """Without holding more than that."""
    moments = [float(n // 7) for n in range(5 * WINDOW)]
    dice = random.Random(7)
    for begin in range(0, len(moments), WINDOW // 2):
        part = moments[begin : begin + WINDOW // 2]
        dice.shuffle(part)
        moments[begin : begin + WINDOW // 2] = part
    skipped = Skipped("a")
    found = [each.at for each in ordered(at(moments), skipped)]
    assert found == sorted(moments)
    assert skipped.passed == {}


def test_what_is_further_out_of_order_is_told() -> None:
    """It follows at the time of the one before, so that time never goes back."""
    moments = [float(n) for n in range(2 * WINDOW)] + [3.0]
    skipped = Skipped("a")
    found = [each.at for each in ordered(at(moments), skipped)]
    assert found == sorted(found)
    assert len(found) == len(moments)
    assert skipped.passed == {LATE: 1}


def test_a_file_that_breaks_off_is_read_so_far(tmp_path: Path) -> None:
    """And says that it did."""
    data = gzip.compress(LOG * 5000) + gzip.compress(LOG)[:-8]
    found, skipped = result(file_of(tmp_path, data))
    assert len(found) == 5001
    assert skipped.broken == "it ends in the middle of its compression"


@pytest.mark.parametrize("strict", [True, False])
def test_a_file_that_breaks_off_may_not_be_enough(tmp_path: Path, *, strict: bool) -> None:
    """Where nothing may be skipped, or nothing is left."""
    data = gzip.compress(LOG * 5000)[:-8] if strict else b"TIMESTAMP\n"
    path = file_of(tmp_path, data if strict else b'{"log": {"entries": [')
    with pytest.raises(Unreadable):
        result(path, strict=strict)


def test_a_recording_with_bad_lines_is_imported_without_them(tmp_path: Path) -> None:
    """Unless that is not allowed."""
    path = file_of(tmp_path, SAMPLES["recording"] + b"\n{}\n" + SAMPLES["recording"])
    found, skipped = result(path)
    assert len(found) == 2
    assert skipped.sentences() == ["1 skipped, no line of a recording: line 3"]
    with pytest.raises(BadLine, match="in:3: no line of a recording: \"it has no 'v'\""):
        result(path, strict=True)


def test_what_was_skipped_is_said_by_reasons() -> None:
    """With the first few places of each."""
    skipped = Skipped("a.log")
    for line in range(1, 5001):
        skipped(line, "blue" if line % 2 else "red", "detail")
    skipped(7, "once")
    skipped.passing("answers")
    assert skipped.total == 5001
    assert skipped.sentences() == [
        "2,500 skipped, blue: line 1, 3, 5, ...",
        "2,500 skipped, red: line 2, 4, 6, ...",
        "1 skipped, once: line 7",
    ]
    assert skipped.passed == {"answers": 1}


def test_a_long_detail_is_cut() -> None:
    """It is there to recognise the line."""
    with pytest.raises(BadLine) as refused:
        Skipped("a.log", strict=True)(3, "blue", "x" * 1000)
    assert str(refused.value) == f"a.log:3: blue: '{'x' * 57}...'"
