"""The file of a log: private, made anew when it is damaged, and never removed under another."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.store import log_file
from gateway.store.log_file import LogFile, LogInUse
from gateway.store.log_tables import newest
from gateway.store.logged import Entry, Wanted
from gateway.store.protocol import StateUnusable
from gateway.store.sqlite_log import SqliteLog

T = TypeVar("T")

GARBAGE = b"something else" * 1000
ENTRY = Entry("a", 1.0, "http", "dev", "orders", "$LATEST", "$LATEST", "main", 1, 200, "", 0.1)


def with_log(work: Callable[[SqliteLog], Awaitable[T]], path: Path) -> T:
    """What comes of work with a log."""

    async def scenario() -> T:
        log = await SqliteLog.open(path)
        try:
            return await work(log)
        finally:
            await log.close()

    return asyncio.run(scenario())


async def put(log: SqliteLog) -> int:
    """Write one entry; gives its number."""
    await log.append([ENTRY])
    return await log.newest()


def spoil(path: Path) -> None:
    """Damage a file where it is, as a disk does: whoever has it open has the damaged one."""
    for each in (path, Path(f"{path}-wal")):
        with each.open("r+b") as file:
            file.write(b"?" * each.stat().st_size)


async def fill(log: SqliteLog) -> None:
    """Write more than a connection remembers without a look at the file."""
    await log.append([replace(ENTRY, body=chr(65 + n % 26) * 40_000) for n in range(200)])


def test_a_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Also one that replaces another, and its folder where that is not there yet."""
    path = tmp_path / "deep" / "log.db"
    assert with_log(put, path) == 1
    assert with_log(put, path) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.write_bytes(GARBAGE)
    path.chmod(0o644)
    assert with_log(put, path) == 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_log_makes_room_for_one(tmp_path: Path) -> None:
    """It is only a log: what cannot be read must not keep a gateway from starting."""
    path = tmp_path / "log.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").write_bytes(GARBAGE)
    assert with_log(put, path) == 1


@pytest.mark.parametrize("place", ["file/log.db", "folder"])
def test_a_place_where_none_can_be_is_told(tmp_path: Path, place: str) -> None:
    """With the name of the place: below a file, or where there is a folder."""
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateUnusable, match=rf"the log '.*{place}' cannot be used"):
        with_log(put, tmp_path / place)


def test_a_log_that_is_damaged_while_it_is_used_begins_anew(tmp_path: Path) -> None:
    """What could not be done is done in the new one."""
    path = tmp_path / "log.db"

    async def work(log: SqliteLog) -> tuple[list[Entry], int]:
        await fill(log)
        spoil(path)
        return await log.find(Wanted(), 200), await put(log)

    assert with_log(work, path) == ([], 1)


def test_a_damaged_log_that_another_has_open_is_left_alone(tmp_path: Path) -> None:
    """It cannot be used, and says why, until that one has let go of it."""
    path = tmp_path / "log.db"

    async def scenario() -> tuple[int, ...]:
        one = await SqliteLog.open(path)
        await fill(one)
        spoil(path)
        before = path.stat().st_ino, path.stat().st_size
        other = await SqliteLog.open(path)  # starts all the same
        for _ in range(2):
            with pytest.raises(LogInUse, match="when no other process has it open"):
                await put(other)
        assert (path.stat().st_ino, path.stat().st_size) == before
        found = len(await one.find(Wanted(), 200)), await put(one), await put(other)
        await one.close()
        await other.close()
        return found

    assert asyncio.run(scenario()) == (0, 1, 2)  # the first has found out


def test_what_another_has_put_in_its_place_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between finding out and removing, another may have done so."""
    path = tmp_path / "log.db"
    path.write_bytes(GARBAGE)
    real = fcntl.flock

    def late(lock: int, kind: int) -> None:
        if kind & fcntl.LOCK_EX:
            monkeypatch.setattr(fcntl, "flock", real)
            path.unlink()
            assert with_log(put, path) == 1
        real(lock, kind)

    monkeypatch.setattr(fcntl, "flock", late)
    assert with_log(put, path) == 2


def test_a_damaged_file_that_is_gone_is_made(tmp_path: Path) -> None:
    """Removed by hand, after it was found out."""
    path = tmp_path / "log.db"
    file = LogFile(path)

    def damaged(connection: sqlite3.Connection) -> int:
        if path.exists() and file.openings == 1:
            path.unlink()
            error = sqlite3.DatabaseError("malformed")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        return newest(connection)

    assert file.do(damaged) == 0
    assert path.exists()
    file.close()


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT])
def test_trouble_in_memory_is_told(code: int) -> None:
    """There is no file to begin anew."""
    file = LogFile(":memory:")

    def trouble(_connection: sqlite3.Connection) -> None:
        error = sqlite3.DatabaseError("x")
        error.sqlite_errorcode = code
        raise error

    with pytest.raises(StateUnusable, match="the log in memory cannot be used"):
        file.do(trouble)
    file.close()


def test_a_file_that_may_not_be_opened_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no damage removes nothing."""
    path = tmp_path / "log.db"
    assert with_log(put, path) == 1

    def busy(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", busy)
        with pytest.raises(LogInUse, match="another process has been writing for 5 seconds"):
            with_log(put, path)
    assert with_log(put, path) == 2


def test_a_log_that_another_writes_for_long_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there can be read meanwhile; what was refused can be given again."""
    monkeypatch.setattr(log_file, "BUSY", 0.01)
    path = tmp_path / "log.db"

    async def work(log: SqliteLog) -> tuple[int, int]:
        await put(log)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LogInUse, match="another process has been writing"):
                await put(log)
            found = len(await log.find(Wanted()))
            other.execute("ROLLBACK")
        return found, await put(log)

    assert with_log(work, path) == (1, 2)
