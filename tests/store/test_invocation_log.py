"""The invocation log of each kind: what was put in can be found, by all, and within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store import log_tables, postgres_log_tables
from gateway.store.database import MEMORY
from gateway.store.invocation_log import InvocationLog
from gateway.store.logged import Entry, Origin, Retention, Wanted, parse_statuses
from gateway.store.postgres_log import PostgresLog
from gateway.store.protocol import StateUnusable
from gateway.store.sqlite_log import SqliteLog

T = TypeVar("T")
Opened = Callable[..., AbstractAsyncContextManager[InvocationLog]]
Work = Callable[[InvocationLog], Coroutine[Any, Any, T]]

HERE: Final = Origin("host", "worker-1")
ENTRY: Final = Entry(
    request_id="a",
    at=1000.0,
    source="http",
    stage="release",
    function="orders",
    qualifier="release",
    version="1",
    reason="main",
    revision=7,
    status=200,
    kind="",
    seconds=0.01,
    method="GET",
    path="/orders/42",
    headers={"user": "Bob"},
)
SEVERAL: Final = [
    ENTRY,
    replace(ENTRY, request_id="b", at=1001.0, version="2", reason="weight", stage="dev"),
    replace(ENTRY, request_id="c", at=1002.0, status=430, kind="exception", output="Boom Ünder"),
    replace(ENTRY, request_id="d", at=1003.0, seconds=2.0, function="other", qualifier="x"),
    replace(ENTRY, request_id="e", at=1004.0, status=502, kind="server", error={"m": "Straße\0"}),
]
TEXT: Final = st.text(max_size=30)


@pytest.fixture(params=["file", "memory", pytest.param("postgres", marks=pytest.mark.sockets)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Opens a log of each kind; a file and a database are the same one each time."""
    path = tmp_path / "state" / "log.db" if request.param == "file" else MEMORY
    url = request.getfixturevalue("space") if request.param == "postgres" else None

    @asynccontextmanager
    async def enter(
        retention: Retention | None = None, origin: Origin = HERE
    ) -> AsyncIterator[InvocationLog]:
        kept = retention or Retention()
        log: InvocationLog = await (
            PostgresLog.open(url, kept, origin) if url else SqliteLog.open(path, kept, origin)
        )
        try:
            yield log
        finally:
            await log.close()
            await log.close()

    return enter


def ids(entries: list[Entry]) -> str:
    """The ids of entries, one letter each."""
    return "".join(entry.request_id for entry in entries)


def with_log(opened: Opened, work: Work[T], retention: Retention | None = None) -> T:
    """What comes of work with a log in which there is something."""

    async def scenario() -> T:
        async with opened(retention) as log:
            await log.append(SEVERAL)
            return await work(log)

    return asyncio.run(scenario())


def test_entries_are_found(opened: Opened) -> None:
    """By each field, and by several at once."""
    expected = {
        Wanted(): "edcba",
        Wanted(stage="dev"): "b",
        Wanted(function="orders"): "ecba",
        Wanted(qualifier="x"): "d",
        Wanted(version="2"): "b",
        Wanted(version="\0"): "",
        Wanted(reason="weight"): "b",
        Wanted(status=(430, 430)): "c",
        Wanted(status=(500, 599)): "e",
        Wanted(errors=True): "ec",
        Wanted(since=1003.0): "ed",
        Wanted(until=1001.0): "a",
        Wanted(slower=1.0): "d",
        Wanted(text="BOOM"): "c",
        Wanted(text="ünder"): "c",
        Wanted(text="STRASSE"): "e",
        Wanted(text="ORDERS/4"): "edcba",
        Wanted(text="%"): "",
        Wanted(before=3): "ba",
        Wanted(after=3): "de",
        Wanted(after=2**70): "",
        Wanted(function="orders", errors=True, text="boom"): "c",
    }

    async def work(log: InvocationLog) -> dict[Wanted, str]:
        return {wanted: ids(await log.find(wanted)) for wanted in expected}

    assert with_log(opened, work) == expected


def test_at_most_so_many_are_told(opened: Opened) -> None:
    """The newest ones, or those that come next."""

    async def work(log: InvocationLog) -> list[str]:
        return [ids(await log.find(wanted, 2)) for wanted in (Wanted(), Wanted(after=1))]

    assert with_log(opened, work) == ["ed", "bc"]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.builds(
            Entry,
            request_id=st.uuids().map(str),
            at=st.floats(0, 1e10),
            source=st.sampled_from(["http", "invoke"]),
            stage=st.just("release"),
            function=st.just("orders"),
            qualifier=st.just("release"),
            version=st.just("1"),
            reason=st.just("main"),
            revision=st.integers(0, 1 << 40),
            status=st.integers(100, 599),
            kind=st.just(""),
            seconds=st.floats(0, 1000),
            method=TEXT,
            path=TEXT,
            headers=st.dictionaries(TEXT, TEXT, max_size=3),
            body=TEXT,
            body_cut=st.booleans(),
            duration=st.floats(0, 1000),
            memory=st.integers(0, 1 << 40),
            error=st.none() | st.dictionaries(TEXT, st.none() | st.integers() | TEXT, max_size=3),
            output=st.text(max_size=30) | st.just("half a pair, and nothing: \ud800\0"),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda entry: entry.request_id,
    )
)
def test_an_entry_comes_back_as_it_was(opened: Opened, entries: list[Entry]) -> None:
    """Every field, whatever text it holds; and who answered."""

    async def scenario() -> list[Entry | None]:
        async with opened() as log:
            await log.append(entries)
            return [await log.get(entry.request_id) for entry in entries]

    for before, after in zip(entries, asyncio.run(scenario()), strict=True):
        assert after is not None
        assert replace(after, number=0) == replace(before, node="host", process="worker-1")


def test_an_unknown_id_has_no_entry(opened: Opened) -> None:
    """And an empty log no newest one."""

    async def scenario() -> tuple[object, ...]:
        async with opened() as log:
            return await log.get("nobody"), await log.get("\0"), await log.newest()

    assert asyncio.run(scenario()) == (None, None, 0)


def test_entries_of_one_request_are_told_by_the_newest(opened: Opened) -> None:
    """An invocation that was tried again has several."""

    async def work(log: InvocationLog) -> int:
        await log.append([replace(ENTRY, status=201)])
        found = await log.get("a")
        return found.status if found else 0

    assert with_log(opened, work) == 201


def test_old_entries_make_room(opened: Opened) -> None:
    """What came too long ago."""

    async def work(log: InvocationLog) -> list[str]:
        found = []
        for now in (1002.0, 1010.0, 1013.5, 2000.0):
            await log.prune(now)
            found.append(ids(await log.find(Wanted())))
        return found

    assert with_log(opened, work, Retention(10.0)) == ["edcba", "edcba", "e", ""]


@pytest.mark.parametrize(("most", "left"), [(5, "edcba"), (2, "ed"), (0, "")])
def test_too_many_entries_make_room(opened: Opened, most: int, left: str) -> None:
    """The newest ones are kept; numbers go on."""

    async def work(log: InvocationLog) -> tuple[str, int]:
        await log.prune(1004.0)
        found = ids(await log.find(Wanted()))
        await log.append([ENTRY])
        return found, await log.newest()

    assert with_log(opened, work, Retention(entries=most)) == (left, 6)


def test_much_that_is_too_old_goes_in_parts(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it in the end."""
    for module in (log_tables, postgres_log_tables):
        monkeypatch.setattr(module, "PRUNED", 2)

    async def work(log: InvocationLog) -> str:
        await log.prune(1011.5)
        return ids(await log.find(Wanted()))

    assert with_log(opened, work, Retention(10.0, 2)) == "ed"


def test_a_log_that_is_closed_says_so(opened: Opened) -> None:
    """In a sentence of its own."""

    async def scenario() -> None:
        async with opened() as log:
            await log.close()
            with pytest.raises(StateUnusable, match="is closed"):
                await log.newest()

    asyncio.run(scenario())


def test_what_is_written_here_is_news(opened: Opened) -> None:
    """At once, whether or not somebody follows."""

    async def work(log: InvocationLog) -> tuple[bool, bool]:
        news = log.news
        before = news.is_set()
        await log.append([ENTRY])
        return before, news.is_set()

    assert with_log(opened, work) == (False, True)


@pytest.mark.parametrize("opened", ["file", "postgres"], indirect=True)
def test_what_others_write_is_news_as_well(opened: Opened) -> None:
    """For whoever follows; it is found with its origin, and numbered in one row."""

    async def scenario() -> list[tuple[int, str, str]]:
        async with opened() as log, opened(origin=Origin("other", "main")) as other:
            await log.append([ENTRY])
            with log.following():
                news = log.news
                await other.append([replace(ENTRY, request_id="b")])
                while not await log.find(Wanted(after=1)):
                    await news.wait()
                    news = log.news
            await log.append([replace(ENTRY, request_id="c")])
            found = await other.find(Wanted(after=0))
            return [(entry.number, entry.request_id, entry.node) for entry in found]

    found = asyncio.run(scenario())
    assert found == [(1, "a", "host"), (2, "b", "other"), (3, "c", "host")]


@pytest.mark.parametrize("opened", ["file", "postgres"], indirect=True)
def test_the_log_survives_its_process(opened: Opened) -> None:
    """Numbers go on; who opens it again with less room prunes what there was."""

    async def scenario() -> tuple[int, str]:
        async with opened() as log:
            await log.append(SEVERAL)
        async with opened(Retention(entries=3)) as log:
            await log.append([ENTRY])
            await log.prune(1004.0)
            return await log.newest(), ids(await log.find(Wanted()))

    assert asyncio.run(scenario()) == (6, "aed")


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("404", (404, 404)),
        ("430-499", (430, 499)),
        ("5xx", (500, 599)),
        ("", None),
        ("9xx", None),
        ("404-", None),
        ("٤٠٤", None),
    ],
)
def test_statuses_are_read(text: str, statuses: tuple[int, int] | None) -> None:
    """One, a range, a class; nothing else."""
    assert parse_statuses(text) == statuses
