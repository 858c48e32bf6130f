"""A store does what a list of records would do, whatever is done in whatever order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from gateway.core.alias import Route
from gateway.core.changes import Batch, Change, DeleteAlias, PutAlias, PutFunction
from gateway.core.diff import Difference
from gateway.store.protocol import Author, PackageNotFound, Record, StaleRevision
from gateway.store.sqlite import SqliteStore

NAMES = st.sampled_from(["a", "ab", "a/b", "~", "ü"])
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(PutFunction, NAMES, NAMES),
    st.builds(DeleteAlias, NAMES, NAMES),
    st.builds(PutAlias, NAMES, NAMES, st.just(Route("1", {"2": Decimal("0.25")})), NAMES),
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(tuple)
DIFFERENCES = st.lists(
    st.builds(Difference, PATHS, st.none() | NAMES, st.none() | NAMES), max_size=3
).map(tuple)


class Machine(RuleBasedStateMachine):
    """Stores on one file or in memory, against plain Python values."""

    @initialize(on_disk=st.booleans())
    def begin(self, *, on_disk: bool) -> None:
        """With nothing."""
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.on_disk = on_disk
        self.store = self.runner.run(SqliteStore.open(self.path))
        self.records: list[Record] = []
        self.packages: dict[str, bytes] = {}
        self.checkpoint: tuple[int, Batch] = (0, Batch(()))
        self.watchers: list[tuple[AsyncGenerator[Record, None], int]] = []

    @property
    def path(self) -> str | Path:
        """Where the store is."""
        return Path(self.folder.name, "state.db") if self.on_disk else ":memory:"

    @rule(
        change=CHANGES,
        differences=DIFFERENCES,
        restores=st.none() | st.integers(0, 9),
        declared=st.none() | st.builds(Batch, st.lists(CHANGES, max_size=2).map(tuple)),
    )
    def commit(
        self,
        change: Change,
        differences: tuple[Difference, ...],
        restores: int | None,
        declared: Batch | None,
    ) -> None:
        """One more record."""
        revision = len(self.records) + 1
        author = Author("ann", "cli")
        record = Record(revision, revision / 3, author, change, differences, restores, declared)
        self.runner.run(self.store.commit(record))
        self.records.append(record)

    @rule(off=st.integers(-3, 3).filter(bool), change=CHANGES)
    def commit_stale(self, off: int, change: Change) -> None:
        """A record that does not come next changes nothing."""
        newest = len(self.records)
        record = Record(newest + 1 + off, 0.0, Author("", ""), change, ())
        with pytest.raises(StaleRevision) as caught:
            self.runner.run(self.store.commit(record))
        assert (caught.value.expected, caught.value.actual) == (newest + off, newest)

    @rule(path=st.just(()) | PATHS, before=st.none() | st.integers(0, 20), limit=st.integers(0, 5))
    def history(self, path: tuple[str, ...], before: int | None, limit: int) -> None:
        """The newest that altered something at or below a path."""
        expected = [
            record
            for record in reversed(self.records)
            if (before is None or record.revision < before)
            and (not path or any(d.path[: len(path)] == path for d in record.differences))
        ]
        found = self.runner.run(self.store.records(path=path, before=before, limit=limit))
        assert found == expected[:limit]

    @precondition(lambda self: self.records)
    @rule(data=st.data(), state=st.builds(Batch, st.lists(CHANGES, max_size=2).map(tuple)))
    def put_checkpoint(self, data: st.DataObject, state: Batch) -> None:
        """The newest one counts; of one revision the first."""
        revision = data.draw(st.integers(1, len(self.records)))
        self.runner.run(self.store.checkpoint(revision, state))
        if revision > self.checkpoint[0]:
            self.checkpoint = (revision, state)

    @rule(digest=NAMES, data=st.binary(max_size=9))
    def put_package(self, digest: str, data: bytes) -> None:
        """The first one stays."""
        self.runner.run(self.store.put_package(digest, data))
        self.packages.setdefault(digest, data)

    @rule(digests=st.lists(NAMES))
    def retain(self, digests: list[str]) -> None:
        """The others go."""
        self.runner.run(self.store.retain_packages(digests))
        self.packages = {d: data for d, data in self.packages.items() if d in digests}

    @rule(digest=NAMES)
    def package(self, digest: str) -> None:
        """As it was put, or not there."""
        if digest in self.packages:
            assert self.runner.run(self.store.package(digest)) == self.packages[digest]
        else:
            with pytest.raises(PackageNotFound):
                self.runner.run(self.store.package(digest))

    @rule(after=st.integers(0, 5))
    def watch(self, after: int) -> None:
        """From some revision on."""
        self.watchers.append((self.store.watch(after), after))

    @rule(data=st.data())
    def see(self, data: st.DataObject) -> None:
        """All that is there and was not seen yet."""

        async def read(watching: AsyncGenerator[Record, None], seen: int) -> None:
            for record in self.records[seen:]:
                assert await anext(watching) == record

        for index, (watching, seen) in enumerate(self.watchers):
            if data.draw(st.booleans()):
                self.runner.run(read(watching, seen))
                self.watchers[index] = (watching, max(seen, len(self.records)))

    @rule()
    def leave(self) -> None:
        """Watch no more."""
        if self.watchers:
            self.runner.run(self.watchers.pop()[0].aclose())

    @rule()
    def reopen(self) -> None:
        """What is on disk is there again; what was in memory is gone, and so are the watchers."""

        async def rest(watching: AsyncGenerator[Record, None]) -> list[Record]:
            return [record async for record in watching]

        self.runner.run(self.store.close())
        for watching, seen in self.watchers:
            left = self.runner.run(rest(watching))
            assert left == self.records[seen : seen + len(left)]
        self.watchers = []
        self.store = self.runner.run(SqliteStore.open(self.path))
        if not self.on_disk:
            self.records, self.packages, self.checkpoint = [], {}, (0, Batch(()))

    @invariant()
    def loads(self) -> None:
        """Whatever happened, the journal is whole."""
        journal = self.runner.run(self.store.load())
        revision, state = self.checkpoint
        declared = [r.declared for r in self.records if r.declared is not None]
        assert (journal.revision, journal.checkpoint) == (revision, state)
        assert journal.tail == tuple(record.change for record in self.records[revision:])
        assert journal.declared == (declared[-1] if declared else None)

    def teardown(self) -> None:
        """Nothing is left open."""
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
