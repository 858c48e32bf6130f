"""A log is read line by line, to its end or to the decision, and no line of it breaks anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.observed import Expected, Observed, Split, TooMany
from gateway.traffic.observed_fields import Fields
from gateway.traffic.observed_filters import condition
from gateway.traffic.observed_reading import EVERY, Reading, UnknownFormat, Wanted
from gateway.traffic.observed_records import FORMATS, named, written

CLF = b'10.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12 %s'


def reading(wanted: Wanted, *lines: bytes) -> tuple[Reading, Observed]:
    """A log, read to its end."""
    observed = Observed([Expected("", {"1": 1.0})])
    made = Reading(wanted, observed)
    made.read(lines, lambda: False)
    return made, observed


def test_a_log_is_recognised_read_and_counted() -> None:
    """Lines are numbered as an editor numbers them."""
    wanted = Wanted(fields=Fields({"version": "1"}))
    made, observed = reading(wanted, b"", CLF % b"2", b"no line", CLF % b"1")
    assert made.format is not None
    assert (made.format.name, made.lines) == ("common", 4)
    assert made.names[-1] == "1"
    assert observed.counts == {Split(""): {"2": 1, "1": 1}}
    assert observed.leavings.unusable == {"not in common": (1, [3])}


def test_a_byte_order_mark_hides_no_record() -> None:
    """Some write one before the first line."""
    _, observed = reading(Wanted(), b'\xef\xbb\xbf{"version": 1}')
    assert observed.total == 1


def test_a_format_that_is_named_is_not_guessed() -> None:
    """Even by a line that could be in another."""
    made, observed = reading(Wanted(written("$version")), b"1")
    assert observed.total == 1
    assert made.names == ("version",)


def test_an_empty_log_has_no_format() -> None:
    """And nothing to count."""
    made, observed = reading(Wanted(), b"", b"  ")
    assert made.format is None
    assert observed.total == 0


def test_an_unknown_format_is_refused_with_the_line() -> None:
    """And with what could be named."""
    with pytest.raises(UnknownFormat, match=r"line 2 is in no format .* 'a,b'.*--log-format"):
        reading(Wanted(), b"", b"a,b")


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        pytest.param(Wanted(accepts=condition("version=1")), 1, id="where"),
        pytest.param(Wanted(since=10.0), 1, id="since"),
        pytest.param(Wanted(until=10.0), 1, id="until"),
    ],
)
def test_only_what_is_asked_for_counts(wanted: Wanted, left: int) -> None:
    """By fields and by time."""
    _, observed = reading(wanted, b'{"version": 1, "time": 5}', b'{"version": 2, "time": 15}')
    assert observed.leavings.filtered == left
    assert observed.total == 2 - left


def test_reading_ends_when_it_is_told_to() -> None:
    """A pipe may have no end."""
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b'{"version": 1}'

    observed = Observed([Expected("", {"1": 1.0})])
    Reading(Wanted(), observed).read(endless(), lambda: observed.total >= 3 * EVERY)
    assert read == observed.total == 3 * EVERY


@given(
    st.sampled_from([None, *FORMATS]),
    st.lists(st.binary(max_size=60) | st.sampled_from([CLF % b"1", b'{"version": {}}', b"a=1"])),
)
def test_no_line_breaks_the_reading(form: str | None, lines: list[bytes]) -> None:
    """Each is counted or left out, at most once."""
    wanted = Wanted(None if form is None else named(form), Fields({"version": "1"}))
    try:
        made, observed = reading(wanted, *lines)
    except (UnknownFormat, TooMany):
        return
    assert made.lines <= len(lines)
    assert observed.total + observed.leavings.total <= len(lines)
