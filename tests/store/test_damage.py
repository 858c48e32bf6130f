"""A damaged file is refused with a sentence, or it is not damaged: no change that nobody made."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from gateway.core.changes import Batch
from gateway.core.rebuild import rebuild
from gateway.core.snapshot import EMPTY
from gateway.store.protocol import Journal, Record, StateUnusable
from gateway.store.recovery import recover
from gateway.store.sqlite import SqliteStore

Moves = Callable[[int], list[Record]]


@pytest.fixture
def path(tmp_path: Path, moves: Moves) -> Path:
    """A state file with 40 records and a checkpoint at 10."""
    path = tmp_path / "gateway.db"

    async def scenario() -> None:
        store = await SqliteStore.open(path)
        for record in moves(40):
            await store.commit(record)
            if record.revision == 10:
                state = (await recover(store)).snapshot
                await store.checkpoint(10, rebuild(state))
        await store.close()

    asyncio.run(scenario())
    return path


async def everything(path: Path) -> tuple[Journal, list[Record]]:
    """All that a state file tells."""
    store = await SqliteStore.open(path)
    try:
        return await store.load(), await store.records(limit=1000)
    finally:
        await store.close()


def alter(path: Path, statement: str, *values: object) -> None:
    """Do something to a state file behind its back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        assert connection.execute(statement, values).rowcount


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        pytest.param(
            "UPDATE records SET change = replace(change, '\"1\"', '\"2\"') WHERE revision = 17",
            "revision 17 is not what was written",
            id="another change",
        ),
        pytest.param(
            "UPDATE records SET revision = 99 WHERE revision = 40",
            "revision 40 is missing",
            id="another revision",
        ),
        pytest.param(
            "DELETE FROM records WHERE revision = 17", "revision 17 is missing", id="a gap"
        ),
        pytest.param(
            "DELETE FROM records WHERE revision > 5", "revision 10 is missing", id="too few"
        ),
        pytest.param(
            "UPDATE checkpoints SET state = replace(state, '\"1\"', '\"2\"')",
            "the checkpoint of revision 10 is not what was written",
            id="another checkpoint",
        ),
        pytest.param(
            "UPDATE records SET change = x'ff' WHERE revision = 17",
            "revision 17 is not what was written",
            id="bytes",
        ),
        pytest.param(
            "UPDATE records SET change = CAST(x'ff' AS TEXT) WHERE revision = 17",
            "Could not decode to UTF-8 column 'change' with text '\ufffd'",
            id="no text",
        ),
    ],
)
def test_a_row_that_is_not_what_was_written_is_named(
    statement: str, sentence: str, path: Path
) -> None:
    """Its revision, and the file."""
    alter(path, statement)
    with pytest.raises(StateUnusable) as caught:
        asyncio.run(everything(path))
    assert str(caught.value) == f"the state {str(path)!r} cannot be used: {sentence}"


@pytest.mark.parametrize(
    "column", ["at", "author", "restores", "change", "differences", "declared", "checksum"]
)
def test_every_column_of_a_row_is_watched(column: str, path: Path) -> None:
    """History shows nothing that nobody did."""
    alter(path, f"UPDATE records SET {column} = '7' WHERE revision = 3")  # before the checkpoint

    async def scenario() -> None:
        store = await SqliteStore.open(path)
        try:
            await store.load()
            await store.records(before=4, limit=1)
        finally:
            await store.close()

    with pytest.raises(StateUnusable, match="revision 3 is not what was written"):
        asyncio.run(scenario())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            '{"kind":"teleport"}', "revision 40 cannot be read: no change can be read", id="kind"
        ),
        pytest.param(
            '{"kind":"delete-function","name":"f","how":1}',
            "revision 40 cannot be read: no change can be read",
            id="field",
        ),
    ],
)
def test_a_change_of_a_newer_program_is_named(text: str, sentence: str, path: Path) -> None:
    """It is whole, and not for this one to replay."""
    from gateway.store.records import checksum

    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT * FROM records WHERE revision = 40"
        fields = list(connection.execute(query).fetchone())
    fields[4] = text
    statement = "UPDATE records SET change = ?, checksum = ? WHERE revision = 40"
    alter(path, statement, text, checksum(*fields[:-1]))
    with pytest.raises(StateUnusable, match=f"^the state .* cannot be used: {sentence}"):
        asyncio.run(everything(path))


def test_a_checkpoint_that_is_no_batch_is_named(path: Path) -> None:
    """Nothing else builds a state."""
    from gateway.store.records import checksum

    text = '{"kind":"delete-function","name":"f"}'
    alter(path, "UPDATE checkpoints SET state = ?, checksum = ?", text, checksum(10, text))
    with pytest.raises(StateUnusable, match="checkpoint of revision 10 holds no batch of changes"):
        asyncio.run(everything(path))


@pytest.mark.parametrize("name", ["records", "records_declared", "altered", "checkpoints"])
def test_a_broken_table_is_refused_when_the_file_is_opened(name: str, path: Path) -> None:
    """And not when somebody asks for what it holds."""
    with closing(sqlite3.connect(path)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = connection.execute(query, (name,)).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with pytest.raises(StateUnusable, match=r"cannot be used: it is damaged"):
        asyncio.run(SqliteStore.open(path))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9], ids=str)
def test_a_truncated_file_is_refused(part: float, path: Path) -> None:
    """It lacks pages that it says it has."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part) // 512 * 512])
    with pytest.raises(StateUnusable, match=r"cannot be used: it is (damaged|no database)"):
        asyncio.run(everything(path))


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_are_noticed_or_do_not_matter(seed: int, path: Path) -> None:
    """Whatever byte it is: the file is refused, or everything in it is what was written."""
    expected = asyncio.run(everything(path))
    dice, data = Random(seed), bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 1, 8))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    try:
        found = asyncio.run(everything(path))
    except StateUnusable as error:
        assert re.match(r"the state '.*gateway\.db' cannot be used: ", str(error))  # noqa: PT017
    else:
        assert found == expected


def test_damage_does_not_reach_an_undamaged_part(path: Path) -> None:
    """A checkpoint is enough to start; what came before it is history."""
    alter(path, "DELETE FROM records WHERE revision < 10")

    async def scenario() -> int:
        store = await SqliteStore.open(path)
        revision = (await recover(store)).snapshot.revision
        await store.close()
        return revision

    assert asyncio.run(scenario()) == 40
    assert Batch(()) == rebuild(EMPTY)
