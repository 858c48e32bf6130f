"""Batches: what is read is what was told, nothing malformed is read, and no order matters."""

from __future__ import annotations

import json
import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observe import Cell, Counters, Interval, Label, Noted, Portion, Series
from gateway.observe.batch import (
    FORMAT,
    Active,
    Batch,
    Counted,
    Gauges,
    Malformed,
    Sender,
    read_batch,
)
from gateway.observe.portions import portions

SENDER = Sender("node", "worker-1", 77, 1.5)
LABELS = [Label("release", "orders", "release", str(n), "main") for n in range(3)]

_names = st.text(max_size=5)
_labels = st.sampled_from(LABELS) | st.builds(Label, _names, _names, _names, _names, _names)
_statuses = st.sampled_from([200, 403, 429, 430, 432, 500])
_answers = st.tuples(
    _labels, st.booleans(), _statuses, st.integers(0, 400_000), st.floats(0, 9), st.integers(1, 3)
)
_histories = st.lists(_answers, max_size=40)


def noted(answers: list[tuple[Label, bool, int, int, float, int]]) -> list[Noted]:
    """Answers as an observer notes them, in the order in which they ended."""
    cells: dict[tuple[Label, bool], Cell] = {}
    batch: list[Noted] = []
    for label, malformed, status, at, took, revision in sorted(answers, key=lambda each: each[3]):
        cell = cells.setdefault((label, malformed), Cell(label, malformed=malformed))
        batch.append((cell, status, at / 1000 - took, at / 1000, revision))
    return batch


def plain(interval: Interval) -> dict[str, object]:
    """An interval as values that can be compared; sums of many numbers depend on their order."""
    told = interval.latency.to_plain()
    return {
        **told, "sum": pytest.approx(told["sum"]), "errors": interval.errors,
        "throttled": interval.throttled,
    }  # fmt: skip


@given(_histories, st.lists(st.builds(Active, _names, _names, st.integers(0), st.integers(0, 9))))
def test_what_is_read_is_what_was_told(
    answers: list[tuple[Label, bool, int, int, float, int]], active: list[Active]
) -> None:
    """Whatever the names are."""
    active = [each._replace(running=min(each.running, 2**63 - 1)) for each in active]
    counters = Counters()
    for label, malformed, status, *_ in answers:
        counters.cell(label, malformed=malformed).count(status)
    counts = [Counted(each.label, each.malformed, each.statuses) for each in counters.cells()]
    found = tuple(portions(noted(answers)))
    gauges = Gauges(7, 1, 2, 0.5, None)
    told = Batch(SENDER, 1, 9.0, 8.0, True, gauges, tuple(active), tuple(counts), found)
    read = read_batch(told.pack())
    assert read[:8] == told[:8]
    assert [each[:3] for each in read.portions] == [each[:3] for each in found]
    for mine, theirs in zip(read.portions, found, strict=True):
        assert plain(mine.interval) == plain(theirs.interval)


def packed(*plain: object) -> bytes:
    """What claims to be a batch."""
    return FORMAT + zlib.compress(json.dumps(plain).encode())


HEAD: tuple[object, ...] = (list(SENDER), 1, 9.0, 8.0, False, [7, 0, 0, 0.0, None], [], [])
GOOD = [0, 1, 5, [3, 4], [1, 2], 0.5, 0.25, {"server": 1}, 0]


@pytest.mark.parametrize(
    "word",
    [
        b"",
        b"2" + Batch(SENDER, 1, 9.0, 8.0).pack()[1:],
        FORMAT + b"no such thing",
        Batch(SENDER, 1, 9.0, 8.0).pack()[:-9],
        Batch(SENDER, 0, 9.0, 8.0).pack(),
        Batch(SENDER, 1, float("nan"), 8.0).pack(),
        Batch(SENDER, 1, 9.0, 8.0, gauges=Gauges(-1)).pack(),
        Batch(SENDER, 1, 9.0, 8.0, counts=(Counted(LABELS[0], False, {200: -1}),)).pack(),
        packed(),
        packed(*HEAD, [list(LABELS[0])], [GOOD], "more"),
        packed(*HEAD, [], [GOOD]),
        packed(*HEAD, [list(LABELS[0])[1:]], [GOOD[1:]]),
        packed(*HEAD, [[1, 2, 3, 4, 5]], [GOOD]),
        packed(*HEAD, [list(LABELS[0])], [[*GOOD[:3], [3, 3], *GOOD[4:]]]),
        packed(*HEAD, [list(LABELS[0])], [[*GOOD[:3], [3], *GOOD[4:]]]),
        packed(*HEAD, [list(LABELS[0])], [[*GOOD[:4], [1, 0], *GOOD[5:]]]),
        packed(*HEAD, [list(LABELS[0])], [[*GOOD[:3], [3, 99_999], *GOOD[4:]]]),
        packed(*HEAD, [list(LABELS[0])], [[*GOOD[:5], -1.0, *GOOD[6:]]]),
        packed(*HEAD, [list(LABELS[0])], [[0.5, *GOOD[1:]]]),
    ],
)
def test_nothing_malformed_is_read(word: bytes) -> None:
    """It is told in one sentence."""
    with pytest.raises(Malformed, match=r"^another process tells .*: .+"):
        read_batch(word)


def test_what_the_examples_above_spoil_is_read() -> None:
    """Otherwise they could all be refused for one reason."""
    (portion,) = read_batch(packed(*HEAD, [list(LABELS[0])], [GOOD])).portions
    assert portion[:3] == (LABELS[0], 1, 5)
    assert (portion.interval.requests, portion.interval.failed) == (3, 1)


@given(_histories, st.integers(1, 4), st.randoms(use_true_random=False))
def test_any_parts_in_any_order_give_what_one_process_would_have(
    answers: list[tuple[Label, bool, int, int, float, int]], parts: int, dice: Random
) -> None:
    """Of a stream that several processes have answered, told in pieces that arrive in disorder."""
    batch = noted(answers)
    alone, together = Series(), Series()
    alone.merge(portions(batch))
    shares: list[list[Noted]] = [[] for _ in range(parts)]
    for each in batch:
        dice.choice(shares).append(each)
    pieces: list[Portion] = []
    for share in shares:
        cut = dice.randint(0, len(share))
        pieces += [*portions(share[:cut]), *portions(share[cut:])]
    dice.shuffle(pieces)
    for piece in pieces:
        together.merge([piece])
    same(alone, together)


def same(one: Series, other: Series) -> None:
    """Both tell the same of every label, by second, by minute and as a whole."""
    labels = one.labels()
    assert other.labels() == labels
    for label in labels:
        assert plain(other.whole(label)) == plain(one.whole(label))
        for read in ("seconds", "minutes"):
            found, expected = getattr(other, read)(label, 0), getattr(one, read)(label, 0)
            assert [at for at, _ in found] == [at for at, _ in expected]
            assert [plain(each) for _, each in found] == [plain(each) for _, each in expected]
    for minutes in (False, True):
        assert other.course(labels, 0, minutes=minutes) == one.course(labels, 0, minutes=minutes)


def test_who_is_beside_whom() -> None:
    """Processes of one gateway on one machine."""
    assert SENDER.is_beside(SENDER._replace(process="worker-2", started=9.0))
    assert not SENDER.is_beside(SENDER._replace(node="other"))
    assert not SENDER.is_beside(SENDER._replace(family=78))
