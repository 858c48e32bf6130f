"""Opening a state file: private and durable, and refused with a sentence when it is not ours."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.core.changes import Batch
from gateway.store import tables
from gateway.store.database import open_database
from gateway.store.protocol import Journal, Record, StateUnusable
from gateway.store.records import Row
from gateway.store.schema import APPLICATION, STEPS, migrate
from gateway.store.sqlite import SqliteStore

Moves = Callable[[int], list[Record]]


def write(path: Path, records: list[Record]) -> None:
    """Commit records to a state file."""

    async def scenario() -> None:
        store = await SqliteStore.open(path)
        for record in records:
            await store.commit(record)
        await store.close()

    asyncio.run(scenario())


def read(path: Path | str) -> Journal:
    """Open a state file, load it and close it."""

    async def scenario() -> Journal:
        store = await SqliteStore.open(path)
        try:
            return await store.load()
        finally:
            await store.close()

    return asyncio.run(scenario())


def alter(path: Path, *statements: str) -> None:
    """Do something to a state file behind its back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def unprivileged() -> Iterator[Path]:
    """A folder, and no right to do what its mode forbids, even for a superuser."""
    user = os.geteuid()
    with TemporaryDirectory() as folder:
        try:
            if user == 0:
                os.chown(folder, 65534, -1)
                os.seteuid(65534)
            yield Path(folder)
        finally:
            if user == 0:
                os.seteuid(user)


def test_the_file_and_its_folder_are_for_their_owner(tmp_path: Path, moves: Moves) -> None:
    """With everything that the database puts beside it."""
    path = tmp_path / "some" / "where" / "gateway.db"

    async def scenario() -> set[str]:
        store = await SqliteStore.open(path)
        await store.commit(moves(1)[0])
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        names = {file.name for file in path.parent.iterdir()}
        await store.close()
        return names

    assert asyncio.run(scenario()) == {"gateway.db", "gateway.db-wal", "gateway.db-shm"}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["gateway.db"]


def test_the_modes_of_what_is_there_stay(tmp_path: Path) -> None:
    """Its owner chose them."""
    path = tmp_path / "gateway.db"
    write(path, [])
    path.chmod(0o640)
    tmp_path.chmod(0o755)
    read(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 5000),
        ("fullfsync", 1),
        ("auto_vacuum", 2),
        ("application_id", APPLICATION),
        ("user_version", len(STEPS)),
    ],
)
def test_a_commit_is_durable_and_the_file_is_marked(
    pragma: str, value: object, tmp_path: Path
) -> None:
    """Whatever the defaults of the database are."""
    for _ in range(2):
        with closing(open_database(tmp_path / "gateway.db")) as connection:
            assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)


def test_rows_are_read_by_position(tmp_path: Path) -> None:
    """So the columns of the table are those of a row, in the same order."""
    with closing(open_database(tmp_path / "gateway.db")) as connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(records)")]
    assert tuple(columns) == Row._fields


def test_history_is_read_from_its_index(tmp_path: Path) -> None:
    """It costs what it shows, and not what the journal holds."""
    with closing(open_database(tmp_path / "gateway.db")) as connection:
        query = "SELECT revision FROM altered WHERE path >= 'a/' AND path < 'a0'"
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
        query = "SELECT * FROM records WHERE declared IS NOT NULL ORDER BY revision DESC LIMIT 1"
        plan += str(connection.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
    assert "SEARCH altered USING PRIMARY KEY (path>? AND path<?)" in plan
    assert "SCAN records USING INDEX records_declared" in plan


# What is refused


def _foreign(path: Path) -> None:
    alter(path, "CREATE TABLE theirs (x)")


def _foreign_mark(path: Path) -> None:
    alter(path, "PRAGMA application_id = 7")


def _newer(path: Path) -> None:
    write(path, [])
    alter(path, "PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        pytest.param(lambda p: p.mkdir(), "it is no regular file", id="a folder"),
        pytest.param(os.mkfifo, "it is no regular file", id="a pipe"),
        pytest.param(
            lambda p: p.symlink_to(p.with_name("gone")), "it is no regular file", id="a dead link"
        ),
        pytest.param(lambda p: p.write_text("x" * 4096), "it is no database", id="a text"),
        pytest.param(_foreign, "it is the database of another program", id="with other tables"),
        pytest.param(_foreign_mark, "it is the database of another program", id="with a mark"),
        pytest.param(
            _newer, f"it has schema 99, from a newer program; this one knows {len(STEPS)}", id="new"
        ),
    ],
)
def test_a_file_that_is_not_ours_is_left_alone(
    make: Callable[[Path], object], sentence: str, tmp_path: Path
) -> None:
    """Refused with the reason, and as it was to the byte."""
    path = tmp_path / "gateway.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StateUnusable) as caught:
        read(path)
    assert str(caught.value) == f"the state {str(path)!r} cannot be used: {sentence}"
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert [file.name for file in tmp_path.iterdir()] == ["gateway.db"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        pytest.param("", "it is no regular file", id="empty"),
        pytest.param("a\0b", "its path has a NUL character", id="NUL"),
        pytest.param(
            f"{sys.executable}/x.db", f"'{sys.executable}' is no folder", id="below a file"
        ),
        pytest.param(f"{sys.executable}/x/x.db", "Not a directory", id="deeper below a file"),
        pytest.param("x" * 300, "File name too long", id="too long"),
    ],
)
def test_a_path_that_cannot_be_is_refused(path: str, sentence: str) -> None:
    """In the words of the system, or in ours."""
    with pytest.raises(StateUnusable, match=f"cannot be used: {sentence}$"):
        read(path)


def test_an_empty_file_is_a_new_state(tmp_path: Path) -> None:
    """As `mktemp` makes one."""
    path = tmp_path / "gateway.db"
    path.touch()
    assert read(path).tail == ()


def test_a_folder_that_is_read_only_is_said() -> None:
    """Nothing can be made in it."""
    with unprivileged() as folder:
        folder.chmod(0o555)
        with pytest.raises(StateUnusable, match="cannot be used: Permission denied"):
            read(folder / "gateway.db")


def test_a_file_that_is_read_only_is_said(moves: Moves) -> None:
    """When it is opened, and not at the first change."""
    with unprivileged() as folder:
        path = folder / "gateway.db"
        write(path, moves(1))
        path.chmod(0o444)
        with pytest.raises(StateUnusable, match="cannot be used: it is read-only"):
            read(path)
        path.chmod(0o600)
        assert len(read(path).tail) == 1


def test_a_file_that_nobody_may_read_is_said(moves: Moves) -> None:
    """As one that cannot be opened."""
    with unprivileged() as folder:
        path = folder / "gateway.db"
        write(path, moves(1))
        path.chmod(0)
        with pytest.raises(StateUnusable, match="it may not be read"):
            read(path)


def test_a_file_that_another_program_holds_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some patience."""
    monkeypatch.setattr("gateway.store.database.BUSY", 0.0)
    path = tmp_path / "gateway.db"
    write(path, [])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateUnusable, match="another program holds it"):
            read(path)


# Schemas


def test_an_older_file_is_taken_forward(tmp_path: Path, moves: Moves) -> None:
    """Through the steps that it has not seen, with what it holds."""
    path = tmp_path / "gateway.db"
    write(path, moves(3))
    steps = (*STEPS, ("CREATE TABLE more (x)",), ("ALTER TABLE more ADD COLUMN y",))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for _ in range(2):
            migrate(connection, steps)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(steps),)
        assert connection.execute("SELECT x, y FROM more").fetchall() == []
        assert connection.execute("SELECT count(*) FROM records").fetchone() == (3,)


def test_a_step_that_fails_leaves_the_older_file(tmp_path: Path, moves: Moves) -> None:
    """None of the steps is done."""
    path = tmp_path / "gateway.db"
    write(path, moves(3))
    steps = (*STEPS, ("CREATE TABLE more (x)", "CREATE TABLE records (x)"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(connection, steps)
        assert not connection.in_transaction
    assert len(read(path).tail) == 3


# Trouble while it runs


def test_a_full_disk_loses_nothing(tmp_path: Path, moves: Moves) -> None:
    """The commit is refused, and the store goes on when there is room again."""
    path = tmp_path / "gateway.db"
    records = moves(3)

    async def scenario() -> Journal:
        store = await SqliteStore.open(path)
        await store.commit(records[0])
        await store._do(lambda held: held.execute("PRAGMA max_page_count = 1").fetchall())
        with pytest.raises(StateUnusable, match="the disk is full; nothing was recorded"):
            await store.put_package("sha256:a", bytes(1_000_000))
        await store._do(lambda held: held.execute("PRAGMA max_page_count = 9999").fetchall())
        for record in records[1:]:
            await store.commit(record)
        journal = await store.load()
        await store.close()
        return journal

    assert asyncio.run(scenario()).tail == tuple(record.change for record in records)
    assert len(read(path).tail) == 3


def test_an_error_in_the_middle_of_a_commit_leaves_nothing_of_it(
    tmp_path: Path, moves: Moves
) -> None:
    """Not the record without what finds it."""
    path = tmp_path / "gateway.db"
    records = moves(2)

    async def scenario() -> Journal:
        store = await SqliteStore.open(path)
        await store.commit(records[0])
        trigger = "CREATE TRIGGER no BEFORE INSERT ON altered BEGIN SELECT RAISE(ABORT, 'no'); END"
        alter(path, trigger)
        with pytest.raises(StateUnusable, match="cannot be used: no"):
            await store.commit(records[1])
        assert len((await store.load()).tail) == 1
        alter(path, "DROP TRIGGER no")
        await store.commit(records[1])
        journal = await store.load()
        await store.close()
        return journal

    assert asyncio.run(scenario()).tail == tuple(record.change for record in records)


def test_dropped_packages_give_their_room_back(tmp_path: Path) -> None:
    """To the disk, and not only to the next package."""
    path = tmp_path / "gateway.db"

    async def scenario() -> None:
        store = await SqliteStore.open(path)
        await store.put_package("sha256:a", os.urandom(2_000_000))
        await store.retain_packages([])
        await store.close()

    asyncio.run(scenario())
    assert path.stat().st_size < 200_000


def test_one_checkpoint_is_kept(tmp_path: Path, moves: Moves) -> None:
    """The newest: the others would only take room."""
    path = tmp_path / "gateway.db"

    async def scenario() -> None:
        store = await SqliteStore.open(path)
        for record in moves(6):
            await store.commit(record)
            await store.checkpoint(record.revision, Batch(()))
        await store.checkpoint(3, Batch(()))
        await store.close()

    asyncio.run(scenario())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT revision FROM checkpoints").fetchall() == [(6,)]


def test_every_commit_leaves_a_mark(tmp_path: Path) -> None:
    """Of this connection and of others: watchers see even what its own writer gave up on."""
    with (
        closing(open_database(tmp_path / "a.db")) as one,
        closing(open_database(tmp_path / "a.db")) as other,
    ):
        marks = [tables.marker(one), tables.marker(one)]
        tables.put_package(one, "sha256:a", b"", 0.0)
        marks += [tables.marker(one), tables.marker(one)]
        tables.put_package(other, "sha256:b", b"", 0.0)
        marks += [tables.marker(one), tables.marker(one)]
    assert [marks[0], marks[2], marks[4]] == [marks[1], marks[3], marks[5]]
    assert len(set(marks)) == 3


def test_opening_that_is_given_up_leaves_nothing_open(tmp_path: Path) -> None:
    """A connection that nobody waits for any more is closed by its own thread."""
    path = tmp_path / "gateway.db"

    async def scenario() -> None:
        opening = asyncio.create_task(SqliteStore.open(path))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        store = await SqliteStore.open(path)
        await store.close()

    asyncio.run(scenario())
    assert read(path).tail == ()
