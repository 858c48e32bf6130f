"""The observer counts at once and takes in the rest later; what it cannot keep, it counts."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from gateway.observe import Detailed, Label, Observation, Observer, Portion
from gateway.observe import observer as module

LABEL = Label("release", "orders", "release", "1", "main")


@dataclass
class Asked:
    """A request as the observer sees one."""

    id: str = "a"
    began: float = 1.0
    method: str = "POST"
    path: str = "/orders/1"
    query_string: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"x" * 10_000


def test_counts_are_there_at_once() -> None:
    """Nobody has to take anything in before."""
    observer = Observer(lambda: 2.0)
    observer.note(observer.cell(LABEL), 200, Asked(), 7)
    assert observer.counters.total() == 1
    assert observer.series.labels() == []


def test_what_waits_is_taken_in_once_and_in_order() -> None:
    """Sinks, outlets and the course over time are given the same portions, readers the details."""
    observer = Observer(iter([2.0, 3.0]).__next__)
    batches: list[Sequence[Portion]] = []
    kept: list[Sequence[Portion]] = []
    details: list[tuple[Sequence[Detailed], int]] = []
    observer.sinks.append(batches.append)
    observer.outlets.append(kept.append)
    observer.readers.append(lambda batch, others: details.append((batch, others)))
    cell = observer.cell(LABEL)
    observer.note(cell, 200, Asked("a"), 7)
    observer.note(cell, 430, Asked("b", body=b""), 8)
    observer.settle()
    observer.settle()
    assert batches == kept
    assert [portion[:3] for portion in batches[0]] == [(LABEL, 7, 2), (LABEL, 8, 3)]
    assert [portion.interval.errors for portion in batches[0]] == [{}, {"exception": 1}]
    (((one, two), others),) = details
    first, second = Observation._make(one), Observation._make(two)
    assert (first.asked.id, first.status, first.revision, first.seconds) == ("a", 200, 7, 1.0)
    assert (second.asked.id, second.status, second.revision, second.seconds) == ("b", 430, 8, 2.0)
    assert (first.cell.label, len(first.asked.body)) == (LABEL, module.KEPT_BODY + 1)
    assert (observer.series.whole(LABEL).requests, others) == (2, 0)


def test_beyond_the_bound_the_oldest_are_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The counters have them all the same."""
    monkeypatch.setattr(module, "BOUND", 3)
    observer = Observer(lambda: 2.0)
    observer._waiting = deque(maxlen=3)
    batches: list[Sequence[Portion]] = []
    observer.sinks.append(batches.append)
    for revision in range(5):
        observer.note(observer.cell(LABEL), 200, Asked(), revision)
    observer.settle()
    assert [portion.revision for portion in batches[0]] == [2, 3, 4]
    assert (observer.dropped, observer.counters.total()) == (2, 5)


def test_of_many_answers_as_many_as_there_is_room_for_are_noted_in_detail() -> None:
    """Evenly, from the second batch on; errors always, and nothing is missing in the counts."""
    observer = Observer(lambda: 2.0)
    observer.room = lambda: 10
    found: list[tuple[list[str], int]] = []
    observer.readers.append(lambda batch, others: found.append(([d[3].id for d in batch], others)))
    cell = observer.cell(LABEL)
    for _ in range(2):
        for number in range(100):
            observer.note(cell, 500 if number == 55 else 200, Asked(str(number)), 1)
        observer.settle()
    assert (len(found[0][0]), found[0][1]) == (100, 0)
    details, others = found[1]
    assert len(details) + others == 100
    assert "55" in details
    places = [int(number) for number in details if number != "55"]
    assert {b - a for a, b in pairwise(places)} <= {10, 15, 5, 20}
    assert 9 <= len(places) <= 11
    assert observer.series.whole(LABEL).requests == 200


def test_after_many_answers_few_are_all_noted_in_detail_again() -> None:
    """One batch later."""
    observer = Observer(lambda: 2.0)
    observer.room = lambda: 10
    found: list[int] = []
    observer.readers.append(lambda batch, _others: found.append(len(batch)))
    for size in (1000, 5, 5):
        for _ in range(size):
            observer.note(observer.cell(LABEL), 200, Asked(), 1)
        observer.settle()
    assert found[0] == 1000
    assert found[2] == 5


def test_it_takes_in_again_and_again_until_it_is_cancelled() -> None:
    """The pause is an argument: nothing here waits for a clock."""
    observer = Observer(lambda: 2.0)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError
        observer.note(observer.cell(LABEL), 200, Asked(), 1)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(observer.run(pause))
    assert pauses == [module.BEAT] * 3
    assert observer.series.whole(LABEL).requests == 2


def test_the_lag_of_the_loop_is_the_longest_delay_of_a_beat() -> None:
    """Since the last question."""
    ticks = iter([10.0, 10.0 + module.BEAT + 0.5, 20.0, 20.0 + module.BEAT + 0.1, 30.0])
    observer = Observer(ticks.__next__)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(observer.run(pause))
    assert observer.lag() == pytest.approx(0.5)
    assert observer.lag() == 0
