"""Every request is sent once, in order, and the stages keep their shares at every moment."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.course import MIX, Course, Part, StagedCourse, parse_mix, part
from loadtests.traffic import OTHERS, Step

STEPS = [Step(OTHERS, "GET", f"/orders/{n}", "/orders/{id}", {}, None) for n in range(1, 11)]


def sent(course: Course) -> list[tuple[str, Step]]:
    """Everything a course hands out."""
    turns = iter(course.next, None)
    return list(turns)


@given(st.integers(0, 10_000), st.integers(1, 20))
def test_the_parts_of_all_workers_are_the_whole(requests: int, workers: int) -> None:
    """No request is sent twice, none is forgotten."""
    parts = [part(requests, worker, workers) for worker in range(workers)]
    numbers = [first + stride * n for first, stride, count in parts for n in range(count)]
    assert sorted(numbers) == list(range(requests))


def test_lines_are_sent_in_order_and_again_from_the_start() -> None:
    """The log is as long as it has to be."""
    course = Course(STEPS, {"release": 1.0}, Part(0, 1, 25))
    assert [step for _, step in sent(course)] == [*STEPS, *STEPS, *STEPS[:5]]
    assert course.handed_out == course.requests == 25


def test_a_worker_takes_every_second_line() -> None:
    """Its share of two."""
    course = Course(STEPS, {"release": 1.0}, Part(1, 2, 5))
    assert [step for _, step in sent(course)] == STEPS[1::2]


@given(st.integers(0, 40), st.integers(1, 6))
def test_every_line_comes_from_every_worker(more: int, workers: int) -> None:
    """So a sticky key is seen by all of them, and each round is whole."""
    lines = workers + more
    steps = [STEPS[0]._replace(user=str(line)) for line in range(lines)]
    seen: Counter[str] = Counter()
    for worker in range(workers):
        course = Course(steps, {"release": 1.0}, Part(worker, workers, lines * workers))
        users = Counter(step.user for _, step in sent(course))
        assert set(users) == {step.user for step in steps}
        seen.update(users)
    assert set(seen.values()) == {workers * workers}


def test_a_course_that_is_closed_hands_out_no_more() -> None:
    """What was handed out stands."""
    course = Course(STEPS, {"release": 1.0}, Part(0, 1, 25))
    course.next()
    course.close()
    assert course.next() is None
    assert (course.requests, course.handed_out) == (1, 1)


class TestStagedCourse:
    def test_every_stage_gets_its_share_and_the_same_lines(self) -> None:
        course = StagedCourse(STEPS, {"dev": 0.25, "release": 0.75}, Part(0, 1, 40))
        turns = [turn for place in range(100) if (turn := course.next(place))]
        lines = {
            stage: [step for name, step in turns if name == stage] for stage in ("dev", "release")
        }
        assert lines == {"dev": STEPS, "release": STEPS * 3}
        assert course.requests == course.handed_out == 40

    @given(st.integers(0, 1000), st.integers(1, 9))
    def test_no_request_is_lost_to_rounding(self, requests: int, stages: int) -> None:
        mix = {f"stage-{number}": 1 / stages for number in range(stages)}
        course = StagedCourse(STEPS, mix, Part(0, 1, requests))
        assert course.requests == requests
        assert len(list(iter(lambda: course.next(3), None))) == requests

    def test_a_connection_stays_on_its_stage_while_there_is_something_to_send(self) -> None:
        course = StagedCourse(STEPS, {"dev": 0.5, "release": 0.5}, Part(0, 1, 20))
        stages = [turn[0] for _ in range(20) if (turn := course.next(0))]
        assert stages == [stages[0]] * 10 + [stages[-1]] * 10
        assert stages[0] != stages[-1]

    def test_connections_are_spread_as_the_mix_says(self) -> None:
        course = StagedCourse(STEPS, {"dev": 0.25, "release": 0.75}, Part(0, 1, 10**6))
        stages = Counter(turn[0] for place in range(1000) if (turn := course.next(place)))
        assert abs(stages["dev"] - 250) < 5

    def test_it_can_be_closed(self) -> None:
        course = StagedCourse(STEPS, {"dev": 0.5, "release": 0.5}, Part(0, 1, 20))
        course.next(0)
        course.close()
        assert course.next(0) is None
        assert course.requests == 1


@pytest.mark.parametrize("worker", [Part(0, 1, 20_000), Part(1, 2, 20_000), Part(2, 7, 20_000)])
def test_the_mix_holds_at_every_moment(worker: Part) -> None:
    """Within five requests, however long the run."""
    mix, counts = parse_mix(MIX), Counter[str]()
    for number, (stage, _) in enumerate(sent(Course(STEPS, mix, worker)), start=1):
        counts[stage] += 1
        assert all(abs(counts[name] - number * share) < 5 for name, share in mix.items())


def test_no_line_is_tied_to_one_stage() -> None:
    """Ten lines, over and over: each of them reaches each stage."""
    seen = {
        (stage, step.path) for stage, step in sent(Course(STEPS, parse_mix(MIX), Part(0, 1, 400)))
    }
    assert len(seen) == 3 * len(STEPS)


def test_two_courses_are_the_same() -> None:
    """There are no dice."""
    first, second = (sent(Course(STEPS, parse_mix(MIX), Part(0, 1, 100))) for _ in range(2))
    assert first == second
    assert len({stage for stage, _ in first}) == 3
    assert any(a[0] != b[0] for a, b in pairwise(first))


def test_a_mix_is_made_to_sum_to_one() -> None:
    """Shares are proportions; nothing is sent to a stage with none."""
    assert parse_mix("release=3, dev=1,prepub=0") == {"release": 0.75, "dev": 0.25}


@pytest.mark.parametrize(
    "text",
    ["", "release", "=1", "release=x", "release=-1", "release=nan", "a=1,a=2", "a=0", "a=1,"],
)
def test_a_mix_that_cannot_be_read_is_refused_by_name(text: str) -> None:
    """The sentence holds what was written."""
    with pytest.raises(ValueError, match="mix"):
        parse_mix(text)
