"""What the tests of the store share: stores of each kind, and records as a writer makes them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import strategies as st

from benchmarks.databases import Database, NoServer
from gateway.core.alias import Route
from gateway.core.apply import apply
from gateway.core.changes import (
    Batch,
    Change,
    DeleteAlias,
    DeleteFunction,
    DeleteVersion,
    Publish,
    PutAlias,
    PutFunction,
    PutService,
    Release,
    Unrelease,
)
from gateway.core.diff import differences
from gateway.core.errors import Refused
from gateway.core.functions import Configuration
from gateway.core.routes import parse_path
from gateway.core.rules import parse_rule
from gateway.core.snapshot import EMPTY, Api, FunctionBackend, HttpBackend, MockBackend, Snapshot
from gateway.store.postgres import PostgresStore
from gateway.store.protocol import Author, Record, Store
from gateway.store.sqlite import SqliteStore

Opened = Callable[[], AbstractAsyncContextManager[Store]]
Writer = Callable[[Path, str, int], AbstractContextManager[subprocess.Popen[str]]]
Begin = Callable[..., None]

AUTHOR = Author("ann", "gateway alias set")
FIRST = Batch((PutFunction("orders", "code"), *(Publish("orders") for _ in range(4))))
BOB = parse_rule("invoke.headers.User exact Bob", "4")


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """A PostgreSQL server for all tests; whoever stops it makes one of his own."""
    try:
        server = Database(durable=False)
    except NoServer as reason:
        pytest.skip(str(reason))
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def own(database: Database) -> Iterator[Database]:
    """A server that a test may stop."""
    assert database.port  # where there is one, there is another
    server = Database(durable=False)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def space(database: Database) -> str:
    """The address of a place in a database where nothing is yet."""
    return database.space()


@pytest.fixture
def writer(request: pytest.FixtureRequest) -> Writer:
    """Starts a process that runs the `WRITER` of the module; it writes once it is told to begin."""

    @contextmanager
    def started(path: Path, who: str, count: int) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-c", request.module.WRITER, str(path), who, str(count)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    return started


@pytest.fixture
def begin() -> Begin:
    """Tells such processes to begin, one right after the other."""

    def tell(*processes: subprocess.Popen[str]) -> None:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()

    return tell


@pytest.fixture(params=["file", "memory", pytest.param("postgres", marks=pytest.mark.sockets)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Opens a store of each kind; a file and a database are the same one each time."""
    path = tmp_path / "state" / "gateway.db" if request.param == "file" else ":memory:"
    url = request.getfixturevalue("space") if request.param == "postgres" else None

    @asynccontextmanager
    async def enter() -> AsyncIterator[Store]:
        store: Store = await (PostgresStore.open(url) if url else SqliteStore.open(path))
        try:
            yield store
        finally:
            await store.close()

    return enter


def _moves(count: int) -> list[Change]:
    shares = [Decimal(number % 101) / 100 for number in range(count - 1)]
    return [FIRST, *(PutAlias("orders", "release", Route("1", {"2": s}, (BOB,))) for s in shares)]


def _told(changes: Iterable[Change], start: Snapshot = EMPTY) -> list[Record]:
    records = []
    for change in changes:
        after = apply(start, change)
        parts = differences(start, after)
        records.append(Record(after.revision, 1e9 + after.revision, AUTHOR, change, parts))
        start = after
    return records


@pytest.fixture(scope="session")
def told() -> Callable[..., list[Record]]:
    """Makes the records of changes that are applied one after the other."""
    return _told


@pytest.fixture(scope="session")
def moves() -> Callable[[int], list[Record]]:
    """Makes so many records: a function with versions, then an alias that moves."""
    return lambda count: _told(_moves(count))


_APIS = tuple(
    Api(name, "GET", parse_path(path), backend)
    for name, path, backend in (
        ("a", "/a/{id}", FunctionBackend("orders", "$DEFAULT")),
        ("b", "^~/b/", FunctionBackend("payments", "1", integrated=False)),
        ("c", "=/c", HttpBackend("http://127.0.0.1:9", 2.5)),
        ("d", "/d", MockBackend("\ud83d 'd'\0", 204, {"X": "ü"})),
    )
)
_functions = st.sampled_from(["orders", "payments"])
_aliases = st.sampled_from(["release", "prepub", "$DEFAULT"])
_numbers = st.sampled_from(["1", "2", "3", "$LATEST"])
_words = st.text(max_size=5)
_configurations = st.builds(
    Configuration,
    timeout=st.sampled_from([1, 3.0, 0.1]),
    environment=st.dictionaries(_words, _words, max_size=2),
)
_routes = st.builds(
    Route,
    st.sampled_from(["1", "2"]),
    st.dictionaries(st.just("3"), st.sampled_from([Decimal("0.1"), Decimal(0)])),
    st.sampled_from([(), (parse_rule("invoke.headers.User exact Bob", "1"),)]),
    st.sampled_from(["random", "even"]),
)
_some_apis = st.lists(st.sampled_from(_APIS), unique_by=lambda api: api.id).map(tuple)
_single: st.SearchStrategy[Change] = st.one_of(
    st.builds(PutFunction, _functions, _words, _configurations, _words),
    st.builds(DeleteFunction, _functions),
    st.builds(
        Publish,
        _functions,
        st.none() | _words,
        st.none() | st.sampled_from(["5", "9"]),
        _words,
        st.none() | _configurations,
    ),
    st.builds(Publish, _functions),
    st.builds(DeleteVersion, _functions, _numbers),
    st.builds(PutAlias, _functions, _aliases, _routes, _words),
    st.builds(DeleteAlias, _functions, _aliases),
    st.builds(PutService, st.sampled_from(["shop", "a/b~c"]), _words, _some_apis),
    st.builds(
        Release,
        st.sampled_from(["shop", "a/b~c"]),
        st.sampled_from(["test", "release"]),
        _some_apis,
        st.dictionaries(_words, _words, max_size=2),
    ),
    st.builds(Unrelease, st.just("shop"), st.sampled_from(["dev", "release"])),
)
_changes = _single | st.builds(Batch, st.lists(_single, max_size=3).map(tuple))
_PREFIX = Batch(
    (
        *(PutFunction(name, "code") for name in ("orders", "payments")),
        *(Publish(name) for name in ("orders", "payments") for _ in range(3)),
        PutService("shop", "The shop", _APIS),
        PutService("a/b~c", "Odd"),
    )
)


def _accepted(changes: Sequence[Change]) -> list[Change]:
    """The changes that are accepted one after the other; the others were never recorded."""
    accepted, snapshot = [], EMPTY
    for change in changes:
        try:
            snapshot = apply(snapshot, change)
        except Refused:
            continue
        accepted.append(change)
    return accepted


@st.composite
def _histories(draw: st.DrawFn) -> list[Record]:
    drawn = draw(st.lists(_changes, max_size=12))
    records = _told(_accepted([_PREFIX, *drawn]))
    declared = draw(st.none() | st.builds(Batch, st.lists(_single, max_size=2).map(tuple)))
    return [replace(record, declared=declared) for record in records[:1]] + records[1:]


@pytest.fixture(scope="session")
def histories() -> st.SearchStrategy[list[Record]]:
    """Journals of every kind of change, as a writer would have accepted them."""
    return _histories()
