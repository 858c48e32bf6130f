"""Times in the spellings of logs, and texts that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.instants import any_time, iso_time, log_time

TIMES = st.datetimes(
    min_value=datetime(1000, 1, 2),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)


@given(TIMES)
def test_times_of_access_logs(moment: datetime) -> None:
    """To the second, in any zone."""
    whole = moment.replace(microsecond=0)
    assert log_time(whole.strftime("%d/%b/%Y:%H:%M:%S %z").rjust(26, "0")) == whole.timestamp()


@given(TIMES)
def test_times_of_iso_8601(moment: datetime) -> None:
    """To the microsecond, with T or a space, also where an access log has them."""
    assert iso_time(moment.isoformat()) == moment.timestamp()
    assert log_time(f" {moment.isoformat(' ')} ") == moment.timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01", 1.0),
        ("1970-01-02", 86400.0),
        ("1970-01-01 00:00:00.1234567", 0.123456),
    ],
    ids=["without a zone", "a day", "more digits than microseconds"],
)
def test_times_that_leave_something_out(text: str, seconds: float) -> None:
    """What is not said is zero, and the zone is UTC."""
    assert iso_time(text) == seconds


def test_a_leap_second_is_a_time() -> None:
    """As logs write it."""
    last = datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    assert log_time("31/Dec/2016:23:59:60 +0000") == last + 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "17/Mai/2015:10:05:03 +0000",
        "32/May/2015:10:05:03 +0000",
        "17/May/2015:24:05:03 +0000",
        "17/May/2015:10:60:03 +0000",
        "17/May/2015:10:05:61 +0000",
        "17/May/2015:xx:05:03 +0000",
        "17/May/2015:10:05:03 0000",
        "17/May/2015:10:05:03 Z0000",
        "17/May-2015:10:05:03 +0000",
        "17/May/2015:10:05:03 +00ab",
        "2015-13-01T00:00:00Z",
    ],
)
def test_texts_that_are_no_times(text: str) -> None:
    """None of them is now."""
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is the importer's
        log_time(text)


@pytest.mark.parametrize(
    ("value", "unit", "seconds"),
    [
        (12, 1.0, 12.0),
        (1.5, 1.0, 1.5),
        ("1500", 1e-3, 1.5),
        (" 1431857103.5 ", 1.0, 1431857103.5),
        ("1970-01-01T00:00:02Z", 1e-3, 2.0),
        ("01/Jan/1970:00:00:02 +0000", 1.0, 2.0),
    ],
    ids=["integer", "float", "text of a number", "seconds", "iso 8601", "of an access log"],
)
def test_times_of_any_spelling(value: object, unit: float, seconds: float) -> None:
    """A unit is for numbers alone."""
    assert any_time(value, unit) == seconds


@pytest.mark.parametrize("value", [None, True, [], "nan", "inf", 1e300, "-1e18", "soon", ""])
def test_values_that_are_no_times(value: object) -> None:
    """However they may be read."""
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is the importer's
        any_time(value)


def test_any_number_of_days_is_remembered_for_a_while() -> None:
    """A log of many zones cannot fill the memory."""
    from gateway.traffic import instants

    for day in range(5000):
        log_time(f"01/Jan/{2000 + day // 60:04}:00:00:00 +00{day % 60:02}")
    assert len(instants._days) <= instants._MOST_DAYS
