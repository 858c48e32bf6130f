"""A machine that fails: no room, nothing that may be written. The gateway refuses, and goes on.

A limit on the size of files is as near as a test without a disk of its own comes to a full one:
every write of this process to a file fails in the system, whoever makes it.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from click.testing import CliRunner

from gateway.app import Gateway, Setup
from gateway.cli import main
from gateway.store.logged import Wanted
from gateway.store.sqlite import SqliteStore

STAGES = """
[service]
name = "shop"
[functions.orders]
source = "functions/orders"
[functions.orders.aliases]
release = { version = "1" }
[[apis]]
method = "ANY"
path = "/orders"
function = "orders"
[stages.release]
alias = "release"
"""
ALIAS = "/api/functions/orders/aliases/release"
Trouble = Callable[[Gateway], AbstractContextManager[object]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A file whose versions tell their number."""
    for version in ("latest", "v1", "v2"):
        index = tmp_path / "functions" / "orders" / version / "index.py"
        index.parent.mkdir(parents=True)
        index.write_text(
            "async def main_handler(event, context):\n"
            f"    return {{'statusCode': 200, 'body': {version!r}}}\n"
        )
    (tmp_path / "stages.toml").write_text(STAGES)
    return tmp_path


@contextmanager
def no_room(_gateway: Gateway) -> Iterator[None]:
    """No file of this process gets longer, or is written at all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _pragma(gateway: Gateway, text: str) -> None:
    store = gateway.service.store
    assert isinstance(store, SqliteStore)
    store._worker.submit(store._database.execute, f"PRAGMA {text}").result(30)


@contextmanager
def full(gateway: Gateway) -> Iterator[None]:
    """The database has as many pages as it may."""
    _pragma(gateway, "max_page_count = 1")
    try:
        yield
    finally:
        _pragma(gateway, "max_page_count = 1000000")


@contextmanager
def read_only(gateway: Gateway) -> Iterator[None]:
    """The database takes no writes."""
    _pragma(gateway, "query_only = ON")
    try:
        yield
    finally:
        _pragma(gateway, "query_only = OFF")


@contextmanager
def locked(gateway: Gateway) -> Iterator[None]:
    """Another program holds the database and does not let go."""
    _pragma(gateway, "busy_timeout = 10")
    assert gateway.setup.state is not None
    other = sqlite3.connect(gateway.setup.state, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        other.close()
        _pragma(gateway, "busy_timeout = 5000")


TROUBLES = {
    "no room for any file": (no_room, "the disk is full, or fails"),
    "a full database": (full, "the disk is full; nothing was recorded"),
    "a state that is read-only": (read_only, "it is read-only"),
    "a state that somebody holds": (locked, "another program holds it"),
}


def package(body: str) -> bytes:
    """A code package, long enough that no page has room for it."""
    data = BytesIO()
    with ZipFile(data, "w") as archive:
        archive.writestr(
            "index.py",
            f"async def main_handler(event, context):\n    return {body!r}\n#{'x' * 100_000}",
        )
    return data.getvalue()


class Asker:
    """Asks a gateway's planes in process."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._control = httpx.AsyncClient(
            transport=httpx.ASGITransport(gateway.control, client=("127.0.0.1", 1)),
            base_url="http://127.0.0.1:8081",
        )
        self._data = httpx.AsyncClient(
            transport=httpx.ASGITransport(gateway.plane), base_url="http://127.0.0.1:8080"
        )

    async def steer(self, method: str, path: str, **more: object) -> httpx.Response:
        """Ask the control plane."""
        return await self._control.request(method, path, **more)  # type: ignore[arg-type]

    async def version(self) -> str:
        """What a caller gets."""
        return (await self._data.get("/release/orders")).text

    async def close(self) -> None:
        """Let go of both clients."""
        await self._control.aclose()
        await self._data.aclose()


def story(project: Path, told: Callable[[Asker], Awaitable[None]]) -> None:
    """A story of one gateway, from its opening to its end."""

    async def whole() -> None:
        state = project / ".gateway" / "state.db"
        gateway = await Gateway.open(Setup(project / "stages.toml", state=state))
        asker = Asker(gateway)
        try:
            await told(asker)
        finally:
            await asker.close()
            await gateway.close()

    asyncio.run(whole())


@pytest.mark.parametrize("name", TROUBLES)
def test_a_change_that_cannot_be_recorded_is_refused_whole(project: Path, name: str) -> None:
    """With a sentence; callers are answered as before, and the next change may be possible."""
    trouble, reason = TROUBLES[name]

    async def told(asker: Asker) -> None:
        before = asker.gateway.live.snapshot
        with trouble(asker.gateway):
            moved = await asker.steer("PUT", ALIAS, json={"version": "2"})
            made = await asker.steer(
                "PUT",
                "/api/functions/fresh/code",
                content=package("new"),
                headers={"Content-Type": "application/zip"},
            )
            published = await asker.steer("POST", "/api/functions/orders/versions")
            # A small change may still find room on a page that there is.
            for answer in (made,) if trouble is full else (made, moved, published):
                assert answer.status_code == 503, answer.text
                assert answer.json()["code"] == "state-unusable"
                assert reason in answer.json()["detail"]
                assert str(asker.gateway.setup.state) in answer.json()["detail"]
            if trouble is not full:
                assert asker.gateway.live.snapshot is before
                assert await asker.version() == "v1"
            assert (await asker.steer("GET", "/api/functions/fresh")).status_code == 404
        assert (await asker.steer("PUT", ALIAS, json={"version": "2"})).status_code == 200
        assert await asker.version() == "v2"

    async def again(asker: Asker) -> None:
        assert await asker.version() == "v2"
        assert sorted(asker.gateway.live.snapshot.functions) == ["orders"]

    story(project, told)
    story(project, again)


def test_a_log_without_room_costs_its_entries_and_nothing_else(project: Path) -> None:
    """It is told once, counted, and kept again as soon as there is room."""

    async def told(asker: Asker) -> None:
        book = asker.gateway.logbook

        async def flushed() -> None:
            asker.gateway.observer.settle()
            await book.flush()

        await asker.version()
        await flushed()
        listening = asker.gateway.events.subscribe()
        with no_room(asker.gateway):
            for _ in range(3):
                assert await asker.version() == "v1"
                await flushed()
        event = await anext(listening)
        asker.gateway.events.unsubscribe(listening)
        assert event.name == "error"
        assert "cannot be used: the disk is full, or fails" in str(event.data["message"])
        kept = len(await book.find(Wanted(), 100))
        assert (kept, book.left_out) == (1, 3)
        await asker.version()
        await flushed()
        assert len(await book.find(Wanted(), 100)) == 2

    story(project, told)


def test_code_whose_folder_cannot_be_made_is_refused_whole(project: Path) -> None:
    """What was live stays; the next attempt finds the package there and goes on."""

    async def told(asker: Asker) -> None:
        root = asker.gateway._folders.root
        aside = root.rename(root.with_name("aside")) if root.exists() else None
        root.touch()
        put = ("PUT", "/api/functions/orders/code")
        headers = {"Content-Type": "application/zip"}
        refused = await asker.steer(*put, content=package("new"), headers=headers)
        assert refused.status_code == 503
        assert f"the code folders in {str(root)!r} cannot be used" in refused.json()["detail"]
        assert asker.gateway.live.snapshot.revision == 1
        assert await asker.version() == "v1"
        root.unlink()
        if aside is not None:
            aside.rename(root)
        done = await asker.steer(*put, content=package("new"), headers=headers)
        assert (done.status_code, done.json()["revision"]) == (200, 2)

    story(project, told)


def _below_a_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file" / "state.db"


def _a_folder(folder: Path) -> Path:
    (folder / "state.db").mkdir()
    return folder / "state.db"


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        pytest.param(_below_a_file, "is no folder", id="below a file"),
        pytest.param(_a_folder, "it is no regular file", id="a folder"),
    ],
)
def test_a_state_that_cannot_be_kept_ends_the_start_with_a_sentence(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: Callable[[Path], Path],
    sentence: str,
) -> None:
    """And exit code 3: nothing was served."""
    monkeypatch.chdir(project)
    monkeypatch.delenv("GATEWAY_STATE", raising=False)
    state = place(project)
    command = ["serve", "--port", "0", "--control-port", "0", "--state", str(state)]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"the state {str(state)!r} cannot be used: " in result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_start_without_room_ends_with_a_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left behind that would be in the way of the next start."""
    state = project / ".gateway" / "state.db"

    async def start() -> None:
        with no_room(None):  # type: ignore[arg-type]
            await Gateway.open(Setup(project / "stages.toml", state=state))

    with pytest.raises(Exception, match="cannot be used: the disk is full, or fails"):
        asyncio.run(start())

    async def told(asker: Asker) -> None:
        assert await asker.version() == "v1"

    monkeypatch.chdir(project)
    story(project, told)
