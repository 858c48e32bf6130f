"""Edits are picked up once, whatever editor made them, and nothing else is."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.controlplane.watching import Watcher

LIMIT = 10.0
"""Seconds after which an edit was missed."""


class Notebook:
    """Writes down what a watcher has done."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known = {"orders": root / "functions" / "orders"}
        self.done: asyncio.Queue[str] = asyncio.Queue()
        self.all: list[str] = []

    def sources(self) -> dict[str, Path]:
        return self.known

    async def reload(self, function: str, folder: Path) -> None:
        assert folder == self.known[function] / "latest"
        self.write(f"reload {function}")

    async def apply_edit(self) -> None:
        self.write("apply")

    def write(self, what: str) -> None:
        self.all.append(what)
        self.done.put_nowait(what)

    async def next(self) -> str:
        """What is done next."""
        return await asyncio.wait_for(self.done.get(), LIMIT)


Story = Callable[[Notebook], Awaitable[None]]


@pytest.fixture
def watched(tmp_path: Path) -> Callable[[Story], None]:
    """Tell a story in a folder that is watched."""
    for version in ("latest", "v1"):
        (tmp_path / "functions" / "orders" / version).mkdir(parents=True)
        (tmp_path / "functions" / "orders" / version / "index.py").write_text("A = 1\n")
    (tmp_path / "stages.toml").write_text("")

    def run(story: Story) -> None:
        async def whole() -> None:
            notebook = Notebook(tmp_path)
            watching = asyncio.create_task(Watcher(tmp_path / "stages.toml", notebook).run())
            await settled(notebook)
            await story(notebook)
            watching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await watching

        asyncio.run(whole())

    return run


async def until(notebook: Notebook, expected: str, write: Callable[[str], object]) -> None:
    """Edit again and again until it is seen: a watch starts in a thread, and cannot say when."""
    for number in itertools.count():
        write(f"A = {number}\n")
        try:
            async with asyncio.timeout(0.25):
                while await notebook.done.get() != expected:
                    pass
        except TimeoutError:
            continue
        return


async def settled(notebook: Notebook) -> None:
    """Wait until the watcher sees, and until nothing is on its way any more."""
    await until(notebook, "apply", (notebook.root / "stages.toml").write_text)
    await until(notebook, "reload orders", code(notebook).write_text)
    await quiet(notebook)


async def quiet(notebook: Notebook) -> None:
    """Until nothing was done for a while."""
    while True:
        try:
            async with asyncio.timeout(0.4):
                await notebook.done.get()
        except TimeoutError:
            return


def code(notebook: Notebook) -> Path:
    """A file of the editable version."""
    return notebook.known["orders"] / "latest" / "index.py"


def replaced(path: Path, text: str) -> None:
    """Write as careful editors do: another file, put in place."""
    other = path.with_name(f".{path.name}.swp")
    other.write_text(text)
    os.replace(other, path)  # noqa: PTH105


def written(path: Path, text: str) -> None:
    """Write in place."""
    path.write_text(text)


@pytest.mark.parametrize("write", [replaced, written])
def test_an_edit_of_code_is_picked_up_once(
    watched: Callable[[Story], None], write: Callable[[Path, str], None]
) -> None:
    """Two edits are two, one is one."""

    async def story(notebook: Notebook) -> None:
        for text in ("B = 22\n", "C = 333\n"):
            write(code(notebook), text)
            assert await notebook.next() == "reload orders"
        write(notebook.root / "stages.toml", "# edited")
        assert await notebook.next() == "apply"
        assert notebook.done.empty()

    watched(story)


def test_a_burst_of_edits_is_one_edit(watched: Callable[[Story], None]) -> None:
    """A tool that writes many files does not make as many reloads."""

    async def story(notebook: Notebook) -> None:
        for number in range(20):
            (code(notebook).parent / f"part{number}.py").write_text(f"A = {number}\n")
        assert await notebook.next() == "reload orders"
        await quiet(notebook)
        written(code(notebook), "D = 4444\n")
        assert await notebook.next() == "reload orders"

    watched(story)


@pytest.mark.parametrize(
    "place",
    [
        "functions/orders/latest/__pycache__/index.cpython-311.pyc",
        "functions/orders/latest/index.pyc",
        "functions/orders/latest/.index.py.swp",
        "functions/orders/latest/index.py~",
        "functions/orders/notes.txt",
        "functions/orders/README/latest.md",
        "functions/other/latest/index.py",
        "stages.toml.bak",
        ".gateway/state.db",
    ],
)
def test_what_is_no_code_and_not_the_file_is_nobodys_business(
    watched: Callable[[Story], None], place: str
) -> None:
    """The next real edit is the first thing that is done."""

    async def story(notebook: Notebook) -> None:
        path = notebook.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        await asyncio.to_thread(path.stat)
        written(notebook.root / "stages.toml", "# edited")
        assert await notebook.next() == "apply"

    watched(story)


def test_touching_without_altering_is_no_edit(watched: Callable[[Story], None]) -> None:
    """Reading code, or setting its mode, does not load it again."""

    async def story(notebook: Notebook) -> None:
        code(notebook).chmod(0o600)
        code(notebook).read_text()
        written(notebook.root / "stages.toml", "# edited")
        assert await notebook.next() == "apply"

    watched(story)


def test_a_new_folder_of_a_version_is_a_matter_of_the_file(
    watched: Callable[[Story], None],
) -> None:
    """It is published, or it is a mistake: the file's law decides."""

    async def story(notebook: Notebook) -> None:
        source = notebook.known["orders"]
        shutil.copytree(source / "latest", source / "v2")
        assert await notebook.next() == "apply"

    watched(story)


def test_functions_that_the_file_adds_are_watched_from_then_on(
    watched: Callable[[Story], None],
) -> None:
    """And those that it drops no more."""

    async def story(notebook: Notebook) -> None:
        other = notebook.root / "functions" / "other"
        (other / "latest").mkdir(parents=True)

        async def apply_edit() -> None:
            notebook.known = {"other": other}
            notebook.write("apply")
            notebook.all.clear()

        notebook.apply_edit = apply_edit  # type: ignore[method-assign]
        written(notebook.root / "stages.toml", "# other code")
        assert await notebook.next() == "apply"

        def both(text: str) -> None:
            written(notebook.root / "functions" / "orders" / "latest" / "index.py", text)
            written(other / "latest" / "index.py", text)

        await until(notebook, "reload other", both)
        assert "reload orders" not in notebook.all

    watched(story)


def test_a_file_without_functions_is_watched_as_well(tmp_path: Path) -> None:
    """There is no folder to watch yet, and then there is."""

    async def story() -> None:
        (tmp_path / "stages.toml").write_text("")
        notebook = Notebook(tmp_path)
        notebook.known = {"orders": tmp_path / "missing"}
        watching = asyncio.create_task(Watcher(tmp_path / "stages.toml", notebook).run())
        await until(notebook, "apply", (tmp_path / "stages.toml").write_text)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching

    asyncio.run(story())
