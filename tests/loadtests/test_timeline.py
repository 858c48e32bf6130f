"""When the answers came: nothing is lost, however long it took and whoever counted."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.timeline import LONGEST, Timeline

ANSWERS = st.lists(
    st.tuples(st.floats(0, 20_000), st.sampled_from(["dev", "release"]), st.sampled_from("12"))
)


def made(answers: list[tuple[float, str, str]]) -> Timeline:
    """A timeline of these answers."""
    timeline = Timeline()
    for answer in answers:
        timeline.count(*answer)
    return timeline


def sums(timeline: Timeline) -> Counter[tuple[str, str]]:
    """All answers by stage and version."""
    counts: Counter[tuple[str, str]] = Counter()
    for entry in timeline.entries():
        for stage, versions in entry["stages"].items():
            for version, count in versions.items():
                counts[stage, version] += count
    return counts


def test_answers_are_counted_by_second_stage_and_version() -> None:
    """Seconds in which nothing came are left out."""
    timeline = made(
        [(0.2, "dev", "1"), (0.9, "dev", "1"), (0.5, "release", "2"), (3.0, "dev", "1")]
    )
    assert timeline.entries() == [
        {"second": 0, "seconds": 1, "stages": {"dev": {"1": 2}, "release": {"2": 1}}},
        {"second": 3, "seconds": 1, "stages": {"dev": {"1": 1}}},
    ]


@given(ANSWERS, ANSWERS)
def test_nothing_is_lost_however_long_it_takes(
    first: list[tuple[float, str, str]], second: list[tuple[float, str, str]]
) -> None:
    """In one process, in two, and on the way between them."""
    alone, one, other = made(first + second), made(first), made(second)
    one.merge(Timeline.from_data(json.loads(json.dumps(other.to_data()))))
    assert one.entries() == alone.entries()
    assert sums(one) == Counter((stage, version) for _, stage, version in first + second)
    assert len(alone.entries()) <= LONGEST


@pytest.mark.parametrize(
    ("seconds", "width"), [(LONGEST - 1, 1), (LONGEST, 2), (2 * LONGEST, 4), (100 * LONGEST, 128)]
)
def test_a_long_run_has_wider_entries(seconds: int, width: int) -> None:
    """So memory is bounded."""
    timeline = made([(1.0, "dev", "1"), (float(seconds), "dev", "1")])
    assert timeline.width == width
    assert [entry["second"] for entry in timeline.entries()] == [
        1 // width,
        seconds // width * width,
    ]
