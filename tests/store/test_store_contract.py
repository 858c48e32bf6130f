"""What every store promises, tried on each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import replace

import pytest

from gateway.core.alias import Route
from gateway.core.changes import Batch, PutAlias, PutFunction
from gateway.core.diff import Difference
from gateway.core.journal import UnknownChange
from gateway.store.protocol import (
    Author,
    Journal,
    PackageNotFound,
    Record,
    StaleRevision,
    StateUnusable,
    Store,
)

Opened = Callable[[], AbstractAsyncContextManager[Store]]
Moves = Callable[[int], list[Record]]


async def commit_all(store: Store, records: list[Record]) -> None:
    """Commit records one after the other."""
    for record in records:
        await store.commit(record)


async def take(watching: AsyncGenerator[Record, None], count: int) -> list[int]:
    """The revisions of the next records."""
    return [(await anext(watching)).revision for _ in range(count)]


def test_an_empty_journal_has_nothing(opened: Opened) -> None:
    """Revision 0, which no record made."""

    async def scenario() -> tuple[Journal, list[Record]]:
        async with opened() as store:
            return await store.load(), await store.records()

    journal, records = asyncio.run(scenario())
    assert (journal.revision, journal.checkpoint, journal.tail) == (0, Batch(()), ())
    assert (journal.declared, records) == (None, [])


def test_what_was_committed_is_loaded_in_order(opened: Opened, moves: Moves) -> None:
    """Every change, and nothing else."""
    records = moves(5)

    async def scenario() -> Journal:
        async with opened() as store:
            await commit_all(store, records)
            return await store.load()

    assert asyncio.run(scenario()).tail == tuple(record.change for record in records)


def test_records_come_back_as_they_were_made(opened: Opened, moves: Moves) -> None:
    """With author, time, differences, the restored revision and what the file declared."""
    first, second = moves(2)
    odd = Author("\udcff an\0n/~", 'the "CLI"\n')
    first = replace(first, author=odd, at=0.1 + 0.2, declared=Batch((PutFunction("f", "c"),)))
    second = replace(
        second,
        restores=1,
        differences=(Difference(("a/b", "~\ud800"), None, [{"y": 0.1}, {"z": ["ü"]}]),),
    )

    async def scenario() -> list[Record]:
        async with opened() as store:
            await commit_all(store, [first, second])
            return await store.records()

    assert asyncio.run(scenario()) == [second, first]


def test_what_the_file_declared_last_is_loaded(opened: Opened, moves: Moves) -> None:
    """However many changes came after it, and after a checkpoint too."""
    records = moves(6)
    declared = [Batch((PutFunction("f", str(n)),)) for n in range(2)]
    records[1] = replace(records[1], declared=declared[0])
    records[3] = replace(records[3], declared=declared[1])

    async def scenario() -> list[Batch | None]:
        async with opened() as store:
            await commit_all(store, records[:3])
            early = await store.load()
            await commit_all(store, records[3:])
            late = await store.load()
            await store.checkpoint(6, Batch(()))
            return [journal.declared for journal in (early, late, await store.load())]

    assert asyncio.run(scenario()) == [declared[0], declared[1], declared[1]]


@pytest.mark.parametrize(
    ("revision", "expected"),
    [
        pytest.param(2, 1, id="one that is there"),
        pytest.param(3, 2, id="the newest one again"),
        pytest.param(5, 4, id="one too far"),
        pytest.param(0, -1, id="before the first"),
    ],
)
def test_a_record_comes_directly_after_the_newest(
    revision: int, expected: int, opened: Opened, moves: Moves
) -> None:
    """Any other one is stale, alters nothing, and stops nobody."""
    records = moves(4)

    async def scenario() -> StaleRevision:
        async with opened() as store:
            await commit_all(store, records[:3])
            with pytest.raises(StaleRevision) as caught:
                await store.commit(replace(records[3], revision=revision))
            assert await store.records() == records[2::-1]
            await store.commit(records[3])
            assert await store.records(limit=1) == records[3:]
            return caught.value

    stale = asyncio.run(scenario())
    assert (stale.expected, stale.actual, stale.code) == (expected, 3, "stale-revision")
    assert str(stale) == f"the state is at revision 3, not {expected}"


def test_of_writers_at_the_same_time_one_succeeds(opened: Opened, moves: Moves) -> None:
    """The others are told that they are stale."""
    first, second = moves(2)

    async def scenario() -> list[object]:
        async with opened() as store:
            await store.commit(first)
            rivals = [replace(second, author=Author(str(n), "")) for n in range(8)]
            writing = map(store.commit, rivals)
            answers: list[object] = [*await asyncio.gather(*writing, return_exceptions=True)]
            (newest,) = await store.records(limit=1)
            assert newest == rivals[answers.index(None)]
            return answers

    answers = asyncio.run(scenario())
    assert answers.count(None) == 1
    assert sum(isinstance(answer, StaleRevision) for answer in answers) == 7


def test_what_could_not_be_read_again_is_not_written(opened: Opened, moves: Moves) -> None:
    """A journal with such a record would never be loaded again."""
    (first,) = moves(1)
    route = Route("1")
    object.__setattr__(route, "split", "odd")

    async def scenario() -> Journal:
        async with opened() as store:
            with pytest.raises(UnknownChange):
                await store.commit(replace(first, change=PutAlias("orders", "release", route)))
            await store.commit(first)
            return await store.load()

    assert asyncio.run(scenario()).tail == (first.change,)


# History


@pytest.mark.parametrize(
    ("path", "revisions"),
    [
        pytest.param((), [6, 5, 4, 3, 2, 1], id="everything"),
        pytest.param(("functions",), [6, 3, 2, 1], id="all functions"),
        pytest.param(("functions", "a"), [6, 1], id="one function, and none that begins alike"),
        pytest.param(("functions", "ab"), [2], id="the one that begins alike"),
        pytest.param(("functions", "a", "aliases", "x"), [6, 1], id="one alias, twice in one"),
        pytest.param(("functions", "a/aliases"), [3], id="a name with a slash"),
        pytest.param(("services", "s~", "stages"), [5], id="a name with a tilde"),
        pytest.param(("services",), [5, 4], id="all services"),
        pytest.param(("functions", "a", "aliases", "x", "more"), [], id="below what there is"),
        pytest.param(("other",), [], id="nothing there"),
    ],
)
def test_history_is_found_by_part(
    path: tuple[str, ...], revisions: list[int], opened: Opened, moves: Moves
) -> None:
    """The records that altered the part, or one below it, newest first."""
    altered: list[list[tuple[str, ...]]] = [
        [("functions", "a", "aliases", "x"), ("functions", "a", "versions", "1")],
        [("functions", "ab", "aliases", "x")],
        [("functions", "a/aliases", "versions", "1")],
        [("services", "s", "name")],
        [("services", "s~", "stages", "dev"), ("services", "s~", "apis")],
        [("functions", "a", "aliases", "x")],
    ]
    records = [
        replace(record, differences=tuple(Difference(path, None, "x") for path in paths))
        for record, paths in zip(moves(6), altered, strict=True)
    ]

    async def scenario() -> list[int]:
        async with opened() as store:
            await commit_all(store, records)
            return [record.revision for record in await store.records(path=path)]

    assert asyncio.run(scenario()) == revisions


@pytest.mark.parametrize(
    ("before", "limit", "revisions"),
    [
        pytest.param(None, 2, [6, 5], id="the newest"),
        pytest.param(4, 2, [3, 2], id="before one"),
        pytest.param(1, 2, [], id="before the first"),
        pytest.param(7, 100, [6, 5, 4, 3, 2, 1], id="before one that is not there"),
        pytest.param(10**30, 10**30, [6, 5, 4, 3, 2, 1], id="beyond every number"),
        pytest.param(None, 0, [], id="none"),
        pytest.param(None, -1, [], id="less than none"),
    ],
)
def test_history_comes_in_pages(
    before: int | None, limit: int, revisions: list[int], opened: Opened, moves: Moves
) -> None:
    """At most so many, from there on; of everything as of one part."""

    async def scenario() -> list[list[int]]:
        async with opened() as store:
            await commit_all(store, moves(6))
            pages = [
                await store.records(path=path, before=before, limit=limit)
                for path in ((), ("functions", "orders"))
            ]
            return [[record.revision for record in page] for page in pages]

    assert asyncio.run(scenario()) == [revisions, revisions]


# Checkpoints


def test_loading_starts_from_the_newest_checkpoint(opened: Opened, moves: Moves) -> None:
    """One that comes late, of an earlier revision, is not needed; history stays whole."""
    records = moves(5)
    states = {n: Batch((PutFunction("state", str(n)),)) for n in (2, 4)}

    async def scenario() -> tuple[Journal, list[Record]]:
        async with opened() as store:
            await commit_all(store, records)
            for revision in (4, 2, 4):
                await store.checkpoint(revision, states[revision])
            return await store.load(), await store.records()

    journal, kept = asyncio.run(scenario())
    assert (journal.revision, journal.checkpoint) == (4, states[4])
    assert journal.tail == (records[4].change,)
    assert kept == records[::-1]


def test_a_checkpoint_is_of_a_revision_that_is_there(opened: Opened, moves: Moves) -> None:
    """Otherwise the records up to it would be passed over when they come."""

    async def scenario() -> Journal:
        async with opened() as store:
            await commit_all(store, moves(2))
            with pytest.raises(StaleRevision, match="at revision 2, not 3"):
                await store.checkpoint(3, Batch(()))
            return await store.load()

    assert asyncio.run(scenario()).revision == 0


# Watching


def test_a_watcher_sees_what_is_there_and_what_comes(opened: Opened, moves: Moves) -> None:
    """Once each, in order, however many there are."""
    records = moves(250)

    async def scenario() -> list[int]:
        async with opened() as store:
            await commit_all(store, records[:230])
            async with aclosing(store.watch(5)) as watching:
                seen = await take(watching, 225)
                writing = asyncio.create_task(commit_all(store, records[230:]))
                seen += await take(watching, 20)
                await writing
            return seen

    assert asyncio.run(scenario()) == list(range(6, 251))


def test_a_watcher_is_woken_at_once(
    opened: Opened, moves: Moves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For what this process commits it does not wait until somebody looks."""
    monkeypatch.setattr("gateway.store.bell.EVERY", 3600.0)

    async def scenario() -> list[int]:
        async with opened() as store, aclosing(store.watch(0)) as watching:
            seen = []
            for record in moves(5):
                following = asyncio.ensure_future(anext(watching))
                await asyncio.sleep(0)
                await store.records()  # one thread: the watcher has looked and now waits
                await store.commit(record)
                seen.append((await following).revision)
            return seen

    assert asyncio.run(scenario()) == [1, 2, 3, 4, 5]


def test_many_watch_from_where_they_are(opened: Opened, moves: Moves) -> None:
    """Each for itself; one that leaves disturbs nobody."""
    records = moves(12)

    async def scenario() -> list[list[int]]:
        async with opened() as store:
            await commit_all(store, records[:6])
            ways = [store.watch(n) for n in range(6)]
            assert await take(ways[0], 6) == [1, 2, 3, 4, 5, 6]
            await ways[0].aclose()
            tasks = [asyncio.create_task(take(way, 11 - n)) for n, way in enumerate(ways[1:])]
            await commit_all(store, records[6:])
            seen = await asyncio.gather(*tasks)
            for way in ways:
                await way.aclose()
            return seen

    assert asyncio.run(scenario()) == [list(range(n + 2, 13)) for n in range(5)]


@pytest.mark.parametrize("count", [0, 2], ids=["that saw nothing", "that saw records"])
def test_watching_ends_when_the_store_is_closed(count: int, opened: Opened, moves: Moves) -> None:
    """Whoever waits is not left waiting."""

    async def watch(store: Store) -> list[int]:
        return [record.revision async for record in store.watch(0)]

    async def scenario() -> list[int]:
        async with opened() as store:
            await commit_all(store, moves(count) if count else [])
            task = asyncio.create_task(watch(store))
            await asyncio.sleep(0)
            await store.records()  # one thread: the watcher's own look came before
        return await task

    assert asyncio.run(scenario()) == list(range(1, count + 1))


def test_a_closed_store_shows_nothing_more(opened: Opened, moves: Moves) -> None:
    """A watcher that begins afterwards ends at once."""

    async def scenario() -> list[Record]:
        async with opened() as store:
            await commit_all(store, moves(1))
        return [record async for record in store.watch(0)]

    assert asyncio.run(scenario()) == []


# Packages


def test_packages_are_kept_by_digest(opened: Opened) -> None:
    """The first one stays; another digest is another package."""

    async def scenario() -> list[bytes]:
        async with opened() as store:
            await store.put_package("sha256:a", b"first")
            await store.put_package("sha256:a", b"second")
            await store.put_package("sha256:b", b"")
            return [await store.package("sha256:a"), await store.package("sha256:b")]

    assert asyncio.run(scenario()) == [b"first", b""]


def test_a_package_that_is_not_there_is_named(opened: Opened) -> None:
    """By its digest."""

    async def scenario() -> None:
        async with opened() as store:
            await store.package("sha256:a")

    with pytest.raises(PackageNotFound, match="no code package sha256:a") as caught:
        asyncio.run(scenario())
    assert (caught.value.digest, caught.value.code) == ("sha256:a", "package-not-found")


def test_packages_that_were_asked_for_lately_are_kept(opened: Opened) -> None:
    """A change that names them may be on its way; asking again counts."""

    async def scenario() -> list[str]:
        async with opened() as store:
            for name, at in (("a", 10.0), ("b", 20.0), ("c", 10.0), ("c", 20.0), ("b", 10.0)):
                await store.put_package(name, b"code", at)
            await store.retain_packages([], before=15.0)
            found = []
            for name in "abc":
                with suppress(PackageNotFound):
                    await store.package(name)
                    found.append(name)
            return found

    assert asyncio.run(scenario()) == ["b", "c"]


def test_packages_that_nobody_names_are_dropped(opened: Opened) -> None:
    """All but those that are named, whether they are there or not."""

    async def scenario() -> list[bool]:
        async with opened() as store:
            for name in "abc":
                await store.put_package(name, bytes(100_000))
            await store.retain_packages(["b", "x"])
            found = []
            for name in "abc":
                try:
                    await store.package(name)
                    found.append(True)
                except PackageNotFound:
                    found.append(False)
            return found

    assert asyncio.run(scenario()) == [False, True, False]


# Closing


def test_closing_twice_is_closing(opened: Opened) -> None:
    """And afterwards nothing is done, and said so."""

    async def scenario() -> None:
        async with opened() as store:
            await store.close()
            await store.close()
            await store.load()

    with pytest.raises(StateUnusable, match="is closed") as caught:
        asyncio.run(scenario())
    assert caught.value.code == "state-unusable"


def test_what_was_asked_before_closing_is_still_done(opened: Opened, moves: Moves) -> None:
    """A commit on its way is durable, or it would have failed."""
    (first,) = moves(1)

    async def scenario() -> None:
        async with opened() as store:
            committing = asyncio.create_task(store.commit(first))
            await asyncio.sleep(0)
            await store.close()
            await committing

    asyncio.run(scenario())
