"""A copy is the state of one moment; what happens to it happens to nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.core.changes import Batch, PutService
from gateway.store.copying import copy_state
from gateway.store.protocol import Author, Record, StateUnusable
from gateway.store.recovery import recover
from gateway.store.sqlite import SqliteStore


def record(revision: int) -> Record:
    """A record that makes one service."""
    change = PutService(f"s{revision}", "shop")
    return Record(revision, 0.0, Author("me", "here"), change, (), declared=Batch(()))


def test_a_copy_is_made_while_the_original_is_in_use(tmp_path: Path) -> None:
    """And goes its own way from then on."""

    async def scenario() -> tuple[int, int, bytes]:
        original = await SqliteStore.open(tmp_path / "state.db")
        await original.commit(record(1))
        await original.put_package("sha256:1", b"code")
        copy_state(tmp_path / "state.db", tmp_path / "copy.db")
        copy = await SqliteStore.open(tmp_path / "copy.db")
        await copy.commit(record(2))
        await copy.commit(record(3))
        revisions = [(await recover(store)).snapshot.revision for store in (original, copy)]
        code = await copy.package("sha256:1")
        await original.close()
        await copy.close()
        return revisions[0], revisions[1], code

    assert asyncio.run(scenario()) == (1, 3, b"code")


@pytest.mark.parametrize("content", [None, b"no database at all", b"x" * 4096])
def test_what_is_no_state_is_not_copied(tmp_path: Path, content: bytes | None) -> None:
    """The sentence names the file."""
    state = tmp_path / "state.db"
    if content is not None:
        state.write_bytes(content)
    with pytest.raises(StateUnusable, match=r"state\.db"):
        copy_state(state, tmp_path / "copy.db")
    assert state.exists() == (content is not None)
