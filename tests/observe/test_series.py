"""The course over time: every answer in its second and its minute, and memory that is bounded."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observe import Cell, Interval, Label, Noted, Series
from gateway.observe.intervals import Point
from gateway.observe.portions import portions
from gateway.observe.series import MINUTES, SECONDS

ONE = Label("release", "orders", "release", "1", "main")
TWO = Label("release", "orders", "release", "2", "weight")


def answer(ended: float, label: Label = ONE, status: int = 200, took: float = 0.01) -> Noted:
    """An answer that was out at a moment."""
    return (Cell(label), status, ended - took, ended, 1)


def take(series: Series, batch: Sequence[Noted]) -> None:
    """Take in answers as an observer does."""
    series.merge(portions(batch))


def test_answers_are_in_the_second_in_which_they_ended() -> None:
    """Seconds without answers are left out."""
    series = Series()
    series.merge(
        portions([answer(10.0), answer(10.9), answer(12.5, status=430), answer(12.6, TWO)])
    )
    assert [(at, each.requests, each.failed) for at, each in series.seconds(ONE, 0)] == [
        (10, 2, 0),
        (12, 1, 1),
    ]
    assert [at for at, _ in series.seconds(ONE, 11)] == [12]
    assert [at for at, _ in series.seconds(TWO, 0)] == [12]
    assert series.labels() == [ONE, TWO]


def test_a_minute_holds_its_seconds_and_the_one_that_goes_on() -> None:
    """Minutes are numbered as the clock counts them."""
    series = Series()
    take(series, [answer(59.0), answer(61.0), answer(62.0), answer(62.1)])
    assert [(at, each.requests) for at, each in series.minutes(ONE, 0)] == [(0, 1), (1, 3)]
    assert [at for at, _ in series.minutes(ONE, 2)] == []


def test_the_window_adds_up_what_happened_since() -> None:
    """Labels that were silent are left out; errors keep their kinds."""
    series = Series()
    series.merge(
        portions([answer(1.0, TWO), answer(5.0, status=433), answer(6.0, status=429), answer(7.0)])
    )
    window = series.window(5)
    assert set(window) == {ONE}
    assert window[ONE].requests == 3
    assert window[ONE].errors == {"timeout": 1}
    assert window[ONE].throttled == 1


def test_packed_intervals_are_what_they_were() -> None:
    """Latencies, kinds and all."""
    series = Series()
    series.merge(
        portions([answer(1.0, took=0.5), answer(1.2, took=0.001, status=500), answer(9.0)])
    )
    (_, first), _ = series.seconds(ONE, 0)
    expected = Interval()
    expected.latency.add(1.0 - (1.0 - 0.5))
    expected.latency.add(1.2 - (1.2 - 0.001))
    expected.add_error("server", 500)
    assert first.latency.to_plain() == expected.latency.to_plain()
    assert first.errors == expected.errors == {"server": 1}
    assert first.latency.largest == pytest.approx(0.5)
    assert first.latency.quantile(0.5) == pytest.approx(0.001, rel=0.02)


def test_the_whole_holds_everything_also_what_is_no_longer_kept_by_second() -> None:
    """Counters of a day do not forget its first hour."""
    series = Series()
    for second in range(SECONDS + 500):
        take(series, [answer(float(second))])
    assert len(series.seconds(ONE, 0)) == SECONDS + 1
    assert series.whole(ONE).requests == SECONDS + 500
    assert sum(each.requests for _, each in series.minutes(ONE, 0)) == SECONDS + 500


def test_what_was_silent_for_a_day_is_forgotten() -> None:
    """A version that is gone takes its memory with it."""
    series = Series()
    take(series, [answer(0.0, TWO)])
    take(series, [answer(MINUTES * 60.0), answer(MINUTES * 60.0 + 1)])
    assert series.labels() == [ONE]
    assert series.seconds(TWO, 0) == []
    assert series.minutes(TWO, 0) == []
    assert series.whole(TWO).requests == 0


@given(st.lists(st.tuples(st.floats(0, 500), st.sampled_from([ONE, TWO]), st.floats(0, 3))))
def test_nothing_is_lost_and_nothing_counted_twice(
    answers: list[tuple[float, Label, float]],
) -> None:
    """By second, by minute and as a whole, all answers are there once."""
    series = Series()
    batch = [answer(at, label, took=took) for at, label, took in sorted(answers)]
    take(series, batch)
    for label in (ONE, TWO):
        wanted = sum(each[0].label == label for each in batch)
        assert sum(each.requests for _, each in series.seconds(label, 0)) == wanted
        assert sum(each.requests for _, each in series.minutes(label, 0)) == wanted
        whole = series.whole(label)
        assert whole.requests == whole.latency.total == wanted


@given(
    st.lists(st.tuples(st.floats(0, 200), st.sampled_from([ONE, TWO]), st.floats(0, 3))),
    st.integers(0, 250),
    st.booleans(),
)
def test_a_curve_shows_what_the_intervals_hold(
    found: list[tuple[float, Label, float]], since: int, minutes: bool
) -> None:
    """Of one label and of two together, whether they are over or go on; silence has no point."""
    series = Series()
    series.merge(
        portions([answer(ended, label, 430, took) for ended, label, took in sorted(found)])
    )
    read = series.minutes if minutes else series.seconds
    for labels in ([ONE], [ONE, TWO]):
        expected: dict[int, Interval] = {}
        for label in labels:
            for at, interval in read(label, since):
                expected.setdefault(at, Interval()).merge(interval)
        points = series.course(labels, since, minutes=minutes)
        assert points == {at: Point.of(interval) for at, interval in expected.items()}
    assert series.course([Label("nowhere")], 0) == {}


def test_what_comes_late_is_where_it_belongs() -> None:
    """In a second that is over, one that was silent, and one before all others."""
    series = Series()
    take(series, [answer(130.0), answer(200.0)])
    for late in (130.5, 150.0, 3.0, 195.0):
        take(series, [answer(late)])
    counted = [(at, each.requests) for at, each in series.seconds(ONE, 0)]
    assert counted == [(3, 1), (130, 2), (150, 1), (195, 1), (200, 1)]
    counted = [(at, each.requests) for at, each in series.minutes(ONE, 0)]
    assert counted == [(0, 1), (2, 3), (3, 2)]
    assert series.whole(ONE).requests == 6
    assert list(series.course([ONE], 140)) == [150, 195, 200]


def test_what_comes_too_late_for_its_second_is_in_its_minute() -> None:
    """As many seconds are kept as always."""
    series = Series()
    take(series, [answer(float(second)) for second in range(100, SECONDS + 200)])
    take(series, [answer(50.0)])
    assert next(at for at, _ in series.seconds(ONE, 0)) == 199
    assert series.minutes(ONE, 0)[0][0] == 0
    assert series.whole(ONE).requests == SECONDS + 101
