"""The judge of histories agrees with a search through all orders; harmed nodes pass it.

The whole measurement, over 100,000 operations, is `python -m benchmarks.linearizable`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache
from math import inf
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.databases import Database
from benchmarks.linearizable import ask_all, journal_of, two_nodes
from benchmarks.linearizable_faults import Faults
from benchmarks.linearizable_judged import Kind, Operation, judge

JOURNAL = {1: "", 2: "a", 3: "b", 4: "a"}
SOUND = (
    Operation(Kind.WRITTEN, 1, 2, "a", 2, None, "n0"),
    Operation(Kind.READ, 3, 4, "a", 2, None, "n1"),
    Operation(Kind.REFUSED, 3, 6, "x", 0, 2, "n1"),
    Operation(Kind.WRITTEN, 5, 8, "b", 3, 2, "n1"),
    Operation(Kind.LOOK, 6, 9, "a", 2, None, "n0"),
    Operation(Kind.SAME, 7, 9, "b", 3, None, "n0"),
    Operation(Kind.UNKNOWN, 8, inf, "a", 0, 3, "n0"),
    Operation(Kind.READ, 12, 13, "a", 4, None, "n1"),
)


def test_a_history_with_one_order_is_sound() -> None:
    """A look may be old, a write without an answer may have been done, and a refusal is no harm."""
    assert judge(SOUND, JOURNAL) == []


@pytest.mark.parametrize(
    ("history", "journal", "said"),
    [
        pytest.param(
            [*SOUND, Operation(Kind.READ, 10, 11, "a", 2)], JOURNAL, "too late", id="stale read"
        ),
        pytest.param(
            [*SOUND, Operation(Kind.READ, 0, 0.5, "a", 2)], JOURNAL, "too late", id="read of later"
        ),
        pytest.param(
            [*SOUND, Operation(Kind.LOOK, 0, 0.5, "a", 2)], JOURNAL, "too late", id="look at later"
        ),
        pytest.param(
            [*SOUND, Operation(Kind.SAME, 10, 11, "a", 2)],
            JOURNAL,
            "too late",
            id="nothing to do, where there was",
        ),
        pytest.param(
            [*SOUND, Operation(Kind.REFUSED, 3, 4, "x", 0, 2)],
            JOURNAL,
            "too late",
            id="refused before anything came after",
        ),
        pytest.param(
            [*SOUND, Operation(Kind.REFUSED, 13, 14, "x", 0, 4)],
            JOURNAL,
            "nothing came after",
            id="refused at the newest",
        ),
        pytest.param(
            [*SOUND, Operation(Kind.WRITTEN, 9, 10, "c", 5)], JOURNAL, "has None", id="lost write"
        ),
        pytest.param(
            [*SOUND, Operation(Kind.READ, 12, 13, "b", 4)], JOURNAL, "has 'a'", id="wrong value"
        ),
        pytest.param(SOUND[:-2], JOURNAL, "nobody wrote that", id="refused, and done all the same"),
        pytest.param(
            [*SOUND, Operation(Kind.WRITTEN, 1, 2, "a", 2)],
            JOURNAL,
            "is also",
            id="one of two lost",
        ),
        pytest.param(
            [*SOUND, Operation(Kind.WRITTEN, 10, 11, "c", 5, 3)],
            {**JOURNAL, 5: "c"},
            "not its condition",
            id="condition ignored",
        ),
        pytest.param(
            [*SOUND, Operation(Kind.SAME, 8, 9, "b", 3, 2)],
            JOURNAL,
            "not its condition",
            id="condition ignored, nothing to do",
        ),
        pytest.param(
            [*SOUND, Operation(Kind.LOOK, 10, 11, "", 1, None, "n0")],
            JOURNAL,
            "the same node had answered",
            id="a node goes back",
        ),
        pytest.param(
            [Operation(Kind.WRITTEN, 5, 6, "a", 2), Operation(Kind.WRITTEN, 1, 2, "b", 3)],
            {1: "", 2: "a", 3: "b"},
            "too late",
            id="writes in the wrong order",
        ),
    ],
)
def test_what_has_no_order_is_found(
    history: list[Operation], journal: dict[int, str], said: str
) -> None:
    """Each of these is a way to break a promise."""
    assert said in " ".join(judge(history, journal))


def test_the_earliest_write_without_an_answer_is_taken() -> None:
    """If its condition fits; and each at most once."""
    unknown = [
        Operation(Kind.UNKNOWN, 5, inf, "a"),
        Operation(Kind.UNKNOWN, 1, inf, "a", 0, 2),
        Operation(Kind.UNKNOWN, 2, inf, "a"),
    ]
    read = Operation(Kind.READ, 3, 4, "a", 2)
    journal = {1: "", 2: "a"}
    assert judge([*unknown, read], journal) == []
    assert judge([*unknown[:2], read], journal) != []
    assert "nobody wrote that" in judge(unknown[:1], {**journal, 3: "a"})[0]


def after(one: Operation, revision: int, journal: dict[int, str]) -> int | None:
    """The revision after an operation; `None` where it cannot come now."""
    if one.kind is Kind.REFUSED:
        return revision if revision != one.expected else None
    if one.expected not in {None, revision}:
        return None
    made = revision + (one.kind in {Kind.WRITTEN, Kind.UNKNOWN})
    right = one.kind is Kind.UNKNOWN or one.revision == made
    return made if right and journal.get(made) == one.value else None


def searched(history: tuple[Operation, ...], journal: dict[int, str]) -> bool:
    """Whether there is an order, by trying: Wing and Gong (1993), with Lowe's memory of states."""

    @cache
    def possible(left: frozenset[int], revision: int) -> bool:
        if revision == len(journal) and all(history[n].kind is Kind.UNKNOWN for n in left):
            return True
        deadline = min((history[n].ended for n in left), default=inf)
        first = [n for n in left if history[n].began <= deadline]
        made = {n: after(history[n], revision, journal) for n in first}
        return any(possible(left - {n}, then) for n, then in made.items() if then is not None)

    return possible(frozenset(range(len(history))), 1)


@st.composite
def histories(draw: st.DrawFn) -> tuple[tuple[Operation, ...], dict[int, str]]:
    """A register that works, asked by many at once; and perhaps one answer that is changed."""
    journal, history, done = {1: ""}, list[Operation](), {1: 0.0}
    for moment in range(1, 1 + draw(st.integers(1, 8))):
        began = moment - draw(st.floats(0, 3))
        ended = moment + draw(st.floats(0, 3))
        kind, newest = draw(st.sampled_from([*Kind])), len(journal)
        seen = [revision for revision, when in done.items() if when < began]
        if kind is Kind.REFUSED:
            stale = [revision for revision in seen if revision != newest]
            if stale:
                history.append(Operation(kind, began, ended, "x", 0, draw(st.sampled_from(stale))))
            continue
        if kind in {Kind.WRITTEN, Kind.UNKNOWN}:
            expected = newest if newest in seen and draw(st.booleans()) else None
            unknown = kind is Kind.UNKNOWN
            if not unknown or draw(st.booleans()):
                journal[newest + 1] = f"v{moment}"
            revision = 0 if unknown else newest + 1
            ended = inf if unknown else ended
            history.append(Operation(kind, began, ended, f"v{moment}", revision, expected))
        else:
            kind = Kind.READ if kind is Kind.LOOK else kind
            history.append(Operation(kind, began, ended, journal[newest], newest))
        if history[-1].revision:
            revision = history[-1].revision
            done[revision] = min(ended, done.get(revision, inf))
    return tuple(history), journal


@given(histories())
def test_a_register_that_works_is_never_accused(
    made: tuple[tuple[Operation, ...], dict[int, str]],
) -> None:
    """Whatever overlaps."""
    assert judge(*made) == []
    assert searched(*made)


@given(histories(), st.data())
def test_the_judge_agrees_with_the_search(
    made: tuple[tuple[Operation, ...], dict[int, str]], data: st.DataObject
) -> None:
    """On histories of which one answer was moved, or says something else."""
    history, journal = made
    assume(history)
    place = data.draw(st.integers(0, len(history) - 1))
    one = history[place]
    assume(one.kind in {Kind.READ, Kind.SAME, Kind.REFUSED})
    later = data.draw(st.floats(-6, 6))
    other = replace(one, began=one.began + later, ended=one.ended + later)
    if one.kind is not Kind.REFUSED:
        revision = data.draw(st.sampled_from([*journal]))
        other = replace(other, revision=revision, value=journal[revision])
    changed = (*history[:place], other, *history[place + 1 :])
    seen = {1: -inf} | {
        each.revision: min(e.ended for e in changed if e.revision == each.revision)
        for each in changed
        if each.revision
    }
    asked = [each for each in changed if each.expected is not None]
    assume(all(seen.get(each.expected or 0, inf) < each.began for each in asked))
    assert (judge(changed, journal) == []) is searched(changed, journal)


@pytest.mark.sockets
def test_nodes_that_are_harmed_keep_one_order(own: Database, tmp_path: Path) -> None:
    """Their database is killed, and cut off, in the middle of everything."""
    url = own.space()
    with two_nodes(tmp_path, url) as nodes:
        faults = Faults(nodes, own, 3, pause=(0.3, 0.6), kinds=("cut", "crash"))
        history, _ = asyncio.run(ask_all(nodes, faults, 4, 100, 3))
    assert judge(history, journal_of(url)) == []
    assert faults.done.total() > 0
    assert {Kind.WRITTEN, Kind.READ} <= {one.kind for one in history}
