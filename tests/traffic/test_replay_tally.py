"""The tally of a replay: sums that are right, and merging that loses nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.outcome import NOTHING, End, Outcome, Said
from gateway.traffic.replay_tally import ReplayTally, merged
from gateway.traffic.replay_timeline import FINEST, SLICES, Timeline

SAID = [Said("orders", "release", version, "weight", "1") for version in ("1", "2")]
OUTCOMES = st.builds(
    lambda end, stage, due, times, status, said: Outcome(
        end, stage, due, due + times[0], due + times[0] + times[1], status, said, "why"
    ),
    st.sampled_from(list(End)),
    st.sampled_from(["release", "dev"]),
    st.floats(0, 5000),
    st.tuples(st.floats(0, 10), st.floats(0, 10)),
    st.sampled_from([200, 404, 500]),
    st.sampled_from([*SAID, NOTHING]),
)


def tally_of(outcomes: list[Outcome]) -> ReplayTally:
    """Everything counted."""
    tally = ReplayTally()
    for outcome in outcomes:
        tally.add(outcome)
    return tally


def test_latency_counts_from_when_a_request_was_due() -> None:
    """Waiting for its turn is waiting."""
    tally = tally_of([Outcome(End.ANSWERED, "release", 1.0, 1.5, 2.0, 200, SAID[0])])
    [measured] = tally.measured.values()
    assert measured.latency.largest == 1.0
    assert measured.slip.largest == 0.5


def test_what_was_not_sent_has_no_slip() -> None:
    """It never began."""
    tally = tally_of([Outcome(End.NOT_SENT, "dev", 1.0, 1.5, 2.0, why="no connection")])
    assert (tally.answered, tally.failed, tally.not_sent) == (0, 0, 1)
    assert tally.slip.total == 0
    assert list(tally.sent_when.row(("dev",))) == []


def test_requests_of_which_nothing_is_known_are_lost_at_once() -> None:
    """As many as there are; none is none."""
    tally = ReplayTally()
    tally.lose("dev", End.FAILED, "lost", 3)
    tally.lose("dev", End.NOT_SENT, "lost", 0)
    assert tally.requests == tally.failed == 3
    assert len(tally.losses) == 1


@given(st.lists(OUTCOMES, max_size=30))
def test_every_request_is_in_one_place(outcomes: list[Outcome]) -> None:
    """Answered, failed and not sent are all there are."""
    tally = tally_of(outcomes)
    assert tally.answered + tally.failed + tally.not_sent == tally.requests == len(outcomes)
    counted = sum(each.latency.total for each in tally.measured.values())
    assert counted == tally.answered
    assert tally.slip.total == tally.answered + tally.failed


@given(st.lists(OUTCOMES, max_size=30), st.integers(0, 30))
def test_parts_add_up_to_the_whole(outcomes: list[Outcome], cut: int) -> None:
    """Whoever counted what, also by way of JSON."""
    parts = [tally_of(outcomes[:cut]), tally_of(outcomes[cut:])]
    plain = [ReplayTally.from_plain(json.loads(json.dumps(each.to_plain()))) for each in parts]
    whole, both = tally_of(outcomes), merged(plain)
    assert both.answers == whole.answers
    assert both.losses == whole.losses
    for sketches in ("counts",):
        one, two = both.to_plain(), whole.to_plain()
        assert one["slip"][sketches] == two["slip"][sketches]
        assert one["sent_when"]["width"] == two["sent_when"]["width"]
    for group, measured in whole.measured.items():
        merged_one = both.measured[group]
        assert merged_one.latency.quantile(0.99) == measured.latency.quantile(0.99)
        assert merged_one.slip.total == measured.slip.total


def test_a_timeline_stays_small() -> None:
    """Twice as long, slices twice as wide."""
    timeline = Timeline()
    for second in range(1000):
        timeline.add(second, ("release",), 0.1)
    assert timeline.width == FINEST * 16
    row = list(timeline.row(("release",)))
    assert len(row) <= SLICES
    assert sum(sketch.total for _, sketch in row) == 1000
    assert row[1][0] - row[0][0] == timeline.width


def test_timelines_of_different_widths_are_added_up() -> None:
    """At the coarser one, whichever is merged into which."""
    fine, coarse = Timeline(), Timeline()
    fine.add(0.3, ("a",), 1.0)
    coarse.add(500.0, ("b",), 2.0)
    other = Timeline.from_plain(fine.to_plain())
    other.merge(coarse)
    coarse.merge(fine)
    for timeline in (coarse, other):
        assert timeline.width == 1.0
        assert timeline.keys() == [("a",), ("b",)]
        assert [when for when, sketch in timeline.row(("a",)) if sketch.total] == [0.0]
        assert [when for when, sketch in timeline.row(("b",)) if sketch.total] == [500.0]


def test_time_before_the_beginning_is_the_beginning() -> None:
    """Clocks of several machines differ a little."""
    timeline = Timeline()
    timeline.add(-0.5, ("a",), 1.0)
    assert [when for when, _ in timeline.row(("a",))] == [0.0]


@pytest.mark.parametrize("key", [("a",), ("b",)], ids=["known", "unknown"])
def test_an_empty_timeline_has_no_slices(key: tuple[str]) -> None:
    """Nothing is drawn of it."""
    assert list(Timeline().row(key)) == []
