"""The pacer: recorded distances times the speed, in order, whatever happened before."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.traffic.pacer import Pacer, Survey, Unpaced
from gateway.traffic.recording import Recorded


def recording(*times: float, stage: str | None = None) -> list[Recorded]:
    """Requests at these times."""
    return [Recorded(at, "GET", "/", stage=stage) for at in times]


class Clock:
    """Seconds as the test wants them."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_survey_knows_what_matters() -> None:
    """Counts, times, who stands behind a later one, and the stages."""
    requests = [*recording(2.0, 5.0, 4.0), *recording(8.0, stage="dev")]
    survey = Survey.of(requests)
    assert survey == Survey(4, 2.0, 8.0, 1, 1.0, frozenset({"", "dev"}))
    assert survey.seconds == 6.0
    assert survey.gap == 2.0


@pytest.mark.parametrize("times", [(), (3.0,), (3.0, 3.0)], ids=["none", "one", "one-moment"])
def test_a_rate_needs_some_time(times: tuple[float, ...]) -> None:
    """What came at one moment has no rate that a speed could alter."""
    survey = Survey.of(recording(*times))
    assert survey.gap == 0.0
    with pytest.raises(Unpaced, match="came at one moment") as caught:
        survey.speed(200)
    assert "--speed" in caught.value.hint


def test_the_speed_of_a_rate_keeps_the_distances() -> None:
    """200 a second on average, where 2 a second were recorded, is 100 times faster."""
    survey = Survey.of(recording(0.0, 0.1, 1.0, 1.5))
    assert survey.speed(200) == pytest.approx(100)


def test_requests_are_due_at_their_distances() -> None:
    """From the first one on, divided by the speed; the clock says how long that is."""
    clock = Clock()
    pacer = Pacer(Survey.of(recording(10.0, 12.0, 16.0)), 2.0, clock)
    pacer.begin()
    assert [pacer.due(at) for at in (10.0, 12.0, 16.0)] == [0.0, 1.0, 3.0]
    clock.now += 2.5
    assert pacer.elapsed() == 2.5
    assert pacer.left(3.0) == 0.5
    assert pacer.left(1.0) == -1.5


def test_time_may_begin_later() -> None:
    """Several processes begin together."""
    clock = Clock()
    pacer = Pacer(Survey(), 1.0, clock)
    pacer.begin(102.0)
    assert pacer.left(1.0) == 3.0


def test_as_fast_as_possible_nothing_has_a_time() -> None:
    """Whatever was recorded."""
    pacer = Pacer(Survey.of(recording(0.0, 5.0)), None, Clock())
    assert pacer.due(5.0) is None


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=50),
    st.floats(0.01, 1000),
)
def test_time_never_runs_back(times: list[float], speed: float) -> None:
    """A line that stands behind a later one is due with it; the others keep their distances."""
    pacer = Pacer(Survey.of(recording(*times)), speed, Clock())
    due = [pacer.due(at) or 0.0 for at in times]
    assert all(one <= two for one, two in pairwise(due))
    latest = times[0]
    for at, when in zip(times, due, strict=True):
        latest = max(latest, at)
        assert when == pytest.approx((latest - times[0]) / speed)
