"""Time from the file to the live state, after ten thousand changes, with and without a checkpoint.

Both files hold the same journal: an alias that moves. They take turns, round by round.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import Batch, Change, Publish, PutAlias, PutFunction
from gateway.core.diff import differences
from gateway.core.rules import parse_rule
from gateway.core.snapshot import EMPTY
from gateway.store.protocol import Author, Record
from gateway.store.recovery import compact, recover
from gateway.store.sqlite import SqliteStore

CHANGES = 10_000
ALIASES = 20
ROUNDS = 7
_BOB = parse_rule("invoke.headers.User exact Bob", "2")


def change(revision: int) -> Change:
    """What the journal says at a revision: first a function, then one alias after the other."""
    if revision == 1:
        return Batch((PutFunction("orders", "code"), Publish("orders"), Publish("orders")))
    weights = {"2": Decimal(revision % 101) / 100}
    return PutAlias("orders", f"alias{revision % ALIASES}", Route("1", weights, (_BOB,)))


async def write(path: Path, *, checkpoints: bool) -> float:
    """Write the journal; microseconds of one commit."""
    store, snapshot, spent = await SqliteStore.open(path), EMPTY, 0.0
    for revision in range(1, CHANGES + 1):
        asked = change(revision)
        after = apply(snapshot, asked)
        parts = differences(snapshot, after)
        record = Record(revision, float(revision), Author("ann", "bench"), asked, parts)
        begin = perf_counter()
        await store.commit(record)
        spent += perf_counter() - begin
        snapshot = after
        if checkpoints:
            await compact(store, snapshot)
    await store.close()
    return spent / CHANGES * 1e6


async def start(path: Path) -> tuple[float, float]:
    """Milliseconds to open and check the file, and to recover the state from it."""
    begin = perf_counter()
    store = await SqliteStore.open(path)
    opened = perf_counter()
    recovered = await recover(store)
    done = perf_counter()
    assert recovered.snapshot.revision == CHANGES
    await store.close()
    return (opened - begin) * 1000, (done - opened) * 1000


def main() -> None:
    """Print the figures."""
    with TemporaryDirectory() as folder:
        plain, short = Path(folder, "plain.db"), Path(folder, "short.db")
        commit = asyncio.run(write(plain, checkpoints=False))
        asyncio.run(write(short, checkpoints=True))
        rows = [(asyncio.run(start(plain)), asyncio.run(start(short))) for _ in range(ROUNDS)]
        size = plain.stat().st_size / 1024**2
    print(f"state file of {CHANGES:,} changes, {size:.1f} MB, median of {ROUNDS} in turn")
    print(f"  one commit {commit:.0f} us")
    print(f"  open and check {median(row[0][0] for row in rows):.1f} ms")
    print(f"  recover without a checkpoint {median(row[0][1] for row in rows):.0f} ms")
    print(f"  recover with checkpoints {median(row[1][1] for row in rows):.1f} ms")


if __name__ == "__main__":
    main()
