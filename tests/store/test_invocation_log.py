"""The invocation log: everything that was put in can be found, and it stays within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store import invocation_log, log_tables
from gateway.store.database import MEMORY
from gateway.store.invocation_log import InvocationLog
from gateway.store.logged import Entry, Wanted
from gateway.store.protocol import StateUnusable

T = TypeVar("T")
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


def with_log(
    work: Callable[[InvocationLog], Coroutine[Any, Any, T]], path: str | Path = MEMORY
) -> T:
    """What comes of work with a log."""

    async def scenario() -> T:
        log = await InvocationLog.open(path)
        try:
            return await work(log)
        finally:
            await log.close()

    return asyncio.run(scenario())


def found(entries: list[Entry], wanted: Wanted, limit: int = 100) -> list[str]:
    """The ids of the entries that are found among these."""

    async def work(log: InvocationLog) -> list[str]:
        await log.append(entries)
        return [entry.request_id for entry in await log.find(wanted, limit)]

    return with_log(work)


SEVERAL: Final = [
    ENTRY,
    replace(ENTRY, request_id="b", at=1001.0, version="2", reason="weight", stage="dev"),
    replace(ENTRY, request_id="c", at=1002.0, status=430, kind="exception", output="Boom Ünder"),
    replace(ENTRY, request_id="d", at=1003.0, seconds=2.0, function="other", qualifier="x"),
    replace(ENTRY, request_id="e", at=1004.0, status=502, kind="server", error={"m": "Straße"}),
]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        pytest.param(Wanted(), "edcba", id="everything, newest first"),
        pytest.param(Wanted(stage="dev"), "b", id="stage"),
        pytest.param(Wanted(function="orders"), "ecba", id="function"),
        pytest.param(Wanted(qualifier="x"), "d", id="qualifier"),
        pytest.param(Wanted(version="2"), "b", id="version"),
        pytest.param(Wanted(reason="weight"), "b", id="reason"),
        pytest.param(Wanted(status=(430, 430)), "c", id="status"),
        pytest.param(Wanted(status=(500, 599)), "e", id="class of statuses"),
        pytest.param(Wanted(errors=True), "ec", id="errors"),
        pytest.param(Wanted(since=1003.0), "ed", id="since"),
        pytest.param(Wanted(until=1001.0), "a", id="until"),
        pytest.param(Wanted(slower=1.0), "d", id="slower"),
        pytest.param(Wanted(text="BOOM"), "c", id="text in the output, any case"),
        pytest.param(Wanted(text="ünder"), "c", id="text that is no ASCII"),
        pytest.param(Wanted(text="STRASSE"), "e", id="text in the error"),
        pytest.param(Wanted(text="ORDERS/4"), "edcba", id="text in the path"),
        pytest.param(Wanted(text="%"), "", id="no wildcards"),
        pytest.param(Wanted(before=3), "ba", id="before"),
        pytest.param(Wanted(after=3), "de", id="after, oldest first"),
        pytest.param(Wanted(function="orders", errors=True, text="boom"), "c", id="together"),
    ],
)
def test_entries_are_found(wanted: Wanted, ids: str) -> None:
    """By each field, and by several at once."""
    assert "".join(found(SEVERAL, wanted)) == ids


def test_at_most_so_many_are_told() -> None:
    """The newest ones."""
    assert found(SEVERAL, Wanted(), 2) == ["e", "d"]


TEXT: Final = st.text(max_size=30)


@settings(max_examples=50, deadline=None)
@given(
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
        output=st.text(max_size=30) | st.just("half a pair: \ud800"),
    )
)
def test_an_entry_comes_back_as_it_was(entry: Entry) -> None:
    """Every field, whatever text it holds."""

    async def work(log: InvocationLog) -> Entry | None:
        await log.append([entry])
        return await log.get(entry.request_id)

    assert with_log(work) == replace(entry, number=1)


def test_an_unknown_id_has_no_entry() -> None:
    """And an empty log no newest one."""

    async def work(log: InvocationLog) -> tuple[Entry | None, int]:
        return await log.get("nobody"), await log.newest()

    assert with_log(work) == (None, 0)


def test_the_log_survives_its_process(tmp_path: Path) -> None:
    """It is a file, for its owner alone; numbers go on."""
    path = tmp_path / "deep" / "log.db"

    async def put(log: InvocationLog) -> int:
        await log.append(SEVERAL)
        return await log.newest()

    assert with_log(put, path) == 5
    assert path.stat().st_mode & 0o777 == 0o600
    assert with_log(put, path) == 10


def test_what_is_no_log_makes_room_for_one(tmp_path: Path) -> None:
    """It is only a log: what cannot be read must not keep a gateway from starting."""
    path = tmp_path / "log.db"
    path.write_bytes(b"something else" * 1000)

    async def put(log: InvocationLog) -> int:
        await log.append(SEVERAL)
        return await log.newest()

    assert with_log(put, path) == 5


def test_a_place_where_none_can_be_is_told(tmp_path: Path) -> None:
    """With the name of the place."""
    (tmp_path / "file").write_text("no folder")

    async def nothing(_log: InvocationLog) -> None:
        raise AssertionError

    with pytest.raises(StateUnusable, match=r"the log '.*file/log.db' cannot be used"):
        with_log(nothing, tmp_path / "file" / "log.db")


def test_a_file_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """A folder in the place of the file, for example."""
    (tmp_path / "log.db").mkdir()

    async def nothing(_log: InvocationLog) -> None:
        raise AssertionError

    with pytest.raises(StateUnusable, match="cannot be used"):
        with_log(nothing, tmp_path / "log.db")


def test_old_entries_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, and by age."""
    monkeypatch.setattr(log_tables, "KEPT_ROWS", 3)
    monkeypatch.setattr(invocation_log, "SWEEP", 5)
    assert found(SEVERAL, Wanted()) == ["e", "d", "c"]
    monkeypatch.setattr(log_tables, "KEPT_ROWS", 100)
    late = replace(ENTRY, request_id="z", at=1002.5 + invocation_log.KEPT_SECONDS)
    assert found([*SEVERAL, late], Wanted()) == ["z", "e", "d"]
