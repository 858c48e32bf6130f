"""Recovery leads to what `apply` led to, from wherever it starts, or says which change is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, DeleteVersion, PutFunction
from gateway.core.errors import Refused
from gateway.core.rebuild import rebuild
from gateway.core.snapshot import EMPTY, Snapshot
from gateway.store.protocol import Journal, Record, StateUnusable, Store
from gateway.store.recovery import Recovered, compact, recover, replay
from gateway.store.sqlite import SqliteStore

Opened = Callable[[], AbstractAsyncContextManager[Store]]
Moves = Callable[[int], list[Record]]


def applied(records: list[Record]) -> Snapshot:
    """What the changes of records lead to."""
    snapshot = EMPTY
    for record in records:
        snapshot = apply(snapshot, record.change)
    return snapshot


def routing(snapshot: Snapshot) -> list[tuple[str, list[str], list[str]]]:
    """What equality leaves out: the order of the parts, and what was compiled for each."""
    return [
        (name, list(function.aliases), sorted(snapshot.entries[name]))
        for name, function in snapshot.functions.items()
    ]


def test_an_empty_journal_leads_to_the_empty_state(opened: Opened) -> None:
    """At revision 0."""

    async def scenario() -> Recovered:
        async with opened() as store:
            return await recover(store)

    assert asyncio.run(scenario()) == Recovered(EMPTY, None, 0)


@given(data=st.data())
def test_recovery_leads_where_the_changes_led(
    data: st.DataObject, histories: st.SearchStrategy[list[Record]]
) -> None:
    """With a checkpoint at any revision or none, and for every kind of change."""
    records = data.draw(histories)
    at = data.draw(st.none() | st.integers(1, len(records)))

    async def scenario() -> Recovered:
        store = await SqliteStore.open(":memory:")
        for record in records:
            await store.commit(record)
        if at is not None:
            await store.checkpoint(at, rebuild(applied(records[:at])))
        assert await store.records(limit=len(records)) == records[::-1]
        recovered = await recover(store)
        await store.close()
        return recovered

    expected, recovered = applied(records), asyncio.run(scenario())
    assert recovered.snapshot == expected
    assert routing(recovered.snapshot) == routing(expected)
    assert recovered.declared == records[0].declared
    assert recovered.replayed == len(records) - (at or 0)


def test_recovery_goes_on_where_it_was(opened: Opened, moves: Moves) -> None:
    """A recovered state takes the next change, and the journal its record."""
    records = moves(8)

    async def scenario() -> Snapshot:
        async with opened() as store:
            for record in records[:6]:
                await store.commit(record)
            await store.checkpoint(4, rebuild(applied(records[:4])))
            snapshot = (await recover(store)).snapshot
            for record in records[6:]:
                snapshot = apply(snapshot, record.change)
                await store.commit(replace(record, revision=snapshot.revision))
            assert (await recover(store)).snapshot == snapshot
            return snapshot

    assert asyncio.run(scenario()) == applied(records)


@pytest.mark.parametrize(
    ("revision", "checkpoint", "tail", "where"),
    [
        pytest.param(0, (), (DeleteVersion("fn", "1"),), "revision 1", id="the first"),
        pytest.param(
            0,
            (),
            (PutFunction("fn", "c"), DeleteVersion("fn", "1"), PutFunction("fn", "d")),
            "revision 2",
            id="one in the middle",
        ),
        pytest.param(
            7, (PutFunction("fn", "c"),), (DeleteVersion("fn", "1"),), "revision 8", id="after one"
        ),
        pytest.param(
            7, (DeleteVersion("fn", "1"),), (), "the checkpoint of revision 7", id="a checkpoint"
        ),
    ],
)
def test_a_change_that_breaks_a_rule_is_named(
    revision: int, checkpoint: tuple[Change, ...], tail: tuple[Change, ...], where: str
) -> None:
    """The state is unusable from there on; nothing is passed over."""
    journal = Journal(revision, Batch(checkpoint), tail, None, "the state 'x.db'")
    with pytest.raises(StateUnusable, match=f"^the state 'x.db' .*: {where} is refused: ") as found:
        replay(journal)
    assert isinstance(found.value.__cause__, Refused)


@pytest.mark.parametrize(
    ("count", "revision"),
    [
        pytest.param(0, None, id="nothing there"),
        pytest.param(3, None, id="too early"),
        pytest.param(4, 4, id="the first time"),
        pytest.param(6, None, id="between"),
        pytest.param(8, 8, id="the second time"),
    ],
)
def test_every_so_many_revisions_the_state_is_remembered(
    count: int, revision: int | None, opened: Opened, moves: Moves
) -> None:
    """And recovery starts there."""
    records = moves(count) if count else []

    async def scenario() -> Journal:
        async with opened() as store:
            for record in records:
                await store.commit(record)
            remembered = await compact(store, applied(records), every=4)
            assert remembered is (revision is not None)
            assert (await recover(store)).snapshot == applied(records)
            return await store.load()

    assert asyncio.run(scenario()).revision == (revision or 0)
